// What the user wrote -> the model, section by section, with every default filled in. Peers are build-peers.ts's.
// Only what needs more than one key is checked here; single values were checked by the schema.

import { BGP_PORT } from '../bgp/wire/iana.ts';
import { parseQuad } from '../lib/ip.ts';
import { buildBfdSessions, hopSessions, sharedWithPeers } from './build-bfd.ts';
import { buildBmp, stationPath } from './build-bmp.ts';
import { buildControl, buildProcess } from './build-control.ts';
import { buildOrigins } from './build-origins.ts';
import { buildPeers } from './build-peers.ts';
import { buildRpki, cachePath } from './build-rpki.ts';
import { buildTables, familiesByTable, pipeName } from './build-tables.ts';
import type { FilterReader, PolicyContext } from './filters.ts';
import type { IssueList } from './issues.ts';
import type { Config, HttpConfig, ListenConfig, LogConfig } from './model.ts';
import { formatPath, type Path } from './nodes.ts';
import type { Confederation } from './peer-settings.ts';
import { checkProtocolNames } from './protocol-names.ts';
import { type ConfigInput, DRAIN_TIME, type ListenInput, RESTART_WAIT } from './schema.ts';
import { buildDiagnosis } from './schema-diagnosis.ts';
import type { SecretReader } from './secrets.ts';
import type { Entry, ValidatedInput } from './validate.ts';
import { canonicalAddress, doubtAboutAsn, parseAsn, parseEndpoint } from './values.ts';

/** What the configuration falls back to; injected, so that a file means the same everywhere. */
export interface HostFacts {
  readonly hostname: string;
  /** Own addresses, for a router id where none is configured. */
  readonly addresses: readonly string[];
  /** Names of the interfaces that IPv4 addresses are on; without those that are secondary. */
  readonly links?: ReadonlyMap<string, string>;
  /** What filters run with; without it they are checked only. */
  readonly policy?: PolicyContext;
}

const DEFAULT_LOCAL_PREF = 100;
const MAX_PEER_SERIES = 500;

export function buildConfig(
  input: ValidatedInput,
  host: HostFacts,
  secrets: SecretReader,
  filters: FilterReader,
  issues: IssueList,
): Config {
  if (input.rpki !== undefined) filters.declareRpki();
  filters.define(input.definitions, input.filters ?? {});
  const listen = buildListen(input.listen, issues);
  const asn = input.router?.asn === undefined ? undefined : parseAsn(input.router.asn);
  const doubt = asn === undefined ? undefined : doubtAboutAsn(asn);
  if (doubt !== undefined) issues.warning(['router', 'asn'], doubt.message, doubt.hint);
  const id = input.router === undefined ? undefined : (input.router.id ?? chooseId(listen, host, issues));
  const origins = buildOrigins(input, [], filters, issues);
  const tables = buildTables(input, origins.kernel, filters, issues);
  const known = familiesByTable(tables.tables ?? []);
  const { names, ...peers } = buildPeers(input, {
    asn,
    confederation: buildConfederation(input.router?.confederation, asn, issues),
    routerId: id,
    listen,
    secrets,
    filters,
    tables: known,
    issues,
  });
  const rpki = buildRpki(input.rpki, secrets, issues);
  const bmp = buildBmp(input.bmp, secrets);
  const written = buildBfdSessions(input.bfd, secrets, issues);
  const networks = [origins, ...(tables.tables ?? [])].flatMap((table) => table.networks);
  const bfdSessions = [...written, ...sharedWithPeers(hopSessions(networks, written), peers.peers)];
  const pipes = input.pipes.map(({ path, input: pipe }) => ({ name: pipeName(pipe), path }));
  const caches = rpki.map(({ name }, i) => ({ name, path: cachePath(i) }));
  const stations = bmp.map(({ name }, i) => ({ name, path: stationPath(i) }));
  checkProtocolNames([...names, ...pipes, ...caches, ...stations], issues);
  return {
    router: {
      asn: asn ?? 0,
      id: id ?? '',
      clusterId: input.router?.clusterId ?? id ?? '',
      hostname: input.router?.hostname ?? host.hostname,
      restart: buildRestart(input.router?.restart),
    },
    listen,
    ...origins,
    ...peers,
    ...tables,
    ...(rpki.length > 0 && { rpki }),
    ...(bmp.length > 0 && { bmp }),
    ...(bfdSessions.length > 0 && { bfdSessions }),
    ...(input.tests !== undefined && { tests: filters.tests(Object.keys(input.tests)) }),
    decision: {
      alwaysCompareMed: input.decision?.alwaysCompareMed ?? false,
      preferOldest: input.decision?.preferOldest ?? false,
      multipathRelax: input.decision?.multipathRelax ?? true,
      ignoreAsPathLength: input.decision?.ignoreAsPathLength ?? false,
      ignoreIgpMetric: input.decision?.ignoreIgpMetric ?? false,
      ignoreRouterId: input.decision?.ignoreRouterId ?? false,
      aigp: input.decision?.aigp ?? true,
      defaultLocalPref: input.decision?.defaultLocalPref ?? DEFAULT_LOCAL_PREF,
      defaultMed: input.decision?.defaultMed ?? 0,
    },
    control: buildControl(input.control, (path) => secrets.locate(path), issues),
    process: buildProcess(input.process),
    ...(secrets.files.length > 0 && { secretFiles: secrets.files }),
    http: buildHttp(input.http),
    log: buildLog(input.log),
    diagnosis: buildDiagnosis(input.diagnosis, new Set(names.map(({ name }) => name)), issues),
  };
}

function buildConfederation(
  input: NonNullable<ValidatedInput['router']>['confederation'],
  asn: number | undefined,
  issues: IssueList,
): Confederation | undefined {
  const id = input === undefined ? undefined : parseAsn(input.id);
  if (input === undefined || id === undefined) return undefined;
  const members = new Set(input.members.flatMap((member) => parseAsn(member) ?? []));
  if (id === asn || members.has(id)) {
    issues.error(
      ['router', 'confederation', 'id'],
      `AS ${id} is a member of the confederation`,
      'the confederation has an AS of its own, which is shown to peers outside',
    );
  }
  return { id, members };
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
      ...(object?.freeBind !== undefined && { freeBind: object.freeBind }),
    };
    const key = [listen.address, listen.port, listen.interface].join(' ');
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, path);
    else issues.error(path, `the same listener as ${formatPath(earlier)}`, 'take one of them out');
    return listen;
  });
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
  const { recover = 'auto', wait = RESTART_WAIT, onStop = 'cease', drainTime = DRAIN_TIME } = input ?? {};
  return { recover, wait, onStop, ...(onStop === 'drain' && { drainTime }) };
}
