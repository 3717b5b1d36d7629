// Routing tables beside the main one, and the pipes between them, on their way from one process to the next (state.ts). The
// numbers that the tables' picture has for them are the writer's; this is what says which table, pipe or view of the
// kernel each of them meant, by names that both sides know. What the reader does not have any more is left out there.

import type { FamilyRib } from '../../rib/family-rib.ts';
import type { Feed } from '../../rib/feeds.ts';
import type { Meanings } from '../../rib/handover/restore.ts';
import type { PipeCounters, PipeEnd } from '../../rib/pipe-end.ts';
import type { RibPeer } from '../../rib/rib-peer.ts';
import type { Pipe } from '../pipes.ts';
import type { Speaker } from '../speaker.ts';

export interface HandedTable {
  readonly name: string;
  /** The writer's numbers, by the name of the family. */
  readonly families: readonly (readonly [name: string, table: number])[];
  /** Id of the pseudo peer of its own routes. */
  readonly local: number;
  readonly domain: number;
}

/** One direction of a pipe between tables of one version. */
export interface HandedPipeEnd {
  readonly pipe: string;
  readonly version: string;
  readonly direction: 'out' | 'in';
  /** The table that it feeds, and the number that its rows carry there. */
  readonly table: number;
  readonly feed: number;
  /** Id of the pseudo peer of an opaque pipe. */
  readonly veil: number | undefined;
  readonly counters: PipeCounters;
}

export interface TablesImage {
  readonly tables: readonly HandedTable[];
  readonly pipeEnds: readonly HandedPipeEnd[];
}

const NO_TABLES: TablesImage = { tables: [], pipeEnds: [] };

/** Undefined where there is only the main table. */
export function captureTables({ rooms, pipes }: Speaker): TablesImage | undefined {
  const tables = [...rooms.further].map(({ name, place: { families, local, domain } }) => ({
    name,
    families: families.map(({ family, index }) => [family.name, index] as const),
    local: local.id,
    domain,
  }));
  if (tables.length === 0) return undefined;
  const pipeEnds = [...pipes.values()].flatMap((pipe) =>
    endsOf(pipe).map(({ end, ...names }) => ({
      ...names,
      table: end.target.index,
      feed: end.feed,
      veil: end.veil?.peer.id,
      counters: { ...end.counters },
    })),
  );
  return { tables, pipeEnds };
}

/** What the writer's numbers mean here, where the tables and pipes of the configuration are there already. */
export function meaningsOf(
  { rooms, pipes }: Speaker,
  { tables, pipeEnds }: TablesImage = NO_TABLES,
): Pick<Meanings, 'peers' | 'tables' | 'domains' | 'feeds'> {
  const meanings = {
    peers: new Map<number, RibPeer>(),
    tables: new Map<number, FamilyRib>(),
    domains: new Map<number, number>(),
    feeds: new Map<number, Map<number, Feed>>(),
  };
  for (const { name, families, local, domain } of tables) {
    const place = rooms.get(name)?.place;
    if (place === undefined) continue;
    meanings.peers.set(local, place.local);
    meanings.domains.set(domain, place.domain);
    for (const [of, table] of families) {
      const found = place.families.find(({ family }) => family.name === of);
      if (found !== undefined) meanings.tables.set(table, found);
    }
  }
  const ends = [...pipes.values()].flatMap(endsOf);
  for (const { table, feed, veil, counters, ...names } of pipeEnds) {
    const end = ends.find(
      ({ pipe, version, direction }) =>
        pipe === names.pipe && version === names.version && direction === names.direction,
    )?.end;
    if (end === undefined || (end.veil === undefined) !== (veil === undefined)) continue;
    Object.assign(end.counters, counters);
    const feeds = meanings.feeds.get(table) ?? new Map<number, Feed>();
    meanings.feeds.set(table, feeds.set(feed, end));
    if (veil !== undefined && end.veil !== undefined) meanings.peers.set(veil, end.veil.peer);
  }
  return meanings;
}

function endsOf({ config: { name }, links }: Pipe) {
  return links.flatMap(({ version, out, in: back }) => [
    { pipe: name, version, direction: 'out', end: out } satisfies NamedEnd,
    { pipe: name, version, direction: 'in', end: back } satisfies NamedEnd,
  ]);
}

interface NamedEnd extends Pick<HandedPipeEnd, 'pipe' | 'version' | 'direction'> {
  readonly end: PipeEnd;
}
