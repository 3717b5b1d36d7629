// Peers and dynamic ranges of the model, and what must hold between them: endpoints are unique, nobody
// peers with itself, ranges do not overlap.

import { linksMeet } from '../lib/interface-patterns.ts';
import {
  type IpBytes,
  isLinkLocal,
  isUnspecified,
  parseAddress,
  parsePrefix,
  prefixContains,
  versionOf,
} from '../lib/ip.ts';
import { wantInterface } from './address-checks.ts';
import { type KnownTables, tableNamesOf } from './build-tables.ts';
import type { FilterReader } from './filters.ts';
import type { IssueList } from './issues.ts';
import type { DynamicPeersConfig, ListenConfig, PeerConfig, PeerSettings, Secret } from './model.ts';
import { formatPath, type Path } from './nodes.ts';
import { checkPeer } from './peer-checks.ts';
import { checkGroups, type ResolvedSettings, resolveSettings } from './peer-groups.ts';
import { type Confederation, fillSettings, peerTypeOf } from './peer-settings.ts';
import type { NamedEntry } from './protocol-names.ts';
import type { DynamicPeersInput, PeerGroupInput, PeerInput } from './schema-peer.ts';
import type { SecretReader } from './secrets.ts';
import { keyClashes } from './shared-keys.ts';
import { readAuthentication } from './tcp-ao.ts';
import type { Entry, ValidatedInput } from './validate.ts';
import { canonicalAddress, canonicalPrefix } from './values.ts';

const DYNAMIC_LIMIT = 100;

export interface PeersContext {
  /** Undefined where `router.asn` is wrong. */
  readonly asn: number | undefined;
  readonly confederation: Confederation | undefined;
  readonly routerId: string | undefined;
  readonly listen: readonly ListenConfig[];
  readonly secrets: SecretReader;
  readonly filters: FilterReader;
  readonly tables: KnownTables;
  readonly issues: IssueList;
}

export interface BuiltPeers {
  readonly peers: PeerConfig[];
  readonly dynamicPeers: DynamicPeersConfig[];
  /** Of both, but those whose equal names follow from another mistake. */
  readonly names: readonly NamedEntry[];
}

export function buildPeers(input: ValidatedInput, context: PeersContext): BuiltPeers {
  checkGroups(input.peerGroups, context.issues);
  const peers = input.peers.map((entry) => ({ path: entry.path, input: buildPeer(entry, input, context) }));
  const dynamicPeers = input.dynamicPeers.map((entry) => ({
    path: entry.path,
    input: buildDynamic(entry, input, context),
  }));
  checkEndpoints(peers, context);
  checkOverlaps(dynamicPeers, context.issues);
  warnOfKeys(peers, dynamicPeers, context);
  return {
    peers: peers.map((peer) => peer.input),
    dynamicPeers: dynamicPeers.map((range) => range.input),
    names: [
      ...namesOf(peers, ({ address }) => address, endpointOf),
      ...namesOf(dynamicPeers, rangeName, rangeName),
    ],
  };
}

function buildPeer(entry: Entry<PeerInput>, all: ValidatedInput, context: PeersContext): PeerConfig {
  const { input, path } = entry;
  const address = canonicalAddress(input.address);
  const bytes = parseAddress(input.address)?.bytes;
  const name = input.name ?? address;
  const settings = buildSettings(input, path, `peer ${name}`, bytes, false, all, context);
  const complete = completeZone(address, settings.interface, path, context.issues);
  // Spread last: V8 gives what begins with a copy a hidden class of its own, some kilobytes a peer.
  return { name: input.name ?? complete, address: complete, ...settings };
}

function buildDynamic(
  entry: Entry<DynamicPeersInput>,
  all: ValidatedInput,
  context: PeersContext,
): DynamicPeersConfig {
  const { input, path } = entry;
  const prefix = canonicalPrefix(input.prefix);
  const bytes = parsePrefix(input.prefix)?.bytes;
  const settings = buildSettings(
    input,
    path,
    `dynamic range ${input.name ?? prefix}`,
    bytes,
    true,
    all,
    context,
  );
  const name = input.name ?? rangeName({ prefix, interface: settings.interface });
  if (input.passive === false) {
    context.issues.warning(
      [...path, 'passive'],
      'dynamic peers are always passive',
      'take passive out',
      'key',
    );
  }
  const { interfaces } = input;
  if (bytes !== undefined && isLinkLocal(bytes)) {
    if (settings.interface === undefined && interfaces === undefined) {
      context.issues.error(
        [...path, 'prefix'],
        'a link-local prefix needs its interface',
        'add interface: eth0, or interfaces: ["eth*"]',
      );
    }
  } else if (interfaces !== undefined) {
    context.issues.error(
      [...path, 'interfaces'],
      'interfaces are for link-local prefixes',
      'take it out',
      'key',
    );
  }
  if (settings.interface !== undefined && interfaces !== undefined) {
    context.issues.error(
      [...path, 'interfaces'],
      'interface says it already',
      'take one of the two out',
      'key',
    );
  }
  const limit = input.limit ?? DYNAMIC_LIMIT;
  return { name, prefix, ...(interfaces !== undefined && { interfaces }), limit, ...settings };
}

