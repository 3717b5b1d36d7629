// What the members of a lane may have been sent by the group that they have left: the lane is told of it in slices, while
// that group goes on, and sends nothing until it knows all. A full table is a lot to remember at once.

import type { AdjRibOut } from './adj-rib-out.ts';
import type { Lane } from './lane.ts';
import type { ResumableWork } from './row-walk.ts';

export class LaneTransfer implements ResumableWork {
  readonly #out: AdjRibOut;
  readonly #lane: Lane;
  readonly #end: number;
  readonly #chunk: number;
  #next = 1;

  /** `end`: its members have nothing of this prefix id and those above; `chunk`: prefixes between looks at the clock. */
  constructor(out: AdjRibOut, lane: Lane, end: number, chunk: number) {
    this.#out = out;
    this.#lane = lane;
    this.#end = end;
    this.#chunk = chunk;
  }

  /** It is over, or the lane has come to know all in another way. */
  get isOver(): boolean {
    return this.#lane.transfer !== this;
  }

  /** An entry changes in the group that was left, where the lane may not have heard of it. */
  note(prefixId: number, pathId: number): void {
    if (prefixId >= this.#next && prefixId < this.#end && !this.isOver) this.#lane.note(prefixId, pathId, 0);
  }

  run(expired: () => boolean): boolean {
    while (!this.isOver) {
      const until = Math.min(this.#end, this.#next + this.#chunk);
      for (; this.#next < until; this.#next++) this.#tell(this.#next);
      if (until === this.#end) this.#lane.transfer = undefined;
      else if (expired()) return true;
    }
    return false;
  }

  #tell(prefixId: number): void {
    this.#out.forEach(prefixId, (pathId) => this.#lane.note(prefixId, pathId, 0));
  }
}
