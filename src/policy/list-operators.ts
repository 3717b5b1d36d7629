// What changes lists: the methods and functions that give a new path or list of communities from an old one. A list
// that comes out unchanged is the same object. What does not fit is a PolicyRuntimeError.

import { encodeSegments, prepend as prependAs, segments } from '../bgp/wire/as-path.ts';
import { canHold, findMember, memberBytes, memberIsIn } from './membership.ts';
import { List, MEMBER_BYTES, PolicyRuntimeError, typeOf, type Value } from './values.ts';

function wanted(list: Value, what: string): List {
  if (typeof list === 'object' && list instanceof List) return list;
  throw new PolicyRuntimeError(`cannot ${what} ${typeOf(list)}`);
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
    if (findMember(out, length, member) >= 0) continue;
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
      return (bytes, at) => findMember(by.bytes, by.bytes.length, bytes.subarray(at, at + size)) >= 0;
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
