// What a peer is given: time, sockets, a log, and who hears of it.

import type { Clock, Random } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { PathEvidence } from './causes.ts';
import type { WaterMarks } from './connection.ts';
import type { PeerEvents } from './events.ts';
import type { Peer } from './peer.ts';
import type { SessionNote } from './peer-history.ts';
import type { Transport } from './transport.ts';

export interface PeerDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly log: Logger;
  readonly events: PeerEvents;
  readonly waterMarks?: WaterMarks | undefined;
  /** What others know of the way to the peer; asked where a connection failed or a peer fell silent. */
  readonly evidence?: ((peer: Peer) => PathEvidence) | undefined;
  /** What became of the peer, for a journal: what the log is told, too. */
  readonly onNote?: ((peer: Peer, note: SessionNote) => void) | undefined;
  /** Set for a dynamic peer: called once when its connection has ended, instead of another attempt. */
  readonly onRetired?: (peer: Peer) => void;
}
