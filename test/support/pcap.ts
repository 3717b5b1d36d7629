// Captures as test input: pcap and pcapng files to TCP byte streams. Reads what the captures at hand have (Ethernet
// with VLAN tags, Linux cooked, raw IP, IPv4 and IPv6 without fragments) and passes over the rest.

const PCAP_MAGIC = 0xa1b2c3d4;
const PCAP_NANO_MAGIC = 0xa1b23c4d;
const PCAPNG_MAGIC = 0x0a0d0d0a;
const PCAPNG_ORDER = 0x1a2b3c4d;
const BLOCK = { interface: 1, simplePacket: 3, enhancedPacket: 6 } as const;
const LINK = {
  null: 0,
  ethernet: 1,
  raw: 101,
  rawAlso: 12,
  cooked: 113,
  cooked2: 276,
  ipv4: 228,
  ipv6: 229,
} as const;
const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, qinq: 0x88a8 } as const;
const PROTOCOL_TCP = 6;

interface Packet {
  readonly link: number;
  readonly bytes: Uint8Array;
}

/** One direction of one TCP connection. */
export interface TcpStream {
  /** `10.0.0.1:179` written as hexadecimal addresses: only equality counts. */
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  /** The octets up to the first gap. */
  readonly bytes: Uint8Array;
  /** The capture lacks a part of what came later. */
  readonly gap: boolean;
  /** The stream was captured from its SYN on. */
  readonly fromStart: boolean;
}

/** All TCP streams of a capture file. */
export function tcpStreams(file: Uint8Array): TcpStream[] {
  const segments = new Map<string, Segment[]>();
  for (const packet of packets(file)) {
    const segment = tcpSegment(packet);
    if (segment === undefined) continue;
    const key = `${segment.from}:${segment.fromPort} ${segment.to}:${segment.toPort}`;
    const list = segments.get(key) ?? [];
    list.push(segment);
    segments.set(key, list);
  }
  return [...segments.values()].flatMap(reassemble);
}

interface Segment {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly sequence: number;
  readonly syn: boolean;
  readonly data: Uint8Array;
}

function* packets(file: Uint8Array): Generator<Packet> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.getUint32(0, true);
  if (magic === PCAPNG_MAGIC) yield* pcapngPackets(file, view);
  else yield* pcapPackets(file, view);
}

function* pcapPackets(file: Uint8Array, view: DataView): Generator<Packet> {
  const first = view.getUint32(0, true);
  const little = first === PCAP_MAGIC || first === PCAP_NANO_MAGIC;
  const link = view.getUint32(20, little) & 0xffff;
  for (let at = 24; at + 16 <= file.length; ) {
    const length = view.getUint32(at + 8, little);
    yield { link, bytes: file.subarray(at + 16, at + 16 + length) };
    at += 16 + length;
  }
}

function* pcapngPackets(file: Uint8Array, view: DataView): Generator<Packet> {
  let little = true;
  let links: number[] = [];
  for (let at = 0; at + 12 <= file.length; ) {
    if (view.getUint32(at, true) === PCAPNG_MAGIC) {
      little = view.getUint32(at + 8, true) === PCAPNG_ORDER;
      links = [];
    }
    const type = view.getUint32(at, little);
    const size = view.getUint32(at + 4, little);
    if (type === BLOCK.interface) links.push(view.getUint16(at + 8, little));
    if (type === BLOCK.enhancedPacket) {
      const length = view.getUint32(at + 20, little);
      const link = links[view.getUint32(at + 8, little)] ?? LINK.ethernet;
      yield { link, bytes: file.subarray(at + 28, at + 28 + length) };
    }
    if (type === BLOCK.simplePacket) {
      const length = Math.min(view.getUint32(at + 8, little), size - 16);
      yield { link: links[0] ?? LINK.ethernet, bytes: file.subarray(at + 12, at + 12 + length) };
    }
    if (size < 12) return;
    at += size;
  }
}

