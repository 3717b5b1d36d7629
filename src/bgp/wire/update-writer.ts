// Prefixes and attribute sets -> UPDATE messages, back to back in one buffer, built once for all peers that get the
// same octets (RFC 4271 §4.3, RFC 4760 §3-4, RFC 7606 §5.1, RFC 7911 §3, RFC 8950 §4). What is sent to whom, and
// with which attributes, was decided before.

import { copyBytes, type Octets, viewOf, writeUint16, writeUint32 } from '../../lib/bytes.ts';
import { growUint8 } from '../../lib/columns.ts';
import { type Family, IPV4_UNICAST } from './families.ts';
import { HEADER_LENGTH, writeHeader } from './header.ts';
import { ATTRIBUTE, FLAG, MESSAGE_TYPE } from './iana.ts';
import { OutgoingAttributes } from './outgoing-attributes.ts';

/** What all receivers of the messages have in common. */
export interface EncodeContext {
  readonly family: Family;
  /** 4-octet ASes in AS_PATH and AGGREGATOR (RFC 6793). */
  readonly as4: boolean;
  /** A path identifier before each prefix (RFC 7911). */
  readonly addPath: boolean;
  /** 4096, or 65535 (RFC 8654). */
  readonly messageLimit: number;
  /** IPv6 next hops for IPv4 prefixes (RFC 8950). */
  readonly extendedNextHop: boolean;
}

const LENGTHS = 4;
/** Flags, type, 2-octet length. MP attributes always take the long form: their length is known only afterwards. */
const MP_HEADER = 4;
/** AFI, SAFI. */
const AFI_SAFI = 3;
/** Next hop length before, reserved octet after the next hop. */
const MP_REACH_FIXED = 2;
const PATH_ID_BYTES = 4;
const IPV4_NEXT_HOP = 4;
const IPV6_NEXT_HOP = 16;
const IPV6_NEXT_HOP_PAIR = 32;
const INITIAL_CAPACITY = 65536;

type Mode = 'idle' | 'announce' | 'announce-mp' | 'withdraw' | 'withdraw-mp';

export class UpdateWriter implements Octets {
  /** The messages are `bytes[0, length)`; another array after growth and detach. */
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  length = 0;
  /** Finished messages in `bytes`. */
  messages = 0;
  /** Prefixes that addPrefix refused since the last reset. */
  skipped = 0;

  readonly #context: EncodeContext;
  readonly #attributes = new OutgoingAttributes();
  readonly #nextHop = new Uint8Array(IPV6_NEXT_HOP_PAIR);
  /** The first four octets of it. */
  readonly #classicNextHop = this.#nextHop.subarray(0, IPV4_NEXT_HOP);
  #nextHopLength = 0;
  #mode: Mode = 'idle';
  /** Octets that a message under way must keep for what comes after its prefixes. */
  #tail = 0;
  /** A message under way: where it starts; -1 = none. */
  #start = -1;
  /** Where its prefixes start. */
  #prefixes = 0;

  constructor(context: EncodeContext, capacity = INITIAL_CAPACITY) {
    this.#context = context;
    this.bytes = new Uint8Array(capacity);
    this.view = viewOf(this.bytes);
  }

  /** Forgets everything written; the buffer is kept. */
  reset(): void {
    this.length = 0;
    this.messages = 0;
    this.skipped = 0;
    this.#mode = 'idle';
    this.#start = -1;
    this.#attributes.forget();
  }

