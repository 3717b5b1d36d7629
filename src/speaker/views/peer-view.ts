// A peer as people and programs see it, made on demand from the session, the RIB's counters and its groups.

import { describeCapability } from '../../bgp/wire/capabilities.ts';
import { FAMILIES, type Family, familyByName } from '../../bgp/wire/families.ts';
import { formatAddress, formatQuad } from '../../lib/ip.ts';
import { peerShare } from '../../rib/peer-share.ts';
import type { Rib } from '../../rib/rib.ts';
import type { PeerLimitView, PeerMemoryView } from '../api/peer-parts.ts';
import type { PeerFamilyView, PeerView } from '../api.ts';
import { exportedRoutes } from '../limited-peer.ts';
import type { PeerHandle } from '../peer-registry.ts';
import { peerKind } from '../session-options.ts';

export function peerView(rib: Rib, handle: PeerHandle): PeerView {
  const { peer, settings } = handle;
  const { context, counters, lastDown } = peer;
  const { received, sent } = counters.view();
  return {
    name: handle.name,
    description: settings.description,
    kind: handle.range === undefined ? 'static' : 'dynamic',
    address: formatAddress(handle.address.bytes, handle.address.zone),
    port: settings.port,
    localAddress: localAddress(peer),
    localAs: peer.options.localAs,
    peerAs: context?.peerAs ?? (typeof settings.asn === 'number' ? settings.asn : undefined),
    peerId: context === undefined ? undefined : formatQuad(context.peerId),
    type: context === undefined ? configuredType(handle) : peerKind(settings, context),
    routeReflectorClient: settings.routeReflectorClient,
    adminUp: peer.adminUp,
    state: peer.state,
    since: peer.since,
    lastError: lastDown?.sentence,
    lastErrorCode: lastDown?.code,
    lastErrorAdvice: lastDown?.advice,
    lastErrorAt: peer.lastDownAt,
    establishedCount: peer.establishedCount,
    downCount: peer.downCount,
    holdTime: peer.holdTime,
    keepaliveTime: peer.keepaliveTime,
    localCapabilities: peer.localOpen.capabilities.map(describeCapability),
    peerCapabilities: peer.remoteOpen?.capabilities.map(describeCapability) ?? [],
    messages: {
      received,
      sent,
      receivedBytes: counters.receivedBytes,
      sentBytes: counters.sentBytes,
    },
    families: familyViews(rib, handle),
    queuedBytes: peer.queuedBytes,
    memory: memoryView(rib, handle),
    damping: handle.damper?.counts,
    congested: peer.congested,
    draining: handle.draining,
    malformed: handle.established?.malformed,
    nextAttemptIn: nextAttemptIn(peer),
  };
}

/** A dial has none before the kernel chose one. */
function localAddress({ localAddress: bytes }: PeerHandle['peer']): string | undefined {
  return bytes?.some((octet) => octet !== 0) === true ? formatAddress(bytes) : undefined;
}

/** Of a passive peer only the wait after an error: then it listens again. */
function nextAttemptIn({ state, adminUp, timersLeft }: PeerHandle['peer']): number | undefined {
  if (!adminUp) return undefined;
  const left = timersLeft.idleHold ?? (state === 'Active' ? timersLeft.connectRetry : undefined);
  return left === undefined ? undefined : Math.ceil(left);
}

function configuredType({ settings, peer }: PeerHandle): PeerView['type'] {
  if (typeof settings.asn !== 'number') return settings.asn;
  if (settings.asn === peer.options.localAs) return 'internal';
  return settings.confederation?.inside === true ? 'confederation' : 'external';
}

function familyViews(rib: Rib, handle: PeerHandle): PeerFamilyView[] {
  const { settings, established, restarts } = handle;
  const configured = settings.families.map((name) => familyByName(name));
  return FAMILIES.filter((family) => configured.includes(family)).map((family) => {
    const negotiated = established?.session.context.families.includes(family) ?? false;
    if (established === undefined || !negotiated) {
      // Routes that wait for the peer's restart (RFC 4724 §4.2).
      const kept = restarts.waitingPeer?.countersOf(family.id);
      const keptFor = restarts.keptForMs(family);
      const limits = limitViews(handle, family);
      return { family: family.name, negotiated, ...NOTHING, ...kept, keptFor, limits };
    }
    const { id } = established.ribPeer;
    const counters = established.ribPeer.countersOf(family.id);
    const group = rib.groupsOf(established.ribPeer, family.id).groupOf(id);
    return {
      family: family.name,
      negotiated,
      ...counters,
      keptFor: undefined,
      advertised: exportedRoutes(rib, handle, family),
      endOfRibReceived: established.endOfRib.has(family.id),
      endOfRibSent: group?.endOfRibSent(id) ?? false,
      updateGroup: group?.id,
      limits: limitViews(handle, family),
    };
  });
}

function memoryView(rib: Rib, { peer, established, restarts }: PeerHandle): PeerMemoryView | undefined {
  const ribPeer = established?.ribPeer ?? restarts.waitingPeer;
  if (ribPeer === undefined) return undefined;
  const socket = established?.session.socketBytes ?? 0;
  return { ...peerShare(rib, ribPeer), queued: peer.queuedBytes, socket };
}

function limitViews({ limits }: PeerHandle, family: Family): PeerLimitView[] {
  const states = limits.states().filter((state) => state.family === family);
  return states.map(({ kind, routes, action, hit }) => ({ kind, routes, action, hit }));
}

const NOTHING = {
  received: 0,
  rejected: 0,
  best: 0,
  stale: 0,
  advertised: 0,
  endOfRibReceived: false,
  endOfRibSent: false,
  updateGroup: undefined,
} as const;
