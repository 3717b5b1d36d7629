// One routing table of the speaker, the main one or a further one, with what feeds it and what it feeds beside peers:
// its own networks, the kernel table that it is written to and learned from, and the pseudo peer of both.

import type { Config } from '../config/model.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { Rib } from '../rib/rib.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import { dialectOf } from './bird/traits.ts';
import type { KernelSync } from './kernel-sync.ts';
import { LocalRoutes } from './local-routes.ts';
import { Networks } from './networks.ts';
import type { OtherWays, TableWays } from './table-ways.ts';

/** Where in the RIB a table is. */
export interface TablePlace {
  readonly rib: Rib;
  /** Of the families that the table has. */
  readonly families: readonly FamilyRib[];
  /** Who own and learned routes are from. */
  readonly local: RibPeer;
  /** Of next hops that are looked up in the table's kernel table. */
  readonly domain: number;
}

export interface RoomTools {
  readonly nowSeconds: () => number;
  /** See OtherWays. */
  readonly sees: OtherWays['sees'];
  /** Internal peers are told gateways, as BIRD does. */
  readonly namesGateways: boolean;
}

export class TableRoom {
  /** Empty for the main table. */
  readonly name: string;
  readonly place: TablePlace;
  readonly routes: LocalRoutes;
  readonly networks: Networks;
  kernel: KernelSync | undefined;
  /** Of the main table's kernel, where the table has no kernel table of its own. */
  borrowed: TableWays | undefined;
  /** The speaker's configuration with the sections of this table in the place of the main one's. */
  config: Config;

  constructor(name: string, place: TablePlace, config: Config, tools: RoomTools) {
    this.name = name;
    this.place = place;
    this.config = config;
    this.routes = new LocalRoutes(place, tools.nowSeconds, tools.namesGateways);
    this.networks = new Networks(this.routes, dialectOf(config));
  }
}
