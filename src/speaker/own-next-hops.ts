// Next hops of our own that the machine's addresses decide: where the session's address is of another family than the
// routes, one of the same interface stands for it (own-addresses.ts). That one may come later than the session, and may
// go while it stands. One that is still there stays, whatever else the interface has got.

import type { KernelView } from '../fib/kernel-view.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { isUnspecified } from '../lib/ip.ts';
import type { Rib } from '../rib/rib.ts';
import type { EstablishedPeer } from './established-peer.ts';
import type { PeerRegistry } from './peer-registry.ts';

/** Whoever sets an interface up anew takes its addresses away first: that must not withdraw a table. */
const SETTLE_MS = 1000;
/** Of an address; two of them are a global and a link-local one. */
const IPV6_OCTETS = 16;

export class OwnNextHops {
  readonly #registry: PeerRegistry;
  readonly #rib: Rib;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  /** Of the kernel that serves now: a reload may bring another while interfaces settle. */
  #view: KernelView | undefined;

  constructor(registry: PeerRegistry, rib: Rib, clock: Clock) {
    this.#registry = registry;
    this.#rib = rib;
    this.#clock = clock;
  }

  /** A link or an address is not what it was. */
  linksChanged(view: KernelView): void {
    this.#view = view;
    this.#timer ??= this.#clock.setTimer(SETTLE_MS, () => {
      this.#timer = undefined;
      this.#review(new Set(this.#view?.addresses.map(({ address }) => address.join())));
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #review(own: ReadonlySet<string>): void {
    const concerned = [...this.#registry.values()].filter(
      ({ established }) => established !== undefined && this.#needsAnother(established, own),
    );
    if (concerned.length > 0) this.#registry.refreshOut(...concerned);
  }

  /** There was none, or it is not ours any more. */
  #needsAnother({ ribPeer, session }: EstablishedPeer, own: ReadonlySet<string>): boolean {
    return session.context.families.some(({ id }) => {
      const group = this.#rib.groupsOf(ribPeer, id).groupOf(ribPeer.id);
      if (group === undefined) return false;
      const { ownNextHop } = group.options;
      return ownNextHop === undefined || !addressesOf(ownNextHop).every((each) => own.has(each.join()));
    });
  }
}

/** Those that a next hop of 4, 16 or 32 octets consists of, less one that is only there for the form. */
function addressesOf(nextHop: Uint8Array): Uint8Array[] {
  return [nextHop.subarray(0, IPV6_OCTETS), nextHop.subarray(IPV6_OCTETS)].filter(
    (address) => !isUnspecified(address),
  );
}
