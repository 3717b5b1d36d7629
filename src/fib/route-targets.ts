// Where routes go, interned: a target is a type, next hops in canonical order, a metric, a preferred source and what few
// routes have, and its id is what the FIB's columns hold. Few targets serve a million routes, so they are objects. Nobody counts who names
// one: when many have come since the last time, those that no column names are forgotten, and their ids used again.

import { optionalBytesEqual } from '../lib/bytes.ts';
import { formatAddress } from '../lib/ip.ts';
import type { AddressBytes } from './kernel-monitor.ts';
import { storedMetric } from './netlink/constants.ts';
import { particularsKey, storedParticulars } from './route-particulars.ts';
import type { KernelNextHop, KernelPath, KernelTarget } from './types.ts';

export interface RouteTargetSpec extends KernelPath {
  /** The configured metric unless given. */
  readonly metric?: number;
}

/** Where routes of a family are put. */
export interface RoutePlace {
  readonly table: number;
  /** Of routes that have none of their own. */
  readonly metric: number;
}

export interface RouteTargetDefaults extends RoutePlace {
  readonly protocol: number;
  /** Of IPv6 routes, where theirs is another place. */
  readonly ipv6?: RoutePlace;
}

/** So many targets at least, and so many for each that was left the last time, before it is worth looking for idle ones. */
const SWEEP_MIN = 1 << 10;
const SWEEP_RATIO = 2;
/** Far above any number of targets; two ids and a bit make one exact number. */
const MAX_TARGETS = 2 ** 25;

export class RouteTargets {
  readonly #defaults: RouteTargetDefaults;
  readonly #places: Readonly<Record<AddressBytes, RoutePlace>>;
  readonly #targets: (KernelTarget | undefined)[] = [undefined];
  readonly #byKey = new Map<string, number>();
  readonly #freeIds: number[] = [];
  /** Ids that mean something else since `takeNew`. */
  #new: number[] = [];
  #sweepAt = SWEEP_MIN;
  /** Answers of `satisfies` by pair of ids. */
  readonly #matches = new Map<number, boolean>();

  constructor(defaults: RouteTargetDefaults) {
    this.#defaults = defaults;
    this.#places = { 4: defaults, 16: defaults.ipv6 ?? defaults };
  }

  placeOf(addressBytes: AddressBytes): RoutePlace {
    return this.#places[addressBytes];
  }

  get protocol(): number {
    return this.#defaults.protocol;
  }

  /** Targets known. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Every id is below this. */
  get limit(): number {
    return this.#targets.length;
  }

  /** There may be many that nobody names any more. */
  get wantsSweep(): boolean {
    return this.size >= this.#sweepAt;
  }

  /** Forgets every target that is not named; `named[id]` is 1 for those that are. */
  sweep(named: Uint8Array): void {
    for (const [key, id] of this.#byKey) {
      if (named[id] === 1) continue;
      this.#byKey.delete(key);
      this.#targets[id] = undefined;
      this.#freeIds.push(id);
    }
    this.#new = this.#new.filter((id) => named[id] === 1);
    this.#matches.clear();
    this.#sweepAt = Math.max(SWEEP_MIN, SWEEP_RATIO * this.size);
  }

