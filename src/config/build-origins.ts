// What feeds and drains a routing table beside peers, as the user wrote it -> the model: kernel section, own networks,
// redistribution. The main table has these sections at the top level, a further one within its own.

import { IP_VERSIONS, isLinkLocalText, parseAddress } from '../lib/ip.ts';
import { wantInterface } from './address-checks.ts';
import type { FilterReader } from './filters.ts';
import type { IssueList } from './issues.ts';
import type {
  KernelConfig,
  KernelFamilyConfig,
  LocalPolicies,
  NetworkConfig,
  NetworkHop,
  RedistributeSource,
  TableConfig,
} from './model.ts';
import { MAIN_KERNEL_TABLE } from './model.ts';
import { formatPath, type Path } from './nodes.ts';
import { type NetworkInput, ROUTE_PROTOCOLS, ROUTE_TABLES } from './schema.ts';
import type { Entry, ValidatedInput } from './validate.ts';
import { canonicalAddress, canonicalPrefix, parseCommunity } from './values.ts';

/** RTPROT_BIRD: who replaces BIRD adopts its routes. */
const ROUTE_PROTOCOL = 12;
const ROUTE_METRIC = 32;
const SCAN_SECONDS = 300;

export type OriginsInput = Pick<ValidatedInput, 'kernel' | 'networks' | 'redistribute'>;
export type Origins = Pick<TableConfig, 'kernel' | 'networks' | 'redistribute' | 'localPolicies'>;

/** `base`: where the sections stand. */
export function buildOrigins(
  input: OriginsInput,
  base: Path,
  filters: FilterReader,
  issues: IssueList,
): Origins {
  const redistribute = listOf(input.redistribute);
  return {
    kernel: buildKernel(input.kernel, redistribute, base, issues),
    networks: buildNetworks(input.networks, issues),
    redistribute,
    localPolicies: buildLocalPolicies(input, base, filters),
  };
}

function listOf(input: ValidatedInput['redistribute']): RedistributeSource[] {
  if (input === undefined) return [];
  if (typeof input === 'string') return [input];
  if (isList(input)) return [...new Set(input)];
  return SOURCES.filter((source) => input[source] !== undefined);
}

const SOURCES: readonly RedistributeSource[] = ['kernel', 'connected', 'static'];

function isList(input: NonNullable<ValidatedInput['redistribute']>): input is RedistributeSource[] {
  return Array.isArray(input);
}

function buildLocalPolicies(input: OriginsInput, base: Path, filters: FilterReader): LocalPolicies {
  const { redistribute, kernel } = input;
  const imports = typeof redistribute === 'object' && !isList(redistribute) ? redistribute : {};
  const of = (source: RedistributeSource) =>
    imports[source] === undefined
      ? 'accept'
      : filters.policy(imports[source], [...base, 'redistribute', source]);
  return {
    networks: 'accept',
    kernel: of('kernel'),
    connected: of('connected'),
    static: of('static'),
    install:
      kernel?.export === undefined ? 'accept' : filters.policy(kernel.export, [...base, 'kernel', 'export']),
  };
}

function buildKernel(
  input: ValidatedInput['kernel'],
  redistribute: readonly RedistributeSource[],
  base: Path,
  issues: IssueList,
): KernelConfig {
  const install = input?.install ?? false;
  const learning = redistribute.includes('kernel');
  const protocol = numberOf(input?.protocol, ROUTE_PROTOCOLS) ?? ROUTE_PROTOCOL;
  const path = [...base, 'kernel'];
  checkUses(input, ['prefSource', ...INSTALL_KEYS], install, learning, path, issues);
  for (const version of IP_VERSIONS) {
    checkUses(input?.[version], INSTALL_KEYS, install, learning, [...path, version], issues);
  }
  const ipv4 = familyOf(input?.ipv4, protocol, [...path, 'ipv4'], issues);
  const ipv6 = familyOf(input?.ipv6, protocol, [...path, 'ipv6'], issues);
  return {
    install,
    table: MAIN_KERNEL_TABLE,
    metric: ROUTE_METRIC,
    ecmp: 1,
    protocol,
    prefSource: prefSourceOf(input?.prefSource),
    keepOnStop: false,
    learn: learning ? [{ protocol: undefined, table: undefined }] : [],
    interfaces: input?.interfaces ?? ['*'],
    nextHopTracking: input?.nextHopTracking ?? install,
    scanTime: SCAN_SECONDS,
    ...familyOf(input, protocol, path, issues),
    ...(ipv4 !== undefined && { ipv4 }),
    ...(ipv6 !== undefined && { ipv6 }),
  };
}

type FamilyInput = NonNullable<NonNullable<ValidatedInput['kernel']>['ipv4']>;

/** Keys that are about routes that are installed. */
const INSTALL_KEYS: readonly (keyof FamilyInput)[] = ['table', 'metric', 'ecmp', 'keepOnStop'];

