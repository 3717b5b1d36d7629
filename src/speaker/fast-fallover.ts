// Fast fall-over: when the link of a directly connected eBGP peer goes down, its session ends at once instead of after
// its hold time, and when the link is back the peer is dialled at once. Which link a session runs over is noted while
// it stands: the address that would tell goes with the link.

import type { KernelView } from '../fib/kernel-view.ts';
import type { PeerHandle, PeerRegistry } from './peer-registry.ts';

export class FastFallover {
  readonly #registry: PeerRegistry;
  /** Peers that wait for their link. */
  readonly #fallen = new Map<PeerHandle, string>();

  constructor(registry: PeerRegistry) {
    this.#registry = registry;
  }

  /** A link or an address is not what it was. */
  linksChanged(view: KernelView): void {
    for (const handle of this.#registry.values()) {
      const link = linkOf(handle);
      if (link === undefined || isUp(view, link)) continue;
      this.#fallen.set(handle, link);
      handle.peer.linkLost(link);
    }
    for (const [handle, link] of this.#fallen) {
      if (!isUp(view, link)) continue;
      this.#fallen.delete(handle);
      handle.peer.retryNow();
    }
  }

  /** The peer is no more. */
  forget(handle: PeerHandle): void {
    this.#fallen.delete(handle);
  }
}

/** The link that the peer's session needs; undefined where it has none, may run over another, or shall not fall. */
function linkOf({ established, settings }: PeerHandle): string | undefined {
  if (established === undefined || !settings.fastFallover) return undefined;
  if (established.session.context.peerType !== 'external' || settings.multihop !== undefined)
    return undefined;
  return (settings.ttlSecurity ?? 1) === 1 ? established.link : undefined;
}

function isUp(view: KernelView, name: string): boolean {
  return view.interfaceNamed(name)?.up === true;
}
