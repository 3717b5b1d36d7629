// Static routes and whether they have a way now: a gateway must be on a link that is up, an interface must be up. Next hops
// that cannot be used fall out, and a route without any is none. A recursive gateway may be behind other routes and be
// what they are; behind none the route is unreachable. Other next hops resolve through these routes, too:
// NextHopResolver asks `covering`.

import { formatPrefix, type Prefix } from '../lib/ip.ts';
import { PrefixTrie, toWords } from '../lib/prefix-trie.ts';
import type { KernelView } from './kernel-view.ts';
import type { NextHopResolver, NextHopWatch, OwnRoute, OwnRoutes } from './next-hop-resolver.ts';
import { sameHop, sameHops } from './same-hops.ts';
import type { KernelNextHop, KernelRouteType } from './types.ts';

export interface StaticHop {
  /** Absent for a destination on the link itself. */
  readonly gateway: Uint8Array | undefined;
  /** Name of the interface; may be absent with a gateway. */
  readonly interface: string | undefined;
  /** The gateway is on the interface's link whatever the addresses there say. */
  readonly onlink: boolean;
  /** 1..256 */
  readonly weight: number;
  /** It counts only while `sees` says so. */
  readonly bfd?: boolean;
}

export interface StaticSpec {
  readonly prefix: Prefix;
  /** Tells several routes of one prefix apart. */
  readonly ordinal: number;
  /** Others resolve through the highest of a prefix, of equal ones that of the lowest ordinal. */
  readonly preference: number;
  readonly type: Exclude<KernelRouteType, 'local'>;
  /** Empty but for unicast. */
  readonly hops: readonly StaticHop[];
  /** Gateways may be behind other routes. */
  readonly recursive: boolean;
  /** Whose routes those are, where they are not of the same table: its name. */
  readonly igpTable?: string | undefined;
}

export interface StaticRoutesOptions {
  readonly view: KernelView;
  readonly resolver: NextHopResolver;
  /** Of another table; undefined where there is none. */
  readonly elsewhere?: (table: string) => NextHopResolver | undefined;
  /** Whether the way to a gateway is watched, and works; asked again with `reviewWatched`. */
  readonly sees: (gateway: Uint8Array, link: string | undefined) => boolean;
  /** The route of this prefix has got a way, lost it, or leads elsewhere. */
  readonly onChange: (prefix: Prefix, ordinal: number) => void;
}

/** Where a static route leads. */
export interface StaticWay {
  readonly type: StaticSpec['type'];
  /** Empty but for unicast. */
  readonly hops: readonly KernelNextHop[];
}

interface Entry {
  readonly spec: StaticSpec;
  watches: readonly (NextHopWatch | undefined)[];
  /** Undefined where there is none. */
  way: StaticWay | undefined;
}

const NO_WAY: StaticWay = { type: 'unreachable', hops: [] };

export class StaticRoutes implements OwnRoutes {
  readonly #options: StaticRoutesOptions;
  readonly #entries = new Map<string, Entry>();
  /** Those with hops that count only while they are seen, by gateway. */
  readonly #watched = new Map<string, Set<Entry>>();
  /** Those of one prefix, by trie value; the first with a way is the one that others resolve through. */
  readonly #slots: Entry[][] = [];
  readonly #free: number[] = [];
  readonly #ipv4 = new PrefixTrie(1);
  readonly #ipv6 = new PrefixTrie(4);
  readonly #unlisten: () => void;

  constructor(options: StaticRoutesOptions) {
    this.#options = options;
    this.#unlisten = options.view.listen({ onRoute: () => {}, onInterface: () => this.#reviewAll() });
  }

