// A file that BIRD rejects is rejected, a file that it accepts is accepted: over recorded verdicts, and over mutated
// valid files with the installed daemon as the judge.

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Diagnostics } from '../../../src/policy/diagnostics.ts';
import { type Dialect, tokenize } from '../../../src/policy/lexer.ts';
import { Source } from '../../../src/policy/source.ts';
import { SAMPLES, type Sample } from './samples.ts';
import { Judge, oracle, read } from './support.ts';
import { ACCEPTED_2, ACCEPTED_16, DIFFERENT_2, REJECTED_2, REJECTED_16 } from './verdicts.ts';

function accepts(text: string, dialect: Dialect): boolean {
  const options = dialect === '1.6' ? { dialect, family: 'ipv4' as const } : { dialect };
  return read(text, options).errors.length === 0;
}

/** It starts a daemon for each text. */
const JUDGE_MS = 60_000;

const RECORDED = [
  ['2.x', ACCEPTED_2, REJECTED_2],
  ['1.6', ACCEPTED_16, REJECTED_16],
] as const;

describe.each(RECORDED)('verdicts of BIRD %s', (dialect, accepted, rejected) => {
  test('what it accepts is accepted', () => {
    expect(accepted.filter((text) => !accepts(text, dialect))).toEqual([]);
  });

  test('what it rejects is rejected', () => {
    expect(rejected.filter((text) => accepts(text, dialect))).toEqual([]);
  });

  test('samples without later options are accepted', () => {
    const samples = SAMPLES.filter((sample) => sample.dialect === dialect);
    expect(samples.filter((sample) => !accepts(sample.text, dialect))).toEqual([]);
  });

  const program = oracle(dialect);
  test.skipIf(program === undefined)(
    'the recorded verdicts are those of the installed daemon',
    () => {
      const judge = new Judge(program!);
      try {
        const samples = SAMPLES.filter((sample) => sample.dialect === dialect && sample.newer !== true);
        const wrong = [
          ...accepted.filter((text) => !judge.accepts(`${text}\n`)),
          ...rejected.filter((text) => judge.accepts(`${text}\n`)),
          ...samples.filter((sample) => !judge.accepts(sample.text)),
          ...(dialect === '2.x' ? DIFFERENT_2.filter(({ text }) => judge.accepts(`${text}\n`)) : []),
        ];
        expect(wrong).toEqual([]);
      } finally {
        judge.close();
      }
    },
    JUDGE_MS,
  );
});

test('the known differences are differences', () => {
  expect(DIFFERENT_2.filter(({ text }) => !accepts(text, '2.x'))).toEqual([]);
});

type Change = 'delete' | 'duplicate' | 'swap' | 'replace';

/** A change of one token of a sample; `other` is what replaces it. */
interface Mutation {
  readonly change: Change;
  readonly at: number;
  readonly other: number;
}

const mutations: fc.Arbitrary<Mutation> = fc.record({
  change: fc.constantFrom<Change>('delete', 'duplicate', 'swap', 'replace'),
  at: fc.nat(),
  other: fc.nat(),
});

function mutate(text: string, dialect: Dialect, { change, at, other }: Mutation): string {
  const tokens = tokenize(new Source('sample', text), dialect, new Diagnostics()).slice(0, -1);
  const i = at % (tokens.length - 1);
  const token = tokens[i]!;
  const next = tokens[i + 1]!;
  const shown = (each: { start: number; end: number }): string => text.slice(each.start, each.end);
  const before = text.slice(0, token.start);
  switch (change) {
    case 'delete':
      return `${before} ${text.slice(token.end)}`;
    case 'duplicate':
      return `${before}${shown(token)} ${text.slice(token.start)}`;
    case 'swap':
      return `${before}${shown(next)} ${shown(token)} ${text.slice(next.end)}`;
    case 'replace':
      return `${before} ${shown(tokens[other % tokens.length]!)} ${text.slice(token.end)}`;
  }
}

/** In quotes later versions of 2.x take as a symbol what they would not take without. */
const NOT_JUDGED = /'/;

function isJudged(text: string, dialect: Dialect, mutation: Mutation): boolean {
  const tokens = tokenize(new Source('sample', text), dialect, new Diagnostics()).slice(0, -1);
  const i = mutation.at % (tokens.length - 1);
  const token = tokens[i]!;
  const line = text.slice(text.lastIndexOf('\n', token.start) + 1, text.indexOf('\n', token.start));
  return !NOT_JUDGED.test(line);
}

/**
 * The same changes in each run: a difference that nobody has found yet must not break a build that has nothing to do
 * with it. `GODWIT_MUTATIONS=20000` goes looking for one, with other changes each time.
 */
const MUTATIONS = process.env['GODWIT_MUTATIONS'];
const RUNS: fc.Parameters<unknown> =
  MUTATIONS === undefined ? { numRuns: 150, seed: 4271 } : { numRuns: Number(MUTATIONS) };
const TIMEOUT = MUTATIONS === undefined ? JUDGE_MS : 3_600_000;

describe.each(['2.x', '1.6'] as const)('mutated samples of %s', (dialect) => {
  const program = oracle(dialect);
  const judge = program === undefined ? undefined : new Judge(program);
  afterAll(() => judge?.close());
  const samples = SAMPLES.filter(
    (sample) => sample.dialect === dialect && sample.newer !== true && !/passed over/.test(sample.name),
  );
  const sample: fc.Arbitrary<Sample> = fc.constantFrom(...samples);

  test.skipIf(judge === undefined)(
    'are judged as BIRD judges them',
    () => {
      fc.assert(
        fc.property(sample, mutations, ({ text }, mutation) => {
          fc.pre(isJudged(text, dialect, mutation));
          const changed = mutate(text, dialect, mutation);
          expect(accepts(changed, dialect), changed).toBe(judge!.accepts(changed));
        }),
        RUNS,
      );
    },
    TIMEOUT,
  );

  test(
    'never throw, point into their file and never show a password',
    () => {
      const passwords = /not to be seen|bfd secret/;
      fc.assert(
        fc.property(sample, fc.array(mutations, { maxLength: 6 }), ({ text }, several) => {
          const changed = several.reduce((before, mutation) => mutate(before, dialect, mutation), text);
          const lines = changed.split('\n');
          for (const issue of read(changed, { dialect }).issues) {
            expect(issue.line).toBeGreaterThan(0);
            expect(issue.line).toBeLessThanOrEqual(lines.length);
            expect(issue.column).toBeLessThanOrEqual(lines[issue.line - 1]!.length + 1);
            const shown = `${issue.message} ${issue.hint} ${issue.excerpt?.text}`;
            // Where the word `password` itself is gone nobody can know what the string is.
            if (/password\s*"/.test(lines[issue.line - 1]!)) expect(shown).not.toMatch(passwords);
          }
        }),
        RUNS,
      );
    },
    TIMEOUT,
  );
});
