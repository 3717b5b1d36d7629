// Everything one routing table holds of one family: prefixes, path rows, the Loc-RIB and the log of its changes. Rooms
// that work on a family take this one value.

import type { Family } from '../bgp/wire/families.ts';
import type { AttrStore } from './attr-store.ts';
import { ChangeLog } from './change-log.ts';
import { Decision, type DecisionOptions } from './decision.ts';
import { Feeds } from './feeds.ts';
import { LocRib } from './loc-rib.ts';
import type { NextHopTable } from './next-hops.ts';
import { PathStore } from './path-store.ts';
import { PrefixTable } from './prefix-table.ts';
import type { PeerTable } from './rib-peer.ts';

export interface SharedTables {
  readonly attrs: AttrStore;
  readonly nextHops: NextHopTable;
  readonly peers: PeerTable;
}

export class FamilyRib {
  readonly family: Family;
  /** Position among the RIB's; of the main table the family's id. */
  readonly index: number;
  /** Who brings routes from other tables. */
  readonly feeds = new Feeds();
  readonly shared: SharedTables;
  readonly prefixes: PrefixTable;
  readonly paths: PathStore;
  readonly changes: ChangeLog;
  readonly locRib: LocRib;
  /** The Loc-RIB's rules with working memory of their own, for whoever looks while the decide stage is at work. */
  explainer: Decision;
  /** Called where a row changes that no decision looks at; undefined where nobody wants to know. */
  onUnchosen: ((prefixId: number) => void) | undefined;

  /** `wakeDecide` is called when a prefix becomes dirty; `rows` is the room of each table at the start. */
  constructor(
    family: Family,
    shared: SharedTables,
    decision: DecisionOptions,
    wakeDecide: () => void,
    rows?: number,
    index = family.id,
  ) {
    this.family = family;
    this.index = index;
    this.shared = shared;
    this.prefixes = new PrefixTable(family, rows);
    this.paths = new PathStore(this.prefixes, rows);
    this.changes = new ChangeLog(this.prefixes);
    this.locRib = new LocRib(this, this.#newDecision(decision), wakeDecide);
    this.explainer = this.#newDecision(decision);
  }

  /** Other rules, from the next decision on. */
  useDecision(options: DecisionOptions): void {
    this.locRib.decision = this.#newDecision(options);
    this.explainer = this.#newDecision(options);
  }

  #newDecision(options: DecisionOptions): Decision {
    return new Decision({ ...this.shared, paths: this.paths }, options);
  }
}
