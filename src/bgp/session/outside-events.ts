// What comes to a peer's connections from outside of the protocol and of TCP: other keys, a link that is gone, a path
// that is back.

import type { ConnectionFsm } from './connection-fsm.ts';
import { FSM_STATES } from './fsm-events.ts';
import { type SocketOptions, TransportError } from './transport.ts';

type Machines = readonly (ConnectionFsm | undefined)[];

/** Gives the sockets other options; false where one of them does not take them. */
export function rekey(machines: Machines, options: SocketOptions): boolean {
  try {
    for (const fsm of machines) fsm?.connection?.socket?.configure(options);
    return true;
  } catch (error) {
    if (error instanceof TransportError) return false;
    throw error;
  }
}

/** RFC 4271 §8.1.4, Event 18, from another source than TCP. A connection that is being made is TCP's own matter. */
export function loseLink(machines: Machines, name: string): void {
  const opened = FSM_STATES.indexOf('OpenSent');
  for (const fsm of machines) {
    if (fsm === undefined || FSM_STATES.indexOf(fsm.state) < opened) continue;
    fsm.dispatch({ name: 'TcpConnectionFails' }, { cause: 'link-down', detail: name });
  }
}

/** The ConnectRetryTimer's time has come. */
export function dialNow(fsm: ConnectionFsm): void {
  if (fsm.state === 'Active' && fsm.connection === undefined) {
    fsm.dispatch({ name: 'ConnectRetryTimer_Expires' });
  }
}
