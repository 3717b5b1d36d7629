// How BIRD finds the gateway of what a BGP protocol receives: next hops of direct peers are on a link, and those of all
// others are looked up, unless a channel says so.

import type { BgpOptions } from './bgp-options.ts';
import { isMultihop } from './checks.ts';
import type { ChannelOptions } from './config.ts';

/** `channel`: undefined where the protocol says nothing of it. */
export function gatewayMode(
  options: BgpOptions,
  channel: Pick<ChannelOptions, 'gateway'> | undefined,
): 'direct' | 'recursive' {
  return channel?.gateway ?? (isMultihop(options) ? 'recursive' : 'direct');
}
