// What a process that becomes another program, or fails to, does to its capabilities: a child of another user's tries.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExecLibrary } from '../../../src/cli/upgrade/native.ts';

const NOBODY = 65534;
const NONE = '0000000000000000';
const isRoot = process.geteuid?.() === 0 && loadExecLibrary() !== undefined;

let directory: string;
beforeAll(async () => {
  if (!isRoot) return;
  directory = mkdtempSync(join(tmpdir(), 'gw-native-'));
  chmodSync(directory, 0o777);
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  const input = join(directory, 'child.ts');
  writeFileSync(
    input,
    `import { readFileSync } from 'node:fs';
    import { dropPrivileges } from '${resolve('src/cli/privileges.ts')}';
    import { loadExecLibrary } from '${resolve('src/cli/upgrade/native.ts')}';
    dropPrivileges({ uid: ${NOBODY}, gid: ${NOBODY}, groups: [] });
    const library = loadExecLibrary();
    const capabilities = () => readFileSync('/proc/self/status', 'utf8');
    const before = capabilities();
    let problem = '';
    try {
      library.execute('${directory}/none', ['none'], {});
    } catch (error) {
      problem = String(error);
    }
    console.log(JSON.stringify({ before, problem, after: capabilities() }));
    library.execute('/bin/sh', ['sh', '-c', 'while read line; do echo "$line"; done < /proc/self/status > ${directory}/became'], {});`,
  );
  await build({
    input,
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    output: { file: join(directory, 'child.mjs'), format: 'esm' },
    logLevel: 'silent',
  });
});
afterAll(() => {
  if (isRoot) rmSync(directory, { recursive: true, force: true });
});

function sets(status: string): Record<string, string> {
  const found = [...status.matchAll(/^Cap(Inh|Prm|Eff|Amb):\s*([0-9a-f]+)$/gm)];
  return Object.fromEntries(found.map(([, name, bits]) => [name, bits]));
}

describe('a process of a user without privileges', () => {
  it.skipIf(!isRoot)('gives its capabilities to the program it becomes, and to nobody else', () => {
    const out = execFileSync(process.execPath, [join(directory, 'child.mjs')], { encoding: 'utf8' });
    const { before, problem, after }: Record<string, string> = JSON.parse(out);
    expect(problem).toBe('ExecError: execve: ENOENT');
    const { Prm: kept } = sets(before!);
    expect(sets(before!)).toEqual({ Inh: NONE, Prm: kept, Eff: kept, Amb: NONE });
    expect(sets(after!)).toEqual(sets(before!));
    const became = readFileSync(join(directory, 'became'), 'utf8');
    expect(sets(became)).toEqual({ Inh: kept, Prm: kept, Eff: kept, Amb: kept });
  });
});
