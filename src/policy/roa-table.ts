// Route origin authorizations, and what they say about a route: RFC 6811. Where they come from is for others.

import { PrefixTrie, toWords } from '../lib/prefix-trie.ts';
import { ROA, type RoaState } from './route-access.ts';
import type { PrefixValue } from './values.ts';

const IPV4_OCTETS = 4;

interface Authorization {
  readonly maxLength: number;
  readonly asn: number;
}

export class RoaTable {
  readonly #ipv4 = new PrefixTrie(1);
  readonly #ipv6 = new PrefixTrie(4);
  /** By the prefix's value in its trie. */
  readonly #authorizations: Authorization[][] = [];

  /** `maxLength`: of the longest prefix that the AS may announce. */
  add(prefix: PrefixValue, maxLength: number, asn: number): void {
    const trie = this.#trieOf(prefix);
    const words = toWords(prefix.bytes);
    const known = trie.get(words, prefix.length);
    if (known >= 0) this.#authorizations[known]?.push({ maxLength, asn });
    else trie.set(words, prefix.length, this.#authorizations.push([{ maxLength, asn }]) - 1);
  }

  /** RFC 6811 §2. `originAs`: 0 where the path has none, which nothing authorizes, no more than AS 0 (RFC 6483 §4). */
  check(prefix: PrefixValue, originAs: number): RoaState {
    let state: RoaState = ROA.unknown;
    this.#trieOf(prefix).covering(toWords(prefix.bytes), prefix.length, (index) => {
      if (state === ROA.unknown) state = ROA.invalid;
      for (const { maxLength, asn } of this.#authorizations[index] ?? []) {
        if (asn === originAs && asn !== 0 && prefix.length <= maxLength) state = ROA.valid;
      }
    });
    return state;
  }

  #trieOf({ bytes }: PrefixValue): PrefixTrie {
    return bytes.length === IPV4_OCTETS ? this.#ipv4 : this.#ipv6;
  }
}
