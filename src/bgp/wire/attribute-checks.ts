// Is an attribute's value well-formed: one function an attribute, named by the rows of attributes.ts. They look at
// octets only; flags, scope and what follows from an error are the scanner's and the table's business.
// (RFC 7606 §7 and the RFC of each attribute.)

import { readUint16, readUint32 } from '../../lib/bytes.ts';
import { SEGMENT_HEADER } from './as-path.ts';
import { AGGREGATOR_LENGTH, OLD_AGGREGATOR_LENGTH } from './as4.ts';
import { UPDATE_ERROR } from './error-codes.ts';
import { AS_TRANS, ORIGIN_NAMES, SEGMENT } from './iana.ts';

/** How an error is handled (RFC 7606 §2), weakest first; AFI/SAFI disable is not used. */
export type ErrorAction = 'attribute-discard' | 'treat-as-withdraw' | 'session-reset';

/** What is wrong with a value. Shared constants, so that finding it costs nothing. */
export interface Malformation {
  readonly message: string;
  /** Subcode of 3/x, should the session be reset over it. */
  readonly subcode: number;
  /** Where the row's own action is not the one for this error. */
  readonly action?: ErrorAction;
}

/** What the checks need to know of a session. */
export interface AttributeContext {
  readonly external: boolean;
  /** RFC 5065: the peer is a member of the same confederation. */
  readonly confederationPeer: boolean;
  readonly peerAs: number;
  readonly as4: boolean;
  /** RFC 7311 §3.3: AIGP_SESSION. */
  readonly aigp: boolean;
  /** LOCAL_PREF is taken. */
  readonly localPref: boolean;
  /** RFC 9774 §3 forbids AS_SET and AS_CONFED_SET; true lets them pass. */
  readonly acceptAsSets: boolean;
  /** RFC 4271 §6.3: the leftmost AS must be the peer's. */
  readonly enforceFirstAs: boolean;
}

export type AttributeCheck = (
  buffer: Uint8Array,
  start: number,
  end: number,
  context: AttributeContext,
) => Malformation | undefined;

function badLength(message: string): Malformation {
  return { message, subcode: UPDATE_ERROR.attributeLength };
}

function optional(message: string): Malformation {
  return { message, subcode: UPDATE_ERROR.optionalAttribute };
}

function badPath(message: string): Malformation {
  return { message, subcode: UPDATE_ERROR.malformedAsPath };
}

/** A check for values of one length. */
export function exactLength(length: number): AttributeCheck {
  const fault = badLength(`length is not ${length}`);
  return (_buffer, start, end) => (end - start === length ? undefined : fault);
}

/** A check for lists: at least one element of `size` octets, nothing left over. */
export function listOf(size: number): AttributeCheck {
  const fault = optional(`length is not a non-zero multiple of ${size}`);
  return (_buffer, start, end) => (end > start && (end - start) % size === 0 ? undefined : fault);
}

/** A check for values of at least `length` octets. */
export function atLeast(length: number): AttributeCheck {
  const fault = optional(`shorter than ${length} octets`);
  return (_buffer, start, end) => (end - start >= length ? undefined : fault);
}

const ORIGIN_LENGTH = badLength('length is not 1');
const ORIGIN_VALUE: Malformation = { message: 'undefined value', subcode: UPDATE_ERROR.invalidOrigin };

/** RFC 7606 §7.1 */
export const checkOrigin: AttributeCheck = (buffer, start, end) => {
  if (end - start !== 1) return ORIGIN_LENGTH;
  return buffer[start]! < ORIGIN_NAMES.length ? undefined : ORIGIN_VALUE;
};

const NEXT_HOP_LENGTH = badLength('length is not 4');
const NEXT_HOP_VALUE: Malformation = {
  message: 'not a host address',
  subcode: UPDATE_ERROR.invalidNextHop,
};
const MULTICAST_FIRST_OCTET = 224;
const MULTICAST_LAST_OCTET = 239;

/** RFC 7606 §7.3; RFC 4271 §6.3: a valid host address, which 0.0.0.0, multicast and broadcast are not. */
export const checkNextHop: AttributeCheck = (buffer, start, end) => {
  if (end - start !== 4) return NEXT_HOP_LENGTH;
  const address = readUint32(buffer, start);
  const first = address >>> 24;
  const multicast = first >= MULTICAST_FIRST_OCTET && first <= MULTICAST_LAST_OCTET;
  return address === 0 || address === 0xffffffff || multicast ? NEXT_HOP_VALUE : undefined;
};

/** What scanSegments found, as bits. */
const FOUND = { malformed: 1, set: 2, confederation: 4, zero: 8 } as const;

