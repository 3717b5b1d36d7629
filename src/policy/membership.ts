// Members of sets and lists: values as words and octets, and who is in what.

import { readUint32, writeUint32 } from '../lib/bytes.ts';
import { quadToUint } from '../lib/ip.ts';
import type { RangeSet } from './sets.ts';
import { type List, MEMBER_BYTES, type Value } from './values.ts';

const MAPPED = 0xffff;
const AS_BYTES = 4;

/** An address as four words, IPv4 as IPv4-mapped. */
export function ipWords(bytes: Uint8Array): [number, number, number, number] {
  if (bytes.length === 4) return [0, 0, MAPPED, quadToUint(bytes)];
  return [readUint32(bytes, 0), readUint32(bytes, 4), readUint32(bytes, 8), readUint32(bytes, 12)];
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
    case 'bgppath': {
      // Of a path BIRD asks every set; in sets of something else there are no ASes.
      const ases = set.part('int');
      return ases !== undefined && pathHas(a.bytes, 0, a.bytes.length, ases);
    }
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

export function canHold(kind: 'clist' | 'eclist' | 'lclist', set: RangeSet): boolean {
  if (kind === 'eclist') return set.part('ec') !== undefined;
  if (kind === 'lclist') return set.part('lc') !== undefined;
  return (set.part('pair') ?? set.part('quad') ?? set.part('ip')) !== undefined;
}

export function memberIsIn(
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

/** Where the member stands among the members in `bytes[0, end)`, or -1. */
export function findMember(bytes: Uint8Array, end: number, member: Uint8Array): number {
  const size = member.length;
  next: for (let at = 0; at + size <= end; at += size) {
    for (let i = 0; i < size; i++) if (bytes[at + i] !== member[i]) continue next;
    return at;
  }
  return -1;
}
