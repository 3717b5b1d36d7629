// One prefix's advertisement for one group: what should be sent, compared with what was. The difference goes to a
// batch and into the Adj-RIB-Out in the same breath. A route equal to the one already advertised is not sent again
// (RFC 4271 §9.2).

import type { MultiPathOut, PathOut, SinglePathOut } from './adj-rib-out.ts';
import type { ChangeBatch } from './change-batch.ts';
import { WITHHELD, type WithheldCause } from './distribution.ts';
import type { ExportGate } from './export-limit.ts';
import type { FamilyRib } from './family-rib.ts';
import type { ExportRewriter } from './rewrite.ts';

/** Members by peer id: only whether a peer is one matters here. */
export type MemberSet = ReadonlyMap<number, unknown>;

export interface ExportRules {
  readonly rewriter: ExportRewriter;
  readonly filter: ExportGate | undefined;
  /** The next route goes where the best one may not: the group has one member. */
  readonly evaluatesAll: boolean;
  /** Whether a best route of the Loc-RIB may be sent. Others are the rewriter's to judge: this remembers. */
  judge(attr: number, from: number): WithheldCause;
}

/** The best path, without a path identifier. */
export function computeSinglePath(
  rib: FamilyRib,
  prefixId: number,
  rules: ExportRules,
  out: SinglePathOut,
  members: MemberSet,
  batch: ChangeBatch,
): void {
  const { locRib } = rib;
  const { rewriter, filter } = rules;
  const best = locRib.bestAttr(prefixId);
  let from = best === 0 ? 0 : locRib.bestPeer(prefixId);
  let attr = best === 0 || rules.judge(best, from) !== WITHHELD.none ? 0 : best;
  if (attr !== 0 && filter !== undefined) attr = filter.pass(prefixId, attr, from);
  if (rules.evaluatesAll && best !== 0 && (attr === 0 || members.has(from))) {
    const next = firstAllowed(rib, prefixId, rules, members);
    attr = next?.attr ?? 0;
    from = next?.from ?? 0;
  }
  const oldAttr = out.attr(prefixId);
  const oldFrom = out.from(prefixId);
  if (attr === oldAttr && (attr === 0 || from === oldFrom)) return;
  if (attr === 0) {
    batch.add(prefixId, 0, 0, oldFrom);
  } else if (oldAttr === 0) {
    batch.add(prefixId, 0, attr, from);
  } else {
    // The member that the route comes from now must lose what it had from another.
    if (from !== oldFrom && members.has(from)) batch.addFor(from, prefixId, 0, 0, from);
    if (!rewriter.sameRendering(oldAttr, oldFrom, attr, from)) batch.add(prefixId, 0, attr, from);
    // The same bytes from another origin: only the former origin does not have them yet.
    else if (from !== oldFrom && members.has(oldFrom)) batch.addFor(oldFrom, prefixId, 0, attr, from);
  }
  // Only now: clearing the entry may let go of the prefix and of the old attributes.
  out.set(prefixId, attr, attr === 0 ? 0 : from);
}

/** The best path that may go to the one member, and is not its own. */
export function firstAllowed(
  { locRib, paths, explainer }: FamilyRib,
  prefixId: number,
  { rewriter, filter }: Pick<ExportRules, 'rewriter' | 'filter'>,
  members: { has(peerId: number): boolean },
): Omit<PathOut, 'pathId'> | undefined {
  const ranked = explainer.rank(paths.first(prefixId), locRib.bestRow(prefixId), Number.MAX_SAFE_INTEGER);
  for (const { row } of ranked) {
    const from = paths.peerId(row);
    const post = paths.attrPost(row);
    if (members.has(from) || rewriter.judge(post, from) !== WITHHELD.none) continue;
    const attr = filter === undefined ? post : filter.pass(prefixId, post, from);
    if (attr !== 0) return { attr, from };
  }
  return undefined;
}

/** The best `limit` paths, each with its own identifier (RFC 7911). */
export function computeMultiPath(
  rib: FamilyRib,
  prefixId: number,
  limit: number,
  { rewriter, filter }: ExportRules,
  out: MultiPathOut,
  members: MemberSet,
  batch: ChangeBatch,
): void {
  const { locRib, paths } = rib;
  const current = locRib.bestRow(prefixId);
  const wanted: PathOut[] = [];
  filter?.begin?.(prefixId);
  for (const { row } of locRib.decision.rank(paths.first(prefixId), current, limit)) {
    const from = paths.peerId(row);
    const post = paths.attrPost(row);
    if (rewriter.judge(post, from) !== WITHHELD.none) continue;
    const attr = filter === undefined ? post : filter.pass(prefixId, post, from);
    if (attr !== 0) wanted.push({ pathId: row, attr, from });
  }
  const old = out.get(prefixId);
  for (const path of old) {
    if (!wanted.some((other) => other.pathId === path.pathId)) {
      batch.add(prefixId, path.pathId, 0, path.from);
    }
  }
  for (const path of wanted) {
    const before = old.find((other) => other.pathId === path.pathId);
    const { pathId, attr, from } = path;
    if (before !== undefined && before.from === from) {
      if (rewriter.sameRendering(before.attr, from, attr, from)) continue;
    }
    batch.add(prefixId, pathId, attr, from);
    if (before !== undefined && before.from !== from && members.has(from)) {
      batch.addFor(from, prefixId, pathId, 0, from);
    }
  }
  out.set(prefixId, wanted);
}
