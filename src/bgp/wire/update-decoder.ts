// UPDATE (RFC 4271 §4.3) -> columns of prefixes and one canonical attribute set, completely, before anybody acts on
// it. Error handling is RFC 7606's: only what must reset the session is thrown. Whether routes are wanted (loops,
// next hops, policy) is for the layers above.

import { octetsOf, readUint16 } from '../../lib/bytes.ts';
import type { AttributeContext } from './attribute-checks.ts';
import { AttributeScan, type UpdateIssue } from './attribute-scan.ts';
import { attributeName } from './attributes.ts';
import { canonicalCapacity, writeCanonical, writeMerged } from './canonical.ts';
import { ERROR, HEADER_ERROR, UPDATE_ERROR } from './error-codes.ts';
import { FAMILIES, type Family, familyByAfiSafi, IPV4_UNICAST } from './families.ts';
import { HEADER_LENGTH, MARKER_LENGTH } from './header.ts';
import { ATTRIBUTE, FLAG } from './iana.ts';
import { BAD_NLRI, parseNlri } from './nlri.ts';
import { NlriBatch } from './nlri-batch.ts';
import { NotificationError } from './notification.ts';
import type { SessionContext } from './session-context.ts';

export type { UpdateIssue } from './attribute-scan.ts';

/** Withdrawn Routes Length and Total Path Attribute Length beside the header. */
const MIN_UPDATE_LENGTH = HEADER_LENGTH + 4;
/** AFI, SAFI, next hop length; and the reserved octet after the next hop. */
const MP_REACH_HEAD = 4;
const MP_UNREACH_HEAD = 3;
const IPV4_NEXT_HOP = 4;
const IPV6_NEXT_HOP = 16;
/** RFC 2545 §3: global and link-local. */
const IPV6_NEXT_HOP_PAIR = 32;
const NO_ISSUES: readonly UpdateIssue[] = [];

/** What the session's configuration adds to its context. */
export interface DecodeOptions {
  /** RFC 7311 §3.3: AIGP_SESSION; false = the attribute is discarded. */
  readonly aigp?: boolean;
  /** LOCAL_PREF is taken from an external peer, too. */
  readonly allowLocalPref?: boolean;
  /** True lets AS_SET and AS_CONFED_SET pass, which RFC 9774 §3 forbids. */
  readonly acceptAsSets?: boolean;
  /** RFC 4271 §6.3: an eBGP path must start with the peer's AS, else treat-as-withdraw (RFC 7606 §7.2). */
  readonly enforceFirstAs?: boolean;
  /** RFC 5065: the peer is in this speaker's confederation. */
  readonly confederationPeer?: boolean;
}

/** One UPDATE. Everything in it is reused by the decoder's next call. Withdrawals are meant to be applied first. */
export interface DecodedUpdate {
  /** Classic NLRI and MP_REACH_NLRI, each with its next hop; under treatAsWithdraw they are to be withdrawn. */
  readonly announced: readonly NlriBatch[];
  readonly withdrawn: readonly NlriBatch[];
  /** RFC 7606 §2: the prefixes of `announced` are to be handled as withdrawn; there are no attributes then. */
  readonly treatAsWithdraw: boolean;
  /** The canonical attribute set (canonical.ts) in `attributes[0, attributesLength)`; empty without `announced`. */
  readonly attributes: Uint8Array;
  /** The same, for whom octets are too slow. */
  readonly attributesView: DataView;
  readonly attributesLength: number;
  /** RFC 4724 §2 */
  readonly endOfRib: Family | undefined;
  /** RFC 6793 §4.2.3: 4-octet AS_PATH octets that merging replaced; loop detection reads them beside AS_PATH. */
  readonly supersededPath: Uint8Array | undefined;
  /** For the log (RFC 7606 §6); the same empty array each time when there are none. */
  readonly issues: readonly UpdateIssue[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The working memory of decoding. Decoders that run one after the other, on one thread, may share one: a thousand
 * sessions then cost no more than one.
 */
export class DecodeScratch {
  readonly scan = new AttributeScan();
  attributes = octetsOf(new Uint8Array(8192));
  /** What was decoded last: most messages of a read lie in one buffer. */
  source = octetsOf(new Uint8Array(0));
  readonly classicAnnounced = new NlriBatch(IPV4_UNICAST);
  readonly classicWithdrawn = new NlriBatch(IPV4_UNICAST);
  /** By family id. */
  readonly reach: readonly NlriBatch[] = FAMILIES.map((family) => new NlriBatch(family));
  readonly unreach: readonly NlriBatch[] = FAMILIES.map((family) => new NlriBatch(family));
}

export class UpdateDecoder {
  // Of the session's context, by value: this is looked at for every UPDATE, and contexts may differ in shape.
  readonly #families: readonly Family[];
  readonly #speaksIpv4: boolean;
  readonly #as4: boolean;
  readonly #addPath: number;
  readonly #extendedNextHop: number;
  readonly #attributeContext: AttributeContext;
  readonly #scratch: DecodeScratch;
  readonly #announced = emptyList();
  readonly #withdrawn = emptyList();
  readonly #result: Mutable<DecodedUpdate>;
  /** The message has reachable NLRI, of whatever family. */
  #reachable = false;

  constructor(context: SessionContext, options: DecodeOptions = {}, scratch = new DecodeScratch()) {
    const external = context.peerType === 'external';
    const { confederationPeer = false } = options;
    this.#families = context.families;
    this.#speaksIpv4 = context.families.includes(IPV4_UNICAST);
    this.#as4 = context.as4;
    this.#addPath = context.addPathReceive;
    this.#extendedNextHop = context.extendedNextHop;
    this.#attributeContext = {
      external,
      confederationPeer,
      peerAs: context.peerAs,
      as4: context.as4,
      aigp: options.aigp ?? false,
      localPref: !external || confederationPeer || options.allowLocalPref === true,
      acceptAsSets: options.acceptAsSets ?? false,
      enforceFirstAs: options.enforceFirstAs ?? false,
    };
    this.#scratch = scratch;
    this.#result = {
      announced: this.#announced,
      withdrawn: this.#withdrawn,
      treatAsWithdraw: false,
      attributes: scratch.attributes.bytes,
      attributesView: scratch.attributes.view,
      attributesLength: 0,
      endOfRib: undefined,
      supersededPath: undefined,
      issues: NO_ISSUES,
    };
  }

