// What a group's members have been sent, at the group's own pace: (prefix, sent path id) -> attributes and the peer
// the route came from. A member has every entry but those that came from itself, so no bitmap is kept; members
// that lag behind remember what they miss (lane.ts). Two stores behind one interface: most groups send the best
// path only and get dense columns, ADD-PATH groups keep a list a prefix.

import { growInt32, moved } from '../lib/columns.ts';
import type { AttrStore } from './attr-store.ts';
import type { PrefixTable } from './prefix-table.ts';
import type { ResumableWork } from './row-walk.ts';

export interface AdjRibOut {
  /** Entries. */
  readonly size: number;
  /** Entries that came from this peer, which therefore does not have them. */
  fromPeer(peerId: number): number;
  has(prefixId: number): boolean;
  forEach(prefixId: number, visit: (pathId: number, attr: number, fromPeer: number) => void): void;
  remove(prefixId: number, pathId: number): void;
  /** Removes all entries of a prefix. */
  clear(prefixId: number): void;
  /** Gives back room that ids of prefixes no longer need. */
  compact(): void;
}

const INITIAL_IDS = 1 << 12;
/** With more a full table is likely, and untouched pages cost less than copies. */
const MANY_IDS = 1 << 16;
const PREFIXES_PER_CLOCK = 8192;

/** Gives back all that an Adj-RIB-Out holds. */
export function emptyInSlices(out: AdjRibOut, prefixes: PrefixTable): ResumableWork {
  let prefixId = 1;
  return {
    run: (expired) => {
      while (out.size > 0 && prefixId < prefixes.limit) {
        out.clear(prefixId++);
        if (prefixId % PREFIXES_PER_CLOCK === 0 && expired()) return true;
      }
      return false;
    },
  };
}

/** Counts entries by the peer they came from. */
class SourceCounts {
  #counts = new Int32Array(256);

  add(peerId: number, delta: number): void {
    this.#counts = growInt32(this.#counts, peerId + 1);
    this.#counts[peerId] = this.#counts[peerId]! + delta;
  }

  get(peerId: number): number {
    return this.#counts[peerId] ?? 0;
  }
}

/** One entry a prefix, path id 0. */
export class SinglePathOut implements AdjRibOut {
  readonly #attrs: AttrStore;
  readonly #prefixes: PrefixTable;
  readonly #sources = new SourceCounts();
  /** Pairs (attributes, peer) by prefixId; attributes 0 = not advertised. */
  #entries = new Int32Array(INITIAL_IDS * 2);
  size = 0;

  constructor(attrs: AttrStore, prefixes: PrefixTable) {
    this.#attrs = attrs;
    this.#prefixes = prefixes;
  }

  fromPeer(peerId: number): number {
    return this.#sources.get(peerId);
  }

  has(prefixId: number): boolean {
    return this.attr(prefixId) !== 0;
  }

  /** Attributes of what was advertised before they were rewritten, or 0. */
  attr(prefixId: number): number {
    const at = prefixId * 2;
    return at < this.#entries.length ? this.#entries[at]! : 0;
  }

  /** The peer that it came from, or 0. */
  from(prefixId: number): number {
    const at = prefixId * 2;
    return at < this.#entries.length ? this.#entries[at + 1]! : 0;
  }

  forEach(prefixId: number, visit: (pathId: number, attr: number, fromPeer: number) => void): void {
    if (this.has(prefixId)) visit(0, this.attr(prefixId), this.from(prefixId));
  }

  remove(prefixId: number): void {
    this.clear(prefixId);
  }

  clear(prefixId: number): void {
    if (this.has(prefixId)) this.set(prefixId, 0, 0);
  }

  compact(): void {
    const used = this.#prefixes.limit * 2;
    if (used < this.#entries.length) this.#entries = moved(new Int32Array(used), this.#entries, used);
  }

  /** Replaces the entry; `attr` 0 removes it. */
  set(prefixId: number, attr: number, from: number): void {
    const at = prefixId * 2;
    if (at >= this.#entries.length) this.#grow();
    const entries = this.#entries;
    const old = entries[at]!;
    if (attr !== 0) {
      this.#attrs.hold(attr);
      this.#sources.add(from, 1);
    }
    if (old !== 0) {
      this.#sources.add(entries[at + 1]!, -1);
      this.#attrs.release(old);
    }
    entries[at] = attr;
    entries[at + 1] = from;
    if (old === 0 && attr !== 0) {
      this.size++;
      this.#prefixes.hold(prefixId);
    } else if (old !== 0 && attr === 0) {
      this.size--;
      this.#prefixes.release(prefixId);
    }
  }

  #grow(): void {
    const { limit, room } = this.#prefixes;
    this.#entries = growInt32(this.#entries, (limit > MANY_IDS ? room : limit) * 2);
  }
}

export interface PathOut {
  /** Sent path identifier: the row's number, unique while the path lives (RFC 7911 §2). */
  readonly pathId: number;
  readonly attr: number;
  readonly from: number;
}

/** Several entries a prefix (RFC 7911). */
export class MultiPathOut implements AdjRibOut {
  readonly #attrs: AttrStore;
  readonly #prefixes: PrefixTable;
  readonly #sources = new SourceCounts();
  readonly #entries = new Map<number, readonly PathOut[]>();
  size = 0;

  constructor(attrs: AttrStore, prefixes: PrefixTable) {
    this.#attrs = attrs;
    this.#prefixes = prefixes;
  }

  fromPeer(peerId: number): number {
    return this.#sources.get(peerId);
  }

  has(prefixId: number): boolean {
    return this.#entries.has(prefixId);
  }

  get(prefixId: number): readonly PathOut[] {
    return this.#entries.get(prefixId) ?? NO_PATHS;
  }

  forEach(prefixId: number, visit: (pathId: number, attr: number, fromPeer: number) => void): void {
    for (const path of this.get(prefixId)) visit(path.pathId, path.attr, path.from);
  }

  remove(prefixId: number, pathId: number): void {
    const paths = this.get(prefixId);
    this.set(
      prefixId,
      paths.filter((path) => path.pathId !== pathId),
    );
  }

  clear(prefixId: number): void {
    this.set(prefixId, NO_PATHS);
  }

  /** It has none: entries are a map's. */
  compact(): void {}

  /** Replaces all entries of a prefix. */
  set(prefixId: number, paths: readonly PathOut[]): void {
    const old = this.get(prefixId);
    for (const path of paths) {
      this.#attrs.hold(path.attr);
      this.#sources.add(path.from, 1);
    }
    for (const path of old) {
      this.#sources.add(path.from, -1);
      this.#attrs.release(path.attr);
    }
    this.size += paths.length - old.length;
    if (paths.length > 0) this.#entries.set(prefixId, paths);
    else this.#entries.delete(prefixId);
    if (old.length === 0 && paths.length > 0) this.#prefixes.hold(prefixId);
    else if (old.length > 0 && paths.length === 0) this.#prefixes.release(prefixId);
  }
}

const NO_PATHS: readonly PathOut[] = [];

/**
 * What a member at the group's pace has of a prefix. Without routes of a peer that did not come along into this process
 * (from 0): what was sent of them is not known any more, and they go when the prefix is computed next.
 */
export function sentTo(out: AdjRibOut, prefixId: number, peerId: number): PathOut[] {
  const sent: PathOut[] = [];
  out.forEach(prefixId, (pathId, attr, from) => {
    if (from !== peerId && from !== 0) sent.push({ pathId, attr, from });
  });
  return sent;
}
