// One speaker's tables at rest: every count is what a count of the entries gives, every reference has its holder, and
// nothing is kept that nobody names. What leaks or is let go of too early shows here.

import { WITHHELD } from '../rib/distribution.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { Rib } from '../rib/rib.ts';
import type { FamilyCounters } from '../rib/rib-peer.ts';
import { isStale } from '../rib/stale-rows.ts';
import type { UpdateGroup } from '../rib/update-group.ts';
import type { SimNode } from './node.ts';

/** How much a speaker holds; equal states are equally large. */
export interface TableSizes {
  readonly prefixes: number;
  readonly paths: number;
  readonly attributeSets: number;
  readonly nextHops: number;
  readonly peers: number;
  readonly groups: number;
}

export function tableSizes({ speaker: { rib } }: SimNode): TableSizes {
  const sum = (count: (family: FamilyRib) => number) =>
    rib.all.reduce((total, family) => total + count(family), 0);
  return {
    prefixes: sum(({ prefixes }) => prefixes.size),
    paths: sum(({ paths }) => paths.size),
    attributeSets: rib.attrs.size,
    nextHops: [...rib.nextHops.values()].length,
    peers: [...rib.peers.values()].length,
    groups: sum(({ index }) => [...rib.groups[index]!.values()].length),
  };
}

export function brokenTables(node: SimNode): string[] {
  const { rib } = node.speaker;
  return [
    ...rib.all.flatMap((family) => [
      ...brokenLocRib(family),
      ...unnamedPrefixes(node, family),
      ...brokenCounters(rib, family),
    ]),
    ...brokenReferences(rib),
    ...departedPeers(node),
    ...rib.all.flatMap((family) =>
      [...rib.groups[family.index]!.values()].flatMap((group) => brokenAdjRibOut(family, group)),
    ),
  ].map((text) => `${node.name}: ${text}`);
}

function* rowsOf({ paths }: FamilyRib): Iterable<number> {
  for (let row = 1; row < paths.limit; row++) if (paths.prefixId(row) !== 0) yield row;
}

function* idsOf({ prefixes }: FamilyRib): Iterable<number> {
  for (let id = 1; id < prefixes.limit; id++) if (prefixes.inUse(id)) yield id;
}

/** What a fresh decision says is what stands. */
function brokenLocRib(family: FamilyRib): string[] {
  const { locRib, paths, prefixes, explainer } = family;
  const wrong: string[] = [];
  let size = 0;
  for (const id of idsOf(family)) {
    const stands = locRib.bestRow(id);
    const row = explainer.select(paths.first(id), stands);
    const attr = row === 0 ? 0 : paths.attrPost(row);
    if (stands !== 0) size++;
    if (stands !== row || locRib.bestAttr(id) !== attr) {
      wrong.push(`best path of ${prefixes.format(id)} is row ${stands}, should be ${row}`);
    }
  }
  if (size !== locRib.size) wrong.push(`Loc-RIB counts ${locRib.size} prefixes, has ${size}`);
  if (locRib.dirtyCount > 0) wrong.push(`${locRib.dirtyCount} prefixes wait for a decision`);
  return wrong;
}

/** A prefix is kept for its paths or for its kernel route. */
function unnamedPrefixes({ speaker: { kernel } }: SimNode, family: FamilyRib): string[] {
  return [...idsOf(family)]
    .filter((id) => family.paths.first(id) === 0 && kernel?.fib?.isIdle(family.family.id, id) !== false)
    .map((id) => `prefix ${family.prefixes.format(id)} is kept for nothing`);
}

function brokenCounters(rib: Rib, family: FamilyRib): string[] {
  const { paths, locRib } = family;
  const wrong: string[] = [];
  const counted = new Map<number, FamilyCounters>();
  const of = (peer: number) => {
    const counts = counted.get(peer) ?? { received: 0, rejected: 0, best: 0, stale: 0, staleRejected: 0 };
    counted.set(peer, counts);
    return counts;
  };
  for (const row of rowsOf(family)) {
    const counts = of(paths.peerId(row));
    counts.received++;
    if (paths.attrPost(row) === 0) counts.rejected++;
    if (!isStale(family, rib.peers.get(paths.peerId(row)), row)) continue;
    counts.stale++;
    if (paths.attrPost(row) === 0) counts.staleRejected++;
  }
  for (const id of idsOf(family)) if (locRib.bestRow(id) !== 0) of(locRib.bestPeer(id)).best++;
  for (const peer of rib.peers.values()) {
    const is = JSON.stringify(peer.counters[family.index]);
    const should = JSON.stringify(of(peer.id));
    if (is !== should) wrong.push(`counters of ${peer.name} are ${is}, should be ${should}`);
  }
  return wrong;
}

