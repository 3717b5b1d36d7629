// The kernel without our own routes: links, addresses and the routes of everybody else, kept current from scans and
// notifications. Next-hop resolution and learning read it and listen to its changes. Routes are objects here: there
// are few of them beside a BGP table.

import { optionalBytesEqual } from '../lib/bytes.ts';
import type { Prefix } from '../lib/ip.ts';
import { PrefixTrie, toBytes, toWords } from '../lib/prefix-trie.ts';
import type { AddressBytes, KernelConsumer, KernelMonitor, LinkTurn } from './kernel-monitor.ts';
import {
  type KernelAddress,
  type KernelLink,
  type KernelNextHop,
  type KernelRoute,
  ROW_CHANGE,
  type RouteMetrics,
  type RouteParticulars,
  type RouteRows,
} from './types.ts';

export interface KernelViewListener {
  onRoute(change: 'add' | 'delete', route: KernelRoute): void;
  /** A link or an address changed; `prefix` is what an address brings, where it was one. */
  onInterface(): void;
}

export interface KernelViewOptions {
  readonly monitor: KernelMonitor;
  /** rtm_protocol of own routes, whose table is irrelevant: they are never foreign. */
  readonly ownProtocol: number;
  /** Tables whose routes are kept. */
  readonly tables: ReadonlySet<number>;
}

const NO_METRICS: RouteMetrics = new Map();

interface Entry {
  readonly route: KernelRoute;
  /** The scan that saw it last. */
  scan: number;
}

const SWEEP_STEP = 1024;

/** The foreign routes of one family. */
class FamilyView {
  readonly trie: PrefixTrie;
  /** Routes by prefix; the trie's values point here. */
  readonly buckets: Entry[][] = [];
  readonly freeBuckets: number[] = [];
  /** Buckets that changed since the scan began: what it says of them is old. */
  readonly touched = new Map<number, Prefix>();
  scan = 0;
  scanRuns = false;
  sweepAt = 0;

  constructor(stride: 1 | 4) {
    this.trie = new PrefixTrie(stride);
  }

  bucket(words: Int32Array, bits: number): number {
    const known = this.trie.get(words, bits);
    if (known >= 0) return known;
    const index = this.freeBuckets.pop() ?? this.buckets.length;
    this.buckets[index] = [];
    this.trie.set(words, bits, index);
    return index;
  }

  /** Forgets an empty bucket. One that was touched during a scan keeps its place, to be recognized, until the end. */
  drop(index: number, prefix: Prefix): void {
    if (this.buckets[index]!.length > 0 || this.touched.has(index)) return;
    const words = toWords(prefix.bytes);
    if (this.trie.get(words, prefix.length) !== index) return;
    this.trie.delete(words, prefix.length);
    this.freeBuckets.push(index);
  }

  endScan(): void {
    this.scanRuns = false;
    const touched = [...this.touched];
    this.touched.clear();
    for (const [index, prefix] of touched) this.drop(index, prefix);
  }
}

export class KernelView implements KernelConsumer {
  readonly #options: KernelViewOptions;
  readonly #ipv4 = new FamilyView(1);
  readonly #ipv6 = new FamilyView(4);
  readonly #listeners: KernelViewListener[] = [];
  #links = new Map<number, KernelLink>();
  #addresses: KernelAddress[] = [];

  constructor(options: KernelViewOptions) {
    this.#options = options;
    options.monitor.add(this);
  }

  /** Tells of changes from now on; returns the function that ends it. */
  listen(listener: KernelViewListener): () => void {
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
  }

  link(change: 'add' | 'delete', link: KernelLink, _turned: LinkTurn): void {
    const before = this.#links.get(link.ifindex);
    if (change === 'delete') this.#links.delete(link.ifindex);
    else this.#links.set(link.ifindex, link);
    if (change === 'add' && before?.up === link.up && before.name === link.name) return;
    this.#tellInterface();
  }

  address(change: 'add' | 'delete', address: KernelAddress): void {
    const others = this.#addresses.filter((known) => !sameAddress(known, address));
    const known = others.length !== this.#addresses.length;
    if (known === (change === 'add')) return;
    this.#addresses = change === 'add' ? [...others, address] : others;
    this.#tellInterface();
  }

  inventory(links: readonly KernelLink[], addresses: readonly KernelAddress[]): void {
    this.#links = new Map(links.map((link) => [link.ifindex, link]));
    this.#addresses = [...addresses];
    this.#tellInterface();
  }