/** RFC 7606 §7.2: unknown segment type, overrun, a single octet at the end, a segment without ASes. */
function scanSegments(buffer: Uint8Array, start: number, end: number, asBytes: number): number {
  let found = 0;
  let at = start;
  while (at < end) {
    if (end - at < SEGMENT_HEADER) return FOUND.malformed;
    const type = buffer[at]!;
    const count = buffer[at + 1]!;
    const next = at + SEGMENT_HEADER + count * asBytes;
    if (type < SEGMENT.asSet || type > SEGMENT.confedSet || count === 0 || next > end) return FOUND.malformed;
    if (type === SEGMENT.asSet || type === SEGMENT.confedSet) found |= FOUND.set;
    if (type >= SEGMENT.confedSequence) found |= FOUND.confederation;
    if (asBytes === 4) {
      for (let i = at + SEGMENT_HEADER; i < next; i += 4) {
        if ((buffer[i]! | buffer[i + 1]! | buffer[i + 2]! | buffer[i + 3]!) === 0) found |= FOUND.zero;
      }
    } else {
      for (let i = at + SEGMENT_HEADER; i < next; i += 2) {
        if ((buffer[i]! | buffer[i + 1]!) === 0) found |= FOUND.zero;
      }
    }
    at = next;
  }
  return found;
}

const PATH_SYNTAX = badPath('bad segment');
const PATH_AS_ZERO = badPath('AS 0');
const PATH_SET: Malformation = badPath('AS_SET or AS_CONFED_SET');
const PATH_CONFEDERATION = badPath('confederation segment from outside the confederation');
const PATH_NO_CONFEDERATION = badPath('no leading AS_CONFED_SEQUENCE from another member AS');
const PATH_FIRST_AS = badPath('first AS is not the AS of the peer');

/** RFC 7606 §7.2, RFC 7607 §2, RFC 9774 §3, RFC 5065 §5, RFC 4271 §6.3 (first AS). */
export const checkAsPath: AttributeCheck = (buffer, start, end, context) => {
  const found = scanSegments(buffer, start, end, context.as4 ? 4 : 2);
  if (found !== 0) {
    if ((found & FOUND.malformed) !== 0) return PATH_SYNTAX;
    if ((found & FOUND.zero) !== 0) return PATH_AS_ZERO;
    if ((found & FOUND.set) !== 0 && !context.acceptAsSets) return PATH_SET;
    if ((found & FOUND.confederation) !== 0 && !context.confederationPeer) return PATH_CONFEDERATION;
  }
  if (!context.external) return undefined;
  if (context.confederationPeer) {
    const leads = end > start && buffer[start] === SEGMENT.confedSequence;
    return leads ? undefined : PATH_NO_CONFEDERATION;
  }
  return context.enforceFirstAs && !startsWith(buffer, start, end, context) ? PATH_FIRST_AS : undefined;
};

function startsWith(buffer: Uint8Array, start: number, end: number, context: AttributeContext): boolean {
  if (start === end || buffer[start] !== SEGMENT.asSequence) return false;
  const at = start + SEGMENT_HEADER;
  if (context.as4) return readUint32(buffer, at) === context.peerAs;
  return readUint16(buffer, at) === (context.peerAs > 0xffff ? AS_TRANS : context.peerAs);
}

const MIN_AS4_PATH = 6;
const AS4_PATH_LENGTH = optional('odd length, or shorter than 6 octets');
const AS4_PATH_SYNTAX = optional('bad segment');
const AS4_PATH_ZERO = optional('AS 0');
const AS4_PATH_SET: Malformation = { ...PATH_SET, action: 'treat-as-withdraw' };

/** RFC 6793 §6, RFC 7607 §2, RFC 9774 §3. */
export const checkAs4Path: AttributeCheck = (buffer, start, end, context) => {
  if (end - start < MIN_AS4_PATH || (end - start) % 2 !== 0) return AS4_PATH_LENGTH;
  const found = scanSegments(buffer, start, end, 4);
  if ((found & FOUND.malformed) !== 0) return AS4_PATH_SYNTAX;
  if ((found & FOUND.zero) !== 0) return AS4_PATH_ZERO;
  // RFC 6793 §6 drops confederation segments, sets among them; an AS_SET proper is RFC 9774's.
  const set = (found & FOUND.set) !== 0 && !context.acceptAsSets && hasAsSet(buffer, start, end);
  return set ? AS4_PATH_SET : undefined;
};

function hasAsSet(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += SEGMENT_HEADER + buffer[at + 1]! * 4) {
    if (buffer[at] === SEGMENT.asSet) return true;
  }
  return false;
}

const AGGREGATOR_BAD_LENGTH = badLength("length does not fit the session's AS numbers");
const AGGREGATOR_ZERO = optional('AS 0');

