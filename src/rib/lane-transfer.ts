// What the members of a lane may have been sent by the group that they have left: the lane is told of it in slices, while
// that group goes on, and sends nothing until it knows all. A full table is a lot to remember at once. Members that part
// meanwhile take it along.

import type { AdjRibOut } from './adj-rib-out.ts';
import type { Lane } from './lane.ts';
import type { ResumableWork } from './row-walk.ts';

export class LaneTransfer implements ResumableWork {
  readonly #out: AdjRibOut;
  /** Those that have waited for it; one that does not name it any more is told nothing. */
  #lanes: Lane[] = [];
  readonly #end: number;
  readonly #chunk: number;
  #next = 1;

  /** `end`: its members have nothing of this prefix id and those above; `chunk`: prefixes between looks at the clock. */
  constructor(out: AdjRibOut, lane: Lane, end: number, chunk: number) {
    this.#out = out;
    this.#end = end;
    this.#chunk = chunk;
    this.share(lane);
  }

  /** Another lane, which has been told the same so far. */
  share(lane: Lane): void {
    lane.transfer = this;
    this.#lanes.push(lane);
  }

  /** It is over, or nobody waits for it. */
  get isOver(): boolean {
    return !this.#lanes.some((lane) => this.#isAwaited(lane));
  }

  #isAwaited({ transfer }: Lane): boolean {
    return transfer === this;
  }

  /** An entry changes in the group that was left, where the lanes may not have heard of it. */
  note(prefixId: number, pathId: number): void {
    if (prefixId < this.#next || prefixId >= this.#end) return;
    for (const lane of this.#lanes) if (this.#isAwaited(lane)) lane.note(prefixId, pathId, 0);
  }

  run(expired: () => boolean): boolean {
    this.#lanes = this.#lanes.filter((lane) => this.#isAwaited(lane));
    while (!this.isOver) {
      const until = Math.min(this.#end, this.#next + this.#chunk);
      for (; this.#next < until; this.#next++) this.#tell(this.#next);
      if (until === this.#end) for (const lane of this.#lanes) lane.transfer = undefined;
      else if (expired()) return true;
    }
    return false;
  }

  #tell(prefixId: number): void {
    this.#out.forEach(prefixId, (pathId) => {
      for (const lane of this.#lanes) lane.note(prefixId, pathId, 0);
    });
  }
}
