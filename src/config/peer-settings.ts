// Merged settings -> PeerSettings with every default filled in. RFC 4271 §10 (timers), 8212 (policy), 9687 (send
// hold), 4724 (restart), 7311 (AIGP), 8950 (extended next hop). What contradicts itself is peer-checks.ts's.

import type { FamilyName } from '../bgp/wire/families.ts';
import { BGP_PORT } from '../bgp/wire/iana.ts';
import { REQUIRABLE_KINDS, WITHHOLDABLE_KINDS } from '../bgp/wire/negotiate.ts';
import { type IpVersion, parseAddress } from '../lib/ip.ts';
import { bfdConfig } from './build-bfd.ts';
import { LONGEST_STALE_TIME } from './model/stability.ts';
import type {
  BfdConfig,
  ConfederationConfig,
  DampingConfig,
  GracefulRestartConfig,
  LongLivedRestartConfig,
  NextHopMode,
  PeerSettings,
  Policy,
  Secret,
  TableNames,
  TcpAoKeyConfig,
  TimerConfig,
} from './model.ts';
import { limitsOf } from './peer-limits.ts';
import { DAMPING_DEFAULTS, type DampingInput } from './schema-damping.ts';
import { CEASE_NAMES, CEASES, type SettingsInput } from './schema-peer.ts';
import type { LongLivedInput } from './schema-restart.ts';
import { canonicalAddress, parseAsn } from './values.ts';

/** confederation: of another member AS of the own confederation. */
export type PeerType = 'internal' | 'external' | 'confederation';

/** RFC 5065: what the own AS is a member of, and the other members. */
export interface Confederation {
  readonly id: number;
  readonly members: ReadonlySet<number>;
}

export interface SettingsContext {
  readonly type: PeerType;
  readonly confederation: ConfederationConfig | undefined;
  /** Of the peer's address, or of the prefix it may come from. */
  readonly version: IpVersion;
  readonly dynamic: boolean;
  readonly password: Secret | undefined;
  readonly tcpAo: readonly TcpAoKeyConfig[] | undefined;
  /** Of `bfd.verification`. */
  readonly bfdPassword: Secret | undefined;
  /** The peer's address is link-local: it is on the link. */
  readonly linkLocal: boolean;
  /** What import and export say; undefined where they are not written. */
  readonly policy: (key: 'import' | 'export') => Policy | undefined;
  /** The tables that it names, for its families. */
  readonly attachment: (key: 'table' | 'igpTable', families: readonly FamilyName[]) => TableNames | undefined;
}

/** Seconds. RFC 4271 §10 suggests 120, 90 and a third; waits after errors grow between the two bounds. */
const TIMERS = {
  hold: 90,
  openHold: 240,
  connectRetry: 120,
  connectDelay: 5,
  delayOpen: 0,
  errorWaitMin: 60,
  errorWaitMax: 300,
  errorForget: 300,
} as const;
/** RFC 4271 §4.4: a reasonable maximum is one third of the hold time. */
const KEEPALIVES_PER_HOLD = 3;
/** RFC 9687: the greater of 8 minutes and twice the hold time. */
const SEND_HOLD = 480;
const SEND_HOLDS_PER_HOLD = 2;

const LARGEST_TTL = 255;
const RESTART_TIME = 120;
const STALE_TIME = 3600;

/** What the AS stands for; undefined where the own AS or the peer's is unknown. */
export function peerTypeOf(
  asn: SettingsInput['asn'],
  ownAsn: number | undefined,
  confederation: Confederation | undefined,
): PeerType | undefined {
  if (asn === 'internal' || asn === 'external') return asn;
  const number = asn === undefined ? undefined : parseAsn(asn);
  if (number === undefined || ownAsn === undefined) return undefined;
  if (number === ownAsn) return 'internal';
  return confederation?.members.has(number) ? 'confederation' : 'external';
}