/** Every attribute set is held as often as it is named. */
function brokenReferences(rib: Rib): string[] {
  const { attrs } = rib;
  const named = new Uint32Array(attrs.limit);
  const name = (attr: number | undefined): void => {
    if (attr !== undefined && attr !== 0) named[attr]!++;
  };
  for (const family of rib.all) {
    const { paths, locRib } = family;
    for (const row of rowsOf(family)) {
      name(paths.attrIn(row));
      name(paths.attrPost(row));
    }
    for (const id of idsOf(family)) {
      name(locRib.bestAttr(id));
      for (const { adjRibOut } of rib.groups[family.index]!.values()) {
        adjRibOut.forEach(id, (_pathId, attr) => name(attr));
      }
    }
  }
  const wrong: string[] = [];
  for (let id = 1; id < attrs.limit; id++) {
    if (named[id] !== attrs.references(id)) {
      wrong.push(`attribute set ${id} is held ${attrs.references(id)} times, named ${named[id]} times`);
    }
  }
  return wrong;
}

/** Peers in the tables are those with a session and those that are waited for. */
function departedPeers({ speaker: { rib, registry } }: SimNode): string[] {
  const known = new Set<unknown>([rib.local]);
  for (const { established, restarts } of registry.values()) {
    known.add(established?.ribPeer);
    known.add(restarts.waitingPeer);
  }
  return [...rib.peers.values()]
    .filter((peer) => !known.has(peer))
    .map((peer) => `peer ${peer.name} (${peer.id}) has gone but is kept`);
}

/** Each group's Adj-RIB-Out is what export says of the best paths now, whatever way it came about. */
export function brokenAdjRibOut(family: FamilyRib, group: UpdateGroup): string[] {
  const { locRib, paths, prefixes, explainer } = family;
  const { addPath, evaluateAllFor, policy } = group.options;
  const wrong: string[] = [];
  if (group.size === 0) wrong.push(`group ${group.id} has no members`);
  if (group.pending > 0 || group.lagging().length > 0) wrong.push(`group ${group.id} is not at rest`);
  // A filter may make other attribute sets; its own tests compare those.
  if (typeof policy !== 'string') return wrong;
  const allowed = (attr: number, from: number) => group.rewriter.judge(attr, from) === WITHHELD.none;
  const members = new Set(group.members().map(({ id }) => id));
  for (const id of idsOf(family)) {
    const wanted: string[] = [];
    if (addPath === 'none' && evaluateAllFor !== undefined) {
      for (const { row } of explainer.rank(paths.first(id), locRib.bestRow(id), Number.MAX_SAFE_INTEGER)) {
        const [attr, from] = [paths.attrPost(row), paths.peerId(row)];
        if (wanted.length === 0 && !members.has(from) && allowed(attr, from))
          wanted.push(`0 ${attr} ${from}`);
      }
    } else if (addPath === 'none') {
      const best = locRib.bestAttr(id);
      if (best !== 0 && allowed(best, locRib.bestPeer(id))) wanted.push(`0 ${best} ${locRib.bestPeer(id)}`);
    } else {
      const limit = typeof addPath === 'number' ? addPath : Number.MAX_SAFE_INTEGER;
      for (const { row } of explainer.rank(paths.first(id), locRib.bestRow(id), limit)) {
        const [attr, from] = [paths.attrPost(row), paths.peerId(row)];
        if (allowed(attr, from)) wanted.push(`${row} ${attr} ${from}`);
      }
    }
    const sent: string[] = [];
    group.adjRibOut.forEach(id, (pathId, attr, from) => sent.push(`${pathId} ${attr} ${from}`));
    if (sent.sort().join() !== wanted.sort().join()) {
      wrong.push(`group ${group.id} has sent ${prefixes.format(id)} as ${sent.join()}, not ${wanted.join()}`);
    }
  }
  return wrong;
}
