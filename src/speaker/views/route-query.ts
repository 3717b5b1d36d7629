// Which prefixes and paths a query means, as a generator: whoever serves it takes as many as fit into a slice and
// comes back. Ids may be freed in between; what is gone is passed over.

import { decodeAttributes } from '../../bgp/wire/attribute-values.ts';
import { type Family, familyByName } from '../../bgp/wire/families.ts';
import { formatPrefix, type Prefix, parseAddress, parsePrefix, subnetOf } from '../../lib/ip.ts';
import { BITS_A_WORD, prefixMask } from '../../lib/ip-words.ts';
import { sentTo } from '../../rib/adj-rib-out.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { Rib } from '../../rib/rib.ts';
import { CommandError, type RouteQuery, type RouteView } from '../api.ts';
import { familyOf, prefixWords } from '../local-routes.ts';
import { formatNextHop, routeView, type Standing, standings } from './route-view.ts';

/** Tables up to this size are listed in the order of their addresses, larger ones as they lie. */
const SORT_LIMIT = 50_000;

/** After so many prefixes, whether or not they gave a route, whoever serves the query may do something else. */
const PREFIXES_PER_PAUSE = 256;

/** Peers by name, as far as a query needs them. */
export interface PeerLookup {
  /** RIB ids of the peer's sessions; throws CommandError for an unknown name. */
  ribPeerId(name: string): number | undefined;
  /** Its families; throws CommandError for an unknown name. */
  table(name: string): readonly FamilyRib[];
}

export function* queryRoutes(
  rib: Rib,
  query: RouteQuery,
  peers: PeerLookup,
): Iterable<RouteView | undefined> {
  const from = query.receivedFrom === undefined ? undefined : peerId(peers, query.receivedFrom);
  const to = query.advertisedTo === undefined ? undefined : peerId(peers, query.advertisedTo);
  let looked = 0;
  const families = query.table === undefined ? homesOf(rib, to ?? from) : peers.table(query.table);
  for (const family of families) {
    if (!wantsFamily(family.family, query)) continue;
    for (const prefixId of matchingPrefixes(family, query)) {
      if (++looked % PREFIXES_PER_PAUSE === 0) yield undefined;
      if (to !== undefined) yield* advertised(rib, family, prefixId, to);
      else yield* received(rib, family, prefixId, query, from);
    }
  }
}

/** The tables that a peer is attached to; the main one where none is asked for. */
function homesOf(rib: Rib, peerId: number | undefined): readonly FamilyRib[] {
  if (peerId === undefined || peerId === 0) return rib.families;
  return rib.peers.get(peerId).home.flatMap((index) => rib.all[index] ?? []);
}

function peerId(peers: PeerLookup, name: string): number {
  // A peer without a session has no routes: an id that no row carries.
  return peers.ribPeerId(name) ?? 0;
}

function* received(
  rib: Rib,
  family: FamilyRib,
  prefixId: number,
  query: RouteQuery,
  from: number | undefined,
): Iterable<RouteView> {
  const { paths } = family;
  if (from !== undefined && !hasPathFrom(family, prefixId, from)) return;
  for (const standing of standings(family, prefixId)) {
    if (from !== undefined && paths.peerId(standing.row) !== from) continue;
    if (query.bestOnly === true && !standing.best) continue;
    if (query.rejectedOnly === true && standing.eligible) continue;
    const post = paths.attrPost(standing.row);
    const attr = query.beforePolicy === true || post === 0 ? paths.attrIn(standing.row) : post;
    yield routeView(rib, family, prefixId, standing, attr, paths.pathId(standing.row));
  }
}

function hasPathFrom({ paths }: FamilyRib, prefixId: number, peerId: number): boolean {
  let row = paths.first(prefixId);
  while (row !== 0 && paths.peerId(row) !== peerId) row = paths.next(row);
  return row !== 0;
}

/** What a peer was sent: the Adj-RIB-Out of its group less its own routes. */
function* advertised(rib: Rib, family: FamilyRib, prefixId: number, to: number): Iterable<RouteView> {
  const group = rib.groups[family.index]!.groupOf(to);
  if (group === undefined) return;
  const found = sentTo(group.adjRibOut, prefixId, to);
  if (found.length === 0) return;
  const ranked = standings(family, prefixId);
  for (const { pathId, attr, from } of found) {
    const standing = ranked.find(({ row }) => {
      return pathId === 0 ? family.paths.peerId(row) === from : row === pathId;
    });
    if (standing === undefined) continue;
    const view: Standing = { ...standing, reason: 'advertised' };
    // The next hop is the peer's to resolve; towards us it may well be our own address.
    const { bytes, length, nextHop } = group.rewriter.render(attr, from);
    yield {
      ...routeView(rib, family, prefixId, view, attr, pathId),
      attributes: decodeAttributes(bytes, 0, length),
      nextHop: formatNextHop(nextHop),
      nextHopReachable: true,
      igpMetric: undefined,
    };
  }
}

function wantsFamily(family: Family, query: RouteQuery): boolean {
  if (query.family !== undefined && familyByName(query.family) === undefined) {
    throw new CommandError('invalid', `unknown family "${query.family}"`);
  }
  return query.family === undefined || query.family === family.name;
}

