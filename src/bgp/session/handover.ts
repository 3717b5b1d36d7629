// A session on its way from one process to the next (src/speaker/upgrade): the connection itself goes as a file
// descriptor, and this is what the new process must know to go on with it as if nothing had happened. Both OPENs go as
// octets, so that what they agreed on is found anew by the same rules. Only plain data, which can be serialised.

import { ERROR, OPEN_ERROR } from '../wire/error-codes.ts';
import { NotificationError } from '../wire/notification.ts';
import { decodeOpen, encodeOpen, type OpenMessage, openAs } from '../wire/open.ts';
import type { SessionContext } from '../wire/session-context.ts';
import type { Initiator } from './collision.ts';
import type { ConnectionFsm } from './connection-fsm.ts';
import type { CountersImage } from './counters.ts';
import { agree, localOpen } from './local-open.ts';
import type { TapeImage } from './message-tape.ts';
import type { PeerOptions } from './options.ts';
import type { Peer } from './peer.ts';
import type { HistoryImage, PeerHistory } from './peer-history.ts';
import type { Endpoint } from './transport.ts';

export interface ConnectionImage {
  readonly descriptor: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly initiator: Initiator;
  /** Wall-clock milliseconds of the last message that was sent. */
  readonly sentAt: number;
  /** The first octets of a message whose end has not come yet. */
  readonly received: Uint8Array;
  /** What was queued and the kernel has not taken; it may begin in the middle of a message. */
  readonly unsent: Uint8Array;
  /** Its number on the peer's tape; absent where versions did not hand it over. */
  readonly tapeId?: number;
}

/** An Established session. */
export interface SessionImage extends ConnectionImage {
  /** Whole messages. */
  readonly localOpen: Uint8Array;
  readonly remoteOpen: Uint8Array;
}

/** A peer with or without a session. */
export interface PeerImage {
  readonly adminUp: boolean;
  readonly history: HistoryImage;
  readonly counters: CountersImage;
  /** Absent where versions did not hand it over. */
  readonly tape?: TapeImage;
  readonly session: SessionImage | undefined;
}

/** What the OPENs of a session are, and agree on. */
export interface Agreement {
  readonly local: OpenMessage;
  readonly remote: OpenMessage;
  readonly context: SessionContext;
}

/** Nothing must be read from the connection or written to it between this and the end of the process. */
export function peerImage(
  peer: Pick<Peer, 'adminUp' | 'counters' | 'tape'>,
  fsm: ConnectionFsm,
  history: PeerHistory,
): PeerImage {
  const { adminUp, counters, tape } = peer;
  return {
    adminUp,
    history: history.image,
    counters: counters.image,
    tape: tape.image,
    session: sessionImage(fsm),
  };
}

function sessionImage({ state, connection, localOpen, remoteOpen }: ConnectionFsm): SessionImage | undefined {
  if (state !== 'Established' || localOpen === undefined || remoteOpen === undefined) return undefined;
  const image = connection?.handOver();
  if (image === undefined) return undefined;
  return { ...image, localOpen: encodeOpen(localOpen), remoteOpen: encodeOpen(remoteOpen) };
}

/** Throws NotificationError where the OPENs no longer suit the options. */
export function agreementOf(options: PeerOptions, image: SessionImage): Agreement {
  const local = decodeOpen(image.localOpen, 0, image.localOpen.length);
  const remote = decodeOpen(image.remoteOpen, 0, image.remoteOpen.length);
  checkLocal(options, local);
  return { local, remote, context: agree(options, local, remote) };
}

/** What the peer was told may be less than is offered now, but no other AS and no family that is not spoken any more. */
function checkLocal(options: PeerOptions, told: OpenMessage): void {
  const [was, is] = [openAs(told), openAs(localOpen(options, told.capabilities.length > 0))];
  if (was !== is) {
    throw new NotificationError(
      ERROR.open,
      OPEN_ERROR.badPeerAs,
      undefined,
      `AS ${was} was told, AS ${is} is configured`,
    );
  }
  const gone = told.capabilities.find(
    (each) =>
      each.kind === 'multiprotocol' &&
      !options.families.some(({ afi, safi }) => afi === each.afi && safi === each.safi),
  );
  if (gone === undefined) return;
  const detail = 'a family is not configured any more';
  throw new NotificationError(ERROR.open, OPEN_ERROR.unsupportedCapability, undefined, detail);
}

export function restoreHistory(
  image: PeerImage,
  peer: Pick<Peer, 'counters' | 'tape'>,
  history: PeerHistory,
): void {
  peer.counters.restore(image.counters);
  if (image.tape !== undefined) peer.tape.restore(image.tape);
  history.restore(image.history);
}

/** Chunks as one; of the first `writing` octets' worth of chunks only the last `unsent` octets. */
export function joinUnsent(
  writing: readonly Uint8Array[],
  unsent: number,
  queue: readonly Uint8Array[],
): Uint8Array {
  const size = (chunks: readonly Uint8Array[]) => chunks.reduce((sum, { length }) => sum + length, 0);
  const joined = new Uint8Array(unsent + size(queue));
  let skip = size(writing) - unsent;
  let at = 0;
  for (const chunk of writing) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    joined.set(rest, at);
    at += rest.length;
  }
  for (const chunk of queue) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
