// Where a table's routes lead: its BGP next hops and its static routes, looked up in what is known of the kernel and
// through static routes. A table has its own, over its own kernel table or over the main table's.

import type { KernelView } from '../fib/kernel-view.ts';
import { NextHopResolver, type NextHopResolverOptions, type Resolution } from '../fib/next-hop-resolver.ts';
import { StaticRoutes, type StaticWay } from '../fib/static-routes.ts';
import { type Prefix, parsePrefix } from '../lib/ip.ts';
import { LOCAL_ORIGIN, ordinalOf, originOf } from './local-routes.ts';
import type { Networks } from './networks.ts';
import { NextHopTracker } from './next-hop-tracker.ts';
import type { TableRoom } from './table-room.ts';

/** What a table needs of the others. */
export interface OtherWays {
  /** By name, '' is the main one; undefined where nothing of it can be looked up. */
  resolver(table: string): NextHopResolver | undefined;
  /** The way to a gateway is watched by BFD, and works. */
  sees(gateway: Uint8Array, link: string | undefined): boolean;
  /** A next hop leads elsewhere, or is gone. */
  resolutionsChanged(): void;
}

export interface TableWaysOptions extends NextHopResolverOptions {
  readonly view: KernelView;
  /** See NextHopTracker. */
  readonly decisive: boolean;
  readonly defer: (fn: () => void) => void;
  readonly others: OtherWays;
}

export class TableWays {
  readonly resolver: NextHopResolver;
  readonly #statics: StaticRoutes;
  readonly #tracker: NextHopTracker;
  readonly #networks: Networks;

  constructor({ place, networks }: Pick<TableRoom, 'place' | 'networks'>, options: TableWaysOptions) {
    const { view, decisive, defer, others } = options;
    this.#networks = networks;
    this.resolver = new NextHopResolver(options);
    this.#statics = new StaticRoutes({
      view,
      resolver: this.resolver,
      elsewhere: (table) => others.resolver(table),
      sees: (gateway, link) => others.sees(gateway, link),
      onChange: (prefix: Prefix, ordinal) => networks.wayChanged(prefix, ordinal),
    });
    this.resolver.useOwnRoutes(this.#statics);
    this.#tracker = new NextHopTracker({
      rib: place.rib,
      domain: place.domain,
      resolver: this.resolver,
      decisive,
      defer,
      onChange: () => others.resolutionsChanged(),
    });
  }

  /** Answers from now on, and nobody else does. The view must know the kernel by then. */
  serve(): void {
    this.#tracker.start();
    this.#networks.useWays(this.#statics);
  }

  /** Other tables have others to ask: static routes that are looked up there ask anew. */
  askElsewhere(): void {
    this.#statics.askElsewhere();
  }

  /** BFD sees a gateway again, or no longer. */
  reviewWatched(gateway: Uint8Array): void {
    this.#statics.reviewWatched(gateway);
  }

  /** How a BGP next hop of the RIB is reached. */
  resolution(nextHopId: number): Resolution {
    return this.#tracker.resolution(nextHopId);
  }

  /** Where a network leads now, by its prefix and the path identifier of its row; undefined where it has no way. */
  way(text: string, pathId: number): StaticWay | undefined {
    const prefix = parsePrefix(text);
    if (prefix === undefined || originOf(pathId) !== LOCAL_ORIGIN.network) return undefined;
    return this.#statics.way(prefix, ordinalOf(pathId));
  }

  /** Tells nothing more. */
  close(): void {
    this.#statics.close();
    this.#tracker.close();
    this.resolver.close();
  }
}
