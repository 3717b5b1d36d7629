// What a filter made of one attribute set, by what it asked of the prefix on the way. Routes that come in one UPDATE
// share their attributes, so that a filter whose only interest in the prefix is a few yes-or-no questions
// (`net ~ LISTED`, `net.len > 24`) has few outcomes for all of them: the questions are put again, in the order in which
// the filter put them, and the rest of it need not run.

import type { Evaluate, Run } from './run.ts';

/** Beyond these, questions branch too much to be worth remembering. */
const MAX_QUESTIONS = 64;

/** Where an answer leads: to a question's number, to an outcome (below 0), or nobody knows yet. */
const UNKNOWN = 0;

/** Emptied for every attribute set: the arrays stay as long as they were once, and counts say how much of them is in use. */
export class OutcomeMemo {
  /** The first question is at 1. */
  readonly #questions: (Evaluate | undefined)[] = [undefined];
  #questionCount = 1;
  /** Where no and yes lead, two for each question; the start is where question 0 leads with no. */
  readonly #leads: number[] = [UNKNOWN, UNKNOWN];
  readonly #outcomes: number[] = [];
  #outcomeCount = 0;
  /** What the running filter has asked. */
  readonly #asked: Evaluate[] = [];
  readonly #answers: boolean[] = [];
  #askedCount = 0;

  /** How many outcomes there are, for whoever holds them. */
  get size(): number {
    return this.#outcomeCount;
  }

  /** One of `size`. */
  outcome(index: number): number {
    return this.#outcomes[index]!;
  }

  clear(): void {
    this.#questionCount = 1;
    this.#leads[0] = UNKNOWN;
    this.#outcomeCount = 0;
  }

  /** The outcome for the prefix of the run's route; undefined where it is not known. */
  find(run: Run): number | undefined {
    let next = this.#leads[0]!;
    while (next > UNKNOWN) {
      const answer = this.#questions[next]!(run);
      if (typeof answer !== 'boolean') return undefined;
      next = this.#leads[2 * next + (answer ? 1 : 0)]!;
    }
    return next === UNKNOWN ? undefined : this.#outcomes[-next - 1];
  }

  /** A run begins, which tells what it asks. */
  listen(): void {
    this.#askedCount = 0;
  }

  note(question: Evaluate, answer: boolean): void {
    this.#asked[this.#askedCount] = question;
    this.#answers[this.#askedCount++] = answer;
  }

  /** The run is over. Returns whether the outcome is remembered. */
  keep(outcome: number): boolean {
    if (this.#questionCount + this.#askedCount > MAX_QUESTIONS) return false;
    let lead = 0;
    for (let i = 0; i < this.#askedCount; i++) {
      let question = this.#leads[lead]!;
      if (question === UNKNOWN) {
        question = this.#addQuestion(this.#asked[i]!);
        this.#leads[lead] = question;
      }
      lead = 2 * question + (this.#answers[i]! ? 1 : 0);
    }
    this.#outcomes[this.#outcomeCount++] = outcome;
    this.#leads[lead] = -this.#outcomeCount;
    return true;
  }

  #addQuestion(question: Evaluate): number {
    const number = this.#questionCount++;
    this.#questions[number] = question;
    this.#leads[2 * number] = UNKNOWN;
    this.#leads[2 * number + 1] = UNKNOWN;
    return number;
  }
}
