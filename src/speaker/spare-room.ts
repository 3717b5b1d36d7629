// Room in the tables that routes have left, a peer with a full table being gone, say. It is kept for a while, for most
// peers come back with what they had; then it is the system's again, at a moment when nothing is under way.

import type { Clock, Timer } from '../lib/clock.ts';
import type { Rib } from '../rib/rib.ts';

const LOOK_EVERY_MS = 10_000;
/** Looks at which the room was spare before it goes. */
const PATIENCE = 3;
/** Less is not worth the work. */
const WORTHWHILE_ROWS = 1 << 16;

export interface SpareRoomParts {
  readonly clock: Clock;
  readonly ribs: () => Iterable<Pick<Rib, 'rows' | 'idle' | 'compact'>>;
  /** After tables were compacted; what they let go can be collected. */
  readonly onCompacted: () => void;
}

export class SpareRoom {
  readonly #parts: SpareRoomParts;
  readonly #looks = new WeakMap<object, { seen: number; left: number }>();
  #timer: Timer;

  constructor(parts: SpareRoomParts) {
    this.#parts = parts;
    this.#timer = this.#wait();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #wait(): Timer {
    return this.#parts.clock.setTimer(LOOK_EVERY_MS, () => {
      this.#timer = this.#wait();
      this.#look();
    });
  }

  #look(): void {
    let compacted = false;
    for (const rib of this.#parts.ribs()) {
      const state = this.#looks.get(rib) ?? { seen: 0, left: 0 };
      this.#looks.set(rib, state);
      const { used, spare } = rib.rows;
      // What was left the last time, below a row in use, is there still.
      const isSpare = spare - state.left >= Math.max(WORTHWHILE_ROWS, used);
      state.seen = isSpare ? state.seen + 1 : 0;
      state.left = Math.min(state.left, spare);
      if (state.seen < PATIENCE || !rib.idle) continue;
      rib.compact();
      state.seen = 0;
      state.left = rib.rows.spare;
      compacted = true;
    }
    if (compacted) this.#parts.onCompacted();
  }
}