  interfaceOf(ifindex: number): KernelLink | undefined {
    return this.#links.get(ifindex);
  }

  interfaceNamed(name: string): KernelLink | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }

  get links(): Iterable<KernelLink> {
    return this.#links.values();
  }

  get addresses(): readonly KernelAddress[] {
    return this.#addresses;
  }

  isOwnAddress(address: Uint8Array): boolean {
    return this.#addresses.some((own) => Buffer.compare(own.address, address) === 0);
  }

  /** Foreign routes whose prefix covers the address, longest prefix first, lowest metric first within. */
  covering(address: Uint8Array, table: number): KernelRoute[] {
    const family = this.#family(address.length === 4 ? 4 : 16);
    const found: KernelRoute[] = [];
    family.trie.covering(toWords(address), address.length * 8, (bucket) => {
      const routes = family.buckets[bucket]!.map(({ route }) => route).filter(
        (route) => route.table === table,
      );
      found.unshift(...routes.sort((a, b) => a.metric - b.metric));
    });
    return found;
  }

  /** Foreign routes of exactly this prefix. */
  exact(prefix: Prefix): KernelRoute[] {
    const family = this.#family(prefix.bytes.length === 4 ? 4 : 16);
    const bucket = family.trie.get(toWords(prefix.bytes), prefix.length);
    return bucket < 0 ? [] : family.buckets[bucket]!.map(({ route }) => route);
  }

  /** All foreign routes. */
  *routes(): Generator<KernelRoute> {
    for (const family of [this.#ipv4, this.#ipv6]) {
      for (const bucket of family.buckets) for (const { route } of bucket) yield route;
    }
  }

  scanStarted(addressBytes: AddressBytes): void {
    const family = this.#family(addressBytes);
    family.scan++;
    family.scanRuns = true;
    family.sweepAt = 0;
    family.touched.clear();
  }

  scanRows(rows: RouteRows): void {
    const family = this.#family(rows.addressBytes);
    for (let row = 0; row < rows.count; row++) {
      if (!this.#isKept(rows, row)) continue;
      const route = routeAt(rows, row);
      const bucket = family.bucket(toWords(route.prefix.bytes), route.prefix.length);
      if (family.touched.has(bucket)) continue;
      const known = family.buckets[bucket]!.find((entry) => sameRoute(entry.route, route));
      if (known !== undefined) known.scan = family.scan;
      else this.#add(family, bucket, route);
    }
  }

  scanEnded(addressBytes: AddressBytes, complete: boolean, pastDeadline: () => boolean): boolean {
    const family = this.#family(addressBytes);
    while (complete && family.sweepAt < family.buckets.length) {
      const end = Math.min(family.buckets.length, family.sweepAt + SWEEP_STEP);
      for (; family.sweepAt < end; family.sweepAt++) {
        const bucket = family.buckets[family.sweepAt]!;
        if (family.touched.has(family.sweepAt)) continue;
        for (const entry of bucket.filter(({ scan }) => scan !== family.scan)) {
          this.#remove(family, family.sweepAt, entry);
        }
      }
      if (pastDeadline()) return false;
    }
    family.endScan();
    return true;
  }

  changes(rows: RouteRows): void {
    const family = this.#family(rows.addressBytes);
    for (let row = 0; row < rows.count; row++) {
      const change = rows.changes[row]!;
      const kept = this.#isKept(rows, row);
      // An own route can take a foreign one's place, by somebody else's hand.
      if (!kept && change !== ROW_CHANGE.replaced) continue;
      const route = routeAt(rows, row);
      if (!this.#options.tables.has(route.table)) continue;
      const bucket = family.bucket(toWords(route.prefix.bytes), route.prefix.length);
      if (family.scanRuns) family.touched.set(bucket, route.prefix);
      if (change === ROW_CHANGE.deleted) this.#applyDelete(family, bucket, route);
      else this.#applyAdd(family, bucket, route, change === ROW_CHANGE.replaced, kept);
      family.drop(bucket, route.prefix);
    }
  }

  usesLink(ifindex: number): boolean {
    for (const route of this.routes()) if (route.nextHops.some((hop) => hop.ifindex === ifindex)) return true;
    return false;
  }

  failed(): void {}

  #family(addressBytes: AddressBytes): FamilyView {
    return addressBytes === 4 ? this.#ipv4 : this.#ipv6;
  }

  #isKept(rows: RouteRows, row: number): boolean {
    return rows.protocols[row] !== this.#options.ownProtocol && this.#options.tables.has(rows.tables[row]!);
  }

  #applyAdd(family: FamilyView, bucket: number, route: KernelRoute, replaced: boolean, kept: boolean): void {
    const entries = family.buckets[bucket]!;
    const sameKey = entries.filter((entry) => hasSameKey(entry.route, route));
    // IPv6 tells an added next hop as the whole new route.
    const superseded = replaced
      ? sameKey.slice(0, family.trie.stride === 1 ? 1 : sameKey.length)
      : sameKey.filter((entry) => route.nextHops.length > 1 && includesHops(route, entry.route));
    if (kept && !entries.some((entry) => sameRoute(entry.route, route))) this.#add(family, bucket, route);
    for (const entry of superseded) {
      if (!kept || !sameRoute(entry.route, route)) this.#remove(family, bucket, entry);
    }
  }

  #applyDelete(family: FamilyView, bucket: number, route: KernelRoute): void {
    const entries = family.buckets[bucket]!;
    const exact = entries.find((entry) => sameRoute(entry.route, route));
    if (exact !== undefined) {
      this.#remove(family, bucket, exact);
      return;
    }
    const partial = entries.find(
      (entry) =>
        hasSameKey(entry.route, route) &&
        entry.route.protocol === route.protocol &&
        includesHops(entry.route, route),
    );
    if (partial === undefined) return;
    // IPv6 tells single next hops that leave a route.
    const left = partial.route.nextHops.filter((hop) => !route.nextHops.some((gone) => sameHop(gone, hop)));
    if (left.length > 0) this.#add(family, bucket, { ...partial.route, nextHops: left });
    this.#remove(family, bucket, partial);
  }

  #add(family: FamilyView, bucket: number, route: KernelRoute): void {
    family.buckets[bucket]!.push({ route, scan: family.scan });
    for (const listener of this.#listeners) listener.onRoute('add', route);
  }

  #remove(family: FamilyView, bucket: number, entry: Entry): void {
    const entries = family.buckets[bucket]!;
    entries.splice(entries.indexOf(entry), 1);
    family.drop(bucket, entry.route.prefix);
    for (const listener of this.#listeners) listener.onRoute('delete', entry.route);
  }

  #tellInterface(): void {
    for (const listener of this.#listeners) listener.onInterface();
  }
}

