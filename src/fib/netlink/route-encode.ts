// RTM_NEWROUTE and RTM_DELROUTE as they are written, pure: a target (where routes go) is encoded once, each operation
// only puts its header and destination before those octets. IPv4 routes with IPv6 next hops (RFC 8950) use RTA_VIA.

import { viewOf } from '../../lib/bytes.ts';
import { usualScope } from '../route-particulars.ts';
import type { KernelNextHop, KernelTarget, RouteMetrics } from '../types.ts';
import { ROUTE_OPERATION } from '../types.ts';
import {
  AF,
  HOST_IS_LITTLE_ENDIAN,
  NLM_F,
  NLMSG_HEADER_BYTES,
  ROUTE_TYPE_NUMBER,
  RT_SCOPE,
  RT_TABLE_OCTET_MAX,
  RTA,
  RTM,
  RTMSG_BYTES,
  RTNEXTHOP_BYTES,
  RTNH_F_ONLINK,
  VIA_FAMILY_BYTES,
} from './constants.ts';
import { AttributeWriter, writeHeader } from './messages.ts';

const LE = HOST_IS_LITTLE_ENDIAN;

/** A target in the octets that every route to it shares. */
export interface EncodedTarget {
  /** rtmsg from rtm_table on: table, protocol, scope, type and flags; one for adding, one for deleting. */
  readonly addBody: Uint8Array;
  readonly deleteBody: Uint8Array;
  readonly addAttributes: Uint8Array;
  readonly deleteAttributes: Uint8Array;
}

/** Octets of rtmsg before rtm_table: family, destination and source length, tos. */
const RTMSG_KEY_BYTES = 4;

/** `nextHopId` is the next-hop object that stands for the target's only next hop; 0 = the route itself says it. */
export function encodeTarget(target: KernelTarget, addressBytes: 4 | 16, nextHopId = 0): EncodedTarget {
  const single = nextHopId === 0 && target.nextHops.length === 1 ? target.nextHops[0] : undefined;
  const flags = single?.onlink ? RTNH_F_ONLINK : 0;
  const add = new AttributeWriter();
  writeKeyAttributes(add, target);
  if (target.prefSource !== undefined) add.octets(RTA.preferredSource, target.prefSource);
  if (nextHopId !== 0) add.uint32(RTA.nextHopId, nextHopId);
  if (single !== undefined) writeGateway(add, single, addressBytes);
  // Of several next hops each one has the realm.
  if (target.realm !== undefined && target.nextHops.length <= 1) add.uint32(RTA.flow, target.realm);
  if (single?.ifindex !== undefined) add.uint32(RTA.outInterface, single.ifindex);
  if (target.nextHops.length > 1) {
    const hops = target.nextHops.map((hop) => encodeNextHop(hop, addressBytes, target.realm));
    add.octets(RTA.multipath, ...hops);
  }
  if (target.metrics !== undefined) add.octets(RTA.metrics, encodeMetrics(target.metrics));
  const remove = new AttributeWriter();
  writeKeyAttributes(remove, target);
  return {
    addBody: encodeBody(
      target,
      target.scope ?? usualScope(target, addressBytes),
      ROUTE_TYPE_NUMBER[target.type],
      flags,
    ),
    // Scope "nowhere" and type 0 match any: the key alone decides what is deleted.
    deleteBody: encodeBody(target, RT_SCOPE.nowhere, 0, 0),
    addAttributes: add.finish(),
    deleteAttributes: remove.finish(),
  };
}

function encodeBody(target: KernelTarget, scope: number, type: number, flags: number): Uint8Array {
  const body = new Uint8Array(RTMSG_BYTES - RTMSG_KEY_BYTES);
  body[0] = target.table <= RT_TABLE_OCTET_MAX ? target.table : 0;
  body[1] = target.protocol;
  body[2] = scope;
  body[3] = type;
  viewOf(body).setUint32(4, flags, LE);
  return body;
}

function encodeMetrics(metrics: RouteMetrics): Uint8Array {
  const out = new AttributeWriter();
  for (const [type, value] of metrics) out.uint32(type, value);
  return out.finish();
}