  /** Visits the targets that were interned since the last call. */
  takeNew(visit: (id: number, target: KernelTarget) => void): void {
    if (this.#new.length === 0) return;
    for (const id of this.#new) visit(id, this.get(id));
    this.#new = [];
  }

  /** The id (1 or more) of a target for routes with addresses of so many octets; equal targets have equal ids, whatever
   *  the order of their next hops. */
  intern(addressBytes: AddressBytes, spec: RouteTargetSpec): number {
    const place = this.#places[addressBytes];
    const nextHops = spec.nextHops.length > 1 ? [...spec.nextHops].sort(compareHops) : spec.nextHops;
    const metric = spec.metric ?? place.metric;
    const source = spec.prefSource === undefined ? '' : formatAddress(spec.prefSource);
    const particulars = storedParticulars(spec, addressBytes);
    const key = `${spec.type} ${place.table} ${metric} ${source} ${nextHops.map(hopKey).join(' ')}${particularsKey(particulars)}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const id = this.#freeIds.pop() ?? this.#targets.length;
    this.#byKey.set(key, id);
    this.#targets[id] = {
      type: spec.type,
      nextHops,
      metric,
      table: place.table,
      protocol: this.#defaults.protocol,
      ...(spec.prefSource === undefined ? {} : { prefSource: spec.prefSource }),
      ...particulars,
    };
    this.#new.push(id);
    return id;
  }

  /** Throws where `id` is none of this table's. */
  get(id: number): KernelTarget {
    const target = this.#targets[id];
    if (target === undefined) throw new Error(`route target ${id} does not exist`);
    return target;
  }

  /** The metric under which the kernel keeps a route to this target. */
  metricOf(id: number, addressBytes: 4 | 16): number {
    return storedMetric(addressBytes, this.get(id).metric);
  }

  /** Interfaces of a target, undefined for one that the kernel is to find; none for id 0. */
  linksOf(id: number): readonly (number | undefined)[] {
    return this.#targets[id]?.nextHops.map(({ ifindex }) => ifindex) ?? [];
  }

  /** Some target leads through this interface. Targets without one may lead anywhere. */
  usesLink(ifindex: number): boolean {
    return this.#targets.some((target) =>
      target?.nextHops.some((hop) => hop.ifindex === undefined || hop.ifindex === ifindex),
    );
  }

  /** Is a route that the kernel shows as `actual` what was asked for with `desired`? The kernel fills in the
   *  interface where none was given. */
  satisfies(desired: number, actual: number, addressBytes: 4 | 16): boolean {
    if (desired === actual) return true;
    const key = (desired * MAX_TARGETS + actual) * 2 + (addressBytes === 4 ? 0 : 1);
    let answer = this.#matches.get(key);
    if (answer === undefined) {
      answer = sameRoute(this.get(desired), this.get(actual), addressBytes);
      this.#matches.set(key, answer);
    }
    return answer;
  }
}

function sameRoute(desired: KernelTarget, actual: KernelTarget, addressBytes: 4 | 16): boolean {
  if (desired.type !== actual.type) return false;
  if (storedMetric(addressBytes, desired.metric) !== storedMetric(addressBytes, actual.metric)) return false;
  if (!optionalBytesEqual(desired.prefSource, actual.prefSource)) return false;
  if (particularsKey(desired) !== particularsKey(actual)) return false;
  if (desired.nextHops.length !== actual.nextHops.length) return false;
  const left = [...actual.nextHops];
  const single = left.length === 1;
  return desired.nextHops.every((hop) => {
    const at = left.findIndex((other) => sameHop(hop, other, single));
    if (at < 0) return false;
    left.splice(at, 1);
    return true;
  });
}

function sameHop(desired: KernelNextHop, actual: KernelNextHop, single: boolean): boolean {
  return (
    optionalBytesEqual(desired.gateway, actual.gateway) &&
    (desired.ifindex === undefined || desired.ifindex === actual.ifindex) &&
    (desired.onlink ?? false) === (actual.onlink ?? false) &&
    // The weight of an only next hop means nothing and is not stored.
    (single || (desired.weight ?? 1) === (actual.weight ?? 1))
  );
}

function hopKey(hop: KernelNextHop): string {
  const gateway = hop.gateway === undefined ? '' : formatAddress(hop.gateway);
  return `${gateway},${hop.ifindex ?? ''},${hop.onlink ? 1 : 0},${hop.weight ?? 1}`;
}

function compareHops(a: KernelNextHop, b: KernelNextHop): number {
  const order = (a.ifindex ?? 0) - (b.ifindex ?? 0);
  if (order !== 0) return order;
  const none = new Uint8Array(0);
  return Buffer.compare(a.gateway ?? none, b.gateway ?? none) || (a.weight ?? 1) - (b.weight ?? 1);
}

/** A target as `ip route` would write it, for people: `via 10.0.0.1 dev eth0`, one string a next hop. */
export function describeHop(hop: KernelNextHop, interfaceName: (ifindex: number) => string): string {
  const parts: string[] = [];
  if (hop.gateway !== undefined) parts.push(`via ${formatAddress(hop.gateway)}`);
  if (hop.ifindex !== undefined) parts.push(`dev ${interfaceName(hop.ifindex)}`);
  if (hop.weight !== undefined && hop.weight !== 1) parts.push(`weight ${hop.weight}`);
  if (hop.onlink) parts.push('onlink');
  return parts.join(' ');
}
