// This machine's addresses, as far as next hops need them: the own address of another family on the interface of
// a session, and the link-local address beside a global one, whose subnet the peer must share (RFC 2545 §3).

import { bytesEqual } from '../lib/bytes.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { type HostInterfaces, HostInterfacesError, readInterfaces } from '../lib/host-interfaces.ts';
import { isLinkLocal, type Prefix, parseAddress, prefixContains, subnetOf } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';

export interface OwnAddress {
  readonly interface: string;
  readonly bytes: Uint8Array;
  /** Of its subnet; absent where it is not known. */
  readonly prefixLength?: number;
}

/** Asked anew each time: addresses come and go. */
export type OwnAddresses = () => readonly OwnAddress[];

/**
 * The system's, which has to tell them now: throws HostInterfacesError. Where it does not tell them later, for want of a
 * file descriptor, no session is worth that: those that were known last stand. `read`: for tests.
 */
export function systemAddresses(log: Logger, read: () => HostInterfaces = readInterfaces): OwnAddresses {
  let known = addressesOf(read());
  let failing = false;
  return () => {
    try {
      known = addressesOf(read());
      failing = false;
    } catch (error) {
      if (!(error instanceof HostInterfacesError)) throw error;
      if (!failing) log.warn({}, `${error.message}; those that were known last stand`);
      failing = true;
    }
    return known;
  };
}

/** The same for who has sessions to lose: while no file descriptor is free, it waits. Rejects for any other reason. */
export async function awaitAddresses(
  log: Logger,
  clock: Clock,
  read?: () => HostInterfaces,
): Promise<OwnAddresses> {
  for (let first = true; ; first = false) {
    try {
      return systemAddresses(log, read);
    } catch (error) {
      if (!(error instanceof HostInterfacesError) || !NO_DESCRIPTOR.includes(error.code)) throw error;
      if (first) log.warn({}, `${error.message}; the sessions wait until a file descriptor is free`);
    }
    await sleep(clock, RETRY_MS);
  }
}

const NO_DESCRIPTOR = ['EMFILE', 'ENFILE'];
const RETRY_MS = 200;

function addressesOf(interfaces: HostInterfaces): OwnAddress[] {
  const found: OwnAddress[] = [];
  for (const [label, addresses] of Object.entries(interfaces)) {
    const name = linkOf(label);
    for (const { address, cidr } of addresses ?? []) {
      const parsed = parseAddress(address);
      const length = cidr?.split('/')[1];
      if (parsed === undefined) continue;
      const own = { interface: name, bytes: parsed.bytes };
      found.push(length === undefined ? own : { ...own, prefixLength: Number(length) });
    }
  }
  return found;
}

/** An IPv4 address may have a label (`eth0:1`), which the system lists as if it were an interface. */
function linkOf(label: string): string {
  return label.split(':', 1)[0] ?? label;
}

/** The interface that has `address`; undefined where none has. */
export function interfaceOf(addresses: readonly OwnAddress[], address: Uint8Array): string | undefined {
  return addresses.find((own) => bytesEqual(own.bytes, address))?.interface;
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

/** Those that are known, less the link-local one, which every link has. */
export function subnetsOn(addresses: readonly OwnAddress[], name: string): Prefix[] {
  return addresses.flatMap(({ interface: link, bytes, prefixLength: length }) =>
    link !== name || length === undefined || isLinkLocal(bytes) ? [] : [subnetOf(bytes, length)],
  );
}

/** Whether an address is in the subnet of one of ours; undefined where that is not known. */
export function isInSubnetOf(
  addresses: readonly OwnAddress[],
  ours: Uint8Array,
  address: Uint8Array,
): boolean | undefined {
  const length = addresses.find(({ bytes }) => bytesEqual(bytes, ours))?.prefixLength;
  if (length === undefined) return undefined;
  return prefixContains(subnetOf(ours, length), address);
}
