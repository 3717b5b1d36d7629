// Routes of others that godwit takes in: foreign kernel routes that a rule names, and the prefixes of interfaces. Own
// routes never; what the kernel makes by itself only where a rule names it (a connected prefix comes from the address,
// not from the kernel's route for it). Of the kernel's routes of a prefix the best one is told: lowest metric first.

import { optionalBytesEqual } from '../lib/bytes.ts';
import { interfaceMatcher } from '../lib/interface-patterns.ts';
import {
  formatPrefix,
  type IpVersion,
  isLinkLocal,
  maskBytes,
  type Prefix,
  prefixContains,
  versionOf,
} from '../lib/ip.ts';
import { type KernelView, sameParticulars } from './kernel-view.ts';
import { RT_SCOPE, RTPROT_KERNEL, STATIC_PROTOCOLS } from './netlink/constants.ts';
import type { KernelAddress, KernelNextHop, KernelPath, KernelRoute } from './types.ts';

export type LearnedSource = 'kernel' | 'connected' | 'static';

export interface LearnedRoute {
  readonly prefix: Prefix;
  /** static: of rtm_protocol static or boot; kernel: of any other daemon; connected: of an interface's address. */
  readonly source: LearnedSource;
  /** Where it leads, and what else the kernel has of it. */
  readonly path: KernelPath;
  readonly metric: number;
  /** Of the first next hop. */
  readonly ifname: string | undefined;
  /** rtm_protocol; 2 (kernel) for connected. */
  readonly protocol: number;
  /** Index of the rule that it is learned by, where it is connected. */
  readonly rule: number;
  /** Tells apart connected routes of one prefix: of several rules, or through several interfaces. */
  readonly ordinal: number;
}

/** Which prefixes of interfaces are learned. */
export interface ConnectedRule {
  /** As interfaceMatcher takes them. */
  readonly interfaces: readonly string[];
  readonly families: readonly IpVersion[];
}

export interface LearnRule {
  readonly protocol: number | undefined;
  /** Undefined = the table that own routes are in. */
  readonly table: number | undefined;
}

/** Of one family. */
export interface LearnRules {
  /** That own routes are in. */
  readonly table: number;
  /** A route must match one. */
  readonly rules: readonly LearnRule[];
}

export interface LearnerOptions {
  readonly view: KernelView;
  /** rtm_protocol of own routes. */
  readonly ownProtocol: number;
  readonly rules: Readonly<Record<IpVersion, LearnRules>>;
  /** Routes through a gateway that is on no link are not learned. */
  readonly gatewaysOnLinks?: boolean;
  /** Each learns routes of its own; none = connected prefixes are not learned. */
  readonly connected: readonly ConnectedRule[];
  /** `add` also stands for a change: the route of the same prefix, source and ordinal is replaced. */
  readonly onLearned: (change: 'add' | 'remove', route: LearnedRoute) => void;
}

/** Tables that a view must keep for these rules. */
export function learnedTables({ table, rules }: LearnRules): Set<number> {
  return new Set([table, ...rules.map((rule) => rule.table ?? table)]);
}

