// Since when each protocol is in its state, and which ones the operator has switched. A peer's machine goes through
// many states that are one to BIRD's users: only a change of theirs counts here.

import type { Clock } from '../../lib/clock.ts';
import type { ProtocolState } from '../api/protocols.ts';
import type { DeclaredProtocol } from './declared.ts';

interface Entry {
  state: ProtocolState;
  /** Wall-clock milliseconds. */
  since: number;
}

/** Plain data, for another process. */
export interface ProtocolsImage {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly born: ReadonlyMap<string, number>;
  readonly off: ReadonlySet<string>;
  /** Absent in states of versions that left off what the file had off. */
  readonly on?: ReadonlySet<string>;
  readonly messages: ReadonlyMap<string, string>;
}

/** What operators have switched otherwise than the configuration says: by name, true for on. */
export function switchedIn({ off, on = new Set() }: ProtocolsImage): Map<string, boolean> {
  return new Map([
    ...[...off].map((name) => [name, false] as const),
    ...[...on].map((name) => [name, true] as const),
  ]);
}

export class ProtocolStates {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** Wall-clock milliseconds: when the configuration first had it. */
  readonly #born = new Map<string, number>();
  /** By command, otherwise than the configuration says, true for on; a peer's own machine knows that of itself. */
  readonly switched = new Map<string, boolean>();
  /** What the operator said when switching it off. */
  readonly messages = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get image(): ProtocolsImage {
    const names = (on: boolean) =>
      new Set([...this.switched.keys()].filter((name) => this.switched.get(name) === on));
    return {
      entries: this.#entries,
      born: this.#born,
      off: names(false),
      on: names(true),
      messages: this.messages,
    };
  }

  /** What another process knew of the protocols that there are. */
  restore(image: ProtocolsImage): void {
    const { entries, born, messages } = image;
    for (const [name, entry] of entries) this.#entries.set(name, { ...entry });
    for (const [name, since] of born) this.#born.set(name, since);
    for (const [name, on] of switchedIn(image)) this.switched.set(name, on);
    for (const [name, text] of messages) this.messages.set(name, text);
  }

  isOff({ name, disabled }: Pick<DeclaredProtocol, 'name' | 'disabled'>): boolean {
    return !(this.switched.get(name) ?? !disabled);
  }

  switch({ name, disabled }: Pick<DeclaredProtocol, 'name' | 'disabled'>, on: boolean): void {
    if (on === disabled) this.switched.set(name, on);
    else this.switched.delete(name);
  }

  /** The configuration that is in force now has these. Others are forgotten. */
  useNames(names: ReadonlySet<string>): void {
    const now = this.#clock.wallTime();
    for (const name of names) if (!this.#born.has(name)) this.#born.set(name, now);
    const known = [this.#entries, this.#born, this.switched, this.messages];
    for (const each of known) for (const name of [...each.keys()]) if (!names.has(name)) each.delete(name);
  }

  /** Takes down a protocol's state and returns since when it has it. */
  note(name: string, state: ProtocolState): number {
    const known = this.#entries.get(name);
    if (known?.state === state) return known.since;
    // One that is seen for the first time has been so since the configuration brought it.
    const born = known === undefined ? this.#born.get(name) : undefined;
    const since = born ?? this.#clock.wallTime();
    this.#entries.set(name, { state, since });
    return since;
  }

  /** It was stopped and started again within the same state. */
  restarted(name: string, state: ProtocolState): void {
    this.#entries.set(name, { state, since: this.#clock.wallTime() });
  }
}
