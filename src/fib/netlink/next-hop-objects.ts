// The kernel's next-hop objects that godwit's routes name. A route that names one costs the kernel two thirds of what it
// costs with a next hop of its own. The kernel takes an object away when its link loses its carrier or somebody deletes
// it, and its routes with it; so what is known here may be gone, and is asked for anew then.

import { readFileSync } from 'node:fs';
import { formatAddress } from '../../lib/ip.ts';
import { ERRNO } from '../errno.ts';
import { sameHop } from '../same-hops.ts';
import type { KernelNextHop } from '../types.ts';
import { RTM } from './constants.ts';
import { encodeDumpRequest } from './messages.ts';
import { encodeDelNextHop, encodeNewNextHop, type GatewayHop, type NextHopObject } from './next-hop-codec.ts';

export interface SharedNextHop {
  readonly id: number;
  readonly hop: KernelNextHop;
  /** The kernel does not have it any more, or may not. */
  gone: boolean;
  /** When a route was last written with it, by `NextHopObjects.writes`. */
  written: number;
  /** Address lengths, as bits, of which the last scan showed no route with it, and none was written since. */
  idle: number;
}

export interface NextHopAnswer {
  /** 0 = done. */
  readonly errno: number;
  /** Objects that came with it. */
  readonly objects: readonly NextHopObject[];
}

/** Sends the request made for a sequence number, and waits for the answer. */
export type AskForNextHops = (encode: (seq: number) => Uint8Array) => NextHopAnswer;

export class NextHopObjects {
  readonly #ask: AskForNextHops;
  readonly #routesTellGateways: () => boolean;
  readonly #byKey = new Map<string, SharedNextHop>();
  readonly #byId = new Map<number, SharedNextHop>();
  /** What routes named in the last scan of each address length: numbers of objects, and the protocol of such a route. */
  readonly #named = new Map<4 | 16, ReadonlyMap<number, number>>();
  /** The kernel knows no such objects, or does not let us make them. */
  #refused = false;
  #writes = 0;

  constructor(ask: AskForNextHops, routesTellGateways = kernelTellsGateways) {
    this.#ask = ask;
    this.#routesTellGateways = routesTellGateways;
  }

