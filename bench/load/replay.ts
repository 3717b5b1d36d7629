// An MRT dump as the messages of one session: a table dump as its routes, packed; a dump of updates message by message,
// in the order in which they were recorded. Next hop and first AS are the player's own.

import { formatAddress } from '../../src/lib/ip.ts';
import type { AttributeBlock } from '../mrt/attributes.ts';
import { readMrt } from '../mrt/reader.ts';
import { MrtError } from '../mrt/records.ts';
import { type NlriFamily, readUpdate } from '../mrt/update-message.ts';
import { type PeerChoice, peerFilter, tablesFromMrt } from './from-files.ts';
import { AttributePool, RouteTable } from './route-table.ts';
import { announceStream, type SenderIdentity, withdrawStream } from './stream.ts';

const MESSAGE_ROUTES = 16;

export interface Replay {
  readonly chunks: readonly Uint8Array[];
  /** Prefixes that the session has announced and not withdrawn in the end, as text. */
  readonly prefixes: ReadonlySet<string>;
}

/** Reads the whole file and encodes it for one session. */
export async function replay(path: string, choice: PeerChoice, sender: SenderIdentity): Promise<Replay> {
  const tables = await tablesFromMrt(path, choice, 'table');
  if (tables.length === 0) return replayUpdates(path, choice, sender);
  const prefixes = new Set<string>();
  const chunks = tables.map((table) => {
    for (let i = 0; i < table.count; i++) prefixes.add(prefixText(table, i));
    return announceStream(table, { from: 0, to: table.count }, sender);
  });
  return { chunks, prefixes };
}

async function replayUpdates(path: string, choice: PeerChoice, sender: SenderIdentity): Promise<Replay> {
  const chunks: Uint8Array[] = [];
  const prefixes = new Set<string>();
  const chosen = peerFilter(choice);
  await readMrt(path, {
    onMessage({ peer, message, as4, addPath }) {
      if (!chosen(peer)) return;
      const collected = new MessageRoutes();
      try {
        readUpdate(message, { as4, addPath }, collected);
      } catch (error) {
        // What the collector's own session refused is not played.
        if (!(error instanceof MrtError)) throw error;
        return;
      }
      for (const table of collected.withdrawn.values()) {
        for (let i = 0; i < table.count; i++) prefixes.delete(prefixText(table, i));
        chunks.push(withdrawStream(table, { from: 0, to: table.count }));
      }
      for (const table of collected.announced.values()) {
        for (let i = 0; i < table.count; i++) prefixes.add(prefixText(table, i));
        chunks.push(announceStream(table, { from: 0, to: table.count }, sender));
      }
    },
  });
  return { chunks, prefixes };
}

/** The unicast routes of one message, a table a family. */
class MessageRoutes {
  readonly #pool = new AttributePool();
  readonly announced = new Map<number, RouteTable>();
  readonly withdrawn = new Map<number, RouteTable>();

  announce(family: NlriFamily, prefix: Uint8Array, length: number, _id: number, block: AttributeBlock): void {
    this.#tableOf(this.announced, family)?.add(prefix, length, this.#pool.intern(block.bytes));
  }

  withdraw(family: NlriFamily, prefix: Uint8Array, length: number): void {
    this.#tableOf(this.withdrawn, family)?.add(prefix, length, 0);
  }

  #tableOf(tables: Map<number, RouteTable>, { unicast }: NlriFamily): RouteTable | undefined {
    if (unicast === undefined) return undefined;
    const table = tables.get(unicast.id) ?? new RouteTable(unicast, this.#pool, MESSAGE_ROUTES);
    tables.set(unicast.id, table);
    return table;
  }
}

/** `address/length` of a row. */
export function prefixText(table: RouteTable, index: number): string {
  const { words, nextHopBytes } = table.family;
  const view = new DataView(new ArrayBuffer(nextHopBytes));
  for (let word = 0; word < words; word++) view.setInt32(word * 4, table.words[index * words + word]!);
  return `${formatAddress(new Uint8Array(view.buffer))}/${table.lengths[index]}`;
}
