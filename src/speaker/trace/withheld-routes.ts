// Best routes that a peer is not told of, as lines of the log: refused by the export filter, or by the protocol itself.
// They are judged once more for that, when they are chosen, and all of them when the session begins.

import { WITHHELD } from '../../rib/distribution.ts';
import { ExportFilter } from '../../rib/export-filter.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { Rib } from '../../rib/rib.ts';
import { PrefixWalk } from '../../rib/row-walk.ts';
import type { UpdateGroup } from '../../rib/update-group.ts';
import type { EstablishedPeer } from '../established-peer.ts';
import { livingBest } from './route-text.ts';
import type { RouteWords } from './route-tracer.ts';

/** Follows the tables of one session until it is closed. */
export class WithheldRoutes {
  readonly #peerId: number;
  readonly #owner: string;
  readonly #words: RouteWords;
  readonly #unlisten: readonly (() => void)[];
  #closed = false;

  /** `begins`: the session has only come up, and everything is judged for it. */
  constructor(rib: Rib, { session, ribPeer }: EstablishedPeer, words: RouteWords, begins: boolean) {
    this.#peerId = ribPeer.id;
    this.#owner = ribPeer.name;
    this.#words = words;
    this.#unlisten = session.context.families.map(({ id }) => {
      const table = rib.homeOf(ribPeer, id);
      const look = (prefixId: number): void => {
        const group = rib.groupsOf(ribPeer, id).groupOf(ribPeer.id);
        if (group !== undefined && !this.#closed) this.#look(table, prefixId, group);
      };
      if (begins) rib.addWork(new PrefixWalk(table, look));
      return table.locRib.addListener((prefixId, bestChanged) => {
        if (bestChanged) look(prefixId);
      });
    });
  }

  close(): void {
    this.#closed = true;
    for (const unlisten of this.#unlisten) unlisten();
  }

  #look(table: FamilyRib, prefixId: number, group: UpdateGroup): void {
    const row = livingBest(table, prefixId);
    const why = row === 0 ? undefined : this.#refusal(table, prefixId, row, group);
    if (why === undefined) return;
    this.#words.tell(this.#owner, table, 'filters', `< ${why} ${this.#words.text(table, row)}`);
  }

  #refusal(table: FamilyRib, prefixId: number, row: number, group: UpdateGroup): string | undefined {
    const { paths } = table;
    const from = paths.peerId(row);
    if (from === this.#peerId) return 'rejected by protocol';
    const attr = paths.attrPost(row);
    const { rewriter, options } = group;
    const cause = rewriter.judge(attr, from);
    if (cause === WITHHELD.policy || cause === WITHHELD.noPolicy) return 'filtered out';
    if (cause !== WITHHELD.none) return 'rejected by protocol';
    if (typeof options.policy === 'string') return undefined;
    const filter = new ExportFilter(table, options.policy, rewriter);
    const passes = filter.pass(prefixId, attr, from) !== 0;
    filter.settle();
    return passes ? undefined : 'filtered out';
  }
}
