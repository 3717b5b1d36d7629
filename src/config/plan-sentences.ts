// A plan in sentences: one a change, in words an operator can act on before and after a reload.

import { BGP_PORT } from '../bgp/wire/iana.ts';
import { IP_VERSIONS } from '../lib/ip.ts';
import type {
  ConfigPlan,
  DecisionAction,
  KernelAction,
  KernelChange,
  LocalPolicyAction,
  OriginsPlan,
  RouterAction,
  SectionChange,
} from './diff.ts';
import {
  type Config,
  type ControlConfig,
  kernelOfFamily,
  type ListenConfig,
  type NetworkConfig,
  type PeerConfig,
  type PipeConfig,
} from './model.ts';
import type { PeerOrRange } from './peer-changes.ts';
import { describeKey, type SettingsChange, sameValue, show } from './peer-changes.ts';
import { describePolicy, samePolicy } from './policies.ts';

const ROUTER_WORDS: Readonly<Record<RouterAction, string>> = {
  'reset-all': 'all sessions are reset',
  'reset-internal': 'all iBGP sessions are reset',
  live: 'shown from now on',
};

const KERNEL_WORDS: Readonly<Record<KernelAction, string>> = {
  start: 'routes are installed',
  stop: 'routes are no longer installed',
  reinstall: 'own routes are installed anew, then the old ones removed',
  resync: 'routes are computed and compared again',
  relearn: 'foreign routes and interfaces are read again',
  retrack: 'next hops are resolved again',
  live: 'taken over',
};

const DECISION_WORDS: Readonly<Record<DecisionAction, string>> = {
  decide: 'all best paths are chosen again',
  import: 'import is done again',
};

const LOCAL_POLICY_WORDS: Readonly<Record<LocalPolicyAction, string>> = {
  import: 'own and learned routes are judged again',
  install: 'kernel routes are computed again',
};

/** What sockets and ports there are is settled at the start. */
const LATER = '; at the next start';

export function sentencesOf(plan: Omit<ConfigPlan, 'sentences'>): string[] {
  const { router, decision } = plan;
  return [
    ...(router === undefined
      ? []
      : [`router: ${describeSection(router)}; ${words(resetsOf(router.actions), ROUTER_WORDS)}`]),
    ...plan.listeners.removed.map((listen) => `listener ${endpoint(listen)} closed`),
    ...plan.listeners.added.map((listen) => `listener ${endpoint(listen)} opened`),
    ...kernelSentences(plan),
    ...plan.peers.removed.map((peer) => `peer ${peer.name} removed`),
    ...plan.peers.added.map((peer) => `peer ${peer.name} added (${at(peer)}, AS ${peer.asn})`),
    ...plan.peers.changed.map((change) =>
      settingsSentence(`peer ${change.after.name}`, change, addressPart(change)),
    ),
    ...plan.dynamicPeers.removed.map((range) => `dynamic range ${range.name} removed; its sessions end`),
    ...plan.dynamicPeers.added.map(
      (range) => `dynamic range ${range.name} added (${range.prefix}, AS ${range.asn})`,
    ),
    ...plan.dynamicPeers.changed.map((change) =>
      settingsSentence(`dynamic range ${change.after.name}`, change, [
        ...(change.prefix ? [`prefix ${change.before.prefix} -> ${change.after.prefix}`] : []),
        ...(change.interfaces ? ['interfaces of members'] : []),
        ...(change.memberNames ? ['names of members'] : []),
        ...(change.closed ? [change.after.closed ? 'closed' : 'open again'] : []),
        ...(change.limit ? [`limit ${change.before.limit} -> ${change.after.limit}`] : []),
      ]),
    ),
    ...originSentences(plan),
    ...plan.tables.removed.map((table) => `table ${table.name} removed`),
    ...plan.tables.added.map((table) => `table ${table.name} added`),
    ...plan.tables.changed.flatMap((change) =>
      [...kernelSentences(change), ...originSentences(change)].map(
        (each) => `table ${change.after.name}: ${each}`,
      ),
    ),
    ...plan.pipes.removed.map((pipe) => `pipe ${pipe.name} removed; its routes are taken back`),
    ...plan.pipes.added.map((pipe) => `pipe ${pipe.name} added (${pipeEnds(pipe)})`),
    ...plan.pipes.changed.map(
      (change) => `pipe ${change.after.name}: ${pipeParts(change.before, change.after)}`,
    ),
    ...plan.mrt.removed.map(({ name }) => `dumps ${name} removed`),
    ...plan.mrt.added.map(({ name, table, period }) => `dumps ${name} added (${table}, every ${period} s)`),
    ...plan.mrt.changed.map(({ after }) => `dumps ${after.name}: taken over`),
    ...(decision === undefined
      ? []
      : [`decision: ${describeSection(decision)}; ${words(decision.actions, DECISION_WORDS)}`]),
    ...(plan.control === undefined ? [] : [controlSentence(plan.control.before, plan.control.after)]),
    ...(plan.process === undefined ? [] : [processSentence(plan.process.before, plan.process.after)]),
    ...(plan.http === undefined
      ? []
      : [`http: ${http(plan.http.before)} -> ${http(plan.http.after)}${LATER}`]),
    ...(plan.log === undefined
      ? []
      : [
          `log: ${plan.log.before.level}, ${plan.log.before.format} -> ${plan.log.after.level}, ${plan.log.after.format}`,
        ]),
    ...(plan.diagnosis === undefined ? [] : ['journal, watchdog, crash reports or MRT files: taken over']),
  ];
}

