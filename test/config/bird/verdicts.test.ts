// A file that BIRD rejects is rejected, a file that it accepts is accepted: over recorded verdicts, and over mutated
// valid files with the installed daemon as the judge.

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { BASIC_TYPES } from '../../../src/policy/ast.ts';
import { ROUTE_ATTRIBUTES } from '../../../src/policy/attributes.ts';
import type { Dialect } from '../../../src/policy/lexer.ts';
import { keywordsOf } from '../../../src/policy/words.ts';
import { mutate, mutations, shownChange, tokensOf } from './mutations.ts';
import { SAMPLES } from './samples.ts';
import { Judge, oracle, type Read, read } from './support.ts';
import { ACCEPTED_2, ACCEPTED_16, DIFFERENT_2, REJECTED_2, REJECTED_16 } from './verdicts.ts';

function check(text: string, dialect: Dialect): Read {
  return read(text, dialect === '1.6' ? { dialect, family: 'ipv4' as const } : { dialect });
}

function accepts(text: string, dialect: Dialect): boolean {
  return check(text, dialect).errors.length === 0;
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

/** Of passed-over protocols only BIRD judges what is their own. */
const PASSED_OVER = /(protocol|template) (ospf|rip|babel|radv|perf)/;
/** Later versions of 2.x have it in protocols as well: it is not moved there. */
const HOSTNAME = /^hostname .*\n/m;
/** What stands before a name that is defined, and before that of an interface. */
const DEFINES = String.raw`(define|function|filter|table|(protocol|template)\s+\w+(\s+v2|\s+v3|\s+ng)?|\b(${BASIC_TYPES.join('|')})(\s+set)?|\benum\s+\w+(\s+set)?)\s+|%\s*`;
const CHANGE = String.raw`\s*\.\s*(add|delete|filter|prepend|empty)\b`;
/** What other versions have and the judges have not. */
const OF_OTHERS: Readonly<Record<Dialect, readonly RegExp[]>> = {
  // Attributes of Calico's variant, and of the IPv6 daemon.
  '1.6': [/\b(krt_tunnel|ra_preference|ra_lifetime)\b/],
  // Of later ones: names that are words of the language, some attributes, `debug` in a table, constants for times of
  // passwords, and changes of lists within terms and of variables.
  '2.x': [
    /'|\b(krt_congctl|babel_router_id|mpls_\w+)\b|table \w+ \{[^}]*\bdebug\b/,
    new RegExp(
      String.raw`(${DEFINES})(${[...keywordsOf('2.x'), ...ROUTE_ATTRIBUTES.map(({ name }) => name)].join('|')})\b`,
    ),
    /(accept|generate) (from|to) +[^" ]/,
    new RegExp(String.raw`(\b(printn?|return|if|case|in)|[=(,~!<>+*/-])\s*\w+${CHANGE}`),
    new RegExp(String.raw`\b(?!bgp_)[a-z]\w*${CHANGE}`),
  ],
};

/** What 1.6 says of a function that calls itself depends on memory that it has not set. */
const SELF_CALL = /calls itself/;

/**
 * The same changes in each run: a difference that nobody has found yet must not break a build that has nothing to do
 * with it. `GODWIT_MUTATIONS=20000` goes looking for them, with other changes each time, and shows all.
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
  ).map((sample) => sample.text.replace(HOSTNAME, ''));
  const short = (dialect === '2.x' ? ACCEPTED_2 : ACCEPTED_16).filter((text) => !PASSED_OVER.test(text));
  const words = [
    ...new Set([
      ...[...samples, ...short].flatMap((text) =>
        tokensOf(text, dialect).map(({ start, end }) => text.slice(start, end)),
      ),
      ...keywordsOf(dialect),
    ]),
  ];
  const text: fc.Arbitrary<string> = fc.oneof(
    fc.constantFrom(...samples),
    fc.constantFrom(...short.map((line) => `${line}\n`)),
  );

  test.skipIf(judge === undefined)(
    'are judged as BIRD judges them',
    () => {
      const differences: string[] = [];
      fc.assert(
        fc.property(text, mutations, (before, mutation) => {
          const changed = mutate(before, { dialect, words, others: samples }, mutation);
          fc.pre(![PASSED_OVER, ...OF_OTHERS[dialect]].some((pattern) => pattern.test(changed)));
          const { issues, errors } = check(changed, dialect);
          fc.pre(!issues.some(({ message }) => SELF_CALL.test(message)));
          const isGood = judge!.accepts(changed);
          if ((errors.length === 0) === isGood) return;
          differences.push(`BIRD ${isGood ? 'accepts' : 'rejects'} ${shownChange(before, changed)}`);
        }),
        RUNS,
      );
      expect(differences).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'never throw, point into their file and never show a password',
    () => {
      const passwords = /not to be seen|bfd secret/;
      fc.assert(
        fc.property(fc.constantFrom(...samples), fc.array(mutations, { maxLength: 6 }), (text, several) => {
          const by = { dialect, words, others: samples };
          const changed = several.reduce((before, mutation) => mutate(before, by, mutation), text);
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
