// Everything a session needs to know of one configured peer, in this layer's own words; speaker/session-options.ts
// maps the configuration to it. And what a change of options means for a session that stands.

import { isDeepStrictEqual } from 'node:util';
import type { IpAddress, IpBytes } from '../../lib/ip.ts';
import type { Family } from '../wire/families.ts';
import type { Requirements, WithheldCapabilities } from '../wire/negotiate.ts';
import type { Role } from '../wire/session-context.ts';
import type { DisableAfter } from './disable-after.ts';
import type { ErrorWait } from './idle-hold.ts';
import { type Authentication, type SocketOptions, sameAuthentication } from './transport.ts';

/** RFC 4724 §3, RFC 8538 §2; undefined families = those of the peer. */
export interface GracefulRestartOptions {
  /** Seconds, 0..4095. */
  readonly restartTime: number;
  /** Families whose routes this side keeps over a restart of its own; none = helper only. */
  readonly families: readonly Family[];
  /** N bit: NOTIFICATIONs are no reason to drop the routes. */
  readonly notification: boolean;
  /** The flags at the time of the OPEN: the R bit, and the families with the F bit. */
  readonly flags: () => { readonly restarting: boolean; readonly forwarding: readonly Family[] };
}

/** RFC 9494 §3.1; announced with graceful restart only, whose flags are its flags, too. */
export interface LongLivedOptions {
  /** Families whose routes the peer is asked to keep, and for how many seconds; none = helper only. */
  readonly families: readonly { readonly family: Family; readonly staleTime: number }[];
}

export interface CapabilityOptions {
  /** Not offered, whatever else is said here. */
  readonly withheld: WithheldCapabilities;
  readonly extendedMessages: boolean;
  /** Families whose routes may have IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: readonly Family[];
  readonly addPathReceive: readonly Family[];
  readonly addPathSend: readonly Family[];
  readonly gracefulRestart: GracefulRestartOptions | undefined;
  readonly longLived: LongLivedOptions | undefined;
  /** Announce host name and domain. */
  readonly fqdn: { readonly hostname: string; readonly domain: string } | undefined;
  readonly softwareVersion: string | undefined;
}

/** Seconds. */
export interface SessionTimers {
  /** Offered hold time: 0 or at least 3 (RFC 4271 §4.2). */
  readonly hold: number;
  /** Undefined = a third of the negotiated hold time, which is also the upper bound. */
  readonly keepalive: number | undefined;
  /** A smaller negotiated hold time is refused with 2/6, and one that needs more frequent keepalives; 0 = any. */
  readonly minHold: number;
  readonly minKeepalive: number;
  /** How long the peer's OPEN may take; 0 = for ever. */
  readonly openHold: number;
  readonly connectRetry: number;
  /** Before the first dial, and after a session that ended without a fault. */
  readonly connectDelay: number;
  /** DelayOpenTime; 0 = off. */
  readonly delayOpen: number;
  readonly errorWait: ErrorWait;
  /** SendHoldTime (RFC 9687 §3.2); 0 = off. */
  readonly sendHold: number;
}

export interface PeerOptions extends Authentication {
  readonly name: string;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  readonly localAddress: IpBytes | undefined;
  /** Source port of a dial; 0 = any. */
  readonly localPort: number;
  readonly interface: string | undefined;
  /** The local address need not be there yet. */
  readonly freebind: boolean;
  /** The AS shown to this peer. */
  readonly localAs: number;
  readonly remoteAs: number | 'internal' | 'external';
  /** BGP Identifier, unsigned. */
  readonly routerId: number;
  readonly families: readonly Family[];
  /** Without these the session is refused with 2/7 (RFC 5492 §5). */
  readonly required: Requirements | undefined;
  readonly capabilities: CapabilityOptions;
  readonly role: Role | undefined;
  readonly roleStrict: boolean;
  readonly timers: SessionTimers;
  readonly disableAfter: DisableAfter | undefined;
  /** Never dial. */
  readonly passive: boolean;
  /** IP TTL to send with; undefined = the system's. */
  readonly ttl: number | undefined;
  /** GTSM (RFC 5082): the peer is at most so many hops away; overrides `ttl`. */
  readonly ttlSecurity: number | undefined;
}

const MAX_TTL = 255;

export function socketOptions(options: PeerOptions): SocketOptions {
  const { password, tcpAo, ttlSecurity } = options;
  if (ttlSecurity === undefined) return { ttl: options.ttl, minTtl: undefined, password, tcpAo };
  // RFC 5082 §3: sent with 255; each of the hops may take one off, the first one takes none.
  return { ttl: MAX_TTL, minTtl: MAX_TTL + 1 - ttlSecurity, password, tcpAo };
}

/** The AS an OPEN has to show; undefined for `external`, where any but the own one will do. */
export function expectedAs(options: PeerOptions): number | undefined {
  if (options.remoteAs === 'external') return undefined;
  return options.remoteAs === 'internal' ? options.localAs : options.remoteAs;
}

/** unchanged: nothing to do; soft: takes effect without a reset; reset: only a new session can have it. */
export type OptionsChange = 'unchanged' | 'soft' | 'reset';

/** What may change under a living session; everything else was said in the OPEN or belongs to the connection. */
const SOFT_OPTIONS: readonly (keyof PeerOptions)[] = [
  'disableAfter',
  'freebind',
  'name',
  'passive',
  'password',
  'tcpAo',
  'localPort',
];
/** Said to the peer, but for people only: the next OPEN has it. */
const SOFT_CAPABILITIES: readonly (keyof CapabilityOptions)[] = ['fqdn', 'softwareVersion'];
const SOFT_TIMERS: readonly (keyof SessionTimers)[] = [
  // No word of these two was said to the peer: a standing session ends as it began, the next one has them.
  'keepalive',
  'sendHold',
  'connectRetry',
  'connectDelay',
  'delayOpen',
  'errorWait',
  'minHold',
  'minKeepalive',
  'openHold',
];

export function compareOptions(before: PeerOptions, after: PeerOptions): OptionsChange {
  if (sameOptions(before, after)) return 'unchanged';
  return sameOptions(hardPart(before), hardPart(after)) ? 'soft' : 'reset';
}

function hardPart(options: PeerOptions): Record<string, unknown> {
  return {
    ...without(options, SOFT_OPTIONS),
    capabilities: without(options.capabilities, SOFT_CAPABILITIES),
    timers: without(options.timers, SOFT_TIMERS),
  };
}

function without<T extends object>(value: T, keys: readonly (keyof T)[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.some((left) => left === key)));
}

/** Deep equality; keys are compared by value, because they show nothing to anybody else. */
function sameOptions(a: object & Partial<Authentication>, b: object & Partial<Authentication>): boolean {
  return (
    sameAuthentication({ password: undefined, ...a }, { password: undefined, ...b }) &&
    isDeepStrictEqual(
      { ...a, password: undefined, tcpAo: undefined },
      { ...b, password: undefined, tcpAo: undefined },
    )
  );
}
