// What a station is told of a peer beside its routes: headers, Peer Up with both OPENs, Peer Down with its reason, and
// statistics (RFC 7854 §4.2, §4.8 to §4.10); the same of a Loc-RIB, which is a peer of its own kind (RFC 9069 §4, §5).

import type { DownCause, DownReason } from '../../bgp/session/down-reason.ts';
import type { Session } from '../../bgp/session/events.ts';
import { FAMILIES, type Family, IPV4_UNICAST, IPV6_UNICAST } from '../../bgp/wire/families.ts';
import { encodeNotification } from '../../bgp/wire/notification.ts';
import { encodeOpen, myAsField } from '../../bgp/wire/open.ts';
import {
  encodeMessage,
  informationOctets,
  type PeerHeader,
  type Statistic,
  textOf,
} from '../../bmp/message.ts';
import { INFORMATION, PEER_DOWN_REASON, PEER_TYPE, STATISTIC } from '../../bmp/protocol.ts';
import type { Rib } from '../../rib/rib.ts';
import type { RibPeer } from '../../rib/rib-peer.ts';

/** Wall-clock milliseconds -> what a header has. */
function timeOf(wallTime: number): Pick<PeerHeader, 'seconds' | 'micros'> {
  const seconds = Math.floor(wallTime / 1000);
  return { seconds, micros: Math.floor((wallTime - seconds * 1000) * 1000) };
}

const NO_DISTINGUISHER = new Uint8Array(8);
const NO_ADDRESS = new Uint8Array(4);
const NO_TIME = { seconds: 0, micros: 0 } as const;
const IPV6_NEXT_HOPS = { afi: IPV4_UNICAST.afi, safi: IPV4_UNICAST.safi, nextHopAfi: IPV6_UNICAST.afi };

/** A peer of the only instance there is; `flags` as of PEER_FLAG. */
export function peerHeader({ context, remoteAddress }: Session, flags = 0): PeerHeader {
  return {
    type: PEER_TYPE.global,
    flags,
    distinguisher: NO_DISTINGUISHER,
    address: remoteAddress,
    asn: context.peerAs,
    bgpId: context.peerId,
    ...NO_TIME,
  };
}

export interface OwnIdentity {
  readonly asn: number;
  readonly routerId: number;
}

/** RFC 9069 §4.1, §5.1 */
export function locRibHeader({ asn, routerId }: OwnIdentity): PeerHeader {
  return {
    type: PEER_TYPE.locRib,
    flags: 0,
    distinguisher: NO_DISTINGUISHER,
    address: NO_ADDRESS,
    asn,
    bgpId: routerId,
    ...NO_TIME,
  };
}

/** `since`: wall-clock milliseconds. */
export function peerUp(session: Session, since: number): Uint8Array {
  const { localAddress, localPort, remotePort, peer } = session;
  const { localOpen, remoteOpen = peer.localOpen } = peer;
  return encodeMessage({
    kind: 'peer-up',
    peer: { ...peerHeader(session), ...timeOf(since) },
    localAddress,
    localPort,
    remotePort,
    sentOpen: encodeOpen(localOpen),
    receivedOpen: encodeOpen(remoteOpen),
    information: [],
  });
}

/**
 * RFC 9069 §5.2: there is no session, and both OPENs are one that could have been sent, with every capability that its
 * routes need: those of IPv4 may have come with an IPv6 next hop (RFC 8950).
 */
export function locRibUp(own: OwnIdentity, since: number): Uint8Array {
  const open = encodeOpen({
    myAs: myAsField(own.asn),
    holdTime: 0,
    id: own.routerId,
    capabilities: [
      ...FAMILIES.map(({ afi, safi }) => ({ kind: 'multiprotocol', afi, safi }) as const),
      { kind: 'extended-next-hop', entries: [IPV6_NEXT_HOPS] },
      { kind: 'four-octet-as', as: own.asn },
    ],
  });
  return encodeMessage({
    kind: 'peer-up',
    peer: { ...locRibHeader(own), ...timeOf(since) },
    localAddress: NO_ADDRESS,
    localPort: 0,
    remotePort: 0,
    sentOpen: open,
    receivedOpen: open,
    information: TABLE_NAME,
  });
}

