// Interned next hops. An attribute set names its next hop by id, and what tracking learned of the next hop stands
// in columns that the decision reads: reachable or not, and the interior cost. How a next hop is resolved is
// fib/next-hop-resolver's affair; the speaker carries its answers here.

import { growUint8, growUint32 } from '../lib/columns.ts';
import { formatAddress, isLinkLocal, isUnspecified } from '../lib/ip.ts';

/**
 * Where traffic goes: as the global address resolves; to the link-local one, where there are two; or to the address on the
 * link that `zone` names, whatever the kernel has.
 */
const LEADS = ['global', 'link-local', 'onlink'] as const;
export type NextHopLead = (typeof LEADS)[number];

export interface NextHop {
  readonly id: number;
  /** 4 or 16 octets; the global address where there are two. */
  readonly address: Uint8Array;
  /** The link-local address that came with it (RFC 2545 §3). */
  readonly linkLocal: Uint8Array | undefined;
  /** Interface of the link-local address, or of what is on the link. */
  readonly zone: string | undefined;
  readonly lead: NextHopLead;
  /** Of the peer that announced it: leads there where `address` is on no link. */
  readonly fallback: Uint8Array | undefined;
  /** In whose view of the kernel it is looked up; 0 = the main table's. */
  readonly domain: number;
  /** Octets as on the wire: 4, 16 or 32. */
  readonly wire: Uint8Array;
}

/** What octets alone do not say. */
type Meaning = Pick<NextHop, 'zone' | 'domain' | 'lead' | 'fallback'>;

export interface NextHopEvents {
  /** A next hop is used for the first time; answer through `setState`, at once or later. */
  onAdded(nextHop: NextHop): void;
  onRemoved(nextHop: NextHop): void;
}

/** Nobody tells one: behind all that are known. */
export const UNKNOWN_METRIC = 0xffff_ffff;

/** Where next hops are looked up unless something else is said. */
export const MAIN_DOMAIN = 0;

export class NextHopTable {
  readonly #byKey = new Map<string, NextHop>();
  readonly #byId: (NextHop | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  #refs = new Uint32Array(256);
  /** 1 where traffic can be sent; a next hop nobody tracks counts as reachable. */
  reachable = new Uint8Array(256);
  /** Interior cost; meaningful where reachable. */
  metric = new Uint32Array(256);
  /** By domain. */
  readonly #events: (NextHopEvents | undefined)[] = [];
  #last: NextHop | undefined;

  /** Tells `events` of every next hop of a domain from now on, and of those there are. */
  track(events: NextHopEvents, domain = MAIN_DOMAIN): void {
    this.#events[domain] = events;
    for (const nextHop of this.#byKey.values()) if (nextHop.domain === domain) events.onAdded(nextHop);
  }

  /** Nobody follows the domain's next hops any more: all count as reachable. */
  untrack(domain = MAIN_DOMAIN): void {
    this.#events[domain] = undefined;
    for (const nextHop of this.#byKey.values())
      if (nextHop.domain === domain) this.setState(nextHop.id, true, 0);
  }

  /** The id for 4, 16 or 32 octets, held once for the caller, who must `release` it; `fallback` is kept as it is. */
  intern(
    bytes: Uint8Array,
    length: number,
    zone: string | undefined,
    domain = MAIN_DOMAIN,
    lead: NextHopLead = 'global',
    fallback?: Uint8Array,
  ): number {
    const last = this.#last;
    if (
      last !== undefined &&
      last.zone === zone &&
      last.domain === domain &&
      last.lead === lead &&
      last.fallback === fallback &&
      sameOctets(last.wire, bytes, length)
    ) {
      this.hold(last.id);
      return last.id;
    }
    const key = keyOf(bytes, length, { zone, domain, lead, fallback });
    const known =
      this.#byKey.get(key) ?? this.#add(key, bytes.slice(0, length), { zone, domain, lead, fallback });
    this.#last = known;
    this.hold(known.id);
    return known.id;
  }

  get(id: number): NextHop {
    const nextHop = this.#byId[id];
    if (nextHop === undefined) throw new RangeError(`next hop ${id} does not exist`);
    return nextHop;
  }

  values(): IterableIterator<NextHop> {
    return this.#byKey.values();
  }

  hold(id: number): void {
    this.#refs[id] = this.#refs[id]! + 1;
  }

  release(id: number): void {
    const refs = this.#refs[id]! - 1;
    this.#refs[id] = refs;
    if (refs === 0) this.#remove(this.get(id));
  }

  /** Returns whether anything changed, and so whether routes through this next hop must be decided again. */
  setState(id: number, reachable: boolean, metric: number): boolean {
    const flag = reachable ? 1 : 0;
    if (this.reachable[id] === flag && this.metric[id] === metric) return false;
    this.reachable[id] = flag;
    this.metric[id] = metric;
    return true;
  }

  format(id: number): string {
    const { address, zone } = this.get(id);
    return formatAddress(address, isLinkLocal(address) ? zone : undefined);
  }

  #add(key: string, wire: Uint8Array, { zone, domain, lead, fallback }: Meaning): NextHop {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    this.reachable = growUint8(this.reachable, id + 1);
    this.metric = growUint32(this.metric, id + 1);
    this.#refs = growUint32(this.#refs, id + 1);
    const linkLocal = wire.length === 32 ? wire.subarray(16) : undefined;
    const first = wire.length === 32 ? wire.subarray(0, 16) : wire;
    // Some speakers send an unspecified global address beside the link-local one.
    const address = linkLocal !== undefined && isUnspecified(first) ? linkLocal : first;
    const nextHop: NextHop = {
      id,
      address,
      linkLocal: linkLocal ?? (isLinkLocal(address) ? address : undefined),
      zone,
      lead,
      fallback,
      domain,
      wire,
    };
    this.#byKey.set(key, nextHop);
    this.#byId[id] = nextHop;
    this.reachable[id] = 1;
    this.metric[id] = 0;
    this.#refs[id] = 0;
    this.#events[domain]?.onAdded(nextHop);
    return nextHop;
  }

  #remove(nextHop: NextHop): void {
    const { wire } = nextHop;
    this.#byKey.delete(keyOf(wire, wire.length, nextHop));
    this.#byId[nextHop.id] = undefined;
    this.#freeIds.push(nextHop.id);
    if (this.#last === nextHop) this.#last = undefined;
    this.#events[nextHop.domain]?.onRemoved(nextHop);
  }
}

/** Octets first: their number tells where the zone begins, so no two next hops have one key. */
function keyOf(bytes: Uint8Array, length: number, { zone, domain, lead, fallback }: Meaning): string {
  let key = String.fromCharCode(length, fallback?.length ?? 0, domain, LEADS.indexOf(lead));
  for (let i = 0; i < length; i++) key += String.fromCharCode(bytes[i]!);
  if (fallback !== undefined) key += String.fromCharCode(...fallback);
  return zone === undefined ? key : `${key}%${zone}`;
}

function sameOctets(known: Uint8Array, bytes: Uint8Array, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[i]) return false;
  return true;
}
