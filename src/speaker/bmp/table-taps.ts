// Where BMP hears that routes of a table have changed: decided prefixes from the Loc-RIB, and rows that nobody chooses
// from, refused ones, from the table itself. Without a listener neither is asked.

import type { FamilyRib } from '../../rib/family-rib.ts';

export type PrefixListener = (prefixId: number) => void;

interface Tap {
  readonly listeners: Set<PrefixListener>;
  readonly close: () => void;
}

export class TableTaps {
  readonly #taps = new Map<FamilyRib, Tap>();

  /** Tells of prefixes whose routes have changed; returns the function that ends it. */
  listen(rib: FamilyRib, listener: PrefixListener): () => void {
    const tap = this.#taps.get(rib) ?? this.#open(rib);
    tap.listeners.add(listener);
    return () => {
      tap.listeners.delete(listener);
      if (tap.listeners.size > 0 || this.#taps.get(rib) !== tap) return;
      this.#taps.delete(rib);
      tap.close();
    };
  }

  #open(rib: FamilyRib): Tap {
    const listeners = new Set<PrefixListener>();
    const tell = (prefixId: number): void => {
      for (const listener of listeners) listener(prefixId);
    };
    const unlisten = rib.locRib.addListener(tell);
    rib.onUnchosen = tell;
    const close = (): void => {
      unlisten();
      rib.onUnchosen = undefined;
    };
    const tap = { listeners, close };
    this.#taps.set(rib, tap);
    return tap;
  }
}
