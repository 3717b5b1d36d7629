// One configured (or admitted) peer over its whole life: admin state, the state machine and, while two connections
// are open, the second one; collision between them, back-off between attempts, counters and what views show. What
// one connection does is connection-fsm.ts's; what its routes do is the business of PeerEvents.
// RFC 4271 §6.8 and §8, RFC 4486, RFC 9003, RFC 5492 §3, RFC 4724 §4.2.

import { CEASE } from '../wire/error-codes.ts';
import type { OpenMessage } from '../wire/open.ts';
import { decodeRouteRefresh } from '../wire/route-refresh.ts';
import type { SessionContext } from '../wire/session-context.ts';
import { CapabilityOffer } from './capability-offer.ts';
import { type CeaseOptions, ceaseNotification } from './cease.ts';
import { dump, survivesCollision } from './collision-loser.ts';
import { ConnectionFsm } from './connection-fsm.ts';
import { MessageCounters } from './counters.ts';
import { disables } from './disable-after.ts';
import { type DownReason, restartAfter } from './down-reason.ts';
import { establishedSession } from './established-session.ts';
import type { EventFacts } from './event-facts.ts';
import type { PeerEvents, Session } from './events.ts';
import { type FsmState, rank } from './fsm-events.ts';
import type { FsmOwner } from './fsm-owner.ts';
import { agreementOf, type PeerImage, peerImage, restoreHistory } from './handover.ts';
import { explain } from './last-heard.ts';
import { localOpen } from './local-open.ts';
import { MessageTape } from './message-tape.ts';
import { compareOptions, type OptionsChange, type PeerOptions, socketOptions } from './options.ts';
import { dialNow, loseLink, rekey } from './outside-events.ts';
import type { PeerDependencies } from './peer-dependencies.ts';
import { PeerHistory } from './peer-history.ts';
import { refuseConnection } from './refuse-connection.ts';
import { RetryPlan } from './retry-plan.ts';
import { TimerSlot } from './timer-slot.ts';
import { sameAuthentication, TransportError, type TransportSocket } from './transport.ts';

export type { PeerDependencies } from './peer-dependencies.ts';

const SECOND = 1000;

export class Peer {
  readonly #dependencies: PeerDependencies;
  readonly #owner: FsmOwner;
  readonly #idleHoldTimer: TimerSlot;
  readonly #retryPlan: RetryPlan;
  readonly #history: PeerHistory;
  readonly counters = new MessageCounters();
  readonly tape: MessageTape;
  #options: PeerOptions;
  #adminUp = false;
  #primary: ConnectionFsm;
  #secondary: ConnectionFsm | undefined;
  #offer = new CapabilityOffer();
  #retired = false;

  constructor(options: PeerOptions, dependencies: PeerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { clock, random, log, onNote } = dependencies;
    this.tape = new MessageTape(clock);
    this.#history = new PeerHistory(clock, log, (note) => onNote?.(this, note));
    this.#retryPlan = new RetryPlan(clock, random, () => this.#options.timers);
    this.#idleHoldTimer = new TimerSlot(clock, () =>
      this.#primary.dispatch({ name: 'IdleHoldTimer_Expires' }),
    );
    this.#owner = this.#makeOwner();
    this.#primary = this.#newFsm(false);
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

  /** Seconds that a peer which has ended with an error stays away. */
  get idleHoldTime(): number {
    return this.#retryPlan.idleHoldMs / SECOND;
  }

  /** As sent last, or as the next one will be. */
  get localOpen(): OpenMessage {
    return this.#leading().localOpen ?? this.#owner.localOpen();
  }

