// Next hops that the machine's addresses decide: where the session's address is of another family than the routes, one of
// the same interface stands for it (own-addresses.ts). That one may come later than the session, and may go while it stands.
// One that is still there stays, whatever else the interface has got. And next hops in a subnet of the link go as they are
// only while it is one.

import type { KernelView } from '../fib/kernel-view.ts';
import type { KernelAddress } from '../fib/types.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { formatPrefix, isUnspecified, subnetOf } from '../lib/ip.ts';
import type { Rib } from '../rib/rib.ts';
import type { EstablishedPeer } from './established-peer.ts';
import type { PeerRegistry } from './peer-registry.ts';

/** Whoever sets an interface up anew takes its addresses away first: that must not withdraw a table. */
const SETTLE_MS = 1000;
/** Of an address; two of them are a global and a link-local one. */
const IPV6_OCTETS = 16;

/** Addresses and subnets of the machine, as text. */
interface Own {
  readonly addresses: ReadonlySet<string>;
  readonly subnets: ReadonlySet<string>;
}

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
      this.#review(this.#view?.addresses ?? []);
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #review(known: readonly KernelAddress[]): void {
    const own = {
      addresses: new Set(known.map(({ address }) => address.join())),
      subnets: new Set(known.map((each) => formatPrefix(subnetOf(each.address, each.prefixLength)))),
    };
    const concerned = [...this.#registry.values()].filter(
      ({ established }) => established !== undefined && this.#needsAnother(established, own),
    );
    if (concerned.length > 0) this.#registry.refreshOut(...concerned);
  }

  /** There was none, or it is not ours any more, or a subnet of the link is gone. */
  #needsAnother({ ribPeer, session }: EstablishedPeer, { addresses, subnets }: Own): boolean {
    return session.context.families.some(({ id }) => {
      const group = this.#rib.groupsOf(ribPeer, id).groupOf(ribPeer.id);
      if (group === undefined) return false;
      const { ownNextHop, linkSubnets = [] } = group.options;
      return (
        ownNextHop === undefined ||
        !addressesOf(ownNextHop).every((each) => addresses.has(each.join())) ||
        !linkSubnets.every((each) => subnets.has(formatPrefix(each)))
      );
    });
  }
}

/** Those that a next hop of 4, 16 or 32 octets consists of, less one that is only there for the form. */
function addressesOf(nextHop: Uint8Array): Uint8Array[] {
  return [nextHop.subarray(0, IPV6_OCTETS), nextHop.subarray(IPV6_OCTETS)].filter(
    (address) => !isUnspecified(address),
  );
}
