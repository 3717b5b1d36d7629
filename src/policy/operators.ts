// What operators do to values: equality, order, matching, arithmetic. What does not fit is a PolicyRuntimeError.

import { containsAs } from '../bgp/wire/as-path.ts';
import { bytesEqual, readUint32 } from '../lib/bytes.ts';
import { quadToUint } from '../lib/ip.ts';
import { toWords } from '../lib/prefix-trie.ts';
import { findMember, ipWords, isMember, memberBytes } from './membership.ts';
import {
  type Compound,
  EMPTY,
  Ip,
  List,
  type NetValue,
  PolicyRuntimeError,
  type PrefixValue,
  typeOf,
  type Value,
} from './values.ts';

/** Whether two values are the same; values of different types never are. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (a.kind !== b.kind) {
    if (a.kind === 'quad' && b.kind === 'ip') return b.bytes.length === 4 && quadToUint(b.bytes) === a.value;
    return a.kind === 'ip' && b.kind === 'quad' && equal(b, a);
  }
  switch (a.kind) {
    case 'bgppath':
    case 'clist':
    case 'eclist':
    case 'lclist':
    case 'rd':
    case 'mac':
    case 'bytestring':
      return bytesEqual(a.bytes, (b as typeof a).bytes);
    case 'bgpmask':
      return a.text === (b as typeof a).text;
    case 'net':
      return a.of === (b as typeof a).of && a.text === (b as typeof a).text;
    case 'enum':
      return a.of === (b as typeof a).of && a.value === (b as typeof a).value;
    case 'prefix': {
      const other = b as typeof a;
      return a.length === other.length && bytesEqual(a.bytes, other.bytes);
    }
    case 'set':
      return setsEqual(a, b as typeof a);
    default:
      return order(a, b) === 0;
  }
}

function setsEqual(a: Compound & { kind: 'set' }, b: Compound & { kind: 'set' }): boolean {
  if (a.type === 'empty set' || b.type === 'empty set') return a.type === b.type;
  if ('element' in a) return 'element' in b && a.equals(b);
  return !('element' in b) && a.equals(b);
}

/** Negative, 0 or positive. What is not there sorts below everything. */
export function compare(a: Value, b: Value): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'object' && typeof b === 'object') {
    const result = order(a, b);
    if (result !== undefined) return result;
  }
  throw new PolicyRuntimeError(`cannot compare ${typeOf(a)} with ${typeOf(b)}`);
}

/** undefined where the values have no order. */
function order(a: Compound, b: Compound): number | undefined {
  if (a.kind === 'quad' && b.kind === 'ip' && b.bytes.length === 4) return a.value - quadToUint(b.bytes);
  if (a.kind === 'ip' && b.kind === 'quad' && a.bytes.length === 4) return quadToUint(a.bytes) - b.value;
  if (a.kind === 'net' || b.kind === 'net') return orderOfNets(a, b);
  if (a.kind !== b.kind) return undefined;
  switch (a.kind) {
    case 'pair':
    case 'quad':
      return a.value - (b as typeof a).value;
    case 'enum':
      return a.of === (b as typeof a).of ? a.value - (b as typeof a).value : undefined;
    case 'ip':
      return orderWords(ipWords(a.bytes), ipWords((b as typeof a).bytes));
    case 'prefix': {
      const other = b as typeof a;
      if (a.bytes.length !== other.bytes.length) return a.bytes.length - other.bytes.length;
      return orderWords(ipWords(a.bytes), ipWords(other.bytes)) || a.length - other.length;
    }
    case 'ec':
      return a.high - (b as typeof a).high || a.low - (b as typeof a).low;
    case 'lc': {
      const other = b as typeof a;
      return a.asn - other.asn || a.data1 - other.data1 || a.data2 - other.data2;
    }
    case 'rd': {
      const other = b as typeof a;
      return (
        readUint32(a.bytes, 0) - readUint32(other.bytes, 0) ||
        readUint32(a.bytes, 4) - readUint32(other.bytes, 4)
      );
    }
    default:
      return undefined;
  }
}

const NET_ORDER: Readonly<Record<NetValue['of'], number>> = {
  vpn4: 1,
  vpn6: 2,
  roa4: 3,
  roa6: 4,
  flow4: 5,
  flow6: 6,
  'ipv6 sadr': 7,
  mpls: 8,
};

/** By type, route distinguisher and prefix; what else they have decides last. */
function orderOfNets(a: Compound, b: Compound): number | undefined {
  if ((a.kind !== 'net' && a.kind !== 'prefix') || (b.kind !== 'net' && b.kind !== 'prefix'))
    return undefined;
  if (a.kind !== b.kind) return a.kind === 'net' ? 1 : -1;
  if (a.kind === 'prefix' || b.kind === 'prefix') return order(a, b);
  if (a.of !== b.of) return NET_ORDER[a.of] - NET_ORDER[b.of];
  const [rd, other] = [a.parts.rd, b.parts.rd];
  const byRd = rd === undefined || other === undefined ? 0 : order(rd, other);
  return byRd || order(a.prefix, b.prefix) || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
}

