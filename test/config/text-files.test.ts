import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConfig } from '../../src/config/load-file.ts';
import { textFiles } from '../../src/config/text-files.ts';
import { requireKoffi } from '../../src/lib/koffi.ts';

const HOST = () => ({ hostname: 'host', addresses: [] });
const YAML = 'router: { asn: 65000, id: 192.0.2.1 }\n';

describe('textFiles', () => {
  let folder: string;
  let pipe: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'godwit-texts-'));
    pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads a file anew each time', () => {
    const read = textFiles();
    const path = join(folder, 'a');
    writeFileSync(path, 'one');
    expect(read(path)).toBe('one');
    writeFileSync(path, 'two');
    expect(read(path)).toBe('two');
    expect(() => read(join(folder, 'none'))).toThrow('ENOENT');
  });

  // Whoever reads a pipe that nobody writes to waits for ever.
  it('refuses named pipes: configurations, what they include, and passwords', async () => {
    const messages = async (path: string): Promise<string[]> => {
      const result = (await openConfig(path, { env: {}, host: HOST }))();
      return result.ok ? [] : result.issues.map(({ message }) => message);
    };
    const reason = 'it is a pipe, and would have to be read again';
    expect(await messages(pipe)).toEqual([`the configuration cannot be read: ${reason}`]);
    const yaml = join(folder, 'a.yaml');
    const peer = `address: 192.0.2.2, asn: internal, password: { file: pipe }`;
    writeFileSync(yaml, `${YAML}peers: [{ ${peer} }]\n`);
    expect(await messages(yaml)).toEqual([`the password file ${pipe} cannot be read: ${reason}`]);
    const bird = join(folder, 'a.conf');
    writeFileSync(bird, 'router id 192.0.2.1;\ninclude "pipe";\nprotocol device { }\n');
    expect(await messages(bird)).toEqual([`${pipe} cannot be read: ${reason}`]);
  });

  it('keeps what came through a pipe that the program was started with', async () => {
    const [out, into] = anonymousPipe();
    writeSync(into, YAML);
    closeSync(into);
    const load = await openConfig(`/dev/fd/${out}`, { env: {}, host: HOST });
    // Its language was looked for as well.
    for (let i = 0; i < 2; i++)
      expect(load()).toMatchObject({ ok: true, config: { router: { asn: 65000 } } });
    closeSync(out);
  });
});

/** Descriptors to read from and to write to. */
function anonymousPipe(): [number, number] {
  const pipe: (fds: Int32Array) => number = requireKoffi()!.load(null).func('int pipe(int *fds)');
  const fds = new Int32Array(2);
  expect(pipe(fds)).toBe(0);
  return [fds[0]!, fds[1]!];
}
