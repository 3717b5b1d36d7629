// All peers of the speaker and what happens when a session comes and goes. It implements PeerEvents: sessions call
// in here; received UPDATEs go on to the pipeline, established peers join their update groups, departed ones leave
// the RIB.

import type { CeaseOptions } from '../bgp/session/cease.ts';
import type { DownReason } from '../bgp/session/down-reason.ts';
import type { PeerEvents, Session } from '../bgp/session/events.ts';
import { Peer, type PeerDependencies } from '../bgp/session/peer.ts';
import { CEASE } from '../bgp/wire/error-codes.ts';
import type { Family } from '../bgp/wire/families.ts';
import { encodeRouteRefresh, REFRESH_SUBTYPE } from '../bgp/wire/route-refresh.ts';
import { DecodeScratch } from '../bgp/wire/update-decoder.ts';
import type { Config, PeerSettings } from '../config/model.ts';
import { sameValue } from '../config/peer-changes.ts';
import { equalAddresses, type IpAddress, parseAddress } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import { type Concerns, reimport } from '../rib/adj-rib-in.ts';
import type { Damper } from '../rib/damper.ts';
import type { Rib } from '../rib/rib.ts';
import { CommandError } from './api.ts';
import { EstablishedPeer } from './established-peer.ts';
import { type PeerLimits, peerLimits, sinkOf } from './limited-peer.ts';
import { interfaceOf, type OwnAddress, type OwnAddresses } from './own-addresses.ts';
import { useDamping } from './peer-damping.ts';
import { peerOptions } from './peer-options.ts';
import type { Pipeline } from './pipeline.ts';
import type { Policies } from './policies.ts';
import { RestartHelper } from './restart-helper.ts';
import { type RestartOffer, restartOffer } from './restart-offer.ts';
import type { RestartFlags } from './restart-recovery.ts';
import { type HandedSession, ribPeerOf, SessionHandover } from './session-handover.ts';
import { exportOptions, importOptions, ribIdentity } from './session-options.ts';
import type { TableRooms } from './table-rooms.ts';

export interface PeerHandle {
  readonly name: string;
  /** The range that admitted a dynamic peer. */
  readonly range: string | undefined;
  readonly address: IpAddress;
  settings: PeerSettings;
  readonly peer: Peer;
  established: EstablishedPeer | undefined;
  readonly restarts: RestartHelper;
  /** What the OPEN of the present session said of restarts. */
  restartOffer: RestartOffer | undefined;
  /** What the OPEN of this side says of restarts. */
  readonly restartFlags: () => RestartFlags;
  /** RFC 8326: its routes, and those it is sent, are the last resort. */
  draining: boolean;
  readonly limits: PeerLimits;
  /** RFC 2439; undefined where its routes may flap. */
  damper: Damper | undefined;
}

export interface RegistryDependencies {
  readonly session: Omit<PeerDependencies, 'events' | 'onRetired'>;
  /** Where what happens beside sessions is told; else as everything of a session. */
  readonly logOf?: ((part: 'limits' | 'restarts') => Logger) | undefined;
  readonly rib: Rib;
  readonly pipeline: Pipeline;
  readonly addresses: OwnAddresses;
  readonly policies: Policies;
  readonly rooms: TableRooms;
  readonly version: string;
  /** Calls back in the next turn of the loop. */
  readonly defer: (fn: () => void) => void;
  readonly restartFlags: (address: IpAddress, settings: PeerSettings) => RestartFlags;
  /** The state or the settings of a peer changed. */
  readonly onChange: (handle: PeerHandle) => void;
  /** The peer is no more. */
  readonly onForgotten: (handle: PeerHandle) => void;
  /** A session came up or, where there is a reason, ended. */
  readonly onSession: (handle: PeerHandle, ended?: DownReason) => void;
  /** A session came or went, or a peer has sent all it has of a family. */
  readonly onProgress: () => void;
}

