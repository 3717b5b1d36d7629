// The state machine of a BFD session (RFC 5880 §6.2, §6.8.4, §6.8.6 and §6.8.16) as a pure table: state -> event ->
// next state, with the diagnostic that goes with it. Every cell is written down, and the compiler refuses a table with
// a missing one. Timers, discriminators and packets are session.ts's.

import { DIAGNOSTIC, type SessionState } from './protocol.ts';

export type SessionEvent =
  /** The State field of a packet that was not discarded. */
  | `Received${SessionState}`
  | 'DetectionTimeExpired'
  /** Administrative control, §6.8.16. */
  | 'Disable'
  | 'Enable';

export interface SessionStep {
  readonly to: SessionState;
  /** bfd.LocalDiag; undefined: stays. */
  readonly diagnostic: number | undefined;
}

type Row = Readonly<Record<SessionEvent, SessionStep>>;

function to(state: SessionState, diagnostic?: number): SessionStep {
  return { to: state, diagnostic };
}

const TIMEOUT = to('Down', DIAGNOSTIC.detectionTimeExpired);
const SIGNALED = to('Down', DIAGNOSTIC.neighborSignaledDown);
const DISABLED = to('AdminDown', DIAGNOSTIC.administrativelyDown);

const TABLE: Readonly<Record<SessionState, Row>> = {
  AdminDown: {
    ReceivedAdminDown: to('AdminDown'),
    ReceivedDown: to('AdminDown'),
    ReceivedInit: to('AdminDown'),
    ReceivedUp: to('AdminDown'),
    DetectionTimeExpired: to('AdminDown'),
    Disable: to('AdminDown'),
    Enable: to('Down'),
  },
  Down: {
    ReceivedAdminDown: to('Down'),
    ReceivedDown: to('Init'),
    ReceivedInit: to('Up'),
    // The other side has yet to see that it is down.
    ReceivedUp: to('Down'),
    DetectionTimeExpired: to('Down'),
    Disable: DISABLED,
    Enable: to('Down'),
  },
  Init: {
    ReceivedAdminDown: SIGNALED,
    ReceivedDown: to('Init'),
    ReceivedInit: to('Up'),
    ReceivedUp: to('Up'),
    DetectionTimeExpired: TIMEOUT,
    Disable: DISABLED,
    Enable: to('Init'),
  },
  Up: {
    ReceivedAdminDown: SIGNALED,
    ReceivedDown: SIGNALED,
    ReceivedInit: to('Up'),
    ReceivedUp: to('Up'),
    DetectionTimeExpired: TIMEOUT,
    Disable: DISABLED,
    Enable: to('Up'),
  },
};

export const SESSION_EVENTS = Object.keys(TABLE.Down).filter(isEvent);

function isEvent(name: string): name is SessionEvent {
  return Object.hasOwn(TABLE.Down, name);
}

/** Names of the events that a packet's State field stands for. */
export const RECEIVED: Readonly<Record<SessionState, SessionEvent>> = {
  AdminDown: 'ReceivedAdminDown',
  Down: 'ReceivedDown',
  Init: 'ReceivedInit',
  Up: 'ReceivedUp',
};

export function sessionStep(state: SessionState, event: SessionEvent): SessionStep {
  return TABLE[state][event];
}
