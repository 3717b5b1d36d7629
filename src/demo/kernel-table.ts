// The simulated kernel's table in the words of `ip route`.

import type { KernelNextHop, KernelRoute } from '../fib/types.ts';
import { formatAddress, formatPrefix, type Prefix } from '../lib/ip.ts';

/** Those of /etc/iproute2/rt_protos that can occur here. */
const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 2: 'kernel', 4: 'static', 12: 'bird' };

/** One line a route, and one below it for each of several next hops; IPv4 first. */
export function routeLines(routes: readonly KernelRoute[], deviceOf: (ifindex: number) => string): string {
  return [...routes]
    .sort((a, b) => order(a.prefix, b.prefix))
    .flatMap((route) => linesOf(route, deviceOf))
    .map((line) => `${line}\n`)
    .join('');
}

function linesOf(route: KernelRoute, deviceOf: (ifindex: number) => string): string[] {
  const type = route.type === 'unicast' ? '' : `${route.type} `;
  const { bytes, length } = route.prefix;
  const host = length === bytes.length * 8;
  const prefix = length === 0 ? 'default' : host ? formatAddress(bytes) : formatPrefix(route.prefix);
  const hops = route.nextHops.map((hop) => hopText(hop, deviceOf));
  const protocol = `proto ${PROTOCOL_NAMES[route.protocol] ?? route.protocol}`;
  const metric = route.metric === 0 ? '' : ` metric ${route.metric}`;
  const [only = ''] = hops.length === 1 ? hops : [];
  const head = [`${type}${prefix}`, only, `${protocol}${metric}`].filter((part) => part !== '').join(' ');
  return hops.length > 1 ? [head, ...hops.map((hop) => `\tnexthop ${hop} weight 1`)] : [head];
}

function hopText({ gateway, ifindex }: KernelNextHop, deviceOf: (ifindex: number) => string): string {
  const via = gateway === undefined ? [] : ['via', formatAddress(gateway)];
  return [...via, ...(ifindex === undefined ? [] : ['dev', deviceOf(ifindex)])].join(' ');
}

function order(a: Prefix, b: Prefix): number {
  return a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes) || a.length - b.length;
}