  /** Tells nothing more. */
  close(): void {
    this.#unlisten();
    for (const { watches } of this.#entries.values()) cancel(watches);
    this.#entries.clear();
    this.#watched.clear();
  }

  /** Adds or replaces a route; its way is known at once, and nothing is told of it. */
  set(spec: StaticSpec): void {
    const key = keyOf(spec.prefix, spec.ordinal);
    const before = this.#entries.get(key);
    if (before !== undefined) this.#forget(before);
    const entry: Entry = { spec, watches: [], way: undefined };
    this.#entries.set(key, entry);
    this.#index(entry, before);
    entry.watches = spec.hops.map((hop) => this.#watch(entry, hop));
    for (const gateway of watchedGateways(spec)) {
      this.#watched.set(gateway, (this.#watched.get(gateway) ?? new Set()).add(entry));
    }
    entry.way = this.#wayOf(entry);
    this.#options.resolver.ownRouteChanged(spec.prefix);
  }

  delete(prefix: Prefix, ordinal: number): void {
    const key = keyOf(prefix, ordinal);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#forget(entry);
    this.#entries.delete(key);
    this.#unindex(entry);
    this.#options.resolver.ownRouteChanged(prefix);
  }

  /** Other tables are looked up by others now: their watches tell nothing more. */
  askElsewhere(): void {
    for (const entry of this.#entries.values()) {
      if (entry.spec.igpTable === undefined) continue;
      cancel(entry.watches);
      entry.watches = entry.spec.hops.map((hop) => this.#watch(entry, hop));
      this.#review(entry);
    }
  }

  /** `sees` may say something else of a gateway now, on whichever link. */
  reviewWatched(gateway: Uint8Array): void {
    for (const entry of this.#watched.get(gateway.join('.')) ?? []) this.#review(entry);
  }

  /** Where the route leads; undefined where it has no way, or there is none. */
  way(prefix: Prefix, ordinal: number): StaticWay | undefined {
    return this.#entries.get(keyOf(prefix, ordinal))?.way;
  }

  /** What a link is called now. */
  linkName(ifindex: number): string | undefined {
    return this.#options.view.interfaceOf(ifindex)?.name;
  }

  /** Routes that others may resolve through, longest prefix first. What is behind a recursive one is unreachable. */
  covering(address: Uint8Array): OwnRoute[] {
    const found: OwnRoute[] = [];
    const trie = address.length === 4 ? this.#ipv4 : this.#ipv6;
    trie.covering(toWords(address), address.length * 8, (slot) => {
      const entry = this.#slots[slot]?.find((each) => each.way !== undefined);
      if (entry?.way === undefined) return;
      const { prefix, recursive } = entry.spec;
      found.unshift({ length: prefix.length, ...(recursive ? NO_WAY : entry.way) });
    });
    return found;
  }

  /** Nothing is told to the entry any more. */
  #forget(entry: Entry): void {
    cancel(entry.watches);
    for (const gateway of watchedGateways(entry.spec)) {
      const others = this.#watched.get(gateway);
      others?.delete(entry);
      if (others?.size === 0) this.#watched.delete(gateway);
    }
  }

  #trie(prefix: Prefix): PrefixTrie {
    return prefix.bytes.length === 4 ? this.#ipv4 : this.#ipv6;
  }

  #index(entry: Entry, before: Entry | undefined): void {
    const { prefix } = entry.spec;
    const words = toWords(prefix.bytes);
    const known = this.#trie(prefix).get(words, prefix.length);
    const slot = known >= 0 ? known : (this.#free.pop() ?? this.#slots.length);
    const others = known >= 0 ? this.#slots[slot]!.filter((each) => each !== before) : [];
    this.#slots[slot] = [...others, entry].sort(byPreference);
    if (known < 0) this.#trie(prefix).set(words, prefix.length, slot);
  }

  #unindex(entry: Entry): void {
    const { prefix } = entry.spec;
    const words = toWords(prefix.bytes);
    const slot = this.#trie(prefix).get(words, prefix.length);
    const others = this.#slots[slot]!.filter((each) => each !== entry);
    this.#slots[slot] = others;
    if (others.length > 0) return;
    this.#trie(prefix).delete(words, prefix.length);
    this.#free.push(slot);
  }

  /** Undefined where the interface alone decides. */
  #watch(entry: Entry, hop: StaticHop): NextHopWatch | undefined {
    if (hop.gateway === undefined || (hop.onlink && hop.interface !== undefined)) return undefined;
    const review = () => this.#review(entry);
    const { resolver, elsewhere } = this.#options;
    const { igpTable, recursive: throughOwn } = entry.spec;
    const there = igpTable === undefined ? resolver : elsewhere?.(igpTable);
    return there?.watch(hop.gateway, hop.interface, review, { throughOwn });
  }

  /** Interfaces came or went; who watches a gateway is told by the resolver. */
  #reviewAll(): void {
    for (const entry of this.#entries.values()) if (entry.watches.includes(undefined)) this.#review(entry);
  }

  #review(entry: Entry): void {
    const way = this.#wayOf(entry);
    if (sameWay(way, entry.way)) return;
    entry.way = way;
    this.#options.resolver.ownRouteChanged(entry.spec.prefix);
    this.#options.onChange(entry.spec.prefix, entry.spec.ordinal);
  }

  #wayOf({ spec, watches }: Entry): StaticWay | undefined {
    const { type, recursive } = spec;
    if (type !== 'unicast') return { type, hops: [] };
    const hops = distinct(spec.hops.flatMap((hop, i) => this.#hopsOf(hop, watches[i], recursive)));
    if (hops.length > 0) return { type, hops };
    return recursive ? { ...NO_WAY, type: watches[0]?.current.blocked ?? NO_WAY.type } : undefined;
  }

  #hopsOf(hop: StaticHop, watch: NextHopWatch | undefined, recursive: boolean): KernelNextHop[] {
    const { gateway, interface: name } = hop;
    if (hop.bfd && gateway !== undefined && !this.#options.sees(gateway, name)) return [];
    const weight = hop.weight === 1 ? {} : { weight: hop.weight };
    if (watch !== undefined) {
      const { reachable, directlyConnected, hops } = watch.current;
      if (!reachable || !(directlyConnected || recursive)) return [];
      return hops.map((each) => ({ ...each, ...weight }));
    }
    const link = this.#options.view.interfaceNamed(name ?? '');
    if (link === undefined || !link.up) return [];
    const { ifindex } = link;
    return [{ ifindex, ...(gateway !== undefined && { gateway, onlink: true }), ...weight }];
  }
}

function cancel(watches: readonly (NextHopWatch | undefined)[]): void {
  for (const watch of watches) watch?.cancel();
}

function watchedGateways({ hops }: StaticSpec): string[] {
  return hops.flatMap(({ gateway, bfd }) => (bfd && gateway !== undefined ? [gateway.join('.')] : []));
}

function keyOf(prefix: Prefix, ordinal: number): string {
  return `${formatPrefix(prefix)} ${ordinal}`;
}

function byPreference({ spec: a }: Entry, { spec: b }: Entry): number {
  return b.preference - a.preference || a.ordinal - b.ordinal;
}

function sameWay(a: StaticWay | undefined, b: StaticWay | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.type === b.type && sameHops(a.hops, b.hops);
}

function distinct(hops: readonly KernelNextHop[]): readonly KernelNextHop[] {
  return hops.filter((hop, i) => hops.findIndex((other) => sameHop(hop, other)) === i);
}
