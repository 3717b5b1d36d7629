// One state machine at work: turns timers, TCP and messages into events of fsm.ts and carries out its actions on
// one connection. A peer has one of these, and a second one while two connections are open; what concerns both
// (admin state, collision, back-off) is peer.ts's.
//
// An UPDATE in Established does not pass through the table: it is handed on directly (liveness.ts looks at time
// stamps for the same reason).

import { encodeKeepalive } from '../wire/header.ts';
import { MESSAGE_TYPE } from '../wire/iana.ts';
import {
  decodeNotification,
  encodeNotification,
  NotificationError,
  type NotificationMessage,
} from '../wire/notification.ts';
import { decodeOpen, encodeOpen, type OpenMessage } from '../wire/open.ts';
import type { SessionContext } from '../wire/session-context.ts';
import { hardenedCease, keepsRoutesOverNotifications } from './cease.ts';
import type { Initiator } from './collision.ts';
import { Connection, type ConnectionHandlers } from './connection.ts';
import { type EventFacts, eventForError, eventForNotification, factsOf } from './event-facts.ts';
import type { Session } from './events.ts';
import { fsmStep } from './fsm.ts';
import type { FsmAction, FsmContext, FsmEvent, FsmState, SimpleAction } from './fsm-events.ts';
import type { FsmOwner } from './fsm-owner.ts';
import type { Agreement, SessionImage } from './handover.ts';
import { LastHeard, SILENT } from './last-heard.ts';
import { Liveness } from './liveness.ts';
import { agree } from './local-open.ts';
import { socketOptions } from './options.ts';
import { TimerSlot } from './timer-slot.ts';
import type { TransportError, TransportSocket } from './transport.ts';

const SECOND = 1000;

export class ConnectionFsm {
  readonly #owner: FsmOwner;
  readonly #mayDial: (self: ConnectionFsm) => boolean;
  readonly #connectRetryTimer: TimerSlot;
  readonly #delayOpenTimer: TimerSlot;
  readonly #liveness: Liveness;
  readonly #heard: LastHeard;
  readonly #actions: Readonly<Record<SimpleAction, () => void>>;
  #state: FsmState = 'Idle';
  #connection: Connection | undefined;
  #session: Session | undefined;
  #local: OpenMessage | undefined;
  #remote: OpenMessage | undefined;
  #context: SessionContext | undefined;
  #retryCounter = 0;
  #establishedAt = 0;
  /** The NOTIFICATION of the step under way. */
  #sent: NotificationMessage | undefined;

