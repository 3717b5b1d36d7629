// Messages as a capture file that tcpdump, tshark and Wireshark read: libpcap's format with raw IP packets. The packets
// are made up around what was really said: addresses, ports, direction, order and moments are true; handshake, sequence
// numbers and segmentation are as a network without loss would have them.
// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, RFC 791, RFC 8200, RFC 9293, RFC 1071.

import { writeUint16, writeUint32 } from './bytes.ts';

export interface TcpEnd {
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly port: number;
}

export interface TcpConversation {
  /** Tells conversations of the same ends apart. */
  readonly id: number;
  /** Who opened the connection, and the other. */
  readonly client: TcpEnd;
  readonly server: TcpEnd;
}

const MAGIC = 0xa1b2c3d4;
const VERSION = [2, 4] as const;
const SNAP_LENGTH = 0x40000;
/** LINKTYPE_RAW: the version field says which IP it is. */
const LINK_RAW = 101;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const PROTOCOL_TCP = 6;
const HOPS = 64;
const WINDOW = 0xffff;
/** What one made-up segment carries; below what 16 bits of length allow. */
const SEGMENT = 32_768;
const FLAG = { syn: 0x02, push: 0x08, ack: 0x10 } as const;
const MS_PER_SECOND = 1000;
const MICROS_PER_MS = 1000;
const IPV4_OCTETS = 4;

interface Progress {
  /** Next sequence number of the client and of the server. */
  readonly next: [number, number];
}

/** Makes a file: its header first, then the packets of one message after the other. */
export class PcapWriter {
  readonly #conversations = new Map<number, Progress>();
  #packets = 0;

  /** The beginning of the file. */
  header(): Uint8Array {
    const view = new DataView(new ArrayBuffer(FILE_HEADER));
    view.setUint32(0, MAGIC);
    view.setUint16(4, VERSION[0]);
    view.setUint16(6, VERSION[1]);
    view.setUint32(16, SNAP_LENGTH);
    view.setUint32(20, LINK_RAW);
    return new Uint8Array(view.buffer);
  }

  /** What is appended for octets that one end said at `at` (wall-clock milliseconds). */
  message(conversation: TcpConversation, byClient: boolean, octets: Uint8Array, at: number): Uint8Array {
    const packets: Uint8Array[] = [];
    const progress = this.#progress(conversation, at, packets);
    for (let start = 0; start < octets.length; start += SEGMENT) {
      const part = octets.subarray(start, start + SEGMENT);
      packets.push(this.#packet(conversation, progress, byClient, FLAG.ack | FLAG.push, part, at));
    }
    return join(packets);
  }

  /** A conversation begins with a handshake. */
  #progress(conversation: TcpConversation, at: number, packets: Uint8Array[]): Progress {
    const known = this.#conversations.get(conversation.id);
    if (known !== undefined) return known;
    const progress: Progress = { next: [0, 0] };
    this.#conversations.set(conversation.id, progress);
    const none = new Uint8Array(0);
    packets.push(this.#packet(conversation, progress, true, FLAG.syn, none, at));
    packets.push(this.#packet(conversation, progress, false, FLAG.syn | FLAG.ack, none, at));
    packets.push(this.#packet(conversation, progress, true, FLAG.ack, none, at));
    return progress;
  }

  #packet(
    { client, server }: TcpConversation,
    { next }: Progress,
    byClient: boolean,
    flags: number,
    payload: Uint8Array,
    at: number,
  ): Uint8Array {
    const [from, to] = byClient ? [client, server] : [server, client];
    const [mine, theirs] = byClient ? [0, 1] : [1, 0];
    const ipHeader = from.address.length === IPV4_OCTETS ? IPV4_HEADER : IPV6_HEADER;
    const length = ipHeader + TCP_HEADER + payload.length;
    const record = new Uint8Array(RECORD_HEADER + length);
    const view = new DataView(record.buffer);
    view.setUint32(0, Math.floor(at / MS_PER_SECOND));
    view.setUint32(4, Math.floor((at % MS_PER_SECOND) * MICROS_PER_MS));
    view.setUint32(8, length);
    view.setUint32(12, length);
    const ip = record.subarray(RECORD_HEADER);
    if (ipHeader === IPV4_HEADER) writeIpv4(ip, from.address, to.address, ++this.#packets);
    else writeIpv6(ip, from.address, to.address);
    const segment = ip.subarray(ipHeader);
    writeTcp(segment, from.port, to.port, next[mine]!, (flags & FLAG.ack) === 0 ? 0 : next[theirs]!, flags);
    segment.set(payload, TCP_HEADER);
    writeUint16(segment, 16, tcpChecksum(from.address, to.address, segment));
    next[mine] = (next[mine]! + payload.length + (flags & FLAG.syn ? 1 : 0)) >>> 0;
    return record;
  }
}

function writeIpv4(ip: Uint8Array, from: Uint8Array, to: Uint8Array, id: number): void {
  ip[0] = 0x45;
  writeUint16(ip, 2, ip.length);
  writeUint16(ip, 4, id & 0xffff);
  ip[6] = 0x40;
  ip[8] = HOPS;
  ip[9] = PROTOCOL_TCP;
  ip.set(from, 12);
  ip.set(to, 16);
  writeUint16(ip, 10, fold(sum(ip.subarray(0, IPV4_HEADER))));
}

function writeIpv6(ip: Uint8Array, from: Uint8Array, to: Uint8Array): void {
  ip[0] = 0x60;
  writeUint16(ip, 4, ip.length - IPV6_HEADER);
  ip[6] = PROTOCOL_TCP;
  ip[7] = HOPS;
  ip.set(from, 8);
  ip.set(to, 24);
}

function writeTcp(
  segment: Uint8Array,
  fromPort: number,
  toPort: number,
  sequence: number,
  acknowledged: number,
  flags: number,
): void {
  writeUint16(segment, 0, fromPort);
  writeUint16(segment, 2, toPort);
  writeUint32(segment, 4, sequence);
  writeUint32(segment, 8, acknowledged);
  segment[12] = (TCP_HEADER / 4) << 4;
  segment[13] = flags;
  writeUint16(segment, 14, WINDOW);
}

/** RFC 9293 §3.1: over the pseudo header, too. */
function tcpChecksum(from: Uint8Array, to: Uint8Array, segment: Uint8Array): number {
  return fold(sum(from) + sum(to) + PROTOCOL_TCP + segment.length + sum(segment));
}

function sum(octets: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < octets.length; i++) total += i % 2 === 0 ? octets[i]! << 8 : octets[i]!;
  return total;
}

function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
