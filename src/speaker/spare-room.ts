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
  readonly rib: Pick<Rib, 'rows' | 'idle' | 'compact'>;
  /** After tables were compacted; what they let go can be collected. */
  readonly onCompacted: () => void;
}

export class SpareRoom {
  readonly #parts: SpareRoomParts;
  #timer: Timer;
  /** Looks in a row that found the room spare. */
  #seen = 0;
  /** What was left the last time, below a row in use: it is there still. */
  #left = 0;

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
    const { rib, onCompacted } = this.#parts;
    const { used, spare } = rib.rows;
    const isSpare = spare - this.#left >= Math.max(WORTHWHILE_ROWS, used);
    this.#seen = isSpare ? this.#seen + 1 : 0;
    this.#left = Math.min(this.#left, spare);
    if (this.#seen < PATIENCE || !rib.idle) return;
    rib.compact();
    this.#seen = 0;
    this.#left = rib.rows.spare;
    onCompacted();
  }
}
