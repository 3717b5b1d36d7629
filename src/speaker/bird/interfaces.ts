// Interfaces with their addresses: as the kernel tells of them, or, where nobody asks the kernel, as the system lists
// them for everybody.

import type { KernelLink } from '../../fib/types.ts';
import { readInterfaces } from '../../lib/host-interfaces.ts';
import { formatAddress, isLinkLocal, maskBytes, parseAddress } from '../../lib/ip.ts';
import type { InterfaceView } from '../api/tables.ts';
import type { KernelSync } from '../kernel-sync.ts';

const LOOPBACK_MTU = 65_536;
const ETHERNET_MTU = 1500;
const IPV4_OCTETS = 4;
/** Prefixes of one IPv4 link between two: /30 and /31 (RFC 3021). */
const PAIR_BITS: ReadonlySet<number> = new Set([30, 31]);

type AddressView = InterfaceView['addresses'][number];

interface Found {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly peer: Uint8Array | undefined;
}

export function interfaceViews(kernel: KernelSync | undefined): InterfaceView[] {
  return kernel === undefined ? systemInterfaces() : kernelInterfaces(kernel);
}

function kernelInterfaces({ view }: KernelSync): InterfaceView[] {
  const views = [...view.links].map((link): InterfaceView => {
    const found = view.addresses
      .filter(({ ifindex }) => ifindex === link.ifindex)
      .map(({ address, prefixLength, peer }) => ({ bytes: address, length: prefixLength, peer }));
    const details = link.details ?? plainDetails(link);
    const { master } = details;
    return {
      name: link.name,
      index: link.ifindex,
      up: details.adminUp,
      ...details,
      loopback: link.loopback,
      mtu: link.mtu,
      master: master === undefined ? undefined : (view.interfaceOf(master)?.name ?? `${master}`),
      addresses: addressViews(found),
    };
  });
  return views.sort((a, b) => a.index - b.index);
}

/** Of a link of which no more is known. */
function plainDetails({ up, loopback }: KernelLink) {
  const shared = !loopback;
  return {
    adminUp: up,
    linkUp: up,
    broadcast: shared,
    multicast: shared,
    pointToPoint: false,
    master: undefined,
  };
}

function systemInterfaces(): InterfaceView[] {
  return Object.entries(readInterfaces()).map(([name, addresses = []], at) => {
    const loopback = addresses.some(({ internal }) => internal);
    return {
      name,
      index: at + 1,
      up: true,
      adminUp: true,
      linkUp: true,
      loopback,
      broadcast: !loopback,
      multicast: !loopback,
      pointToPoint: false,
      mtu: loopback ? LOOPBACK_MTU : ETHERNET_MTU,
      master: undefined,
      addresses: addressViews(
        addresses.flatMap(({ address, cidr }) => {
          const bytes = parseAddress(address)?.bytes;
          const length = Number(cidr?.split('/')[1]);
          return bytes === undefined || Number.isNaN(length) ? [] : [{ bytes, length, peer: undefined }];
        }),
      ),
    };
  });
}

/** The first of each version, and of link-local ones, is what others are told of. */
function addressViews(found: readonly Found[]): AddressView[] {
  const kinds = new Set<string>();
  const prefixes = new Set<string>();
  return found.map(({ bytes, length, peer }) => {
    const scope = scopeOf(bytes);
    const kind = bytes.length === IPV4_OCTETS ? 'ipv4' : scope === 'link' ? 'link-local' : 'ipv6';
    const prefix = `${maskBytes(peer ?? bytes, length).join('.')}/${length}`;
    // IPv6 knows of none.
    const secondary = kind === 'ipv4' && prefixes.has(prefix);
    const rank = secondary ? 'secondary' : kinds.has(kind) ? 'other' : 'primary';
    kinds.add(kind);
    prefixes.add(prefix);
    const opposite = peer ?? otherOfPair(bytes, length);
    return {
      address: formatAddress(bytes),
      length,
      scope,
      rank,
      opposite: opposite === undefined ? undefined : formatAddress(opposite),
    };
  });
}

function otherOfPair(bytes: Uint8Array, length: number): Uint8Array | undefined {
  if (bytes.length !== IPV4_OCTETS || !PAIR_BITS.has(length)) return undefined;
  const other = Uint8Array.from(bytes);
  // In a /30 the two between the network and its broadcast address.
  other[3] = other[3]! ^ (length === 30 ? 3 : 1);
  return other;
}

const LOOPBACK_V4 = 127;

/** RFC 1918 and RFC 4193 addresses reach as far as a site. */
function scopeOf(bytes: Uint8Array): AddressView['scope'] {
  const [a = 0, b = 0] = bytes;
  if (bytes.length === IPV4_OCTETS) {
    if (a === LOOPBACK_V4) return 'host';
    return a === 10 || (a === 172 && (b & 0xf0) === 16) || (a === 192 && b === 168) ? 'site' : 'univ';
  }
  if (isLinkLocal(bytes)) return 'link';
  if (bytes.every((octet, i) => octet === (i === 15 ? 1 : 0))) return 'host';
  return (a & 0xfe) === 0xfc ? 'site' : 'univ';
}
