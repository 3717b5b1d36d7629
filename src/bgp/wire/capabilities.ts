// The capabilities of an OPEN (RFC 5492) as a table of codecs: code, name, bytes <-> value, what to do when the
// value makes no sense, and how a person reads it. Unknown ones are kept as they are and shown. What two lists of
// them agree on is negotiate.ts's business.

import { ByteRangeError, ByteReader, ByteWriter, toHex } from '../../lib/bytes.ts';
import { familyByAfiSafi } from './families.ts';
import { CAPABILITY, OTHER_CAPABILITY_NAMES } from './iana.ts';
import { ROLE, type Role } from './session-context.ts';

export interface AfiSafi {
  readonly afi: number;
  readonly safi: number;
}

export interface GracefulRestartFamily extends AfiSafi {
  /** F bit: forwarding state was kept. */
  readonly forwarding: boolean;
}

export interface LongLivedFamily extends GracefulRestartFamily {
  /** Long-lived stale time, seconds. */
  readonly staleTime: number;
}

/** The capabilities with a meaning here, by kind. */
interface CapabilityValues {
  /** RFC 4760 §8 */
  multiprotocol: AfiSafi;
  /** RFC 2918 §2 */
  'route-refresh': object;
  /** RFC 8950 §4 */
  'extended-next-hop': { readonly entries: readonly (AfiSafi & { readonly nextHopAfi: number })[] };
  /** RFC 8654 §3 */
  'extended-message': object;
  /** RFC 9234 §4.1: the raw value, because any of 256 may arrive. */
  role: { readonly value: number };
  /** RFC 4724 §3; N bit: RFC 8538 §2 */
  'graceful-restart': {
    readonly restarting: boolean;
    readonly notification: boolean;
    /** Seconds. */
    readonly restartTime: number;
    readonly families: readonly GracefulRestartFamily[];
  };
  /** RFC 6793 §3 */
  'four-octet-as': { readonly as: number };
  /** RFC 7911 §4; mode 1 = able to receive several paths, 2 = able to send them, 3 = both. */
  'add-path': { readonly entries: readonly (AfiSafi & { readonly mode: number })[] };
  /** RFC 7313 §3.1 */
  'enhanced-route-refresh': object;
  /** RFC 9494 §3 */
  'long-lived-graceful-restart': { readonly families: readonly LongLivedFamily[] };
  fqdn: { readonly hostname: string; readonly domain: string };
  'software-version': { readonly version: string };
}

export type CapabilityKind = keyof CapabilityValues;

type Known<K extends CapabilityKind> = { readonly kind: K } & CapabilityValues[K];
export type KnownCapability = { [K in CapabilityKind]: Known<K> }[CapabilityKind];
export type Capability =
  | KnownCapability
  /** Not in the table, or in it with a value that cannot be read (`malformed`). */
  | {
      readonly kind: 'unknown';
      readonly code: number;
      readonly value: Uint8Array;
      readonly malformed: boolean;
    };

interface CapabilityCodec<K extends CapabilityKind> {
  readonly code: number;
  readonly name: string;
  /**
   * RFC 5492 §4 leaves a malformed value open. Where the peer will encode its UPDATEs by what it believes to have
   * agreed on, ignoring the capability would garble them: those reset with 2/0, the others are ignored.
   */
  readonly onMalformed: 'ignore' | 'reset';
  /** Reads the whole value; undefined or a read past its end = malformed. */
  decode(reader: ByteReader): CapabilityValues[K] | undefined;
  encode(writer: ByteWriter, value: CapabilityValues[K]): void;
  describe(value: CapabilityValues[K]): string;
}

const GR_FLAG = { restarting: 0x8, notification: 0x4 } as const;
const GR_FAMILY_LENGTH = 4;
const LLGR_FAMILY_LENGTH = 7;
const NEXT_HOP_ENTRY_LENGTH = 6;
const ADD_PATH_ENTRY_LENGTH = 4;
const FORWARDING_BIT = 0x80;
/** A label of the DNS, what else fits into the 255 octets of a capability, and a version alone. */
const NAME_OCTETS = { host: 63, domain: 190, version: 254 } as const;
const ADD_PATH_MODES = ['none', 'receive', 'send', 'send and receive'];

type FlagKind = 'route-refresh' | 'extended-message' | 'enhanced-route-refresh';

/** A capability that says all by being there. */
function flagCodec<K extends FlagKind>(code: number, name: string): CapabilityCodec<K> {
  return { code, name, onMalformed: 'ignore', decode: () => ({}), encode() {}, describe: () => '' };
}

