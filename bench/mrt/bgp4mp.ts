// Decodes BGP4MP and BGP4MP_ET records: BGP messages as they were received, and state changes of the collector's
// sessions. RFC 6396 §4.4, RFC 8050 §3. The message itself stays bytes; messages.ts takes it apart.

import { Cursor } from './cursor.ts';
import type { MrtRecord } from './records.ts';
import type { MrtPeer } from './rib.ts';

interface Bgp4mpSubtype {
  readonly what: 'message' | 'state';
  /** Octets of an AS number in this record's header and in the message's AS_PATH. */
  readonly asOctets: 2 | 4;
  readonly addPath: boolean;
}

/** RFC 6396 §4.4, RFC 8050 §3. The deprecated ENTRY and SNAPSHOT (2, 3) are left out. */
const SUBTYPES: ReadonlyMap<number, Bgp4mpSubtype> = new Map<number, Bgp4mpSubtype>([
  [0, { what: 'state', asOctets: 2, addPath: false }],
  [1, { what: 'message', asOctets: 2, addPath: false }],
  [4, { what: 'message', asOctets: 4, addPath: false }],
  [5, { what: 'state', asOctets: 4, addPath: false }],
  [6, { what: 'message', asOctets: 2, addPath: false }],
  [7, { what: 'message', asOctets: 4, addPath: false }],
  [8, { what: 'message', asOctets: 2, addPath: true }],
  [9, { what: 'message', asOctets: 4, addPath: true }],
  [10, { what: 'message', asOctets: 2, addPath: true }],
  [11, { what: 'message', asOctets: 4, addPath: true }],
]);

const AFI_IPV6 = 2;
/** RFC 4271 §4.1: the two octets of the length follow the marker. */
const HEADER_LENGTH = 19;
const LENGTH_AT = 16;

/** A BGP message as the collector saw it; valid only during the callback. */
export interface Bgp4mpMessage {
  timestamp: number;
  microseconds: number | undefined;
  peer: MrtPeer;
  localAs: number;
  /** Header included. */
  message: Uint8Array;
  as4: boolean;
  addPath: boolean;
}

/** RFC 6396 §4.4.1: states as RFC 4271 numbers them, Idle = 1 to Established = 6. */
export interface Bgp4mpStateChange {
  readonly timestamp: number;
  readonly peer: MrtPeer;
  readonly oldState: number;
  readonly newState: number;
}

export interface Bgp4mpHandlers {
  onMessage?(message: Bgp4mpMessage): void;
  onStateChange?(change: Bgp4mpStateChange): void;
}

/** False for a subtype that is not decoded. */
export function decodeBgp4mp(record: MrtRecord, handlers: Bgp4mpHandlers): boolean {
  const row = SUBTYPES.get(record.subtype);
  if (row === undefined) return false;
  const body = new Cursor(record.body);
  const asn = row.asOctets === 4 ? body.u32() : body.u16();
  const localAs = row.asOctets === 4 ? body.u32() : body.u16();
  body.take(2); // interface index
  const addressLength = body.u16() === AFI_IPV6 ? 16 : 4;
  const peer: MrtPeer = { address: body.take(addressLength).slice(), asn, id: 0 };
  body.take(addressLength); // the collector's own address
  if (row.what === 'state') {
    handlers.onStateChange?.({
      timestamp: record.timestamp,
      peer,
      oldState: body.u16(),
      newState: body.u16(),
    });
    return true;
  }
  handlers.onMessage?.({
    timestamp: record.timestamp,
    microseconds: record.microseconds,
    peer,
    localAs,
    message: wholeMessage(body),
    as4: row.asOctets === 4,
    addPath: row.addPath,
  });
  return true;
}

/** Collectors have written records with octets after the message: its own length counts. */
function wholeMessage(body: Cursor): Uint8Array {
  const rest = body.take(body.left);
  const length = rest.length < HEADER_LENGTH ? 0 : (rest[LENGTH_AT]! << 8) | rest[LENGTH_AT + 1]!;
  return length >= HEADER_LENGTH && length < rest.length ? rest.subarray(0, length) : rest;
}
