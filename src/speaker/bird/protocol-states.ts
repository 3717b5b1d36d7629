// Since when each protocol is in its state, and which ones the operator has switched off. A peer's machine goes through
// many states that are one to BIRD's users: only a change of theirs counts here.

import type { Clock } from '../../lib/clock.ts';
import type { ProtocolState } from '../api/protocols.ts';

interface Entry {
  state: ProtocolState;
  /** Wall-clock milliseconds. */
  since: number;
}

export class ProtocolStates {
  readonly #clock: Clock;
  readonly #begin: number;
  readonly #entries = new Map<string, Entry>();
  /** Switched off by command; a peer's own machine knows that of itself. */
  readonly off = new Set<string>();
  /** What the operator said when switching it off. */
  readonly messages = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begin = clock.wallTime();
  }

  /** Takes down a protocol's state and returns since when it has it. */
  note(name: string, state: ProtocolState): number {
    const known = this.#entries.get(name);
    if (known?.state === state) return known.since;
    // One that is seen for the first time began with the daemon, or with the configuration that brought it.
    const since =
      known === undefined && this.#clock.wallTime() - this.#begin < FIRST_LOOK_MS
        ? this.#begin
        : this.#clock.wallTime();
    this.#entries.set(name, { state, since });
    return since;
  }

  /** It was stopped and started again within the same state. */
  restarted(name: string, state: ProtocolState): void {
    this.#entries.set(name, { state, since: this.#clock.wallTime() });
  }

  /** Forgets protocols that are no more. */
  retain(names: ReadonlySet<string>): void {
    for (const name of [...this.#entries.keys()]) if (!names.has(name)) this.#entries.delete(name);
    for (const name of [...this.off]) if (!names.has(name)) this.off.delete(name);
    for (const name of [...this.messages.keys()]) if (!names.has(name)) this.messages.delete(name);
  }
}

/** Protocols are made with the configuration; the first look may come later. */
const FIRST_LOOK_MS = 1000;