  /**
   * The prefixes from here on are announced with the canonical set `attributes[offset, offset + length)`, which must stay
   * as it is until the last of them is added, and the next hop `nextHop[0, nextHopLength)`: 4, 16 or 32 octets. Throws
   * RangeError for a next hop that the family and the context do not allow, which no route should have got this far with.
   */
  startAnnounce(
    attributes: Octets,
    offset: number,
    length: number,
    nextHop: Uint8Array,
    nextHopLength: number,
  ): void {
    this.finish();
    const { family, as4, extendedNextHop } = this.#context;
    const native = nextHopLength === family.nextHopBytes;
    const ipv6 = nextHopLength === IPV6_NEXT_HOP || nextHopLength === IPV6_NEXT_HOP_PAIR;
    if (!native && !(ipv6 && (extendedNextHop || family.nextHopBytes === IPV6_NEXT_HOP))) {
      throw new RangeError(`next hop of ${nextHopLength} octets for ${family.name}`);
    }
    copyBytes(this.#nextHop, 0, nextHop, 0, nextHopLength);
    this.#nextHopLength = nextHopLength;
    const classic = family === IPV4_UNICAST && nextHopLength === IPV4_NEXT_HOP;
    this.#mode = classic ? 'announce' : 'announce-mp';
    const inAttribute = classic ? this.#classicNextHop : undefined;
    this.#attributes.build(attributes, offset, length, inAttribute, as4);
    if (!this.#roomForOne()) this.#attributes.dropDiscardable();
    this.#tail = classic ? 0 : this.#attributes.length;
  }

  /** The prefixes from here on are withdrawn. */
  startWithdraw(): void {
    this.finish();
    this.#mode = this.#context.family === IPV4_UNICAST ? 'withdraw' : 'withdraw-mp';
    this.#tail = this.#mode === 'withdraw' ? 2 : 0;
  }

  /**
   * Adds the prefix whose address begins at `words[first]`, `bitLength` long. False where it cannot
   * be sent at all, because the attributes leave no room for it within a message (RFC 4271 §9.2, RFC 8654 §4): the
   * caller withdraws what was advertised before.
   */
  addPrefix(words: Int32Array, first: number, bitLength: number, pathId: number): boolean {
    const { addPath, messageLimit } = this.#context;
    const octets = (bitLength + 7) >> 3;
    const size = 1 + octets + (addPath ? PATH_ID_BYTES : 0);
    if (this.#start >= 0 && this.length - this.#start + size + this.#tail > messageLimit) this.#close();
    if (this.#start < 0) {
      this.#open();
      if (this.length - this.#start + size + this.#tail > messageLimit) {
        this.length = this.#start;
        this.#start = -1;
        this.skipped++;
        return false;
      }
    }
    const { bytes } = this;
    let at = this.length;
    if (addPath) {
      writeUint32(bytes, at, pathId);
      at += PATH_ID_BYTES;
    }
    bytes[at++] = bitLength;
    this.length = at + octets;
    const word = words[first]!;
    // The first word, which is all of an IPv4 prefix, needs no loop.
    if (octets > 0) bytes[at] = word >>> 24;
    if (octets > 1) bytes[at + 1] = word >>> 16;
    if (octets > 2) bytes[at + 2] = word >>> 8;
    if (octets > 3) bytes[at + 3] = word;
    for (let i = 4; i < octets; i++) bytes[at + i] = words[first + (i >> 2)]! >>> (24 - ((i & 3) << 3));
    return true;
  }

  /** Closes the message under way; what follows starts with startAnnounce or startWithdraw. */
  finish(): void {
    if (this.#start >= 0) this.#close();
    this.#mode = 'idle';
  }

  /** RFC 4724 §2: an empty UPDATE for IPv4 unicast, an empty MP_UNREACH_NLRI for others. */
  endOfRib(): void {
    this.finish();
    this.startWithdraw();
    this.#open();
    this.finish();
  }

  /**
   * Hands the messages out and starts afresh. The result may be queued on any number of sockets: nobody writes to
   * it again.
   */
  detach(): Uint8Array {
    this.finish();
    let out: Uint8Array;
    if (this.length * 2 < this.bytes.length) out = this.bytes.slice(0, this.length);
    else {
      out = this.bytes.subarray(0, this.length);
      this.#use(new Uint8Array(this.bytes.length));
    }
    this.reset();
    return out;
  }

  /** Whether a message with these attributes can carry the longest prefix there is. */
  #roomForOne(): boolean {
    const { family, addPath, messageLimit } = this.#context;
    const prefix = 1 + (family.maxBits >> 3) + (addPath ? PATH_ID_BYTES : 0);
    return HEADER_LENGTH + LENGTHS + this.#mpReachHead() + this.#attributes.length + prefix <= messageLimit;
  }

  #mpReachHead(): number {
    return this.#mode === 'announce-mp' ? MP_HEADER + AFI_SAFI + MP_REACH_FIXED + this.#nextHopLength : 0;
  }

  /** Writes everything of a message that comes before its prefixes. */
  #open(): void {
    const { messageLimit, family } = this.#context;
    this.#reserve(this.length + messageLimit + this.#attributes.length + HEADER_LENGTH * 4);
    const { bytes } = this;
    this.#start = this.length;
    let at = this.length + HEADER_LENGTH;
    switch (this.#mode) {
      case 'announce':
        // No withdrawn routes, then the attributes.
        writeUint16(bytes, at, 0);
        writeUint16(bytes, at + 2, this.#attributes.length);
        at = this.#attributes.writeTo(this, at + LENGTHS);
        break;
      case 'withdraw':
        // The length follows when it is known.
        at += 2;
        break;
      case 'announce-mp':
        // RFC 7606 §5.1: the MP attribute comes first.
        writeUint16(bytes, at, 0);
        at = writeMpHead(bytes, at + LENGTHS, ATTRIBUTE.mpReachNlri, family);
        bytes[at++] = this.#nextHopLength;
        for (let i = 0; i < this.#nextHopLength; i++) bytes[at++] = this.#nextHop[i]!;
        // RFC 4760 §3: reserved.
        bytes[at++] = 0;
        break;
      case 'withdraw-mp':
        writeUint16(bytes, at, 0);
        at = writeMpHead(bytes, at + LENGTHS, ATTRIBUTE.mpUnreachNlri, family);
        break;
      case 'idle':
        throw new Error('addPrefix without startAnnounce or startWithdraw');
    }
    this.#prefixes = at;
    this.length = at;
  }

  #close(): void {
    const { bytes } = this;
    const start = this.#start;
    const lengths = start + HEADER_LENGTH;
    switch (this.#mode) {
      case 'withdraw':
        writeUint16(bytes, lengths, this.length - this.#prefixes);
        writeUint16(bytes, this.length, 0);
        this.length += 2;
        break;
      case 'announce-mp':
      case 'withdraw-mp': {
        const mpStart = lengths + LENGTHS;
        writeUint16(bytes, mpStart + 2, this.length - mpStart - MP_HEADER);
        if (this.#mode === 'announce-mp') this.length = this.#attributes.writeTo(this, this.length);
        writeUint16(bytes, lengths + 2, this.length - mpStart);
        break;
      }
      case 'announce':
      case 'idle':
        break;
    }
    writeHeader(bytes, start, this.length - start, MESSAGE_TYPE.update);
    this.messages++;
    this.#start = -1;
  }

  #reserve(capacity: number): void {
    if (capacity > this.bytes.length) this.#use(growUint8(this.bytes, capacity));
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

/** The head of an MP attribute whose length is written later: flags, type, length, AFI, SAFI. */
function writeMpHead(bytes: Uint8Array, at: number, type: number, family: Family): number {
  bytes[at] = FLAG.optional | FLAG.extendedLength;
  bytes[at + 1] = type;
  writeUint16(bytes, at + MP_HEADER, family.afi);
  bytes[at + MP_HEADER + 2] = family.safi;
  return at + MP_HEADER + AFI_SAFI;
}
