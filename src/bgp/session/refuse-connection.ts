// Turning an accepted connection away: RFC 4486 §4 asks for a Cease that says so.

import type { Clock } from '../../lib/clock.ts';
import { ERROR } from '../wire/error-codes.ts';
import { encodeNotification } from '../wire/notification.ts';
import type { TransportSocket } from './transport.ts';

/** For the peer to take the NOTIFICATION and close. */
const LINGER_MS = 5000;

/** Sends Cease/`subcode` and closes; bounded in time. `before` is what must leave first, `gone` is called at the end. */
export function refuseConnection(
  clock: Clock,
  socket: TransportSocket,
  subcode: number,
  before: Uint8Array = new Uint8Array(0),
  gone?: () => void,
): void {
  const timer = clock.setTimer(LINGER_MS, () => socket.destroy());
  socket.attach({
    onConnect() {},
    onData() {},
    onEnd: () => socket.destroy(),
    onClose: () => {
      timer.cancel();
      gone?.();
    },
  });
  const chunks = [before, encodeNotification(ERROR.cease, subcode)];
  socket.write(before.length === 0 ? chunks.slice(1) : chunks, () => socket.end());
}