/** RFC 9069 §5.2.1: the name of the only instance there is. */
const TABLE_NAME = [textOf(INFORMATION.tableName, 'global')];

/** Numbers of the events of RFC 4271 §8.1, where a session ended without a NOTIFICATION; 0 = none of them. */
const FSM_EVENT: Readonly<Partial<Record<DownCause, number>>> = {
  'admin-stop': 2,
  'admin-reset': 2,
  'automatic-stop': 8,
  'hold-timer': 10,
  'link-down': 18,
  'peer-restarted': 16,
};
const REMOTE_CLOSED: ReadonlySet<DownCause> = new Set(['connection-lost', 'connect-failed']);

/** `now`: wall-clock milliseconds. */
export function peerDown(header: PeerHeader, reason: DownReason, now: number): Uint8Array {
  const peer = { ...header, ...timeOf(now) };
  return encodeMessage({ kind: 'peer-down', peer, ...reasonOf(reason) });
}

/** The station is told no more of a Loc-RIB (RFC 9069 §5.3). */
export function locRibDown(own: OwnIdentity, now: number): Uint8Array {
  return encodeMessage({
    kind: 'peer-down',
    peer: { ...locRibHeader(own), ...timeOf(now) },
    reason: PEER_DOWN_REASON.locRib,
    data: informationOctets(TABLE_NAME),
  });
}

function reasonOf({ cause, sent, received }: DownReason): { reason: number; data: Uint8Array } {
  if (sent !== undefined) {
    const data = encodeNotification(sent.code, sent.subcode, sent.data);
    return { reason: PEER_DOWN_REASON.localNotification, data };
  }
  if (received !== undefined) {
    const data = encodeNotification(received.code, received.subcode, received.data);
    return { reason: PEER_DOWN_REASON.remoteNotification, data };
  }
  if (REMOTE_CLOSED.has(cause)) return { reason: PEER_DOWN_REASON.remoteClosed, data: new Uint8Array(0) };
  return { reason: PEER_DOWN_REASON.localEvent, data: Uint8Array.of(0, FSM_EVENT[cause] ?? 0) };
}

/** Of a peer and its families. */
export function peerStatistics(
  header: PeerHeader,
  peer: RibPeer,
  families: readonly Family[],
  now: number,
): Uint8Array {
  const sum = (of: (familyId: number) => number): bigint =>
    BigInt(families.reduce((total, { id }) => total + of(id), 0));
  return report(header, now, [
    { ...STATISTIC.rejectedByPolicy, value: sum((id) => peer.changesOf(id).filtered) },
    { ...STATISTIC.duplicateAnnouncements, value: sum((id) => peer.changesOf(id).unchanged) },
    { ...STATISTIC.duplicateWithdrawals, value: sum((id) => peer.changesOf(id).unknown) },
    { ...STATISTIC.adjRibIn, value: sum((id) => peer.countersOf(id).received) },
    ...families.map((family) => ({
      ...STATISTIC.familyAdjRibIn,
      value: BigInt(peer.countersOf(family.id).received),
      family,
    })),
  ]);
}

export function locRibStatistics(own: OwnIdentity, { families }: Rib, now: number): Uint8Array {
  return report(locRibHeader(own), now, [
    { ...STATISTIC.locRib, value: BigInt(families.reduce((sum, { locRib }) => sum + locRib.size, 0)) },
    ...families.map(({ family, locRib }) => ({
      ...STATISTIC.familyLocRib,
      value: BigInt(locRib.size),
      family,
    })),
  ]);
}

function report(header: PeerHeader, now: number, statistics: readonly Statistic[]): Uint8Array {
  const peer = { ...header, ...timeOf(now) };
  return encodeMessage({ kind: 'statistics-report', peer, statistics });
}