/** Where the IP header starts, or -1. */
function ipOffset({ link, bytes }: Packet): number {
  switch (link) {
    case LINK.ethernet: {
      let at = 12;
      let type = word(bytes, at);
      while (type === ETHERTYPE.vlan || type === ETHERTYPE.qinq) {
        at += 4;
        type = word(bytes, at);
      }
      return type === ETHERTYPE.ipv4 || type === ETHERTYPE.ipv6 ? at + 2 : -1;
    }
    case LINK.null:
      return 4;
    case LINK.raw:
    case LINK.rawAlso:
    case LINK.ipv4:
    case LINK.ipv6:
      return 0;
    case LINK.cooked:
      return 16;
    case LINK.cooked2:
      return 20;
    default:
      return -1;
  }
}

function tcpSegment(packet: Packet): Segment | undefined {
  const { bytes } = packet;
  const ip = ipOffset(packet);
  if (ip < 0 || ip >= bytes.length) return undefined;
  const version = bytes[ip]! >> 4;
  let tcp: number;
  let end: number;
  let from: Uint8Array;
  let to: Uint8Array;
  if (version === 4) {
    if (bytes[ip + 9] !== PROTOCOL_TCP || (word(bytes, ip + 6) & 0x1fff) !== 0) return undefined;
    tcp = ip + (bytes[ip]! & 15) * 4;
    end = ip + word(bytes, ip + 2);
    from = bytes.subarray(ip + 12, ip + 16);
    to = bytes.subarray(ip + 16, ip + 20);
  } else if (version === 6) {
    if (bytes[ip + 6] !== PROTOCOL_TCP) return undefined;
    tcp = ip + 40;
    end = tcp + word(bytes, ip + 4);
    from = bytes.subarray(ip + 8, ip + 24);
    to = bytes.subarray(ip + 24, ip + 40);
  } else return undefined;
  const data = tcp + (bytes[tcp + 12]! >> 4) * 4;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    from: Buffer.from(from).toString('hex'),
    to: Buffer.from(to).toString('hex'),
    fromPort: word(bytes, tcp),
    toPort: word(bytes, tcp + 2),
    sequence: view.getUint32(tcp + 4),
    syn: (bytes[tcp + 13]! & 2) !== 0,
    data: bytes.subarray(data, Math.max(data, Math.min(end, bytes.length))),
  };
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The streams of one direction between two ports: a SYN with a new sequence number starts another one. */
function reassemble(segments: readonly Segment[]): TcpStream[] {
  const groups: Segment[][] = [];
  for (const segment of segments) {
    const current = groups.at(-1);
    const again = current?.some((one) => one.syn && one.sequence === segment.sequence) ?? false;
    if (current === undefined || (segment.syn && !again)) groups.push([segment]);
    else current.push(segment);
  }
  return groups.map(join);
}

function join(segments: readonly Segment[]): TcpStream {
  const first = segments[0]!;
  const syn = segments.find((segment) => segment.syn);
  // Generated captures put data into a SYN and then do not count the SYN itself.
  const counted = syn !== undefined && syn.data.length === 0 ? 1 : 0;
  const base = syn === undefined ? first.sequence : syn.sequence + counted;
  const parts = segments
    .filter((segment) => segment.data.length > 0)
    // Relative to the start, with wrap-around.
    .map((segment) => ({ at: (segment.sequence - base) | 0, data: segment.data }))
    .sort((a, b) => a.at - b.at);
  const chunks: Uint8Array[] = [];
  let length = 0;
  let gap = false;
  for (const { at, data } of parts) {
    if (at > length) {
      gap = true;
      break;
    }
    if (at + data.length <= length) continue;
    chunks.push(data.subarray(Math.max(0, length - at)));
    length = at + data.length;
  }
  const { from, to, fromPort, toPort } = first;
  return { from, to, fromPort, toPort, bytes: Buffer.concat(chunks), gap, fromStart: syn !== undefined };
}
