// A BirdConfig -> godwit's own model, as far as that goes: everything else is reported, construct by construct. The
// defaults are BIRD's, which differ between its generations where it is said.

import { BGP_PORT } from '../../bgp/wire/iana.ts';
import { interfaceMatcher } from '../../lib/interface-patterns.ts';
import { formatQuad, parseAddress, parseQuad } from '../../lib/ip.ts';
import type { Diagnostics } from '../../policy/diagnostics.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import type { Span } from '../../policy/source.ts';
import type { HostFacts } from '../build.ts';
import { sharedWithPeers } from '../build-bfd.ts';
import { DIAGNOSIS_DEFAULTS } from '../diagnosis-defaults.ts';
import { DEFAULT_SOCKET, SOCKET_MODE } from '../model/control.ts';
import type { Config, ListenConfig, PeerConfig, Switched, SwitchedSections } from '../model.ts';
import { keyClashes } from '../shared-keys.ts';
import { type BirdConfig, type ProtocolConfig, withProtocols } from './config.ts';
import { DEFAULT_LOCAL_PREF, DEFAULT_TIMERS } from './defaults.ts';
import { patternTexts } from './patterns.ts';
import { bfdSessionsOf, reportBfd } from './to-model-bfd.ts';
import { bmpStations } from './to-model-bmp.ts';
import { kernelOf, redistributed } from './to-model-kernel.ts';
import { buildPeers } from './to-model-peers.ts';
import { localPolicies } from './to-model-policy.ts';
import { rpkiCaches } from './to-model-rpki.ts';
import { networksOf } from './to-model-static.ts';
import { attachedTo, mrtOf, pipesOf, tablesOf } from './to-model-tables.ts';
import { constructOf, Unsaid } from './unsaid.ts';

type Of<K extends ProtocolConfig['kind']> = Extract<ProtocolConfig, { kind: K }>;

/** Maps a configuration without errors; what cannot be said is warned of in `diagnostics`. */
export function toModel(
  config: BirdConfig,
  program: PolicyProgram,
  host: HostFacts,
  diagnostics: Diagnostics,
): Config {
  const unsaid = new Unsaid();
  const bgp = config.protocols.filter((protocol): protocol is Of<'bgp'> => protocol.kind === 'bgp');
  const asn = bgp[0]?.options.localAs ?? 0;
  const id = routerId(config, host, diagnostics);
  const { tables, pipes, mrt, rpki, bmp, bfdSessions, ...sections } = sectionsOf(
    config,
    program,
    asn,
    unsaid,
  );
  const model: Config = {
    ...sections,
    router: {
      asn,
      id,
      clusterId: id,
      hostname: config.globals.hostname ?? host.hostname,
      restart: restartOf(config),
    },
    listen: listenersOf(config, bgp, sections.peers),
    ...(tables.length > 0 && { tables }),
    ...(pipes.length > 0 && { pipes }),
    ...(mrt.length > 0 && { mrt }),
    ...(rpki.length > 0 && { rpki }),
    ...(bmp.length > 0 && { bmp }),
    ...(bfdSessions.length > 0 && { bfdSessions }),
    decision: decisionOf(bgp, unsaid),
    control: { socket: DEFAULT_SOCKET, mode: SOCKET_MODE, bird: socketsOf(config) },
    http: undefined,
    log: { level: config.globals.debugProtocols === 'all' ? 'debug' : 'info', format: 'auto' },
    diagnosis: diagnosisOf(config),
  };
  unsaid.report(diagnostics);
  for (const { caller, message, hint } of keyClashes(model, ({ name }) => `protocol ${name}`)) {
    const found = bgp.find(({ name }) => name === caller.name);
    if (found !== undefined) diagnostics.warning(found.span, message, hint);
  }
  // What there is to say of the file is said.
  const switched: Switched = (protocols) =>
    sectionsOf(withSwitched(config, protocols), program, asn, new Unsaid());
  return { ...model, switched };
}