/** What can have no effect is warned of. `keys`: those that need `install`. */
function checkUses<T extends FamilyInput>(
  input: T | undefined,
  keys: readonly (string & keyof T)[],
  install: boolean,
  learning: boolean,
  path: Path,
  issues: IssueList,
): void {
  if (input === undefined) return;
  for (const key of install ? [] : keys) {
    if (input[key] === undefined) continue;
    const sentence = `${key} has no effect while nothing is installed`;
    issues.warning([...path, key], sentence, 'add install: true', 'key');
  }
  if (input.learn === undefined || input.learn.length === 0 || learning) return;
  const sentence = 'what is learned is announced to nobody';
  issues.warning([...path, 'learn'], sentence, 'add redistribute: [kernel]', 'key');
}

/** What is said, and nothing else; `protocol`: of own routes. */
function familyOf(
  input: FamilyInput | undefined,
  protocol: number,
  path: Path,
  issues: IssueList,
): Partial<KernelFamilyConfig> | undefined {
  if (input === undefined) return undefined;
  const { metric, ecmp, keepOnStop, scanTime } = input;
  const table = numberOf(input.table, ROUTE_TABLES);
  const learn = input.learn?.map((each, i) => {
    const learned = numberOf(each.protocol, ROUTE_PROTOCOLS);
    if (learned === protocol) {
      issues.error(
        [...path, 'learn', i, 'protocol'],
        `protocol ${learned} marks the routes of this speaker itself`,
        'learn another protocol, or set kernel.protocol to another number',
      );
    }
    return { protocol: learned, table: numberOf(each.table, ROUTE_TABLES) };
  });
  return {
    ...(table !== undefined && { table }),
    ...(metric !== undefined && { metric }),
    ...(ecmp !== undefined && { ecmp }),
    ...(keepOnStop !== undefined && { keepOnStop }),
    ...(learn !== undefined && { learn }),
    ...(scanTime !== undefined && { scanTime }),
  };
}

function numberOf(
  value: string | number | undefined,
  names: Readonly<Record<string, number>>,
): number | undefined {
  return typeof value === 'string' ? names[value] : value;
}

function prefSourceOf(
  input: NonNullable<ValidatedInput['kernel']>['prefSource'],
): KernelConfig['prefSource'] {
  if (input === undefined) return { ipv4: undefined, ipv6: undefined };
  if (typeof input === 'object') {
    return { ipv4: input.ipv4, ipv6: input.ipv6 === undefined ? undefined : canonicalAddress(input.ipv6) };
  }
  const address = canonicalAddress(input);
  const ipv4 = parseAddress(input)?.bytes.length === 4;
  return { ipv4: ipv4 ? address : undefined, ipv6: ipv4 ? undefined : address };
}

function buildNetworks(entries: readonly Entry<NetworkInput>[], issues: IssueList): NetworkConfig[] {
  const seen = new Map<string, Path>();
  /** Many networks have the same few next hops. */
  const gateways = new Map<string, string>();
  const gateway = (text: string): string => {
    const known = gateways.get(text) ?? canonicalAddress(text);
    gateways.set(text, known);
    return known;
  };
  return entries.map(({ path, input }) => {
    const object = typeof input === 'string' ? { prefix: input } : input;
    const prefix = canonicalPrefix(object.prefix);
    const earlier = seen.get(prefix);
    if (earlier === undefined) seen.set(prefix, path);
    else {
      const at = typeof input === 'string' ? path : [...path, 'prefix'];
      issues.error(at, `${prefix} is already ${formatPath(earlier)}`, 'take one of them out');
    }
    const via = object.via === undefined ? [] : typeof object.via === 'string' ? [object.via] : object.via;
    const type = object.type ?? (via.length > 0 ? 'via' : 'none');
    if (type === 'via' && via.length === 0) {
      issues.error([...path, 'type'], 'type: via needs next hops', 'add via: 192.0.2.1');
    } else if (type !== 'via' && via.length > 0) {
      issues.error([...path, 'via'], `a ${type} route has no next hops`, 'take via out, or write type: via');
    }
    if (object.bfd === true && via.length === 0) {
      issues.error([...path, 'bfd'], 'bfd watches next hops, and there are none', 'add via: 192.0.2.1');
    }
    // IPv4 prefixes may have IPv6 next hops (RFC 8950), not the other way round.
    if (prefix.includes(':') && !via.every((address) => address.includes(':'))) {
      const sentence = 'an IPv6 prefix cannot have an IPv4 next hop';
      issues.error([...path, 'via'], sentence, 'give an IPv6 address');
    }
    for (const [i, address] of via.entries()) {
      if (!isLinkLocalText(address) || address.includes('%')) continue;
      wantInterface(typeof object.via === 'string' ? [...path, 'via'] : [...path, 'via', i], address, issues);
    }
    return {
      prefix,
      type,
      via: via.map(gateway),
      ...(object.bfd === true && { hops: via.map((address) => watchedHop(gateway(address))) }),
      med: object.med,
      localPref: object.localPref,
      communities: (object.communities ?? []).map((community) => parseCommunity(community) ?? community),
    };
  });
}

function watchedHop(address: string): NetworkHop {
  return { address, interface: undefined, onlink: false, weight: 1, bfd: true };
}
