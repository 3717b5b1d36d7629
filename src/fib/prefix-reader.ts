// How the FIB reads the speaker's prefixes of one family; the RIB's prefix table is one.

import type { Family } from '../bgp/wire/families.ts';
import { formatPrefix } from '../lib/ip.ts';
import { toBytes } from '../lib/prefix-trie.ts';

export interface PrefixReader {
  /** Writes the prefix's words to out[0 ..]. */
  words(prefixId: number, out: Int32Array): void;
  bits(prefixId: number): number;
  /** The id of the prefix at words[0 ..], or 0 where it has none. */
  find(words: Int32Array, bits: number): number;
}

/** For people: `192.0.2.0/24`. */
export function describePrefix(reader: PrefixReader, family: Family, prefixId: number): string {
  const words = new Int32Array(family.words);
  reader.words(prefixId, words);
  return formatPrefix({ bytes: toBytes(words, 0, words.length), length: reader.bits(prefixId) });
}
