// What a group advertises: its Adj-RIB-Out, the rules and the policy that lead to it, and one prefix's computation. When
// it is computed, and what becomes of the difference, is update-group.ts's affair.

import { type AdjRibOut, MultiPathOut, type PathOut, SinglePathOut } from './adj-rib-out.ts';
import type { ChangeBatch } from './change-batch.ts';
import { WITHHELD, type WithheldCause } from './distribution.ts';
import { ExportFilter } from './export-filter.ts';
import { type ExportGate, exportGate } from './export-limit.ts';
import type { ExportOptions } from './export-options.ts';
import { computeMultiPath, computeSinglePath, type MemberSet } from './export-prefix.ts';
import type { FamilyRib } from './family-rib.ts';
import { ExportRewriter } from './rewrite.ts';

export class Advertiser {
  readonly rewriter: ExportRewriter;
  readonly filter: ExportGate | undefined;
  readonly evaluatesAll: boolean;
  /** Means nothing; loads whose result nobody gets may be left out. */
  touched = 0;
  readonly #rib: FamilyRib;
  readonly #single: SinglePathOut | undefined;
  readonly #multi: MultiPathOut | undefined;
  readonly #limit: number;
  // What `judge` was asked last, of the run under way; set 0 = nothing.
  #judgedAttr = 0;
  #judgedFrom = 0;
  #verdict: WithheldCause = WITHHELD.none;

  constructor(rib: FamilyRib, options: ExportOptions) {
    const { attrs, peers } = rib.shared;
    const { addPath, policy, limit } = options;
    this.evaluatesAll = options.evaluateAllFor !== undefined;
    this.#rib = rib;
    this.rewriter = new ExportRewriter(options, attrs, peers);
    this.#limit = typeof addPath === 'number' ? addPath : Number.MAX_SAFE_INTEGER;
    if (addPath === 'none') this.#single = new SinglePathOut(attrs, rib.prefixes);
    else this.#multi = new MultiPathOut(attrs, rib.prefixes);
    const filter = typeof policy === 'string' ? undefined : new ExportFilter(rib, policy, this.rewriter);
    this.filter = exportGate(limit, this.adjRibOut, filter);
  }

  get adjRibOut(): AdjRibOut {
    return (this.#single ?? this.#multi)!;
  }

  /** A prefix has at most one route, without an identifier. */
  get isSinglePath(): boolean {
    return this.#single !== undefined;
  }

  /** Touches what computing these entries of the change log will read, so that cache misses overlap. */
  warm(from: number, to: number): void {
    const { changes, locRib } = this.#rib;
    let touched = 0;
    for (let at = from; at < to; at++) {
      const prefixId = changes.at(at);
      touched ^= locRib.bestAttr(prefixId);
      if (this.#single !== undefined) touched ^= this.#single.attr(prefixId);
    }
    this.touched = touched;
  }

  /** Brings one prefix of the Adj-RIB-Out up to date; the difference goes to the batch. */
  compute(prefixId: number, members: MemberSet, batch: ChangeBatch): void {
    if (this.#single !== undefined)
      computeSinglePath(this.#rib, prefixId, this, this.#single, members, batch);
    else computeMultiPath(this.#rib, prefixId, this.#limit, this, this.#multi!, members, batch);
  }

  /**
   * As the rewriter judges. Prefixes that come together mostly have one set, so the last verdict stands until `settle`: as
   * long as no decision runs in between, the Loc-RIB holds the set.
   */
  judge(attr: number, from: number): WithheldCause {
    if (attr !== this.#judgedAttr || from !== this.#judgedFrom) {
      this.#verdict = this.rewriter.judge(attr, from);
      this.#judgedAttr = attr;
      this.#judgedFrom = from;
    }
    return this.#verdict;
  }

  /** Enters what members have been sent of a prefix, in an Adj-RIB-Out that has nothing of it. */
  restore(prefixId: number, paths: readonly PathOut[]): void {
    const [only] = paths;
    if (this.#multi !== undefined) this.#multi.set(prefixId, paths);
    else if (only !== undefined) this.#single?.set(prefixId, only.attr, only.from);
  }

  /** What was computed is in the Adj-RIB-Out; what only served the computation may go. */
  settle(): void {
    this.#judgedAttr = 0;
    this.filter?.settle();
  }
}
