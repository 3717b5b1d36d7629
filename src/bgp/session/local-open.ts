// The OPEN of this side, from a peer's options (RFC 4271 §4.2, RFC 5492), and what is expected of the peer's.

import type { Capability } from '../wire/capabilities.ts';
import { ERROR, OPEN_ERROR } from '../wire/error-codes.ts';
import type { Family } from '../wire/families.ts';
import { lastCapability, negotiate } from '../wire/negotiate.ts';
import { NotificationError } from '../wire/notification.ts';
import { myAsField, type OpenMessage, openAs } from '../wire/open.ts';
import { ROLE, type SessionContext } from '../wire/session-context.ts';
import { keepaliveSeconds } from './liveness.ts';
import {
  expectedAs,
  type GracefulRestartOptions,
  type LongLivedOptions,
  type PeerOptions,
  type SessionTimers,
} from './options.ts';

const AFI_IPV6 = 2;
const ADD_PATH = { receive: 1, send: 2 } as const;

/** `withCapabilities` is false where the peer keeps refusing them with 2/4 (RFC 5492 §3). */
export function localOpen(options: PeerOptions, withCapabilities: boolean): OpenMessage {
  return {
    myAs: myAsField(options.localAs),
    holdTime: options.timers.hold,
    id: options.routerId,
    capabilities: withCapabilities ? offeredCapabilities(options) : [],
  };
}

function offeredCapabilities(options: PeerOptions): Capability[] {
  const { withheld } = options.capabilities;
  if (withheld === 'all') return [];
  return localCapabilities(options).filter(({ kind }) => !withheld.some((each) => each === kind));
}

function localCapabilities(options: PeerOptions): Capability[] {
  const { capabilities: wanted, families } = options;
  const list: Capability[] = [...families.map(multiprotocol), { kind: 'route-refresh' }];
  if (wanted.extendedNextHop.length > 0) {
    const entries = wanted.extendedNextHop.map((family) => ({ ...afiSafi(family), nextHopAfi: AFI_IPV6 }));
    list.push({ kind: 'extended-next-hop', entries });
  }
  if (wanted.extendedMessages) list.push({ kind: 'extended-message' });
  // RFC 9234 §4.1: roles are for eBGP sessions.
  if (options.role !== undefined && expectedAs(options) !== options.localAs) {
    list.push({ kind: 'role', value: ROLE[options.role] });
  }
  if (wanted.gracefulRestart !== undefined) list.push(gracefulRestart(wanted.gracefulRestart));
  list.push({ kind: 'four-octet-as', as: options.localAs });
  const addPath = addPathEntries(options);
  if (addPath.length > 0) list.push({ kind: 'add-path', entries: addPath });
  list.push({ kind: 'enhanced-route-refresh' });
  // RFC 9494 §4.1: only together with the graceful restart capability.
  if (wanted.longLived !== undefined && wanted.gracefulRestart !== undefined) {
    list.push(longLivedRestart(wanted.longLived, wanted.gracefulRestart));
  }
  if (wanted.fqdn !== undefined) list.push({ kind: 'fqdn', ...wanted.fqdn });
  if (wanted.softwareVersion !== undefined) {
    list.push({ kind: 'software-version', version: wanted.softwareVersion });
  }
  return list;
}

function gracefulRestart(wanted: GracefulRestartOptions): Capability {
  const { restarting, forwarding } = wanted.flags();
  return {
    kind: 'graceful-restart',
    restarting,
    notification: wanted.notification,
    restartTime: wanted.restartTime,
    families: wanted.families.map((family) => ({
      ...afiSafi(family),
      forwarding: forwarding.includes(family),
    })),
  };
}

function longLivedRestart({ families }: LongLivedOptions, { flags }: GracefulRestartOptions): Capability {
  const { forwarding } = flags();
  return {
    kind: 'long-lived-graceful-restart',
    families: families.map(({ family, staleTime }) => ({
      ...afiSafi(family),
      forwarding: forwarding.includes(family),
      staleTime,
    })),
  };
}

function addPathEntries(options: PeerOptions) {
  const { addPathReceive, addPathSend } = options.capabilities;
  return options.families
    .map((family) => ({
      ...afiSafi(family),
      mode:
        (addPathReceive.includes(family) ? ADD_PATH.receive : 0) |
        (addPathSend.includes(family) ? ADD_PATH.send : 0),
    }))
    .filter((entry) => entry.mode !== 0);
}

function multiprotocol(family: Family): Capability {
  return { kind: 'multiprotocol', ...afiSafi(family) };
}

function afiSafi(family: Family) {
  return { afi: family.afi, safi: family.safi };
}

/** The session two OPENs make. Throws NotificationError 2/x where the peer's does not suit. */
export function agree(options: PeerOptions, local: OpenMessage, remote: OpenMessage): SessionContext {
  if (options.remoteAs === 'external' && openAs(remote) === options.localAs) {
    refuse(OPEN_ERROR.badPeerAs, `AS ${options.localAs} is not external`);
  }
  const context = negotiate(local, remote, {
    localAs: options.localAs,
    peerAs: expectedAs(options),
    role: options.role,
    roleStrict: options.roleStrict,
    required: options.required,
  });
  checkTimes(options.timers, context.holdTime);
  // RFC 5492 §3: who sends no capabilities speaks IPv4 unicast, whether that is configured here or not.
  return { ...context, families: context.families.filter((family) => options.families.includes(family)) };
}

/** RFC 4271 §6.2: any hold time may be refused. */
function checkTimes({ keepalive, minHold, minKeepalive }: SessionTimers, holdTime: number): void {
  if (holdTime < minHold) {
    refuse(OPEN_ERROR.unacceptableHoldTime, `${holdTime} s is below ${minHold} s`);
  }
  const kept = keepaliveSeconds(holdTime, keepalive);
  if (holdTime > 0 && kept < minKeepalive) {
    const every = Math.floor(kept);
    refuse(
      OPEN_ERROR.unacceptableHoldTime,
      `${holdTime} s needs keepalives every ${every} s, below ${minKeepalive} s`,
    );
  }
}

/** Whether an OPEN has the graceful restart capability (RFC 4724 §3). */
export function canRestart(open: OpenMessage | undefined): boolean {
  return open !== undefined && lastCapability(open, 'graceful-restart') !== undefined;
}

/** Whether an OPEN says that its sender has restarted (the R bit, RFC 4724 §3). */
export function saysRestarted(open: OpenMessage | undefined): boolean {
  return open !== undefined && lastCapability(open, 'graceful-restart')?.restarting === true;
}

function refuse(subcode: number, detail: string): never {
  throw new NotificationError(ERROR.open, subcode, undefined, detail);
}
