// Two models -> what has to be done to get from one to the other, and a sentence for the operator about each. What
// is equal is not mentioned, so that it keeps its session. The speaker carries a plan out; nothing is done here.

import { IP_VERSIONS, type IpVersion } from '../lib/ip.ts';
import type { DiagnosisConfig } from './diagnosis-defaults.ts';
import {
  type Config,
  type ControlConfig,
  type DecisionConfig,
  type DynamicPeersConfig,
  type HttpConfig,
  type KernelConfig,
  kernelOfFamily,
  type ListenConfig,
  type LocalPolicies,
  type LogConfig,
  type MrtConfig,
  type NetworkConfig,
  type PeerConfig,
  type PipeConfig,
  type ProcessConfig,
  type RedistributeSource,
  type RouterConfig,
  type TableConfig,
} from './model.ts';
import { networkKey } from './networks.ts';
import { compareSettings, type SettingsChange, sameValue } from './peer-changes.ts';
import { sentencesOf } from './plan-sentences.ts';
import { serverChanges } from './server-changes.ts';

/** What feeds and drains one routing table beside peers and pipes. */
export interface OriginsPlan {
  readonly kernel: KernelChange | undefined;
  readonly networks: ListChange<NetworkConfig, Replacement<NetworkConfig>>;
  readonly redistribute: {
    readonly added: readonly RedistributeSource[];
    readonly removed: readonly RedistributeSource[];
  };
  readonly localPolicies: SectionChange<LocalPolicies, LocalPolicyAction> | undefined;
}

export interface TableChange extends Replacement<TableConfig>, OriginsPlan {}

/** The main table's origins, and everything else. */
export interface ConfigPlan extends OriginsPlan {
  readonly router: RouterChange | undefined;
  readonly listeners: { readonly added: readonly ListenConfig[]; readonly removed: readonly ListenConfig[] };
  /** A table of other families is another one: it is removed and added. */
  readonly tables: ListChange<TableConfig, TableChange>;
  readonly pipes: ListChange<PipeConfig, Replacement<PipeConfig>>;
  readonly mrt: ListChange<MrtConfig, Replacement<MrtConfig>>;
  readonly peers: ListChange<PeerConfig, PeerChange>;
  readonly dynamicPeers: ListChange<DynamicPeersConfig, DynamicPeersChange>;
  readonly decision: SectionChange<DecisionConfig, DecisionAction> | undefined;
  readonly control: Replacement<ControlConfig> | undefined;
  readonly process: Replacement<ProcessConfig | undefined> | undefined;
  readonly http: Replacement<HttpConfig | undefined> | undefined;
  readonly log: Replacement<LogConfig> | undefined;
  readonly diagnosis: Replacement<DiagnosisConfig> | undefined;
  /** One a change, in the order above; empty when nothing changed. */
  readonly sentences: readonly string[];
}

export interface Replacement<T> {
  readonly before: T;
  readonly after: T;
}

export interface ListChange<T, C> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly changed: readonly C[];
}

export interface PeerChange extends Replacement<PeerConfig>, SettingsChange {}

/** The settings hold for the sessions the range has admitted, too. */
export interface DynamicPeersChange extends Replacement<DynamicPeersConfig>, SettingsChange {
  /** The limit differs; sessions above a lower one may stay. */
  readonly limit: boolean;
  /** Members that come from now on are called otherwise. */
  readonly memberNames: boolean;
  /** Others are admitted from now on, or no more. */
  readonly closed: boolean;
  /** The prefix or the links differ: sessions from outside the new ones end. */
  readonly prefix: boolean;
  readonly interfaces: boolean;
}

export interface SectionChange<T, A> extends Replacement<T> {
  readonly keys: readonly (keyof T)[];
  /** What the changed keys need together, without repetition. */
  readonly actions: readonly A[];
}

/** reset-all: every session; reset-internal: iBGP sessions; live: shown from now on. */
export type RouterAction = 'reset-all' | 'reset-internal' | 'live';
/**
 * start, stop: installing begins or ends; reinstall: own routes move to other coordinates (the old ones are deleted
 * after the new stand); resync: desired routes are computed again; relearn: foreign routes and interfaces are looked
 * at again; retrack: next hops are resolved again; live: nothing at once.
 */
