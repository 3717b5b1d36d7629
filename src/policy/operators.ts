// What operators do to values: equality, order, membership, arithmetic, and the methods that make new lists. What
// does not fit is a PolicyRuntimeError.

import { containsAs, encodeSegments, prepend as prependAs, segments } from '../bgp/wire/as-path.ts';
import { bytesEqual, readUint32, writeUint32 } from '../lib/bytes.ts';
import { quadToUint } from '../lib/ip.ts';
import { toWords } from '../lib/prefix-trie.ts';
import type { RangeSet } from './sets.ts';
import {
  type Compound,
  EMPTY,
  Ip,
  List,
  MEMBER_BYTES,
  PolicyRuntimeError,
  type PrefixValue,
  typeOf,
  type Value,
} from './values.ts';

const MAPPED = 0xffff;
const AS_BYTES = 4;

/** An address as four words, IPv4 as IPv4-mapped. */
export function ipWords(bytes: Uint8Array): [number, number, number, number] {
  if (bytes.length === 4) return [0, 0, MAPPED, quadToUint(bytes)];
  return [readUint32(bytes, 0), readUint32(bytes, 4), readUint32(bytes, 8), readUint32(bytes, 12)];
}

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

function orderWords(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

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
        return typeof a === 'object' && a.kind === 'prefix'
          ? b.has(toWords(a.bytes), a.length, a.bytes.length / 4)
          : undefined;
      }
      return isMember(a, b);
    case 'prefix':
      if (typeof a !== 'object') return undefined;
      if (a.kind === 'ip') return covers(b, a.bytes, a.bytes.length * 8);
      return a.kind === 'prefix' ? covers(b, a.bytes, a.length) : undefined;
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
      return member === undefined ? undefined : indexOf(b, member) >= 0;
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

/** Whether a value, or any member of a list, is in the set; undefined where the set is of something else. */
export function isMember(a: Exclude<Value, undefined>, set: RangeSet): boolean | undefined {
  if (typeof a === 'number') return set.part('int')?.has(a);
  if (typeof a !== 'object') return undefined;
  switch (a.kind) {
    case 'pair':
      return set.part('pair')?.has(a.value);
    case 'quad':
      return set.part('quad')?.has(a.value) ?? set.part('ip')?.has(0, 0, MAPPED, a.value);
    case 'enum':
      return set.part(`enum ${a.of}`)?.has(a.value);
    case 'ip':
      return set.part('ip')?.has(...ipWords(a.bytes));
    case 'ec':
      return set.part('ec')?.has(a.high, a.low);
    case 'lc':
      return set.part('lc')?.has(a.asn, a.data1, a.data2);
    case 'rd':
      return set.part('rd')?.has(readUint32(a.bytes, 0), readUint32(a.bytes, 4));
    case 'bgppath':
      return set.part('int') === undefined
        ? undefined
        : pathHas(a.bytes, 0, a.bytes.length, set.part('int')!);
    case 'clist':
    case 'eclist':
    case 'lclist':
      return listHas(a.kind, a.bytes, 0, a.bytes.length, set);
    default:
      return undefined;
  }
}

/** Whether any AS of the path in `bytes[start, end)` is in the set. */
export function pathHas(bytes: Uint8Array, start: number, end: number, set: RangeSet): boolean {
  for (let at = start; at + 2 <= end; ) {
    const next = at + 2 + bytes[at + 1]! * AS_BYTES;
    for (let as = at + 2; as < next; as += AS_BYTES) if (set.has(readUint32(bytes, as))) return true;
    at = next;
  }
  return false;
}

/** Whether any member of the list in `bytes[start, end)` is in the set; undefined where the set is of no such thing. */
export function listHas(
  kind: 'clist' | 'eclist' | 'lclist',
  bytes: Uint8Array,
  start: number,
  end: number,
  set: RangeSet,
): boolean | undefined {
  if (!canHold(kind, set)) return undefined;
  const size = MEMBER_BYTES[kind];
  for (let at = start; at + size <= end; at += size) if (memberIsIn(kind, bytes, at, set)) return true;
  return false;
}

