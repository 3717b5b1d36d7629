// What the user wrote -> the model, section by section, with every default filled in. Peers are build-peers.ts's.
// Only what needs more than one key is checked here; single values were checked by the schema.

import { parseAddress, parsePrefix, parseQuad } from '../lib/ip.ts';
import { buildControl, buildProcess } from './build-control.ts';
import { buildPeers } from './build-peers.ts';
import type { FilterReader, PolicyContext } from './filters.ts';
import type { IssueList } from './issues.ts';
import type {
  Config,
  HttpConfig,
  KernelConfig,
  ListenConfig,
  LocalPolicies,
  LogConfig,
  NetworkConfig,
  RedistributeSource,
} from './model.ts';
import { formatPath, type Path } from './nodes.ts';
import {
  type ConfigInput,
  type ListenInput,
  type NetworkInput,
  RESTART_WAIT,
  ROUTE_PROTOCOLS,
  ROUTE_TABLES,
} from './schema.ts';
import { buildDiagnosis } from './schema-diagnosis.ts';
import type { SecretReader } from './secrets.ts';
import type { Entry, ValidatedInput } from './validate.ts';
import {
  canonicalAddress,
  canonicalPrefix,
  doubtAboutAsn,
  parseAsn,
  parseCommunity,
  parseEndpoint,
} from './values.ts';

/** What the configuration falls back to; injected, so that a file means the same everywhere. */
export interface HostFacts {
  readonly hostname: string;
  /** Own addresses, for a router id where none is configured. */
  readonly addresses: readonly string[];
  /** What filters run with; without it they are checked only. */
  readonly policy?: PolicyContext;
}

const BGP_PORT = 179;
const MAIN_TABLE = 254;
/** RTPROT_BIRD: who replaces BIRD adopts its routes. */
const ROUTE_PROTOCOL = 12;
const ROUTE_METRIC = 32;
const SCAN_SECONDS = 300;
const DEFAULT_LOCAL_PREF = 100;
const MAX_PEER_SERIES = 500;