function sectionsOf(
  config: BirdConfig,
  program: PolicyProgram,
  asn: number,
  unsaid: Unsaid,
): SwitchedSections {
  const peers = buildPeers(config, program, asn, unsaid);
  reportOthers(config, unsaid);
  const main = attachedTo(config, '');
  const policies = localPolicies(main, program);
  const kernel = kernelOf(main, policies, unsaid);
  return {
    ...peers,
    kernel,
    tables: tablesOf(config, program, kernel, unsaid),
    pipes: pipesOf(config, program, unsaid),
    mrt: mrtOf(config, program),
    rpki: rpkiCaches(config, unsaid),
    bmp: bmpStations(config),
    bfdSessions: sharedWithPeers(bfdSessionsOf(config, unsaid), peers.peers),
    networks: networksOf(main, program, unsaid),
    redistribute: redistributed(main, kernel),
    localPolicies: policies,
    bird: config,
  };
}

/** The same text with `disabled` where it is wanted. */
function withSwitched(config: BirdConfig, wanted: ReadonlyMap<string, boolean>): BirdConfig {
  const protocols = config.protocols.map((protocol): ProtocolConfig => {
    const on = wanted.get(protocol.name);
    return on === undefined ? protocol : { ...protocol, common: { ...protocol.common, disabled: !on } };
  });
  return withProtocols(config, protocols);
}

/** Further sockets; the main one is named on the command line. */
function socketsOf({ globals }: BirdConfig): Config['control']['bird'] {
  return (globals.sockets ?? []).map(({ path, restricted }) => {
    return { socket: path, mode: SOCKET_MODE, style: 'auto', restricted };
  });
}

/** BIRD takes the lowest address that is no loopback's, of the interfaces that are named where some are. */
function routerId(config: BirdConfig, host: HostFacts, diagnostics: Diagnostics): string {
  const { routerId: written } = config.globals;
  if (typeof written === 'number' && written !== 0) return formatQuad(written);
  const usable = [...(host.links?.keys() ?? host.addresses)]
    .map((address) => ({ address, value: parseQuad(address) }))
    .filter(({ address, value }) => value !== undefined && value !== 0 && !address.startsWith('127.'))
    .sort((a, b) => a.value! - b.value!);
  const first = config.protocols[0];
  const patterns = typeof written === 'object' ? interfaceMatcher(patternTexts(written)) : () => true;
  const named = usable.find(({ address }) =>
    patterns(host.links?.get(address) ?? '', parseAddress(address)?.bytes),
  );
  const chosen = (named ?? usable[0])?.address;
  if (first !== undefined && chosen === undefined) {
    diagnostics.error(
      first.span,
      'no router id is given and this host has no IPv4 address',
      'add router id 10.0.0.1;',
    );
  } else if (first !== undefined && named === undefined) {
    diagnostics.warning(
      first.span,
      `router id from matches no address; ${chosen} of this host is taken`,
      'name an interface that is up and has an IPv4 address',
    );
  }
  return chosen ?? '0.0.0.0';
}

function listenersOf(
  config: BirdConfig,
  bgp: readonly Of<'bgp'>[],
  peers: readonly PeerConfig[],
): readonly ListenConfig[] {
  const { listenBgp } = config.globals;
  const found = new Map<string, ListenConfig>();
  const add = (address: string, port: number, link: string | undefined, freeBind = false): void => {
    const key = `${address} ${port} ${link}`;
    const free = freeBind || found.get(key)?.freeBind === true;
    found.set(key, { address, port, interface: link, ...(free && { freeBind: true }) });
  };
  if (config.dialect === '1.6') {
    const any = config.family === 'ipv6' ? '::' : '0.0.0.0';
    if (bgp.length > 0) add(listenBgp?.address ?? any, listenBgp?.port ?? BGP_PORT, undefined);
    return [...found.values()];
  }
  for (const { options } of bgp) {
    const port = options.localPort ?? BGP_PORT;
    if (options.strictBind && options.localAddress !== undefined) {
      add(options.localAddress, port, options.interface, options.freeBind);
      continue;
    }
    const address = options.peerAddress ?? options.peerRange ?? peers[0]?.address ?? '';
    add(address.includes(':') ? '::' : '0.0.0.0', port, undefined);
  }
  return [...found.values()];
}

type DecisionSwitch = 'medMetric' | 'preferOlder' | 'pathMetric' | 'igpMetric';

