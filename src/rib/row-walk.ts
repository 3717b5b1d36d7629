// Walks over the rows of one peer, or of all, and over the prefixes of a table, that can stop and go on, so that a peer with
// a full table does not hold up the others when it leaves or when its policy changes.

import type { FamilyRib } from './family-rib.ts';
import type { RibPeer } from './rib-peer.ts';

/** The clock is looked at once in so many rows or prefixes passed over; a visited one counts for many. */
const PASSES_PER_CLOCK = 1 << 16;
const VISIT_COST = 256;

/** Work that is done in slices: `run` returns true while some is left. */
export interface ResumableWork {
  run(expired: () => boolean): boolean;
}

export class RowWalk implements ResumableWork {
  readonly #rib: FamilyRib;
  readonly #peerId: number | undefined;
  readonly #visit: (row: number) => void;
  readonly #done: (() => void) | undefined;
  #row = 1;

  /** Over the rows of one peer or of all. `visit` may remove the row it is given; `done` is called at the end. */
  constructor(rib: FamilyRib, peer: RibPeer | undefined, visit: (row: number) => void, done?: () => void) {
    this.#rib = rib;
    this.#peerId = peer?.id;
    this.#visit = visit;
    this.#done = done;
  }

  run(expired: () => boolean): boolean {
    const { paths } = this.#rib;
    let budget = PASSES_PER_CLOCK;
    while (this.#row < paths.limit) {
      const row = this.#row++;
      budget--;
      const wanted = this.#peerId === undefined || paths.peerId(row) === this.#peerId;
      if (wanted && paths.prefixId(row) !== 0) {
        this.#visit(row);
        budget -= VISIT_COST;
      }
      if (budget > 0) continue;
      if (expired()) return true;
      budget = PASSES_PER_CLOCK;
    }
    this.#done?.();
    return false;
  }
}

export class PrefixWalk implements ResumableWork {
  readonly #rib: FamilyRib;
  readonly #visit: (prefixId: number) => void;
  readonly #visitCost: number;
  #prefixId = 1;

  /** Over the prefixes that have a path; `visitCost`: how many that are passed over one that is visited counts for. */
  constructor(rib: FamilyRib, visit: (prefixId: number) => void, visitCost = VISIT_COST) {
    this.#rib = rib;
    this.#visit = visit;
    this.#visitCost = visitCost;
  }

  /** From the first prefix on again. */
  restart(): void {
    this.#prefixId = 1;
  }

  run(expired: () => boolean): boolean {
    const { paths, prefixes } = this.#rib;
    let budget = PASSES_PER_CLOCK;
    while (this.#prefixId < prefixes.limit) {
      const prefixId = this.#prefixId++;
      budget--;
      if (prefixes.inUse(prefixId) && paths.first(prefixId) !== 0) {
        this.#visit(prefixId);
        budget -= this.#visitCost;
      }
      if (budget > 0) continue;
      if (expired()) return true;
      budget = PASSES_PER_CLOCK;
    }
    return false;
  }
}
