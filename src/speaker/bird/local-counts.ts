// How many routes a protocol that is no peer has: static routes, what was learned from the kernel and its interfaces,
// and what the kernel was given. Counted when somebody asks, over those routes alone.

import { formatPrefix, type IpVersion, parsePrefix } from '../../lib/ip.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { ChannelRoutes } from '../api/protocols.ts';
import { familyOf, LOCAL_ORIGIN, type LocalOrigin, prefixWords } from '../local-routes.ts';
import type { TableRoom } from '../table-room.ts';
import type { DeclaredProtocol } from './declared.ts';

export function localCounts(
  { name }: DeclaredProtocol,
  origin: LocalOrigin,
  version: IpVersion,
  room: TableRoom,
): ChannelRoutes {
  const family = room.place.families.find((each) => each.family.version === version);
  if (family === undefined) return { imported: 0, filtered: undefined, exported: 0, preferred: 0 };
  let imported = 0;
  let preferred = 0;
  for (const text of prefixesOf(room, name, origin)) {
    const place = rowOf(room, family, text, origin);
    if (place === undefined || family.paths.attrPost(place.row) === 0) continue;
    imported++;
    if (family.locRib.bestRow(place.prefixId) === place.row) preferred++;
  }
  const exported = origin === 'kernel' ? installed(room, family) : 0;
  return { imported, filtered: undefined, exported, preferred };
}

function* prefixesOf(
  { networks, kernel }: TableRoom,
  protocol: string,
  origin: LocalOrigin,
): Iterable<string> {
  if (origin === 'network') {
    for (const prefix of networks.prefixes()) {
      if ((networks.get(prefix)?.protocol ?? protocol) === protocol) yield prefix;
    }
    return;
  }
  for (const route of kernel?.learned ?? []) {
    const source = route.source === 'static' ? 'kernel' : route.source;
    if (source === origin) yield formatPrefix(route.prefix);
  }
}

function rowOf(
  { place }: TableRoom,
  family: FamilyRib,
  text: string,
  origin: LocalOrigin,
): { prefixId: number; row: number } | undefined {
  const prefix = parsePrefix(text);
  if (prefix === undefined || familyOf(prefix) !== family.family) return undefined;
  const prefixId = family.prefixes.find(prefixWords(prefix), 0, prefix.length);
  if (prefixId === 0) return undefined;
  for (const each of origin === 'kernel' ? KERNEL_ORIGINS : [LOCAL_ORIGIN[origin]]) {
    const row = family.paths.find(prefixId, place.local.id, each);
    if (row !== 0) return { prefixId, row };
  }
  return undefined;
}

const KERNEL_ORIGINS: readonly number[] = [LOCAL_ORIGIN.kernel, LOCAL_ORIGIN.static];

function installed({ kernel }: TableRoom, family: FamilyRib): number {
  let count = 0;
  for (const _prefixId of kernel?.fib?.prefixes(family.family.id) ?? []) count++;
  return count;
}
