// What expressions of the filter language have for values: ints, booleans and strings are JavaScript's own, a value
// that is not there is undefined, everything else is one of the small classes here, told apart by `kind`. Values
// never change once made. How they look is format.ts's, sets are sets.ts's, masks path-mask.ts's.

import { ENUM_NAMES, type EnumName, type PolicyType } from './ast.ts';
import type { FlowExpression, NetExpression } from './ast-net.ts';
import type { PathMask } from './path-mask.ts';
import type { EmptySet, PrefixSet, RangeSet } from './sets.ts';

/** Two 16-bit numbers: a community. */
export class Pair {
  readonly kind = 'pair';
  /** high << 16 | low, unsigned */
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A router id: four octets that are no address. */
export class Quad {
  readonly kind = 'quad';
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export class Ip {
  readonly kind = 'ip';
  /** 4 or 16 octets */
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

export class PrefixValue {
  readonly kind = 'prefix';
  readonly bytes: Uint8Array;
  readonly length: number;
  constructor(bytes: Uint8Array, length: number) {
    this.bytes = bytes;
    this.length = length;
  }
}

/** A network that is no plain prefix; no route that filters see has one. */
export class NetValue {
  readonly kind = 'net';
  readonly of: NetExpression['of'] | FlowExpression['of'];
  /** The destination. */
  readonly prefix: PrefixValue;
  readonly text: string;
  readonly parts: NetParts;
  constructor(of: NetValue['of'], prefix: PrefixValue, text: string, parts: NetParts) {
    this.of = of;
    this.prefix = prefix;
    this.text = text;
    this.parts = parts;
  }
}

export interface NetParts {
  readonly rd?: Octets | undefined;
  readonly maxLength?: number | undefined;
  readonly asn?: number | undefined;
  readonly source?: PrefixValue | undefined;
}

/** A route distinguisher (8 octets), a MAC address (6) or a byte string. */
export class Octets {
  readonly kind: 'rd' | 'mac' | 'bytestring';
  readonly bytes: Uint8Array;
  constructor(kind: 'rd' | 'mac' | 'bytestring', bytes: Uint8Array) {
    this.kind = kind;
    this.bytes = bytes;
  }
}

/** An extended community as two words. */
export class Ec {
  readonly kind = 'ec';
  readonly high: number;
  readonly low: number;
  constructor(high: number, low: number) {
    this.high = high >>> 0;
    this.low = low >>> 0;
  }
}

/** A large community. */
export class Lc {
  readonly kind = 'lc';
  readonly asn: number;
  readonly data1: number;
  readonly data2: number;
  constructor(asn: number, data1: number, data2: number) {
    this.asn = asn;
    this.data1 = data1;
    this.data2 = data2;
  }
}

export class EnumValue {
  readonly kind = 'enum';
  readonly of: EnumName;
  readonly value: number;
  constructor(of: EnumName, value: number) {
    this.of = of;
    this.value = value;
  }
}

export type ListKind = 'bgppath' | 'clist' | 'eclist' | 'lclist';

/** An AS_PATH (4-octet ASes) or a list of communities, as octets on the wire. */
export class List {
  readonly kind: ListKind;
  readonly bytes: Uint8Array;
  /** clist of CLUSTER_LIST: router ids, which print like pairs all the same. */
  constructor(kind: ListKind, bytes: Uint8Array) {
    this.kind = kind;
    this.bytes = bytes;
  }
}

/** What the RIB keeps for filters. */
export type KeptValue = Ip | Quad | EnumValue | List | Octets;

/** A kept value that came from another process as plain data; undefined where it is none. */
export function revived(value: { readonly kind: string }): KeptValue | undefined {
  const { kind } = value;
  const bytes = 'bytes' in value && value.bytes instanceof Uint8Array ? value.bytes : undefined;
  const number = 'value' in value && typeof value.value === 'number' ? value.value : undefined;
  if (kind === 'quad' && number !== undefined) return new Quad(number);
  if (kind === 'enum' && number !== undefined && 'of' in value && isEnumName(value.of)) {
    return new EnumValue(value.of, number);
  }
  if (bytes === undefined) return undefined;
  if (kind === 'ip') return new Ip(bytes);
  if (kind === 'rd' || kind === 'mac' || kind === 'bytestring') return new Octets(kind, bytes);
  return isListKind(kind) ? new List(kind, bytes) : undefined;
}

function isListKind(kind: string): kind is ListKind {
  return Object.hasOwn(EMPTY, kind);
}

function isEnumName(name: unknown): name is EnumName {
  return ENUM_NAMES.some((each) => each === name);
}

const NO_BYTES = new Uint8Array(0);

/** What an absent list reads as, and `-empty-` and its kin; 2.x calls these very values undefined. */
export const EMPTY: Readonly<Record<ListKind, List>> = {
  bgppath: new List('bgppath', NO_BYTES),
  clist: new List('clist', NO_BYTES),
  eclist: new List('eclist', NO_BYTES),
  lclist: new List('lclist', NO_BYTES),
};

/** Octets of a member. */
export const MEMBER_BYTES: Readonly<Record<ListKind, number>> = {
  bgppath: 4,
  clist: 4,
  eclist: 8,
  lclist: 12,
};

export type Compound =
  | Pair
  | Quad
  | Ip
  | PrefixValue
  | NetValue
  | Octets
  | Ec
  | Lc
  | EnumValue
  | List
  | RangeSet
  | PrefixSet
  | EmptySet
  | PathMask;
export type Value = undefined | number | boolean | string | Compound;

/** The dynamic type, as texts name it. */
export function typeOf(value: Value): PolicyType {
  switch (typeof value) {
    case 'undefined':
      return 'void';
    case 'number':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return compoundType(value);
  }
}

function compoundType(value: Compound): PolicyType {
  switch (value.kind) {
    case 'enum':
      return `enum ${value.of}`;
    case 'set':
      return value.type;
    case 'net':
      return 'prefix';
    default:
      return value.kind;
  }
}

/** Whether a value of type `from` may stand where `to` is wanted. */
export function isAssignable(from: PolicyType, to: PolicyType): boolean {
  if (from === to || from === 'unknown' || to === 'unknown') return true;
  // A dotted quad that the text has is an address until a router id is wanted.
  if (from === 'ip' && to === 'quad') return true;
  if (!to.endsWith(' set')) return false;
  // BIRD tells sets of prefixes from all others, and no more.
  return from === 'empty set' || (from.endsWith(' set') && from !== 'prefix set' && to !== 'prefix set');
}

/** A mistake that only shows when a filter runs; the route is rejected. */
export class PolicyRuntimeError extends Error {
  override readonly name = 'PolicyRuntimeError';
}