const CAPABILITY_TABLE: { readonly [K in CapabilityKind]: CapabilityCodec<K> } = {
  multiprotocol: {
    code: CAPABILITY.multiprotocol,
    name: 'multiprotocol',
    onMalformed: 'ignore',
    decode(reader) {
      const afi = reader.uint16();
      reader.uint8(); // RFC 4760 §8: reserved, ignored
      return { afi, safi: reader.uint8() };
    },
    encode: (writer, { afi, safi }) => void writer.uint16(afi).uint8(0).uint8(safi),
    describe: describeFamily,
  },
  'route-refresh': flagCodec(CAPABILITY.routeRefresh, 'route refresh'),
  'extended-next-hop': {
    code: CAPABILITY.extendedNextHop,
    name: 'extended next hop',
    onMalformed: 'ignore',
    decode: (reader) => ({
      entries: repeat(reader, NEXT_HOP_ENTRY_LENGTH, () => ({
        afi: reader.uint16(),
        safi: reader.uint16(),
        nextHopAfi: reader.uint16(),
      })),
    }),
    encode(writer, { entries }) {
      for (const entry of entries) writer.uint16(entry.afi).uint16(entry.safi).uint16(entry.nextHopAfi);
    },
    describe: ({ entries }) =>
      entries.map((e) => `${describeFamily(e)} over ${describeAfi(e.nextHopAfi)}`).join(', '),
  },
  'extended-message': flagCodec(CAPABILITY.extendedMessage, 'extended message'),
  role: {
    code: CAPABILITY.role,
    name: 'role',
    onMalformed: 'ignore',
    decode: (reader) => ({ value: reader.uint8() }),
    encode: (writer, { value }) => void writer.uint8(value),
    describe: ({ value }) => roleByValue(value) ?? `${value}`,
  },
  'graceful-restart': {
    code: CAPABILITY.gracefulRestart,
    name: 'graceful restart',
    onMalformed: 'ignore',
    decode(reader) {
      const head = reader.uint16();
      const flags = head >>> 12;
      return {
        restarting: (flags & GR_FLAG.restarting) !== 0,
        notification: (flags & GR_FLAG.notification) !== 0,
        restartTime: head & 0xfff,
        families: repeat(reader, GR_FAMILY_LENGTH, () => ({
          ...readAfiSafi(reader),
          forwarding: (reader.uint8() & FORWARDING_BIT) !== 0,
        })),
      };
    },
    encode(writer, value) {
      const flags =
        (value.restarting ? GR_FLAG.restarting : 0) | (value.notification ? GR_FLAG.notification : 0);
      writer.uint16((flags << 12) | (value.restartTime & 0xfff));
      for (const family of value.families) {
        writer
          .uint16(family.afi)
          .uint8(family.safi)
          .uint8(family.forwarding ? FORWARDING_BIT : 0);
      }
    },
    describe({ restarting, notification, restartTime, families }) {
      const flags = `${restarting ? ', restarting' : ''}${notification ? ', notification' : ''}`;
      return `${restartTime} s${flags}${listFamilies(families)}`;
    },
  },
  'four-octet-as': {
    code: CAPABILITY.fourOctetAs,
    name: '4-octet AS',
    onMalformed: 'reset',
    decode: (reader) => ({ as: reader.uint32() }),
    encode: (writer, { as }) => void writer.uint32(as),
    describe: ({ as }) => `${as}`,
  },
  'add-path': {
    code: CAPABILITY.addPath,
    name: 'ADD-PATH',
    onMalformed: 'reset',
    decode: (reader) => ({
      entries: repeat(reader, ADD_PATH_ENTRY_LENGTH, () => ({
        ...readAfiSafi(reader),
        mode: reader.uint8(),
      })),
    }),
    encode(writer, { entries }) {
      for (const entry of entries) writer.uint16(entry.afi).uint8(entry.safi).uint8(entry.mode);
    },
    describe: ({ entries }) =>
      entries.map((e) => `${describeFamily(e)} ${ADD_PATH_MODES[e.mode] ?? `mode ${e.mode}`}`).join(', '),
  },
  'enhanced-route-refresh': flagCodec(CAPABILITY.enhancedRouteRefresh, 'enhanced route refresh'),
  'long-lived-graceful-restart': {
    code: CAPABILITY.longLivedGracefulRestart,
    name: 'long-lived graceful restart',
    onMalformed: 'ignore',
    decode: (reader) => ({
      families: repeat(reader, LLGR_FAMILY_LENGTH, () => ({
        ...readAfiSafi(reader),
        forwarding: (reader.uint8() & FORWARDING_BIT) !== 0,
        staleTime: reader.uint24(),
      })),
    }),
    encode(writer, { families }) {
      for (const family of families) {
        writer.uint16(family.afi).uint8(family.safi);
        writer.uint8(family.forwarding ? FORWARDING_BIT : 0).uint24(family.staleTime);
      }
    },
    describe: ({ families }) => families.map((f) => `${describeFamily(f)} ${f.staleTime} s`).join(', '),
  },
  fqdn: {
    code: CAPABILITY.fqdn,
    name: 'FQDN',
    onMalformed: 'ignore',
    decode(reader) {
      const hostname = readText(reader);
      return { hostname, domain: readText(reader) };
    },
    encode(writer, { hostname, domain }) {
      writeText(writer, hostname, NAME_OCTETS.host);
      writeText(writer, domain, NAME_OCTETS.domain);
    },
    describe: ({ hostname, domain }) => (domain === '' ? hostname : `${hostname}.${domain}`),
  },
  'software-version': {
    code: CAPABILITY.softwareVersion,
    name: 'software version',
    onMalformed: 'ignore',
    decode: (reader) => ({ version: readText(reader) }),
    encode: (writer, { version }) => writeText(writer, version, NAME_OCTETS.version),
    describe: ({ version }) => version,
  },
};

