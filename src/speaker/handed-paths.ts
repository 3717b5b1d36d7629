// Paths that another process has watched, until somebody here wants them: a session goes on between whichever of its ends
// the wishes speak of first.

import type { BfdImage } from '../bfd/image.ts';
import { type PathEnds, pathKey, samePath } from './watched-path.ts';

/** A path on its way from one process to another. */
export interface HandedPath {
  readonly image: BfdImage;
  /** Of its session; absent in states of versions that knew it by its key alone. */
  readonly ends?: PathEnds;
  /** Wall-clock milliseconds. */
  readonly since: number;
  readonly upCount: number;
  readonly downCount: number;
}

export class HandedPaths {
  readonly #byKey = new Map<string, HandedPath>();

  add(paths: ReadonlyMap<string, HandedPath>): void {
    for (const [key, path] of paths) this.#byKey.set(key, path);
  }

  /** The one between these ends, else one that may be; it is nobody else's then. */
  take(ends: PathEnds): HandedPath | undefined {
    const key = this.#keyOf(ends);
    const path = this.#byKey.get(key);
    this.#byKey.delete(key);
    return path;
  }

  /** The other sides have given up those that nobody wanted, or will soon. */
  clear(): void {
    this.#byKey.clear();
  }

  #keyOf(ends: PathEnds): string {
    const key = pathKey(ends);
    if (this.#byKey.has(key)) return key;
    for (const [other, path] of this.#byKey) {
      if (path.ends !== undefined && samePath(path.ends, ends)) return other;
    }
    return key;
  }
}