/** One row as an object. */
export function routeAt(rows: RouteRows, row: number): KernelRoute {
  const stride = rows.addressBytes / 4;
  const path = rows.paths[rows.pathIndex[row]!];
  if (path === undefined) throw new Error('a route row points to a path that its rows do not have');
  return {
    prefix: { bytes: toBytes(rows.words, row * stride, stride), length: rows.bits[row]! },
    table: rows.tables[row]!,
    metric: rows.metrics[row]!,
    protocol: rows.protocols[row]!,
    ...path,
  };
}

function hasSameKey(a: KernelRoute, b: KernelRoute): boolean {
  return a.table === b.table && a.metric === b.metric;
}

function sameRoute(a: KernelRoute, b: KernelRoute): boolean {
  return (
    hasSameKey(a, b) &&
    a.protocol === b.protocol &&
    a.type === b.type &&
    a.nextHops.length === b.nextHops.length &&
    optionalBytesEqual(a.prefSource, b.prefSource) &&
    sameParticulars(a, b) &&
    includesHops(a, b)
  );
}

/** What a route has that nobody but filters and people look at. */
export function sameParticulars(a: RouteParticulars, b: RouteParticulars): boolean {
  if ((a.scope ?? 0) !== (b.scope ?? 0) || (a.realm ?? 0) !== (b.realm ?? 0)) return false;
  const { metrics = NO_METRICS } = a;
  const { metrics: others = NO_METRICS } = b;
  return metrics.size === others.size && [...metrics].every(([type, value]) => others.get(type) === value);
}

/** Every next hop of `b` is one of `a`'s. */
function includesHops(a: KernelRoute, b: KernelRoute): boolean {
  return b.nextHops.every((hop) => a.nextHops.some((other) => sameHop(hop, other)));
}

function sameHop(a: KernelNextHop, b: KernelNextHop): boolean {
  return a.ifindex === b.ifindex && optionalBytesEqual(a.gateway, b.gateway);
}

function sameAddress(a: KernelAddress, b: KernelAddress): boolean {
  return (
    a.ifindex === b.ifindex &&
    a.prefixLength === b.prefixLength &&
    optionalBytesEqual(a.address, b.address) &&
    optionalBytesEqual(a.peer, b.peer)
  );
}
