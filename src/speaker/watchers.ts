// Who follows changes live: peers and best paths. Without a watcher nothing is computed.

import type { FamilyRib } from '../rib/family-rib.ts';
import type { Rib } from '../rib/rib.ts';
import type { PeerEvent, RouteEvent } from './api.ts';
import type { PeerHandle } from './peer-registry.ts';
import { peerView } from './views/peer-view.ts';
import { routeView, standings } from './views/route-view.ts';

/** Whether a prefix of a family is of interest. */
export type RouteFilter = (family: FamilyRib, prefixId: number) => boolean;

export class Watchers {
  readonly #rib: Rib;
  readonly #peerListeners = new Set<(event: PeerEvent) => void>();
  readonly #routeListeners = new Map<(event: RouteEvent) => void, RouteFilter>();
  /** Ends listening to the tables; empty where nobody watches routes. */
  #unlisten: readonly (() => void)[] = [];

  constructor(rib: Rib) {
    this.#rib = rib;
  }

  watchPeers(listener: (event: PeerEvent) => void): () => void {
    this.#peerListeners.add(listener);
    return () => this.#peerListeners.delete(listener);
  }

  watchRoutes(filter: RouteFilter, listener: (event: RouteEvent) => void): () => void {
    this.#routeListeners.set(listener, filter);
    if (this.#unlisten.length === 0) this.#listen();
    return () => {
      this.#routeListeners.delete(listener);
      if (this.#routeListeners.size > 0) return;
      for (const unlisten of this.#unlisten) unlisten();
      this.#unlisten = [];
    };
  }

  peerChanged(handle: PeerHandle): void {
    if (this.#peerListeners.size === 0) return;
    const event: PeerEvent = { kind: 'peer', peer: peerView(this.#rib, handle) };
    for (const listener of this.#peerListeners) listener(event);
  }

  #listen(): void {
    this.#unlisten = this.#rib.families.map((family) => {
      return family.locRib.addListener((prefixId, bestChanged) => {
        if (bestChanged) this.#routeChanged(family, prefixId);
      });
    });
  }

  #routeChanged(family: FamilyRib, prefixId: number): void {
    let event: RouteEvent | undefined;
    for (const [listener, wants] of this.#routeListeners) {
      if (!wants(family, prefixId)) continue;
      event ??= this.#routeEvent(family, prefixId);
      listener(event);
    }
  }

  #routeEvent(family: FamilyRib, prefixId: number): RouteEvent {
    const { paths, prefixes } = family;
    const best = standings(family, prefixId).find((standing) => standing.best);
    return {
      kind: 'route',
      family: family.family.name,
      prefix: prefixes.format(prefixId),
      best:
        best === undefined
          ? undefined
          : routeView(this.#rib, family, prefixId, best, paths.attrPost(best.row), paths.pathId(best.row)),
    };
  }
}
