// Static routes and whether they have a way now: a gateway must be on a link that is up (a recursive one may be behind
// other routes), an interface must be up. Next hops that cannot be used fall out, and a route without any is none. Other
// next hops resolve through these routes, too: NextHopResolver asks `covering`.

import { formatPrefix, type Prefix } from '../lib/ip.ts';
import { PrefixTrie, toWords } from '../lib/prefix-trie.ts';
import type { KernelView } from './kernel-view.ts';
import type { NextHopResolver, NextHopWatch, OwnRoute, OwnRoutes } from './next-hop-resolver.ts';
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
}

export interface StaticSpec {
  readonly prefix: Prefix;
  readonly type: Exclude<KernelRouteType, 'local'>;
  /** Empty but for unicast. */
  readonly hops: readonly StaticHop[];
  /** Gateways may be behind other routes. */
  readonly recursive: boolean;
}

export interface StaticRoutesOptions {
  readonly view: KernelView;
  readonly resolver: NextHopResolver;
  /** The route of this prefix has got a way, lost it, or leads elsewhere. */
  readonly onChange: (prefix: Prefix) => void;
}

/** A way, or undefined where there is none. */
type Way = readonly KernelNextHop[] | undefined;

interface Entry {
  readonly spec: StaticSpec;
  watches: readonly (NextHopWatch | undefined)[];
  way: Way;
}

const NO_HOPS: readonly KernelNextHop[] = [];

export class StaticRoutes implements OwnRoutes {
  readonly #options: StaticRoutesOptions;
  readonly #entries = new Map<string, Entry>();
  /** Keys by trie value. */
  readonly #slots: string[] = [];
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
  }

  /** Adds or replaces a route; its way is known at once, and nothing is told of it. */
  set(spec: StaticSpec): void {
    const key = formatPrefix(spec.prefix);
    cancel(this.#entries.get(key)?.watches ?? []);
    const entry: Entry = { spec, watches: [], way: undefined };
    this.#entries.set(key, entry);
    this.#index(spec.prefix, key);
    entry.watches = spec.hops.map((hop) => this.#watch(entry, hop));
    entry.way = this.#wayOf(entry);
    this.#options.resolver.ownRouteChanged(spec.prefix);
  }

  delete(prefix: Prefix): void {
    const key = formatPrefix(prefix);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    cancel(entry.watches);
    this.#entries.delete(key);
    const slot = this.#trie(prefix).delete(toWords(prefix.bytes), prefix.length);
    if (slot >= 0) this.#free.push(slot);
    this.#options.resolver.ownRouteChanged(prefix);
  }

  /** Where the route leads; undefined where it has no way, or there is none of this prefix. */
  way(prefix: Prefix): Way {
    return this.#entries.get(formatPrefix(prefix))?.way;
  }

  /** What a link is called now. */
  linkName(ifindex: number): string | undefined {
    return this.#options.view.interfaceOf(ifindex)?.name;
  }

  /** Routes that others may resolve through, longest prefix first. Recursive ones are none (no double recursion). */
  covering(address: Uint8Array): OwnRoute[] {
    const found: OwnRoute[] = [];
    const trie = address.length === 4 ? this.#ipv4 : this.#ipv6;
    trie.covering(toWords(address), address.length * 8, (slot) => {
      const entry = this.#entries.get(this.#slots[slot] ?? '');
      if (entry === undefined || entry.way === undefined || entry.spec.recursive) return;
      const { prefix, type } = entry.spec;
      found.unshift({ length: prefix.length, type, hops: entry.way });
    });
    return found;
  }

  #trie(prefix: Prefix): PrefixTrie {
    return prefix.bytes.length === 4 ? this.#ipv4 : this.#ipv6;
  }

  #index(prefix: Prefix, key: string): void {
    const words = toWords(prefix.bytes);
    if (this.#trie(prefix).get(words, prefix.length) >= 0) return;
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = key;
    this.#trie(prefix).set(words, prefix.length, slot);
  }

  /** Undefined where the interface alone decides. */
  #watch(entry: Entry, hop: StaticHop): NextHopWatch | undefined {
    const { resolver, view } = this.#options;
    if (hop.gateway === undefined || (hop.onlink && hop.interface !== undefined)) return undefined;
    const ifindex = hop.interface === undefined ? undefined : view.interfaceNamed(hop.interface)?.ifindex;
    return resolver.watch(hop.gateway, ifindex, () => this.#review(entry), entry.spec.recursive);
  }

  /** Interfaces came or went: an index may be another's. */
  #reviewAll(): void {
    for (const entry of this.#entries.values()) {
      if (entry.spec.hops.length === 0) continue;
      if (entry.spec.hops.some((hop) => hop.interface !== undefined)) {
        cancel(entry.watches);
        entry.watches = entry.spec.hops.map((hop) => this.#watch(entry, hop));
      }
      this.#review(entry);
    }
  }

  #review(entry: Entry): void {
    const way = this.#wayOf(entry);
    if (sameWay(way, entry.way)) return;
    entry.way = way;
    this.#options.resolver.ownRouteChanged(entry.spec.prefix);
    this.#options.onChange(entry.spec.prefix);
  }

  #wayOf({ spec, watches }: Entry): Way {
    if (spec.type !== 'unicast') return NO_HOPS;
    const hops = spec.hops.flatMap((hop, i) => this.#hopsOf(hop, watches[i], spec.recursive));
    return hops.length === 0 ? undefined : hops;
  }

  #hopsOf(hop: StaticHop, watch: NextHopWatch | undefined, recursive: boolean): KernelNextHop[] {
    const weight = hop.weight === 1 ? {} : { weight: hop.weight };
    if (watch !== undefined) {
      const { reachable, directlyConnected, hops } = watch.current;
      if (!reachable || !(directlyConnected || recursive)) return [];
      return hops.map((each) => ({ ...each, ...weight }));
    }
    const link = this.#options.view.interfaceNamed(hop.interface ?? '');
    if (link === undefined || !link.up) return [];
    const { ifindex } = link;
    return [{ ifindex, ...(hop.gateway !== undefined && { gateway: hop.gateway, onlink: true }), ...weight }];
  }
}

function cancel(watches: readonly (NextHopWatch | undefined)[]): void {
  for (const watch of watches) watch?.cancel();
}

function sameWay(a: Way, b: Way): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((hop, i) => sameHop(hop, b[i]!));
}

function sameHop(a: KernelNextHop, b: KernelNextHop): boolean {
  if (a.ifindex !== b.ifindex || a.weight !== b.weight || a.onlink !== b.onlink) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return Buffer.compare(a.gateway, b.gateway) === 0;
}
