// The new program's side of a live upgrade (state.ts): goes on with a picture before the speaker does anything of its
// own. A session that the configuration has no place for any more is ended as a reload would end it, and so is one that is to
// be between other ends or whose peer has become another one to the tables; what else its OPENs would say today is for the
// next session.

import { agreementOf, type SessionImage } from '../../bgp/session/handover.ts';
import { socketOptions } from '../../bgp/session/options.ts';
import { suits } from '../../bgp/session/peer-directory.ts';
import { refuseConnection } from '../../bgp/session/refuse-connection.ts';
import { TransportError, type TransportSocket } from '../../bgp/session/transport.ts';
import { CEASE } from '../../bgp/wire/error-codes.ts';
import { FAMILIES, familyByName } from '../../bgp/wire/families.ts';
import { NotificationError } from '../../bgp/wire/notification.ts';
import { bytesEqual, optionalBytesEqual } from '../../lib/bytes.ts';
import { mayBeSame } from '../../lib/optional.ts';
import { revived } from '../../policy/values.ts';
import type { NextHopImage } from '../../rib/handover/image.ts';
import { RibRestore } from '../../rib/handover/restore.ts';
import { isSamePeer, type RibPeer } from '../../rib/rib-peer.ts';
import type { EstablishedPeer } from '../established-peer.ts';
import type { PeerHandle } from '../peer-registry.ts';
import { refreshPeer } from '../refresh.ts';
import { RestartHelper } from '../restart-helper.ts';
import type { RestartImage } from '../restart-image.ts';
import { clusterOf, ribIdentity } from '../session-options.ts';
import type { Speaker } from '../speaker.ts';
import { reimportLocal } from '../table-changes.ts';
import { meaningsOf } from './further-tables.ts';
import type { HandedAway, HandedPeer, SpeakerState } from './state.ts';

export class TakeOver {
  readonly #speaker: Speaker;
  readonly #state: SpeakerState;
  /** By the id in the picture. */
  readonly #ribPeers = new Map<number, RibPeer>();
  readonly #tables: RibRestore;
  /** Nobody has gone on with them yet. */
  readonly #left: Set<HandedPeer>;
  #sessions = 0;

