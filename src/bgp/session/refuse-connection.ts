// Turning an accepted connection away: RFC 4486 §4 asks for a Cease that says so.

import { ERROR } from '../wire/error-codes.ts';
import { encodeNotification } from '../wire/notification.ts';
import type { TransportSocket } from './transport.ts';

/** Sends Cease/`subcode` and closes once the peer has closed too. */
export function refuseConnection(socket: TransportSocket, subcode: number): void {
  socket.attach({ onConnect() {}, onData() {}, onEnd: () => socket.destroy(), onClose() {} });
  socket.write([encodeNotification(ERROR.cease, subcode)], () => socket.end());
}
