// Who brings routes of other tables into one: a number for each, which its rows carry.

import type { FamilyRib } from './family-rib.ts';
import { MAX_FEED } from './path-store.ts';

export interface Feed {
  /** The table that its routes come from. */
  readonly source: FamilyRib;
  /** The row there that a row here stands for, or 0. */
  originOf(row: number): number;
  /** Looks again at a prefix of the table that is fed: something that stood in the way is gone. */
  review(prefixId: number): void;
  /** A row of the table that is fed is its own from now on: another process has brought it. */
  adopt(row: number): void;
}

/** Where a row is at home as far as pipes hide it: the row itself unless an opaque pipe has brought it. */
export function unveiled(rib: FamilyRib, row: number): { readonly rib: FamilyRib; readonly row: number } {
  const { attrs } = rib.shared;
  let at = { rib, row };
  for (;;) {
    const attr = at.rib.paths.attrPost(at.row);
    if (attrs.extrasTable.get(attrs.extras[attr]!).origin !== 'pipe') return at;
    const feed = at.rib.feeds.get(at.rib.paths.feed(at.row));
    const before = feed?.originOf(at.row) ?? 0;
    // What brought it takes it back next.
    if (feed === undefined || before === 0) return at;
    at = { rib: feed.source, row: before };
  }
}

export class Feeds {
  readonly #byId: (Feed | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];

  /** A number for a feed, 1 or more. Throws RangeError where there are too many. */
  add(feed: Feed): number {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    if (id > MAX_FEED) throw new RangeError(`more than ${MAX_FEED} pipes into one table`);
    this.#byId[id] = feed;
    return id;
  }

  /** Only when no row carries the number any more. */
  remove(id: number): void {
    this.#byId[id] = undefined;
    this.#freeIds.push(id);
  }

  get(id: number): Feed | undefined {
    return this.#byId[id];
  }

  *others(id: number): Iterable<Feed> {
    for (const [other, feed] of this.#byId.entries()) if (other !== id && feed !== undefined) yield feed;
  }
}