export function fillSettings(input: SettingsInput, context: SettingsContext): PeerSettings {
  const external = context.type === 'external';
  const families = [...new Set(input.families ?? ([`${context.version}-unicast`] as const))];
  // RFC 8212 §2: an eBGP peer without policy neither gives nor gets routes.
  const policy: Policy = external ? 'none' : 'accept';
  return {
    asn: asnOf(input.asn),
    localAs: input.localAs === undefined ? undefined : parseAsn(input.localAs),
    ...(input.freeBind !== undefined && { freeBind: input.freeBind }),
    ...(input.routerId !== undefined && { routerId: input.routerId }),
    ...(input.hostname !== undefined && { hostname: input.hostname }),
    localAddress: optionalAddress(input.localAddress),
    interface: input.interface,
    port: input.port ?? BGP_PORT,
    localPort: input.localPort,
    enabled: input.enabled ?? true,
    description: input.description,
    passive: context.dynamic || (input.passive ?? false),
    families,
    password: context.password,
    tcpAo: context.tcpAo,
    multihop: hops(input.multihop, LARGEST_TTL),
    ttlSecurity: hops(input.ttlSecurity, 1),
    timers: timersOf(input),
    import: context.policy('import') ?? policy,
    export: context.policy('export') ?? policy,
    routeReflectorClient: input.routeReflectorClient ?? false,
    clusterId: input.clusterId,
    clientToClient: input.clientToClient ?? true,
    routeServerClient: input.routeServerClient ?? false,
    ...(input.evaluateAll === true && { evaluateAll: true }),
    ...nextHopOf(input),
    ...(input.onlink === true && { onlink: true }),
    ...(input.linkLocalNextHop !== undefined && { linkLocalNextHop: input.linkLocalNextHop }),
    removePrivateAs: input.removePrivateAs ?? false,
    asOverride: input.asOverride ?? false,
    allowOwnAs: input.allowOwnAs ?? 0,
    allowAsSets: input.allowAsSets ?? false,
    // RFC 7947 §2.2.2.1: a route server does not put its own AS first.
    enforceFirstAs: input.enforceFirstAs ?? input.role !== 'rs-client',
    ...(input.allowLocalPref === true && { allowLocalPref: true }),
    ...(input.allowMed === true && { allowMed: true }),
    addPath: addPathOf(input.addPath),
    extendedNextHop:
      input.extendedNextHop ?? (context.version === 'ipv6' && families.includes('ipv4-unicast')),
    extendedMessages: input.extendedMessages ?? true,
    gracefulRestart: gracefulRestartOf(input.gracefulRestart),
    role: input.role,
    roleStrict: input.roleStrict ?? false,
    ...disableAfterOf(input.disableAfter),
    ...requiredOf(input.require, families),
    ...withheldOf(input.withhold),
    // RFC 7311 §3.3: on by default inside the AS and the confederation, off towards others.
    aigp: input.aigp ?? !external,
    sendCommunities: input.sendCommunities ?? true,
    ...(input.interpretCommunities === false && { interpretCommunities: false }),
    limits: limitsOf(input, families),
    // RFC 8326 §4.1: the receiver sets local preference 0 on routes of its eBGP peers.
    gracefulShutdown: input.gracefulShutdown ?? external,
    damping: dampingOf(input.damping, families),
    fastFallover: input.fastFallover ?? true,
    bfd: bfdOf(input, context),
    ...attachmentsOf(context, families),
    ...(context.confederation !== undefined && { confederation: context.confederation }),
  };
}

function disableAfterOf(input: SettingsInput['disableAfter']): Pick<PeerSettings, 'disableAfter'> {
  if (input === undefined || input.length === 0) return {};
  const named = CEASE_NAMES.filter((name) => input.includes(name)).map((name) => CEASES[name]);
  return {
    disableAfter: { error: input.includes('error'), cease: input.includes('cease') ? 'any' : named },
  };
}

function requiredOf(
  input: SettingsInput['require'],
  families: readonly FamilyName[],
): Pick<PeerSettings, 'required'> {
  if (input === undefined || input.length === 0) return {};
  return {
    required: {
      capabilities: REQUIRABLE_KINDS.filter((kind) => input.includes(kind)),
      families: families.filter((family) => input.includes(family)),
      addPath: input.includes('add-path') ? families : [],
      extendedNextHop: input.includes('extended-next-hop')
        ? families.filter((family) => family === 'ipv4-unicast')
        : [],
    },
  };
}

/** In one order, so that equal lists are no change. */
function withheldOf(input: SettingsInput['withhold']): Pick<PeerSettings, 'withheld'> {
  if (input === undefined || input.length === 0) return {};
  return { withheld: input === 'all' ? input : WITHHOLDABLE_KINDS.filter((kind) => input.includes(kind)) };
}

function attachmentsOf(
  context: SettingsContext,
  families: readonly FamilyName[],
): Pick<PeerSettings, 'tables' | 'igpTables'> {
  const tables = context.attachment('table', families);
  const igpTables = context.attachment('igpTable', families);
  return { ...(tables !== undefined && { tables }), ...(igpTables !== undefined && { igpTables }) };
}

function dampingOf(
  input: DampingInput | undefined,
  families: PeerSettings['families'],
): DampingConfig | undefined {
  if (input === undefined || input === false) return undefined;
  const options = input === true ? {} : input;
  return {
    families: families.filter((name) => options.families?.includes(name) ?? true),
    halfLife: options.halfLife ?? DAMPING_DEFAULTS.halfLife,
    suppress: options.suppress ?? DAMPING_DEFAULTS.suppress,
    reuse: options.reuse ?? DAMPING_DEFAULTS.reuse,
    maxSuppressTime: options.maxSuppressTime ?? DAMPING_DEFAULTS.maxSuppressTime,
    testOnly: options.testOnly ?? false,
  };
}

function asnOf(asn: SettingsInput['asn']): PeerSettings['asn'] {
  if (asn === 'internal' || asn === undefined) return 'internal';
  if (asn === 'external') return 'external';
  return parseAsn(asn) ?? 'internal';
}

function optionalAddress(value: string | undefined): string | undefined {
  return value === undefined ? undefined : canonicalAddress(value);
}