/** Of a range that has been given no other. */
function rangeName({ prefix, interface: link }: Pick<DynamicPeersConfig, 'prefix' | 'interface'>): string {
  return link === undefined ? prefix : `${prefix}%${link}`;
}

function buildSettings(
  input: PeerGroupInput,
  path: Path,
  label: string,
  address: IpBytes | undefined,
  dynamic: boolean,
  all: ValidatedInput,
  context: PeersContext,
): PeerSettings {
  const { issues } = context;
  const version = address === undefined ? 'ipv4' : versionOf(address);
  const resolved = resolveSettings(input, path, all.peerGroups, issues);
  const { confederation } = context;
  const type = peerTypeOf(resolved.settings.asn, context.asn, confederation);
  if (!resolved.written('asn') && resolved.complete) {
    const hint = dynamic
      ? 'add asn to the range or its group: a number, internal, or external for any other AS'
      : 'add asn to the peer or its group: a number, internal or external';
    issues.error([...path, 'asn'], 'asn is missing', hint);
  }
  const settings = fillSettings(resolved.settings, {
    type: type ?? 'external',
    confederation:
      confederation === undefined || context.asn === undefined
        ? undefined
        : { id: confederation.id, memberAs: context.asn, inside: type !== 'external' },
    version,
    dynamic,
    password: context.secrets.read(resolved.settings.password, resolved.origin('password')),
    tcpAo: readAuthentication(
      resolved.settings.authentication,
      resolved.origin('authentication'),
      context.secrets,
      issues,
    ),
    bfdPassword: bfdPassword(resolved, context.secrets),
    linkLocal: address !== undefined && isLinkLocal(address),
    attachment: (key, families) =>
      tableNamesOf(resolved.settings[key], resolved.origin(key), families, context.tables, issues),
    policy: (key) => {
      const { [key]: written, rpki } = resolved.settings;
      const fallback = type === 'external' ? undefined : 'accept';
      if (key === 'export' || rpki === undefined || (written ?? fallback) === undefined) {
        return written === undefined ? undefined : context.filters.policy(written, resolved.origin(key));
      }
      const at = written === undefined ? resolved.origin('rpki') : resolved.origin(key);
      if (all.rpki === undefined) {
        issues.error(resolved.origin('rpki'), 'there is no cache to ask', 'add rpki: { caches: [ADDRESS] }');
        return 'reject';
      }
      return context.filters.policy(written ?? 'accept', at, rpki);
    },
  });
  checkPeer(
    { label, path, resolved, input: resolved.settings, settings, type, version, ownAsn: context.asn },
    issues,
  );
  return settings;
}

function bfdPassword({ settings, origin }: ResolvedSettings, secrets: SecretReader): Secret | undefined {
  const { bfd } = settings;
  if (typeof bfd !== 'object') return undefined;
  return secrets.read(bfd.verification?.password, [...origin('bfd'), 'verification', 'password']);
}

/** A link-local address with its interface, from the address or from the `interface` beside it. */
function completeZone(address: string, link: string | undefined, path: Path, issues: IssueList): string {
  const parsed = parseAddress(address);
  if (parsed === undefined) return address;
  const at = [...path, 'address'];
  const { bytes, zone } = parsed;
  if (isUnspecified(bytes)) {
    issues.error(at, `${address} is no address of a peer`, 'dynamicPeers takes peers from a whole prefix');
  } else if (bytes.length === 4 ? bytes[0]! >= FIRST_MULTICAST_OCTET : bytes[0] === IPV6_MULTICAST_OCTET) {
    issues.error(at, `${address} is no unicast address`, 'BGP peers are single hosts');
  }
  if (!isLinkLocal(bytes)) {
    if (zone !== undefined) {
      issues.error(at, 'only a link-local address has an interface after %', `write ${withoutZone(address)}`);
    }
    return address;
  }
  if (zone === undefined && link === undefined) {
    wantInterface(at, address, issues);
  } else if (zone !== undefined && link !== undefined && zone !== link) {
    issues.error(at, `the address is on ${zone}, but interface says ${link}`, 'one of the two is enough');
  }
  return zone === undefined && link !== undefined ? `${address}%${link}` : address;
}

