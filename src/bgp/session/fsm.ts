// The state machine of RFC 4271 §8 for one TCP connection, as a pure table: state -> event -> handler. A handler
// gives the next state and the actions to run, in order; it touches nothing. Every cell is written down, and the
// compiler refuses a table with a missing one.
//
// Who owns the timers and the socket, which of two connections wins (collision.ts), and how long a peer stays in
// Idle (idle-hold.ts) is not decided here. Departures from the letter of §8.2.2, each at its branch: a
// NOTIFICATION is never answered (§6.4), an unexpected message gets the subcodes of RFC 6608, a header or OPEN
// error in Established gets the code §6.1 and §6.2 give it, and a peer that must not dial has no ConnectRetryTimer.

import { ERROR, FSM_ERROR } from '../wire/error-codes.ts';
import { MESSAGE_TYPE } from '../wire/iana.ts';
import type {
  FsmAction,
  FsmContext,
  FsmEvent,
  FsmEventName,
  FsmEventOf,
  FsmState,
  FsmStep,
  NotificationParts,
  SimpleAction,
  WithHoldTime,
  WithNotification,
} from './fsm-events.ts';

type Handler<K extends FsmEventName> = (event: FsmEventOf<K>, context: FsmContext) => FsmStep;
type Row = { readonly [K in FsmEventName]: Handler<K> };

const NO_DATA = new Uint8Array(0);
const HOLD_TIMER_EXPIRED: NotificationParts = { code: ERROR.holdTimer, subcode: 0, data: NO_DATA };
const SEND_HOLD_TIMER_EXPIRED: NotificationParts = { code: ERROR.sendHoldTimer, subcode: 0, data: NO_DATA };
/** RFC 6608 §4: the subcode names the state; 0 where no message is to blame. */
const FSM_ERROR_SUBCODE = {
  OpenSent: FSM_ERROR.inOpenSent,
  OpenConfirm: FSM_ERROR.inOpenConfirm,
  Established: FSM_ERROR.inEstablished,
} as const;

function act(...names: SimpleAction[]): FsmAction[] {
  return names.map((name) => ({ do: name }));
}

function stay(state: FsmState, ...names: SimpleAction[]): () => FsmStep {
  const step: FsmStep = { to: state, actions: act(...names) };
  return () => step;
}

/** Whether the ConnectRetryCounter starts again, grows, or stays as it is. */
type Counting = 'reset' | 'increment' | 'keep';

/** The way to Idle that every state shares: NOTIFICATION, timers, routes, resources, TCP, counter. */
function leave(from: FsmState, counting: Counting, notification?: NotificationParts): FsmStep {
  const actions: FsmAction[] = [];
  if (notification !== undefined) actions.push({ do: 'sendNotification', notification });
  actions.push(...act('stopTimers'));
  if (from === 'Established') actions.push(...act('deleteRoutes'));
  actions.push(...act('releaseResources', 'dropTcp'));
  if (counting === 'reset') actions.push(...act('resetConnectRetryCounter'));
  if (counting === 'increment') actions.push(...act('incrementConnectRetryCounter'));
  return { to: 'Idle', actions };
}

function fail(from: FsmState): () => FsmStep {
  const step = leave(from, 'increment');
  return () => step;
}

function failWith(from: FsmState): (event: WithNotification) => FsmStep {
  return (event) => leave(from, 'increment', event.notification);
}

/** RFC 6608 §4: an unexpected message, named by its type octet. */
function unexpected(from: keyof typeof FSM_ERROR_SUBCODE, type: keyof typeof MESSAGE_TYPE): () => FsmStep {
  const notification: NotificationParts = {
    code: ERROR.fsm,
    subcode: FSM_ERROR_SUBCODE[from],
    data: Uint8Array.of(MESSAGE_TYPE[type]),
  };
  return () => leave(from, 'increment', notification);
}

/** An event that no message caused and that cannot be in this state: 5/0. */
function impossible(from: FsmState): () => FsmStep {
  return () => leave(from, 'increment', { code: ERROR.fsm, subcode: 0, data: NO_DATA });
}

