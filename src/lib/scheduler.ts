// The speaker's one loop: named stages that share the thread in slices. A stage does a part of its work until
// its deadline and says whether more is left; nobody else is held up longer than one slice. Sockets and timers
// get their turn between rounds, because a round is one setImmediate callback.

import type { Clock } from './clock.ts';
import type { StageBeat } from './stage-beat.ts';

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
  /** Its number for whoever watches the thread. */
  mark: number;
  awake: boolean;
}

export class Scheduler {
  readonly #clock: Clock;
  readonly #defer: Defer;
  readonly #sliceMs: number;
  #slots: readonly Slot[] = [];
  readonly #beat: StageBeat | undefined;
  #scheduled = false;
  #slowest: { name: string; micros: number } | undefined;

  constructor(clock: Clock, options: { sliceMs?: number; defer?: Defer; beat?: StageBeat } = {}) {
    this.#clock = clock;
    this.#beat = options.beat;
    this.#sliceMs = options.sliceMs ?? 5;
    this.#defer = options.defer ?? ((fn) => void setImmediate(fn));
  }

  /** Adds a stage; stages run in the order in which they were added. Returns the function that wakes it. */
  add(stage: Stage): () => void {
    const slot: Slot = {
      stage,
      stats: { name: stage.name, runs: 0, micros: 0, longestMicros: 0 },
      mark: this.#beat?.register(stage.name) ?? 0,
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

  /** The longest single run since the last call; undefined where nothing ran. */
  takeSlowest(): { readonly name: string; readonly micros: number } | undefined {
    const slowest = this.#slowest;
    this.#slowest = undefined;
    return slowest;
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
      this.#beat?.mark(slot.mark);
      const more = slot.stage.run(start + this.#sliceMs);
      this.#beat?.mark(0);
      const micros = (this.#clock.now() - start) * 1000;
      slot.stats.runs++;
      slot.stats.micros += micros;
      if (micros > slot.stats.longestMicros) slot.stats.longestMicros = micros;
      if (this.#slowest === undefined || micros > this.#slowest.micros) {
        this.#slowest = { name: slot.stats.name, micros };
      }
      if (more) slot.awake = true;
    }
    if (this.#slots.some((slot) => slot.awake)) this.#request();
  };
}
