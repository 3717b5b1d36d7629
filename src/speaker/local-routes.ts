// Routes that come from this speaker: configured networks, networks added by API, routes learned from the kernel.
// They enter the RIB as announcements of a pseudo peer, through the same rows as everybody's.

import { type AttributeValues, encodeAttributes } from '../bgp/wire/attribute-values.ts';
import { type Family, IPV4_UNICAST, IPV6_UNICAST } from '../bgp/wire/families.ts';
import { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import { isLinkLocal, type Prefix } from '../lib/ip.ts';
import type { Filter } from '../policy/filter.ts';
import { FilterPolicy } from '../policy/filter-policy.ts';
import { announce, withdraw } from '../rib/adj-rib-in.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import { plainExtras, type RouteExtras, type RouteOrigin } from '../rib/route-extras.ts';
import type { TablePlace } from './table-room.ts';

/** Where local routes come from: the low bits of the path identifiers of the pseudo peer's rows. */
export const LOCAL_ORIGIN = { network: 0, kernel: 1, connected: 2, static: 3 } as const;
export type LocalOrigin = keyof typeof LOCAL_ORIGIN;
const ORIGIN_BITS = 2;
const ORIGIN_MASK = (1 << ORIGIN_BITS) - 1;

/** The path identifier of a local route; `ordinal` tells apart several of one prefix and origin. */
export function localPathId(origin: LocalOrigin, ordinal: number): number {
  return (ordinal << ORIGIN_BITS) | LOCAL_ORIGIN[origin];
}

/** One of LOCAL_ORIGIN. */
export function originOf(pathId: number): number {
  return pathId & ORIGIN_MASK;
}

export function ordinalOf(pathId: number): number {
  return pathId >>> ORIGIN_BITS;
}

/** What a local route is announced with, beside its prefix and path attributes. */
export interface LocalRoute {
  readonly origin: LocalOrigin;
  readonly ordinal: number;
  readonly extras: Partial<RouteExtras>;
  /** There are more gateways than that of `extras`: peers are told none of them. */
  readonly multipath?: boolean;
  /** May change what it has. */
  readonly set?: Filter | undefined;
}

/** As filters and the decision know it. */
const ROUTE_ORIGIN: Readonly<Record<LocalOrigin, RouteOrigin>> = {
  network: 'static',
  kernel: 'kernel',
  connected: 'device',
  // Static in the kernel: to this speaker it is learned like any other.
  static: 'kernel',
};

const UNSPECIFIED_V4 = new Uint8Array(4);
const UNSPECIFIED_V6 = new Uint8Array(16);

export class LocalRoutes {
  readonly #place: TablePlace;
  readonly #nowSeconds: () => number;
  readonly #namesGateways: boolean;

  /** `namesGateways`: internal peers are told the gateway of a route as its NEXT_HOP, as BIRD does, not this speaker. */
  constructor(place: TablePlace, nowSeconds: () => number, namesGateways: boolean) {
    this.#place = place;
    this.#nowSeconds = nowSeconds;
    this.#namesGateways = namesGateways;
  }

  /** Adds or replaces the route of one origin and ordinal. */
  add(prefix: Prefix, values: Partial<AttributeValues>, route: LocalRoute): void {
    const { rib, local, domain } = this.#place;
    const { attrs, nextHops, checks } = rib;
    const { origin, ordinal, extras: more, multipath = false, set } = route;
    const batch = batchOf(prefix, localPathId(origin, ordinal));
    const family = this.#familyOf(batch.family);
    // A table of one family does not learn what the kernel has of the other.
    if (family === undefined) return;
    const unspecified = batch.family === IPV4_UNICAST ? UNSPECIFIED_V4 : UNSPECIFIED_V6;
    const { gateway } = more;
    const named =
      this.#namesGateways && !multipath && gateway?.length === unspecified.length && !isLinkLocal(gateway)
        ? gateway
        : unspecified;
    const nextHop = nextHops.intern(named, named.length, undefined, domain);
    const bytes = encodeAttributes(values);
    const extras = attrs.extrasTable.intern({ ...plainExtras(ROUTE_ORIGIN[origin]), ...more });
    const plain = attrs.intern(bytes, 0, bytes.length, nextHop, extras);
    attrs.extrasTable.release(extras);
    nextHops.release(nextHop);
    const attr = set === undefined ? plain : this.#changed(set, family, prefix, plain);
    const result = checks.evaluate(local, attr);
    announce(family, local, batch, attr, result, this.#nowSeconds());
    // With equal attributes, too: the kernel may have to do something else with the prefix now.
    family.locRib.markDirty(family.prefixes.find(batch.words, 0, prefix.length));
    if (result.attrPost !== 0) attrs.release(result.attrPost);
    attrs.release(attr);
  }

  /** `attr` as the filter leaves it, held in its place; what it does before it fails counts, too. */
  #changed(set: Filter, family: FamilyRib, prefix: Prefix, attr: number): number {
    const { rib, local } = this.#place;
    const { attrs } = rib;
    const { prefixes } = family;
    const prefixId = prefixes.intern(prefixWords(prefix), 0, prefix.length);
    prefixes.hold(prefixId);
    const policy = new FilterPolicy(set, 'import');
    const changed =
      policy.apply(family, prefixId, attr, local, attr) || policy.leave(family, prefixId, attr, local, attr);
    prefixes.release(prefixId);
    attrs.release(attr);
    return changed;
  }

  remove(prefix: Prefix, origin: LocalOrigin, ordinal: number): void {
    const batch = batchOf(prefix, localPathId(origin, ordinal));
    const family = this.#familyOf(batch.family);
    if (family !== undefined) withdraw(family, this.#place.local, batch);
  }

  #familyOf(wanted: Family): FamilyRib | undefined {
    return this.#place.families.find(({ family }) => family === wanted);
  }
}

export function familyOf(prefix: Prefix): Family {
  return prefix.bytes.length === 4 ? IPV4_UNICAST : IPV6_UNICAST;
}

/** The words of a prefix, as tables and batches hold them. */
export function prefixWords(prefix: Prefix): Int32Array {
  const view = new DataView(prefix.bytes.buffer, prefix.bytes.byteOffset, prefix.bytes.length);
  return Int32Array.from({ length: prefix.bytes.length / 4 }, (_, i) => view.getInt32(i * 4));
}

function batchOf(prefix: Prefix, pathId: number): NlriBatch {
  const batch = new NlriBatch(familyOf(prefix), 1);
  batch.words.set(prefixWords(prefix));
  batch.lengths[0] = prefix.length;
  batch.pathIds[0] = pathId;
  batch.count = 1;
  return batch;
}
