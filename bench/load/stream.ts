// Routes -> UPDATE messages as one sender's stream: grouped by attribute set, packed full, with that sender's next hop,
// first AS and local preference. Everything is encoded before the clock starts. RFC 4271 §4.3, RFC 4760 §3-4.

import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { ATTR, encodeAttribute, FLAG } from '../mrt/attributes.ts';
import { HEADER_LENGTH, MESSAGE } from '../mrt/update-message.ts';
import type { RouteTable } from './route-table.ts';

const MESSAGE_LIMIT = 4096;
const SEQUENCE = 2;
const SEGMENT_LIMIT = 255;
const FIRST_CAPACITY = 1 << 16;
const DEFAULT_LOCAL_PREF = 100;

export interface SenderIdentity {
  readonly asn: number;
  readonly peerAs: number;
  /** 4 octets. */
  readonly nextHop4: Uint8Array;
  /** 16 octets; needed for IPv6 routes only. */
  readonly nextHop6: Uint8Array | undefined;
}

/** Routes `from <= index < to` of a table. */
export interface RouteRange {
  readonly from: number;
  readonly to: number;
}

/** Appends whole messages to one growing buffer. */
class MessageWriter {
  bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  length = 0;
  messages = 0;
  #start = 0;

  begin(): void {
    if (this.length + MESSAGE_LIMIT > this.bytes.length) {
      const larger = Buffer.allocUnsafe(this.bytes.length * 2);
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.#start = this.length;
    this.bytes.fill(0xff, this.length, this.length + 16);
    this.bytes[this.length + 18] = MESSAGE.update;
    this.length += HEADER_LENGTH;
  }

  end(): void {
    this.bytes.writeUInt16BE(this.length - this.#start, this.#start + 16);
    this.messages++;
  }

  get left(): number {
    return MESSAGE_LIMIT - (this.length - this.#start);
  }

  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  u8(value: number): void {
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.u8(value >> 8);
    this.u8(value & 255);
  }

  setU16(at: number, value: number): void {
    this.bytes.writeUInt16BE(value, at);
  }

  result(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** Announces the routes of `range`; throws RangeError where IPv6 routes meet a sender without an IPv6 next hop. */
export function announceStream(table: RouteTable, range: RouteRange, sender: SenderIdentity): Uint8Array {
  const writer = new MessageWriter();
  const order = byAttributeSet(table, range);
  for (let at = 0; at < order.length; ) {
    const set = table.attributes[order[at]!]!;
    let end = at;
    while (end < order.length && table.attributes[order[end]!] === set) end++;
    const group = order.subarray(at, end);
    const attributes = sessionAttributes(table.pool.get(set), sender);
    announceGroup(writer, table, group, attributes, sender);
    at = end;
  }
  return writer.result();
}

/** RFC 4724 §2: tells that this was everything, as every real sender does. */
export function endOfRib(table: RouteTable): Uint8Array {
  const writer = new MessageWriter();
  writer.begin();
  writer.u16(0);
  if (table.family === IPV4_UNICAST) writer.u16(0);
  else {
    const attributesAt = writer.length;
    writer.u16(0);
    const valueLengthAt = beginMp(writer, ATTR.mpUnreach, table);
    writer.setU16(valueLengthAt, writer.length - valueLengthAt - 2);
    writer.setU16(attributesAt, writer.length - attributesAt - 2);
  }
  writer.end();
  return writer.result();
}

/** Withdraws the routes of `range`. */
export function withdrawStream(table: RouteTable, range: RouteRange): Uint8Array {
  const writer = new MessageWriter();
  withdrawRange(writer, table, range);
  return writer.result();
}

function withdrawRange(writer: MessageWriter, table: RouteTable, range: RouteRange): void {
  for (let at = range.from; at < range.to; ) {
    writer.begin();
    const lengthAt = writer.length;
    writer.u16(0);
    if (table.family === IPV4_UNICAST) {
      while (at < range.to && writer.left >= prefixOctets(table, at) + 2) putPrefix(writer, table, at++);
      writer.setU16(lengthAt, writer.length - lengthAt - 2);
      writer.u16(0);
    } else {
      const attributesAt = writer.length;
      writer.u16(0);
      const valueLengthAt = beginMp(writer, ATTR.mpUnreach, table);
      while (at < range.to && writer.left >= prefixOctets(table, at)) putPrefix(writer, table, at++);
      writer.setU16(valueLengthAt, writer.length - valueLengthAt - 2);
      writer.setU16(attributesAt, writer.length - attributesAt - 2);
    }
    writer.end();
  }
}

/** One prefix and one set at a time, for routes that are not known beforehand; what a set costs is paid once. */
export class SingleWriter {
  readonly #table: RouteTable;
  readonly #sender: SenderIdentity;
  readonly #attributes = new Map<number, SessionAttributes>();

  constructor(table: RouteTable, sender: SenderIdentity) {
    this.#table = table;
    this.#sender = sender;
  }

  /** UPDATEs back to back: each announces the route at `index` with attribute set `set`, or withdraws it (set < 0). */
  write(changes: readonly { readonly index: number; readonly set: number }[]): Uint8Array {
    const writer = new MessageWriter();
    for (const { index, set } of changes) {
      if (set < 0) withdrawRange(writer, this.#table, { from: index, to: index + 1 });
      else announceGroup(writer, this.#table, Int32Array.of(index), this.#attributesOf(set), this.#sender);
    }
    return writer.result();
  }

  #attributesOf(set: number): SessionAttributes {
    const known = this.#attributes.get(set);
    if (known !== undefined) return known;
    const made = sessionAttributes(this.#table.pool.get(set), this.#sender);
    this.#attributes.set(set, made);
    return made;
  }
}

/** The routes of one attribute set. */
function announceGroup(
  writer: MessageWriter,
  table: RouteTable,
  group: Int32Array,
  attributes: SessionAttributes,
  sender: SenderIdentity,
): void {
  if (table.family === IPV4_UNICAST) announceIpv4(writer, table, group, attributes, sender.nextHop4);
  else announceMp(writer, table, group, attributes, sender.nextHop6);
}

function announceIpv4(
  writer: MessageWriter,
  table: RouteTable,
  group: Int32Array,
  attributes: SessionAttributes,
  nextHop: Uint8Array,
): void {
  const encoded = Buffer.concat([
    attributes.beforeNextHop,
    encodeAttribute(FLAG.transitive, ATTR.nextHop, nextHop),
    attributes.afterNextHop,
  ]);
  for (let at = 0; at < group.length; ) {
    writer.begin();
    writer.u16(0);
    writer.u16(encoded.length);
    writer.put(encoded);
    while (at < group.length && writer.left >= prefixOctets(table, group[at]!)) {
      putPrefix(writer, table, group[at++]!);
    }
    writer.end();
  }
}

function announceMp(
  writer: MessageWriter,
  table: RouteTable,
  group: Int32Array,
  attributes: SessionAttributes,
  nextHop: Uint8Array | undefined,
): void {
  if (nextHop === undefined) throw new RangeError('IPv6 routes need a sender with an IPv6 next hop');
  for (let at = 0; at < group.length; ) {
    writer.begin();
    writer.u16(0);
    const attributesAt = writer.length;
    writer.u16(0);
    // RFC 7606 §5.1: MP_REACH_NLRI first.
    const valueLengthAt = beginMp(writer, ATTR.mpReach, table);
    writer.u8(nextHop.length);
    writer.put(nextHop);
    writer.u8(0);
    const rest = attributes.beforeNextHop.length + attributes.afterNextHop.length;
    while (at < group.length && writer.left >= prefixOctets(table, group[at]!) + rest) {
      putPrefix(writer, table, group[at++]!);
    }
    writer.setU16(valueLengthAt, writer.length - valueLengthAt - 2);
    writer.put(attributes.beforeNextHop);
    writer.put(attributes.afterNextHop);
    writer.setU16(attributesAt, writer.length - attributesAt - 2);
    writer.end();
  }
}

/** Starts MP_REACH_NLRI or MP_UNREACH_NLRI with an extended length, whose place is returned. */
function beginMp(writer: MessageWriter, type: number, table: RouteTable): number {
  writer.u8(FLAG.optional | FLAG.extendedLength);
  writer.u8(type);
  const valueLengthAt = writer.length;
  writer.u16(0);
  writer.u16(table.family.afi);
  writer.u8(table.family.safi);
  return valueLengthAt;
}

function prefixOctets(table: RouteTable, index: number): number {
  return 1 + ((table.lengths[index]! + 7) >> 3);
}

function putPrefix(writer: MessageWriter, table: RouteTable, index: number): void {
  const length = table.lengths[index]!;
  writer.u8(length);
  const base = index * table.family.words;
  for (let octet = 0; octet * 8 < length; octet++) {
    writer.u8((table.words[base + (octet >> 2)]! >> (24 - (octet & 3) * 8)) & 255);
  }
}

/** The routes of a range, those of one attribute set together (a counting sort): the order in which they are sent. */
export function byAttributeSet(table: RouteTable, range: RouteRange): Int32Array {
  const starts = new Int32Array(table.pool.count + 1);
  for (let i = range.from; i < range.to; i++) starts[table.attributes[i]! + 1]!++;
  for (let set = 1; set < starts.length; set++) starts[set] = starts[set]! + starts[set - 1]!;
  const out = new Int32Array(range.to - range.from);
  for (let i = range.from; i < range.to; i++) out[starts[table.attributes[i]!]!++] = i;
  return out;
}

interface SessionAttributes {
  readonly beforeNextHop: Uint8Array;
  readonly afterNextHop: Uint8Array;
}

/** ORIGIN and AS_PATH of a route that a daemon dumped without them because no peer had sent it. */
const LOCAL_ROUTE = { origin: Uint8Array.of(2), asPath: new Uint8Array(0) } as const;

/** A set with the attributes that RFC 4271 §5 makes mandatory. */
function completed(set: Uint8Array): Uint8Array {
  const types = new Set<number>();
  for (let at = 0; at < set.length; at = nextAttribute(set, at)) types.add(set[at + 1]!);
  if (types.has(ATTR.origin) && types.has(ATTR.asPath)) return set;
  const missing = [
    ...(types.has(ATTR.origin) ? [] : [encodeAttribute(FLAG.transitive, ATTR.origin, LOCAL_ROUTE.origin)]),
    ...(types.has(ATTR.asPath) ? [] : [encodeAttribute(FLAG.transitive, ATTR.asPath, LOCAL_ROUTE.asPath)]),
  ];
  return Buffer.concat([...missing, set]);
}

function nextAttribute(set: Uint8Array, at: number): number {
  const extended = (set[at]! & FLAG.extendedLength) !== 0;
  return at + (extended ? 4 + ((set[at + 2]! << 8) | set[at + 3]!) : 3 + set[at + 2]!);
}

/** The set as this sender sends it: own AS in front on eBGP, LOCAL_PREF on iBGP, in ascending order of type. */
function sessionAttributes(dumped: Uint8Array, sender: SenderIdentity): SessionAttributes {
  const set = completed(dumped);
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  const external = sender.asn !== sender.peerAs;
  let localPref = external
    ? undefined
    : encodeAttribute(FLAG.transitive, ATTR.localPref, Uint8Array.of(0, 0, 0, DEFAULT_LOCAL_PREF));
  for (let at = 0; at < set.length; ) {
    const flags = set[at]!;
    const type = set[at + 1]!;
    const end = nextAttribute(set, at);
    const start = at + ((flags & FLAG.extendedLength) !== 0 ? 4 : 3);
    if (localPref !== undefined && type > ATTR.localPref) {
      after.push(localPref);
      localPref = undefined;
    }
    if (type === ATTR.asPath && external) {
      before.push(encodeAttribute(flags, type, withFirstAs(set.subarray(start, end), sender.asn)));
    } else (type < ATTR.nextHop ? before : after).push(set.subarray(at, end));
    at = end;
  }
  if (localPref !== undefined) after.push(localPref);
  return { beforeNextHop: Buffer.concat(before), afterNextHop: Buffer.concat(after) };
}

/** AS_PATH with `asn` in front where it is not there already (RFC 4271 §6.3: a receiver may check). */
function withFirstAs(path: Uint8Array, asn: number): Uint8Array {
  const octets = [(asn >>> 24) & 255, (asn >>> 16) & 255, (asn >>> 8) & 255, asn & 255];
  if (path[0] !== SEQUENCE || path[1] === SEGMENT_LIMIT)
    return Uint8Array.from([SEQUENCE, 1, ...octets, ...path]);
  if (octets.every((octet, i) => path[2 + i] === octet)) return path;
  return Uint8Array.from([SEQUENCE, path[1]! + 1, ...octets, ...path.subarray(2)]);
}