function startDialing(_event: unknown, context: FsmContext): FsmStep {
  if (!context.dials) return startListening(_event, context);
  return {
    to: 'Connect',
    actions: act('resetConnectRetryCounter', 'startConnectRetryTimer', 'initiateTcp'),
  };
}

function startListening(_event: unknown, context: FsmContext): FsmStep {
  return { to: 'Active', actions: act('resetConnectRetryCounter', ...retry(context)) };
}

function retry(context: FsmContext): SimpleAction[] {
  return context.dials ? ['startConnectRetryTimer'] : [];
}

/** §8.2.2: the method of damping is the implementation's. Event 6: stay in Idle; event 7: listen meanwhile. */
function afterIdleHold(_event: unknown, context: FsmContext): FsmStep {
  if (!context.dials) return { to: 'Active', actions: [] };
  return { to: 'Connect', actions: act('startConnectRetryTimer', 'initiateTcp') };
}

const IDLE: Row = {
  ManualStart: startDialing,
  ManualStop: stay('Idle'),
  AutomaticStart: startDialing,
  ManualStart_with_PassiveTcpEstablishment: startListening,
  AutomaticStart_with_PassiveTcpEstablishment: startListening,
  AutomaticStart_with_DampPeerOscillations: stay('Idle', 'startIdleHoldTimer'),
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: (_event, context) => ({
    to: 'Active',
    actions: act(...retry(context)),
  }),
  AutomaticStop: stay('Idle'),
  ConnectRetryTimer_Expires: stay('Idle'),
  HoldTimer_Expires: stay('Idle'),
  KeepaliveTimer_Expires: stay('Idle'),
  DelayOpenTimer_Expires: stay('Idle'),
  IdleHoldTimer_Expires: afterIdleHold,
  TcpConnection_Valid: stay('Idle', 'rejectTcp'),
  Tcp_CR_Invalid: stay('Idle', 'rejectTcp'),
  Tcp_CR_Acked: stay('Idle', 'rejectTcp'),
  TcpConnectionConfirmed: stay('Idle', 'rejectTcp'),
  TcpConnectionFails: stay('Idle'),
  BGPOpen: stay('Idle'),
  BGPOpen_with_DelayOpenTimer_running: stay('Idle'),
  BGPHeaderErr: stay('Idle'),
  BGPOpenMsgErr: stay('Idle'),
  OpenCollisionDump: stay('Idle'),
  NotifMsgVerErr: stay('Idle'),
  NotifMsg: stay('Idle'),
  KeepAliveMsg: stay('Idle'),
  UpdateMsg: stay('Idle'),
  UpdateMsgErr: stay('Idle'),
  RouteRefreshMsg: stay('Idle'),
  SendHoldTimer_Expires: stay('Idle'),
};

type Opening = 'Connect' | 'Active';

function tcpUp(from: Opening): (event: unknown, context: FsmContext) => FsmStep {
  return (_event, context) =>
    context.delayOpen
      ? { to: from, actions: act('stopConnectRetryTimer', 'startDelayOpenTimer') }
      : { to: 'OpenSent', actions: act('stopConnectRetryTimer', 'sendOpen', 'startLargeHoldTimer') };
}

const delayOpenOver = stay(
  'OpenSent',
  'stopConnectRetryTimer',
  'stopDelayOpenTimer',
  'sendOpen',
  'startLargeHoldTimer',
);

function openWhileDelaying(event: WithHoldTime): FsmStep {
  return {
    to: 'OpenConfirm',
    actions: [
      ...act('stopConnectRetryTimer', 'stopDelayOpenTimer', 'sendOpen', 'sendKeepalive'),
      { do: 'startNegotiatedTimers', holdTime: event.holdTime },
    ],
  };
}

/** Before its own OPEN a speaker is silent unless SendNOTIFICATIONwithoutOPEN. */
function earlyError(from: Opening): (event: WithNotification, context: FsmContext) => FsmStep {
  return (event, context) =>
    leave(from, 'increment', context.sendNotificationWithoutOpen ? event.notification : undefined);
}

function earlyVersionError(from: Opening): (event: unknown, context: FsmContext) => FsmStep {
  return (_event, context) => leave(from, context.delayOpenTimerRunning ? 'keep' : 'increment');
}

