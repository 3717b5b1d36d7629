// What became of a peer so far: state and since when, how often it came up and went down, why it last did; and
// the log lines that go with it.

import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { SessionContext } from '../wire/session-context.ts';
import type { DownReason } from './down-reason.ts';
import type { FsmState } from './fsm-events.ts';

/** A session came up or ended, or an attempt to have one failed. */
export interface SessionNote {
  readonly kind: 'up' | 'down' | 'failed';
  /** Undefined where it came up. */
  readonly reason: DownReason | undefined;
  /** As the log has it. */
  readonly sentence: string;
  /** A failure as before, once more. */
  readonly repeated: boolean;
}

/** Plain data, for another process. */
export interface HistoryImage {
  readonly since: number;
  readonly establishedCount: number;
  readonly downCount: number;
  readonly lastDown: DownReason | undefined;
  readonly lastDownAt: number | undefined;
}

/** Two may take turns: a dial that is not answered, and a neighbour that is not found. */
const REMEMBERED_FAILURES = 2;
/** How much the kernel has dropped, as causes.ts says it. */
const DROPPED = /the kernel dropped [^,;]*/g;

export class PeerHistory {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onNote: (note: SessionNote) => void;
  #state: FsmState = 'Idle';
  /** The next session to come up never was down. */
  #goesOn = false;
  /** The last failures, each once. */
  #failures: string[] = [];
  /** Wall-clock milliseconds of the last change of state. */
  since: number;
  establishedCount = 0;
  downCount = 0;
  lastDown: DownReason | undefined;
  /** Wall-clock milliseconds. */
  lastDownAt: number | undefined;

  constructor(clock: Clock, log: Logger, onNote: (note: SessionNote) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#onNote = onNote;
    this.since = clock.wallTime();
  }

  get image(): HistoryImage {
    const { since, establishedCount, downCount, lastDown, lastDownAt } = this;
    return { since, establishedCount, downCount, lastDown, lastDownAt };
  }

  /** What happened in another process. */
  restore(image: HistoryImage): void {
    this.establishedCount = image.establishedCount;
    this.downCount = image.downCount;
    this.lastDown = image.lastDown;
    this.lastDownAt = image.lastDownAt;
  }

  /** The session of another process goes on here: when it comes up it is no other one. */
  goOn({ since }: HistoryImage): void {
    this.#goesOn = true;
    this.since = since;
    this.#state = 'Established';
  }

  /** Notes the state; true when it is another than before. */
  state(state: FsmState): boolean {
    if (state === this.#state) return false;
    this.#state = state;
    this.since = this.#clock.wallTime();
    return true;
  }

  up(name: string, context: SessionContext): void {
    if (this.#goesOn) {
      this.#goesOn = false;
      this.#log.info({ peer: name }, `session with ${name} goes on`);
      return;
    }
    this.establishedCount++;
    this.#failures = [];
    const families = context.families.map((family) => family.name);
    this.#log.info(
      { peer: name, as: context.peerAs, holdTime: context.holdTime, families },
      `session with ${name} is up`,
    );
    const words = `AS ${context.peerAs}, hold time ${context.holdTime} s, ${families.join(' ') || 'no family'}`;
    const sentence = `session with ${name} is up: ${words}`;
    this.#onNote({ kind: 'up', reason: undefined, sentence, repeated: false });
    if (families.length === 0) {
      this.#log.warn({ peer: name }, `session with ${name} has no address family in common`);
    }
  }

  down(name: string, reason: DownReason, wasEstablished: boolean): void {
    const repeated = this.#remember(reason);
    this.lastDown = reason;
    this.lastDownAt = this.#clock.wallTime();
    const fields = { peer: name, cause: reason.cause, code: reason.code };
    const before = wasEstablished ? `session with ${name} is down` : `no session with ${name}`;
    const sentence = `${before}: ${reason.sentence}`;
    if (wasEstablished) {
      this.downCount++;
      this.#log.warn(fields, sentence);
    } else {
      // The same failure again and again is worth one line.
      this.#log[repeated ? 'debug' : 'info'](fields, sentence);
    }
    this.#onNote({ kind: wasEstablished ? 'down' : 'failed', reason, sentence, repeated });
  }

  /** Whether it is one of the last failures; how much the kernel has dropped makes no other one of it. */
  #remember({ code, sentence }: DownReason): boolean {
    const failure = `${code} ${sentence.replaceAll(DROPPED, '')}`;
    const known = this.#failures.includes(failure);
    this.#failures = [failure, ...this.#failures.filter((each) => each !== failure)].slice(
      0,
      REMEMBERED_FAILURES,
    );
    return known;
  }
}
