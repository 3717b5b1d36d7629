// Own networks: those of the configuration and those that the API added. Each is a local route in the RIB; what
// the kernel shall do with it (blackhole, static route, nothing) is asked for by prefix.

import { parseCommunity, parseLargeCommunity } from '../bgp/wire/communities.ts';
import type { NetworkConfig } from '../config/model.ts';
import { networkKey } from '../config/networks.ts';
import type { StaticSpec, StaticWay } from '../fib/static-routes.ts';
import { formatPrefix, isLinkLocal, type Prefix, parseAddress, parsePrefix } from '../lib/ip.ts';
import type { Dialect } from '../policy/lexer.ts';
import { DEFAULT_PREFERENCE, type RouteExtras } from '../rib/route-extras.ts';
import { CommandError, type NetworkSpec } from './api.ts';
import { shownHop } from './hop-order.ts';
import type { LocalRoutes } from './local-routes.ts';

const LARGEST_UINT32 = 0xffff_ffff;
const NETWORK_TYPES: readonly string[] = ['none', 'blackhole', 'unreachable', 'prohibit', 'via'];

/** Who knows which static routes have a way: fib/static-routes.ts, where there is a kernel. */
export interface NetworkWays {
  set(spec: StaticSpec): void;
  delete(prefix: Prefix, ordinal: number): void;
  way(prefix: Prefix, ordinal: number): StaticWay | undefined;
  linkName(ifindex: number): string | undefined;
}

export class Networks {
  readonly #routes: LocalRoutes;
  readonly #dialect: Dialect;
  #ways: NetworkWays | undefined;
  /** Both by networkKey. */
  readonly #configured = new Map<string, NetworkConfig>();
  readonly #added = new Map<string, NetworkConfig>();

  /** `dialect`: of the filters that see the routes. */
  constructor(routes: LocalRoutes, dialect: Dialect) {
    this.#routes = routes;
    this.#dialect = dialect;
  }

  /** A network of a prefix as text; the first one that the API added hides the first one that is configured. */
  get(prefix: string, ordinal = 0): NetworkConfig | undefined {
    const key = networkKey({ prefix, ordinal });
    return this.#added.get(key) ?? this.#configured.get(key);
  }

  values(): Iterable<NetworkConfig> {
    return new Map([...this.#configured, ...this.#added]).values();
  }

  /** Follows from now on which static routes have a way; without, all have one. */
  useWays(ways: NetworkWays | undefined): void {
    this.#ways = ways;
    for (const { prefix, ordinal } of this.values()) this.#announce(prefix, ordinal);
  }

  /** A static route has got a way, lost it, or leads elsewhere. */
  wayChanged(prefix: Prefix, ordinal: number): void {
    this.#tell(prefix, ordinal, this.get(formatPrefix(prefix), ordinal));
  }

  configure(network: NetworkConfig): void {
    this.#configured.set(networkKey(network), network);
    this.#announce(network.prefix, network.ordinal);
  }

  unconfigure(network: NetworkConfig): void {
    this.#configured.delete(networkKey(network));
    this.#announce(network.prefix, network.ordinal);
  }

  /** Throws CommandError for a bad specification. */
  add(spec: NetworkSpec): void {
    const network = checkSpec(spec);
    this.#added.set(network.prefix, network);
    this.#announce(network.prefix);
  }

  /** What `add` put in and nobody has taken out. */
  addedByCommand(): NetworkSpec[] {
    return [...this.#added.values()].map(({ prefix, type, via, med, localPref, communities }) => ({
      prefix,
      type,
      via: [...via],
      ...(med !== undefined && { med }),
      ...(localPref !== undefined && { localPref }),
      communities: [...communities],
    }));
  }

  /** Takes out what `add` put in. Throws CommandError for anything else. */
  delete(text: string): void {
    const prefix = requirePrefix(text);
    const key = formatPrefix(prefix);
    if (!this.#added.delete(key)) {
      const hint = this.#configured.has(key) ? '; it stands in the configuration: remove it there' : '';
      throw new CommandError('not-found', `no network ${key} was added by command${hint}`);
    }
    this.#announce(key);
  }