const FIRST_MULTICAST_OCTET = 224;
const IPV6_MULTICAST_OCTET = 0xff;

/** Two without names that are the same (`identity`) are told about that, and not about their names. */
function namesOf<T extends { readonly name: string }>(
  entries: readonly Entry<T>[],
  nameless: (entry: T) => string,
  identity: (entry: T) => string,
): NamedEntry[] {
  const seen = new Set<string>();
  return entries.flatMap(({ path, input }) => {
    const same = seen.has(identity(input));
    seen.add(identity(input));
    return same && input.name === nameless(input) ? [] : [{ name: input.name, path }];
  });
}

/** RFC 4271 §6.8 tells connections apart by their addresses; several peers on one address need different ports. */
function endpointOf(peer: PeerConfig): string {
  return [peer.address, peer.port, peer.localAddress ?? '*'].join(' ');
}

function checkEndpoints(peers: readonly Entry<PeerConfig>[], context: PeersContext): void {
  const { issues, listen, routerId } = context;
  const byEndpoint = new Map<string, Path>();
  for (const { path, input } of peers) {
    const at = [...path, 'address'];
    const endpoint = endpointOf(input);
    const earlier = byEndpoint.get(endpoint);
    if (earlier !== undefined) {
      issues.error(
        at,
        `${input.address} port ${input.port} is already ${formatPath(earlier)}`,
        'take one out, or give them different ports or localAddresses',
      );
    } else byEndpoint.set(endpoint, path);
    const ownPort = listen.some((each) => each.port === input.port);
    const own = listen.some((each) => each.address === input.address && each.port === input.port);
    if (own || (input.localAddress === input.address && ownPort)) {
      issues.error(
        at,
        `${input.address} port ${input.port} is this speaker itself`,
        "the other side's address is needed here",
      );
    } else if (input.address === routerId && ownPort) {
      issues.warning(at, `${input.address} is also the router id of this speaker`, 'is it an own address?');
    }
  }
}

function checkOverlaps(ranges: readonly Entry<DynamicPeersConfig>[], issues: IssueList): void {
  ranges.forEach(({ path, input }, i) => {
    const prefix = parsePrefix(input.prefix);
    if (prefix === undefined) return;
    for (const earlier of ranges.slice(0, i)) {
      const other = parsePrefix(earlier.input.prefix);
      if (other === undefined || !sharesLinks(earlier.input, input)) continue;
      if (!prefixContains(prefix, other.bytes) && !prefixContains(other, prefix.bytes)) continue;
      issues.error(
        [...path, 'prefix'],
        `${input.prefix} overlaps ${earlier.input.prefix} of ${formatPath(earlier.path)}`,
        'a peer must fall into one range only; split them',
      );
    }
  });
}

function sharesLinks(a: DynamicPeersConfig, b: DynamicPeersConfig): boolean {
  if (a.interfaces !== undefined && b.interfaces !== undefined) return linksMeet(a, b);
  return a.interface === b.interface;
}

function warnOfKeys(
  peers: readonly Entry<PeerConfig>[],
  ranges: readonly Entry<DynamicPeersConfig>[],
  { listen, issues }: PeersContext,
): void {
  const places = new Map<PeerConfig | DynamicPeersConfig, Path>([
    ...peers.map(({ path, input }) => [input, [...path, 'address']] as const),
    ...ranges.map(({ path, input }) => [input, [...path, 'prefix']] as const),
  ]);
  const holders = {
    peers: peers.map(({ input }) => input),
    dynamicPeers: ranges.map(({ input }) => input),
    listen,
  };
  const pathOf = (caller: PeerConfig | DynamicPeersConfig): Path => places.get(caller) ?? [];
  for (const { caller, message, hint } of keyClashes(holders, (other) => formatPath(pathOf(other)))) {
    issues.warning(pathOf(caller), message, hint);
  }
}

function withoutZone(address: string): string {
  return address.split('%')[0]!;
}