function orderWords(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Of which networks prefix sets ask the prefix. */
const BY_PREFIX: ReadonlySet<string> = new Set(['vpn4', 'vpn6', 'roa4', 'roa6']);

/** `a ~ b` */
export function matches(a: Value, b: Value): boolean {
  if (typeof b === 'string') {
    if (typeof a === 'string') return globMatches(b, a);
  } else if (typeof b === 'object' && a !== undefined) {
    const result = matchesCompound(a, b);
    if (result !== undefined) return result;
  }
  throw new PolicyRuntimeError(`cannot match ${typeOf(a)} against ${typeOf(b)}`);
}

function matchesCompound(a: Exclude<Value, undefined>, b: Compound): boolean | undefined {
  switch (b.kind) {
    case 'set':
      if (b.type === 'empty set') return false;
      if (!('element' in b)) {
        if (typeof a !== 'object') return undefined;
        if (a.kind === 'net') return BY_PREFIX.has(a.of) && matchesCompound(a.prefix, b);
        return a.kind === 'prefix' ? b.has(toWords(a.bytes), a.length, a.bytes.length / 4) : undefined;
      }
      return isMember(a, b);
    case 'prefix':
      if (typeof a !== 'object') return undefined;
      if (a.kind === 'ip') return covers(b, a.bytes, a.bytes.length * 8);
      if (a.kind === 'net') return false;
      return a.kind === 'prefix' ? covers(b, a.bytes, a.length) : undefined;
    case 'net':
      if (typeof a !== 'object') return undefined;
      if (a.kind === 'ip') return covers(b.prefix, a.bytes, a.bytes.length * 8);
      if (a.kind === 'prefix') return false;
      if (a.kind !== 'net') return undefined;
      return a.of === b.of && a.of !== 'mpls' && covers(b.prefix, a.prefix.bytes, a.prefix.length);
    case 'bgpmask':
      return typeof a === 'object' && a.kind === 'bgppath'
        ? b.matches(a.bytes, 0, a.bytes.length)
        : undefined;
    case 'bgppath':
      return typeof a === 'number' ? containsAs(b.bytes, 0, b.bytes.length, a) : undefined;
    case 'clist':
    case 'eclist':
    case 'lclist': {
      const member = memberBytes(a, b.kind);
      return member === undefined ? undefined : findMember(b.bytes, b.bytes.length, member) >= 0;
    }
    default:
      return undefined;
  }
}

/** Whether the first `length` bits at `bytes` lie inside the prefix. */
function covers(prefix: PrefixValue, bytes: Uint8Array, length: number): boolean {
  if (bytes.length !== prefix.bytes.length || length < prefix.length) return false;
  const whole = prefix.length >>> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== prefix.bytes[i]) return false;
  const rest = prefix.length & 7;
  return rest === 0 || ((bytes[whole]! ^ prefix.bytes[whole]!) & (0xff << (8 - rest)) & 0xff) === 0;
}

/** A pattern with `*`, `?` and `\` before either to mean itself. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const char = pattern[p];
    if (char === '*') {
      star = p++;
      resume = t;
      continue;
    }
    const escaped = char === '\\' && p + 1 < pattern.length;
    const wanted = escaped ? pattern[p + 1] : char;
    if (wanted !== undefined && ((char === '?' && !escaped) || wanted === text[t])) {
      p += escaped ? 2 : 1;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

export function arithmetic(operator: '+' | '-' | '*' | '/', a: Value, b: Value): number {
  if (typeof a !== 'number' || typeof b !== 'number') {
    const wrong = typeof a === 'number' ? b : a;
    throw new PolicyRuntimeError(`'${operator}' needs ints, got ${typeOf(wrong)}`);
  }
  switch (operator) {
    case '+':
      return (a + b) >>> 0;
    case '-':
      return (a - b) >>> 0;
    case '*':
      return Math.imul(a, b) >>> 0;
    case '/':
      if (b === 0) throw new PolicyRuntimeError('division by zero');
      return Math.floor(a / b);
  }
}

/** Whether `defined(value)`: in 2.x what was never set is undefined though it reads as an empty list. */
export function isDefined(value: Value, lenient: boolean): boolean {
  if (value === undefined) return false;
  return lenient || !(value instanceof List) || value !== EMPTY[value.kind];
}

const IPV4_BITS = 32;

/** `address.mask(n)`: lengths beyond an IPv4 address count from its start again, beyond an IPv6 one all of it stays. */
export function maskAddress(address: Ip, length: number): Ip {
  const size = address.bytes.length * 8;
  const beyond = size === IPV4_BITS ? ((length - 1) % size) + 1 : size;
  const bits = length > size ? beyond : length;
  const out = Uint8Array.from(address.bytes, (octet, i) => {
    const kept = bits - i * 8;
    return kept >= 8 ? octet : kept <= 0 ? 0 : octet & (0xff << (8 - kept));
  });
  return new Ip(out);
}
