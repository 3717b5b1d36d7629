// The hash by which attribute sets are found.

/** Murmur3-like mix of the octets `[at, at + length)`, four at a time. */
export function hashOctets(octets: DataView, at: number, length: number, seed: number): number {
  let hash = Math.imul(seed, 0x9e3779b1) ^ length;
  const end = at + length;
  let i = at;
  for (; i + 4 <= end; i += 4) {
    const mixed = Math.imul(octets.getInt32(i), 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    // An integer: else V8 keeps the sum as a double from one round to the next.
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) - 430675100) | 0;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ octets.getUint8(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