export type KernelAction = 'start' | 'stop' | 'reinstall' | 'resync' | 'relearn' | 'retrack' | 'live';
/** import: own and learned routes are judged again; install: routes are computed for the kernel again. */
export type LocalPolicyAction = 'import' | 'install';
/** decide: all prefixes once more; import: import is done again first. */
export type DecisionAction = 'decide' | 'import';

export type RouterChange = SectionChange<RouterConfig, RouterAction>;
export type KernelChange = SectionChange<KernelConfig, KernelAction> & {
  readonly keys: readonly KernelKey[];
};

export const ROUTER_ACTIONS: Readonly<Record<keyof RouterConfig, RouterAction>> = {
  asn: 'reset-all',
  id: 'reset-all',
  clusterId: 'reset-internal',
  hostname: 'live',
  restart: 'live',
};

/** Keys of single families are told by what is different for one then. */
type KernelKey = Exclude<keyof KernelConfig, IpVersion>;

export const KERNEL_ACTIONS: Readonly<Record<KernelKey, KernelAction>> = {
  install: 'start',
  families: 'reinstall',
  table: 'reinstall',
  metric: 'reinstall',
  ecmp: 'resync',
  protocol: 'reinstall',
  prefSource: 'resync',
  keepOnStop: 'live',
  learn: 'relearn',
  interfaces: 'relearn',
  nextHopTracking: 'retrack',
  scanTime: 'live',
  direct: 'relearn',
  deviceRoutes: 'reinstall',
  learnedAs: 'relearn',
};

export const LOCAL_POLICY_ACTIONS: Readonly<Record<keyof LocalPolicies, LocalPolicyAction>> = {
  networks: 'import',
  kernel: 'import',
  connected: 'import',
  static: 'import',
  protocols: 'import',
  install: 'install',
};

export const DECISION_ACTIONS: Readonly<Record<keyof DecisionConfig, DecisionAction>> = {
  alwaysCompareMed: 'decide',
  preferOldest: 'decide',
  multipathRelax: 'decide',
  ignoreAsPathLength: 'decide',
  ignoreIgpMetric: 'decide',
  ignoreRouterId: 'decide',
  aigp: 'decide',
  // Filled in when a route comes in.
  defaultLocalPref: 'import',
  defaultMed: 'decide',
};

/** Compares two models. Peers and ranges are the same where their names are; networks where their prefixes are. */
export function diffConfig(before: Config, after: Config): ConfigPlan {
  const plan: Omit<ConfigPlan, 'sentences'> = {
    router: diffSection(before.router, after.router, ROUTER_ACTIONS),
    listeners: diffSet(before.listen, after.listen),
    ...diffOrigins(before, after),
    tables: diffList(before.tables ?? [], after.tables ?? [], tableKey, diffTable),
    pipes: diffList(before.pipes ?? [], after.pipes ?? [], (pipe) => pipe.name, replacement),
    mrt: diffList(before.mrt ?? [], after.mrt ?? [], (each) => each.name, replacement),
    peers: diffList(before.peers, after.peers, (peer) => peer.name, diffPeer),
    dynamicPeers: diffList(before.dynamicPeers, after.dynamicPeers, (range) => range.name, diffDynamic),
    decision: diffSection(before.decision, after.decision, DECISION_ACTIONS),
    control: replacement(before.control, after.control),
    process: replacement(before.process, after.process),
    http: replacement(before.http, after.http),
    log: replacement(before.log, after.log),
    diagnosis: replacement(before.diagnosis, after.diagnosis),
  };
  return {
    ...plan,
    sentences: [
      ...sentencesOf(plan),
      ...serverChanges('RPKI cache', before.rpki, after.rpki),
      ...serverChanges('BMP station', before.bmp, after.bmp),
      ...serverChanges('BFD session', before.bfdSessions, after.bfdSessions),
    ],
  };
}

type Origins = Pick<Config, 'kernel' | 'networks' | 'redistribute' | 'localPolicies'>;

function diffOrigins(before: Origins, after: Origins): OriginsPlan {
  return {
    kernel: diffKernel(before.kernel, after.kernel),
    networks: diffList(before.networks, after.networks, networkKey, replacement),
    redistribute: diffSet(before.redistribute, after.redistribute),
    localPolicies: diffSection(before.localPolicies, after.localPolicies, LOCAL_POLICY_ACTIONS),
  };
}