/** One decision for all peers: what any of them asks for, with a word where others do not. */
function decisionOf(bgp: readonly Of<'bgp'>[], unsaid: Unsaid): Config['decision'] {
  const any = (key: DecisionSwitch, wanted: boolean): boolean => {
    const others = bgp.filter(({ options }) => options[key] !== wanted);
    if (others.length === bgp.length) return false;
    for (const { span, name } of others) {
      const counts = wanted ? 'on' : 'off';
      unsaid.say(`${constructOf(key)} differs between protocols; ${counts} counts`, span, name);
    }
    return true;
  };
  const first = (key: 'defaultLocalPref' | 'defaultMed', fallback: number): number => {
    const value = bgp.find(({ options }) => options[key] !== undefined)?.options[key] ?? fallback;
    const other = bgp.find(({ options }) => (options[key] ?? fallback) !== value);
    if (other !== undefined) {
      const construct = constructOf(key);
      unsaid.say(`${construct} differs between protocols; ${value} counts`, other.span, other.name);
    }
    return value;
  };
  return {
    alwaysCompareMed: any('medMetric', true),
    preferOldest: any('preferOlder', true),
    multipathRelax: true,
    ignoreAsPathLength: any('pathMetric', false),
    ignoreIgpMetric: any('igpMetric', false),
    ignoreRouterId: false,
    aigp: true,
    defaultLocalPref: first('defaultLocalPref', DEFAULT_LOCAL_PREF),
    defaultMed: first('defaultMed', 0),
  };
}

const SERVED = new Set(['bgp', 'bfd', 'kernel', 'device', 'direct', 'static', 'pipe', 'mrt', 'rpki', 'bmp']);
const SERVED_TABLES: ReadonlySet<string> = new Set(['ipv4', 'ipv6', 'roa4', 'roa6', 'aspa']);
const COMMON_HANDLED = new Set(['disabled', 'description', 'debug', 'mrtdump']);

/** Protocols, tables and global options that nothing here has a place for. */
function reportOthers(config: BirdConfig, unsaid: Unsaid): void {
  for (const protocol of config.protocols) {
    if (!SERVED.has(protocol.kind)) unsaid.add(`protocol ${protocol.kind}`, protocol.span, protocol.name);
    else if (protocol.kind !== 'bgp') {
      const spanOf = (key: string): Span => protocol.spans.get(key) ?? protocol.span;
      unsaid.addOptions(protocol.common, COMMON_HANDLED, spanOf, protocol.name);
      if (protocol.kind === 'bfd') reportBfd(protocol, unsaid);
    }
  }
  for (const table of config.tables.values()) {
    const { type, span, name } = table;
    if (span !== undefined && !SERVED_TABLES.has(type)) unsaid.add(`a table of ${type}`, span, name);
  }
  for (const [key, span] of config.globalSpans) {
    if (!GLOBAL_HANDLED.has(key)) unsaid.addOptions({ [key]: true }, GLOBAL_HANDLED, () => span, 'global');
  }
}

const GLOBAL_HANDLED = new Set([
  'gracefulRestartWait',
  'routerId',
  'hostname',
  'listenBgp',
  'evaluations',
  'sockets',
  'timeFormats',
  'logs',
  'debugProtocols',
  'debugChannels',
  'debugCommands',
  'mrtdumpFile',
  'mrtdumpProtocols',
  'watchdogWarning',
  'watchdogTimeout',
]);

const MICROS_PER_SECOND = 1_000_000;

function diagnosisOf({ globals }: BirdConfig): Config['diagnosis'] {
  const { warning, timeout } = DIAGNOSIS_DEFAULTS.watchdog;
  return {
    ...DIAGNOSIS_DEFAULTS,
    watchdog: {
      warning: secondsOf(globals.watchdogWarning) ?? warning,
      timeout: secondsOf(globals.watchdogTimeout) ?? timeout,
    },
  };
}

function secondsOf(micros: number | undefined): number | undefined {
  return micros === undefined ? undefined : micros / MICROS_PER_SECOND;
}

/** Recovery is asked for on BIRD's command line. */
function restartOf({ globals }: BirdConfig): Config['router']['restart'] {
  return {
    recover: 'never',
    wait: globals.gracefulRestartWait ?? DEFAULT_TIMERS.gracefulRestartWait,
    onStop: 'cease',
  };
}
