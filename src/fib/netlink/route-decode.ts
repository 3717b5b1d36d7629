// RTM_NEWROUTE and RTM_DELROUTE as they are read, pure: one route's fields into a reused record, its path as a key that is
// equal for equal paths. IPv4 routes with IPv6 next hops (RFC 8950) come with RTA_VIA.

import type { KernelNextHop, KernelPath } from '../types.ts';
import {
  AF,
  HOST_IS_LITTLE_ENDIAN,
  NLMSG_HEADER_BYTES,
  ROUTE_TYPE_BY_NUMBER,
  RT_SCOPE,
  RTA,
  RTAX,
  RTM_F_CLONED,
  RTMSG_BYTES,
  RTNEXTHOP_BYTES,
  RTNH_F_ONLINK,
  VIA_FAMILY_BYTES,
} from './constants.ts';
import { align, forEachAttribute } from './messages.ts';

const LE = HOST_IS_LITTLE_ENDIAN;

/** One route as read; reused from message to message. Offsets of 0 mean that the attribute is absent. */
export interface RouteRecord {
  addressBytes: 4 | 16;
  bits: number;
  table: number;
  metric: number;
  protocol: number;
  scope: number;
  type: number;
  flags: number;
  /** RTA_FLOW; 0 = none. */
  realm: number;
  /** Four words; the first one only for IPv4. */
  readonly words: Int32Array;
  outInterface: number;
  /** The next-hop object that it names; 0 = none. What it leads to stands beside. */
  nextHopId: number;
  gatewayAt: number;
  viaAt: number;
  viaLength: number;
  preferredSourceAt: number;
  multipathAt: number;
  multipathLength: number;
  metricsAt: number;
  metricsLength: number;
}

export function newRouteRecord(): RouteRecord {
  return {
    addressBytes: 4,
    bits: 0,
    table: 0,
    metric: 0,
    protocol: 0,
    scope: 0,
    type: 0,
    flags: 0,
    realm: 0,
    words: new Int32Array(4),
    outInterface: 0,
    nextHopId: 0,
    gatewayAt: 0,
    viaAt: 0,
    viaLength: 0,
    preferredSourceAt: 0,
    multipathAt: 0,
    multipathLength: 0,
    metricsAt: 0,
    metricsLength: 0,
  };
}

/** Reads the route message at `start` (its netlink header) into `record`; false where it is none that counts:
 *  another family, a cached route, a type that is not ours to know. */
export function decodeRoute(view: DataView, start: number, end: number, record: RouteRecord): boolean {
  const at = start + NLMSG_HEADER_BYTES;
  if (at + RTMSG_BYTES > end) return false;
  const family = view.getUint8(at);
  if (family !== AF.inet && family !== AF.inet6) return false;
  record.addressBytes = family === AF.inet ? 4 : 16;
  record.bits = view.getUint8(at + 1);
  record.table = view.getUint8(at + 4);
  record.protocol = view.getUint8(at + 5);
  record.scope = view.getUint8(at + 6);
  record.type = view.getUint8(at + 7);
  record.flags = view.getUint32(at + 8, LE);
  if (record.flags & RTM_F_CLONED || !ROUTE_TYPE_BY_NUMBER.has(record.type)) return false;
  record.metric = 0;
  record.words.fill(0);
  record.outInterface = 0;
  record.nextHopId = 0;
  record.gatewayAt = 0;
  record.viaAt = 0;
  record.preferredSourceAt = 0;
  record.multipathAt = 0;
  record.metricsAt = 0;
  record.realm = 0;
  forEachAttribute(view, at + RTMSG_BYTES, end, (type, offset, length) => {
    readAttribute(view, record, type, offset, length);
  });
  return true;
}

function readAttribute(
  view: DataView,
  record: RouteRecord,
  type: number,
  offset: number,
  length: number,
): void {
  switch (type) {
    case RTA.destination:
      if (length !== record.addressBytes) return;
      for (let i = 0; i * 4 < length; i++) record.words[i] = view.getInt32(offset + i * 4);
      return;
    case RTA.table:
      record.table = view.getUint32(offset, LE);
      return;
    case RTA.priority:
      record.metric = view.getUint32(offset, LE);
      return;
    case RTA.outInterface:
      record.outInterface = view.getUint32(offset, LE);
      return;
    case RTA.gateway:
      if (length === record.addressBytes) record.gatewayAt = offset;
      return;
    case RTA.via:
      record.viaAt = offset;
      record.viaLength = length;
      return;
    case RTA.preferredSource:
      if (length === record.addressBytes) record.preferredSourceAt = offset;
      return;
    case RTA.multipath:
      record.multipathAt = offset;
      record.multipathLength = length;
      return;
    case RTA.metrics:
      record.metricsAt = offset;
      record.metricsLength = length;
      return;
    case RTA.flow:
      record.realm = view.getUint32(offset, LE);
      return;
    case RTA.nextHopId:
      record.nextHopId = view.getUint32(offset, LE);
      return;
  }
}

