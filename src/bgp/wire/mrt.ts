// Table dumps in the MRT format (RFC 6396 §4.3): a PEER_INDEX_TABLE, then one record a prefix with the routes that there
// are of it. Routes with path identifiers have records of their own (RFC 8050 §4).

import { writeUint32 } from '../../lib/bytes.ts';
import { isUnspecified } from '../../lib/ip.ts';
import { AttributeEditor } from './attribute-editor.ts';
import type { Family } from './families.ts';
import { ATTRIBUTE } from './iana.ts';

/** Octets of the header that all records have (RFC 6396 §2). */
export const MRT_HEADER = 12;
const TABLE_DUMP_V2 = 13;
const PEER_INDEX_TABLE = 1;
/** RIB_IPV4_UNICAST, RIB_IPV6_UNICAST, and the same with ADD-PATH. */
const SUBTYPES = { ipv4: { plain: 2, addPath: 8 }, ipv6: { plain: 4, addPath: 10 } } as const;
/** Peer types: the address is an IPv6 one, the AS has 4 octets. */
const IPV6_PEER = 1;
const AS4_PEER = 2;
const IPV4_OCTETS = 4;
const MAX_ENTRIES = 0xffff;

export interface DumpPeer {
  /** BGP Identifier; 0 where none is known. */
  readonly id: number;
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly asn: number;
}

export interface DumpRoute {
  /** Place in the peer index. */
  readonly peer: number;
  /** Wall-clock seconds. */
  readonly since: number;
  readonly pathId: number;
  /** As `dumpAttributes` makes them. */
  readonly attributes: Uint8Array;
}

/** The record that names the view and its peers. `timestamp`: wall-clock seconds. */
export function encodePeerIndex(
  timestamp: number,
  collectorId: number,
  view: string,
  peers: readonly DumpPeer[],
): Uint8Array {
  const name = new TextEncoder().encode(view);
  const size = peers.reduce((sum, { address }) => sum + 1 + 4 + address.length + 4, 0);
  const record = startRecord(timestamp, PEER_INDEX_TABLE, 4 + 2 + name.length + 2 + size);
  const data = new DataView(record.buffer);
  let at = MRT_HEADER;
  data.setUint32(at, collectorId);
  data.setUint16(at + 4, name.length);
  record.set(name, at + 6);
  at += 6 + name.length;
  data.setUint16(at, peers.length);
  at += 2;
  for (const { id, address, asn } of peers) {
    record[at] = AS4_PEER | (address.length === IPV4_OCTETS ? 0 : IPV6_PEER);
    data.setUint32(at + 1, id);
    record.set(address, at + 5);
    data.setUint32(at + 5 + address.length, asn);
    at += 5 + address.length + 4;
  }
  return record;
}

/** One prefix with its routes, which all have path identifiers or all have none. `prefix`: all octets of the address. */
export function encodeRib(
  { timestamp, sequence, family, addPath }: RibHead,
  prefix: Uint8Array,
  bits: number,
  routes: readonly DumpRoute[],
): Uint8Array {
  const octets = Math.ceil(bits / 8);
  const entry = addPath ? 12 : 8;
  const shown = routes.slice(0, MAX_ENTRIES);
  const size = shown.reduce((sum, { attributes }) => sum + entry + attributes.length, 0);
  const { plain, addPath: withIds } = SUBTYPES[family.version];
  const record = startRecord(timestamp, addPath ? withIds : plain, 4 + 1 + octets + 2 + size);
  const data = new DataView(record.buffer);
  data.setUint32(MRT_HEADER, sequence);
  record[MRT_HEADER + 4] = bits;
  record.set(prefix.subarray(0, octets), MRT_HEADER + 5);
  let at = MRT_HEADER + 5 + octets;
  data.setUint16(at, shown.length);
  at += 2;
  for (const { peer, since, pathId, attributes } of shown) {
    data.setUint16(at, peer);
    data.setUint32(at + 2, since);
    if (addPath) data.setUint32(at + 6, pathId);
    data.setUint16(at + entry - 2, attributes.length);
    record.set(attributes, at + entry);
    at += entry + attributes.length;
  }
  return record;
}

export interface RibHead {
  /** Wall-clock seconds. */
  readonly timestamp: number;
  readonly sequence: number;
  readonly family: Family;
  readonly addPath: boolean;
}

/**
 * A canonical set `bytes[start, start + length)` with its next hop (as on the wire, 4, 16 or 32 octets) among it; one of
 * zeros is none. Of MP_REACH_NLRI only the next hop is there (RFC 6396 §4.3.4). `localPref` is for a set without one.
 */
export function dumpAttributes(
  bytes: Uint8Array,
  start: number,
  length: number,
  nextHop: Uint8Array,
  localPref?: number,
): Uint8Array {
  const editor = new AttributeEditor().load(bytes, start, length);
  if (!isUnspecified(nextHop)) {
    if (nextHop.length === IPV4_OCTETS) editor.set(ATTRIBUTE.nextHop, nextHop);
    else editor.set(ATTRIBUTE.mpReachNlri, Uint8Array.of(nextHop.length, ...nextHop));
  }
  if (localPref !== undefined && !editor.has(ATTRIBUTE.localPref)) {
    editor.setUint32(ATTRIBUTE.localPref, localPref);
  }
  return editor.finish();
}

function startRecord(timestamp: number, subtype: number, length: number): Uint8Array<ArrayBuffer> {
  return startMrtRecord(timestamp, TABLE_DUMP_V2, subtype, length);
}

/** A record with its header, and room for so many octets behind it. `timestamp`: wall-clock seconds. */
export function startMrtRecord(
  timestamp: number,
  type: number,
  subtype: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(MRT_HEADER + length);
  writeUint32(record, 0, timestamp);
  const data = new DataView(record.buffer);
  data.setUint16(4, type);
  data.setUint16(6, subtype);
  data.setUint32(8, length);
  return record;
}