  /** Decodes the UPDATE in `buffer[start, end)`, header included. Throws NotificationError 3/x for a session reset. */
  decode(buffer: Uint8Array, start: number, end: number): DecodedUpdate {
    const result = this.#result;
    const { scan } = this.#scratch;
    empty(this.#announced);
    empty(this.#withdrawn);
    result.treatAsWithdraw = false;
    result.attributesLength = 0;
    result.endOfRib = undefined;
    result.supersededPath = undefined;
    result.issues = NO_ISSUES;
    this.#reachable = false;
    scan.reset();

    if (end - start < MIN_UPDATE_LENGTH) {
      const length = buffer.slice(start + MARKER_LENGTH, start + MARKER_LENGTH + 2);
      throw new NotificationError(ERROR.messageHeader, HEADER_ERROR.badLength, length);
    }
    const withdrawnStart = start + HEADER_LENGTH + 2;
    const withdrawnEnd = withdrawnStart + readUint16(buffer, start + HEADER_LENGTH);
    // RFC 7606 §3 (b): both lengths must fit, else 3/1.
    if (withdrawnEnd + 2 > end) malformedList('Withdrawn Routes Length is too large');
    const attributesStart = withdrawnEnd + 2;
    const nlriStart = attributesStart + readUint16(buffer, withdrawnEnd);
    if (nlriStart > end) malformedList('Total Path Attribute Length is too large');

    const classicNlri = nlriStart < end;
    if (attributesStart < nlriStart) {
      scan.scan(buffer, attributesStart, nlriStart, this.#attributeContext, classicNlri);
    }
    this.#classicField(buffer, withdrawnStart, withdrawnEnd, this.#scratch.classicWithdrawn, this.#withdrawn);
    if (scan.has(ATTRIBUTE.mpUnreachNlri)) this.#mpUnreach(buffer);
    if (scan.has(ATTRIBUTE.mpReachNlri)) this.#mpReach(buffer);
    if (classicNlri) {
      this.#reachable = true;
      this.#classicField(buffer, nlriStart, end, this.#scratch.classicAnnounced, this.#announced);
    }
    result.endOfRib = this.#endOfRib(buffer, start, end);
    if (this.#announced.length > 0) this.#requireMandatory();
    this.#settle(buffer, nlriStart - attributesStart);
    if (scan.issues !== undefined) result.issues = scan.issues;
    return result;
  }

  /** RFC 4271 §4.3: Withdrawn Routes or NLRI, that is IPv4 unicast. */
  #classicField(buffer: Uint8Array, start: number, end: number, batch: NlriBatch, into: NlriBatch[]): void {
    if (start === end) return;
    const announcing = into === this.#announced;
    const addPath = (this.#addPath & (1 << IPV4_UNICAST.id)) !== 0;
    batch.clear();
    const ignored = parseNlri(batch, buffer, start, end, addPath, announcing);
    // RFC 7606 §3 (i), §5.3
    if (ignored === BAD_NLRI) {
      const field = announcing ? 'NLRI' : 'Withdrawn Routes';
      throw new NotificationError(ERROR.update, UPDATE_ERROR.invalidNetwork, undefined, field);
    }
    this.#noteIgnored(ignored);
    if (!this.#speaksIpv4) {
      this.#scratch.scan.note(0, 'ignored', 'ipv4-unicast was not negotiated');
      return;
    }
    if (batch.count === 0) return;
    const { scan } = this.#scratch;
    if (announcing && scan.has(ATTRIBUTE.nextHop)) {
      copyNextHop(batch, buffer, scan.starts[ATTRIBUTE.nextHop]!, IPV4_NEXT_HOP);
    }
    into.push(batch);
  }

  /** RFC 4760 §3 */
  #mpReach(buffer: Uint8Array): void {
    const { scan } = this.#scratch;
    const start = scan.starts[ATTRIBUTE.mpReachNlri]!;
    const end = scan.ends[ATTRIBUTE.mpReachNlri]!;
    const nextHopLength = buffer[start + MP_REACH_HEAD - 1]!;
    const nextHopEnd = start + MP_REACH_HEAD + nextHopLength;
    const family = this.#family(buffer, start, ATTRIBUTE.mpReachNlri);
    if (family === undefined) {
      this.#reachable = true;
      return;
    }
    // RFC 7606 §7.11: a next hop of the wrong length leaves the NLRI unfound. The reserved octet follows it.
    if (nextHopEnd + 1 > end || !this.#nextHopFits(family, nextHopLength)) {
      this.#mpError(buffer, ATTRIBUTE.mpReachNlri, `next hop of ${nextHopLength} octets`);
    }
    const batch = this.#scratch.reach[family.id]!;
    this.#mpPrefixes(buffer, nextHopEnd + 1, end, batch, true);
    if (nextHopEnd + 1 < end) this.#reachable = true;
    if (batch.count === 0) return;
    copyNextHop(batch, buffer, start + MP_REACH_HEAD, nextHopLength);
    this.#announced.push(batch);
  }

  /** RFC 4760 §4 */
  #mpUnreach(buffer: Uint8Array): void {
    const { scan } = this.#scratch;
    const start = scan.starts[ATTRIBUTE.mpUnreachNlri]!;
    const end = scan.ends[ATTRIBUTE.mpUnreachNlri]!;
    const family = this.#family(buffer, start, ATTRIBUTE.mpUnreachNlri);
    if (family === undefined) return;
    const batch = this.#scratch.unreach[family.id]!;
    this.#mpPrefixes(buffer, start + MP_UNREACH_HEAD, end, batch, false);
    if (batch.count > 0) this.#withdrawn.push(batch);
  }

  /** RFC 4724 §2: an UPDATE with no prefix and no attribute, or none but an empty MP_UNREACH_NLRI. */
  #endOfRib(buffer: Uint8Array, start: number, end: number): Family | undefined {
    if (end - start === MIN_UPDATE_LENGTH) return this.#negotiated(IPV4_UNICAST);
    const { scan } = this.#scratch;
    if (!scan.has(ATTRIBUTE.mpUnreachNlri)) return undefined;
    const value = scan.starts[ATTRIBUTE.mpUnreachNlri]!;
    const header = (scan.flags[ATTRIBUTE.mpUnreachNlri]! & FLAG.extendedLength) === 0 ? 3 : 4;
    const alone = value - header === start + MIN_UPDATE_LENGTH && value + MP_UNREACH_HEAD === end;
    return alone ? this.#familyAt(buffer, value) : undefined;
  }

  #mpPrefixes(buffer: Uint8Array, start: number, end: number, batch: NlriBatch, announcing: boolean): void {
    const addPath = (this.#addPath & (1 << batch.family.id)) !== 0;
    batch.clear();
    const ignored = parseNlri(batch, buffer, start, end, addPath, announcing);
    // RFC 7606 §5.3
    if (ignored === BAD_NLRI) {
      const type = announcing ? ATTRIBUTE.mpReachNlri : ATTRIBUTE.mpUnreachNlri;
      this.#mpError(buffer, type, 'bad prefix');
    }
    this.#noteIgnored(ignored);
  }

  /** RFC 4760 §7, RFC 4271 §6.3: 3/9 with the attribute as data. */
  #mpError(buffer: Uint8Array, type: number, detail: string): never {
    const { scan } = this.#scratch;
    const header = (scan.flags[type]! & FLAG.extendedLength) === 0 ? 3 : 4;
    const data = buffer.slice(scan.starts[type]! - header, scan.ends[type]!);
    const text = `${attributeName(type)}: ${detail}`;
    throw new NotificationError(ERROR.update, UPDATE_ERROR.optionalAttribute, data, text);
  }

