// What the layer above holds of a session while it is Established: a narrow door to its connection.

import type { Family } from '../wire/families.ts';
import { encodeRouteRefresh } from '../wire/route-refresh.ts';
import type { SessionContext } from '../wire/session-context.ts';
import type { Connection } from './connection.ts';
import type { ConnectionFsm } from './connection-fsm.ts';
import type { Session } from './events.ts';
import type { Peer } from './peer.ts';
import type { Endpoint } from './transport.ts';

export class EstablishedSession implements Session {
  readonly peer: Peer;
  readonly context: SessionContext;
  readonly localAddress: Uint8Array;
  readonly remoteAddress: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  readonly zone: string | undefined;
  readonly #connection: Connection;

  constructor(
    peer: Peer,
    context: SessionContext,
    connection: Connection,
    ends: { local: Endpoint; remote: Endpoint; interface: string | undefined },
  ) {
    this.peer = peer;
    this.context = context;
    this.localAddress = ends.local.address;
    this.remoteAddress = ends.remote.address;
    this.localPort = ends.local.port;
    this.remotePort = ends.remote.port;
    this.zone = ends.remote.zone ?? ends.interface;
    this.#connection = connection;
  }

  send(chunks: readonly Uint8Array[]): boolean {
    return this.#connection.send(chunks);
  }

  get queuedBytes(): number {
    return this.#connection.queuedBytes;
  }

  get socketBytes(): number | undefined {
    return this.#connection.socket?.bufferedBytes;
  }

  get congested(): boolean {
    return this.#connection.congested;
  }

  pauseReading(): void {
    this.#connection.pauseReading();
  }

  resumeReading(): void {
    this.#connection.resumeReading();
  }

  keep(buffer: Uint8Array, start: number, end: number): void {
    this.#connection.keep(buffer, start, end);
  }

  requestRefresh(family: Family): boolean {
    // RFC 2918 §4: only to a peer that advertised the capability, and for a family of the session.
    if (!this.context.routeRefresh || !this.context.families.includes(family)) return false;
    this.#connection.send([encodeRouteRefresh(family)]);
    return true;
  }
}

/** The session of a machine that has just reached Established. */
export function establishedSession(peer: Peer, fsm: ConnectionFsm): Session {
  const { context, connection } = fsm;
  const socket = connection?.socket;
  if (context === undefined || connection === undefined || socket === undefined) {
    throw new Error('Established without a connection');
  }
  const ends = { local: socket.local, remote: socket.remote, interface: peer.options.interface };
  return new EstablishedSession(peer, context, connection, ends);
}