const KIND_BY_CODE: ReadonlyMap<number, CapabilityKind> = new Map(
  (Object.keys(CAPABILITY_TABLE) as CapabilityKind[]).map((kind) => [CAPABILITY_TABLE[kind].code, kind]),
);

/** Reads one capability's value. A malformed one whose row says `reset` is returned as `unknown`, `fatal`. */
export function decodeCapability(
  code: number,
  value: Uint8Array,
): { capability: Capability; fatal: boolean } {
  const kind = KIND_BY_CODE.get(code);
  if (kind === undefined) {
    return { capability: { kind: 'unknown', code, value, malformed: false }, fatal: false };
  }
  const known = decodeKnown(kind, value);
  if (known !== undefined) return { capability: known, fatal: false };
  return {
    capability: { kind: 'unknown', code, value, malformed: true },
    fatal: CAPABILITY_TABLE[kind].onMalformed === 'reset',
  };
}

function decodeKnown<K extends CapabilityKind>(kind: K, value: Uint8Array): KnownCapability | undefined {
  const reader = new ByteReader(value);
  try {
    const decoded = CAPABILITY_TABLE[kind].decode(reader);
    if (decoded === undefined || reader.remaining > 0) return undefined;
    // The table's type ties the kind to its value; TypeScript cannot follow that through the union.
    return { kind, ...decoded } as unknown as KnownCapability;
  } catch (error) {
    if (error instanceof ByteRangeError) return undefined;
    throw error;
  }
}

/** Appends code, length, value (RFC 5492 §4). Throws RangeError for a value over 255 octets. */
export function encodeCapability(writer: ByteWriter, capability: Capability): void {
  const value = capability.kind === 'unknown' ? capability.value : encodeValue(capability);
  if (value.length > 255) throw new RangeError(`capability ${capability.kind} has ${value.length} octets`);
  writer.uint8(capabilityCode(capability)).uint8(value.length).bytes(value);
}

function encodeValue(capability: KnownCapability): Uint8Array {
  const writer = new ByteWriter();
  codecOf(capability).encode(writer, capability);
  return writer.finish();
}

function capabilityCode(capability: Capability): number {
  return capability.kind === 'unknown' ? capability.code : codeOfKind(capability.kind);
}

export function codeOfKind(kind: CapabilityKind): number {
  return CAPABILITY_TABLE[kind].code;
}

/** One capability as a person reads it: `ADD-PATH ipv4-unicast send and receive`, `capability 200 (616263)`. */
export function describeCapability(capability: Capability): string {
  if (capability.kind === 'unknown') {
    const kind = KIND_BY_CODE.get(capability.code);
    const name =
      kind === undefined
        ? (OTHER_CAPABILITY_NAMES[capability.code] ?? `capability ${capability.code}`)
        : CAPABILITY_TABLE[kind].name;
    const value = capability.value.length === 0 ? '' : ` (${toHex(capability.value)})`;
    return `${name}${value}${capability.malformed ? ', malformed' : ''}`;
  }
  const codec = codecOf(capability);
  const text = codec.describe(capability);
  return text === '' ? codec.name : `${codec.name} ${text}`;
}

export function roleByValue(value: number): Role | undefined {
  return (Object.keys(ROLE) as Role[]).find((role) => ROLE[role] === value);
}

function codecOf(capability: KnownCapability): CapabilityCodec<CapabilityKind> {
  // A row takes the values of its own kind only, and is looked up by that kind.
  return CAPABILITY_TABLE[capability.kind] as CapabilityCodec<CapabilityKind>;
}

function repeat<T>(reader: ByteReader, size: number, read: () => T): T[] {
  const entries: T[] = [];
  while (reader.remaining >= size) entries.push(read());
  // What is left over makes the value malformed.
  return entries;
}

function readAfiSafi(reader: ByteReader): AfiSafi {
  const afi = reader.uint16();
  return { afi, safi: reader.uint8() };
}

function readText(reader: ByteReader): string {
  const text = new TextDecoder().decode(reader.bytes(reader.uint8()));
  // It is shown on terminals: control characters of the peer's have no business there.
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}

/** What is for people only is cut, at a character's boundary, rather than that there is no OPEN. */
function writeText(writer: ByteWriter, text: string, limit: number): void {
  const bytes = new Uint8Array(limit);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  writer.uint8(written).bytes(bytes.subarray(0, written));
}

function describeFamily({ afi, safi }: AfiSafi): string {
  return familyByAfiSafi(afi, safi)?.name ?? `afi ${afi} safi ${safi}`;
}

function describeAfi(afi: number): string {
  return afi === 1 ? 'IPv4' : afi === 2 ? 'IPv6' : `afi ${afi}`;
}

function listFamilies(families: readonly GracefulRestartFamily[]): string {
  return families.map((f) => `, ${describeFamily(f)}${f.forwarding ? ' (forwarding)' : ''}`).join('');
}