  /** RFC 4760 §8: the family at the head of an MP attribute, if it is spoken on this session; else a log line. */
  #family(buffer: Uint8Array, at: number, type: number): Family | undefined {
    const family = this.#familyAt(buffer, at);
    if (family === undefined) {
      const name = `afi ${readUint16(buffer, at)} safi ${buffer[at + 2]!}`;
      this.#scratch.scan.note(type, 'ignored', `${name} was not negotiated`);
    }
    return family;
  }

  #familyAt(buffer: Uint8Array, at: number): Family | undefined {
    const family = familyByAfiSafi(readUint16(buffer, at), buffer[at + 2]!);
    return family === undefined ? undefined : this.#negotiated(family);
  }

  #negotiated(family: Family): Family | undefined {
    return this.#families.includes(family) ? family : undefined;
  }

  /** RFC 4760 §3 (native), RFC 2545 §3 (IPv6), RFC 8950 §3 (IPv6 next hop of another family). */
  #nextHopFits(family: Family, length: number): boolean {
    if (length === family.nextHopBytes) return true;
    if (length !== IPV6_NEXT_HOP && length !== IPV6_NEXT_HOP_PAIR) return false;
    if (family.nextHopBytes === IPV6_NEXT_HOP) return true;
    return (this.#extendedNextHop & (1 << family.id)) !== 0;
  }

  /** RFC 7606 §3 (d): what must be there beside reachable NLRI. Present and malformed counts as present here. */
  #requireMandatory(): void {
    const { scan } = this.#scratch;
    // The NLRI field comes last.
    const classic = this.#announced.at(-1) === this.#scratch.classicAnnounced;
    for (const type of MANDATORY) {
      if (scan.seen(type) || (type === ATTRIBUTE.nextHop && !classic)) continue;
      const data = Uint8Array.of(type);
      scan.withdraw(UPDATE_ERROR.missingWellKnown, data, `${attributeName(type)} is missing`);
    }
  }

  /** Draws the conclusion of the errors found, and writes the attribute set if there is use for one. */
  #settle(buffer: Uint8Array, attributeOctets: number): void {
    const { scan } = this.#scratch;
    const result = this.#result;
    if (scan.fault !== undefined) {
      // RFC 7606 §5.2: attributes without reachable NLRI, and an error: nobody knows whether the NLRI got lost.
      if (!this.#reachable) throw scan.fault;
      result.treatAsWithdraw = true;
      return;
    }
    if (this.#announced.length === 0) return;
    const scratch = this.#scratch;
    const capacity = canonicalCapacity(attributeOctets);
    if (capacity > scratch.attributes.bytes.length) scratch.attributes = octetsOf(new Uint8Array(capacity));
    result.attributes = scratch.attributes.bytes;
    result.attributesView = scratch.attributes.view;
    if (this.#as4) {
      if (scratch.source.bytes !== buffer) scratch.source = octetsOf(buffer);
      result.attributesLength = writeCanonical(scan, scratch.source, scratch.attributes);
      return;
    }
    const merged = writeMerged(scan, buffer, scratch.attributes.bytes);
    if (merged === undefined) {
      scan.note(ATTRIBUTE.asPath, 'treat-as-withdraw', 'too long with 4-octet ASes');
      result.treatAsWithdraw = true;
      return;
    }
    result.attributesLength = merged.length;
    result.supersededPath = merged.superseded;
  }

  #noteIgnored(count: number): void {
    // RFC 4271 §6.3: semantically incorrect prefixes are logged and ignored.
    if (count > 0) this.#scratch.scan.note(0, 'ignored', `${count} prefixes that are not unicast`);
  }
}

/** RFC 4271 §5: well-known mandatory, and NEXT_HOP where the NLRI field is used. */
const MANDATORY = [ATTRIBUTE.origin, ATTRIBUTE.asPath, ATTRIBUTE.nextHop];

function copyNextHop(batch: NlriBatch, buffer: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) batch.nextHop[i] = buffer[at + i]!;
  batch.nextHopLength = length;
}

function malformedList(detail: string): never {
  throw new NotificationError(ERROR.update, UPDATE_ERROR.malformedAttributeList, undefined, detail);
}

/** A list that has held an object: V8 treats another kind of list as another kind of thing. */
function emptyList(): NlriBatch[] {
  const list = [new NlriBatch(IPV4_UNICAST)];
  list.pop();
  return list;
}

/** Element by element, because `length = 0` gives the memory away that the next UPDATE needs again. */
function empty(list: unknown[]): void {
  while (list.length > 0) list.pop();
}
