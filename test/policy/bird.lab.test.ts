// godwit's answers beside those of the real BIRD. Set BIRD_1_6 to the path of a 1.6 daemon to compare that dialect too.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepts, BirdEvaluator, birdsToCompare, runStatements } from './bird.ts';
import { evaluate, lab } from './harness.ts';
import { MISTAKES, STATEMENTS, STATEMENTS_2, TERMS } from './tables.ts';
import { termMaker } from './terms.ts';

const birds = birdsToCompare();
const GENERATED = 3000;
/** A path against a set of pairs: BIRD says something or other, godwit that it cannot be. */
const NONSENSE = /prepend\([^~]* !?~ \[\(/;

describe.skipIf(birds.length > 0)('no BIRD is installed', () => {
  it.skip('nothing to compare with', () => undefined);
});

describe.each(birds)('BIRD $dialect', (bird) => {
  let evaluator: BirdEvaluator;
  beforeAll(() => {
    evaluator = new BirdEvaluator(bird);
  });
  afterAll(() => evaluator.stop());

  it('says of the tables what they say', async () => {
    // 1.6 has one address family a daemon.
    const rows = TERMS.filter(([term]) => bird.dialect === '2.x' || !term.includes('::'));
    const wanted = rows.map(([, two, one]) => (bird.dialect === '2.x' ? two : (one ?? two)));
    const answers = await evaluator.evaluateAll(rows.map(([term]) => term));
    expect(answers).toEqual(wanted);
  });

  it('prints what the tables say', () => {
    const isTwo = bird.dialect === '2.x';
    const rows = STATEMENTS.map(([body, two, one = two]) => ({ body, lines: isTwo ? two : one }));
    if (isTwo) rows.push(...STATEMENTS_2.map(([body, lines]) => ({ body, lines })));
    const wanted = rows.map(({ lines }) => lines);
    // The tables are about 10.1.0.0/24, the routes here are others.
    const printed = runStatements(
      bird,
      rows.map(({ body }) => body),
    ).map((lines, n) => lines.map((line) => line.replace(`10.0.${n}.0/24`, '10.1.0.0/24')));
    expect(printed).toEqual(wanted);
  });

  it('evaluates generated terms to the same', async () => {
    const make = termMaker(bird.dialect === '2.x' ? 2 : 16, bird.dialect);
    const terms = Array.from({ length: GENERATED }, make);
    const answers = await evaluator.evaluateAll(terms);
    const differing = terms.flatMap((term, i) => {
      const theirs = answers[i];
      const ours = evaluate(term, bird.dialect);
      return theirs === undefined || NONSENSE.test(term) || isSame(theirs, ours)
        ? []
        : [{ term, theirs, ours }];
    });
    expect(differing).toEqual([]);
    expect(new Set(answers).size).toBeGreaterThan(GENERATED / 10);
    expect(answers.filter((answer) => answer === undefined).length).toBeLessThan(GENERATED / 10);
  });

  it.each(MISTAKES.map(([text, two, one]) => ({ text, two, one })))('$text', ({ text, two, one }) => {
    const wanted = bird.dialect === '2.x' ? two : one;
    expect(accepts(bird, text)).toBe(wanted === true);
    expect(!lab(text, bird.dialect).diagnostics.hasErrors).toBe(wanted !== false);
  });
});

/** A term that cannot be is a mistake of one kind or the other: before it runs or when it does. */
function isSame(theirs: string, ours: string): boolean {
  const wrong = ['syntax', 'runtime'];
  return theirs === ours || (wrong.includes(theirs) && wrong.includes(ours));
}
