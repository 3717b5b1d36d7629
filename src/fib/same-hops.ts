// Whether next hops as the kernel has them are the same in every respect.

import { optionalBytesEqual } from '../lib/bytes.ts';
import type { KernelNextHop } from './types.ts';

export function sameHop(a: KernelNextHop, b: KernelNextHop): boolean {
  return (
    a.ifindex === b.ifindex &&
    a.weight === b.weight &&
    a.onlink === b.onlink &&
    optionalBytesEqual(a.gateway, b.gateway)
  );
}

/** In the same order, too. */
export function sameHops(a: readonly KernelNextHop[], b: readonly KernelNextHop[]): boolean {
  return a.length === b.length && a.every((hop, i) => sameHop(hop, b[i]!));
}
