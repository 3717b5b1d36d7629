// The speaker's one loop: named stages that share the thread in slices. A stage does a part of its work until
// its deadline and says whether more is left; nobody else is held up longer than one slice. Sockets and timers
// get their turn between rounds, because a round is one setImmediate callback.

import type { Clock } from './clock.ts';

export interface Stage {
  readonly name: string;
  /** Works until `deadline` (Clock.now() milliseconds) at most; returns true while work is left. */
  run(deadline: number): boolean;
}

export interface StageStats {
  readonly name: string;
  runs: number;
  /** Time spent in the stage, in microseconds. */
  micros: number;
  /** The longest single run, in microseconds. */
  longestMicros: number;
}

/** How the scheduler gets its next turn; setImmediate in the product, the simulator's queue in tests. */
export type Defer = (fn: () => void) => void;

interface Slot {
  stage: Stage;
  stats: StageStats;
  awake: boolean;
}

export class Scheduler {
  readonly #clock: Clock;
  readonly #defer: Defer;
  readonly #sliceMs: number;
  #slots: readonly Slot[] = [];
  #scheduled = false;

  constructor(clock: Clock, options: { sliceMs?: number; defer?: Defer } = {}) {
    this.#clock = clock;
    this.#sliceMs = options.sliceMs ?? 5;
    this.#defer = options.defer ?? ((fn) => void setImmediate(fn));
  }

  /** Adds a stage; stages run in the order in which they were added. Returns the function that wakes it. */
  add(stage: Stage): () => void {
    const slot: Slot = {
      stage,
      stats: { name: stage.name, runs: 0, micros: 0, longestMicros: 0 },
      awake: false,
    };
    this.#slots = [...this.#slots, slot];
    return () => {
      slot.awake = true;
      this.#request();
    };
  }

  /** Takes a stage out; waking it does nothing any more. */
  remove(stage: Stage): void {
    for (const slot of this.#slots) if (slot.stage === stage) slot.awake = false;
    this.#slots = this.#slots.filter((slot) => slot.stage !== stage);
  }

  stats(): readonly StageStats[] {
    return this.#slots.map((slot) => ({ ...slot.stats }));
  }

  #request(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(this.#round);
  }

  /** A value, not a method: waking happens for every route, and a closure would be made each time. */
  readonly #round = (): void => {
    this.#scheduled = false;
    for (const slot of this.#slots) {
      if (!slot.awake) continue;
      slot.awake = false;
      const start = this.#clock.now();
      const more = slot.stage.run(start + this.#sliceMs);
      const micros = (this.#clock.now() - start) * 1000;
      slot.stats.runs++;
      slot.stats.micros += micros;
      if (micros > slot.stats.longestMicros) slot.stats.longestMicros = micros;
      if (more) slot.awake = true;
    }
    if (this.#slots.some((slot) => slot.awake)) this.#request();
  };
}
