// Decodes table dumps: TABLE_DUMP and TABLE_DUMP_V2 with its ADD-PATH subtypes. Each path is passed to a callback as
// one reused object whose attributes are a view of the record. RFC 6396 §4.2-4.3, RFC 8050 §4.

import { FAMILIES, type Family, IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { Cursor } from './cursor.ts';
import { MrtError, type MrtRecord } from './records.ts';

/** RFC 6396 §4.3 and RFC 8050 §4: subtypes of TABLE_DUMP_V2 that are decoded. */
export const TABLE_DUMP_V2 = {
  peerIndexTable: 1,
  ipv4Unicast: 2,
  ipv6Unicast: 4,
  ipv4UnicastAddPath: 8,
  ipv6UnicastAddPath: 10,
} as const;

interface RibSubtype {
  readonly family: Family;
  readonly addPath: boolean;
}

const RIB_SUBTYPES: ReadonlyMap<number, RibSubtype> = new Map([
  [TABLE_DUMP_V2.ipv4Unicast, { family: IPV4_UNICAST, addPath: false }],
  [TABLE_DUMP_V2.ipv6Unicast, { family: IPV6_UNICAST, addPath: false }],
  [TABLE_DUMP_V2.ipv4UnicastAddPath, { family: IPV4_UNICAST, addPath: true }],
  [TABLE_DUMP_V2.ipv6UnicastAddPath, { family: IPV6_UNICAST, addPath: true }],
]);

/** Peer type bits of the PEER_INDEX_TABLE, RFC 6396 §4.3.1. */
const PEER_IS_IPV6 = 1;
const PEER_HAS_AS4 = 2;

export interface MrtPeer {
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly asn: number;
  /** BGP Identifier; 0 where the dump has none. */
  readonly id: number;
}

/** One path of a table; every field is valid only during the callback. */
export interface RibEntry {
  timestamp: number;
  peer: MrtPeer;
  family: Family;
  /** 16 octets of room; the first 4 or 16 hold the address. */
  prefix: Uint8Array;
  length: number;
  /** RFC 8050; undefined in the plain subtypes. */
  pathId: number | undefined;
  /** The attributes as dumped. */
  attributes: Uint8Array;
  /** True: ASes in AS_PATH and AGGREGATOR have 4 octets (always so in TABLE_DUMP_V2). */
  as4: boolean;
  /** MP_REACH_NLRI holds only the next hop (RFC 6396 §4.3.4). */
  shortMpReach: boolean;
}

/** Decodes table records of one file; keeps the PEER_INDEX_TABLE between them. */
export class RibDecoder {
  #peers: readonly MrtPeer[] = [];
  readonly #entry: RibEntry = {
    timestamp: 0,
    peer: { address: new Uint8Array(4), asn: 0, id: 0 },
    family: FAMILIES[0]!,
    prefix: new Uint8Array(16),
    length: 0,
    pathId: undefined,
    attributes: new Uint8Array(0),
    as4: true,
    shortMpReach: false,
  };

  /** The peers of the last PEER_INDEX_TABLE. */
  get peers(): readonly MrtPeer[] {
    return this.#peers;
  }

  /** TABLE_DUMP, RFC 6396 §4.2: one path a record, 2-octet ASes; the subtype is the AFI. */
  tableDump(record: MrtRecord, onEntry: (entry: RibEntry) => void): boolean {
    const family = FAMILIES.find((row) => row.afi === record.subtype && row.safi === 1);
    if (family === undefined) return false;
    const body = new Cursor(record.body);
    const entry = this.#entry;
    entry.timestamp = record.timestamp;
    entry.family = family;
    body.take(4); // view number and sequence number
    const address = body.take(family.nextHopBytes);
    entry.length = body.u8();
    if (entry.length > family.maxBits) throw new MrtError(`prefix length ${entry.length}`);
    setMasked(entry.prefix, address, entry.length);
    body.take(5); // status, originated time
    entry.peer = { address: body.take(family.nextHopBytes).slice(), asn: body.u16(), id: 0 };
    entry.pathId = undefined;
    entry.as4 = false;
    entry.shortMpReach = false;
    entry.attributes = body.take(body.u16());
    onEntry(entry);
    return true;
  }

  /** TABLE_DUMP_V2; false for a subtype that holds no unicast routes. */
  tableDumpV2(record: MrtRecord, onEntry: (entry: RibEntry) => void): boolean {
    if (record.subtype === TABLE_DUMP_V2.peerIndexTable) {
      this.#peers = peerIndexTable(new Cursor(record.body));
      return true;
    }
    const row = RIB_SUBTYPES.get(record.subtype);
    if (row === undefined) return false;
    const body = new Cursor(record.body);
    const entry = this.#entry;
    body.take(4); // sequence number
    entry.timestamp = record.timestamp;
    entry.family = row.family;
    entry.length = body.prefixInto(entry.prefix, row.family.maxBits);
    entry.as4 = true;
    entry.shortMpReach = true;
    const count = body.u16();
    for (let i = 0; i < count; i++) {
      const index = body.u16();
      const peer = this.#peers[index];
      if (peer === undefined) throw new MrtError(`peer ${index} is not in the PEER_INDEX_TABLE`);
      entry.peer = peer;
      body.take(4); // originated time
      // RFC 8050 §4.1: the identifier stands between originated time and attribute length.
      entry.pathId = row.addPath ? body.u32() : undefined;
      entry.attributes = body.take(body.u16());
      onEntry(entry);
    }
    return true;
  }
}

function peerIndexTable(body: Cursor): MrtPeer[] {
  body.take(4); // collector's BGP Identifier
  body.take(body.u16()); // view name
  const peers: MrtPeer[] = [];
  const count = body.u16();
  for (let i = 0; i < count; i++) {
    const type = body.u8();
    const id = body.u32();
    const address = body.take((type & PEER_IS_IPV6) !== 0 ? 16 : 4).slice();
    peers.push({ address, asn: (type & PEER_HAS_AS4) !== 0 ? body.u32() : body.u16(), id });
  }
  return peers;
}

function setMasked(out: Uint8Array, address: Uint8Array, bits: number): void {
  out.fill(0);
  for (let i = 0; i * 8 < bits; i++) {
    const keep = Math.min(8, bits - i * 8);
    out[i] = address[i]! & (0xff << (8 - keep));
  }
}
