// Router ids and the dotted quads that texts write for them.

import { quadToUint } from '../lib/ip.ts';
import type { Value } from './values.ts';

/** A router id, or an IPv4 address that stands where one is wanted, as a number. */
export function asQuad(value: Value): number | undefined {
  if (typeof value !== 'object') return undefined;
  if (value.kind === 'quad') return value.value;
  return value.kind === 'ip' && value.bytes.length === 4 ? quadToUint(value.bytes) : undefined;
}
