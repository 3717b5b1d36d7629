// The paths that BFD watches, by session and by the other end: whoever wants one finds the one that is there.

import { type PathEnds, pathKey, samePath, type WatchedPath, wantedEnds } from './watched-path.ts';

export class WatchedPaths {
  readonly #byId = new Map<number, WatchedPath>();
  readonly #byRemote = new Map<string, readonly WatchedPath[]>();

  get size(): number {
    return this.#byId.size;
  }

  values(): IterableIterator<WatchedPath> {
    return this.#byId.values();
  }

  /** By the session that watches it. */
  get(id: number): WatchedPath | undefined {
    return this.#byId.get(id);
  }

  add(path: WatchedPath): void {
    const { remote } = path.spec.path;
    this.#byId.set(path.id, path);
    this.#byRemote.set(remote.join('.'), [...this.towards(remote), path]);
  }

  delete(path: WatchedPath): void {
    const { remote } = path.spec.path;
    const others = this.towards(remote).filter((other) => other !== path);
    this.#byId.delete(path.id);
    if (others.length === 0) this.#byRemote.delete(remote.join('.'));
    else this.#byRemote.set(remote.join('.'), others);
  }

  /** Those to an address of 4 or 16 octets, on whichever link, in the order in which they came. */
  towards(remote: Uint8Array): readonly WatchedPath[] {
    return this.#byRemote.get(remote.join('.')) ?? [];
  }

  /**
   * The one between these ends; else one of a single hop that may be: what one leaves open the other says. A session may be
   * between ends that nobody of those speaks of who want it now.
   */
  find(ends: PathEnds): WatchedPath | undefined {
    const key = pathKey(ends);
    const candidates = this.towards(ends.address.bytes);
    return (
      candidates.find((path) => pathKey(path.ends) === key) ??
      candidates.find((path) => samePath(wantedEnds(path), ends) && samePath(path.ends, ends))
    );
  }
}
