// What becomes of the routes that a peer, or this speaker itself, brings into the tables: a line for each that is added,
// removed, ignored or refused, as BIRD writes them. Which route is best is asked of the decision ahead of its turn, so
// that lines stand in the order of what came.

import type { NlriBatch } from '../../bgp/wire/nlri-batch.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import { REJECT } from '../../rib/import-checks.ts';
import type { RibPeer, RouteTracer } from '../../rib/rib-peer.ts';

/** What may be asked for of routes. */
export type RouteFlag = 'routes' | 'filters';

/** What lines are made of. */
export interface RouteWords {
  /** The route of a row: prefix and particulars. */
  text(rib: FamilyRib, row: number): string;
  /** The protocol that a row is of. */
  owner(rib: FamilyRib, row: number): string;
  /** Writes a line for a channel, if it is asked for. */
  tell(owner: string, rib: FamilyRib, flag: RouteFlag, line: string): void;
}

/** A row before something happens to it. */
interface Before {
  readonly row: number;
  readonly attrIn: number;
  readonly attrPost: number;
  readonly owner: string;
  readonly text: string;
  /** How the route is called that goes. */
  readonly removed: 'removed' | 'removed [sole]' | 'removed [replaced]';
}

export class ImportTracer implements RouteTracer {
  readonly #peer: RibPeer;
  readonly #words: RouteWords;

  constructor(peer: RibPeer, words: RouteWords) {
    this.#peer = peer;
    this.#words = words;
  }

  batch(rib: FamilyRib, batch: NlriBatch): () => void {
    const before = Array.from({ length: batch.count }, (_, i) => this.#look(rib, this.#rowOf(rib, batch, i)));
    return () => {
      for (const [i, each] of before.entries()) this.#tell(rib, each, this.#rowOf(rib, batch, i));
    };
  }

  row(rib: FamilyRib, row: number): () => void {
    const { paths } = rib;
    const before = this.#look(rib, row);
    const prefixId = paths.prefixId(row);
    const pathId = paths.pathId(row);
    // Judged as before is no event.
    return () => {
      const after = paths.find(prefixId, this.#peer.id, pathId);
      const isSame = after !== 0 && before !== undefined && paths.attrPost(after) === before.attrPost;
      if (!isSame) this.#tell(rib, before, after);
    };
  }

  #rowOf({ prefixes, paths }: FamilyRib, { words, lengths, pathIds, family }: NlriBatch, i: number): number {
    const prefixId = prefixes.find(words, i * family.words, lengths[i]!);
    return prefixId === 0 ? 0 : paths.find(prefixId, this.#peer.id, pathIds[i]!);
  }

  #look(rib: FamilyRib, row: number): Before | undefined {
    if (row === 0) return undefined;
    const { paths } = rib;
    const [best, next] = this.#best(rib, row);
    const others = next === undefined ? 'removed [sole]' : 'removed [replaced]';
    return {
      row,
      attrIn: paths.attrIn(row),
      attrPost: paths.attrPost(row),
      owner: this.#words.owner(rib, row),
      text: this.#words.text(rib, row),
      removed: best === row ? others : 'removed',
    };
  }

  /** The best rows of a row's prefix as it stands now. */
  #best({ paths, locRib }: FamilyRib, row: number): number[] {
    const prefixId = paths.prefixId(row);
    const ranked = locRib.decision.rank(paths.first(prefixId), locRib.bestRow(prefixId), 2);
    return ranked.map((each) => each.row);
  }

  /** `row`: afterwards, 0 where it is gone. */
  #tell(rib: FamilyRib, before: Before | undefined, row: number): void {
    const { paths } = rib;
    const words = this.#words;
    const wasThere = before !== undefined && before.attrPost !== 0;
    const isThere = row !== 0 && paths.attrPost(row) !== 0;
    if (row !== 0 && !isThere) {
      const { policy, noPolicy } = REJECT;
      const cause = paths.reject(row);
      const why = cause === policy || cause === noPolicy ? 'filtered out' : 'rejected by protocol';
      words.tell(words.owner(rib, row), rib, 'filters', `> ${why} ${words.text(rib, row)}`);
    }
    if (isThere) {
      const isSame =
        wasThere && before.attrIn === paths.attrIn(row) && before.attrPost === paths.attrPost(row);
      const best = this.#best(rib, row)[0] === row ? ' [best]' : '';
      // BIRD says the same of a route that takes the place of one of its protocol.
      const verb = isSame ? 'ignored' : `added${best}`;
      words.tell(words.owner(rib, row), rib, 'routes', `> ${verb} ${words.text(rib, row)}`);
    } else if (wasThere) {
      words.tell(before.owner, rib, 'routes', `> ${before.removed} ${before.text}`);
    }
  }
}