  #announce(text: string, ordinal = 0): void {
    const prefix = requirePrefix(text);
    const network = this.get(text, ordinal);
    if (network === undefined || network.type === 'none') this.#ways?.delete(prefix, ordinal);
    else this.#ways?.set(staticSpec(network, prefix));
    this.#tell(prefix, ordinal, network);
  }

  #tell(prefix: Prefix, ordinal: number, network: NetworkConfig | undefined): void {
    const way = this.#ways?.way(prefix, ordinal);
    const stuck = network?.type === 'via' && this.#ways !== undefined && way === undefined;
    if (network === undefined || stuck) {
      this.#routes.remove(prefix, 'network', ordinal);
      return;
    }
    const values = {
      origin: 'IGP',
      asPath: '',
      med: network.med,
      localPref: network.localPref,
      communities: network.communities.filter((text) => !isLarge(text)),
      largeCommunities: network.communities.filter(isLarge),
    } as const;
    this.#routes.add(prefix, values, {
      origin: 'network',
      ordinal,
      extras: { ...networkExtras(network), ...(way !== undefined && this.#leads(way)) },
      multipath: way !== undefined && way.hops.length > 1,
      set: network.set,
    });
  }

  /** What filters see of the way, with the gateway that a recursive route ends at. */
  #leads({ type, hops }: StaticWay): Partial<RouteExtras> {
    if (type !== 'unicast') return { destination: type, gateway: undefined };
    const { gateway, ifindex } = shownHop(hops, this.#dialect) ?? {};
    return { gateway, interface: ifindex === undefined ? undefined : this.#ways?.linkName(ifindex) };
  }
}

function staticSpec(network: NetworkConfig, prefix: Prefix): StaticSpec {
  const { ordinal = 0, preference = DEFAULT_PREFERENCE.static, type, via, hops } = network;
  const written = hops ?? via.map((address) => ({ address, interface: undefined, onlink: false, weight: 1 }));
  return {
    prefix,
    ordinal,
    preference,
    type: type === 'via' || type === 'none' ? 'unicast' : type,
    hops: written.map(({ address, ...rest }) => {
      const parsed = address === undefined ? undefined : parseAddress(address);
      return { ...rest, gateway: parsed?.bytes, interface: rest.interface ?? parsed?.zone };
    }),
    recursive: network.recursive ?? false,
    igpTable: network.igpTable,
  };
}

/** What filters see of it. */
function networkExtras({ type, via, protocol, preference }: NetworkConfig): Partial<RouteExtras> {
  const own = { protocol, ...(preference !== undefined && { preference }) };
  if (type === 'none') return own;
  return type === 'via'
    ? { ...own, gateway: via.length === 1 ? parseAddress(via[0]!)?.bytes : undefined }
    : { ...own, destination: type };
}

/** Configuration and API have both kinds in one list: `a:b` (RFC 1997) and `a:b:c` (RFC 8092). */
function isLarge(community: string): boolean {
  return parseLargeCommunity(community) !== undefined;
}

function requirePrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefix;
  const loose = parsePrefix(text, true);
  const hint =
    loose === undefined ? 'a prefix looks like 192.0.2.0/24' : `did you mean ${formatPrefix(loose)}?`;
  throw new CommandError('invalid', `"${text}" is not a prefix; ${hint}`);
}

/** The rules that a file's networks keep. */
function checkNextHop(text: string, prefix: Prefix): void {
  const address = parseAddress(text);
  // IPv4 prefixes may have IPv6 next hops (RFC 8950), not the other way round.
  if (address === undefined || address.bytes.length < prefix.bytes.length) {
    throw new CommandError('invalid', `"${text}" is not a next hop for ${formatPrefix(prefix)}`);
  }
  if (isLinkLocal(address.bytes) && address.zone === undefined) {
    throw new CommandError('invalid', `${text} is link-local: write ${text}%eth0, with the name of the link`);
  }
}

function checkSpec(spec: NetworkSpec): NetworkConfig {
  const via = spec.via ?? [];
  const type = spec.type ?? (via.length > 0 ? 'via' : 'none');
  if (!NETWORK_TYPES.includes(type)) {
    throw new CommandError('invalid', `unknown network type "${type}"; one of ${NETWORK_TYPES.join(', ')}`);
  }
  const prefix = requirePrefix(spec.prefix);
  for (const address of via) checkNextHop(address, prefix);
  if ((type === 'via') !== via.length > 0) {
    throw new CommandError('invalid', 'next hops (via) go with the type "via", and only with it');
  }
  for (const community of spec.communities ?? []) {
    if (parseCommunity(community) === undefined && !isLarge(community)) {
      throw new CommandError(
        'invalid',
        `"${community}" is no community; a:b, a:b:c or a name like NO_EXPORT`,
      );
    }
  }
  for (const [name, value] of [
    ['med', spec.med],
    ['localPref', spec.localPref],
  ] as const) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= LARGEST_UINT32)) {
      throw new CommandError('invalid', `${name} ${value} is not a number from 0 to ${LARGEST_UINT32}`);
    }
  }
  return {
    prefix: formatPrefix(prefix),
    type,
    via,
    med: spec.med,
    localPref: spec.localPref,
    communities: spec.communities ?? [],
  };
}
