// Sessions between two processes (upgrade/state.ts), as the registry of peers has to do with them: on the one side nobody
// is read from any more; on the other it is known what a session, when it comes up, has behind it.

import type { Session } from '../bgp/session/events.ts';
import type { Family } from '../bgp/wire/families.ts';
import type { Parted } from '../rib/lane.ts';
import type { Rib } from '../rib/rib.ts';
import type { ImportOptions, RibPeer, RibPeerIdentity } from '../rib/rib-peer.ts';
import type { UpdateGroup } from '../rib/update-group.ts';
import type { EstablishedPeer } from './established-peer.ts';
import type { PeerHandle } from './peer-registry.ts';
import type { Pipeline } from './pipeline.ts';

/** What another process knows of a session that goes on here. */
export interface HandedSession {
  readonly ribPeer: RibPeer;
  /** Ids of families, as of an EstablishedPeer. */
  readonly endOfRib: readonly number[];
  readonly refreshing: readonly number[];
  /** What the peer, joining a group, has been sent. */
  part(familyId: number, group: UpdateGroup): Parted | undefined;
}

interface Handle {
  readonly established: EstablishedPeer | undefined;
}

export class SessionHandover {
  readonly #pipeline: Pipeline;
  readonly #expected = new Map<Handle, HandedSession>();
  #holds = false;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /** The peer's session, when it comes up, is that of another process. */
  expect(handle: Handle, handed: HandedSession): void {
    this.#expected.set(handle, handed);
  }

  /** What was expected of a session that has come up. */
  take(handle: Handle): HandedSession | undefined {
    const handed = this.#expected.get(handle);
    this.#expected.delete(handle);
    return handed;
  }

  /** A session is up: with what is known of it, and read like the others. */
  came(session: Session, established: EstablishedPeer, handed: HandedSession | undefined): void {
    for (const id of handed?.endOfRib ?? []) established.endOfRib.add(id);
    for (const id of handed?.refreshing ?? []) established.refreshing.add(id);
    if (this.#holds) session.pauseReading();
  }

  /** Nothing is read from these peers, nor from those to come, until `release`. */
  hold(handles: Iterable<Handle>): void {
    this.#holds = true;
    this.#pipeline.hold();
    for (const { established } of handles) established?.session.pauseReading();
  }

  release(handles: Iterable<Handle>): void {
    this.#holds = false;
    this.#pipeline.release();
    for (const { established } of handles) established?.session.resumeReading();
  }
}

/** The RIB's peer of a session that comes up: of another process, of an earlier session, or a new one. */
export function ribPeerOf(
  rib: Rib,
  { restarts, restartOffer }: Pick<PeerHandle, 'restarts' | 'restartOffer'>,
  handed: HandedSession | undefined,
  families: readonly Family[],
  { identity, checks }: { identity: RibPeerIdentity; checks: ImportOptions },
): RibPeer {
  if (handed !== undefined) {
    rib.peers.renew(handed.ribPeer, identity, checks);
    return handed.ribPeer;
  }
  const resumed = restarts.resume(restartOffer, families);
  if (resumed === undefined) return rib.addPeer(identity, checks);
  const peer = rib.resumePeer(resumed, identity, checks);
  if (peer !== resumed) restarts.startOver();
  return peer;
}
