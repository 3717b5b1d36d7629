// Paths as people and programs see them: one RouteView a path row, made on demand from ids and columns.

import { decodeAttributes } from '../../bgp/wire/attribute-values.ts';
import { formatAddress } from '../../lib/ip.ts';
import { DECISION_STEPS } from '../../rib/decision.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import { REJECT, REJECT_SENTENCES, type RejectCause } from '../../rib/import-checks.ts';
import { UNKNOWN_METRIC } from '../../rib/next-hops.ts';
import type { Rib } from '../../rib/rib.ts';
import { isStale } from '../../rib/stale-rows.ts';
import type { AttributesView, RouteView } from '../api.ts';
import { LOCAL_ORIGIN, originOf } from '../local-routes.ts';

/** Octets of a global and a link-local address. */
const NEXT_HOP_PAIR = 32;
const NEXT_HOP_UNREACHABLE = 'next hop is not reachable';

/** Standing of a path among those of its prefix. */
export interface Standing {
  readonly row: number;
  readonly best: boolean;
  readonly multipath: boolean;
  readonly eligible: boolean;
  readonly reason: string;
  /** Decision step at which it lost; 0 = best or not in the race. */
  readonly step: number;
}

/** All paths of a prefix, best first, those that take no part last. */
export function standings(rib: FamilyRib, prefixId: number): Standing[] {
  const { explainer, locRib, paths } = rib;
  const first = paths.first(prefixId);
  const current = locRib.bestRow(prefixId);
  explainer.select(first, current);
  const shared = new Set(explainer.multipath.subarray(0, explainer.multipathCount));
  const ranked = explainer.rank(first, current, Number.MAX_SAFE_INTEGER);
  const result: Standing[] = ranked.map(({ row, step }, place) => ({
    row,
    best: place === 0,
    multipath: shared.size > 1 && shared.has(row),
    eligible: true,
    reason: place === 0 ? bestReason(ranked[1]?.step) : (DECISION_STEPS[step]?.lost ?? ''),
    step,
  }));
  const inRace = new Set(ranked.map(({ row }) => row));
  for (let row = first; row !== 0; row = paths.next(row)) {
    if (inRace.has(row)) continue;
    const cause = paths.reject(row) as RejectCause;
    const reason = cause === 0 ? NEXT_HOP_UNREACHABLE : rejectSentence(rib, row, cause);
    result.push({ row, best: false, multipath: false, eligible: false, reason, step: 0 });
  }
  return result;
}

/** A filter is named. */
function rejectSentence({ shared, paths }: FamilyRib, row: number, cause: RejectCause): string {
  const { policy } = shared.peers.get(paths.peerId(row)).importOptions;
  if (cause !== REJECT.policy || typeof policy === 'string') return REJECT_SENTENCES[cause];
  return `rejected by import filter ${policy.name}`;
}

function bestReason(runnerUpStep: number | undefined): string {
  if (runnerUpStep === undefined) return 'best path: the only one';
  return `best path: decided by ${DECISION_STEPS[runnerUpStep]?.name ?? 'the last step'}`;
}

/** `attr` is the set to show: before or after policy, or as advertised. */
export function routeView(
  rib: Rib,
  family: FamilyRib,
  prefixId: number,
  standing: Standing,
  attr: number,
  pathId: number,
): RouteView {
  const { paths } = family;
  const { row } = standing;
  const peer = rib.peers.get(paths.peerId(row));
  const local = peer.source === 'local';
  const nextHopId = rib.attrs.nextHop[attr]!;
  const reachable = rib.nextHops.reachable[nextHopId] === 1;
  const metric = rib.nextHops.metric[nextHopId]!;
  return {
    family: family.family.name,
    prefix: family.prefixes.format(prefixId),
    pathId,
    peer: local ? localName(paths.pathId(row)) : peer.name,
    peerAddress: local ? undefined : formatAddress(peer.address, peer.zone),
    best: standing.best,
    multipath: standing.multipath,
    eligible: standing.eligible,
    reason: standing.reason,
    stale: isStale(family, peer, row),
    since: paths.since(row),
    nextHop: rib.nextHops.format(nextHopId),
    nextHopReachable: reachable,
    igpMetric: reachable && metric !== UNKNOWN_METRIC ? metric : undefined,
    attributes: attributesView(rib, attr),
  };
}

export function attributesView(rib: Rib, attr: number): AttributesView {
  return decodeAttributes(rib.attrs.copy(attr));
}

/** A next hop as on the wire: the global address where there are two, else what there is. */
export function formatNextHop(wire: Uint8Array): string {
  return formatAddress(wire.length === NEXT_HOP_PAIR ? wire.subarray(0, NEXT_HOP_PAIR / 2) : wire);
}

/** `local` for own networks, else where the pseudo peer's route was learned. */
function localName(pathId: number): string {
  for (const [name, id] of Object.entries(LOCAL_ORIGIN)) {
    if (id === originOf(pathId)) return name === 'network' ? 'local' : name;
  }
  return 'local';
}
