// A routing table in the MRT format, made while somebody writes it: a chunk, then a moment for others, until all prefixes
// have had their turn. Ids may be freed between two steps; what is gone is passed over.

import {
  type DumpPeer,
  type DumpRoute,
  dumpAttributes,
  encodePeerIndex,
  encodeRib,
} from '../bgp/wire/mrt.ts';
import { prefixBytes } from '../bgp/wire/nlri.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { PeerPolicy } from '../rib/route-policy.ts';

/** Records are collected up to so many octets, and prefixes looked at in a row. */
const CHUNK_OCTETS = 1 << 16;
const PREFIXES_PER_PAUSE = 256;
/** The first peer of the index stands for everybody who is none: own and learned routes. */
const NOBODY: DumpPeer = { id: 0, address: new Uint8Array(16), asn: 0 };

export interface DumpOptions {
  readonly view: string;
  readonly collectorId: number;
  /** Wall-clock seconds. */
  readonly timestamp: number;
  /** Which routes, and as what. */
  readonly policy: PeerPolicy;
  /** Records with path identifiers only. */
  readonly addPath: boolean;
  /** Routes have LOCAL_PREF, said or not, as BIRD has it. */
  readonly localPref: boolean;
}

/** Undefined is a moment for others. */
export function* dumpTable(rib: FamilyRib, options: DumpOptions): Generator<Uint8Array | undefined> {
  const { prefixes, paths, shared, family } = rib;
  const { timestamp, view, collectorId } = options;
  const places = new Map<number, number>();
  const peers: DumpPeer[] = [NOBODY];
  for (const peer of shared.peers.values()) {
    if (peer.source === 'local') continue;
    places.set(peer.id, peers.length);
    peers.push({ id: peer.routerId, address: peer.address, asn: peer.importOptions.peerAs });
  }
  let chunk = [encodePeerIndex(timestamp, collectorId, view, peers)];
  let octets = 0;
  let sequence = 0;
  for (let id = 1, looked = 0; id < prefixes.limit; id++) {
    if (!prefixes.inUse(id) || paths.first(id) === 0) continue;
    const routes = routesOf(rib, id, options, places);
    const sets = options.addPath
      ? [routes]
      : [routes.filter(({ pathId }) => pathId === 0), routes.filter(({ pathId }) => pathId !== 0)];
    const bytes = prefixBytes(prefixes.records.subarray(prefixes.wordsAt(id)), 0, family.words);
    for (const [i, set] of sets.entries()) {
      if (set.length === 0) continue;
      const addPath = options.addPath || i === 1;
      const record = encodeRib(
        { timestamp, sequence: sequence++, family, addPath },
        bytes,
        prefixes.bits(id),
        set,
      );
      chunk.push(record);
      octets += record.length;
    }
    if (++looked % PREFIXES_PER_PAUSE !== 0 && octets < CHUNK_OCTETS) continue;
    yield Buffer.concat(chunk);
    chunk = [];
    octets = 0;
    yield undefined;
  }
  yield Buffer.concat(chunk);
}

function routesOf(
  rib: FamilyRib,
  prefixId: number,
  { policy, localPref }: DumpOptions,
  places: ReadonlyMap<number, number>,
): DumpRoute[] {
  const { paths, shared } = rib;
  const { attrs, nextHops, peers } = shared;
  const routes: DumpRoute[] = [];
  for (let row = paths.first(prefixId); row !== 0; row = paths.next(row)) {
    const post = paths.attrPost(row);
    if (post === 0 || policy === 'reject' || policy === 'none') continue;
    const peer = peers.get(paths.peerId(row));
    const attr = policy === 'accept' ? post : policy.apply(rib, prefixId, post, peer, post);
    if (attr === 0) continue;
    const { wire } = nextHops.get(attrs.nextHop[attr]!);
    const isLocal = peer.source === 'local';
    routes.push({
      peer: places.get(peer.id) ?? 0,
      since: paths.since(row),
      // Of own routes it says where they come from, which is nobody else's business.
      pathId: isLocal ? 0 : paths.pathId(row),
      attributes: dumpAttributes(
        attrs.bytes,
        attrs.offset(attr),
        attrs.length(attr),
        wire,
        localPref && !isLocal ? attrs.localPref[attr] : undefined,
      ),
    });
    if (policy !== 'accept') attrs.release(attr);
  }
  return routes;
}