function tableKey({ name, families }: TableConfig): string {
  return [name, ...families].join(' ');
}

function diffTable(before: TableConfig, after: TableConfig): TableChange | undefined {
  return sameValue(before, after) ? undefined : { before, after, ...diffOrigins(before, after) };
}

function replacement<T>(before: T, after: T): Replacement<T> | undefined {
  return sameValue(before, after) ? undefined : { before, after };
}

function diffSet<T>(before: readonly T[], after: readonly T[]): { added: T[]; removed: T[] } {
  const missingIn = (list: readonly T[]) => (item: T) => !list.some((other) => sameValue(item, other));
  return { added: after.filter(missingIn(before)), removed: before.filter(missingIn(after)) };
}

function diffList<T, C>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
  compare: (before: T, after: T) => C | undefined,
): ListChange<T, C> {
  // Long lists mostly differ somewhere in the middle: what is equal in front and behind needs no look-up.
  const same = (a: T, b: T) => keyOf(a) === keyOf(b) && compare(a, b) === undefined;
  const most = Math.min(before.length, after.length);
  let front = 0;
  while (front < most && same(before[front]!, after[front]!)) front++;
  let behind = 0;
  while (behind < most - front && same(before.at(-1 - behind)!, after.at(-1 - behind)!)) behind++;
  const left = before.slice(front, before.length - behind);
  const right = after.slice(front, after.length - behind);
  const olds = new Map(left.map((item) => [keyOf(item), item]));
  const news = new Set(right.map(keyOf));
  const changed: C[] = [];
  const added: T[] = [];
  for (const item of right) {
    const old = olds.get(keyOf(item));
    const change = old === undefined ? undefined : compare(old, item);
    if (old === undefined) added.push(item);
    else if (change !== undefined) changed.push(change);
  }
  return { added, removed: left.filter((item) => !news.has(keyOf(item))), changed };
}

const NO_CHANGE: SettingsChange = { keys: [], reset: [], softIn: false, softOut: false, admin: undefined };

function diffPeer(before: PeerConfig, after: PeerConfig): PeerChange | undefined {
  const change = compareSettings(before, after);
  if (before.address === after.address) return change && { before, after, ...change };
  const rest = change ?? NO_CHANGE;
  return { before, after, ...rest, reset: ['address', ...rest.reset], softIn: false, softOut: false };
}

function diffDynamic(before: DynamicPeersConfig, after: DynamicPeersConfig): DynamicPeersChange | undefined {
  const change = compareSettings(before, after);
  const limit = before.limit !== after.limit;
  const prefix = before.prefix !== after.prefix;
  const memberNames = !sameValue(before.memberNames, after.memberNames);
  const interfaces = !sameValue(before.interfaces, after.interfaces);
  const closed = before.closed !== after.closed;
  if (change === undefined && !limit && !prefix && !memberNames && !interfaces && !closed) return undefined;
  return { before, after, ...(change ?? NO_CHANGE), limit, prefix, memberNames, interfaces, closed };
}

function diffSection<T extends object, A>(
  before: T,
  after: T,
  table: Readonly<Record<keyof T, A>>,
): SectionChange<T, A> | undefined {
  const keys = keysOf(table).filter((key) => !sameValue(before[key], after[key]));
  if (keys.length === 0) return undefined;
  return { before, after, keys, actions: [...new Set(keys.map((key) => table[key]))] };
}

function keysOf<T extends object>(table: T): (keyof T)[] {
  const keys: (keyof T)[] = [];
  for (const key in table) keys.push(key);
  return keys;
}

function diffKernel(before: KernelConfig, after: KernelConfig): KernelChange | undefined {
  const keys = keysOf(KERNEL_ACTIONS).filter((key) =>
    IP_VERSIONS.some(
      (version) => !sameValue(kernelOfFamily(before, version)[key], kernelOfFamily(after, version)[key]),
    ),
  );
  if (keys.length === 0) return undefined;
  // Where nothing is installed, now or later, nothing of it can be moved.
  const installed = before.install && after.install;
  const actions = [...new Set(keys.map((key) => KERNEL_ACTIONS[key]))]
    .filter((action) => installed || (action !== 'reinstall' && action !== 'resync'))
    .map((action) => (action === 'start' && !after.install ? 'stop' : action));
  return { before, after, keys, actions };
}
