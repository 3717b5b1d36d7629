// One configured (or admitted) peer over its whole life: admin state, the state machine and, while two connections
// are open, the second one; collision between them, back-off between attempts, counters and what views show. What
// one connection does is connection-fsm.ts's; what its routes do is the business of PeerEvents.
// RFC 4271 §6.8 and §8, RFC 4486, RFC 9003, RFC 5492 §3, RFC 4724 §4.2.

import type { Clock, Random } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { describeCapability } from '../wire/capabilities.ts';
import { CEASE, ERROR, OPEN_ERROR } from '../wire/error-codes.ts';
import { lastCapability } from '../wire/negotiate.ts';
import { encodeShutdownText, NotificationError } from '../wire/notification.ts';
import type { OpenMessage } from '../wire/open.ts';
import { decodeRouteRefresh } from '../wire/route-refresh.ts';
import type { SessionContext } from '../wire/session-context.ts';
import { resolveCollision } from './collision.ts';
import { ConnectionFsm, type FsmOwner } from './connection-fsm.ts';
import { MessageCounters } from './counters.ts';
import { type DownReason, restartAfter } from './down-reason.ts';
import { EstablishedSession } from './established-session.ts';
import type { EventFacts } from './event-facts.ts';
import type { PeerEvents, Session } from './events.ts';
import { FSM_STATES, type FsmState } from './fsm-events.ts';
import { localOpen } from './local-open.ts';
import { compareOptions, type OptionsChange, type PeerOptions, socketOptions } from './options.ts';
import { PeerHistory } from './peer-history.ts';
import { refuseConnection } from './refuse-connection.ts';
import { RetryPlan } from './retry-plan.ts';
import { TimerSlot } from './timer-slot.ts';
import { type Transport, TransportError, type TransportSocket } from './transport.ts';

const SECOND = 1000;
/** RFC 9003 §2: what peers that know only its predecessor can take. */
const SAFE_SHUTDOWN_TEXT = 128;

export interface PeerDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly log: Logger;
  readonly events: PeerEvents;
  /** Set for a dynamic peer: called once when its connection has ended, instead of another attempt. */
  readonly onRetired?: (peer: Peer) => void;
}

/** What a Cease says (RFC 4486 §3). */
export interface CeaseOptions {
  /** 2, 3, 4, 6... of CEASE. */
  readonly subcode: number;
  /** RFC 9003 §2; travels with subcodes 2 and 4 only, and stands in the log in any case. */
  readonly text?: string | undefined;
  /** For subcodes that have data of their own (RFC 4486 §4: the prefix limit). */
  readonly data?: Uint8Array | undefined;
}

export class Peer {
  readonly #dependencies: PeerDependencies;
  readonly #owner: FsmOwner;
  readonly #idleHoldTimer: TimerSlot;
  readonly #retryPlan: RetryPlan;
  readonly #history: PeerHistory;
  readonly counters = new MessageCounters();
  #options: PeerOptions;
  #adminUp = false;
  #primary: ConnectionFsm;
  #secondary: ConnectionFsm | undefined;
  #withCapabilities = true;
  #retired = false;