function hops(value: number | boolean | undefined, whenTrue: number): number | undefined {
  if (value === undefined || value === false) return undefined;
  return value === true ? whenTrue : value;
}

function timersOf(input: SettingsInput): TimerConfig {
  const hold = input.holdTime ?? TIMERS.hold;
  // RFC 4271 §4.2: without a hold time there are no keepalives; RFC 9687: nor is sending watched.
  const keepalive = hold === 0 ? 0 : Math.max(1, Math.floor(hold / KEEPALIVES_PER_HOLD));
  const sendHold = hold === 0 ? 0 : Math.max(SEND_HOLD, hold * SEND_HOLDS_PER_HOLD);
  return {
    hold,
    keepalive: hold === 0 ? 0 : (input.keepaliveTime ?? keepalive),
    minHold: input.minHoldTime ?? 0,
    minKeepalive: input.minKeepaliveTime ?? 0,
    openHold: input.openHoldTime ?? TIMERS.openHold,
    connectRetry: input.connectRetryTime ?? TIMERS.connectRetry,
    connectDelay: input.connectDelayTime ?? TIMERS.connectDelay,
    delayOpen: input.delayOpenTime ?? TIMERS.delayOpen,
    errorWaitMin:
      input.errorWaitMin ?? Math.min(TIMERS.errorWaitMin, input.errorWaitMax ?? TIMERS.errorWaitMin),
    errorWaitMax: input.errorWaitMax ?? Math.max(TIMERS.errorWaitMax, input.errorWaitMin ?? 0),
    errorForget: input.errorForgetTime ?? TIMERS.errorForget,
    sendHold: input.sendHoldTime ?? sendHold,
  };
}

/** An address as `nextHop` is short for `nextHop: address` with that address. */
function nextHopOf(input: SettingsInput): Pick<PeerSettings, 'nextHop' | 'nextHopAddress'> {
  const { ipv4, ipv6 } = input.nextHopAddress ?? {};
  const nextHopAddress = { ipv4, ipv6: optionalAddress(ipv6) };
  const value = input.nextHop ?? 'auto';
  if (isMode(value)) return { nextHop: value, nextHopAddress };
  const text = canonicalAddress(value);
  const version = parseAddress(value)?.bytes.length === 4 ? 'ipv4' : 'ipv6';
  return { nextHop: 'address', nextHopAddress: { ...nextHopAddress, [version]: text } };
}

function isMode(value: string): value is NextHopMode {
  return value === 'auto' || value === 'self' || value === 'unchanged' || value === 'address';
}

function addPathOf(input: SettingsInput['addPath']): PeerSettings['addPath'] {
  if (typeof input === 'object') return { receive: input.receive ?? false, send: input.send ?? 'none' };
  return input === true ? { receive: true, send: 'all' } : { receive: false, send: 'none' };
}

function gracefulRestartOf(input: SettingsInput['gracefulRestart']): GracefulRestartConfig {
  const options: Exclude<typeof input, boolean | string | undefined> =
    typeof input === 'object' ? input : { mode: modeOf(input) };
  const { mode = 'helper', restartTime = RESTART_TIME, notification = false, longLived, ...bounds } = options;
  return { mode, restartTime, ...bounds, notification, longLived: longLivedOf(longLived) };
}

function longLivedOf(input: LongLivedInput | undefined): LongLivedRestartConfig {
  const options = typeof input === 'object' ? input : { mode: modeOf(input) };
  return {
    mode: options.mode ?? 'helper',
    staleTime: byFamily(options.staleTime, STALE_TIME),
    minStaleTime: byFamily(options.minStaleTime, 0),
    maxStaleTime: byFamily(options.maxStaleTime, LONGEST_STALE_TIME),
    partialDeployment: options.partialDeployment ?? false,
  };
}

function byFamily(
  input: number | Partial<Record<FamilyName, number>> | undefined,
  usual: number,
): Readonly<Record<FamilyName, number>> {
  const times = typeof input === 'object' ? input : {};
  const other = typeof input === 'number' ? input : usual;
  return {
    'ipv4-unicast': times['ipv4-unicast'] ?? other,
    'ipv6-unicast': times['ipv6-unicast'] ?? other,
  };
}

function modeOf(input: boolean | GracefulRestartConfig['mode'] | undefined): GracefulRestartConfig['mode'] {
  if (typeof input === 'string') return input;
  return input === false ? 'off' : 'helper';
}

function bfdOf(input: SettingsInput, context: SettingsContext): BfdConfig | undefined {
  if (input.bfd === undefined || input.bfd === false) return undefined;
  return bfdConfig(input.bfd === true ? {} : input.bfd, mayBeFar(input, context), context.bfdPassword);
}

/** eBGP peers are on the link unless said otherwise, iBGP peers need not be. */
function mayBeFar(input: SettingsInput, { type, linkLocal }: SettingsContext): boolean {
  const security = hops(input.ttlSecurity, 1);
  if (security !== undefined) return security > 1;
  if (linkLocal || input.interface !== undefined) return false;
  return type === 'internal' || hops(input.multihop, LARGEST_TTL) !== undefined;
}
