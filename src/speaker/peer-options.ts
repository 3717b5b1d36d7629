// From the configuration model to a session's own options: the one door through which configuration types reach
// src/bgp/session.

import type {
  CapabilityOptions,
  GracefulRestartOptions,
  LongLivedOptions,
  PeerOptions,
} from '../bgp/session/options.ts';
import { type Family, type FamilyName, familyByName } from '../bgp/wire/families.ts';
import type { Requirements } from '../bgp/wire/negotiate.ts';
import type { Config, PeerSettings } from '../config/model.ts';
import { type IpAddress, parseAddress, parseQuad } from '../lib/ip.ts';

export interface PeerIdentity {
  readonly name: string;
  readonly address: IpAddress;
}

/** The software version capability's text. */
export function softwareVersion(version: string): string {
  return `godwit/${version}`;
}

export function peerOptions(
  config: Config,
  settings: PeerSettings,
  peer: PeerIdentity,
  version: string,
  restartFlags: GracefulRestartOptions['flags'],
): PeerOptions {
  const families = settings.families.map((name) => requireFamily(name));
  const { addPath, gracefulRestart, timers } = settings;
  return {
    name: peer.name,
    remoteAddress: peer.address,
    remotePort: settings.port,
    localAddress:
      settings.localAddress === undefined ? undefined : parseAddress(settings.localAddress)?.bytes,
    localPort: settings.localPort ?? 0,
    interface: settings.interface,
    freebind: settings.freeBind ?? false,
    localAs: shownAs(config, settings),
    remoteAs: settings.asn,
    routerId: parseQuad(settings.routerId ?? config.router.id) ?? 0,
    families,
    required: requirements(settings.required),
    capabilities: {
      withheld: settings.withheld ?? [],
      extendedMessages: settings.extendedMessages,
      extendedNextHop: settings.extendedNextHop ? families.filter((family) => family.version === 'ipv4') : [],
      addPathReceive: addPath.receive ? among(families, addPath.families?.receive) : [],
      addPathSend: addPath.send === 'none' ? [] : among(families, addPath.families?.send),
      gracefulRestart:
        gracefulRestart.mode === 'off'
          ? undefined
          : {
              restartTime: gracefulRestart.restartTime,
              families: keptByPeer(gracefulRestart, families),
              notification: gracefulRestart.notification,
              // The same function each time, so that equal options compare equal.
              flags: restartFlags,
            },
      longLived: longLivedOptions(gracefulRestart, families),
      fqdn: fqdnOf(config, settings),
      softwareVersion: config.bird === undefined ? softwareVersion(version) : undefined,
    },
    role: settings.role,
    roleStrict: settings.roleStrict,
    timers: {
      hold: timers.hold,
      keepalive: timers.keepalive,
      minHold: timers.minHold,
      minKeepalive: timers.minKeepalive,
      openHold: timers.openHold,
      connectRetry: timers.connectRetry,
      connectDelay: timers.connectDelay,
      delayOpen: timers.delayOpen,
      errorWait: { min: timers.errorWaitMin, max: timers.errorWaitMax, forget: timers.errorForget },
      sendHold: timers.sendHold,
    },
    disableAfter: settings.disableAfter,
    passive: settings.passive,
    ttl: ttlOf(config, settings),
    ttlSecurity: settings.ttlSecurity,
    password: settings.password,
    tcpAo: settings.tcpAo,
  };
}

function requirements(required: PeerSettings['required']): Requirements | undefined {
  if (required === undefined) return undefined;
  return {
    capabilities: required.capabilities,
    families: required.families.map(requireFamily),
    addPath: required.addPath.map(requireFamily),
    extendedNextHop: required.extendedNextHop.map(requireFamily),
  };
}

function keptByPeer(
  { mode, families: wanted }: PeerSettings['gracefulRestart'],
  families: readonly Family[],
): readonly Family[] {
  return mode === 'full' ? among(families, wanted) : [];
}

/** Those that are wanted; all where nothing is said. */
function among(families: readonly Family[], wanted: readonly FamilyName[] | undefined): readonly Family[] {
  return wanted === undefined ? families : families.filter(({ name }) => wanted.includes(name));
}

/** The own AS in sessions: RFC 5065 §4 shows outsiders the confederation, and members the member AS. */
export function shownAs(config: Config, { localAs, confederation }: PeerSettings): number {
  if (localAs !== undefined) return localAs;
  if (confederation === undefined) return config.router.asn;
  return confederation.inside ? confederation.memberAs : confederation.id;
}

function longLivedOptions(
  { mode, longLived }: PeerSettings['gracefulRestart'],
  families: readonly Family[],
): LongLivedOptions | undefined {
  if (mode === 'off' || longLived.mode === 'off') return undefined;
  const asked = families.map((family) => ({ family, staleTime: longLived.staleTime[family.name] }));
  return { families: longLived.mode === 'full' ? asked.filter(({ staleTime }) => staleTime > 0) : [] };
}

/** RFC 4271 App. E practice: TTL 1 towards eBGP unless multihop says how far; the system's towards iBGP. */
function ttlOf(config: Config, settings: PeerSettings): number | undefined {
  if (settings.multihop !== undefined) return settings.multihop;
  return settings.asn === 'internal' || settings.asn === shownAs(config, settings) ? undefined : 1;
}

function fqdnOf(
  config: Config,
  { hostname: name = config.router.hostname }: PeerSettings,
): CapabilityOptions['fqdn'] {
  if (name === false) return undefined;
  const [host = '', ...domain] = name.split('.');
  return { hostname: host, domain: domain.join('.') };
}

function requireFamily(name: string): Family {
  const family = familyByName(name);
  if (family === undefined) throw new RangeError(`family ${name} is not in the family table`);
  return family;
}