function writeKeyAttributes(out: AttributeWriter, target: KernelTarget): void {
  if (target.table > RT_TABLE_OCTET_MAX) out.uint32(RTA.table, target.table);
  if (target.metric !== 0) out.uint32(RTA.priority, target.metric);
}

function writeGateway(out: AttributeWriter, hop: KernelNextHop, addressBytes: 4 | 16): void {
  if (hop.gateway === undefined) return;
  if (hop.gateway.length === addressBytes) {
    out.octets(RTA.gateway, hop.gateway);
    return;
  }
  const family = new Uint8Array(VIA_FAMILY_BYTES);
  viewOf(family).setUint16(0, hop.gateway.length === 16 ? AF.inet6 : AF.inet, LE);
  out.octets(RTA.via, family, hop.gateway);
}

/** struct rtnexthop with its attributes; weight is stored less one. */
function encodeNextHop(hop: KernelNextHop, addressBytes: 4 | 16, realm: number | undefined): Uint8Array {
  const out = new AttributeWriter();
  writeGateway(out, hop, addressBytes);
  if (realm !== undefined) out.uint32(RTA.flow, realm);
  const attributes = out.finish();
  const bytes = new Uint8Array(RTNEXTHOP_BYTES + attributes.length);
  const view = viewOf(bytes);
  view.setUint16(0, bytes.length, LE);
  bytes[2] = hop.onlink ? RTNH_F_ONLINK : 0;
  bytes[3] = (hop.weight ?? 1) - 1;
  view.setInt32(4, hop.ifindex ?? 0, LE);
  bytes.set(attributes, RTNEXTHOP_BYTES);
  return bytes;
}

const OPERATION_FLAGS: ReadonlyMap<number, number> = new Map([
  [ROUTE_OPERATION.create, NLM_F.request | NLM_F.create | NLM_F.exclusive],
  [ROUTE_OPERATION.replace, NLM_F.request | NLM_F.create | NLM_F.replace],
  [ROUTE_OPERATION.delete, NLM_F.request],
]);

/** Octets that one operation takes. */
export function operationBytes(target: EncodedTarget, kind: number, addressBytes: 4 | 16): number {
  const attributes = kind === ROUTE_OPERATION.delete ? target.deleteAttributes : target.addAttributes;
  return NLMSG_HEADER_BYTES + RTMSG_BYTES + RTMSG_KEY_BYTES + addressBytes + attributes.length;
}

/**
 * Writes one operation at `out[at]` and returns its end. `words[wordAt ..]` is the prefix; `moreFlags` is NLM_F_ACK
 * where an answer is wanted in any case.
 */
export function encodeOperation(
  out: Uint8Array,
  view: DataView,
  at: number,
  target: EncodedTarget,
  kind: number,
  addressBytes: 4 | 16,
  words: Int32Array,
  wordAt: number,
  bits: number,
  seq: number,
  moreFlags: number,
): number {
  const isDelete = kind === ROUTE_OPERATION.delete;
  const attributes = isDelete ? target.deleteAttributes : target.addAttributes;
  const size = NLMSG_HEADER_BYTES + RTMSG_BYTES + RTMSG_KEY_BYTES + addressBytes + attributes.length;
  const flags = (OPERATION_FLAGS.get(kind) ?? NLM_F.request) | moreFlags;
  writeHeader(view, at, size, isDelete ? RTM.delRoute : RTM.newRoute, flags, seq);
  let p = at + NLMSG_HEADER_BYTES;
  out[p] = addressBytes === 4 ? AF.inet : AF.inet6;
  out[p + 1] = bits;
  out[p + 2] = 0;
  out[p + 3] = 0;
  out.set(isDelete ? target.deleteBody : target.addBody, p + RTMSG_KEY_BYTES);
  p += RTMSG_BYTES;
  view.setUint16(p, RTMSG_KEY_BYTES + addressBytes, LE);
  view.setUint16(p + 2, RTA.destination, LE);
  p += 4;
  for (let word = 0; word * 4 < addressBytes; word++, p += 4) view.setInt32(p, words[wordAt + word]!);
  out.set(attributes, p);
  return at + size;
}
