// `bird -p` beside the real one: the same exit code for good and bad files, nothing said of good ones, and a message in
// the same form, with the same place, for bad ones.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type BirdKind, birdCommand, missingBird } from '../support/lab/bird-process.ts';
import { labRequirement, skipWithout } from '../support/lab/requirement.ts';

const GOLDEN = new URL('../../../shared/data/calico-golden/v3.32.1/compiled_templates/', import.meta.url)
  .pathname;

const directory = mkdtempSync(join(tmpdir(), 'godwit-p-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ask(kind: BirdKind, ...words: string[]): Answer {
  const [program = '', ...before] = birdCommand(kind, 'bird')!;
  const { status, stdout, stderr } = spawnSync(program, [...before, ...words], {
    encoding: 'utf8',
    argv0: kind === 'godwit' ? program : 'bird',
  });
  return { status, stdout, stderr };
}

/** `bird: FILE:LINE:`, or what BIRD says of a file as a whole. */
const place = ({ stderr }: Answer): string => /^bird: \S+:\d+:|^bird: Unable .*/.exec(stderr)?.[0] ?? stderr;
const file = (text: string): string => text.replace(/\d+:$/, '');

const DEVICE = 'router id 10.0.0.1;\nprotocol device { }\n';
/** `near`: godwit points at the place where something is missing, BIRD at the next token or at the includer. */
const BOTH: readonly (readonly [name: string, text: string, near: 'near' | undefined])[] = [
  ['good', DEVICE, undefined],
  ['nothing', '', undefined],
  ['an unknown statement', `${DEVICE}nonsense;\n`, undefined],
  ['an unknown option', `${DEVICE}protocol static {\n  rout 10.0.0.0/8 blackhole;\n}\n`, undefined],
  ['a bad character', `${DEVICE}@\n`, undefined],
  ['a missing semicolon', `${DEVICE}define A = 1\ndefine B = 2;\n`, 'near'],
  ['a file that is not there', `include "nowhere.conf";\n${DEVICE}`, 'near'],
  ['an unknown filter', `${DEVICE}protocol kernel {\n  export filter nowhere;\n}\n`, 'near'],
];

describe('-p', async () => {
  const { skip } = await labRequirement(['godwit']);
  for (const kind of ['bird1', 'bird2'] as const) {
    const absent = skip || skipWithout(missingBird(kind));

    test.skipIf(absent).each(BOTH)(`as ${kind}: %s`, (name, text, near) => {
      const path = join(directory, `${kind}-${name.replaceAll(' ', '-')}.conf`);
      const listen = kind === 'bird1' && text !== '' ? 'listen bgp port 179;\n' : '';
      // What is only in 1.6 says which language it is; it stands last, so that lines are the same.
      writeFileSync(path, text + listen);
      const [ours, theirs] = [ask('godwit', '-p', '-c', path), ask(kind, '-p', '-c', path)];
      expect([ours.status, ours.stdout]).toEqual([theirs.status, theirs.stdout]);
      if (theirs.status === 0) expect(ours.stderr).toBe('');
      else if (near === undefined) expect(place(ours)).toBe(place(theirs));
      else expect(file(place(ours))).toBe(file(place(theirs)));
    });

    test.skipIf(absent)(`as ${kind}: a configuration that is not there`, () => {
      const path = join(directory, 'none.conf');
      expect(ask('godwit', '-p', '-c', path)).toEqual(ask(kind, '-p', '-c', path));
    });
  }

  const absent = skip || !existsSync(GOLDEN) || birdCommand('bird1', 'bird') === undefined;
  test.skipIf(absent)("takes Calico's files as BIRD 1.6 does", () => {
    const groups = readdirSync(GOLDEN).flatMap((group) => {
      const [first] = readdirSync(join(GOLDEN, group)).filter((name) =>
        existsSync(join(GOLDEN, group, name, 'bird.cfg')),
      );
      return first === undefined ? [] : [join(GOLDEN, group, first, 'bird.cfg')];
    });
    expect(groups.length).toBeGreaterThan(5);
    for (const path of groups) {
      const [ours, theirs] = [ask('godwit', '-p', '-c', path), ask('bird1', '-p', '-c', path)];
      // The stock daemon does not know Calico's krt_tunnel.
      const known = !theirs.stderr.includes('bird_ipam.cfg');
      expect([path, ours.status, ours.stderr]).toEqual([path, known ? theirs.status : 0, '']);
    }
  });
});
