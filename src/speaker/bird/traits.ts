// In what a speaker with a file of BIRD 1.6 behaves otherwise than one with a file of 2.x; a native configuration is as 2.x.
// How the languages differ is src/policy's and src/config/bird's affair, how answers are worded that of src/control/bird.

import type { Config } from '../../config/model.ts';
import type { Dialect } from '../../policy/lexer.ts';
import type { ProtocolKind } from '../api/protocols.ts';

export interface Traits {
  /** Protocols have channels to tables of a kind; without, each has one table, whose routes are of the daemon's family. */
  readonly hasChannels: boolean;
  /** Routes that are not of BGP are made anew for peers: `renewsOwn` of rib/export-options.ts. */
  readonly renewsOwn: boolean;
  /** Prefixes of interfaces are offered to the kernel. */
  readonly writesConnected: boolean;
  /** The metric of a next hop is known in the table alone that the route came to. */
  readonly metricAtHomeOnly: boolean;
  /** Protocols whose routes cannot be asked for again. */
  readonly cannotReload: ReadonlySet<ProtocolKind>;
  /** Every protocol can be told others' routes again. */
  readonly reloadsOut: boolean;
  /** `show route export` has routes as they are sent to a peer, not as they stand in the table. */
  readonly showsAsSent: boolean;
  /** A route that a filter has changed beside path attributes, or that is made of several, is shown as not the best. */
  readonly changedIsNotBest: boolean;
  /** Static routes through a device are of another kind than other static routes, and listed behind them. */
  readonly tellsDeviceRoutes: boolean;
}

const TRAITS: Readonly<Record<Dialect, Traits>> = {
  '1.6': {
    hasChannels: false,
    renewsOwn: true,
    writesConnected: false,
    metricAtHomeOnly: true,
    cannotReload: new Set(['device', 'direct', 'static']),
    reloadsOut: true,
    showsAsSent: true,
    changedIsNotBest: true,
    tellsDeviceRoutes: true,
  },
  '2.x': {
    hasChannels: true,
    renewsOwn: false,
    writesConnected: true,
    metricAtHomeOnly: false,
    cannotReload: new Set(['direct']),
    reloadsOut: false,
    showsAsSent: false,
    changedIsNotBest: false,
    tellsDeviceRoutes: false,
  },
};

/** The language of a configuration, which that of its filters is; 2.x of a native one. */
export function dialectOf({ bird }: Pick<Config, 'bird'>): Dialect {
  return bird?.dialect ?? '2.x';
}

export function traitsOf(config: Pick<Config, 'bird'>): Traits {
  return TRAITS[dialectOf(config)];
}