  /** Fills the speaker's tables, which must be empty; what comes out of them waits for `finish`. */
  constructor(speaker: Speaker, state: SpeakerState) {
    this.#speaker = speaker;
    this.#state = state;
    this.#left = new Set(state.peers);
    const { rib, rooms, registry, listeners, bfd, protocols, rpki, diagnosis, config } = speaker;
    if (state.diagnosis !== undefined) diagnosis.restore(state.diagnosis);
    // Before anything else: what goes out, into the kernel or comes from here is judged by it.
    rpki.adopt(config.rpki ?? [], state.validation?.caches ?? []);
    for (const { id } of FAMILIES) rib.defer(id);
    speaker.addTables();
    const further = meaningsOf(speaker, state.tables);
    for (const { ribPeer } of [...state.peers, ...state.away]) {
      if (ribPeer === undefined) continue;
      const { id, identity, importOptions, ...tables } = ribPeer;
      const place = rooms.placeOfHanded(tables);
      this.#ribPeers.set(id, rib.addPeer({ ...identity, ...place }, { ...importOptions, policy: 'accept' }));
    }
    const peers = new Map([...this.#ribPeers, ...further.peers]);
    this.#tables = new RibRestore(rib, state.rib, { ...further, peers, revive: revived });
    listeners.takeOver(state.listeners);
    bfd.takeOver(state.bfd);
    protocols.restore(state.protocols);
    registry.handover.hold(registry.values());
    if (state.drainsAll) registry.drain(undefined, true);
  }

  /** Makes a configured peer that was there what it was; false for a new one, which the caller starts. */
  goesOn(handle: PeerHandle): boolean {
    const handed = this.#state.peers.find((each) => each.name === handle.name && isOf(handle, each));
    if (handed === undefined) return false;
    this.#left.delete(handed);
    this.#goOn(handle, handed);
    return true;
  }

  /** Once all peers and ranges are configured: peers that ranges have admitted; and peers that are no longer there. */
  startOthers(): void {
    const { registry, listeners, dynamic } = this.#speaker;
    dynamic.restoreNames(this.#state.memberNames ?? []);
    for (const { name, range, ribPeer } of [...this.#state.peers, ...this.#state.away]) {
      if (range === undefined || ribPeer === undefined) continue;
      const { address, zone } = ribPeer.identity;
      dynamic.keepName(range, { bytes: address, ...(zone !== undefined && { zone }) }, name);
    }
    for (const handed of this.#left) {
      const { session } = handed.image;
      const found = handed.range === undefined || session === undefined ? undefined : listeners.find(session);
      const handle = found === undefined ? undefined : registry.ofPeer(found);
      // A configured peer has taken the place of a member: it begins anew, as after a reload.
      if (handle?.range !== undefined) this.#goOn(handle, handed);
      else this.#end(handed, undefined, CEASE.peerDeconfigured);
    }
    for (const away of this.#state.away) this.#waitFor(away);
  }

  #waitFor({ name, range, address, ribPeer: { id }, restart }: HandedAway): void {
    const { rib, parts, config, policies, dynamic, diagnosis } = this.#speaker;
    const ribPeer = this.#ribPeers.get(id)!;
    const restarts = new RestartHelper(rib, parts.clock, diagnosis.logOf('restarts'));
    const settings = config.dynamicPeers.find((each) => each.name === range);
    const policy = settings === undefined ? 'reject' : policies.importPolicy(settings.import);
    ribPeer.importOptions = { ...ribPeer.importOptions, policy };
    restarts.takeOver(ribPeer, restart);
    dynamic.waitFor(name, { range, address, restarts });
  }

  /** The kernel is read and the sockets listen: everything moves again. */
  finish(): void {
    const { rib, registry, rooms, networks, protocols, bfd, tracer, parts, diagnosis } = this.#speaker;
    for (const network of this.#state.networks) networks.add(network);
    bfd.tookOver();
    // Own routes that nobody has announced again.
    for (const { place } of rooms.values()) {
      for (const family of place.families) rib.walks.sweepStale(family, place.local);
    }
    this.#tables.release();
    for (const { id } of FAMILIES) rib.release(id);
    registry.handover.release(registry.values());
    this.#judgeAgain();
    // Peers that ranges have admitted were not known before.
    protocols.restore(this.#state.protocols);
    if (this.#state.traces !== undefined) tracer.restore(this.#state.traces);
    const { version, peers } = this.#state;
    const fields = { from: version, to: parts.version, sessions: this.#sessions, peers: peers.length };
    parts.log.info(fields, 'upgraded: the sessions go on');
    const words = `godwit ${parts.version} goes on with ${this.#sessions} sessions of ${version}`;
    diagnosis.journal.note('upgraded', words);
  }

  /** This program may judge routes otherwise than the one before; what it does not changes nothing. */
  #judgeAgain(): void {
    const { rib, registry, rooms, pipes, dynamic } = this.#speaker;
    for (const handle of registry.values()) {
      registry.refreshIn(handle);
      if (this.#lacksFallback(handle)) refreshPeer(registry, handle, 'in');
      const { waitingPeer } = handle.restarts;
      if (waitingPeer !== undefined) rib.judgeAgain(waitingPeer);
    }
    for (const [, { restarts }] of dynamic.away()) {
      if (restarts.waitingPeer !== undefined) rib.judgeAgain(restarts.waitingPeer);
    }
    for (const room of rooms.values()) reimportLocal(this.#speaker, room);
    for (const { config } of pipes.values()) pipes.judgeAgain(config.name, 'both');
  }

  /** Its routes are of a version that had no fallback of next hops: announced again, they have it. */
  #lacksFallback({ settings, established }: PeerHandle): boolean {
    if (!settings.throughPeer || established === undefined) return false;
    const { session, ribPeer } = established;
    const hasRoutes = ribPeer.counters.some(({ received }) => received > 0);
    const isOfPeer = ({ fallback }: NextHopImage) => optionalBytesEqual(fallback, session.remoteAddress);
    return hasRoutes && !this.#state.rib.nextHops.some(isOfPeer);
  }

  #goOn(handle: PeerHandle, handed: HandedPeer): void {
    const { rib, parts } = this.#speaker;
    const { image, ribPeer: writer } = handed;
    handle.draining = handed.draining;
    const socket = this.#socket(handle, handed);
    const ribPeer = writer === undefined ? undefined : this.#ribPeers.get(writer.id);
    const misfit = image.session && this.#misfit(handle, image.session, ribPeer);
    if (misfit === undefined && ribPeer !== undefined && socket !== undefined) {
      this.#expect(handle, handed, ribPeer);
    }
    this.#damp(handle, handed);
    if (handed.restart !== undefined && ribPeer !== undefined) this.#restart(handle, handed.restart, ribPeer);
    handle.peer.takeOver(image, misfit === undefined ? socket : undefined);
    if (misfit !== undefined && socket !== undefined) {
      const fields = { peer: handle.name, error: misfit };
      parts.log.warn(fields, 'the session does not suit the configuration any more');
      this.#end(handed, socket, CEASE.otherConfigurationChange);
    }
    if (handle.established !== undefined) this.#cameUp(handle, handle.established);
    else {
      if (ribPeer !== undefined && !handle.restarts.isWaiting) rib.removePeer(ribPeer);
      if (image.adminUp) handle.peer.start();
    }
    this.#speaker.bfd.refresh(handle);
  }

  /** Why nobody can go on with a session: its OPENs, or its routes, would be another peer's. */
  #misfit(
    { name, settings, peer }: PeerHandle,
    session: SessionImage,
    ribPeer: RibPeer | undefined,
  ): string | undefined {
    const { rooms, config } = this.#speaker;
    if (!suits(peer, session.local, session.remote)) return 'its own address or its link is another one';
    try {
      const { context } = agreementOf(peer.options, session);
      const ends = { context, remoteAddress: session.remote.address, zone: session.remote.zone };
      const identity = ribIdentity({ name, settings }, ends, rooms.placeOf(settings));
      if (ribPeer === undefined || isSamePeer(ribPeer, identity, clusterOf(config, settings)))
        return undefined;
      return 'its kind, cluster or table is another one';
    } catch (error) {
      if (!(error instanceof NotificationError)) throw error;
      return error.message;
    }
  }

  #expect(handle: PeerHandle, { endOfRib, refreshing, ribPeer: writer }: HandedPeer, ribPeer: RibPeer): void {
    const { registry, rib } = this.#speaker;
    const ids = (names: readonly string[]) => names.flatMap((name) => familyByName(name)?.id ?? []);
    registry.handover.expect(handle, {
      ribPeer,
      endOfRib: ids(endOfRib),
      refreshing: ids(refreshing),
      part: (familyId, group) => writer && this.#tables.part(rib.homeOf(ribPeer, familyId), writer.id, group),
    });
  }

  #restart({ settings, restarts, damper }: PeerHandle, image: RestartImage, ribPeer: RibPeer): void {
    const policy = this.#speaker.policies.importPolicy(settings.import);
    ribPeer.importOptions = { ...ribPeer.importOptions, policy };
    restarts.takeOver(ribPeer, image);
    ribPeer.damper = damper;
  }

  #damp({ damper }: PeerHandle, { damping = [] }: HandedPeer): void {
    for (const { table, routes } of damper === undefined ? [] : damping) {
      const rib = this.#tables.tableOf(table);
      if (rib !== undefined) damper?.restore(rib, routes, (prefix) => this.#tables.prefixOf(rib, prefix));
    }
  }

  #cameUp({ restarts }: PeerHandle, { ribPeer, session }: EstablishedPeer): void {
    this.#sessions++;
    // It is back from a restart, and had not confirmed all its routes.
    if (ribPeer.counters.some(({ stale }) => stale > 0))
      restarts.limitStale(ribPeer, session.context.families);
  }

  #socket(handle: PeerHandle, { image: { session } }: HandedPeer): TransportSocket | undefined {
    const { parts } = this.#speaker;
    if (session === undefined) return undefined;
    try {
      return parts.transport.takeOver?.(session, socketOptions(handle.peer.options));
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      parts.log.warn(
        { peer: handle.name, error: error.message },
        'the connection of a peer was lost in the upgrade',
      );
      return undefined;
    }
  }

  /** Nobody goes on with the session. */
  #end(
    { image: { session }, ribPeer }: HandedPeer,
    taken: TransportSocket | undefined,
    subcode: number,
  ): void {
    const { parts, rib } = this.#speaker;
    const plain = { ttl: undefined, minTtl: undefined, password: undefined };
    const socket = taken ?? (session === undefined ? undefined : parts.transport.takeOver?.(session, plain));
    if (socket !== undefined) refuseConnection(parts.clock, socket, subcode, session?.unsent);
    const gone = ribPeer === undefined || taken !== undefined ? undefined : this.#ribPeers.get(ribPeer.id);
    if (gone !== undefined) rib.removePeer(gone);
  }
}

/** Of the same name; at another address it would be another peer. */
function isOf(
  { address: { bytes, zone } }: PeerHandle,
  { range, image: { session }, ribPeer }: HandedPeer,
): boolean {
  const last = session?.remote ?? ribPeer?.identity;
  if (range !== undefined || last === undefined) return range === undefined;
  return mayBeSame(zone, last.zone) && bytesEqual(last.address, bytes);
}