function canHold(kind: 'clist' | 'eclist' | 'lclist', set: RangeSet): boolean {
  if (kind === 'eclist') return set.part('ec') !== undefined;
  if (kind === 'lclist') return set.part('lc') !== undefined;
  return (set.part('pair') ?? set.part('quad') ?? set.part('ip')) !== undefined;
}

function memberIsIn(
  kind: 'clist' | 'eclist' | 'lclist',
  bytes: Uint8Array,
  at: number,
  set: RangeSet,
): boolean {
  const first = readUint32(bytes, at);
  if (kind === 'eclist') return set.part('ec')!.has(first, readUint32(bytes, at + 4));
  if (kind === 'lclist')
    return set.part('lc')!.has(first, readUint32(bytes, at + 4), readUint32(bytes, at + 8));
  return (
    set.part('pair')?.has(first) === true ||
    set.part('quad')?.has(first) === true ||
    set.part('ip')?.has(0, 0, MAPPED, first) === true
  );
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

// --- lists

function wanted(list: Value, what: string): List {
  if (typeof list === 'object' && list instanceof List) return list;
  throw new PolicyRuntimeError(`cannot ${what} ${typeOf(list)}`);
}

/** A member of such a list as octets; undefined where the value is none. */
export function memberBytes(value: Value, kind: List['kind']): Uint8Array | undefined {
  if (typeof value !== 'object') return undefined;
  if (kind === 'clist') {
    if (value.kind === 'pair' || value.kind === 'quad') return wordBytes(value.value);
    return value.kind === 'ip' && value.bytes.length === 4 ? value.bytes : undefined;
  }
  if (kind === 'eclist') return value.kind === 'ec' ? wordBytes(value.high, value.low) : undefined;
  return kind === 'lclist' && value.kind === 'lc'
    ? wordBytes(value.asn, value.data1, value.data2)
    : undefined;
}

function wordBytes(...words: number[]): Uint8Array {
  const out = new Uint8Array(words.length * 4);
  for (const [i, word] of words.entries()) writeUint32(out, i * 4, word);
  return out;
}

function indexOf(list: List, member: Uint8Array): number {
  return find(list.bytes, list.bytes.length, member);
}

/** Where the member stands among the members in `bytes[0, end)`, or -1. */
function find(bytes: Uint8Array, end: number, member: Uint8Array): number {
  const size = member.length;
  next: for (let at = 0; at + size <= end; at += size) {
    for (let i = 0; i < size; i++) if (bytes[at + i] !== member[i]) continue next;
    return at;
  }
  return -1;
}

/** `add(list, x)`: x, or each of the list x, unless it is there. */
export function addTo(target: Value, value: Value): List {
  const list = wanted(target, 'add to');
  if (list.kind === 'bgppath') throw new PolicyRuntimeError('cannot add to a path: prepend');
  const added =
    typeof value === 'object' && value.kind === list.kind ? value.bytes : memberBytes(value, list.kind);
  if (added === undefined) throw new PolicyRuntimeError(`cannot add ${typeOf(value)} to ${list.kind}`);
  const size = MEMBER_BYTES[list.kind];
  const out = new Uint8Array(list.bytes.length + added.length);
  out.set(list.bytes);
  let length = list.bytes.length;
  for (let at = 0; at < added.length; at += size) {
    const member = added.subarray(at, at + size);
    if (find(out, length, member) >= 0) continue;
    out.set(member, length);
    length += size;
  }
  return length === list.bytes.length ? list : new List(list.kind, out.subarray(0, length));
}

/** `delete(list, x)`: without x, members of the set or list x. */
export function deleteFrom(target: Value, value: Value): List {
  return keep(wanted(target, 'delete from'), value, false);
}

/** `filter(list, x)`: members of the set or list x only. */
export function filterBy(target: Value, value: Value): List {
  const list = wanted(target, 'filter');
  if (
    typeof value !== 'object' ||
    !(value.kind === 'set' || (value.kind === list.kind && list.kind !== 'bgppath'))
  ) {
    throw new PolicyRuntimeError(`cannot filter ${list.kind} by ${typeOf(value)}`);
  }
  return keep(list, value, true);
}

function keep(list: List, by: Value, those: boolean): List {
  if (list.kind === 'bgppath') return keepAses(list, by, those);
  const { kind } = list;
  const size = MEMBER_BYTES[kind];
  const isIn = memberTest(kind, by);
  const out = new Uint8Array(list.bytes.length);
  let length = 0;
  for (let at = 0; at + size <= list.bytes.length; at += size) {
    if (isIn(list.bytes, at) !== those) continue;
    out.set(list.bytes.subarray(at, at + size), length);
    length += size;
  }
  return length === list.bytes.length ? list : new List(kind, out.subarray(0, length));
}

function memberTest(
  kind: 'clist' | 'eclist' | 'lclist',
  by: Value,
): (bytes: Uint8Array, at: number) => boolean {
  if (typeof by === 'object') {
    if (by.kind === 'set') {
      if (by.type === 'empty set') return () => false;
      if ('element' in by && canHold(kind, by)) return (bytes, at) => memberIsIn(kind, bytes, at, by);
    } else if (by.kind === kind) {
      const size = MEMBER_BYTES[kind];
      return (bytes, at) => find(by.bytes, by.bytes.length, bytes.subarray(at, at + size)) >= 0;
    }
    const member = memberBytes(by, kind);
    if (member !== undefined) return (bytes, at) => member.every((octet, i) => bytes[at + i] === octet);
  }
  throw new PolicyRuntimeError(`${typeOf(by)} cannot be in ${kind}`);
}

function keepAses(list: List, by: Value, those: boolean): List {
  const isIn = asTest(by);
  let changed = false;
  const kept = [...segments(list.bytes)].map(({ type, ases }) => {
    const left = ases.filter((as) => isIn(as) === those);
    if (left.length !== ases.length) changed = true;
    return { type, ases: left };
  });
  return changed ? new List('bgppath', encodeSegments(kept)) : list;
}

function asTest(by: Value): (as: number) => boolean {
  if (typeof by === 'number') return (as) => as === by;
  if (typeof by === 'object' && by.kind === 'set') {
    if (by.type === 'empty set') return () => false;
    const part = 'element' in by ? by.part('int') : undefined;
    if (part !== undefined) return (as) => part.has(as);
  }
  throw new PolicyRuntimeError(`${typeOf(by)} cannot be in bgppath`);
}

/** `prepend(path, as)` */
export function prependTo(target: Value, as: Value): List {
  const list = wanted(target, 'prepend to');
  if (list.kind !== 'bgppath') throw new PolicyRuntimeError(`cannot prepend to ${list.kind}`);
  if (typeof as !== 'number') throw new PolicyRuntimeError(`cannot prepend ${typeOf(as)}`);
  return new List('bgppath', prependAs(list.bytes, as));
}

/** Whether `defined(value)`: in 2.x what was never set is undefined though it reads as an empty list. */
export function isDefined(value: Value, lenient: boolean): boolean {
  if (value === undefined) return false;
  return lenient || !(value instanceof List) || value !== EMPTY[value.kind];
}

/** `address.mask(n)`: lengths beyond the address count from its start again, as BIRD's do. */
export function maskAddress(address: Ip, length: number): Ip {
  const size = address.bytes.length * 8;
  const bits = length > size ? ((length - 1) % size) + 1 : length;
  const out = Uint8Array.from(address.bytes, (octet, i) => {
    const kept = bits - i * 8;
    return kept >= 8 ? octet : kept <= 0 ? 0 : octet & (0xff << (8 - kept));
  });
  return new Ip(out);
}
