// The kernel's side of things as people and programs see it: own routes with their state, and what was learned.

import { type KernelConfig, kernelOfFamily } from '../../config/model.ts';
import { describeHop } from '../../fib/route-targets.ts';
import type { KernelNextHop, KernelTarget } from '../../fib/types.ts';
import { formatPrefix, IP_VERSIONS, versionOf } from '../../lib/ip.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { ExplainView, KernelRouteView, KernelStatusView } from '../api.ts';
import type { KernelSync } from '../kernel-sync.ts';

export function kernelStatus(kernel: KernelSync, config: KernelConfig): KernelStatusView {
  const stats = kernel.fib?.stats();
  const [table, ipv6Table] = IP_VERSIONS.map((version) => kernelOfFamily(config, version).table);
  return {
    installing: kernel.fib !== undefined,
    table: table ?? config.table,
    ipv6Table: ipv6Table === table ? undefined : ipv6Table,
    desired: stats?.desired ?? 0,
    installed: stats?.installed ?? 0,
    pending: stats?.pending ?? 0,
    failed: stats?.failed ?? 0,
    learned: kernel.learnedCount,
    lastScanAt: kernel.monitor.lastScanAt,
  };
}

/** In slices: own routes first, then what was learned from others. */
export function* kernelRouteViews(
  families: readonly FamilyRib[],
  kernel: KernelSync,
  config: KernelConfig,
): Iterable<KernelRouteView> {
  for (const family of families) {
    for (const prefixId of kernel.fib?.prefixes(family.family.id) ?? []) {
      const view = ownRoute(family, prefixId, kernel);
      if (view !== undefined) yield view;
    }
  }
  for (const route of kernel.learned) {
    yield {
      prefix: formatPrefix(route.prefix),
      table: kernelOfFamily(config, versionOf(route.prefix.bytes)).table,
      metric: route.metric,
      protocol: route.protocol,
      type: route.path.type,
      nextHops: hopsText(route.path.nextHops, kernel),
      origin: route.source === 'connected' ? 'connected' : 'learned',
      state: 'installed',
      problem: undefined,
    };
  }
}

function ownRoute(family: FamilyRib, prefixId: number, kernel: KernelSync): KernelRouteView | undefined {
  const route = kernel.fib?.route(family.family.id, prefixId);
  const target = route?.desired ?? route?.installed;
  if (route === undefined || target === undefined) return undefined;
  return {
    prefix: family.prefixes.format(prefixId),
    table: target.table,
    metric: target.metric,
    protocol: target.protocol,
    type: target.type,
    nextHops: hopsText(target.nextHops, kernel),
    origin: 'own',
    state: route.state,
    problem: route.problem,
  };
}

export function explainKernel(
  kernel: KernelSync,
  family: FamilyRib,
  prefixId: number,
): ExplainView['kernel'] {
  if (kernel.fib === undefined) return undefined;
  const route = kernel.fib.route(family.family.id, prefixId);
  return {
    desired: targetText(route?.desired, kernel),
    installed: targetText(route?.installed, kernel),
    problem: route?.problem,
  };
}

function targetText(target: KernelTarget | undefined, kernel: KernelSync): string | undefined {
  if (target === undefined) return undefined;
  const hops = hopsText(target.nextHops, kernel).join(', ');
  return `${target.type === 'unicast' ? '' : `${target.type} `}${hops}`.trim();
}

function hopsText(hops: readonly KernelNextHop[], kernel: KernelSync): string[] {
  return hops.map((hop) => describeHop(hop, (ifindex) => kernel.interfaceName(ifindex)));
}
