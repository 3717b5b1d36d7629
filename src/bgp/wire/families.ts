// Address families as rows. Everything that differs between AFI/SAFI pairs on the wire or in a table is a column
// here; a family's index is its id everywhere inside. (AFI: RFC 1700 and IANA address-family-numbers; SAFI: RFC
// 4760 §6 and IANA safi-namespace.)

import type { IpVersion } from '../../lib/ip.ts';

export interface Family {
  /** Position in FAMILIES; the id used by every layer. */
  readonly id: number;
  /** As configuration and output write it. */
  readonly name: FamilyName;
  readonly version: IpVersion;
  readonly afi: number;
  readonly safi: number;
  /** Longest prefix, in bits. */
  readonly maxBits: number;
  /** 32-bit words that hold an address of this family. */
  readonly words: number;
  /** Octets of a native next hop. */
  readonly nextHopBytes: number;
}

export type FamilyName = 'ipv4-unicast' | 'ipv6-unicast';

export const IPV4_UNICAST: Family = {
  id: 0,
  name: 'ipv4-unicast',
  version: 'ipv4',
  afi: 1,
  safi: 1,
  maxBits: 32,
  words: 1,
  nextHopBytes: 4,
};

export const IPV6_UNICAST: Family = {
  id: 1,
  name: 'ipv6-unicast',
  version: 'ipv6',
  afi: 2,
  safi: 1,
  maxBits: 128,
  words: 4,
  nextHopBytes: 16,
};

export const FAMILIES: readonly Family[] = [IPV4_UNICAST, IPV6_UNICAST];

export function familyByAfiSafi(afi: number, safi: number): Family | undefined {
  return FAMILIES.find((family) => family.afi === afi && family.safi === safi);
}

export function familyByName(name: string): Family | undefined {
  return FAMILIES.find((family) => family.name === name);
}
