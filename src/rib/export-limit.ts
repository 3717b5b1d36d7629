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

/** As ExportFilter. `pathId`: of a group that sends several paths of a prefix. */
export interface ExportGate {
  pass(prefixId: number, attr: number, from: number, pathId?: number): number;
  seen(attr: number, from: number): number;
  settle(): void;
}

export class BlockingGate implements ExportGate {
  readonly #block: NonNullable<ExportLimit['block']>;
  readonly #out: AdjRibOut;
  readonly #filter: ExportFilter | undefined;
  /** The prefix that is computed, the size of the Adj-RIB-Out then, and paths of it that have passed since. */
  #prefixId = 0;
  #size = 0;
  #passed = 0;

  constructor(block: NonNullable<ExportLimit['block']>, out: AdjRibOut, filter: ExportFilter | undefined) {
    this.#block = block;
    this.#out = out;
    this.#filter = filter;
  }

  pass(prefixId: number, attr: number, from: number, pathId = 0): number {
    const result = this.#filter === undefined ? attr : this.#filter.pass(prefixId, attr, from);
    const { routes, peerId } = this.#block;
    if (result === 0 || from === peerId || this.#has(prefixId, pathId)) return result;
    const { size } = this.#out;
    if (prefixId !== this.#prefixId || size !== this.#size) {
      this.#prefixId = prefixId;
      this.#size = size;
      this.#passed = 0;
    }
    if (size - this.#out.fromPeer(peerId) + this.#passed < routes) {
      this.#passed++;
      return result;
    }
    this.#block.blocked();
    return 0;
  }

  #has(prefixId: number, pathId: number): boolean {
    let found = false;
    this.#out.forEach(prefixId, (sent, _attr, from) => {
      if (sent === pathId && from !== this.#block.peerId) found = true;
    });
    return found;
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