function kernelSentences({ kernel }: OriginsPlan): string[] {
  if (kernel === undefined) return [];
  return [sentence(`kernel: ${describeKernel(kernel)}`, words(kernel.actions, KERNEL_WORDS))];
}

/** A family is named where the other one has no such change. */
function describeKernel({ before, after, keys, actions }: KernelChange): string {
  const parts = keys.flatMap((key) => {
    const texts = IP_VERSIONS.map((version) => {
      const section = { before: kernelOfFamily(before, version), after: kernelOfFamily(after, version) };
      if (sameValue(section.before[key], section.after[key])) return '';
      return describeSection({ ...section, keys: [key], actions });
    });
    if (texts.every((text) => text === texts[0])) return texts.slice(0, 1);
    return texts.flatMap((text, i) => (text === '' ? [] : [`${IP_VERSIONS[i]} ${text}`]));
  });
  return parts.join(', ');
}

function originSentences({ networks, redistribute, localPolicies }: OriginsPlan): string[] {
  return [
    ...networks.removed.map((network) => `network ${network.prefix} withdrawn`),
    ...networks.added.map((network) => `network ${network.prefix} announced`),
    ...networks.changed.map(
      (change) => `network ${change.after.prefix}: ${networkParts(change.before, change.after)}`,
    ),
    ...redistribute.removed.map((source) => `${source} routes are no longer redistributed`),
    ...redistribute.added.map((source) => `${source} routes are redistributed`),
    ...(localPolicies === undefined
      ? []
      : [`policy: ${describeSection(localPolicies)}; ${words(localPolicies.actions, LOCAL_POLICY_WORDS)}`]),
  ];
}

/** `main <=> blue` */
function pipeEnds({ table, peerTable }: PipeConfig): string {
  return `${table || 'main'} <=> ${peerTable || 'main'}`;
}

function pipeParts(before: PipeConfig, after: PipeConfig): string {
  const ends = pipeEnds(before) === pipeEnds(after) ? [] : [`${pipeEnds(before)} -> ${pipeEnds(after)}`];
  const policies = (['import', 'export'] as const)
    .filter((direction) => !samePolicy(before[direction], after[direction]))
    .map((direction) => {
      const [old, next] = [describePolicy(before[direction]), describePolicy(after[direction])];
      return old === next ? `${direction} ${next} changed` : `${direction} ${old} -> ${next}`;
    });
  return [...ends, ...policies].join(', ');
}

function sentence(what: string, then: string): string {
  return then === '' ? what : `${what}; ${then}`;
}