/** Ids of the prefixes that a query names; all where it names none. */
export function* matchingPrefixes(
  family: FamilyRib,
  query: { prefix?: string; longer?: boolean },
): Iterable<number> {
  if (query.prefix === undefined) {
    yield* inOrder(family, () => true);
    return;
  }
  const target = parseTarget(query.prefix);
  if (familyOf(target.prefix) !== family.family) return;
  if (query.longer === true) {
    const words = prefixWords(target.prefix);
    yield* inOrder(family, (id) => isInside(family, id, words, target.prefix.length));
    return;
  }
  const id = target.isAddress ? longestMatch(family, target.prefix) : exactMatch(family, target.prefix);
  if (id !== 0) yield id;
}

/** For watchers: whether a prefix is one that the query means. Throws CommandError for a bad query. */
export function matchesTarget(query: {
  family?: string;
  prefix?: string;
  longer?: boolean;
}): (family: FamilyRib, prefixId: number) => boolean {
  const wanted = query.family;
  const target = query.prefix === undefined ? undefined : parseTarget(query.prefix).prefix;
  const words = target === undefined ? undefined : prefixWords(target);
  return (family, prefixId) => {
    if (wanted !== undefined && family.family.name !== wanted) return false;
    if (target === undefined || words === undefined) return true;
    if (familyOf(target) !== family.family) return false;
    const exact = family.prefixes.bits(prefixId) === target.length;
    return (exact || query.longer === true) && isInside(family, prefixId, words, target.length);
  };
}

/** A prefix, or an address that asks for its longest match. Throws CommandError. */
export function parseTarget(text: string): { prefix: Prefix; isAddress: boolean } {
  const prefix = parsePrefix(text, true);
  if (prefix !== undefined) return { prefix, isAddress: false };
  const address = parseAddress(text);
  if (address === undefined) {
    throw new CommandError('invalid', `"${text}" is neither a prefix (10.0.0.0/8) nor an address`);
  }
  return { prefix: { bytes: address.bytes, length: address.bytes.length * 8 }, isAddress: true };
}

export function exactMatch(family: FamilyRib, prefix: Prefix): number {
  return family.prefixes.find(prefixWords(prefix), 0, prefix.length);
}

/** The most specific prefix with a path that covers an address, or 0. */
export function longestMatch(family: FamilyRib, address: Prefix): number {
  const words = prefixWords(address);
  for (let bits = family.family.maxBits; bits >= 0; bits--) {
    maskWords(words, bits);
    const id = family.prefixes.find(words, 0, bits);
    if (id !== 0 && family.paths.first(id) !== 0) return id;
  }
  return 0;
}

/** Clears everything behind `bits`. */
function maskWords(words: Int32Array, bits: number): void {
  for (let i = 0; i < words.length; i++) words[i] = words[i]! & prefixMask(bits, i);
}

function isInside(family: FamilyRib, id: number, words: Int32Array, bits: number): boolean {
  const { prefixes } = family;
  if (prefixes.bits(id) < bits) return false;
  const base = prefixes.wordsAt(id);
  for (let i = 0; i < words.length && i * BITS_A_WORD < bits; i++) {
    if ((prefixes.records[base + i]! & prefixMask(bits, i)) !== words[i]) return false;
  }
  return true;
}

function* inOrder(family: FamilyRib, wanted: (id: number) => boolean): Iterable<number> {
  const { prefixes, paths } = family;
  if (prefixes.size > SORT_LIMIT) {
    for (let id = 1; id < prefixes.limit; id++) {
      if (prefixes.inUse(id) && paths.first(id) !== 0 && wanted(id)) yield id;
    }
    return;
  }
  const ids: number[] = [];
  for (let id = 1; id < prefixes.limit; id++) {
    if (prefixes.inUse(id) && paths.first(id) !== 0 && wanted(id)) ids.push(id);
  }
  ids.sort((a, b) => comparePrefixes(family, a, b));
  for (const id of ids) if (prefixes.inUse(id)) yield id;
}

/** By address, shorter prefixes first. */
function comparePrefixes(family: FamilyRib, a: number, b: number): number {
  const { prefixes } = family;
  const { records } = prefixes;
  const first = prefixes.wordsAt(a);
  const second = prefixes.wordsAt(b);
  for (let i = 0; i < family.family.words; i++) {
    const difference = (records[first + i]! >>> 0) - (records[second + i]! >>> 0);
    if (difference !== 0) return difference;
  }
  return prefixes.bits(a) - prefixes.bits(b);
}

/** The longest prefix with a path that covers another one. */
export function* coveringPrefix(family: FamilyRib, text: string): Iterable<number> {
  const { prefix } = parseTarget(text);
  for (let length = prefix.length; length >= 0; length--) {
    const wanted = formatPrefix(subnetOf(prefix.bytes, length));
    for (const id of matchingPrefixes(family, { prefix: wanted })) {
      if (family.paths.first(id) === 0) continue;
      yield id;
      return;
    }
  }
}
