// RFC 4271 §5.1.3 and §9.1.2.1: how a BGP next hop is reached, over what the kernel has beside BGP's own routes and over
// own static routes, and who wants to know when that changes. One step of recursion is enough: the gateway of a kernel
// route, or of a static one, is on a link.

import type { Clock } from '../lib/clock.ts';
import { type IpVersion, isLinkLocal, type Prefix, versionOf } from '../lib/ip.ts';
import { PrefixTrie, toWords } from '../lib/prefix-trie.ts';
import type { Scheduler, Stage } from '../lib/scheduler.ts';
import type { KernelView } from './kernel-view.ts';
import { RT_TABLE_MAIN, RTPROT_KERNEL } from './netlink/constants.ts';
import { sameHops } from './same-hops.ts';
import type { KernelNextHop, KernelRoute, KernelRouteType } from './types.ts';

export interface Resolution {
  readonly reachable: boolean;
  /** The decision's IGP metric: RTA_PRIORITY of the route that covers the next hop, 0 for what is on a link. */
  readonly metric: number;
  /** What a kernel route to this next hop says: gateways with their interfaces. */
  readonly hops: readonly KernelNextHop[];
  /** On a link of ours (or link-local with its interface). */
  readonly directlyConnected: boolean;
  /** Not reachable, because the route that covers it is one of these. */
  readonly blocked?: 'blackhole' | 'prohibit';
}

export const UNREACHABLE: Resolution = { reachable: false, metric: 0, hops: [], directlyConnected: false };

/** A route of our own that next hops may be behind. */
export interface OwnRoute {
  /** Of its prefix, in bits. */
  readonly length: number;
  readonly type: KernelRouteType;
  readonly hops: readonly KernelNextHop[];
}

export interface OwnRoutes {
  /** Those that cover an address, longest prefix first. */
  covering(address: Uint8Array): OwnRoute[];
}

export interface NextHopWatch {
  /** The answer as last told. */
  readonly current: Resolution;
  cancel(): void;
}

export interface NextHopResolverOptions {
  readonly view: KernelView;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  /** Own routes' tables by family. The view must keep `resolvingTables` of them. */
  readonly tables: Readonly<Record<IpVersion, number>>;
  /** The metric of whatever is on no link; that of the kernel's route unless given. */
  readonly metricBeyondLinks?: number | undefined;
}

export interface LookUp {
  /** Own routes count; they do unless given. */
  readonly throughOwn?: boolean;
  /** It is on the link that is named, whatever the kernel has. */
  readonly onlink?: boolean;
  /** Another address of the same next hop, for where nothing covers the global one: link-local, and its interface. */
  readonly linkLocal?: { readonly address: Uint8Array; readonly link: string };
}

interface Watch {
  readonly address: Uint8Array;
  readonly link: string | undefined;
  readonly onChange: (resolution: Resolution) => void;
  readonly how: LookUp;
  current: Resolution;
  cancelled: boolean;
}

/** Where gateways are looked up for routes of a table, in order, as Linux does it: links are in the main table. */
export function resolvingTables(table: number): Set<number> {
  return new Set([table, RT_TABLE_MAIN]);
}

export class NextHopResolver {
  readonly #options: NextHopResolverOptions;
  readonly #tables: Readonly<Record<IpVersion, ReadonlySet<number>>>;
  readonly #unlisten: () => void;
  readonly #stage: Stage = { name: 'next-hops', run: (deadline) => this.#run(deadline) };
  readonly #wake: () => void;
  /** Watches by address; the tries' values point here. */
  readonly #slots: Watch[][] = [];
  readonly #freeSlots: number[] = [];
  readonly #ipv4 = new PrefixTrie(1);
  readonly #ipv6 = new PrefixTrie(4);
  readonly #dirty = new Set<Watch>();
  #own: OwnRoutes | undefined;