/** What resets all sessions resets those of iBGP, too. */
function resetsOf(actions: readonly RouterAction[]): readonly RouterAction[] {
  return actions.includes('reset-all') ? actions.filter((action) => action !== 'reset-internal') : actions;
}

function words<A extends string>(actions: readonly A[], table: Readonly<Record<A, string>>): string {
  return actions.map((action) => table[action]).join(', ');
}

function settingsSentence(
  label: string,
  change: SettingsChange & { before: PeerOrRange; after: PeerOrRange },
  more: readonly string[],
): string {
  const parts = [...more, ...change.keys.map((key) => describeKey(change.before, change.after, key))];
  return `${label}: ${parts.join(', ')}; ${consequence(change)}`;
}

function consequence(change: SettingsChange): string {
  if (change.admin !== undefined) return change.admin === 'up' ? 'started' : 'shut down';
  if (change.reset.length > 0) return 'session reset';
  if (change.softIn && change.softOut) return 'import and export done again, session kept';
  if (change.softIn) return 'import done again, session kept';
  if (change.softOut) return 'export done again, session kept';
  return 'session kept';
}

function addressPart(change: { before: PeerConfig; after: PeerConfig }): string[] {
  const { before, after } = change;
  return before.address === after.address ? [] : [`address ${before.address} -> ${after.address}`];
}

function at(peer: PeerConfig): string {
  return peer.port === BGP_PORT ? peer.address : `${peer.address} port ${peer.port}`;
}

function controlSentence(before: ControlConfig, after: ControlConfig): string {
  if (before.socket !== after.socket) {
    return `control socket: ${show(before.socket)} -> ${show(after.socket)}${LATER}`;
  }
  const ports = [controlPort(before), controlPort(after)];
  if (ports[0] !== ports[1]) return `control port: ${ports[0]} -> ${ports[1]}${LATER}`;
  const sockets = [birdSockets(before), birdSockets(after)];
  if (sockets[0] !== sockets[1]) return `BIRD's control socket: ${sockets[0]} -> ${sockets[1]}${LATER}`;
  return 'control: who may use it, or how, changed';
}

function birdSockets({ bird }: ControlConfig): string {
  return bird.map(({ socket, style }) => `${socket} (style ${style})`).join(', ') || 'none';
}

function controlPort({ tcp }: ControlConfig): string {
  if (tcp === undefined) return 'off';
  return `${tcp.address} port ${tcp.port}${tcp.tls === undefined ? ' in the clear' : ''}`;
}

function endpoint(listen: ListenConfig): string {
  const link = listen.interface === undefined ? '' : ` on ${listen.interface}`;
  return `${listen.address} port ${listen.port}${link}`;
}

function processSentence(before: Config['process'], after: Config['process']): string {
  const parts = (['user', 'group', 'watchFiles'] as const)
    .filter((key) => before?.[key] !== after?.[key])
    .map((key) => `${key} ${show(before?.[key])} -> ${show(after?.[key])}`);
  const isLater = before?.user !== after?.user || before?.group !== after?.group;
  return `process: ${parts.join(', ')}${isLater ? LATER : ''}`;
}

function http(value: { address: string; port: number } | undefined): string {
  return value === undefined ? 'off' : `${value.address} port ${value.port}`;
}

function networkParts(before: NetworkConfig, after: NetworkConfig): string {
  return (['type', 'via', 'med', 'localPref', 'communities'] as const)
    .filter((key) => show(before[key]) !== show(after[key]))
    .map((key) => `${key} ${show(before[key])} -> ${show(after[key])}`)
    .join(', ');
}

/** `metric 32 -> 50, ecmp 1 -> 16`, for a section's sentence. */
function describeSection<T extends object, A>(change: SectionChange<T, A>): string {
  return change.keys
    .map((key) => {
      const [old, next] = [show(change.before[key]), show(change.after[key])];
      // A filter of the same name that does something else.
      return old === next ? `${String(key)} ${next} changed` : `${String(key)} ${old} -> ${next}`;
    })
    .join(', ');
}
