// This machine's addresses, as far as next hops need them: the own address of another family on the interface of
// a session, and the link-local address beside a global one (RFC 2545 §3).

import { networkInterfaces } from 'node:os';
import { isLinkLocal, parseAddress } from '../lib/ip.ts';

export interface OwnAddress {
  readonly interface: string;
  readonly bytes: Uint8Array;
}

/** Asked anew each time: addresses come and go. */
export type OwnAddresses = () => readonly OwnAddress[];

export const systemAddresses: OwnAddresses = () => {
  const found: OwnAddress[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address } of addresses ?? []) {
      const parsed = parseAddress(address);
      if (parsed !== undefined) found.push({ interface: name, bytes: parsed.bytes });
    }
  }
  return found;
};

/** The interface that has `address`; undefined where none has. */
export function interfaceOf(addresses: readonly OwnAddress[], address: Uint8Array): string | undefined {
  return addresses.find((own) => sameAddress(own.bytes, address))?.interface;
}

/** An address of `octets` octets on an interface; never a link-local one. */
export function addressOn(
  addresses: readonly OwnAddress[],
  name: string,
  octets: 4 | 16,
): Uint8Array | undefined {
  return addresses.find(
    (own) => own.interface === name && own.bytes.length === octets && !isLinkLocal(own.bytes),
  )?.bytes;
}

export function linkLocalOn(addresses: readonly OwnAddress[], name: string): Uint8Array | undefined {
  return addresses.find((own) => own.interface === name && isLinkLocal(own.bytes))?.bytes;
}

export function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