/** RFC 7606 §7.7, RFC 7607 §2 */
export const checkAggregator: AttributeCheck = (buffer, start, end, context) => {
  if (end - start !== (context.as4 ? AGGREGATOR_LENGTH : OLD_AGGREGATOR_LENGTH)) return AGGREGATOR_BAD_LENGTH;
  const as = context.as4 ? readUint32(buffer, start) : readUint16(buffer, start);
  return as === 0 ? AGGREGATOR_ZERO : undefined;
};

const AS4_AGGREGATOR_LENGTH = optional('length is not 8');

/** RFC 6793 §6, RFC 7607 §2 */
export const checkAs4Aggregator: AttributeCheck = (buffer, start, end) => {
  if (end - start !== AGGREGATOR_LENGTH) return AS4_AGGREGATOR_LENGTH;
  return readUint32(buffer, start) === 0 ? AGGREGATOR_ZERO : undefined;
};

const TLV_OVERRUN = optional('TLV overruns the attribute');
const TUNNEL_EMPTY = optional('no valid TLV');
const TUNNEL_SUB_TLV = optional('sub-TLV overruns its TLV');
const WIDE_SUB_TLV = 128;

/** RFC 9012 §2, §13: TLVs of type(2) length(2), made of sub-TLVs with a length of 1 octet, 2 from type 128 on. */
export const checkTunnelEncapsulation: AttributeCheck = (buffer, start, end) => {
  if (start === end) return TUNNEL_EMPTY;
  let at = start;
  while (at < end) {
    if (end - at < 4) return TLV_OVERRUN;
    const tlvEnd = at + 4 + readUint16(buffer, at + 2);
    if (tlvEnd > end) return TLV_OVERRUN;
    at += 4;
    while (at < tlvEnd) {
      const header = buffer[at]! < WIDE_SUB_TLV ? 2 : 3;
      if (tlvEnd - at < header) return TUNNEL_SUB_TLV;
      at += header + (header === 2 ? buffer[at + 1]! : readUint16(buffer, at + 1));
      if (at > tlvEnd) return TUNNEL_SUB_TLV;
    }
  }
  return undefined;
};

const AIGP_TLV = { type: 1, length: 11 } as const;
const AIGP_SYNTAX = optional('bad TLV');
const AIGP_MAXIMUM = optional('maximum metric');

/** RFC 7311 §3, §3.2: TLVs of type(1) length(2, itself included); the first AIGP TLV must not be at its maximum. */
export const checkAigp: AttributeCheck = (buffer, start, end) => {
  let found = false;
  let at = start;
  if (start === end) return AIGP_SYNTAX;
  while (at < end) {
    if (end - at < 3) return AIGP_SYNTAX;
    const length = readUint16(buffer, at + 1);
    if (length < 3 || at + length > end) return AIGP_SYNTAX;
    if (buffer[at] === AIGP_TLV.type && !found) {
      found = true;
      if (length !== AIGP_TLV.length) return AIGP_SYNTAX;
      if (buffer.subarray(at + 3, at + length).every((octet) => octet === 0xff)) return AIGP_MAXIMUM;
    }
    at += length;
  }
  return undefined;
};

const SRV6_SERVICE = { l3: 5, l2: 6 } as const;
const PREFIX_SID_SYNTAX = optional('TLV overruns the attribute');
const SRV6_SYNTAX: Malformation = { ...optional('malformed SRv6 Service TLV'), action: 'treat-as-withdraw' };

/** RFC 8669 §3, §6: TLVs of type(1) length(2); an SRv6 Service TLV is RFC 9252 §7's. */
export const checkPrefixSid: AttributeCheck = (buffer, start, end) => {
  if (start === end) return PREFIX_SID_SYNTAX;
  for (let at = start; at < end; ) {
    const service = buffer[at] === SRV6_SERVICE.l3 || buffer[at] === SRV6_SERVICE.l2;
    if (end - at < 3) return service ? SRV6_SYNTAX : PREFIX_SID_SYNTAX;
    const next = at + 3 + readUint16(buffer, at + 1);
    if (next > end) return service ? SRV6_SYNTAX : PREFIX_SID_SYNTAX;
    if (service && !subTlvsFit(buffer, at + 3, next)) return SRV6_SYNTAX;
    at = next;
  }
  return undefined;
};

/** RFC 9252 §3: a reserved octet, then sub-TLVs of type(1) length(2). */
function subTlvsFit(buffer: Uint8Array, start: number, end: number): boolean {
  if (end - start < 1) return false;
  let at = start + 1;
  while (at < end) {
    if (end - at < 3) return false;
    at += 3 + readUint16(buffer, at + 1);
  }
  return at === end;
}
