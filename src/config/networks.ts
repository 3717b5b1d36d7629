// What tells networks of the model apart: BIRD's static protocols may have several of one prefix, each a route of its own.

import type { NetworkConfig } from './model.ts';

/** Equal for the same network of two models; of the first network of a prefix it is the prefix. */
export function networkKey({ prefix, ordinal = 0 }: Pick<NetworkConfig, 'prefix' | 'ordinal'>): string {
  return ordinal === 0 ? prefix : `${prefix} ${ordinal}`;
}
