// How long a client waits: what the cache asks for, within what RFC 8210 §6 allows, where the operator has not insisted.

import type { CacheSettings } from './cache-types.ts';
import { INTERVALS, type IntervalName } from './protocol.ts';

export type Seconds = Readonly<Record<IntervalName, number>>;

/** Where intervals have to be shorter than that of expiry: so many fit into it. */
const ROUNDS_TO_EXPIRY = 2;

/** `wanted`: by the cache; undefined where it has asked for nothing yet. */
export function secondsOf({ intervals }: Pick<CacheSettings, 'intervals'>, wanted?: Seconds): Seconds {
  const of = (name: IntervalName): number => {
    const { keep, seconds } = intervals[name];
    const { least, most } = INTERVALS[name];
    return keep || wanted === undefined ? seconds : Math.min(Math.max(wanted[name], least), most);
  };
  const expire = of('expire');
  // Data must not be gone before it is asked for again: the expire interval has to be the longest. It is the others that
  // give way, as data must not be kept for longer; not where the operator insists on both.
  const inTime = (name: 'refresh' | 'retry'): number => {
    const seconds = of(name);
    const insisted = intervals[name].keep && intervals.expire.keep;
    return seconds < expire || insisted ? seconds : Math.floor(expire / ROUNDS_TO_EXPIRY);
  };
  return { refresh: inTime('refresh'), retry: inTime('retry'), expire };
}