  /** An object for this next hop: one that is known, that an earlier run left, or a new one. Undefined where there is none to be had. */
  get(hop: GatewayHop, protocol: number): SharedNextHop | undefined {
    const known = this.#byKey.get(keyOf(hop));
    if (known !== undefined || this.#refused || !this.#routesTellGateways()) return known;
    this.#adopt(protocol);
    const adopted = this.#byKey.get(keyOf(hop));
    if (adopted !== undefined) return adopted;
    const { errno, objects } = this.#ask((seq) => encodeNewNextHop(hop, protocol, seq));
    if (REFUSALS.has(errno)) this.#refused = true;
    return errno === 0 && objects[0] !== undefined ? this.#add(objects[0].id, hop) : undefined;
  }

  /** A route is written with it. */
  used(object: SharedNextHop): void {
    object.written = ++this.#writes;
    object.idle = 0;
  }

  /** It did not do; whoever wants it again has the kernel asked. */
  drop(object: SharedNextHop): void {
    object.gone = true;
    if (this.#byId.get(object.id) === object) this.#byId.delete(object.id);
    const key = keyOf(object.hop);
    if (this.#byKey.get(key) === object) this.#byKey.delete(key);
  }

  /** The kernel has taken away all objects of this link. */
  linkLost(ifindex: number): void {
    for (const object of this.#byId.values()) if (object.hop.ifindex === ifindex) this.drop(object);
  }

  /** Somebody else deleted or changed an object. True where it was ours: its routes are gone, or lead elsewhere. */
  changed(type: number, { id, protocol, hop }: NextHopObject): boolean {
    const object = this.#byId.get(id);
    // An earlier run's is not known before routes want it, but it has a maker and routes of one protocol.
    if (object === undefined) return [...this.#named.values()].some((named) => named.get(id) === protocol);
    if (type === RTM.newNextHop && hop !== undefined && sameHop(hop, object.hop)) return false;
    this.drop(object);
    return true;
  }

  /**
   * A link changed that is up. True where objects of it are gone: its carrier may have been away for as long as the kernel
   * took to remove a full table, and be there again when the kernel speaks of it.
   */
  linkChanged(ifindex: number): boolean {
    for (const { hop } of this.#byId.values()) if (hop.ifindex === ifindex) return this.review();
    return false;
  }

  /** What became of objects has to be asked: notifications of it are lost, or were never made. True where one is gone. */
  review(): boolean {
    const before = this.#byId.size;
    if (before === 0) return false;
    const { errno, objects } = this.#ask((seq) => encodeDumpRequest('nextHops', 0, seq));
    if (errno !== 0) return false;
    const hops = new Map(objects.map(({ id, hop }) => [id, hop]));
    for (const object of this.#byId.values()) {
      const hop = hops.get(object.id);
      if (hop === undefined || !sameHop(hop, object.hop)) this.drop(object);
    }
    return this.#byId.size < before;
  }

  /** A scan begins. Where gateways are hidden since the last one, its rows match no wish: they are written without objects. */
  scanStarts(): number {
    if (this.#byId.size > 0 && !this.#routesTellGateways()) {
      for (const object of this.#byId.values()) this.drop(object);
    }
    return this.#writes;
  }

  /** To be given to `sweep`. */
  get writes(): number {
    return this.#writes;
  }

  /** A whole scan, begun at `writes`, showed routes with these objects and no others: by number, the protocol of one
   *  of them. */
  scanned(addressBytes: 4 | 16, named: ReadonlyMap<number, number>, writes: number): void {
    this.#named.set(addressBytes, named);
    this.sweep(addressBytes, (id) => !named.has(id), writes);
  }

  /** Objects that may go once it is known that no route of this address length names them; IPv6 is to be asked for first. */
  doubtful(addressBytes: 4 | 16): Set<number> {
    const doubtful = new Set<number>();
    for (const { id, hop, idle } of this.#byId.values()) {
      const served = servedBy(hop);
      if (addressBytes === 16 ? served & 16 : (served & ~idle & ~4) === 0) doubtful.add(id);
    }
    return doubtful;
  }

  /** Since `writes`, routes of this address length were looked at, whether they name an object. What no route names goes. */
  sweep(addressBytes: 4 | 16, isUnnamed: (id: number) => boolean, writes: number): void {
    for (const object of this.#byId.values()) {
      if (isUnnamed(object.id) && object.written <= writes) object.idle |= addressBytes;
      else object.idle &= ~addressBytes;
      if (servedBy(object.hop) & ~object.idle) continue;
      this.drop(object);
      this.#ask((seq) => encodeDelNextHop(object.id, seq));
    }
  }

  /** What an earlier run, or a link's short absence, left. */
  #adopt(protocol: number): void {
    for (const object of this.#ask((seq) => encodeDumpRequest('nextHops', 0, seq)).objects) {
      if (object.protocol === protocol && object.hop !== undefined && !this.#byId.has(object.id)) {
        this.#add(object.id, object.hop);
      }
    }
  }

  #add(id: number, hop: KernelNextHop): SharedNextHop {
    const object: SharedNextHop = { id, hop, gone: false, written: ++this.#writes, idle: 0 };
    this.#byId.set(id, object);
    this.#byKey.set(keyOf(hop), object);
    return object;
  }
}

/** Answers that will be the same the next time. */
const REFUSALS: ReadonlySet<number> = new Set([ERRNO.EOPNOTSUPP, ERRNO.EPERM, ERRNO.EACCES]);

/** Address lengths of routes that may name it, as bits: an IPv6 gateway may serve IPv4 prefixes, too (RFC 8950). */
function servedBy({ gateway }: KernelNextHop): number {
  return gateway?.length === 4 ? 4 : 4 | 16;
}

function keyOf({ gateway, ifindex, onlink }: KernelNextHop): string {
  return `${gateway === undefined ? '' : formatAddress(gateway)} ${ifindex} ${onlink ?? false}`;
}

/** Where this is off, routes are shown with an object's number alone, and nobody could tell where they lead. */
function kernelTellsGateways(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/nexthop_compat_mode', 'latin1').trim() !== '0';
  } catch {
    // Linux before 5.8 has no such setting and always tells.
    return true;
  }
}
