// What a route has beside where it leads: scope, realm and the metrics that TCP and the IP layer go by. Whatever is asked
// for is brought into the form in which Linux shows it, so that what is wanted and what is there compare as they are.

import { RT_SCOPE, RTAX } from './netlink/constants.ts';
import type { KernelPath, RouteMetrics, RouteParticulars } from './types.ts';

/** Largest values: Linux stores these in the place of larger ones. */
const LARGEST: ReadonlyMap<number, number> = new Map([
  [RTAX.mtu, 65_520],
  [RTAX.advmss, 65_495],
  [RTAX.hopLimit, 255],
]);

const NONE: RouteParticulars = {};

/** The scope that a route has unless it is given one. An IPv4 route without any gateway is on the link; the kernel refuses
 *  it with universe scope where a next hop shall be found through it. */
export function usualScope({ type, nextHops }: KernelPath, addressBytes: 4 | 16): number {
  const onLink =
    addressBytes === 4 && type === 'unicast' && nextHops.every(({ gateway }) => gateway === undefined);
  return onLink ? RT_SCOPE.link : RT_SCOPE.universe;
}

/** As Linux keeps them, without what says nothing: the usual scope, metrics of 0. IPv6 has neither scope nor realm. */
export function storedParticulars(path: KernelPath, addressBytes: 4 | 16): RouteParticulars {
  const { scope, realm = 0, metrics } = path;
  if (scope === undefined && realm === 0 && metrics === undefined) return NONE;
  const stored = metrics === undefined ? undefined : storedMetrics(metrics);
  const isIpv4 = addressBytes === 4;
  return {
    ...(isIpv4 && scope !== undefined && scope !== usualScope(path, addressBytes) && { scope }),
    ...(isIpv4 && realm !== 0 && { realm }),
    ...(stored !== undefined && stored.size > 0 && { metrics: stored }),
  };
}

function storedMetrics(metrics: RouteMetrics): RouteMetrics {
  return new Map(
    [...metrics].flatMap(([type, value]) =>
      value === 0 ? [] : [[type, Math.min(value, LARGEST.get(type) ?? value)] as const],
    ),
  );
}

/** Text that is equal for equal particulars; empty where there are none. */
export function particularsKey({ scope, realm, metrics }: RouteParticulars): string {
  if (scope === undefined && realm === undefined && metrics === undefined) return '';
  const pairs = [...(metrics ?? [])].sort(([a], [b]) => a - b).map((pair) => pair.join('='));
  return `${scope ?? ''},${realm ?? ''},${pairs.join(',')}`;
}
