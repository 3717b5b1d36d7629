// What an `include` finds on a disk, as BIRD says of the same files: directories, links and names that only might match.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FILE_SYSTEM } from '../../../src/config/bird/load.ts';
import { parseBird } from '../../../src/config/bird/parse.ts';
import type { Dialect } from '../../../src/policy/lexer.ts';
import { Judge, oracle } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'godwit-include-'));
afterAll(() => rmSync(directory, { recursive: true }));

for (const name of ['d/e', 'x.d', 'empty', 'a.d/sub.conf', 'links']) {
  mkdirSync(join(directory, name), { recursive: true });
}
writeFileSync(join(directory, 'a.conf'), 'define A = 1;\n');
writeFileSync(join(directory, 'd/b.conf'), 'define B = 1;\n');
writeFileSync(join(directory, 'x.d/z.conf'), 'define Z = 1;\n');
symlinkSync('nowhere', join(directory, 'links/lost.conf'));

/** What is defined; undefined where the file is refused. */
const PATTERNS: readonly (readonly [pattern: string, defined: string | undefined])[] = [
  ['a.conf', 'A'],
  ['d', undefined],
  ['none.conf', undefined],
  ['none*.conf', ''],
  ['d/*', 'B'],
  ['*/*.conf', undefined],
  ['[adx]*/*.conf', 'B Z'],
  ['*.d/*', 'Z'],
  ['*.d/z.conf', 'Z'],
  ['*/b.conf', 'B'],
  ['*/b.conf/*', ''],
  ['d/*/c.conf', ''],
  ['a.conf/*', ''],
  ['empty/*/c.conf', ''],
  ['none/*', undefined],
  ['none/*/c.conf', undefined],
  ['none*/c.conf', ''],
  ['links/*.conf', undefined],
];

describe.each<Dialect>(['2.x', '1.6'])('an include of %s', (dialect) => {
  const program = oracle(dialect);
  const judge = program === undefined ? undefined : new Judge(program);
  afterAll(() => judge?.close());

  test.each(PATTERNS)('of %s finds %s', (pattern, defined) => {
    const text = `include "${join(directory, pattern)}";\nprotocol device { }\n`;
    const { config, diagnostics } = parseBird(text, '/etc/bird.conf', FILE_SYSTEM, { dialect });
    const names = config.definitions.map((each) => each.name?.name).join(' ');
    expect(diagnostics.hasErrors ? undefined : names).toBe(defined);
    if (judge !== undefined) expect(judge.accepts(text)).toBe(defined !== undefined);
  });
});
