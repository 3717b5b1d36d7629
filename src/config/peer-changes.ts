// What a change of each peer setting needs, as one table that the compiler keeps complete, and the comparison of two
// peers by it. Where a setting is part of the OPEN, the transport or the kind of session, only a reset brings it about.

import { Filter } from '../policy/filter.ts';
import type { LimitsConfig } from './model/limits.ts';
import type { DynamicPeersConfig, PeerConfig, PeerSettings, TimerConfig } from './model.ts';
import { Secret } from './model.ts';
import { describePolicy } from './policies.ts';

/**
 * reset: the session starts anew (Cease/Other Configuration Change, RFC 4486). soft-in: import is done again, with a
 * ROUTE-REFRESH where needed. soft-out: export is done again. admin: the session is started or shut down. live: taken
 * over without a word to the peer.
 */
export type ChangeAction = 'reset' | 'soft-in' | 'soft-out' | 'admin' | 'live';

/** The settings one by one, timers and limits included. */
export type PeerKey =
  | Exclude<keyof PeerSettings, 'timers' | 'limits'>
  | `timers.${keyof TimerConfig}`
  | `limits.${keyof LimitsConfig}`;

export interface PeerKeyRow {
  /** As configuration files call it. */
  readonly name: string;
  readonly actions: readonly ChangeAction[];
}

const RESET = ['reset'] as const;
const SOFT_IN = ['soft-in'] as const;
const SOFT_OUT = ['soft-out'] as const;
const LIVE = ['live'] as const;

export const PEER_KEYS: Readonly<Record<PeerKey, PeerKeyRow>> = {
  asn: { name: 'asn', actions: RESET },
  localAs: { name: 'localAs', actions: RESET },
  confederation: { name: 'confederation', actions: RESET },
  routerId: { name: 'routerId', actions: RESET },
  // For people only: the next OPEN has it.
  hostname: { name: 'hostname', actions: LIVE },
  localAddress: { name: 'localAddress', actions: RESET },
  // For the next connection.
  freeBind: { name: 'freeBind', actions: LIVE },
  interface: { name: 'interface', actions: RESET },
  port: { name: 'port', actions: RESET },
  localPort: { name: 'localPort', actions: RESET },
  enabled: { name: 'enabled', actions: ['admin'] },
  description: { name: 'description', actions: LIVE },
  // Who connects matters for the next connection only.
  passive: { name: 'passive', actions: LIVE },
  families: { name: 'families', actions: RESET },
  // The key of a connection can be exchanged while it lives (TCP_MD5SIG on the connected socket).
  password: { name: 'password', actions: LIVE },
  // The same with TCP-AO's; what cannot be exchanged resets the session by itself.
  tcpAo: { name: 'authentication', actions: LIVE },
  multihop: { name: 'multihop', actions: RESET },
  ttlSecurity: { name: 'ttlSecurity', actions: RESET },
  'timers.hold': { name: 'holdTime', actions: RESET },
  'timers.keepalive': { name: 'keepaliveTime', actions: LIVE },
  'timers.minHold': { name: 'minHoldTime', actions: LIVE },
  'timers.minKeepalive': { name: 'minKeepaliveTime', actions: LIVE },
  'timers.openHold': { name: 'openHoldTime', actions: LIVE },
  'timers.connectRetry': { name: 'connectRetryTime', actions: LIVE },
  'timers.connectDelay': { name: 'connectDelayTime', actions: LIVE },
  'timers.delayOpen': { name: 'delayOpenTime', actions: LIVE },
  'timers.errorWaitMin': { name: 'errorWaitMin', actions: LIVE },
  'timers.errorWaitMax': { name: 'errorWaitMax', actions: LIVE },
  'timers.errorForget': { name: 'errorForgetTime', actions: LIVE },
  'timers.sendHold': { name: 'sendHoldTime', actions: LIVE },
  import: { name: 'import', actions: SOFT_IN },
  export: { name: 'export', actions: SOFT_OUT },
  // A client's routes go to other peers than a non-client's: everything this peer gave is judged anew.
  routeReflectorClient: { name: 'routeReflectorClient', actions: RESET },
  clusterId: { name: 'clusterId', actions: RESET },
  clientToClient: { name: 'clientToClient', actions: RESET },
  routeServerClient: { name: 'routeServerClient', actions: SOFT_OUT },
  evaluateAll: { name: 'evaluateAll', actions: SOFT_OUT },
  nextHop: { name: 'nextHop', actions: SOFT_OUT },
  nextHopAddress: { name: 'nextHopAddress', actions: SOFT_OUT },
  localFirst: { name: 'localFirst', actions: RESET },
  onlink: { name: 'onlink', actions: RESET },
  throughPeer: { name: 'gateway', actions: RESET },
  linkLocalNextHop: { name: 'linkLocalNextHop', actions: SOFT_OUT },
  removePrivateAs: { name: 'removePrivateAs', actions: SOFT_OUT },
  asOverride: { name: 'asOverride', actions: SOFT_OUT },
  allowOwnAs: { name: 'allowOwnAs', actions: SOFT_IN },
  // Judged while decoding, as aigp is: what was withdrawn or discarded then must be sent again.
  allowAsSets: { name: 'allowAsSets', actions: RESET },
  enforceFirstAs: { name: 'enforceFirstAs', actions: SOFT_IN },
  allowLocalPref: { name: 'allowLocalPref', actions: RESET },
  allowMed: { name: 'allowMed', actions: SOFT_OUT },
  addPath: { name: 'addPath', actions: RESET },
  extendedNextHop: { name: 'extendedNextHop', actions: RESET },
  extendedMessages: { name: 'extendedMessages', actions: RESET },
  gracefulRestart: { name: 'gracefulRestart', actions: RESET },
  role: { name: 'role', actions: RESET },
  roleStrict: { name: 'roleStrict', actions: RESET },
  disableAfter: { name: 'disableAfter', actions: LIVE },
  required: { name: 'require', actions: RESET },
  withheld: { name: 'withhold', actions: RESET },
  aigp: { name: 'aigp', actions: RESET },
  sendCommunities: { name: 'sendCommunities', actions: SOFT_OUT },
  interpretCommunities: { name: 'interpretCommunities', actions: SOFT_OUT },
  // What was not taken at all the peer is asked for besides (speaker/peer-limits.ts).
  'limits.received': { name: 'limits.received', actions: SOFT_IN },
  'limits.accepted': { name: 'limits.accepted', actions: SOFT_IN },
  'limits.exported': { name: 'limits.exported', actions: SOFT_OUT },
  'limits.asPathLength': { name: 'limits.asPathLength', actions: SOFT_IN },
  'limits.communities': { name: 'limits.communities', actions: SOFT_IN },
  gracefulShutdown: { name: 'gracefulShutdown', actions: SOFT_IN },
  // What is remembered begins anew.
  damping: { name: 'damping', actions: LIVE },
  fastFallover: { name: 'fastFallover', actions: LIVE },
  // A session of its own, beside BGP's.
  bfd: { name: 'bfd', actions: LIVE },
  preference: { name: 'preference', actions: SOFT_IN },
  tables: { name: 'table', actions: RESET },
  // A next hop is another one where it is looked up elsewhere: the routes must come again.
  igpTables: { name: 'igpTable', actions: RESET },
};

