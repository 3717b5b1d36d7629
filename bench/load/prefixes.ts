// The IPv4 prefixes of a generated table: from a list of real ones where it is at hand, filled up (or made
// altogether) with random ones in the same proportion of lengths. Deterministic by seed; sorted as tables are dumped.

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Random } from '../../src/lib/clock.ts';
import { below, shuffle } from './random.ts';

/** Share of each length in a real table of January 2024, in 1/100,000. */
const LENGTH_SHARES: readonly (readonly [length: number, share: number])[] = [
  [8, 2],
  [10, 4],
  [11, 11],
  [12, 33],
  [13, 64],
  [14, 133],
  [15, 233],
  [16, 1496],
  [17, 913],
  [18, 1530],
  [19, 2758],
  [20, 4725],
  [21, 5627],
  [22, 12044],
  [23, 10701],
  [24, 59618],
];

export interface PrefixColumns {
  /** Addresses as signed 32-bit words. */
  readonly words: Int32Array;
  readonly lengths: Uint8Array;
}

/** Exactly `count` different IPv4 unicast prefixes, ascending. */
export function ipv4Prefixes(count: number, random: Random, listPath: string | undefined): PrefixColumns {
  const keys = listPath !== undefined && existsSync(listPath) ? listed(listPath) : new Set<number>();
  let chosen = Float64Array.from(keys);
  if (chosen.length > count) chosen = sample(chosen, count, random);
  else if (chosen.length < count) chosen = Float64Array.from(fill(keys, count, random));
  chosen.sort();
  const words = new Int32Array(count);
  const lengths = new Uint8Array(count);
  chosen.forEach((key, i) => {
    words[i] = Math.floor(key / KEY_LENGTHS) | 0;
    lengths[i] = key % KEY_LENGTHS;
  });
  return { words, lengths };
}

/** A prefix as one number: address * 64 + length, which sorts as tables do. */
const KEY_LENGTHS = 64;

function toKey(address: number, length: number): number {
  return address * KEY_LENGTHS + length;
}

function listed(path: string): Set<number> {
  const keys = new Set<number>();
  for (const line of gunzipSync(readFileSync(path)).toString('latin1').split('\n')) {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(line);
    if (match === null) continue;
    const [a, b, c, d, length] = match.slice(1).map(Number);
    const address = ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
    if (routable(address) && length! >= 8) keys.add(toKey(address, length!));
  }
  return keys;
}

/** Not in 0/8, 10/8, 127/8, multicast or reserved space: daemons refuse those by themselves. */
function routable(address: number): boolean {
  const first = address >>> 24;
  return first > 0 && first < 224 && first !== 10 && first !== 127;
}

function sample(from: Float64Array, count: number, random: Random): Float64Array<ArrayBuffer> {
  const order = Int32Array.from({ length: from.length }, (_, i) => i);
  shuffle(random, order);
  return Float64Array.from({ length: count }, (_, i) => from[order[i]!]!);
}

function fill(keys: Set<number>, count: number, random: Random): Set<number> {
  const total = LENGTH_SHARES.reduce((sum, [, share]) => sum + share, 0);
  while (keys.size < count) {
    let dice = below(random, total);
    const length = LENGTH_SHARES.find(([, share]) => {
      dice -= share;
      return dice < 0;
    })![0];
    const address = ((below(random, 2 ** 30) * 4) & (0xffffffff << (32 - length))) >>> 0;
    if (routable(address)) keys.add(toKey(address, length));
  }
  return keys;
}
