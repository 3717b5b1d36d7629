// What follows from a link or an address that comes or goes, beside what next hops make of it.

import type { KernelView } from '../fib/kernel-view.ts';
import type { Clock } from '../lib/clock.ts';
import type { Rib } from '../rib/rib.ts';
import { FastFallover } from './fast-fallover.ts';
import { OwnNextHops } from './own-next-hops.ts';
import type { PeerHandle, PeerRegistry } from './peer-registry.ts';

export class LinkEvents {
  readonly #fallover: FastFallover;
  readonly #ownNextHops: OwnNextHops;

  constructor(registry: PeerRegistry, rib: Rib, clock: Clock) {
    this.#fallover = new FastFallover(registry);
    this.#ownNextHops = new OwnNextHops(registry, rib, clock);
  }

  follow(view: KernelView): void {
    view.listen({
      onRoute: () => {},
      onInterface: () => {
        this.#fallover.linksChanged(view);
        this.#ownNextHops.linksChanged(view);
      },
    });
  }

  /** The peer is no more. */
  forget(handle: PeerHandle): void {
    this.#fallover.forget(handle);
  }

  stop(): void {
    this.#ownNextHops.stop();
  }
}
