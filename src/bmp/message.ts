// BMP messages: octets <-> values (RFC 7854 §4). BGP messages inside stay octets: whoever wants to know more of them has
// bgp/wire. Encoding is what a router does; decoding serves tests and tools, and refuses what is malformed with a sentence.

import { ByteRangeError, ByteReader, ByteWriter, readUint32, writeUint32 } from '../lib/bytes.ts';
import {
  BMP_MESSAGE,
  BMP_VERSION,
  COMMON_HEADER_OCTETS,
  INFORMATION,
  LOC_RIB_FILTERED,
  LONGEST_MESSAGE,
  PEER_FLAG,
  PEER_HEADER_OCTETS,
  PEER_TYPE,
  STATISTIC,
  type StatisticForm,
  TERMINATION_INFORMATION,
} from './protocol.ts';

/** The per-peer header: whose routes, and as of when. */
export interface PeerHeader {
  readonly type: number;
  /** PEER_FLAG bits without `ipv6`, which the address says; of a Loc-RIB all of them. */
  readonly flags: number;
  /** 8 octets, zero for a peer of the global instance. */
  readonly distinguisher: Uint8Array;
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly asn: number;
  /** Unsigned. */
  readonly bgpId: number;
  /** Wall-clock time; zero where it is not known. */
  readonly seconds: number;
  readonly micros: number;
}

export interface Information {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface Statistic {
  readonly type: number;
  readonly value: bigint;
  /** Of a statistic of one family. */
  readonly family?: { readonly afi: number; readonly safi: number };
}

/** A statistic whose form nobody knows here. */
export interface UnknownStatistic {
  readonly type: number;
  readonly octets: Uint8Array;
}

export interface PeerUp {
  readonly kind: 'peer-up';
  readonly peer: PeerHeader;
  /** 4 or 16 octets. */
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  /** Whole BGP messages. */
  readonly sentOpen: Uint8Array;
  readonly receivedOpen: Uint8Array;
  readonly information: readonly Information[];
}

export interface PeerDown {
  readonly kind: 'peer-down';
  readonly peer: PeerHeader;
  readonly reason: number;
  /** A NOTIFICATION, two octets of an event, information, or nothing: as the reason has it. */
  readonly data: Uint8Array;
}

export type BmpMessage =
  | { readonly kind: 'route-monitoring'; readonly peer: PeerHeader; readonly update: Uint8Array }
  | {
      readonly kind: 'statistics-report';
      readonly peer: PeerHeader;
      readonly statistics: readonly (Statistic | UnknownStatistic)[];
    }
  | PeerDown
  | PeerUp
  | { readonly kind: 'initiation'; readonly information: readonly Information[] }
  | { readonly kind: 'termination'; readonly reason: number; readonly texts: readonly string[] }
  /** RFC 7854 §4.1: of a type that is not known; to be passed over. */
  | { readonly kind: 'unknown'; readonly type: number };

/** What is not BMP as RFC 7854 has it. */
export class BmpError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BmpError';
  }
}

const VERSION_AT = 0;
const LENGTH_AT = 1;
const TYPE_AT = 5;
const ADDRESS_OCTETS = 16;
const IPV4_OCTETS = 4;
const DISTINGUISHER_OCTETS = 8;
/** Where the length of a BGP message stands. */
const BGP_LENGTH_AT = 16;
const BGP_HEADER_OCTETS = 19;
const GAUGE_OCTETS = 8;
const FAMILY_OCTETS = 3;
const OCTETS_OF: Readonly<Record<StatisticForm, number>> = {
  counter: 4,
  gauge: GAUGE_OCTETS,
  'family-gauge': FAMILY_OCTETS + GAUGE_OCTETS,
};
const FORMS: ReadonlyMap<number, StatisticForm> = new Map(
  Object.values(STATISTIC).map(({ type, form }) => [type, form]),
);
const WORD = 1n << 32n;

// ----- encoding