  /** Milliseconds; undefined where a timer does not run. */
  get timersLeft(): ConnectionFsm['timersLeft'] & { readonly idleHold: number | undefined } {
    return { ...this.#leading().timersLeft, idleHold: this.#idleHoldTimer.leftMs };
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

  /** The same by somebody's hand: what waits after a failure waits no longer. */
  startByHand(): void {
    if (this.#idleHoldTimer.running) this.#adminUp = false;
    this.#idleHoldTimer.stop();
    if (!this.#adminUp) this.start();
    else if (!this.#options.passive) this.retryNow();
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

  /** This speaker must end the session: route limit, out of resources, BFD. Backs off, or is down `forGood`. */
  cease(cease: CeaseOptions, forGood = false): void {
    if (forGood) this.#adminUp = false;
    const facts: EventFacts = { cause: 'automatic-stop', detail: cease.text };
    const event = { name: 'AutomaticStop', notification: ceaseNotification(cease) } as const;
    for (const fsm of [this.#secondary, this.#primary]) fsm?.dispatch(event, facts);
  }

  /** The link that the connection runs over is gone: nothing can be said to the peer. Listens, and dials in its time. */
  linkLost(name: string): void {
    loseLink([this.#secondary, this.#primary], name);
  }

  /** What kept connections from coming up is over: dials at once where it would wait. */
  retryNow(): void {
    dialNow(this.#primary);
  }

  /** Takes over changed options; a session that cannot live with them is reset with Cease/6 (RFC 4486 §4). */
  replaceOptions(options: PeerOptions): OptionsChange {
    const change = compareOptions(this.#options, options);
    const keysChanged = !sameAuthentication(options, this.#options);
    this.#options = options;
    if (change === 'reset') {
      this.#offer = new CapabilityOffer();
      this.reset({ subcode: CEASE.otherConfigurationChange });
    } else if (change === 'soft' && rank(this.state) < rank('OpenSent')) {
      // Nobody has been told anything yet: start afresh, so that a new time or mode counts at once.
      if (this.#dependencies.onRetired === undefined) this.reset();
    } else if (keysChanged) {
      const rekeyed = rekey([this.#primary, this.#secondary], socketOptions(options));
      if (!rekeyed) this.reset({ subcode: CEASE.otherConfigurationChange });
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
    dump(this.#secondary);
    this.#secondary = this.#newFsm(true);
    this.#secondary.adopt(socket);
  }

  /** For another process to go on with. */
  handOver(): PeerImage {
    return peerImage(this, this.#leading(), this.#history);
  }

  /**
   * Goes on, before it is started, with what another process knows of it, and over `socket` with its session. Throws
   * NotificationError where that no longer suits the options: the socket is the caller's then.
   */
  takeOver(image: PeerImage, socket: TransportSocket | undefined): void {
    restoreHistory(image, this, this.#history);
    if (image.session === undefined || socket === undefined) return;
    const agreement = agreementOf(this.#options, image.session);
    this.#adminUp = true;
    this.#history.goOn(image.history);
    this.#primary.takeOver(socket, image.session, agreement);
  }

  #newFsm(startsActive: boolean): ConnectionFsm {
    // The second machine only follows an accepted connection; it dials once it has become the first.
    const mayDial = (self: ConnectionFsm) => self === this.#primary && !this.#options.passive;
    return new ConnectionFsm(this.#owner, { mayDial, startsActive });
  }

  #leading(): ConnectionFsm {
    const second = this.#secondary;
    if (second === undefined) return this.#primary;
    return rank(second.state) > rank(this.#primary.state) ? second : this.#primary;
  }

  #makeOwner(): FsmOwner {
    const { events, log, onRetired: _, onNote: __, evidence, ...tools } = this.#dependencies;
    const peer = this;
    return {
      ...tools,
      log,
      tape: this.tape,
      counters: this.counters,
      explain: (facts) => explain(facts, this.#options, evidence && (() => evidence(this))),
      get options() {
        return peer.#options;
      },
      connectRetryMs: () => this.#retryPlan.takeDialDelay(),
      localOpen: () => localOpen(this.#options, this.#offer.made),
      survivesCollision: (fsm, context) =>
        survivesCollision(fsm, fsm === this.#primary ? this.#secondary : this.#primary, context),
      startIdleHoldTimer: () => this.#idleHoldTimer.start(this.#retryPlan.idleHoldMs),
      stateChanged: () => this.#showState(),
      unanswered: (reason) => this.#history.down(this.name, reason, false),
      makeSession: (fsm) => establishedSession(this, fsm),
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
    if (this.#history.state(this.state)) this.#tell((events) => events.onStateChange(this));
  }

  #established(fsm: ConnectionFsm, session: Session): void {
    this.#history.up(this.name, session.context);
    this.#retryPlan.cameUp();
    this.#offer.cameUp();
    const other = fsm === this.#primary ? this.#secondary : this.#primary;
    [this.#primary, this.#secondary] = [fsm, other];
    // RFC 4271 §6.8: what has not come as far as an OPEN can no longer win; an open one is tracked until its OPEN.
    if (other !== undefined && rank(other.state) < rank('OpenSent')) dump(other);
    this.#dependencies.events.onEstablished(session);
  }

  #ended(fsm: ConnectionFsm, reason: DownReason, session: Session | undefined): void {
    const only = this.#secondary === undefined;
    // Before anybody is told: routes of a peer that does not come back are not waited for.
    if (only && this.#staysDown(reason)) this.#adminUp = false;
    if (fsm === this.#primary && this.#secondary !== undefined) this.#primary = this.#secondary;
    if (!only) {
      this.#secondary = undefined;
      fsm.dispose();
    }
    // Losing one of two connections is no failure of the peer.
    if (only || session !== undefined) this.#history.down(this.name, reason, session !== undefined);
    this.#showState();
    if (session !== undefined) this.#tell((events) => events.onDown(session, reason));
    if (only && this.#adminUp && fsm === this.#primary) this.#goOn(reason);
  }

  /** A dynamic peer ends in any case, and a new one may come. */
  #staysDown(reason: DownReason): boolean {
    const { onRetired, log } = this.#dependencies;
    if (onRetired !== undefined || !disables(this.#options.disableAfter, reason)) return false;
    log.warn({ peer: this.name }, 'the peer stays down until it is enabled, as its configuration wants');
    return true;
  }

  /** A defect of whoever listens must not end the process, nor keep this peer from going on. */
  #tell(news: (events: PeerEvents) => void): void {
    try {
      news(this.#dependencies.events);
    } catch (error) {
      this.#dependencies.log.error({ peer: this.name, err: error }, 'defect while handling news of a peer');
    }
  }

  #goOn(reason: DownReason): void {
    if (this.#dependencies.onRetired !== undefined) {
      this.#retire();
      return;
    }
    // OpenSent went to Active: the state machine has started its own ConnectRetryTimer.
    if (this.#primary.state !== 'Idle') return;
    const offered = localOpen(this.#options, this.#offer.made).capabilities.length > 0;
    const restart = this.#offer.isRefused(reason, offered) ? 'soon' : restartAfter(reason);
    this.#primary.dispatch({ name: this.#retryPlan.startAgain(restart) });
  }

  #stopBoth(cease: CeaseOptions, cause: 'admin-stop' | 'admin-reset'): void {
    this.#idleHoldTimer.stop();
    const notification = ceaseNotification(cease);
    const facts: EventFacts = { cause, detail: cease.text };
    this.#secondary?.dispatch({ name: 'ManualStop', notification }, facts);
    this.#primary.dispatch({ name: 'ManualStop', notification }, facts);
  }

  #retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#adminUp = false;
    this.#dependencies.onRetired?.(this);
  }
}