export class PeerRegistry implements PeerEvents {
  readonly #dependencies: RegistryDependencies;
  readonly #byName = new Map<string, PeerHandle>();
  readonly #byPeer = new Map<Peer, PeerHandle>();
  readonly #scratch = new DecodeScratch();
  #config: Config;
  /** Peers to come are drained, too. */
  #drainsAll = false;
  readonly handover: SessionHandover;

  constructor(config: Config, dependencies: RegistryDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.handover = new SessionHandover(dependencies.pipeline);
  }

  values(): IterableIterator<PeerHandle> {
    return this.#byName.values();
  }

  get anyEstablished(): boolean {
    for (const { established } of this.#byName.values()) if (established !== undefined) return true;
    return false;
  }

  /** Throws CommandError for an unknown name; a peer may also be named by its address. */
  get(name: string): PeerHandle {
    const handle = this.find(name);
    if (handle === undefined) {
      throw new CommandError('not-found', `there is no peer "${name}"; "show peers" lists them`);
    }
    return handle;
  }

  /** By name alone. */
  named(name: string): PeerHandle | undefined {
    return this.#byName.get(name);
  }

  /** By name, or by address. */
  find(name: string): PeerHandle | undefined {
    const address = this.#byName.has(name) ? undefined : parseAddress(name);
    if (address === undefined) return this.#byName.get(name);
    for (const handle of this.#byName.values()) if (equalAddresses(handle.address, address)) return handle;
    return undefined;
  }

  ofPeer(peer: Peer): PeerHandle | undefined {
    return this.#byPeer.get(peer);
  }

  /**
   * Adds a peer, not started. `onRetired` is for dynamic peers, which end with their connection; `restarts` for one
   * that is back while its routes wait.
   */
  add(
    identity: { name: string; address: IpAddress; range: string | undefined },
    settings: PeerSettings,
    onRetired?: (peer: Peer) => void,
    restarts?: RestartHelper,
  ): PeerHandle {
    const { version } = this.#dependencies;
    const restartFlags = (): RestartFlags =>
      this.#dependencies.restartFlags(identity.address, handle.settings);
    const options = peerOptions(this.#config, settings, identity, version, restartFlags);
    const peer = new Peer(options, {
      ...this.#dependencies.session,
      events: this,
      ...(onRetired === undefined ? {} : { onRetired }),
    });
    const handle: PeerHandle = {
      ...identity,
      settings,
      peer,
      established: undefined,
      restarts: restarts ?? this.#newRestarts(),
      restartOffer: undefined,
      restartFlags,
      draining: this.#drainsAll,
      limits: peerLimits(
        settings.limits,
        identity.name,
        () => handle,
        this.#dependencies,
        (cease, forGood) => this.#end(handle, cease, forGood),
      ),
      damper: undefined,
    };
    useDamping(handle, this.#dependencies);
    this.#byName.set(identity.name, handle);
    this.#byPeer.set(peer, handle);
    return handle;
  }

  #newRestarts(): RestartHelper {
    const { rib, session, logOf } = this.#dependencies;
    return new RestartHelper(rib, session.clock, logOf?.('restarts') ?? session.log);
  }

  /** Ends the session (Cease 6/3 for a peer that is no longer configured) and forgets the peer. */
  remove(handle: PeerHandle): void {
    handle.peer.stop({ subcode: CEASE.peerDeconfigured });
    handle.restarts.giveUp();
    this.forget(handle);
  }

  /** Forgets a peer that has ended by itself; routes that wait for its restart stay. */
  forget(handle: PeerHandle): void {
    handle.damper?.close();
    this.#byName.delete(handle.name);
    this.#byPeer.delete(handle.peer);
    this.#dependencies.onForgotten(handle);
  }

  /** Admin down: the session ends, and routes that wait for its restart go. */
  stop(handle: PeerHandle, reason: string | undefined): void {
    handle.peer.stop({ subcode: CEASE.administrativeShutdown, text: reason });
    handle.restarts.giveUp();
    this.#dependencies.onChange(handle);
  }

  /** A limit of the peer is exceeded. */
  #end(handle: PeerHandle, cease: CeaseOptions, forGood: boolean): void {
    handle.peer.cease(cease, forGood);
    if (forGood) handle.restarts.giveUp();
    this.#dependencies.onChange(handle);
  }

  /** New settings for a peer; what the session can take without a reset, it takes. */
  update(handle: PeerHandle, config: Config, settings: PeerSettings): void {
    if (!sameValue(handle.settings.limits, settings.limits)) handle.limits.use(settings.limits);
    handle.settings = settings;
    const { version } = this.#dependencies;
    handle.peer.replaceOptions(peerOptions(config, settings, handle, version, handle.restartFlags));
    if (handle.established !== undefined) handle.established.settings = settings;
    useDamping(handle, this.#dependencies);
    this.#dependencies.onChange(handle);
  }

  /** RFC 8326 §4: one peer, or all of them where none is named. Throws CommandError for an unknown name. */
  drain(name: string | undefined, on: boolean): void {
    if (name === undefined) this.#drainsAll = on;
    for (const handle of name === undefined ? this.values() : [this.get(name)]) {
      if (handle.draining === on) continue;
      handle.draining = on;
      this.refreshIn(handle);
      this.refreshOut(handle);
    }
  }

  get drainsAll(): boolean {
    return this.#drainsAll;
  }

  useConfig(config: Config): void {
    this.#config = config;
  }

  /** Import options as configured now; the routes at hand go through import again, or those that are concerned. */
  refreshIn(handle: PeerHandle, concerns?: Concerns): void {
    const { established } = handle;
    if (established === undefined) return;
    const { rib } = this.#dependencies;
    const { ribPeer, session } = established;
    ribPeer.importOptions = importOptions(
      this.#config,
      handle.settings,
      session,
      this.#dependencies.policies,
      handle.draining,
    );
    for (const family of session.context.families) {
      rib.addWork(reimport(rib.homeOf(ribPeer, family.id), ribPeer, rib.checks, concerns));
    }
    rib.addWork({
      run: () => {
        handle.limits.reviewSoon();
        return false;
      },
    });
  }

  /** Export options as configured now; a peer whose group changes is sent the difference. */
  refreshOut(...handles: readonly PeerHandle[]): void {
    // Once for all: the system takes its time to list many interfaces.
    const own = this.#dependencies.addresses();
    for (const handle of handles) {
      if (handle.established !== undefined) this.#joinGroups(handle, handle.established, own);
    }
  }

  // ----- PeerEvents

  onEstablished(session: Session): void {
    const handle = this.#handleOf(session.peer);
    const { rib, session: tools, addresses } = this.#dependencies;
    const { context } = session;
    const zone = session.zone ?? interfaceOf(addresses(), session.localAddress);
    const identity = ribIdentity(handle, session, this.#dependencies.rooms.placeOf(handle.settings));
    const checks = importOptions(
      this.#config,
      handle.settings,
      session,
      this.#dependencies.policies,
      handle.draining,
    );
    handle.restartOffer = restartOffer(session.peer.remoteOpen, handle.settings.gracefulRestart);
    const handed = this.handover.take(handle);
    const ribPeer = ribPeerOf(rib, handle, handed, context.families, { identity, checks });
    handle.limits.begin(ribPeer);
    const established = new EstablishedPeer(session, ribPeer, handle.settings, {
      clock: tools.clock,
      log: tools.log,
      scratch: this.#scratch,
      zone,
      limits: handle.limits,
      onEndOfRib: (family) => {
        handle.restarts.synchronized(family);
        this.#dependencies.onProgress();
      },
    });
    handle.established = established;
    this.handover.came(session, established, handed);
    ribPeer.damper = handle.damper;
    this.#dependencies.onSession(handle);
    this.#joinGroups(handle, established, this.#dependencies.addresses(), handed);
    this.#dependencies.onProgress();
  }

  onUpdate(session: Session, buffer: Uint8Array, start: number, end: number): void {
    const { established } = this.#handleOf(session.peer);
    if (established?.session === session)
      this.#dependencies.pipeline.receive(established.updates, buffer, start, end);
  }

  onRouteRefresh(session: Session, family: Family, subtype: 0 | 1 | 2): void {
    const handle = this.#handleOf(session.peer);
    const { established } = handle;
    if (established?.session !== session) return;
    const { pipeline } = this.#dependencies;
    if (subtype === REFRESH_SUBTYPE.request) {
      this.resend(established, family);
    } else if (subtype === REFRESH_SUBTYPE.end) {
      // RFC 7313 §4: an EoRR without its BoRR says nothing.
      if (established.refreshing.delete(family.id)) pipeline.endRefresh(established.updates, family);
    } else if (!this.#sendsEndOfRib(handle) || established.endOfRib.has(family.id)) {
      established.refreshing.add(family.id);
      pipeline.beginRefresh(established.updates, family);
    }
  }

  onDrain(_session: Session): void {
    this.#dependencies.rib.wakeExport();
  }

  onDown(session: Session, reason: DownReason): void {
    const handle = this.#byPeer.get(session.peer);
    const established = handle?.established;
    if (handle === undefined || established?.session !== session) return;
    handle.established = undefined;
    handle.limits.finish();
    const helps = handle.settings.gracefulRestart.mode !== 'off' && handle.peer.adminUp;
    const offer = helps ? handle.restartOffer : undefined;
    if (!handle.restarts.suspend(established.ribPeer, offer, reason, established.patient)) {
      this.#dependencies.rib.removePeer(established.ribPeer);
    }
    this.#dependencies.onSession(handle, reason);
    this.#dependencies.onProgress();
  }

  onStateChange(peer: Peer): void {
    const handle = this.#byPeer.get(peer);
    if (handle !== undefined) this.#dependencies.onChange(handle);
  }

  /** RFC 2918 §4, RFC 7313 §4: the whole Adj-RIB-Out of a family again. */
  resend(established: EstablishedPeer, family: Family): void {
    const { ribPeer, session } = established;
    const group = this.#dependencies.rib.groupsOf(ribPeer, family.id).groupOf(ribPeer.id);
    if (group === undefined) return;
    // RFC 7313 §4: demarcation only towards a peer that knows it, and not before the initial End-of-RIB.
    const demarcate = session.context.enhancedRouteRefresh && group.endOfRibSent(ribPeer.id);
    const before = demarcate ? encodeRouteRefresh(family, REFRESH_SUBTYPE.begin) : undefined;
    const after = demarcate ? encodeRouteRefresh(family, REFRESH_SUBTYPE.end) : undefined;
    group.refresh(ribPeer.id, before, after);
  }

  /** RFC 7313 §4: with graceful restart on both sides a BoRR counts only after the peer's End-of-RIB. */
  #sendsEndOfRib({ restartOffer, settings }: PeerHandle): boolean {
    return restartOffer !== undefined && settings.gracefulRestart.mode !== 'off';
  }

  #joinGroups(
    { name, settings, limits, draining }: PeerHandle,
    { session, ribPeer }: EstablishedPeer,
    own: readonly OwnAddress[],
    handed?: HandedSession,
  ): void {
    const { rib, policies } = this.#dependencies;
    for (const family of session.context.families) {
      const options = exportOptions(this.#config, settings, family, session, own, policies, draining);
      const limit = limits.exportLimit(family);
      const evaluateAllFor = settings.evaluateAll ? name : undefined;
      const request = { peer: ribPeer, sink: sinkOf(session, limit, limits) };
      rib
        .groupsOf(ribPeer, family.id)
        .join({ ...options, limit, evaluateAllFor }, request, (group) => handed?.part(family.id, group));
    }
  }

  #handleOf(peer: Peer): PeerHandle {
    const handle = this.#byPeer.get(peer);
    if (handle === undefined) throw new RangeError(`peer ${peer.name} is not registered`);
    return handle;
  }
}