/** The octets of one message; `unknown` is not made. */
export function encodeMessage(message: Exclude<BmpMessage, { kind: 'unknown' }>): Uint8Array {
  const writer = new ByteWriter();
  writer.uint8(BMP_VERSION).uint32(0);
  switch (message.kind) {
    case 'initiation':
      writer.uint8(BMP_MESSAGE.initiation);
      writeInformation(writer, message.information);
      break;
    case 'termination':
      writer.uint8(BMP_MESSAGE.termination);
      writeInformation(writer, [
        ...message.texts.map((text) => textOf(TERMINATION_INFORMATION.text, text)),
        { type: TERMINATION_INFORMATION.reason, value: Uint8Array.of(message.reason >> 8, message.reason) },
      ]);
      break;
    case 'peer-up':
      writer.uint8(BMP_MESSAGE.peerUp).bytes(encodePeerHeader(message.peer));
      writer.bytes(padded(message.localAddress)).uint16(message.localPort).uint16(message.remotePort);
      writer.bytes(message.sentOpen).bytes(message.receivedOpen);
      writeInformation(writer, message.information);
      break;
    case 'peer-down':
      writer.uint8(BMP_MESSAGE.peerDown).bytes(encodePeerHeader(message.peer));
      writer.uint8(message.reason).bytes(message.data);
      break;
    case 'route-monitoring':
      writer.uint8(BMP_MESSAGE.routeMonitoring).bytes(encodePeerHeader(message.peer)).bytes(message.update);
      break;
    case 'statistics-report':
      writer.uint8(BMP_MESSAGE.statisticsReport).bytes(encodePeerHeader(message.peer));
      writer.uint32(message.statistics.length);
      for (const each of message.statistics) writeStatistic(writer, each);
      break;
  }
  const bytes = writer.finish();
  writeUint32(bytes, LENGTH_AT, bytes.length);
  return bytes;
}

/** What stands before each UPDATE of a peer, of which only the length and the time differ: `setRouteHeader`. */
export function routeHeader(peer: PeerHeader): Uint8Array {
  return encodeMessage({ kind: 'route-monitoring', peer, update: new Uint8Array(0) });
}

/** Octets before the UPDATE in a Route Monitoring message. */
export const ROUTE_HEADER_OCTETS = COMMON_HEADER_OCTETS + PEER_HEADER_OCTETS;
const SECONDS_AT = ROUTE_HEADER_OCTETS - 8;

/** Makes of a `routeHeader` at `bytes[at]` the one of an UPDATE of so many octets. */
export function setRouteHeader(bytes: Uint8Array, at: number, updateLength: number, seconds: number): void {
  writeUint32(bytes, at + LENGTH_AT, ROUTE_HEADER_OCTETS + updateLength);
  writeUint32(bytes, at + SECONDS_AT, seconds);
}

/** Information of text. */
export function textOf(type: number, text: string): Information {
  return { type, value: new TextEncoder().encode(text) };
}

/** The octets of the information that a Peer Down of a Loc-RIB carries. */
export function informationOctets(information: readonly Information[]): Uint8Array {
  const writer = new ByteWriter();
  writeInformation(writer, information);
  return writer.finish();
}

function encodePeerHeader(peer: PeerHeader): Uint8Array {
  const writer = new ByteWriter(PEER_HEADER_OCTETS);
  const v = peer.type !== PEER_TYPE.locRib && peer.address.length === ADDRESS_OCTETS ? PEER_FLAG.ipv6 : 0;
  writer.uint8(peer.type).uint8(peer.flags | v);
  writer.bytes(peer.distinguisher).bytes(padded(peer.address));
  writer.uint32(peer.asn).uint32(peer.bgpId).uint32(peer.seconds).uint32(peer.micros);
  return writer.finish();
}

/** RFC 7854 §4.2: an IPv4 address stands in the last four octets. */
function padded(address: Uint8Array): Uint8Array {
  const octets = new Uint8Array(ADDRESS_OCTETS);
  octets.set(address, ADDRESS_OCTETS - address.length);
  return octets;
}

function writeInformation(writer: ByteWriter, information: readonly Information[]): void {
  for (const { type, value } of information) writer.uint16(type).uint16(value.length).bytes(value);
}

