// What the kernel has of a route beside where it leads, as attributes of the filter language (krt_*) and as `show route`
// lists them. The names and their order are BIRD's; bits of one number in the kernel are attributes of their own to
// filters, and one line to people.

import type { LearnedRoute } from '../fib/learn.ts';
import { RT_SCOPE, RTAX } from '../fib/netlink/constants.ts';
import type { KernelPath, RouteParticulars } from '../fib/types.ts';
import { formatAddress } from '../lib/ip.ts';
import type { Dialect } from '../policy/lexer.ts';
import { Ip } from '../policy/values.ts';
import type { ExtraValue, RouteExtras } from '../rib/route-extras.ts';
import { shownHop } from './hop-order.ts';

/** RTAX_* of linux/rtnetlink.h that are one attribute each. */
const METRICS: readonly (readonly [rtax: number, name: string])[] = [
  [2, 'mtu'],
  [3, 'window'],
  [4, 'rtt'],
  [5, 'rttvar'],
  // BIRD spells it so.
  [6, 'sstresh'],
  [7, 'cwnd'],
  [8, 'advmss'],
  [9, 'reordering'],
  [10, 'hoplimit'],
  [11, 'initcwnd'],
  [13, 'rto_min'],
  [14, 'initrwnd'],
  [15, 'quickack'],
];

/** Metrics that may be locked: the bit is the RTAX number. */
const LOCKS: readonly (readonly [bit: number, name: string])[] = METRICS.filter(
  ([rtax]) => rtax <= 10 || rtax === 13,
);
const FEATURES: readonly (readonly [bit: number, name: string])[] = [
  [0, 'ecn'],
  [3, 'allfrag'],
];

/** Attributes that are bits of one number. */
const GROUPS = {
  lock: { rtax: RTAX.lock, prefix: 'krt_lock_', bits: LOCKS },
  features: { rtax: RTAX.features, prefix: 'krt_feature_', bits: FEATURES },
} as const;

/** As they are listed; a group is one line. */
const ORDER: readonly string[] = [
  'source',
  'metric',
  'prefsrc',
  'realm',
  'scope',
  'lock',
  ...METRICS.filter(([rtax]) => rtax < RTAX.features).map(([, name]) => name),
  'features',
  ...METRICS.filter(([rtax]) => rtax > RTAX.features).map(([, name]) => name),
];

/** What filters see of a learned route. */
export function learnedExtras(
  { source, path, ifname, metric, protocol }: LearnedRoute,
  dialect: Dialect,
  linkName: (ifindex: number) => string | undefined,
): Partial<RouteExtras> {
  if (source === 'connected') return { interface: ifname };
  const { type, nextHops } = path;
  const { gateway, ifindex } = shownHop(nextHops, dialect) ?? {};
  const values = new Map<string, ExtraValue>([
    ['krt_source', protocol],
    ['krt_metric', metric],
    ...particulars(path, dialect),
  ]);
  const destination = type === 'local' ? 'unicast' : type;
  const link = ifindex === undefined ? undefined : linkName(ifindex);
  return { interface: link, gateway, destination, values };
}

function* particulars(path: KernelPath, dialect: Dialect): Iterable<[string, ExtraValue]> {
  const { prefSource, realm, scope = RT_SCOPE.universe, metrics } = path;
  if (prefSource !== undefined) yield ['krt_prefsrc', new Ip(prefSource)];
  if (realm !== undefined) yield ['krt_realm', realm];
  if (scope !== usualScope(path, dialect)) yield ['krt_scope', scope];
  if (metrics === undefined) return;
  for (const { rtax, prefix, bits } of Object.values(GROUPS)) {
    const set = metrics.get(rtax) ?? 0;
    for (const [bit, name] of bits) if ((set >>> bit) & 1) yield [`${prefix}${name}`, true];
  }
  for (const [rtax, name] of METRICS) {
    const value = metrics.get(rtax);
    if (value !== undefined) yield [`krt_${name}`, value];
  }
}

/** Attributes that are numbers of the kernel's: all of one, or a bit. */
const WRITTEN: ReadonlyMap<string, { readonly rtax: number; readonly bit?: number }> = new Map([
  ...METRICS.map(([rtax, name]) => [`krt_${name}`, { rtax }] as const),
  ...Object.values(GROUPS).flatMap(({ rtax, prefix, bits }) =>
    bits.map(([bit, name]) => [`${prefix}${name}`, { rtax, bit }] as const),
  ),
]);

/** What attributes ask for; the way back of what filters see of a learned route. */
export function particularsOf(values: RouteExtras['values']): RouteParticulars {
  const metrics = new Map<number, number>();
  for (const [name, value] of values) {
    const place = WRITTEN.get(name);
    if (place === undefined) continue;
    const { rtax, bit } = place;
    if (bit === undefined) metrics.set(rtax, Number(value));
    else if (value === true) metrics.set(rtax, (metrics.get(rtax) ?? 0) | (1 << bit));
  }
  const scope = values.get('krt_scope');
  const realm = values.get('krt_realm');
  return {
    ...(typeof scope === 'number' && { scope }),
    ...(typeof realm === 'number' && { realm }),
    ...(metrics.size > 0 && { metrics }),
  };
}

/** The scope that is not worth a word: 1.6 expects `link` of what is on a link. */
function usualScope({ type, nextHops }: KernelPath, dialect: Dialect): number {
  const onLink = type === 'unicast' && nextHops.length === 1 && nextHops[0]?.gateway === undefined;
  return dialect === '1.6' && onLink ? RT_SCOPE.link : RT_SCOPE.universe;
}

/** The kernel's attributes of a route, as people are shown them. */
export function shownKernelAttributes({
  values,
}: Pick<RouteExtras, 'values'>): { readonly name: string; readonly value: string }[] {
  if (values.size === 0) return [];
  const shown = new Map<string, string>();
  const bits = new Set<string>();
  for (const [group, { prefix, bits: names }] of Object.entries(GROUPS)) {
    const set = names.filter(([, name]) => values.get(`${prefix}${name}`) === true).map(([, name]) => name);
    for (const [, name] of names) bits.add(`${prefix}${name}`);
    if (set.length > 0) shown.set(group, set.join(' '));
  }
  for (const [name, value] of values) {
    if (!name.startsWith('krt_') || bits.has(name)) continue;
    const text = value instanceof Ip ? formatAddress(value.bytes) : value;
    if (typeof text !== 'object') shown.set(name.slice('krt_'.length), `${text}`);
  }
  const known = ORDER.filter((name) => shown.has(name));
  const others = [...shown.keys()].filter((name) => !ORDER.includes(name));
  return [...known, ...others].map((name) => ({ name, value: shown.get(name) ?? '' }));
}