/** What Connect and Active share; the four events in which they differ are given. */
function openingRow(
  from: Opening,
  own: Pick<Row, 'ManualStop' | 'ConnectRetryTimer_Expires' | 'TcpConnectionFails'>,
): Row {
  return {
    ManualStart: stay(from),
    AutomaticStart: stay(from),
    ManualStart_with_PassiveTcpEstablishment: stay(from),
    AutomaticStart_with_PassiveTcpEstablishment: stay(from),
    AutomaticStart_with_DampPeerOscillations: stay(from),
    AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: stay(from),
    AutomaticStop: fail(from),
    HoldTimer_Expires: fail(from),
    KeepaliveTimer_Expires: fail(from),
    DelayOpenTimer_Expires: delayOpenOver,
    IdleHoldTimer_Expires: fail(from),
    TcpConnection_Valid: stay(from),
    Tcp_CR_Invalid: stay(from, 'rejectTcp'),
    Tcp_CR_Acked: tcpUp(from),
    TcpConnectionConfirmed: tcpUp(from),
    BGPOpen: fail(from),
    BGPOpen_with_DelayOpenTimer_running: openWhileDelaying,
    BGPHeaderErr: earlyError(from),
    BGPOpenMsgErr: earlyError(from),
    OpenCollisionDump: fail(from),
    NotifMsgVerErr: earlyVersionError(from),
    NotifMsg: fail(from),
    KeepAliveMsg: fail(from),
    UpdateMsg: fail(from),
    UpdateMsgErr: fail(from),
    RouteRefreshMsg: fail(from),
    SendHoldTimer_Expires: fail(from),
    ...own,
  };
}

const CONNECT = openingRow('Connect', {
  ManualStop: () => leave('Connect', 'reset'),
  ConnectRetryTimer_Expires: stay(
    'Connect',
    'dropTcp',
    'stopDelayOpenTimer',
    'startConnectRetryTimer',
    'initiateTcp',
  ),
  TcpConnectionFails: (_event, context) =>
    context.delayOpenTimerRunning
      ? { to: 'Active', actions: act('stopDelayOpenTimer', 'dropTcp', ...retry(context)) }
      : leave('Connect', 'keep'),
});

const ACTIVE = openingRow('Active', {
  ManualStop: (event, context) =>
    leave(
      'Active',
      'reset',
      context.delayOpenTimerRunning && context.sendNotificationWithoutOpen ? event.notification : undefined,
    ),
  ConnectRetryTimer_Expires: (_event, context) =>
    context.dials
      ? { to: 'Connect', actions: act('startConnectRetryTimer', 'initiateTcp') }
      : { to: 'Active', actions: [] },
  TcpConnectionFails: fail('Active'),
});

/** What OpenSent, OpenConfirm and Established share. */
function openedRow(
  from: keyof typeof FSM_ERROR_SUBCODE,
  own: Pick<
    Row,
    | 'KeepaliveTimer_Expires'
    | 'TcpConnectionFails'
    | 'BGPOpen'
    | 'OpenCollisionDump'
    | 'NotifMsgVerErr'
    | 'KeepAliveMsg'
    | 'UpdateMsg'
    | 'UpdateMsgErr'
    | 'RouteRefreshMsg'
  >,
): Row {
  return {
    ManualStart: stay(from),
    AutomaticStart: stay(from),
    ManualStart_with_PassiveTcpEstablishment: stay(from),
    AutomaticStart_with_PassiveTcpEstablishment: stay(from),
    AutomaticStart_with_DampPeerOscillations: stay(from),
    AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: stay(from),
    ManualStop: (event) => leave(from, 'reset', event.notification),
    AutomaticStop: failWith(from),
    ConnectRetryTimer_Expires: impossible(from),
    HoldTimer_Expires: () => leave(from, 'increment', HOLD_TIMER_EXPIRED),
    DelayOpenTimer_Expires: impossible(from),
    IdleHoldTimer_Expires: impossible(from),
    TcpConnection_Valid: stay(from, 'trackTcp'),
    Tcp_CR_Invalid: stay(from, 'rejectTcp'),
    Tcp_CR_Acked: stay(from, 'trackTcp'),
    TcpConnectionConfirmed: stay(from, 'trackTcp'),
    BGPOpen_with_DelayOpenTimer_running: unexpected(from, 'open'),
    // The table of §8.2.2 answers these two with an FSM error in Established; §6.1 and §6.2 are the rule.
    BGPHeaderErr: failWith(from),
    BGPOpenMsgErr: failWith(from),
    // §6.4, §6.8: a NOTIFICATION ends the connection and is never answered, in OpenSent neither.
    NotifMsg: fail(from),
    SendHoldTimer_Expires: () => leave(from, 'increment', SEND_HOLD_TIMER_EXPIRED),
    ...own,
  };
}

