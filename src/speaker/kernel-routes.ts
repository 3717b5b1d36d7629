// From the Loc-RIB to the kernel: for each decided prefix the route that shall stand there. BGP paths become next
// hops (several for an ECMP set), own networks what their type says, learned routes nothing, because they are in the
// kernel already. Resolution is asked of `NextHopTracker`; how routes get into the kernel is src/fib's affair.

import type { NetworkConfig } from '../config/model.ts';
import type { Fib } from '../fib/fib.ts';
import type { KernelNextHop } from '../fib/types.ts';
import { parseAddress } from '../lib/ip.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { Rib } from '../rib/rib.ts';
import { LOCAL_ORIGIN } from './local-routes.ts';
import type { NextHopTracker } from './next-hop-tracker.ts';

export interface KernelRouteSources {
  readonly rib: Rib;
  readonly fib: Fib;
  readonly tracker: NextHopTracker;
  /** The own network of a prefix, as text. */
  readonly network: (prefix: string) => NetworkConfig | undefined;
  readonly prefSource: { readonly ipv4: string | undefined; readonly ipv6: string | undefined };
}

const NO_TARGET = 0;

export class KernelRoutes {
  readonly #sources: KernelRouteSources;
  /** By family: prefix ids that are held here because the kernel has or may have a route for them. */
  readonly #held: Set<number>[];
  /** Targets of single next hops, and of ECMP sets by their sorted ids; void when a resolution changes. */
  readonly #single = new Map<number, number>();
  readonly #several = new Map<string, number>();
  readonly #prefSources: { readonly v4: Uint8Array | undefined; readonly v6: Uint8Array | undefined };

  constructor(sources: KernelRouteSources) {
    this.#sources = sources;
    this.#held = sources.rib.families.map(() => new Set());
    const { ipv4, ipv6 } = sources.prefSource;
    this.#prefSources = {
      v4: ipv4 === undefined ? undefined : parseAddress(ipv4)?.bytes,
      v6: ipv6 === undefined ? undefined : parseAddress(ipv6)?.bytes,
    };
  }
}
