// Route tables from real input: one peer's (or everybody's) routes of an MRT table dump, the end state of a dump of
// updates, or of a raw stream of UPDATE messages. A later announcement of a prefix replaces an earlier one and a
// withdrawal removes it, as on a session.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { FAMILIES, type Family } from '../../src/bgp/wire/families.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { readAttributes } from '../mrt/attributes.ts';
import { readMrt } from '../mrt/reader.ts';
import { MrtError } from '../mrt/records.ts';
import type { MrtPeer } from '../mrt/rib.ts';
import { forEachMessage, readUpdate, type UpdateVisitor } from '../mrt/update-message.ts';
import { AttributePool, RouteTable } from './route-table.ts';

const GZIP_MAGIC = 0x1f;

/** Which peers of a dump count: all of them, one by its address, or the n-th (from 0) in order of appearance. */
export type PeerChoice = 'all' | { readonly address: string } | { readonly index: number };

/** Collects routes of every family; the last word on a prefix counts. */
class Collector {
  readonly pool = new AttributePool();
  readonly #routes = FAMILIES.map(
    () => new Map<string, { prefix: Uint8Array; length: number; set: number }>(),
  );

  announce(family: Family, prefix: Uint8Array, length: number, attributes: Uint8Array): void {
    const octets = prefix.slice(0, family.nextHopBytes);
    const routes = this.#routes[family.id]!;
    routes.set(keyOf(octets, length), { prefix: octets, length, set: this.pool.intern(attributes) });
  }

  withdraw(family: Family, prefix: Uint8Array, length: number): void {
    this.#routes[family.id]!.delete(keyOf(prefix.subarray(0, family.nextHopBytes), length));
  }

  tables(): RouteTable[] {
    return FAMILIES.map((family) => {
      const routes = this.#routes[family.id]!;
      const table = new RouteTable(family, this.pool, Math.max(1, routes.size));
      for (const { prefix, length, set } of routes.values()) table.add(prefix, length, set);
      return table;
    }).filter((table) => table.count > 0);
  }
}

function keyOf(octets: Uint8Array, length: number): string {
  return String.fromCharCode(length, ...octets);
}

/**
 * The tables, one a family that occurs, of an MRT dump. `what` = table: of table dumps only, so that a file of updates
 * gives none; state: of either, what is left in the end.
 */
export async function tablesFromMrt(
  path: string,
  choice: PeerChoice,
  what: 'table' | 'state' = 'state',
): Promise<RouteTable[]> {
  const collector = new Collector();
  const chosen = peerFilter(choice);
  await readMrt(path, {
    onRibEntry(entry) {
      if (!chosen(entry.peer)) return;
      const { bytes } = readAttributes(entry.attributes, entry);
      collector.announce(entry.family, entry.prefix, entry.length, bytes);
    },
    onMessage({ peer, message, as4, addPath }) {
      if (what === 'table' || !chosen(peer)) return;
      try {
        readUpdate(message, { as4, addPath }, into(collector));
      } catch (error) {
        // A collector also records messages that its own session refused.
        if (!(error instanceof MrtError)) throw error;
      }
    },
  });
  return collector.tables();
}

/** The tables of a file that holds UPDATE messages with 4-octet ASes back to back, gzipped or not. */
export function tablesFromMessages(path: string): RouteTable[] {
  const file = readFileSync(path);
  const stream = file[0] === GZIP_MAGIC ? gunzipSync(file) : file;
  const collector = new Collector();
  forEachMessage(stream, (message) => readUpdate(message, { as4: true, addPath: false }, into(collector)));
  return collector.tables();
}

function into(collector: Collector): UpdateVisitor {
  return {
    announce: ({ unicast }, prefix, length, _pathId, block) => {
      if (unicast !== undefined) collector.announce(unicast, prefix, length, block.bytes);
    },
    withdraw: ({ unicast }, prefix, length) => {
      if (unicast !== undefined) collector.withdraw(unicast, prefix, length);
    },
  };
}

/** Tells the chosen peers' records from the others; keeps count, so use one for each file. */
export function peerFilter(choice: PeerChoice): (peer: MrtPeer) => boolean {
  if (choice === 'all') return () => true;
  if ('address' in choice) return (peer) => formatAddress(peer.address) === choice.address;
  const order: string[] = [];
  return (peer) => {
    const text = `${peer.asn} ${formatAddress(peer.address)}`;
    if (!order.includes(text)) order.push(text);
    return order[choice.index] === text;
  };
}
