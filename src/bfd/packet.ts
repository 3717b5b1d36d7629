// BFD Control packets (RFC 5880 §4.1), without what authentication adds (authentication.ts). Decoding fills a record
// that the caller keeps, so that a packet costs no memory; it refuses what §6.8.6 discards before any session is known.

import { type Discard, type SessionState, STATE, STATE_NAMES } from './protocol.ts';

/** Octets of the mandatory section; with authentication at least two more (§6.8.6). */
export const HEADER_OCTETS = 24;
const SMALLEST_AUTHENTICATED = 26;
export const LONGEST_PACKET = HEADER_OCTETS + 28;
const VERSION = 1;

const BIT = { poll: 0x20, final: 0x10, independent: 0x08, authenticated: 0x04, demand: 0x02, multipoint: 1 };
const AT = { multiplier: 2, length: 3, mine: 4, yours: 8, desiredTx: 12, requiredRx: 16, echoRx: 20 };
const VERSION_SHIFT = 5;
const STATE_SHIFT = 6;
const DIAGNOSTIC_MASK = 0x1f;

export interface ControlPacket {
  diagnostic: number;
  state: SessionState;
  poll: boolean;
  final: boolean;
  controlPlaneIndependent: boolean;
  authenticated: boolean;
  demand: boolean;
  detectMultiplier: number;
  /** Octets, authentication included. */
  length: number;
  myDiscriminator: number;
  /** 0: not known yet. */
  yourDiscriminator: number;
  /** Microseconds, as the next two. */
  desiredMinTx: number;
  requiredMinRx: number;
  requiredMinEchoRx: number;
}

export function emptyPacket(): ControlPacket {
  return {
    diagnostic: 0,
    state: 'Down',
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    authenticated: false,
    demand: false,
    detectMultiplier: 0,
    length: 0,
    myDiscriminator: 0,
    yourDiscriminator: 0,
    desiredMinTx: 0,
    requiredMinRx: 0,
    requiredMinEchoRx: 0,
  };
}

/** Reads the packet in `[start, end)` into `out`; gives why it must be discarded (`out` is void then). §6.8.6. */
export function decodePacket(
  view: DataView,
  start: number,
  end: number,
  out: ControlPacket,
): Discard | undefined {
  const octets = end - start;
  if (octets <= 0) return 'length';
  const first = view.getUint8(start);
  if (first >> VERSION_SHIFT !== VERSION) return 'version';
  if (octets <= AT.length) return 'length';
  const flags = view.getUint8(start + 1);
  const length = view.getUint8(start + AT.length);
  const authenticated = (flags & BIT.authenticated) !== 0;
  if (length < (authenticated ? SMALLEST_AUTHENTICATED : HEADER_OCTETS) || length > octets) return 'length';
  const multiplier = view.getUint8(start + AT.multiplier);
  if (multiplier === 0) return 'detect-multiplier';
  if ((flags & BIT.multipoint) !== 0) return 'multipoint';
  const mine = view.getUint32(start + AT.mine);
  if (mine === 0) return 'my-discriminator';
  out.diagnostic = first & DIAGNOSTIC_MASK;
  out.state = STATE_NAMES[flags >> STATE_SHIFT]!;
  out.poll = (flags & BIT.poll) !== 0;
  out.final = (flags & BIT.final) !== 0;
  out.controlPlaneIndependent = (flags & BIT.independent) !== 0;
  out.authenticated = authenticated;
  out.demand = (flags & BIT.demand) !== 0;
  out.detectMultiplier = multiplier;
  out.length = length;
  out.myDiscriminator = mine;
  out.yourDiscriminator = view.getUint32(start + AT.yours);
  out.desiredMinTx = view.getUint32(start + AT.desiredTx);
  out.requiredMinRx = view.getUint32(start + AT.requiredRx);
  out.requiredMinEchoRx = view.getUint32(start + AT.echoRx);
  return undefined;
}

/** Writes the mandatory section at `start`; `length` of the packet counts what authentication will add. */
export function encodePacket(packet: Readonly<ControlPacket>, view: DataView, start: number): void {
  view.setUint8(start, (VERSION << VERSION_SHIFT) | packet.diagnostic);
  view.setUint8(
    start + 1,
    (STATE[packet.state] << STATE_SHIFT) |
      (packet.poll ? BIT.poll : 0) |
      (packet.final ? BIT.final : 0) |
      (packet.controlPlaneIndependent ? BIT.independent : 0) |
      (packet.authenticated ? BIT.authenticated : 0) |
      (packet.demand ? BIT.demand : 0),
  );
  view.setUint8(start + AT.multiplier, packet.detectMultiplier);
  view.setUint8(start + AT.length, packet.length);
  view.setUint32(start + AT.mine, packet.myDiscriminator);
  view.setUint32(start + AT.yours, packet.yourDiscriminator);
  view.setUint32(start + AT.desiredTx, packet.desiredMinTx);
  view.setUint32(start + AT.requiredRx, packet.requiredMinRx);
  view.setUint32(start + AT.echoRx, packet.requiredMinEchoRx);
}
