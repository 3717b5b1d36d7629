// Routes that have flapped as people and programs see them, and what an operator may do about them (RFC 2439).

import type { FamilyRib } from '../../rib/family-rib.ts';
import type { DampedRouteView } from '../api/damping.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { Speaker } from '../speaker.ts';

const MS_PER_SECOND = 1000;

function* chosen(speaker: Speaker, peer: string | undefined): Iterable<PeerHandle> {
  if (peer === undefined) yield* speaker.registry.values();
  else yield speaker.registry.get(peer);
}

/** Throws CommandError for an unknown peer. */
export function* dampedRoutes(speaker: Speaker, peer: string | undefined): Iterable<DampedRouteView> {
  const { clock } = speaker.parts;
  const startOfClock = clock.wallTime() - clock.now();
  for (const { name, damper } of chosen(speaker, peer)) {
    for (const { rib, record, penalty, reuseIn } of damper?.values() ?? []) {
      yield {
        peer: name,
        family: rib.family.name,
        prefix: rib.prefixes.format(record.prefixId),
        pathId: record.pathId,
        suppressed: record.suppressed,
        penalty: Math.round(penalty),
        flaps: record.flaps,
        since: Math.round(startOfClock + record.since),
        reuseIn: Math.ceil(reuseIn / MS_PER_SECOND),
      };
    }
  }
}

/** Returns how many routes were forgotten. Throws CommandError for an unknown peer. */
export function clearDamping(speaker: Speaker, peer: string | undefined, prefix: string | undefined): number {
  const isMeant =
    prefix === undefined
      ? undefined
      : (rib: FamilyRib, prefixId: number): boolean => rib.prefixes.format(prefixId) === prefix;
  let cleared = 0;
  for (const { damper } of chosen(speaker, peer)) cleared += damper?.clear(isMeant) ?? 0;
  return cleared;
}