  constructor(options: PeerOptions, dependencies: PeerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { clock, random, log } = dependencies;
    this.#history = new PeerHistory(clock, log);
    this.#retryPlan = new RetryPlan(clock, random, () => this.#options.timers);
    this.#idleHoldTimer = new TimerSlot(clock, () =>
      this.#primary.dispatch({ name: 'IdleHoldTimer_Expires' }),
    );
    this.#owner = this.#makeOwner();
    this.#primary = this.#newPrimary();
  }

  get name(): string {
    return this.#options.name;
  }

  get options(): PeerOptions {
    return this.#options;
  }

  get adminUp(): boolean {
    return this.#adminUp;
  }

  /** Of the two state machines, the one that is further. */
  get state(): FsmState {
    return this.#leading().state;
  }

  /** Wall-clock milliseconds of the last change of `state`. */
  get since(): number {
    return this.#history.since;
  }

  get session(): Session | undefined {
    return this.#primary.session ?? this.#secondary?.session;
  }

  /** Why the last session ended or the last attempt failed. */
  get lastDown(): DownReason | undefined {
    return this.#history.lastDown;
  }

  /** Wall-clock milliseconds. */
  get lastDownAt(): number | undefined {
    return this.#history.lastDownAt;
  }

  get establishedCount(): number {
    return this.#history.establishedCount;
  }

  get downCount(): number {
    return this.#history.downCount;
  }

  /** ConnectRetryCounter of RFC 4271 §8. */
  get retryCounter(): number {
    return this.#primary.retryCounter;
  }

  /** What the OPENs agreed on, from OpenConfirm on. */
  get context(): SessionContext | undefined {
    return this.#leading().context;
  }

  /** Seconds; undefined before OpenConfirm. */
  get holdTime(): number | undefined {
    return this.context?.holdTime;
  }

  get keepaliveTime(): number | undefined {
    return this.context === undefined ? undefined : this.#leading().keepaliveMs / SECOND;
  }

  /** One line each, as sent in the last OPEN or as the next one will have them. */
  get localCapabilities(): string[] {
    return (this.#leading().localOpen ?? this.#owner.localOpen()).capabilities.map(describeCapability);
  }

  get peerCapabilities(): string[] {
    return this.#leading().remoteOpen?.capabilities.map(describeCapability) ?? [];
  }

  get remoteOpen(): OpenMessage | undefined {
    return this.#leading().remoteOpen;
  }

  get queuedBytes(): number {
    return this.#leading().connection?.queuedBytes ?? 0;
  }

  get congested(): boolean {
    return this.#leading().connection?.congested ?? false;
  }

  /** Local address of the connection that leads; the configured one where there is none. */
  get localAddress(): Uint8Array | undefined {
    return this.#leading().connection?.socket?.local.address ?? this.#options.localAddress;
  }

  /** Admin up: listen, and dial unless passive. Does nothing where it is up. */
  start(): void {
    if (this.#adminUp) return;
    this.#adminUp = true;
    this.#primary.dispatch({ name: this.#retryPlan.startByHand(this.#options.passive) });
  }

  /** Admin down, with a Cease to the peer; 6/2 Administrative Shutdown unless told otherwise. */
  stop(cease: CeaseOptions = { subcode: CEASE.administrativeShutdown }): void {
    if (!this.#adminUp) return;
    this.#adminUp = false;
    this.#stopBoth(cease, 'admin-stop');
  }

  /** Ends the session with a Cease and starts again; 6/4 Administrative Reset unless told otherwise. */
  reset(cease: CeaseOptions = { subcode: CEASE.administrativeReset }): void {
    if (!this.#adminUp) return;
    this.#adminUp = false;
    this.#stopBoth(cease, 'admin-reset');
    // Whoever was told of the end may have taken the peer down, or started it.
    if (this.#adminUp || this.#retired) return;
    if (this.#dependencies.onRetired !== undefined) this.#retire();
    else this.start();
  }

  /** This speaker must end the session: prefix limit, out of resources, BFD. Backs off before the next one. */
  cease(cease: CeaseOptions): void {
    const facts: EventFacts = { cause: 'automatic-stop', detail: cease.text };
    const notification = this.#ceaseNotification(cease);
    this.#secondary?.dispatch({ name: 'AutomaticStop', notification }, facts);
    this.#primary.dispatch({ name: 'AutomaticStop', notification }, facts);
  }

  /** Takes over changed options; a session that cannot live with them is reset with Cease/6 (RFC 4486 §4). */
  replaceOptions(options: PeerOptions): OptionsChange {
    const change = compareOptions(this.#options, options);
    const passwordChanged = options.password?.reveal() !== this.#options.password?.reveal();
    this.#options = options;
    if (change === 'reset') {
      this.#withCapabilities = true;
      this.reset({ subcode: CEASE.otherConfigurationChange });
    } else if (passwordChanged) {
      this.#rekey();
    }
    return change;
  }

  /** An accepted connection from this peer; refused where the peer is down or waits in Idle. */
  acceptConnection(socket: TransportSocket): void {
    const { clock, log } = this.#dependencies;
    if (!this.#adminUp) {
      // RFC 4486 §4: "disallows a connection after it accepts a transport protocol connection".
      refuseConnection(clock, socket, CEASE.connectionRejected);
      return;
    }
    if (this.#primary.state === 'Idle') {
      // RFC 4271 §8.2.2: Idle refuses; without a NOTIFICATION, which would make the peer back off in turn.
      socket.destroy();
      return;
    }
    try {
      socket.configure(socketOptions(this.#options));
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      log.warn({ peer: this.name, error: error.message }, 'connection refused: socket options failed');
      socket.destroy();
      return;
    }
    if (this.#primary.state === 'Active' && this.#primary.connection === undefined) {
      this.#primary.adopt(socket);
      return;
    }
    // A third connection means that the peer has given up the second.
    this.#dump(this.#secondary);
    this.#secondary = new ConnectionFsm(this.#owner, { mayDial: () => false, startsActive: true });
    this.#secondary.adopt(socket);
  }

  #newPrimary(): ConnectionFsm {
    return new ConnectionFsm(this.#owner, {
      mayDial: () => !this.#options.passive,
      startsActive: false,
    });
  }

  #leading(): ConnectionFsm {
    const second = this.#secondary;
    if (second === undefined) return this.#primary;
    return rank(second.state) > rank(this.#primary.state) ? second : this.#primary;
  }

  #makeOwner(): FsmOwner {
    const { clock, random, transport, log, events } = this.#dependencies;
    const peer = this;
    return {
      clock,
      random,
      transport,
      log,
      counters: this.counters,
      get options() {
        return peer.#options;
      },
      connectRetryMs: () => this.#retryPlan.takeDialDelay(),
      localOpen: () => localOpen(this.#options, this.#withCapabilities),
      survivesCollision: (fsm, context) => this.#survivesCollision(fsm, context),
      startIdleHoldTimer: () => this.#idleHoldTimer.start(this.#retryPlan.idleHoldMs),
      stateChanged: () => this.#showState(),
      unanswered: (reason) => this.#history.down(this.name, reason, false),
      makeSession: (fsm) => this.#makeSession(fsm),
      established: (fsm, session) => this.#established(fsm, session),
      update: (session, buffer, start, end) => events.onUpdate(session, buffer, start, end),
      routeRefresh: (session, buffer, start, end) => {
        const refresh = decodeRouteRefresh(buffer, start, end, session.context);
        if ('ignored' in refresh) log.info({ peer: this.name, ...refresh }, 'ROUTE-REFRESH ignored');
        else events.onRouteRefresh(session, refresh.family, refresh.subtype);
      },
      drained: (session) => events.onDrain(session),
      ended: (fsm, reason, session) => this.#ended(fsm, reason, session),
    };
  }

  #showState(): void {
    if (this.#history.state(this.state)) this.#dependencies.events.onStateChange(this);
  }

  #established(fsm: ConnectionFsm, session: Session): void {
    this.#history.up(this.name, session.context);
    // RFC 4271 §6.8: what has not come as far as an OPEN can no longer win; an open one is tracked until its OPEN.
    const other = fsm === this.#primary ? this.#secondary : this.#primary;
    if (other !== undefined && rank(other.state) < rank('OpenSent')) this.#dump(other);
    this.#dependencies.events.onEstablished(session);
  }

  #makeSession(fsm: ConnectionFsm): Session {
    const { context, connection } = fsm;
    const socket = connection?.socket;
    if (context === undefined || connection === undefined || socket === undefined) {
      throw new Error('Established without a connection');
    }
    return new EstablishedSession(this, context, connection, {
      local: socket.local,
      remote: socket.remote,
      interface: this.#options.interface,
    });
  }

  #survivesCollision(fsm: ConnectionFsm, context: SessionContext): boolean {
    const other = fsm === this.#primary ? this.#secondary : this.#primary;
    const initiator = fsm.connection?.initiator;
    const otherInitiator = other?.connection?.initiator;
    if (other === undefined || initiator === undefined || otherInitiator === undefined) return true;
    const loser = resolveCollision({
      localId: context.localId,
      remoteId: context.peerId,
      localAs: context.localAs,
      remoteAs: context.peerAs,
      existing: { state: other.state, initiator: otherInitiator },
      fresh: { initiator },
      peerMayRestart: agreedOnRestart(other),
    });
    if (loser === 'none') return true;
    if (loser === 'fresh') {
      this.#dump(fsm);
      return false;
    }
    if (other.state === 'Established') {
      // RFC 4724 §4.2: the old session is taken for dead, and no NOTIFICATION is sent over it.
      other.dispatch({ name: 'TcpConnectionFails' }, { cause: 'peer-restarted' });
    } else {
      this.#dump(other);
    }
    return true;
  }

  #dump(fsm: ConnectionFsm | undefined): void {
    const notification = new NotificationError(ERROR.cease, CEASE.collisionResolution);
    fsm?.dispatch({ name: 'OpenCollisionDump', notification });
  }

  #ended(fsm: ConnectionFsm, reason: DownReason, session: Session | undefined): void {
    const { events } = this.#dependencies;
    if (fsm === this.#secondary) this.#secondary = undefined;
    else if (this.#secondary !== undefined) {
      this.#primary = this.#secondary;
      this.#secondary = undefined;
    }
    const replaced = fsm !== this.#primary;
    // Losing one of two connections is no failure of the peer.
    if (!replaced || session !== undefined) this.#history.down(this.name, reason, session !== undefined);
    this.#showState();
    if (session !== undefined) events.onDown(session, reason);
    if (!replaced && this.#adminUp && fsm === this.#primary) this.#goOn(reason);
  }

  #goOn(reason: DownReason): void {
    if (this.#dependencies.onRetired !== undefined) {
      this.#retire();
      return;
    }
    // OpenSent went to Active: the state machine has started its own ConnectRetryTimer.
    if (this.#primary.state !== 'Idle') return;
    const restart = this.#capabilitiesRefused(reason) ? 'soon' : restartAfter(reason);
    this.#primary.dispatch({ name: this.#retryPlan.startAgain(restart) });
  }

  /** RFC 5492 §3: a peer that answers 2/4 gets an OPEN without capabilities next, once. */
  #capabilitiesRefused(reason: DownReason): boolean {
    const { received } = reason;
    const refused = received?.code === ERROR.open && received.subcode === OPEN_ERROR.unsupportedParameter;
    if (!refused || !this.#withCapabilities || !this.#options.capabilities.enabled) return false;
    this.#withCapabilities = false;
    return true;
  }

  #stopBoth(cease: CeaseOptions, cause: 'admin-stop' | 'admin-reset'): void {
    this.#idleHoldTimer.stop();
    const notification = this.#ceaseNotification(cease);
    const facts: EventFacts = { cause, detail: cease.text };
    this.#secondary?.dispatch({ name: 'ManualStop', notification }, facts);
    this.#primary.dispatch({ name: 'ManualStop', notification }, facts);
  }

  #ceaseNotification(cease: CeaseOptions): NotificationError {
    const { subcode, text } = cease;
    const carriesText = subcode === CEASE.administrativeShutdown || subcode === CEASE.administrativeReset;
    // RFC 9003 §2: at most 128 octets towards a peer whose support is not known; nothing announces it.
    const data =
      text !== undefined && carriesText ? encodeShutdownText(text, SAFE_SHUTDOWN_TEXT) : cease.data;
    return new NotificationError(ERROR.cease, subcode, data);
  }

  #rekey(): void {
    for (const fsm of [this.#primary, this.#secondary]) {
      try {
        fsm?.connection?.socket?.configure(socketOptions(this.#options));
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        this.reset({ subcode: CEASE.otherConfigurationChange });
        return;
      }
    }
  }

  #retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#adminUp = false;
    this.#dependencies.onRetired?.(this);
  }
}

function rank(state: FsmState): number {
  return FSM_STATES.indexOf(state);
}

/** RFC 4724: both sides sent the capability. */
function agreedOnRestart(fsm: ConnectionFsm): boolean {
  const { localOpen: local, remoteOpen: remote } = fsm;
  if (local === undefined || remote === undefined) return false;
  return (
    lastCapability(local, 'graceful-restart') !== undefined &&
    lastCapability(remote, 'graceful-restart') !== undefined
  );
}
