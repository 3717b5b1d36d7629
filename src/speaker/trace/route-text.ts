// A route as a line of the log names it: 1.6 says where it leads, 2.x which of whose routes it is and of what kind.

import { formatAddress, isUnspecified } from '../../lib/ip.ts';
import type { Dialect } from '../../policy/lexer.ts';
import type { FilterLinks } from '../../policy/route-facts.ts';
import { ATTR_FLAG } from '../../rib/attr-store.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import { ordinalOf } from '../local-routes.ts';

const DESTINATIONS = {
  unicast: 'unicast',
  blackhole: 'blackhole',
  unreachable: 'unreachable',
  prohibit: 'prohibited',
} as const;

/** Of the row as it stands; as it came, where it is not accepted. */
export function routeText(
  rib: FamilyRib,
  row: number,
  dialect: Dialect,
  ways: Pick<FilterLinks, 'linkOf' | 'gatewayOf'>,
): string {
  const { paths, prefixes, shared } = rib;
  const { attrs, nextHops, peers } = shared;
  const attr = paths.attrPost(row) || paths.attrIn(row);
  const peer = peers.get(paths.peerId(row));
  const prefix = prefixes.format(paths.prefixId(row));
  const extras = attrs.extrasTable.get(attrs.extras[attr]!);
  const nextHopId = attrs.nextHop[attr]!;
  const settled = (attrs.flags[attr]! & ATTR_FLAG.settled) !== 0;
  const isReachable = settled || nextHops.reachable[nextHopId] === 1;
  const kind = isReachable ? DESTINATIONS[extras.destination] : DESTINATIONS.unreachable;
  if (dialect === '2.x') {
    const pathId = peer.source === 'local' ? ordinalOf(paths.pathId(row)) : paths.pathId(row);
    return `${prefix} ${pathId}L ${peer.id}G ${kind}`;
  }
  if (kind !== 'unicast') return `${prefix} ${kind}`;
  const { address: told, fallback } = nextHops.get(nextHopId);
  const address = extras.gateway ?? (fallback && ways.gatewayOf(nextHopId)) ?? told;
  const link = extras.interface ?? ways.linkOf(nextHopId)?.name;
  const via = isUnspecified(address) ? undefined : `via ${formatAddress(address)}`;
  const on = link && (via === undefined ? `dev ${link}` : `on ${link}`);
  return [prefix, via, on].filter((part) => part).join(' ');
}

/** The best row of a prefix, or 0: also where it is gone, and the decision has yet to find out. */
export function livingBest({ locRib, paths }: FamilyRib, prefixId: number): number {
  const row = locRib.bestRow(prefixId);
  return row !== 0 && paths.prefixId(row) === prefixId && paths.attrPost(row) !== 0 ? row : 0;
}
