// Route messages into RouteRows: columns of fixed capacity that are cut off and handed over when full.

import { type KernelPath, ROW_CHANGE, type RouteRows } from '../types.ts';
import { NLM_F, RT_TABLE_LOCAL, RTM } from './constants.ts';
import type { NetlinkMessage } from './messages.ts';
import { decodePath, decodeRoute, newRouteRecord, pathKey } from './route-decode.ts';

export class RowBuilder {
  readonly #capacity: number;
  readonly #addressBytes: 4 | 16;
  readonly #record = newRouteRecord();
  readonly #pathIndexes = new Map<string, number>();
  /** Next-hop objects that routes of any table named, and the protocol of one of these. */
  readonly nextHopIds = new Map<number, number>();
  #columns: Columns;

  constructor(addressBytes: 4 | 16, capacity: number) {
    this.#addressBytes = addressBytes;
    this.#capacity = capacity;
    this.#columns = new Columns(addressBytes, capacity);
  }

  get count(): number {
    return this.#columns.count;
  }

  get full(): boolean {
    return this.#columns.count === this.#capacity;
  }

  /**
   * Adds one RTM_NEWROUTE or RTM_DELROUTE, which is part of a scan or a notification. Ignored: table `local`, cached
   * routes, other families and types that godwit has nothing to do with.
   */
  add(bytes: Uint8Array, view: DataView, message: NetlinkMessage, scanned: boolean): void {
    const record = this.#record;
    if (!decodeRoute(view, message.start, message.end, record)) return;
    if (record.addressBytes !== this.#addressBytes) return;
    if (record.nextHopId !== 0) this.nextHopIds.set(record.nextHopId, record.protocol);
    if (record.table === RT_TABLE_LOCAL) return;
    const columns = this.#columns;
    const row = columns.count++;
    const stride = columns.addressBytes / 4;
    for (let i = 0; i < stride; i++) columns.words[row * stride + i] = record.words[i]!;
    columns.bits[row] = record.bits;
    columns.tables[row] = record.table;
    columns.metrics[row] = record.metric;
    columns.protocols[row] = record.protocol;
    columns.changes[row] = scanned ? ROW_CHANGE.present : changeOf(message);
    const key = pathKey(bytes, record);
    let index = this.#pathIndexes.get(key);
    if (index === undefined) {
      index = columns.paths.length;
      columns.paths.push(decodePath(bytes, view, record));
      this.#pathIndexes.set(key, index);
    }
    columns.pathIndex[row] = index;
  }

  /** The rows so far; the builder starts anew. */
  take(): RouteRows {
    const rows = this.#columns;
    this.#columns = new Columns(this.#addressBytes, this.#capacity);
    this.#pathIndexes.clear();
    return rows;
  }
}

class Columns implements RouteRows {
  readonly addressBytes: 4 | 16;
  count = 0;
  readonly words: Int32Array<ArrayBuffer>;
  readonly bits: Uint8Array<ArrayBuffer>;
  readonly tables: Uint32Array<ArrayBuffer>;
  readonly metrics: Uint32Array<ArrayBuffer>;
  readonly protocols: Uint8Array<ArrayBuffer>;
  readonly changes: Uint8Array<ArrayBuffer>;
  readonly pathIndex: Uint32Array<ArrayBuffer>;
  readonly paths: KernelPath[] = [];

  constructor(addressBytes: 4 | 16, capacity: number) {
    this.addressBytes = addressBytes;
    this.words = new Int32Array((capacity * addressBytes) / 4);
    this.bits = new Uint8Array(capacity);
    this.tables = new Uint32Array(capacity);
    this.metrics = new Uint32Array(capacity);
    this.protocols = new Uint8Array(capacity);
    this.changes = new Uint8Array(capacity);
    this.pathIndex = new Uint32Array(capacity);
  }
}

function changeOf(message: NetlinkMessage): number {
  if (message.type === RTM.delRoute) return ROW_CHANGE.deleted;
  return message.flags & NLM_F.replace ? ROW_CHANGE.replaced : ROW_CHANGE.added;
}
