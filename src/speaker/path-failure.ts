// What a BGP session has to do with the failure of its path.

import { type DownReason, isBfdDown } from '../bgp/session/down-reason.ts';
import type { Peer } from '../bgp/session/peer.ts';
import { ERROR } from '../bgp/wire/error-codes.ts';

/** Else there is nothing to end: no connection, or one that proves by itself whether the path works. */
export function leansOnPath({ state }: Pick<Peer, 'state'>): boolean {
  return state !== 'Idle' && state !== 'Connect' && state !== 'Active';
}

/** The session ended because the path was not there: it need not wait any longer. */
export function fellWithPath(reason: DownReason | undefined): boolean {
  switch (reason?.cause) {
    case 'automatic-stop':
      return isBfdDown(reason.sent);
    case 'notification-received':
      return isBfdDown(reason.received) || reason.received?.code === ERROR.holdTimer;
    case 'connection-lost':
    case 'connect-failed':
    case 'hold-timer':
    case 'link-down':
      return true;
    default:
      return false;
  }
}