const KEYS: readonly PeerKey[] = Object.keys(PEER_KEYS).filter(isPeerKey);
/** Taken apart once, not for every peer of a large configuration. */
const PATHS = KEYS.map((key) => ({ key, path: key.split('.') }));

/** What is to be done with one peer or range that stays. */
export interface SettingsChange {
  /** Settings that differ, in the table's order. */
  readonly keys: readonly PeerKey[];
  /** Names of the settings that force a reset; with any of them the softer actions are moot. */
  readonly reset: readonly string[];
  readonly softIn: boolean;
  readonly softOut: boolean;
  readonly admin: 'up' | 'down' | undefined;
}

/** Compares two sets of settings; undefined where they are equal. */
export function compareSettings(before: PeerSettings, after: PeerSettings): SettingsChange | undefined {
  const differing = PATHS.filter(({ path }) => !sameValue(settingAt(before, path), settingAt(after, path)));
  const keys = differing.map(({ key }) => key);
  if (keys.length === 0) return undefined;
  const needs = (action: ChangeAction): boolean =>
    keys.some((key) => PEER_KEYS[key].actions.includes(action));
  const reset = keys
    .filter((key) => PEER_KEYS[key].actions.includes('reset'))
    .map((key) => PEER_KEYS[key].name);
  return {
    keys,
    reset,
    softIn: reset.length === 0 && needs('soft-in'),
    softOut: reset.length === 0 && needs('soft-out'),
    admin: needs('admin') ? (after.enabled ? 'up' : 'down') : undefined,
  };
}

export function peerKeys(): readonly PeerKey[] {
  return KEYS;
}

function isPeerKey(key: string): key is PeerKey {
  return Object.hasOwn(PEER_KEYS, key);
}

function settingAt(settings: PeerSettings, path: readonly string[]): unknown {
  let value: unknown = settings;
  for (const name of path) value = isRecord(value) ? value[name] : undefined;
  return value;
}

/** Structural equality over the model's plain values; secrets by what they hide. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof Secret) return b instanceof Secret && a.equals(b);
  if (a instanceof Filter) return b instanceof Filter && a.key === b.key;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  return (
    Object.keys(a).every((key) => sameValue(a[key], b[key])) &&
    Object.keys(b).every((key) => key in a || b[key] === undefined)
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !isAtom(value);
}

function isAtom(value: object): boolean {
  return Array.isArray(value) || value instanceof Secret || value instanceof Filter;
}

/** `holdTime 90 -> 30` for an operator; of a password only that it changed. */
export function describeKey(before: PeerSettings, after: PeerSettings, key: PeerKey): string {
  const { name } = PEER_KEYS[key];
  if (key === 'password' || key === 'tcpAo') {
    if (before[key] === undefined) return `${name} set`;
    return after[key] === undefined ? `${name} removed` : `${name} changed`;
  }
  const path = key.split('.');
  return differences(name, settingAt(before, path), settingAt(after, path)).join(', ');
}

/** Of two records what differs alone: `gracefulRestart mode helper -> full`. */
function differences(name: string, before: unknown, after: unknown): string[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys
      .filter((key) => !sameValue(before[key], after[key]))
      .flatMap((key) => differences(`${name} ${key}`, before[key], after[key]));
  }
  const [old, next] = [show(before), show(after)];
  // A filter of the same name that does something else.
  return [old === next ? `${name} ${next} changed` : `${name} ${old} -> ${next}`];
}

/** A model value in a few characters. */
export function show(value: unknown): string {
  if (value === undefined) return 'none';
  if (value === true) return 'on';
  if (value === false) return 'off';
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Filter) return describePolicy(value);
  if (isRecord(value)) {
    const parts = Object.entries(value).filter(([, part]) => part !== undefined);
    return parts.length === 0 ? 'none' : parts.map(([key, part]) => `${key} ${show(part)}`).join(', ');
  }
  return String(value);
}

export type PeerOrRange = PeerConfig | DynamicPeersConfig;
