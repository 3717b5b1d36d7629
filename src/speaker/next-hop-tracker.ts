// Next-hop tracking: every next hop that a route in the RIB names is followed through the kernel's tables; when an
// answer changes, the routes through it are decided again in one pass, however many they are.

import {
  type NextHopResolver,
  type NextHopWatch,
  type Resolution,
  UNREACHABLE,
} from '../fib/next-hop-resolver.ts';
import { isLinkLocal, isUnspecified } from '../lib/ip.ts';
import type { NextHop, NextHopEvents } from '../rib/next-hops.ts';
import type { Rib } from '../rib/rib.ts';

export interface TrackerOptions {
  readonly rib: Rib;
  /** Whose next hops are followed. */
  readonly domain: number;
  readonly resolver: NextHopResolver;
  /** False: answers are for installing only, and every next hop counts as reachable. */
  readonly decisive: boolean;
  /** Calls back in the next turn of the loop. */
  readonly defer: (fn: () => void) => void;
  /** Resolutions changed, or whose they are: what was computed from them is void. */
  readonly onChange: () => void;
}

export class NextHopTracker implements NextHopEvents {
  readonly #options: TrackerOptions;
  readonly #watches = new Map<number, NextHopWatch>();
  readonly #changed = new Set<number>();

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  /** Answers for every next hop from now on, also anew, and nobody else does. The view must know the kernel by then. */
  start(): void {
    const { rib, domain } = this.#options;
    this.close();
    rib.nextHops.track(this, domain);
  }

  /** Another one answers. */
  close(): void {
    for (const watch of this.#watches.values()) watch.cancel();
    this.#watches.clear();
    this.#changed.clear();
  }

  resolution(nextHopId: number): Resolution {
    return this.#watches.get(nextHopId)?.current ?? UNREACHABLE;
  }

  onAdded(nextHop: NextHop): void {
    // Own routes have no next hop.
    if (isUnspecified(nextHop.address)) return;
    const { id } = nextHop;
    const changed = (resolution: Resolution): void => {
      this.#apply(id, resolution);
      this.#tellLater(id);
    };
    const { fallback } = nextHop;
    const watch =
      fallback === undefined ? this.#watch(nextHop, changed) : this.#watchBoth(nextHop, fallback, changed);
    this.#watches.set(id, watch);
    this.#apply(id, watch.current);
  }

  /** What is on no link leads to `fallback`, which then may be on none either. */
  #watchBoth(
    nextHop: NextHop,
    fallback: Uint8Array,
    changed: (resolution: Resolution) => void,
  ): NextHopWatch {
    const tell = (): void => changed(watch.current);
    const own = this.#watch(nextHop, tell);
    const zone = isLinkLocal(fallback) ? nextHop.zone : undefined;
    const other = this.#options.resolver.watch(fallback, zone, tell);
    const watch: NextHopWatch = {
      get current() {
        return own.current.directlyConnected ? own.current : other.current;
      },
      cancel() {
        own.cancel();
        other.cancel();
      },
    };
    return watch;
  }

  /**
   * Where there are two addresses the global one decides, over whatever interface that is, unless told otherwise. The
   * second may be no link-local one, but unspecified.
   */
  #watch(
    { address, linkLocal, zone, lead }: NextHop,
    changed: (resolution: Resolution) => void,
  ): NextHopWatch {
    const { resolver } = this.#options;
    if (lead === 'onlink') return resolver.watch(address, zone, changed, { onlink: true });
    if (linkLocal === address) return resolver.watch(address, zone, changed);
    if (linkLocal === undefined) return resolver.watch(address, undefined, changed);
    const isUsable = zone !== undefined && isLinkLocal(linkLocal);
    if (lead === 'link-local' && isUsable) return resolver.watch(linkLocal, zone, changed);
    const how = isUsable ? { linkLocal: { address: linkLocal, link: zone } } : {};
    return resolver.watch(address, undefined, changed, how);
  }

  onRemoved(nextHop: NextHop): void {
    this.#watches.get(nextHop.id)?.cancel();
    this.#watches.delete(nextHop.id);
    this.#changed.delete(nextHop.id);
    // Soon the id may be another next hop's.
    this.#options.onChange();
  }

  #apply(id: number, { reachable, metric }: Resolution): void {
    const { rib, decisive } = this.#options;
    if (decisive) rib.nextHops.setState(id, reachable, metric);
    else rib.nextHops.setState(id, true, reachable ? metric : 0);
  }

  /** All that change in one turn are one pass over the routes. */
  #tellLater(id: number): void {
    if (this.#changed.size === 0) this.#options.defer(() => this.#tell());
    this.#changed.add(id);
  }

  #tell(): void {
    if (this.#changed.size === 0) return;
    const changed = new Set(this.#changed);
    this.#changed.clear();
    this.#options.onChange();
    this.#options.rib.nextHopsChanged(changed);
  }
}