export function buildConfig(
  input: ValidatedInput,
  host: HostFacts,
  secrets: SecretReader,
  filters: FilterReader,
  issues: IssueList,
): Config {
  filters.define(input.definitions, input.filters ?? {});
  const listen = buildListen(input.listen, issues);
  const asn = input.router?.asn === undefined ? undefined : parseAsn(input.router.asn);
  const doubt = asn === undefined ? undefined : doubtAboutAsn(asn);
  if (doubt !== undefined) issues.warning(['router', 'asn'], doubt.message, doubt.hint);
  const id = input.router === undefined ? undefined : (input.router.id ?? chooseId(listen, host, issues));
  const redistribute = listOf(input.redistribute);
  const peers = buildPeers(input, { asn, routerId: id, listen, secrets, filters, issues });
  return {
    router: {
      asn: asn ?? 0,
      id: id ?? '',
      clusterId: input.router?.clusterId ?? id ?? '',
      hostname: input.router?.hostname ?? host.hostname,
      restart: buildRestart(input.router?.restart),
    },
    listen,
    kernel: buildKernel(input.kernel, redistribute, issues),
    ...peers,
    networks: buildNetworks(input.networks, issues),
    redistribute,
    localPolicies: buildLocalPolicies(input, filters),
    ...(input.tests !== undefined && { tests: filters.tests(Object.keys(input.tests)) }),
    decision: {
      alwaysCompareMed: input.decision?.alwaysCompareMed ?? false,
      preferOldest: input.decision?.preferOldest ?? false,
      multipathRelax: input.decision?.multipathRelax ?? true,
      ignoreAsPathLength: input.decision?.ignoreAsPathLength ?? false,
      ignoreRouterId: input.decision?.ignoreRouterId ?? false,
      aigp: input.decision?.aigp ?? true,
      defaultLocalPref: input.decision?.defaultLocalPref ?? DEFAULT_LOCAL_PREF,
    },
    control: buildControl(input.control, (path) => secrets.locate(path), issues),
    process: buildProcess(input.process),
    ...(secrets.files.length > 0 && { secretFiles: secrets.files }),
    http: buildHttp(input.http),
    log: buildLog(input.log),
    diagnosis: buildDiagnosis(input.diagnosis),
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

function buildLocalPolicies(input: ValidatedInput, filters: FilterReader): LocalPolicies {
  const { redistribute, kernel } = input;
  const imports = typeof redistribute === 'object' && !isList(redistribute) ? redistribute : {};
  const of = (source: RedistributeSource) =>
    imports[source] === undefined ? 'accept' : filters.policy(imports[source], ['redistribute', source]);
  return {
    networks: 'accept',
    kernel: of('kernel'),
    connected: of('connected'),
    static: of('static'),
    install: kernel?.export === undefined ? 'accept' : filters.policy(kernel.export, ['kernel', 'export']),
  };
}

/** An own listening address, else the highest IPv4 address of the host that is no loopback. */
function chooseId(listen: readonly ListenConfig[], host: HostFacts, issues: IssueList): string | undefined {
  const usable = (address: string): boolean => {
    const quad = parseQuad(address);
    return quad !== undefined && quad !== 0 && !address.startsWith('127.');
  };
  const byValue = (a: string, b: string): number => (parseQuad(b) ?? 0) - (parseQuad(a) ?? 0);
  const id =
    listen.map((each) => each.address).find(usable) ?? [...host.addresses].filter(usable).sort(byValue)[0];
  // An id that is wrong has its own complaint.
  if (issues.has(['router', 'id'])) return id;
  if (id === undefined) {
    issues.error(
      ['router', 'id'],
      'the router id is missing, and no own IPv4 address is known',
      'add id: 10.99.0.1',
    );
  } else {
    issues.warning(
      ['router', 'id'],
      `no router id is given; ${id} of this host is taken`,
      `write id: ${id}, so that a changed address does not reset every session`,
    );
  }
  return id;
}

function buildListen(entries: readonly Entry<ListenInput>[] | undefined, issues: IssueList): ListenConfig[] {
  if (entries === undefined) {
    return ['0.0.0.0', '::'].map((address) => ({ address, port: BGP_PORT, interface: undefined }));
  }
  const seen = new Map<string, Path>();
  return entries.map(({ path, input }) => {
    const endpoint = typeof input === 'string' ? parseEndpoint(input) : undefined;
    const object = typeof input === 'string' ? undefined : input;
    const listen = {
      address: endpoint?.address ?? canonicalAddress(object?.address ?? ''),
      port: endpoint?.port ?? object?.port ?? BGP_PORT,
      interface: object?.interface,
    };
    const key = [listen.address, listen.port, listen.interface].join(' ');
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, path);
    else issues.error(path, `the same listener as ${formatPath(earlier)}`, 'take one of them out');
    return listen;
  });
}

function buildKernel(
  input: ValidatedInput['kernel'],
  redistribute: readonly RedistributeSource[],
  issues: IssueList,
): KernelConfig {
  const install = input?.install ?? false;
  const learning = redistribute.includes('kernel');
  if (input !== undefined && !install) {
    for (const key of ['table', 'metric', 'ecmp', 'prefSource', 'keepOnStop'] as const) {
      if (input[key] === undefined) continue;
      issues.warning(
        ['kernel', key],
        `${key} has no effect while nothing is installed`,
        'add install: true',
        'key',
      );
    }
  }
  if (input?.learn !== undefined && input.learn.length > 0 && !learning) {
    issues.warning(
      ['kernel', 'learn'],
      'what is learned is announced to nobody',
      'add redistribute: [kernel]',
      'key',
    );
  }
  const protocol = numberOf(input?.protocol, ROUTE_PROTOCOLS) ?? ROUTE_PROTOCOL;
  const learn = (input?.learn ?? (learning ? [{}] : [])).map((each, i) => {
    const learned = numberOf(each.protocol, ROUTE_PROTOCOLS);
    if (learned === protocol) {
      issues.error(
        ['kernel', 'learn', i, 'protocol'],
        `protocol ${learned} marks the routes of this speaker itself`,
        'learn another protocol, or set kernel.protocol to another number',
      );
    }
    return { protocol: learned, table: numberOf(each.table, ROUTE_TABLES) };
  });
  return {
    install,
    table: numberOf(input?.table, ROUTE_TABLES) ?? MAIN_TABLE,
    metric: input?.metric ?? ROUTE_METRIC,
    ecmp: input?.ecmp ?? 1,
    protocol,
    prefSource: prefSourceOf(input?.prefSource),
    keepOnStop: input?.keepOnStop ?? false,
    learn,
    interfaces: input?.interfaces ?? ['*'],
    nextHopTracking: input?.nextHopTracking ?? install,
    scanTime: input?.scanTime ?? SCAN_SECONDS,
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
  return entries.map(({ path, input }) => {
    const object = typeof input === 'string' ? { prefix: input } : input;
    const at = typeof input === 'string' ? path : [...path, 'prefix'];
    const prefix = canonicalPrefix(object.prefix);
    const earlier = seen.get(prefix);
    if (earlier === undefined) seen.set(prefix, path);
    else issues.error(at, `${prefix} is already ${formatPath(earlier)}`, 'take one of them out');
    const via = object.via === undefined ? [] : typeof object.via === 'string' ? [object.via] : object.via;
    const type = object.type ?? (via.length > 0 ? 'via' : 'none');
    if (type === 'via' && via.length === 0) {
      issues.error([...path, 'type'], 'type: via needs next hops', 'add via: 192.0.2.1');
    } else if (type !== 'via' && via.length > 0) {
      issues.error([...path, 'via'], `a ${type} route has no next hops`, 'take via out, or write type: via');
    }
    checkGateways(prefix, via, [...path, 'via'], issues);
    return {
      prefix,
      type,
      via: via.map(canonicalAddress),
      med: object.med,
      localPref: object.localPref,
      communities: (object.communities ?? []).map((community) => parseCommunity(community) ?? community),
    };
  });
}

/** IPv4 prefixes may have IPv6 next hops (RFC 8950), not the other way round. */
function checkGateways(prefix: string, via: readonly string[], path: Path, issues: IssueList): void {
  if (parsePrefix(prefix)?.bytes.length !== 16) return;
  if (via.some((address) => parseAddress(address)?.bytes.length === 4)) {
    issues.error(path, 'an IPv6 prefix cannot have an IPv4 next hop', 'give an IPv6 address');
  }
}

function buildHttp(input: ValidatedInput['http']): HttpConfig | undefined {
  const object = typeof input === 'string' ? { listen: input } : input;
  const endpoint = object === undefined ? undefined : parseEndpoint(object.listen);
  if (object === undefined || endpoint?.port === undefined) return undefined;
  return {
    address: endpoint.address,
    port: endpoint.port,
    maxPeerSeries: object.maxPeerSeries ?? MAX_PEER_SERIES,
  };
}

function buildLog(input: ValidatedInput['log']): LogConfig {
  const object = typeof input === 'string' ? { level: input } : input;
  return { level: object?.level ?? 'info', format: object?.format ?? 'auto' };
}

function buildRestart(input: NonNullable<ConfigInput['router']>['restart']): Config['router']['restart'] {
  const { recover = 'auto', wait = RESTART_WAIT, onStop = 'cease' } = input ?? {};
  return { recover, wait, onStop };
}