export class Learner {
  readonly #options: LearnerOptions;
  readonly #connected: readonly {
    readonly families: readonly IpVersion[];
    readonly matches: ReturnType<typeof interfaceMatcher>;
  }[];
  /** What was told, by prefix. */
  readonly #fromRoutes = new Map<string, LearnedRoute>();
  /** What was told, by prefix and ordinal. */
  #fromAddresses: ReadonlyMap<string, LearnedRoute> = new Map();
  /** Ends the learning; nothing is told of what was learned. */
  readonly close: () => void;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#connected = options.connected.map(({ families, interfaces }) => {
      return { families, matches: interfaceMatcher(interfaces) };
    });
    this.close = options.view.listen({
      onRoute: (_change, route) => this.#routeChanged(route),
      onInterface: () => this.#interfacesChanged(),
    });
    for (const route of options.view.routes()) this.#routeChanged(route);
    this.#learnAddresses();
  }

  /** Everything learned now. */
  *routes(): Generator<LearnedRoute> {
    yield* this.#fromRoutes.values();
    yield* this.#fromAddresses.values();
  }

  /** The learned route of a prefix, of a kernel table. */
  find(prefix: Prefix): LearnedRoute | undefined {
    return this.#fromRoutes.get(formatPrefix(prefix));
  }

  /** The connected route of a prefix with an ordinal. */
  findConnected(prefix: Prefix, ordinal: number): LearnedRoute | undefined {
    return this.#fromAddresses.get(placeOf(prefix, ordinal));
  }

  get size(): number {
    return this.#fromRoutes.size + this.#fromAddresses.size;
  }

  #interfacesChanged(): void {
    this.#learnAddresses();
    if (this.#options.gatewaysOnLinks !== true) return;
    for (const route of this.#options.view.routes()) {
      if (route.nextHops.some(({ gateway }) => gateway !== undefined)) this.#routeChanged(route);
    }
  }

  #routeChanged(changed: KernelRoute): void {
    if (!this.#isAskedFor(changed)) return;
    const key = formatPrefix(changed.prefix);
    const best = this.#options.view
      .exact(changed.prefix)
      .filter((route) => this.#isAskedFor(route) && this.#hasLinks(route))
      .reduce<KernelRoute | undefined>(
        (least, route) => (least === undefined || route.metric < least.metric ? route : least),
        undefined,
      );
    const before = this.#fromRoutes.get(key);
    const after = best === undefined ? undefined : this.#learned(best);
    if (after === undefined) this.#fromRoutes.delete(key);
    else this.#fromRoutes.set(key, after);
    this.#tell(before, after);
  }

  /** Its gateways are on links, as far as that counts. */
  #hasLinks({ nextHops }: KernelRoute): boolean {
    const { gatewaysOnLinks, view } = this.#options;
    return gatewaysOnLinks !== true || nextHops.every((hop) => isOnLink(hop, view.addresses));
  }

  #isAskedFor(route: KernelRoute): boolean {
    const { ownProtocol } = this.#options;
    const { rules, table } = this.#options.rules[versionOf(route.prefix.bytes)];
    if (route.protocol === ownProtocol || route.type === 'local') return false;
    // What the kernel makes by itself is learned where it is asked for by name.
    const anybodys = route.protocol !== RTPROT_KERNEL;
    return rules.some(
      (rule) =>
        (rule.protocol === undefined ? anybodys : rule.protocol === route.protocol) &&
        (rule.table ?? table) === route.table,
    );
  }

  #learned(route: KernelRoute): LearnedRoute {
    const ifindex = route.nextHops[0]?.ifindex;
    return {
      prefix: route.prefix,
      source: STATIC_PROTOCOLS.has(route.protocol) ? 'static' : 'kernel',
      path: pathOf(route),
      metric: route.metric,
      ifname: ifindex === undefined ? undefined : this.#options.view.interfaceOf(ifindex)?.name,
      protocol: route.protocol,
      rule: 0,
      ordinal: 0,
    };
  }

  #learnAddresses(): void {
    if (this.#connected.length === 0) return;
    const before = this.#fromAddresses;
    const found = new Map<string, ConnectedRoute>();
    for (const rule of this.#connected.keys()) {
      for (const address of this.#options.view.addresses) {
        const route = this.#connectedRoute(rule, address);
        if (route !== undefined) found.set(identityOf(route), route);
      }
    }
    const after = new Map<string, LearnedRoute>();
    // Those that were there keep their places, others take what is free.
    for (const { ordinal, ...route } of before.values()) {
      const still = found.get(identityOf(route));
      if (still !== undefined) after.set(placeOf(still.prefix, ordinal), { ...still, ordinal });
      found.delete(identityOf(route));
    }
    for (const route of found.values()) {
      let ordinal = 0;
      while (after.has(placeOf(route.prefix, ordinal))) ordinal++;
      after.set(placeOf(route.prefix, ordinal), { ...route, ordinal });
    }
    this.#fromAddresses = after;
    for (const [key, route] of before) if (!after.has(key)) this.#tell(route, undefined);
    for (const [key, route] of after) this.#tell(before.get(key), route);
  }

  #connectedRoute(rule: number, address: KernelAddress): ConnectedRoute | undefined {
    const { families, matches } = this.#connected[rule]!;
    const link = this.#options.view.interfaceOf(address.ifindex);
    if (link === undefined || !link.up || !matches(link.name, address.address)) return undefined;
    if (!families.includes(versionOf(address.address))) return undefined;
    // Link-local and host addresses (fe80::, 127.0.0.1) mean nothing to others.
    if (address.scope >= RT_SCOPE.link) return undefined;
    const bytes = maskBytes(address.peer ?? address.address, address.prefixLength);
    return {
      prefix: { bytes, length: address.prefixLength },
      source: 'connected',
      path: { type: 'unicast', nextHops: [{ ifindex: address.ifindex }] },
      metric: 0,
      ifname: link.name,
      protocol: RTPROT_KERNEL,
      rule,
    };
  }

  #tell(before: LearnedRoute | undefined, after: LearnedRoute | undefined): void {
    const { onLearned } = this.#options;
    if (before !== undefined && after !== undefined && sameLearned(before, after)) return;
    if (before !== undefined && before.source !== after?.source) onLearned('remove', before);
    if (after !== undefined) onLearned('add', after);
  }
}

/** A gateway that its interface reaches without another one. */
function isOnLink({ gateway, ifindex, onlink }: KernelNextHop, addresses: readonly KernelAddress[]): boolean {
  if (gateway === undefined || onlink === true || isLinkLocal(gateway)) return true;
  return addresses.some((own) => {
    const bytes = maskBytes(own.peer ?? own.address, own.prefixLength);
    return own.ifindex === ifindex && prefixContains({ bytes, length: own.prefixLength }, gateway);
  });
}

type ConnectedRoute = Omit<LearnedRoute, 'ordinal'>;

function identityOf({ prefix, rule, path }: ConnectedRoute): string {
  return `${formatPrefix(prefix)} ${rule} ${path.nextHops[0]?.ifindex}`;
}

function placeOf(prefix: Prefix, ordinal: number): string {
  return `${formatPrefix(prefix)} ${ordinal}`;
}

function sameLearned(a: LearnedRoute, b: LearnedRoute): boolean {
  return (
    a.source === b.source &&
    a.metric === b.metric &&
    a.ifname === b.ifname &&
    a.protocol === b.protocol &&
    a.rule === b.rule &&
    samePath(a.path, b.path)
  );
}

function samePath(a: KernelPath, b: KernelPath): boolean {
  return (
    a.type === b.type &&
    a.nextHops.length === b.nextHops.length &&
    a.nextHops.every((hop, i) => sameHop(hop, b.nextHops[i]!)) &&
    optionalBytesEqual(a.prefSource, b.prefSource) &&
    sameParticulars(a, b)
  );
}

/** A route without what makes its key. */
function pathOf({ prefix, table, metric, protocol, ...path }: KernelRoute): KernelPath {
  return path;
}

function sameHop(a: KernelNextHop, b: KernelNextHop): boolean {
  if (a.ifindex !== b.ifindex || a.weight !== b.weight) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return Buffer.compare(a.gateway, b.gateway) === 0;
}
