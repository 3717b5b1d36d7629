// How many routes a protocol that is no peer has: static routes, what was learned from the kernel and its interfaces,
// and what the kernel is given. Counted when somebody asks, over those routes alone.

import { type IpVersion, type Prefix, parsePrefix } from '../../lib/ip.ts';
import type { ChannelRoutes } from '../api/protocols.ts';
import { familyOf, type LocalOrigin, localPathId, prefixWords } from '../local-routes.ts';
import type { TableRoom } from '../table-room.ts';
import type { DeclaredProtocol } from './declared.ts';

export interface LocalCounts {
  readonly routes: ChannelRoutes;
  /** By the import filter. */
  readonly refused: number;
}

export function localCounts(
  { name }: DeclaredProtocol,
  origin: LocalOrigin,
  version: IpVersion,
  room: TableRoom,
): LocalCounts {
  const family = room.place.families.find((each) => each.family.version === version);
  const routes = { imported: 0, filtered: undefined, exported: 0, preferred: 0 };
  if (family === undefined) return { routes, refused: 0 };
  let refused = 0;
  for (const [prefix, pathId] of routesOf(room, name, origin)) {
    if (familyOf(prefix) !== family.family) continue;
    const prefixId = family.prefixes.find(prefixWords(prefix), 0, prefix.length);
    const row = prefixId === 0 ? 0 : family.paths.find(prefixId, room.place.local.id, pathId);
    if (row === 0) continue;
    if (family.paths.attrPost(row) === 0) refused++;
    else routes.imported++;
    if (family.locRib.bestRow(prefixId) === row) routes.preferred++;
  }
  if (origin === 'kernel') routes.exported = room.kernel?.fib?.desired(family.family.id) ?? 0;
  return { routes, refused };
}

/** Of a protocol, as prefix and path identifier; what is no protocol's in particular is everybody's. */
function* routesOf(
  { networks, kernel }: TableRoom,
  protocol: string,
  origin: LocalOrigin,
): Iterable<readonly [Prefix, number]> {
  if (origin === 'network') {
    for (const network of networks.values()) {
      const prefix = parsePrefix(network.prefix);
      if (prefix === undefined || (network.protocol ?? protocol) !== protocol) continue;
      yield [prefix, localPathId('network', network.ordinal ?? 0)];
    }
    return;
  }
  for (const route of kernel?.learned ?? []) {
    const { source, prefix, ordinal } = route;
    const kind = source === 'static' ? 'kernel' : source;
    if (kind !== origin || (kernel?.ownerOf(route) ?? protocol) !== protocol) continue;
    yield [prefix, localPathId(source, ordinal)];
  }
}