  constructor(options: NextHopResolverOptions) {
    this.#options = options;
    const { ipv4, ipv6 } = options.tables;
    this.#tables = { ipv4: resolvingTables(ipv4), ipv6: resolvingTables(ipv6) };
    this.#wake = options.scheduler.add(this.#stage);
    this.#unlisten = options.view.listen({
      onRoute: (_change, route) => this.#routeChanged(route),
      onInterface: () => this.#everythingChanged(),
    });
  }

  /** Tells nothing more. */
  close(): void {
    this.#unlisten();
    this.#options.scheduler.remove(this.#stage);
  }

  /** Own routes to look through from now on. */
  useOwnRoutes(own: OwnRoutes): void {
    this.#own = own;
  }

  /** An own route of this prefix came, went or changed. */
  ownRouteChanged(prefix: Prefix): void {
    this.#changed(prefix);
  }

  /**
   * The answer for an address of 4 or 16 octets, over one interface where `link` names it; a link-local address needs it.
   * The name counts: an interface that is made again has another index.
   */
  resolve(
    address: Uint8Array,
    link?: string,
    { throughOwn = true, onlink, linkLocal }: LookUp = {},
  ): Resolution {
    const ifindex = link === undefined ? undefined : this.#options.view.interfaceNamed(link)?.ifindex;
    if (link !== undefined && ifindex === undefined) return UNREACHABLE;
    if (isLinkLocal(address)) return this.#onLink({ gateway: address, ifindex });
    if (this.#options.view.isOwnAddress(address)) return UNREACHABLE;
    if (onlink) return this.#onLink({ gateway: address, ifindex, onlink });
    const own = throughOwn ? this.#own?.covering(address)[0] : undefined;
    for (const table of this.#tables[versionOf(address)]) {
      const found = this.#resolveIn(table, address, ifindex, own);
      if (found !== undefined) return found;
    }
    if (own !== undefined) return this.#throughOwn(own, address, ifindex);
    // RFC 2545 §3: it is of the same router, on the link that the session is on.
    if (linkLocal === undefined || !isLinkLocal(linkLocal.address)) return UNREACHABLE;
    return this.resolve(linkLocal.address, linkLocal.link);
  }

  /** Resolves now, and calls back, from the resolver's stage, whenever the answer has changed. */
  watch(
    address: Uint8Array,
    link: string | undefined,
    onChange: (resolution: Resolution) => void,
    how: LookUp = {},
  ): NextHopWatch {
    const current = this.resolve(address, link, how);
    const watch: Watch = { address, link, onChange, how, current, cancelled: false };
    this.#slot(address).push(watch);
    return {
      get current() {
        return watch.current;
      },
      cancel: () => this.#cancel(watch),
    };
  }

  /** Undefined where the table does not cover the address. */
  #resolveIn(
    table: number,
    address: Uint8Array,
    ifindex: number | undefined,
    own: OwnRoute | undefined,
  ): Resolution | undefined {
    for (const route of this.#options.view.covering(address, table)) {
      // A static route beats what others have put into the kernel, but not the prefix of a link.
      const linkPrefix = route.protocol === RTPROT_KERNEL;
      const bits = route.prefix.length;
      if (own !== undefined && (own.length > bits || (own.length === bits && !linkPrefix))) {
        return this.#throughOwn(own, address, ifindex);
      }
      // Blackhole, unreachable and prohibit end the search as they end a packet's way.
      if (route.type !== 'unicast') return blockedBy(route.type);
      const hops = this.#usableHops(route.nextHops, address, ifindex);
      if (hops.length === 0) continue;
      const directlyConnected = route.nextHops.every((hop) => hop.gateway === undefined);
      // The kernel numbers the prefixes of links by version, and network managers by interface: none of them is nearer.
      const metric = directlyConnected ? 0 : (this.#options.metricBeyondLinks ?? route.metric);
      return { reachable: true, metric, hops, directlyConnected };
    }
    return undefined;
  }

  #onLink({ ifindex, ...hop }: Omit<KernelNextHop, 'ifindex'> & { ifindex: number | undefined }): Resolution {
    if (ifindex === undefined || this.#options.view.interfaceOf(ifindex)?.up !== true) return UNREACHABLE;
    return { reachable: true, metric: 0, hops: [{ ...hop, ifindex }], directlyConnected: true };
  }

  #throughOwn(own: OwnRoute, address: Uint8Array, ifindex: number | undefined): Resolution {
    if (own.type !== 'unicast') return blockedBy(own.type);
    const hops = this.#usableHops(own.hops, address, ifindex);
    if (hops.length === 0) return UNREACHABLE;
    const directlyConnected = own.hops.every((hop) => hop.gateway === undefined);
    const { metricBeyondLinks: metric = 0 } = this.#options;
    return { reachable: true, metric, hops, directlyConnected };
  }

  #usableHops(
    nextHops: readonly KernelNextHop[],
    address: Uint8Array,
    ifindex: number | undefined,
  ): KernelNextHop[] {
    const hops: KernelNextHop[] = [];
    for (const hop of nextHops) {
      if (hop.ifindex === undefined || this.#options.view.interfaceOf(hop.ifindex)?.up !== true) continue;
      if (ifindex !== undefined && hop.ifindex !== ifindex) continue;
      hops.push(hop.gateway === undefined ? { ...hop, gateway: address } : hop);
    }
    return hops;
  }

  #trie(address: Uint8Array): PrefixTrie {
    return address.length === 4 ? this.#ipv4 : this.#ipv6;
  }

  #slot(address: Uint8Array): Watch[] {
    const trie = this.#trie(address);
    const words = toWords(address);
    const known = trie.get(words, address.length * 8);
    if (known >= 0) return this.#slots[known]!;
    const index = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[index] = [];
    trie.set(words, address.length * 8, index);
    return this.#slots[index]!;
  }

  #cancel(watch: Watch): void {
    if (watch.cancelled) return;
    watch.cancelled = true;
    this.#dirty.delete(watch);
    const slot = this.#slot(watch.address);
    slot.splice(slot.indexOf(watch), 1);
    if (slot.length > 0) return;
    const index = this.#trie(watch.address).delete(toWords(watch.address), watch.address.length * 8);
    this.#freeSlots.push(index);
  }

  #routeChanged(route: KernelRoute): void {
    if (this.#tables[versionOf(route.prefix.bytes)].has(route.table)) this.#changed(route.prefix);
  }

  #changed({ bytes, length }: Prefix): void {
    this.#trie(bytes).walk(toWords(bytes), length, (slot) => {
      for (const watch of this.#slots[slot]!) this.#dirty.add(watch);
    });
    if (this.#dirty.size > 0) this.#wake();
  }

  #everythingChanged(): void {
    for (const slot of this.#slots) for (const watch of slot) this.#dirty.add(watch);
    if (this.#dirty.size > 0) this.#wake();
  }

  #run(deadline: number): boolean {
    const { clock } = this.#options;
    for (const watch of this.#dirty) {
      this.#dirty.delete(watch);
      const resolution = this.resolve(watch.address, watch.link, watch.how);
      if (!sameResolution(watch.current, resolution)) {
        watch.current = resolution;
        watch.onChange(resolution);
      }
      if (clock.now() >= deadline) break;
    }
    return this.#dirty.size > 0;
  }
}

function blockedBy(type: KernelRouteType): Resolution {
  return type === 'blackhole' || type === 'prohibit' ? { ...UNREACHABLE, blocked: type } : UNREACHABLE;
}

function sameResolution(a: Resolution, b: Resolution): boolean {
  return (
    a.reachable === b.reachable &&
    a.metric === b.metric &&
    a.directlyConnected === b.directlyConnected &&
    a.blocked === b.blocked &&
    sameHops(a.hops, b.hops)
  );
}
