// What a micro-benchmark is: a part of the hot path, fed with what it gets in the product.

import type { RouteTable } from '../load/route-table.ts';

/** Real-shaped input that all micro-benchmarks share; made once, never changed. */
export interface MicroInput {
  readonly table: RouteTable;
  /** The whole table as UPDATE messages back to back, from peers 0, 1, ... (see speaker.ts). */
  readonly streams: readonly Uint8Array[];
  /** The same routes withdrawn. */
  readonly withdrawals: Uint8Array;
  /** Where each message of `streams[0]` starts; one more entry is the end. */
  readonly messages: Uint32Array;
  /** Canonical attribute sets of `streams[0]`, one a message. */
  readonly sets: readonly Uint8Array[];
  /** How many members a filter's prefix set has. */
  readonly setMembers: number;
}

export interface MicroRun {
  /** How many items one run handles. */
  readonly items: number;
  /** Does the work once and returns how many items it saw: what nobody uses a compiler may leave out. */
  run(): number;
}

export interface Micro {
  readonly name: string;
  readonly title: string;
  /** What an item is. */
  readonly item: string;
  /** Fresh state for one run; not timed. */
  prepare(input: MicroInput): MicroRun;
}