function writeStatistic(writer: ByteWriter, statistic: Statistic | UnknownStatistic): void {
  const { type } = statistic;
  if ('octets' in statistic) {
    writer.uint16(type).uint16(statistic.octets.length).bytes(statistic.octets);
    return;
  }
  const form = FORMS.get(type);
  if (form === undefined) throw new RangeError(`statistic ${type} is not known`);
  writer.uint16(type).uint16(OCTETS_OF[form]);
  const { value, family = { afi: 0, safi: 0 } } = statistic;
  if (form === 'family-gauge') writer.uint16(family.afi).uint8(family.safi);
  if (form !== 'counter') writer.uint32(Number(BigInt.asUintN(64, value) / WORD));
  // RFC 7854 §4.8: counters wrap around.
  writer.uint32(Number(BigInt.asUintN(32, value)));
}

// ----- decoding

/** Length of the message that begins `buffer[start]`; undefined where its header is not all there. Throws BmpError. */
export function messageLength(buffer: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < COMMON_HEADER_OCTETS) return undefined;
  const version = buffer[start + VERSION_AT]!;
  if (version !== BMP_VERSION) throw new BmpError(`version ${version} of BMP, not ${BMP_VERSION}`);
  const length = readUint32(buffer, start + LENGTH_AT);
  if (length < COMMON_HEADER_OCTETS || length > LONGEST_MESSAGE) {
    throw new BmpError(`a message of ${length} octets`);
  }
  return length;
}

/** The whole messages in octets, one behind the other, and how many octets they take. Throws BmpError. */
export function decodeMessages(bytes: Uint8Array): {
  readonly messages: BmpMessage[];
  readonly octets: number;
} {
  const messages: BmpMessage[] = [];
  let at = 0;
  for (;;) {
    const length = messageLength(bytes, at, bytes.length);
    if (length === undefined || at + length > bytes.length) return { messages, octets: at };
    messages.push(decodeMessage(bytes, at, at + length));
    at += length;
  }
}

/** Reads `buffer[start, end)`, a whole message. Throws BmpError. */
export function decodeMessage(buffer: Uint8Array, start: number, end: number): BmpMessage {
  const length = messageLength(buffer, start, end);
  if (length !== end - start) throw new BmpError(`a length of ${length} in ${end - start} octets`);
  const type = buffer[start + TYPE_AT]!;
  const read = READERS.get(type);
  if (read === undefined) return { kind: 'unknown', type };
  try {
    return read(new ByteReader(buffer, start + COMMON_HEADER_OCTETS, end));
  } catch (error) {
    if (error instanceof ByteRangeError) throw new BmpError(`message of type ${type}: ${error.message}`);
    throw error;
  }
}

const READERS: ReadonlyMap<number, (reader: ByteReader) => BmpMessage> = new Map([
  [BMP_MESSAGE.routeMonitoring, readRouteMonitoring],
  [BMP_MESSAGE.statisticsReport, readStatistics],
  [BMP_MESSAGE.peerDown, readPeerDown],
  [BMP_MESSAGE.peerUp, readPeerUp],
  [BMP_MESSAGE.initiation, readInitiation],
  [BMP_MESSAGE.termination, readTermination],
]);

function readRouteMonitoring(reader: ByteReader): BmpMessage {
  const peer = readPeerHeader(reader);
  return { kind: 'route-monitoring', peer, update: reader.rest() };
}

function readStatistics(reader: ByteReader): BmpMessage {
  const peer = readPeerHeader(reader);
  const statistics: (Statistic | UnknownStatistic)[] = [];
  for (let left = reader.uint32(); left > 0; left--) statistics.push(readStatistic(reader));
  return { kind: 'statistics-report', peer, statistics };
}

function readPeerDown(reader: ByteReader): BmpMessage {
  const peer = readPeerHeader(reader);
  const reason = reader.uint8();
  return { kind: 'peer-down', peer, reason, data: reader.rest() };
}

