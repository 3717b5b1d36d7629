// Messages of a peer and the states of its session in the MRT format (RFC 6396 §4.4): BGP4MP records, each of which can
// be read by itself. Messages with path identifiers have subtypes of their own (RFC 8050 §3).

import { MRT_HEADER, startMrtRecord } from './mrt.ts';
import { myAsField } from './open.ts';

const BGP4MP = 16;
/** BGP4MP_STATE_CHANGE_AS4; messages by whether ASes have 4 octets and prefixes path identifiers. */
const STATE_CHANGE_AS4 = 5;
const MESSAGE = { as2: { plain: 1, addPath: 8 }, as4: { plain: 4, addPath: 9 } } as const;
const AFI = { ipv4: 1, ipv6: 2 } as const;
const IPV4_OCTETS = 4;

/** The two ends of a session. */
export interface MrtSession {
  readonly peerAs: number;
  readonly localAs: number;
  /** Index of the interface; 0 where it is not known. */
  readonly ifindex: number;
  /** Both of 4 or 16 octets. */
  readonly peerAddress: Uint8Array;
  readonly localAddress: Uint8Array;
}

/** `timestamp`: wall-clock seconds; `message`: a whole one, header included. */
export function encodeMrtMessage(
  timestamp: number,
  session: MrtSession,
  form: { readonly as4: boolean; readonly addPath: boolean },
  message: Uint8Array,
): Uint8Array {
  const subtypes = form.as4 ? MESSAGE.as4 : MESSAGE.as2;
  const { record, at } = start(
    timestamp,
    form.addPath ? subtypes.addPath : subtypes.plain,
    session,
    form.as4,
    message.length,
  );
  record.set(message, at);
  return record;
}

/** States by their numbers in RFC 6396 §4.4.1: 1 is Idle, 6 Established. */
export function encodeMrtStateChange(
  timestamp: number,
  session: MrtSession,
  before: number,
  after: number,
): Uint8Array {
  const { record, at } = start(timestamp, STATE_CHANGE_AS4, session, true, 4);
  record[at + 1] = before;
  record[at + 3] = after;
  return record;
}

/** A record up to what is particular to its subtype, which takes `rest` octets from `at` on. */
function start(
  timestamp: number,
  subtype: number,
  { peerAs, localAs, ifindex, peerAddress, localAddress }: MrtSession,
  as4: boolean,
  rest: number,
): { record: Uint8Array; at: number } {
  const asOctets = as4 ? 4 : 2;
  const length = 2 * asOctets + 2 + 2 + 2 * peerAddress.length + rest;
  const record = startMrtRecord(timestamp, BGP4MP, subtype, length);
  const data = new DataView(record.buffer);
  let at = MRT_HEADER;
  for (const as of [peerAs, localAs]) {
    if (as4) data.setUint32(at, as);
    else data.setUint16(at, myAsField(as));
    at += asOctets;
  }
  data.setUint16(at, ifindex);
  data.setUint16(at + 2, peerAddress.length === IPV4_OCTETS ? AFI.ipv4 : AFI.ipv6);
  record.set(peerAddress, at + 4);
  record.set(localAddress, at + 4 + peerAddress.length);
  return { record, at: at + 4 + 2 * peerAddress.length };
}
