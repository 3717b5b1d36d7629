// The vocabulary of the state machine of RFC 4271 §8: states, events with what they carry, the session attributes
// a transition may look at, and the actions it may ask for. Names are the RFC's. The table is in fsm.ts; whoever
// executes the actions is connection-fsm.ts.

export const FSM_STATES = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const;
export type FsmState = (typeof FSM_STATES)[number];

/** How far a state is on the way to Established. */
export function rank(state: FsmState): number {
  return FSM_STATES.indexOf(state);
}

/** Code, subcode and data of a NOTIFICATION (RFC 4271 §4.5). */
export interface NotificationParts {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

interface Nothing {
  readonly type?: never;
}
export interface WithNotification {
  readonly notification: NotificationParts;
}
export interface WithHoldTime {
  /** As negotiated, in seconds; 0 = no hold timer and no keepalives (§4.2). */
  readonly holdTime: number;
}

/** §8.1, in the order of the event numbers 1..28, and the message that came after them. */
interface EventPayloads {
  ManualStart: Nothing;
  ManualStop: WithNotification;
  AutomaticStart: Nothing;
  ManualStart_with_PassiveTcpEstablishment: Nothing;
  AutomaticStart_with_PassiveTcpEstablishment: Nothing;
  AutomaticStart_with_DampPeerOscillations: Nothing;
  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment: Nothing;
  AutomaticStop: WithNotification;
  ConnectRetryTimer_Expires: Nothing;
  HoldTimer_Expires: Nothing;
  KeepaliveTimer_Expires: Nothing;
  DelayOpenTimer_Expires: Nothing;
  IdleHoldTimer_Expires: Nothing;
  TcpConnection_Valid: Nothing;
  Tcp_CR_Invalid: Nothing;
  Tcp_CR_Acked: Nothing;
  TcpConnectionConfirmed: Nothing;
  TcpConnectionFails: Nothing;
  BGPOpen: WithHoldTime;
  BGPOpen_with_DelayOpenTimer_running: WithHoldTime;
  BGPHeaderErr: WithNotification;
  BGPOpenMsgErr: WithNotification;
  OpenCollisionDump: WithNotification;
  NotifMsgVerErr: Nothing;
  NotifMsg: Nothing;
  KeepAliveMsg: Nothing;
  UpdateMsg: Nothing;
  UpdateMsgErr: WithNotification;
  /** RFC 2918 §3; has no number in RFC 4271. */
  RouteRefreshMsg: Nothing;
  /** RFC 9687 §3.2: nothing could be sent for SendHoldTime. */
  SendHoldTimer_Expires: Nothing;
}

export type FsmEventName = keyof EventPayloads;
export type FsmEventOf<K extends FsmEventName> = { readonly name: K } & Omit<EventPayloads[K], 'type'>;
export type FsmEvent = { [K in FsmEventName]: FsmEventOf<K> }[FsmEventName];

/** The session attributes of §8 that a transition looks at. */
export interface FsmContext {
  /** Whether DelayOpenTime is set (DelayOpen). */
  readonly delayOpen: boolean;
  readonly delayOpenTimerRunning: boolean;
  /** False where this side only ever listens; then no ConnectRetryTimer is started. */
  readonly dials: boolean;
  readonly sendNotificationWithoutOpen: boolean;
  readonly collisionDetectEstablishedState: boolean;
}

export type FsmAction =
  | {
      readonly do:
        | 'startConnectRetryTimer'
        | 'stopConnectRetryTimer'
        | 'startDelayOpenTimer'
        | 'stopDelayOpenTimer'
        | 'startLargeHoldTimer'
        | 'restartHoldTimer'
        | 'restartKeepaliveTimer'
        | 'startIdleHoldTimer'
        | 'stopTimers'
        | 'resetConnectRetryCounter'
        | 'incrementConnectRetryCounter'
        | 'initiateTcp'
        | 'rejectTcp'
        | 'trackTcp'
        | 'dropTcp'
        | 'sendOpen'
        | 'sendKeepalive'
        | 'establish'
        | 'processUpdate'
        | 'processRouteRefresh'
        | 'deleteRoutes'
        | 'releaseResources';
    }
  | { readonly do: 'startNegotiatedTimers'; readonly holdTime: number }
  | { readonly do: 'sendNotification'; readonly notification: NotificationParts };

/** An action that needs nothing but its name. */
export type SimpleAction = Exclude<
  FsmAction,
  { holdTime: number } | { notification: NotificationParts }
>['do'];

export interface FsmStep {
  readonly to: FsmState;
  readonly actions: readonly FsmAction[];
}
