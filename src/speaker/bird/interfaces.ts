// Interfaces with their addresses: as the kernel tells of them, or, where nobody asks the kernel, as the system lists
// them for everybody.

import { networkInterfaces } from 'node:os';
import { formatAddress, isLinkLocal, parseAddress } from '../../lib/ip.ts';
import type { InterfaceView } from '../api/tables.ts';
import type { KernelSync } from '../kernel-sync.ts';

const LOOPBACK_MTU = 65_536;
const ETHERNET_MTU = 1500;

type AddressView = InterfaceView['addresses'][number];

export function interfaceViews(kernel: KernelSync | undefined): InterfaceView[] {
  return kernel === undefined ? systemInterfaces() : kernelInterfaces(kernel);
}

function kernelInterfaces({ view }: KernelSync): InterfaceView[] {
  const views = [...view.links].map((link): InterfaceView => {
    const addresses = view.addresses
      .filter(({ ifindex }) => ifindex === link.ifindex)
      .map(({ address, prefixLength }) => addressView(address, prefixLength));
    return {
      name: link.name,
      index: link.ifindex,
      up: link.up,
      adminUp: link.up,
      linkUp: link.up,
      loopback: link.loopback,
      broadcast: !link.loopback,
      multicast: !link.loopback,
      mtu: link.mtu,
      master: undefined,
      addresses: markPrimary(addresses),
    };
  });
  return views.sort((a, b) => a.index - b.index);
}

function systemInterfaces(): InterfaceView[] {
  return Object.entries(networkInterfaces()).map(([name, addresses = []], at) => {
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
      mtu: loopback ? LOOPBACK_MTU : ETHERNET_MTU,
      master: undefined,
      addresses: markPrimary(
        addresses.flatMap(({ address, cidr }) => {
          const bytes = parseAddress(address)?.bytes;
          const length = Number(cidr?.split('/')[1]);
          return bytes === undefined || Number.isNaN(length) ? [] : [addressView(bytes, length)];
        }),
      ),
    };
  });
}

function addressView(bytes: Uint8Array, length: number): AddressView {
  return { address: formatAddress(bytes), length, scope: scopeOf(bytes), primary: false };
}

/** The first of each version, and of link-local ones, is what others are told of. */
function markPrimary(addresses: readonly AddressView[]): AddressView[] {
  const seen = new Set<string>();
  return addresses.map((each) => {
    const kind = each.address.includes(':') ? (each.scope === 'link' ? 'link-local' : 'ipv6') : 'ipv4';
    const primary = !seen.has(kind);
    seen.add(kind);
    return { ...each, primary };
  });
}

const LOOPBACK_V4 = 127;

/** RFC 1918 and RFC 4193 addresses reach as far as a site. */
function scopeOf(bytes: Uint8Array): AddressView['scope'] {
  const [a = 0, b = 0] = bytes;
  if (bytes.length === 4) {
    if (a === LOOPBACK_V4) return 'host';
    if (a === 169 && b === 254) return 'link';
    return a === 10 || (a === 172 && (b & 0xf0) === 16) || (a === 192 && b === 168) ? 'site' : 'univ';
  }
  if (isLinkLocal(bytes)) return 'link';
  if (bytes.every((octet, i) => octet === (i === 15 ? 1 : 0))) return 'host';
  return (a & 0xfe) === 0xfc ? 'site' : 'univ';
}