const OPEN_SENT = openedRow('OpenSent', {
  KeepaliveTimer_Expires: impossible('OpenSent'),
  TcpConnectionFails: (_event, context) => ({
    to: 'Active',
    actions: act('stopTimers', 'releaseResources', 'dropTcp', ...retry(context)),
  }),
  BGPOpen: (event) => ({
    to: 'OpenConfirm',
    actions: [
      ...act('stopDelayOpenTimer', 'stopConnectRetryTimer', 'sendKeepalive'),
      { do: 'startNegotiatedTimers', holdTime: event.holdTime },
    ],
  }),
  OpenCollisionDump: failWith('OpenSent'),
  NotifMsgVerErr: () => leave('OpenSent', 'keep'),
  KeepAliveMsg: unexpected('OpenSent', 'keepalive'),
  UpdateMsg: unexpected('OpenSent', 'update'),
  UpdateMsgErr: unexpected('OpenSent', 'update'),
  RouteRefreshMsg: unexpected('OpenSent', 'routeRefresh'),
});

const OPEN_CONFIRM = openedRow('OpenConfirm', {
  KeepaliveTimer_Expires: stay('OpenConfirm', 'sendKeepalive', 'restartKeepaliveTimer'),
  TcpConnectionFails: fail('OpenConfirm'),
  BGPOpen: unexpected('OpenConfirm', 'open'),
  OpenCollisionDump: failWith('OpenConfirm'),
  NotifMsgVerErr: () => leave('OpenConfirm', 'keep'),
  KeepAliveMsg: stay('Established', 'restartHoldTimer', 'establish'),
  UpdateMsg: unexpected('OpenConfirm', 'update'),
  UpdateMsgErr: unexpected('OpenConfirm', 'update'),
  RouteRefreshMsg: unexpected('OpenConfirm', 'routeRefresh'),
});

const ESTABLISHED = openedRow('Established', {
  KeepaliveTimer_Expires: stay('Established', 'sendKeepalive', 'restartKeepaliveTimer'),
  TcpConnectionFails: fail('Established'),
  BGPOpen: unexpected('Established', 'open'),
  OpenCollisionDump: (event, context) =>
    context.collisionDetectEstablishedState
      ? leave('Established', 'increment', event.notification)
      : { to: 'Established', actions: [] },
  NotifMsgVerErr: fail('Established'),
  KeepAliveMsg: stay('Established', 'restartHoldTimer'),
  UpdateMsg: stay('Established', 'restartHoldTimer', 'processUpdate'),
  UpdateMsgErr: failWith('Established'),
  RouteRefreshMsg: stay('Established', 'restartHoldTimer', 'processRouteRefresh'),
});

const TABLE: Readonly<Record<FsmState, Row>> = {
  Idle: IDLE,
  Connect: CONNECT,
  Active: ACTIVE,
  OpenSent: OPEN_SENT,
  OpenConfirm: OPEN_CONFIRM,
  Established: ESTABLISHED,
};

/** All events, for tests and for tools that print the table. */
export const FSM_EVENT_NAMES = Object.keys(IDLE).filter(isEventName);

function isEventName(name: string): name is FsmEventName {
  return Object.hasOwn(IDLE, name);
}

/** One step of the machine: where it goes on this event and what has to be done, in order. */
export function fsmStep(state: FsmState, event: FsmEvent, context: FsmContext): FsmStep {
  return dispatch(TABLE[state], event, context);
}

function dispatch<K extends FsmEventName>(row: Row, event: FsmEventOf<K>, context: FsmContext): FsmStep {
  const handler: Handler<K> = row[event.name];
  return handler(event, context);
}
