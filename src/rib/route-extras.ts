// What a route has beside its path attributes: the preference between protocols, where a route that is not BGP's leads,
// kernel attributes, and what filters set of their own. Equal bundles are interned to one id, which is part of an
// attribute set's identity (attr-store.ts), so it travels from import to decision, kernel and views with the set, and
// can never get onto the wire. Id 0 is a BGP route as it came. What values mean is the filter language's affair.

import { growUint16 } from '../lib/columns.ts';

/** Which kind of protocol a route comes from. */
export type RouteOrigin = 'bgp' | 'static' | 'device' | 'kernel' | 'pipe';

/** unicast: through the next hop or an interface; the others are answers instead of a way. */
export type RouteDestination = 'unicast' | 'blackhole' | 'unreachable' | 'prohibit';

/** A value that the RIB keeps and never looks into; objects are immutable plain data. */
export type ExtraValue = number | boolean | string | { readonly kind: string };

export interface RouteExtras {
  readonly origin: RouteOrigin;
  /** The protocol instance's name; undefined = the peer's. */
  readonly protocol: string | undefined;
  /** Compared before everything else; the higher wins. 0 to 65535. */
  readonly preference: number;
  readonly destination: RouteDestination;
  /** The immediate gateway, where the next hop shall not be followed: 4 or 16 octets. */
  readonly gateway: Uint8Array | undefined;
  /** That of the gateway; without one the route leads straight to it. */
  readonly interface: string | undefined;
  readonly onlink: boolean;
  readonly weight: number;
  /** RFC-less scope of the filter language: 4 = everywhere. */
  readonly scope: number;
  /** Who is said to have sent it, where a filter said so. */
  readonly from: Uint8Array | undefined;
  /** Bits of EXPLICIT. */
  readonly explicit: number;
  /** Lists that a filter has emptied: there for the next filter, but not on the wire (RFC 7606 §7.8). */
  readonly hollow: number;
  /** Attributes by name, such as krt_metric. */
  readonly values: ReadonlyMap<string, ExtraValue>;
}

/**
 * What an export filter set itself, so that the protocol's own rules leave it alone; an import filter, the MED of an own
 * route alone.
 */
export const EXPLICIT = { nextHop: 1, med: 2 } as const;

/** Preferences of BIRD's protocols. */
export const DEFAULT_PREFERENCE: Readonly<Record<RouteOrigin, number>> = {
  device: 240,
  static: 200,
  bgp: 100,
  kernel: 10,
  // Of BIRD 1.6, where a pipe hides where its routes come from.
  pipe: 70,
};

/** SCOPE_UNIVERSE */
const EVERYWHERE = 4;

/** A route of this origin as it comes. */
export function plainExtras(origin: RouteOrigin): RouteExtras {
  return {
    origin,
    protocol: undefined,
    preference: DEFAULT_PREFERENCE[origin],
    destination: 'unicast',
    gateway: undefined,
    interface: undefined,
    onlink: false,
    weight: 1,
    scope: EVERYWHERE,
    from: undefined,
    explicit: 0,
    hollow: 0,
    values: NO_VALUES,
  };
}

export const NO_VALUES: ReadonlyMap<string, ExtraValue> = new Map();
/** The id of a BGP route as it came. */
export const NO_EXTRAS = 0;

const INITIAL_IDS = 16;

/** Bundles by id, reference-counted. Id 0 needs no references. */
export class ExtrasTable {
  readonly #byId: (RouteExtras | undefined)[] = [plainExtras('bgp')];
  readonly #keys: string[] = [''];
  readonly #byKey = new Map<string, number>();
  readonly #refs: number[] = [0];
  readonly #freeIds: number[] = [];
  /** By id; decision reads it. */
  preference = new Uint16Array(INITIAL_IDS).fill(DEFAULT_PREFERENCE.bgp);

  /** Bundles in use with another preference than BGP's: where there is none, all preferences are equal. */
  preferences = 0;

  /** Bundles in use, id 0 aside. */
  get size(): number {
    return this.#byKey.size;
  }

  get(id: number): RouteExtras {
    const extras = this.#byId[id];
    if (extras === undefined) throw new RangeError(`route extras ${id} do not exist`);
    return extras;
  }

  /** The id of a bundle, held once for the caller, who must `release` it. */
  intern(extras: RouteExtras): number {
    const key = keyOf(extras);
    if (key === PLAIN_BGP) return NO_EXTRAS;
    let id = this.#byKey.get(key);
    if (id === undefined) {
      id = this.#freeIds.pop() ?? this.#byId.length;
      this.#byKey.set(key, id);
      this.#byId[id] = extras;
      this.#keys[id] = key;
      this.#refs[id] = 0;
      this.preference = growUint16(this.preference, id + 1);
      this.preference[id] = extras.preference;
      if (extras.preference !== DEFAULT_PREFERENCE.bgp) this.preferences++;
    }
    this.hold(id);
    return id;
  }

  hold(id: number): void {
    if (id !== NO_EXTRAS) this.#refs[id] = this.#refs[id]! + 1;
  }

  release(id: number): void {
    if (id === NO_EXTRAS) return;
    const refs = this.#refs[id]! - 1;
    this.#refs[id] = refs;
    if (refs > 0) return;
    this.#byKey.delete(this.#keys[id]!);
    if (this.preference[id] !== DEFAULT_PREFERENCE.bgp) this.preferences--;
    this.#byId[id] = undefined;
    this.#freeIds.push(id);
  }
}

/** Whether the way is known without following the next hop. */
export function needsNoNextHop(extras: RouteExtras): boolean {
  const { destination, gateway, interface: link } = extras;
  return destination !== 'unicast' || gateway !== undefined || link !== undefined;
}

function keyOf(extras: RouteExtras): string {
  const { values } = extras;
  const head = [
    extras.origin,
    extras.protocol ?? '',
    extras.preference,
    extras.destination,
    extras.gateway?.join('.') ?? '',
    extras.interface ?? '',
    extras.onlink ? 1 : 0,
    extras.weight,
    extras.scope,
    extras.from?.join('.') ?? '',
    extras.explicit,
    extras.hollow,
  ].join('|');
  if (values.size === 0) return head;
  const texts = [...values].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${head}|${texts.sort().join('|')}`;
}

const PLAIN_BGP = keyOf(plainExtras('bgp'));
