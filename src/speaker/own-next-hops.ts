// Next hops that the machine's addresses decide: where the session's address is of another family than the routes, one of
// the same interface stands for it (own-addresses.ts). That one may come later than the session, and may go while it stands.
// One that is still there stays, whatever else the interface has got. And next hops in a subnet of the link go as they are
// once it is one, and only while it is.

import type { KernelView } from '../fib/kernel-view.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { formatPrefix, isUnspecified, type Prefix } from '../lib/ip.ts';
import type { ExportOptions } from '../rib/export-options.ts';
import type { Rib } from '../rib/rib.ts';
import type { EstablishedPeer } from './established-peer.ts';
import { type OwnAddress, subnetsOn } from './own-addresses.ts';
import type { PeerRegistry } from './peer-registry.ts';

/** Whoever sets an interface up anew takes its addresses away first: that must not withdraw a table. */
const SETTLE_MS = 1000;
/** Of an address; two of them are a global and a link-local one. */
const IPV6_OCTETS = 16;

/** What the machine has now. */
interface Own {
  /** As text. */
  readonly addresses: ReadonlySet<string>;
  /** By the name of their interface. */
  readonly subnets: ReadonlyMap<string, readonly Prefix[]>;
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
      this.#review(this.#view === undefined ? [] : ownAddresses(this.#view));
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #review(known: readonly OwnAddress[]): void {
    const subnets = new Map<string, readonly Prefix[]>();
    for (const each of known) {
      const { interface: link } = each;
      subnets.set(link, [...(subnets.get(link) ?? []), ...subnetsOn([each], link)]);
    }
    const own = { addresses: new Set(known.map(({ bytes }) => bytes.join())), subnets };
    const concerned = [...this.#registry.values()].filter(
      ({ established }) => established !== undefined && this.#needsAnother(established, own),
    );
    if (concerned.length > 0) this.#registry.refreshOut(...concerned);
  }

  /** There was none, or it is not ours any more, or the link has got a subnet or lost one. */
  #needsAnother({ ribPeer, session, link }: EstablishedPeer, { addresses, subnets }: Own): boolean {
    return session.context.families.some(({ id }) => {
      const group = this.#rib.groupsOf(ribPeer, id).groupOf(ribPeer.id);
      if (group === undefined) return false;
      const { ownNextHop } = group.options;
      return (
        ownNextHop === undefined ||
        !addressesOf(ownNextHop).every((each) => addresses.has(each.join())) ||
        !knowsSubnets(group.options, subnets.get(link ?? '') ?? [])
      );
    });
  }
}

function ownAddresses(view: KernelView): OwnAddress[] {
  return view.addresses.map(({ ifindex, address: bytes, prefixLength }) => {
    return { interface: view.interfaceOf(ifindex)?.name ?? '', bytes, prefixLength };
  });
}

/** Where subnets of the link count at all, they are those that it has, of the versions that next hops may be of. */
function knowsSubnets(
  { linkSubnets, family, extendedNextHop }: ExportOptions,
  subnets: readonly Prefix[],
): boolean {
  if (linkSubnets === undefined) return true;
  const known = new Set(linkSubnets.map(formatPrefix));
  const wanted = subnets.filter(
    ({ bytes: { length } }) => length === family.nextHopBytes || (length === IPV6_OCTETS && extendedNextHop),
  );
  const texts = new Set(wanted.map(formatPrefix));
  return texts.size === known.size && [...texts].every((each) => known.has(each));
}

/** Those that a next hop of 4, 16 or 32 octets consists of, less one that is only there for the form. */
function addressesOf(nextHop: Uint8Array): Uint8Array[] {
  return [nextHop.subarray(0, IPV6_OCTETS), nextHop.subarray(IPV6_OCTETS)].filter(
    (address) => !isUnspecified(address),
  );
}
