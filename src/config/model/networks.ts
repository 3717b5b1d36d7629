// Own networks: what is announced, and where static routes lead.

import type { Filter } from '../../policy/filter.ts';

export interface NetworkHop {
  /** Absent for a destination on the interface's link. */
  readonly address: string | undefined;
  readonly interface: string | undefined;
  /** The address is on the interface's link whatever the addresses there say. */
  readonly onlink: boolean;
  /** 1..256 */
  readonly weight: number;
  /** It leads there only while BFD sees the address: there is a session of its own, or a configured one. */
  readonly bfd?: boolean;
}

export interface NetworkConfig {
  readonly prefix: string;
  /** Which of several networks of this prefix, from 0; 0 unless given. */
  readonly ordinal?: number;
  /** blackhole, unreachable, prohibit: also a kernel route of that type; via: a static route; none: announce only. */
  readonly type: 'none' | 'blackhole' | 'unreachable' | 'prohibit' | 'via';
  readonly via: readonly string[];
  /** In the place of `via`, where addresses do not say enough. */
  readonly hops?: readonly NetworkHop[];
  /** The next hop may be behind other routes instead of on a link. */
  readonly recursive?: boolean;
  /** The table whose routes those are; of its own unless given. */
  readonly igpTable?: string;
  /** Between protocols; 200 unless given. */
  readonly preference?: number;
  readonly med: number | undefined;
  readonly localPref: number | undefined;
  readonly communities: readonly string[];
  /** Name of the protocol that it is of, for filters. */
  readonly protocol?: string;
  /** Sets further attributes. */
  readonly set?: Filter;
}
