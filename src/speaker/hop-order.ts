// The order that BIRD has several next hops of one route in, and which of them it shows to filters.

import type { KernelNextHop } from '../fib/types.ts';
import type { Dialect } from '../policy/lexer.ts';

const NO_GATEWAY = new Uint8Array(0);

/** The heaviest first, equal ones by gateway and interface. */
export function compareHops(a: KernelNextHop, b: KernelNextHop): number {
  return (
    (b.weight ?? 1) - (a.weight ?? 1) ||
    Buffer.compare(a.gateway ?? NO_GATEWAY, b.gateway ?? NO_GATEWAY) ||
    (a.ifindex ?? 0) - (b.ifindex ?? 0)
  );
}

/** What `gw` and `ifname` of a route are: of several next hops 2.x shows the first, 1.6 none. */
export function shownHop(hops: readonly KernelNextHop[], dialect: Dialect): KernelNextHop | undefined {
  return hops.length > 1 && dialect === '1.6' ? undefined : hops.toSorted(compareHops)[0];
}
