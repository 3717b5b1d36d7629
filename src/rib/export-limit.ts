// A limit on what one peer is sent: what would be one too many is kept back, while what it has may change and go. The
// peer has a group of its own then, so that its Adj-RIB-Out is the group's. It stands where an export filter stands,
// and groups without a limit know nothing of it.

import type { AdjRibOut } from './adj-rib-out.ts';
import type { ExportFilter } from './export-filter.ts';

/** Part of a group's options. */
export interface ExportLimit {
  /** Members that agree in this may share a group. */
  readonly key: string;
  /** Most routes that are sent to the peer; undefined = it is only watched. */
  readonly block?: { readonly routes: number; readonly peerId: number; blocked(): void } | undefined;
}

/** As ExportFilter. */
export interface ExportGate {
  /** Paths of this prefix are asked about next, in a group that sends several. */
  begin?(prefixId: number): void;
  pass(prefixId: number, attr: number, from: number): number;
  seen(attr: number, from: number): number;
  settle(): void;
}

class BlockingGate implements ExportGate {
  readonly #block: NonNullable<ExportLimit['block']>;
  readonly #out: AdjRibOut;
  readonly #filter: ExportFilter | undefined;
  /** The prefix of which several paths are computed, and those of it that have passed since; 0 = there is none. */
  #prefixId = 0;
  #passed = 0;

  constructor(block: NonNullable<ExportLimit['block']>, out: AdjRibOut, filter: ExportFilter | undefined) {
    this.#block = block;
    this.#out = out;
    this.#filter = filter;
  }

  begin(prefixId: number): void {
    this.#prefixId = prefixId;
    this.#passed = 0;
  }

  pass(prefixId: number, attr: number, from: number): number {
    const result = this.#filter === undefined ? attr : this.#filter.pass(prefixId, attr, from);
    const { routes, peerId } = this.#block;
    if (result === 0 || from === peerId) return result;
    const { size } = this.#out;
    const has = this.#sent(prefixId);
    const others = size - this.#out.fromPeer(peerId) - has;
    const passed = prefixId === this.#prefixId ? this.#passed : 0;
    // Paths may take each other's places, whatever the limit is; the Adj-RIB-Out has the old ones until all have passed.
    if (passed < Math.max(has, routes - others)) {
      this.#passed = passed + 1;
      return result;
    }
    this.#block.blocked();
    return 0;
  }

  /** Paths of a prefix that the peer has. */
  #sent(prefixId: number): number {
    let count = 0;
    this.#out.forEach(prefixId, (_pathId, _attr, from) => {
      if (from !== this.#block.peerId) count++;
    });
    return count;
  }

  seen(attr: number, from: number): number {
    return this.#filter === undefined ? attr : this.#filter.seen(attr, from);
  }

  settle(): void {
    this.#filter?.settle();
  }
}

/** What stands between a group's choice and its Adj-RIB-Out; undefined = nothing. */
export function exportGate(
  limit: ExportLimit | undefined,
  out: AdjRibOut,
  filter: ExportFilter | undefined,
): ExportGate | undefined {
  return limit?.block === undefined ? filter : new BlockingGate(limit.block, out, filter);
}