  constructor(owner: FsmOwner, role: { mayDial: (self: ConnectionFsm) => boolean; startsActive: boolean }) {
    this.#owner = owner;
    this.#mayDial = role.mayDial;
    // An accepted connection's machine exists from the moment it is accepted (§8.2.1).
    if (role.startsActive) this.#state = 'Active';
    const { clock, random } = owner;
    this.#connectRetryTimer = new TimerSlot(clock, () => this.#connectRetryExpired());
    this.#delayOpenTimer = new TimerSlot(clock, () => this.dispatch({ name: 'DelayOpenTimer_Expires' }));
    this.#liveness = new Liveness(clock, random, {
      connection: () => this.#connection,
      timers: () => owner.options.timers,
      onHoldExpired: (detail) =>
        this.dispatch({ name: 'HoldTimer_Expires' }, { cause: 'hold-timer', detail }),
      onKeepaliveDue: () => this.dispatch({ name: 'KeepaliveTimer_Expires' }),
    });
    this.#heard = new LastHeard(clock, owner.counters);
    this.#actions = this.#makeActions();
  }

  get state(): FsmState {
    return this.#state;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Set while Established. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Whether this one was Established, for so long at least, when a connection was begun. */
  precedes(connection: Connection, byMs: number): boolean {
    return this.#state === 'Established' && connection.begunAt >= this.#establishedAt + byMs;
  }

  /** What the two OPENs agreed on; undefined before OpenConfirm. */
  get context(): SessionContext | undefined {
    return this.#context;
  }

  get localOpen(): OpenMessage | undefined {
    return this.#local;
  }

  get remoteOpen(): OpenMessage | undefined {
    return this.#remote;
  }

  /** Milliseconds between KEEPALIVEs; 0 = none. */
  get keepaliveMs(): number {
    return this.#liveness.keepaliveMs;
  }

  /** Makes TCP find out whether the peer is still there. RFC 4271 §4.4: not more than one KEEPALIVE a second. */
  probe(): void {
    const silent = this.#owner.clock.now() - (this.#connection?.lastSentAt ?? 0) >= SECOND;
    if (this.state === 'Established' && silent) this.#send(encodeKeepalive());
  }

  /** ConnectRetryCounter of §8: attempts since the last start by hand. */
  get retryCounter(): number {
    return this.#retryCounter;
  }

  /** Milliseconds that are left; undefined where a timer does not run. */
  get timersLeft(): { readonly [K in 'hold' | 'keepalive' | 'connectRetry']: number | undefined } {
    return {
      hold: this.#liveness.holdLeftMs,
      keepalive: this.#liveness.keepaliveLeftMs,
      connectRetry: this.#connectRetryTimer.leftMs,
    };
  }

  /** Takes an accepted socket: TcpConnectionConfirmed. */
  adopt(socket: TransportSocket): void {
    this.#connection = this.#newConnection('remote');
    this.#connection.adopt(socket);
    this.dispatch({ name: 'TcpConnectionConfirmed' });
  }

  /** Goes on with another process's session. */
  takeOver(socket: TransportSocket, image: SessionImage, { local, remote, context }: Agreement): void {
    this.#stopTimers();
    this.#local = local;
    this.#remote = remote;
    this.#context = context;
    this.#state = 'Established';
    this.#connection = this.#newConnection(image.initiator);
    this.#connection.setReceiveLimit(context.receiveLimit);
    this.#connection.takeOver(socket, image);
    this.#liveness.startNegotiated(context.holdTime);
    // The other side may have heard nothing for a while.
    if (context.holdTime > 0) this.probe();
    this.#establish();
  }

  /** Ends it without a word to anybody: another machine has taken its place (§8.2.1.2). */
  dispose(): void {
    this.#state = 'Idle';
    this.#sent = undefined;
    this.#stopTimers();
    this.#drop();
  }

  /** One event: the step, its actions in order, then the news for the peer. */
  dispatch(event: FsmEvent, facts: EventFacts = factsOf(event)): void {
    const from = this.#state;
    const session = this.#session;
    const step = fsmStep(from, event, this.#fsmContext());
    // Looked at while there is a connection.
    const queues = SILENT.includes(facts.cause) ? this.#heard.queues(this.#connection) : undefined;
    this.#sent = undefined;
    this.#state = step.to;
    for (const action of step.actions) this.#perform(action);
    if (step.to === from) return;
    if (step.to === 'Established') {
      this.#establish();
      return;
    }
    if (step.to !== 'Idle' && !(step.to === 'Active' && from === 'OpenSent')) {
      this.#owner.stateChanged();
      return;
    }
    this.#session = undefined;
    this.#owner.ended(
      this,
      this.#owner.explain({ state: from, sent: this.#sent, queues, ...facts }),
      session,
    );
  }

  #establish(): void {
    this.#establishedAt = this.#owner.clock.now();
    this.#session = this.#owner.makeSession(this);
    this.#owner.stateChanged();
    this.#owner.established(this, this.#session);
  }

  #fsmContext(): FsmContext {
    return {
      delayOpen: this.#owner.options.timers.delayOpen > 0,
      delayOpenTimerRunning: this.#delayOpenTimer.running,
      dials: this.#mayDial(this),
      sendNotificationWithoutOpen: false,
      // RFC 4724 §4.2 is the one collision that an Established session loses, and it is no dump (peer.ts).
      collisionDetectEstablishedState: false,
    };
  }

  #perform(action: FsmAction): void {
    if (action.do === 'startNegotiatedTimers') this.#liveness.startNegotiated(action.holdTime);
    else if (action.do === 'sendNotification') {
      const patient = keepsRoutesOverNotifications(this.#local, this.#remote);
      this.#sent = patient ? hardenedCease(action.notification) : action.notification;
    } else this.#actions[action.do]();
  }

  #makeActions(): Readonly<Record<SimpleAction, () => void>> {
    const nothing = () => {};
    return {
      startConnectRetryTimer: () => this.#connectRetryTimer.start(this.#owner.connectRetryMs()),
      stopConnectRetryTimer: () => this.#connectRetryTimer.stop(),
      startDelayOpenTimer: () => this.#delayOpenTimer.start(this.#owner.options.timers.delayOpen * SECOND),
      stopDelayOpenTimer: () => this.#delayOpenTimer.stop(),
      startLargeHoldTimer: () => this.#liveness.startLarge(),
      restartKeepaliveTimer: () => this.#liveness.startKeepalive(),
      startIdleHoldTimer: () => this.#owner.startIdleHoldTimer(),
      stopTimers: () => this.#stopTimers(),
      resetConnectRetryCounter: () => {
        this.#retryCounter = 0;
      },
      incrementConnectRetryCounter: () => {
        this.#retryCounter++;
      },
      initiateTcp: () => this.#dial(),
      dropTcp: () => this.#drop(),
      sendOpen: () => this.#send(encodeOpen(this.#openToSend())),
      sendKeepalive: () => this.#send(encodeKeepalive()),
      releaseResources: () => this.#release(),
      // The connection stamps every message, and liveness.ts reads the stamp.
      restartHoldTimer: nothing,
      // The peer sees these by the change of state, or has dealt with them before it gave the event.
      establish: nothing,
      deleteRoutes: nothing,
      trackTcp: nothing,
      rejectTcp: nothing,
      processUpdate: nothing,
      processRouteRefresh: nothing,
    };
  }

  #openToSend(): OpenMessage {
    this.#local ??= this.#owner.localOpen();
    return this.#local;
  }

  #send(message: Uint8Array): void {
    this.#connection?.send([message]);
  }

  #release(): void {
    this.#local = undefined;
    this.#remote = undefined;
    this.#context = undefined;
  }

  #stopTimers(): void {
    this.#connectRetryTimer.stop();
    this.#delayOpenTimer.stop();
    this.#liveness.stop();
  }

  #newConnection(initiator: Initiator): Connection {
    this.#heard.reset();
    const { clock, counters, options } = this.#owner;
    const connection: Connection = new Connection({
      clock,
      counters,
      initiator,
      tape: this.#owner.tape,
      sendHoldMs: options.timers.sendHold * SECOND,
      waterMarks: this.#owner.waterMarks,
      handlers: this.#connectionHandlers(() => this.#connection === connection),
    });
    return connection;
  }

  /** `current` is false for a connection that was replaced: what it still says concerns nobody. */
  #connectionHandlers(current: () => boolean): ConnectionHandlers {
    return {
      onConnect: () => {
        if (current()) this.dispatch({ name: 'Tcp_CR_Acked' });
      },
      onMessage: (buffer, start, end, type) => {
        if (!current()) return false;
        if (type === MESSAGE_TYPE.update && this.#session !== undefined) {
          this.#owner.update(this.#session, buffer, start, end);
        } else {
          this.#message(buffer, start, end, type);
        }
        return true;
      },
      onError: (error) => {
        if (current()) this.#fail(error);
      },
      onDrain: () => {
        if (current() && this.#session !== undefined) this.#owner.drained(this.#session);
      },
      onLost: (error) => {
        if (current()) this.#lost(error);
      },
      onSendStalled: () => {
        if (current()) this.dispatch({ name: 'SendHoldTimer_Expires' });
      },
    };
  }

  #dial(): void {
    const { options, transport } = this.#owner;
    this.#connection = this.#newConnection('local');
    this.#connection.dial(transport, {
      remote: {
        address: options.remoteAddress.bytes,
        port: options.remotePort,
        zone: options.remoteAddress.zone,
      },
      local: { address: options.localAddress, port: options.localPort },
      interface: options.interface,
      freebind: options.freebind,
      ...socketOptions(options),
    });
  }

  #connectRetryExpired(): void {
    const unanswered = this.#state === 'Connect';
    this.dispatch({ name: 'ConnectRetryTimer_Expires' });
    if (!unanswered) return;
    this.#owner.unanswered(
      this.#owner.explain({ cause: 'connect-failed', state: 'Connect', detail: 'no answer, dialling again' }),
    );
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    const last = this.#sent;
    connection?.close(
      last === undefined ? undefined : encodeNotification(last.code, last.subcode, last.data),
    );
  }

  #lost(error: TransportError | undefined): void {
    const cause = this.#state === 'Connect' ? 'connect-failed' : 'connection-lost';
    this.dispatch({ name: 'TcpConnectionFails' }, { cause, transport: error });
  }

  #message(buffer: Uint8Array, start: number, end: number, type: number): void {
    this.#heard.other(type);
    this.#connection?.keep(buffer, start, end);
    switch (type) {
      case MESSAGE_TYPE.open:
        this.#open(buffer, start, end);
        break;
      case MESSAGE_TYPE.update:
        this.dispatch({ name: 'UpdateMsg' });
        break;
      case MESSAGE_TYPE.notification: {
        const { event, facts } = eventForNotification(decodeNotification(buffer, start, end));
        this.dispatch(event, facts);
        break;
      }
      case MESSAGE_TYPE.keepalive:
        this.dispatch({ name: 'KeepAliveMsg' });
        break;
      default:
        this.dispatch({ name: 'RouteRefreshMsg' });
        if (this.#session !== undefined) this.#owner.routeRefresh(this.#session, buffer, start, end);
    }
  }

  #open(buffer: Uint8Array, start: number, end: number): void {
    // RFC 6608 §4: a second OPEN is unexpected, whatever is in it.
    if (this.#state === 'OpenConfirm' || this.#state === 'Established') {
      this.dispatch({ name: 'BGPOpen', holdTime: 0 });
      return;
    }
    const remote = decodeOpen(buffer, start, end);
    const context = agree(this.#owner.options, this.#openToSend(), remote);
    this.#remote = remote;
    this.#context = context;
    if (!this.#owner.survivesCollision(this, context)) return;
    this.#connection?.setReceiveLimit(context.receiveLimit);
    const name = this.#delayOpenTimer.running ? 'BGPOpen_with_DelayOpenTimer_running' : 'BGPOpen';
    this.dispatch({ name, holdTime: context.holdTime });
  }

  #fail(error: unknown): void {
    if (!(error instanceof NotificationError)) {
      this.#owner.log.error({ err: error }, 'defect while handling a message: this session is closed');
    }
    const { event, facts } = eventForError(error);
    this.dispatch(event, facts);
  }
}
