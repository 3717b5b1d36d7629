// Route origin authorizations of both IP versions, and what they say about a route: RFC 6811. Where they come from is
// for others; sources are told apart by small numbers.

import { toWords } from '../lib/prefix-trie.ts';
import type { RoaState } from './route-access.ts';
import type { PrefixValue } from './values.ts';
import { VrpSet } from './vrp-set.ts';

const IPV4_OCTETS = 4;
const OCTETS_A_WORD = 4;

export class RoaTable {
  ipv4 = new VrpSet(1);
  ipv6 = new VrpSet(4);
  readonly #words = new Int32Array(4);

  /** `maxLength`: of the longest prefix that the AS may announce; `source`: who says so. */
  add(prefix: PrefixValue, maxLength: number, asn: number, source = 0): void {
    const set = prefix.bytes.length === IPV4_OCTETS ? this.ipv4 : this.ipv6;
    set.add(toWords(prefix.bytes), 0, prefix.length, maxLength, asn, source);
  }

  /** What another one says of the same stays. */
  remove(prefix: PrefixValue, maxLength: number, asn: number, source = 0): void {
    const set = prefix.bytes.length === IPV4_OCTETS ? this.ipv4 : this.ipv6;
    set.remove(toWords(prefix.bytes), 0, prefix.length, maxLength, asn, source);
  }

  /** RFC 6811 §2. `originAs`: 0 where the path has none, which nothing authorizes, no more than AS 0 (RFC 6483 §4). */
  check({ bytes, length }: PrefixValue, originAs: number): RoaState {
    const words = this.#words;
    for (let i = 0, at = 0; at < bytes.length; i++, at += OCTETS_A_WORD) {
      words[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    }
    return (bytes.length === IPV4_OCTETS ? this.ipv4 : this.ipv6).check(words, 0, length, originAs);
  }
}