/** Text that is the same for the same path, whatever its prefix; much cheaper than the path itself. */
export function pathKey(bytes: Uint8Array, record: RouteRecord): string {
  const n = record.addressBytes;
  const { scope, realm, metricsAt } = record;
  const rare =
    (scope | realm | metricsAt) === 0
      ? ''
      : `,${scope},${realm},${raw(bytes, metricsAt, record.metricsLength)}`;
  return `${record.type},${record.flags & RTNH_F_ONLINK},${record.outInterface},${raw(bytes, record.gatewayAt, n)},${raw(
    bytes,
    record.viaAt,
    record.viaLength,
  )},${raw(bytes, record.preferredSourceAt, n)},${raw(bytes, record.multipathAt, record.multipathLength)}${rare}`;
}

function raw(bytes: Uint8Array, at: number, length: number): string {
  return at === 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1');
}

/** The path of the route just read into `record`. */
export function decodePath(bytes: Uint8Array, view: DataView, record: RouteRecord): KernelPath {
  const type = ROUTE_TYPE_BY_NUMBER.get(record.type) ?? 'unicast';
  const nextHops =
    type !== 'unicast' && type !== 'local'
      ? []
      : record.multipathAt !== 0
        ? decodeMultipath(bytes, view, record)
        : [singleNextHop(bytes, view, record)];
  // That of several next hops stands with them.
  const { scope, realm, preferredSourceAt: sourceAt, metricsAt } = record;
  return {
    type,
    nextHops,
    ...(sourceAt !== 0 && { prefSource: copy(bytes, sourceAt, record.addressBytes) }),
    ...(scope !== RT_SCOPE.universe && { scope }),
    ...(realm !== 0 && { realm }),
    ...(metricsAt !== 0 && { metrics: decodeMetrics(view, metricsAt, record.metricsLength) }),
  };
}

/** RTAX_* that are numbers, by type. */
function decodeMetrics(view: DataView, at: number, length: number): Map<number, number> {
  const metrics = new Map<number, number>();
  forEachAttribute(view, at, at + length, (type, offset, size) => {
    if (type !== RTAX.congestionControl && size === Uint32Array.BYTES_PER_ELEMENT) {
      metrics.set(type, view.getUint32(offset, LE));
    }
  });
  return metrics;
}

function singleNextHop(bytes: Uint8Array, view: DataView, record: RouteRecord): KernelNextHop {
  let gateway: Uint8Array | undefined;
  if (record.gatewayAt !== 0) gateway = copy(bytes, record.gatewayAt, record.addressBytes);
  else if (record.viaAt !== 0) gateway = decodeVia(bytes, view, record.viaAt, record.viaLength);
  return nextHop(gateway, record.outInterface, (record.flags & RTNH_F_ONLINK) !== 0, 1);
}

function decodeMultipath(bytes: Uint8Array, view: DataView, record: RouteRecord): KernelNextHop[] {
  const hops: KernelNextHop[] = [];
  const end = record.multipathAt + record.multipathLength;
  for (let at = record.multipathAt; at + RTNEXTHOP_BYTES <= end; ) {
    const size = view.getUint16(at, LE);
    if (size < RTNEXTHOP_BYTES || at + size > end) break;
    let gateway: Uint8Array | undefined;
    forEachAttribute(view, at + RTNEXTHOP_BYTES, at + size, (type, offset, length) => {
      if (type === RTA.gateway) gateway = copy(bytes, offset, length);
      else if (type === RTA.via) gateway = decodeVia(bytes, view, offset, length);
      else if (type === RTA.flow && record.realm === 0) record.realm = view.getUint32(offset, LE);
    });
    const onlink = (view.getUint8(at + 2) & RTNH_F_ONLINK) !== 0;
    hops.push(nextHop(gateway, view.getInt32(at + 4, LE), onlink, view.getUint8(at + 3) + 1));
    at += align(size);
  }
  return hops;
}

function decodeVia(bytes: Uint8Array, view: DataView, at: number, length: number): Uint8Array | undefined {
  const family = view.getUint16(at, LE);
  const size = family === AF.inet6 ? 16 : family === AF.inet ? 4 : 0;
  return size === 0 || length < VIA_FAMILY_BYTES + size
    ? undefined
    : copy(bytes, at + VIA_FAMILY_BYTES, size);
}

function nextHop(
  gateway: Uint8Array | undefined,
  ifindex: number,
  onlink: boolean,
  weight: number,
): KernelNextHop {
  return {
    ...(gateway === undefined ? {} : { gateway }),
    ...(ifindex === 0 ? {} : { ifindex }),
    ...(onlink ? { onlink } : {}),
    ...(weight === 1 ? {} : { weight }),
  };
}

function copy(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return bytes.slice(at, at + length);
}
