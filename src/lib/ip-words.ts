// Addresses as tables keep them: 32-bit words, the highest first. Text and octets are ip.ts's.

export const BITS_A_WORD = 32;

/** Which bits of an address's word number `place` a prefix of `bits` bits keeps. */
export function prefixMask(bits: number, place: number): number {
  const kept = bits - place * BITS_A_WORD;
  if (kept >= BITS_A_WORD) return -1;
  return kept <= 0 ? 0 : -1 << (BITS_A_WORD - kept);
}
