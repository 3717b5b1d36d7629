// Targets as the octets that their routes share, made when a route first needs them. A target that many routes lead to
// gets a next-hop object; few routes are written with their next hop itself, which every tool understands.

import type { KernelTarget } from '../types.ts';
import { ROUTE_OPERATION } from '../types.ts';
import type { GatewayHop } from './next-hop-codec.ts';
import type { NextHopObjects, SharedNextHop } from './next-hop-objects.ts';
import { type EncodedTarget, encodeTarget } from './route-encode.ts';

/** Routes written to one target before an object pays: a cluster's nodes stay below, a full table is above at once. */
export const ROUTES_WORTH_AN_OBJECT = 1024;

interface Encoding {
  readonly plain: EncodedTarget;
  /** Routes written less routes deleted since there was last no object. */
  routes: number;
  shared: { readonly object: SharedNextHop; readonly encoded: EncodedTarget } | undefined;
}

interface Slot {
  readonly target: KernelTarget;
  /** The only next hop, where an object can stand for it. */
  readonly hop: GatewayHop | undefined;
  ipv4: Encoding | undefined;
  ipv6: Encoding | undefined;
}

export class TargetEncodings {
  readonly #objects: NextHopObjects;
  readonly #slots: (Slot | undefined)[] = [];

  constructor(objects: NextHopObjects) {
    this.#objects = objects;
  }

  define(id: number, target: KernelTarget): void {
    this.#slots[id] = { target, hop: onlyGateway(target), ipv4: undefined, ipv6: undefined };
  }

  /** For one operation of this kind. */
  take(id: number, kind: number, addressBytes: 4 | 16): EncodedTarget {
    const slot = this.#slot(id);
    const encoding = encodingOf(slot, addressBytes);
    if (slot.hop === undefined) return encoding.plain;
    if (kind === ROUTE_OPERATION.delete) {
      encoding.routes = Math.max(0, encoding.routes - 1);
      return encoding.plain;
    }
    if (encoding.shared?.object.gone) {
      encoding.shared = undefined;
      encoding.routes = 0;
    }
    if (encoding.shared === undefined && ++encoding.routes > ROUTES_WORTH_AN_OBJECT) {
      const object = this.#objects.get(slot.hop, slot.target.protocol);
      encoding.routes = 0;
      if (object !== undefined) {
        encoding.shared = { object, encoded: encodeTarget(slot.target, addressBytes, object.id) };
      }
    }
    if (encoding.shared === undefined) return encoding.plain;
    this.#objects.used(encoding.shared.object);
    return encoding.shared.encoded;
  }

  /** A route with `used` was refused. True where that named an object, which is done with: the plain encoding may do. */
  refused(id: number, addressBytes: 4 | 16, used: EncodedTarget): boolean {
    const encoding = encodingOf(this.#slot(id), addressBytes);
    if (used === encoding.plain) return false;
    if (encoding.shared !== undefined) this.#objects.drop(encoding.shared.object);
    return true;
  }

  #slot(id: number): Slot {
    const slot = this.#slots[id];
    if (slot === undefined) throw new Error(`kernel target ${id} was never defined`);
    return slot;
  }
}

function encodingOf(slot: Slot, addressBytes: 4 | 16): Encoding {
  if (addressBytes === 4) {
    slot.ipv4 ??= newEncoding(slot.target, 4);
    return slot.ipv4;
  }
  slot.ipv6 ??= newEncoding(slot.target, 16);
  return slot.ipv6;
}

function newEncoding(target: KernelTarget, addressBytes: 4 | 16): Encoding {
  return { plain: encodeTarget(target, addressBytes), routes: 0, shared: undefined };
}

function onlyGateway(target: KernelTarget): GatewayHop | undefined {
  const { type, nextHops, scope, realm, metrics } = target;
  const [hop] = nextHops;
  if (type !== 'unicast' || nextHops.length !== 1 || hop === undefined) return undefined;
  // With these the kernel makes a next hop of the route's own, anyway.
  if (scope !== undefined || realm !== undefined || metrics !== undefined) return undefined;
  const { gateway, ifindex, onlink } = hop;
  if (gateway === undefined || ifindex === undefined) return undefined;
  return { gateway, ifindex, ...(onlink ? { onlink } : {}) };
}