function readPeerUp(reader: ByteReader): BmpMessage {
  const peer = readPeerHeader(reader);
  return {
    kind: 'peer-up',
    peer,
    localAddress: unpadded(reader.bytes(ADDRESS_OCTETS), peer.address.length),
    localPort: reader.uint16(),
    remotePort: reader.uint16(),
    sentOpen: readBgpMessage(reader),
    receivedOpen: readBgpMessage(reader),
    information: readInformation(reader),
  };
}

function readInitiation(reader: ByteReader): BmpMessage {
  const information = readInformation(reader);
  for (const type of [INFORMATION.sysDescr, INFORMATION.sysName]) {
    // RFC 7854 §4.3
    if (!information.some((each) => each.type === type)) {
      throw new BmpError(`an Initiation without information of type ${type}`);
    }
  }
  return { kind: 'initiation', information };
}

function readTermination(reader: ByteReader): BmpMessage {
  const information = readInformation(reader);
  const reason = information.find(({ type }) => type === TERMINATION_INFORMATION.reason)?.value;
  if (reason?.length !== 2) throw new BmpError('a Termination without a reason');
  const texts = information
    .filter(({ type }) => type === TERMINATION_INFORMATION.text)
    .map(({ value }) => new TextDecoder().decode(value));
  return { kind: 'termination', reason: (reason[0]! << 8) | reason[1]!, texts };
}

function readPeerHeader(reader: ByteReader): PeerHeader {
  const type = reader.uint8();
  const flags = reader.uint8();
  const distinguisher = reader.bytes(DISTINGUISHER_OCTETS);
  const isLocRib = type === PEER_TYPE.locRib;
  const ipv6 = !isLocRib && (flags & PEER_FLAG.ipv6) !== 0;
  return {
    type,
    // RFC 7854 §4.2: reserved bits mean nothing on receipt.
    flags: isLocRib
      ? flags & LOC_RIB_FILTERED
      : flags & (PEER_FLAG.postPolicy | PEER_FLAG.as2 | PEER_FLAG.out),
    distinguisher,
    address: unpadded(reader.bytes(ADDRESS_OCTETS), ipv6 ? ADDRESS_OCTETS : IPV4_OCTETS),
    asn: reader.uint32(),
    bgpId: reader.uint32(),
    seconds: reader.uint32(),
    micros: reader.uint32(),
  };
}

function unpadded(octets: Uint8Array, length: number): Uint8Array {
  return octets.slice(ADDRESS_OCTETS - length);
}

/** A BGP message, whose length stands in its header. */
function readBgpMessage(reader: ByteReader): Uint8Array {
  const head = reader.bytes(BGP_HEADER_OCTETS);
  const length = (head[BGP_LENGTH_AT]! << 8) | head[BGP_LENGTH_AT + 1]!;
  if (length < BGP_HEADER_OCTETS) throw new BmpError(`a BGP message of ${length} octets`);
  const whole = new Uint8Array(length);
  whole.set(head);
  whole.set(reader.bytes(length - BGP_HEADER_OCTETS), BGP_HEADER_OCTETS);
  return whole;
}

function readInformation(reader: ByteReader): Information[] {
  const information: Information[] = [];
  while (reader.remaining > 0) {
    const type = reader.uint16();
    information.push({ type, value: reader.bytes(reader.uint16()) });
  }
  return information;
}

function readStatistic(reader: ByteReader): Statistic | UnknownStatistic {
  const type = reader.uint16();
  const octets = reader.bytes(reader.uint16());
  const form = FORMS.get(type);
  // RFC 7854 §4.8: what is not known, or not as expected, is passed over.
  if (form === undefined || octets.length !== OCTETS_OF[form]) return { type, octets };
  const value = new ByteReader(octets);
  const family = form === 'family-gauge' ? { afi: value.uint16(), safi: value.uint8() } : undefined;
  const high = form === 'counter' ? 0n : BigInt(value.uint32());
  const number = high * WORD + BigInt(value.uint32());
  return family === undefined ? { type, value: number } : { type, value: number, family };
}
