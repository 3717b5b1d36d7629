// All routing tables of the speaker: the main one, which is always there, and the further ones of the configuration. Who
// needs another table's next hops or networks asks here.

import { FAMILIES } from '../bgp/wire/families.ts';
import {
  type Config,
  kernelOfFamily,
  type PeerSettings,
  type TableConfig,
  type TableNames,
} from '../config/model.ts';
import { type NextHopResolver, type Resolution, UNREACHABLE } from '../fib/next-hop-resolver.ts';
import { type IpVersion, isLinkLocal } from '../lib/ip.ts';
import type { FilterLink, FilterLinks } from '../policy/route-facts.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import { MAIN_DOMAIN } from '../rib/next-hops.ts';
import type { Rib } from '../rib/rib.ts';
import type { RibPeer, RibPeerIdentity } from '../rib/rib-peer.ts';
import { mainTable } from './bird/declared.ts';
import type { LocalWays } from './kernel-routes.ts';
import type { KernelSync, OtherTables } from './kernel-sync.ts';
import { type RoomTools, TableRoom } from './table-room.ts';
import type { TableWays } from './table-ways.ts';

/** The place of a family that a table does not have. */
const NOWHERE = -1;

export interface PeerTables {
  readonly tables?: TableNames | undefined;
  readonly igpTables?: TableNames | undefined;
}

/** The configuration as one of its tables has it. */
export function roomConfig(config: Config, table: TableConfig): Config {
  const { kernel, networks, redistribute, localPolicies } = table;
  return { ...config, kernel, networks, redistribute, localPolicies };
}

export class TableRooms implements OtherTables, FilterLinks {
  readonly main: TableRoom;
  readonly #rib: Rib;
  readonly #tools: RoomTools;
  readonly #further = new Map<string, TableRoom>();
  readonly #leaving = new Set<TableRoom>();

  constructor(rib: Rib, config: Config, tools: RoomTools) {
    this.#rib = rib;
    this.#tools = tools;
    const { families, local } = rib;
    this.main = new TableRoom('', { rib, families, local, domain: MAIN_DOMAIN }, config, tools);
    for (const family of families) useMultipath(rib, family, config);
  }

  /** The main one first. */
  *values(): Iterable<TableRoom> {
    yield this.main;
    yield* this.#further.values();
  }

  get further(): Iterable<TableRoom> {
    return this.#further.values();
  }

  /** By name; '' is the main one. */
  get(name: string): TableRoom | undefined {
    return name === '' ? this.main : this.#further.get(name);
  }

  /** A further table, empty; who uses its kernel section starts that. */
  add(table: TableConfig, config: Config): TableRoom {
    const rib = this.#rib;
    const families = FAMILIES.filter(({ version }) => table.families.includes(version)).map((family) =>
      rib.addTable(family),
    );
    const own = roomConfig(config, table);
    for (const family of families) useMultipath(rib, family, own);
    const local = rib.addLocalPeer(homeOf(families));
    const place = { rib, families, local, domain: this.#freeDomain() };
    const room = new TableRoom(table.name, place, own, this.#tools);
    this.#further.set(table.name, room);
    return room;
  }

  /** The table is not known by its name any more, but still works. */
  detach(name: string): TableRoom | undefined {
    const room = this.#further.get(name);
    this.#further.delete(name);
    if (room !== undefined) this.#leaving.add(room);
    return room;
  }

  attach(room: TableRoom): void {
    this.#leaving.delete(room);
    this.#further.set(room.name, room);
  }

  /** Its peers, pipes and kernel are elsewhere or gone by now. */
  remove(room: TableRoom): void {
    if (this.#further.get(room.name) === room) this.#further.delete(room.name);
    this.#leaving.delete(room);
    room.borrowed?.close();
    const { rib, families, local, domain } = room.place;
    rib.nextHops.untrack(domain);
    rib.removePeer(local);
    for (const family of families) rib.removeTable(family);
  }

  /** Tables without a kernel table of their own look up in the main table's, which may be another one now. */
  borrow(): void {
    for (const room of this.#further.values()) {
      room.borrowed?.close();
      room.borrowed = room.kernel === undefined ? this.main.kernel?.lend(room) : undefined;
      if (room.kernel !== undefined || room.borrowed !== undefined) continue;
      this.#rib.nextHops.untrack(room.place.domain);
      room.networks.useWays(undefined);
    }
    for (const room of this.values()) waysOf(room)?.askElsewhere();
  }

  resolver(table: string): NextHopResolver | undefined {
    const room = this.get(table);
    return room && waysOf(room)?.resolver;
  }

  sees(gateway: Uint8Array, link: string | undefined): boolean {
    return this.#tools.sees(gateway, link);
  }

  /** BFD sees a gateway again, or no longer. */
  reviewWatched(gateway: Uint8Array): void {
    for (const room of this.values()) waysOf(room)?.reviewWatched(gateway);
  }

  /** The room that a table of the RIB belongs to. */
  ofFamily(family: FamilyRib): TableRoom {
    for (const room of [...this.#further.values(), ...this.#leaving]) {
      if (room.place.families.includes(family)) return room;
    }
    return this.main;
  }

  ofLocal(local: RibPeer): TableRoom | undefined {
    for (const room of this.values()) if (room.place.local === local) return room;
    return undefined;
  }

  /** By what users call it. */
  shown(config: Config, table: string, version: IpVersion): TableRoom | undefined {
    return table === mainTable(config, version) ? this.main : this.#further.get(table);
  }

  /** Where a peer's routes go, by family id. */
  homeOf({ tables }: Pick<PeerSettings, 'tables'>): readonly number[] {
    return FAMILIES.map(({ id, version }) => {
      const room = this.#named(tables?.[version]);
      return room.place.families.find(({ family }) => family.id === id)?.index ?? NOWHERE;
    });
  }

  /** Both of a peer: for the RIB. */
  placeOf(settings: Pick<PeerSettings, 'tables' | 'igpTables'>): Pick<RibPeerIdentity, 'home' | 'domains'> {
    return { home: this.homeOf(settings), domains: this.domainsOf(settings) };
  }

  /** Both of a peer of another process, which may name tables that are not here: the main one then. */
  placeOfHanded({ tables, igpTables }: PeerTables): Pick<RibPeerIdentity, 'home' | 'domains'> {
    return this.placeOf({ tables: this.#known(tables), igpTables: this.#known(igpTables) });
  }

  #known({ ipv4, ipv6 }: TableNames = {}): TableNames {
    const isHere = (name: string | undefined) => name !== undefined && this.get(name) !== undefined;
    return {
      ...(ipv4 !== undefined && isHere(ipv4) && { ipv4 }),
      ...(ipv6 !== undefined && isHere(ipv6) && { ipv6 }),
    };
  }

  /** Where its next hops are looked up, by family id. */
  domainsOf({ tables, igpTables }: Pick<PeerSettings, 'tables' | 'igpTables'>): readonly number[] {
    return FAMILIES.map(({ version }) => {
      return this.#named(igpTables?.[version] ?? tables?.[version]).place.domain;
    });
  }

  resolution(nextHopId: number): Resolution {
    const { domain } = this.#rib.nextHops.get(nextHopId);
    for (const room of [...this.values(), ...this.#leaving]) {
      if (room.place.domain === domain) return waysOf(room)?.resolution(nextHopId) ?? UNREACHABLE;
    }
    return UNREACHABLE;
  }

  /** The interface that a next hop leads through now. */
  linkOf(nextHopId: number): FilterLink | undefined {
    const index = this.resolution(nextHopId).hops[0]?.ifindex;
    const kernel = this.#anyKernel;
    if (index === undefined || kernel === undefined) return undefined;
    return { name: kernel.interfaceName(index), index };
  }

  gatewayOf(nextHopId: number): Uint8Array | undefined {
    return this.resolution(nextHopId).hops[0]?.gateway;
  }

  linkNamed(name: string): FilterLink | 'none' | undefined {
    const kernel = this.#anyKernel;
    if (kernel === undefined) return undefined;
    const index = kernel.view.interfaceNamed(name)?.ifindex;
    return index === undefined ? 'none' : { name, index };
  }

  linkOfGateway(gateway: Uint8Array, over: string): FilterLink | 'none' | undefined {
    const kernel = this.#anyKernel;
    if (kernel === undefined) return undefined;
    const { directlyConnected, hops } = kernel.resolve(gateway, isLinkLocal(gateway) ? over : undefined);
    const index = directlyConnected ? hops[0]?.ifindex : undefined;
    return index === undefined ? 'none' : { name: kernel.interfaceName(index), index };
  }

  /** For what all of them know alike. */
  get #anyKernel(): KernelSync | undefined {
    return this.main.kernel ?? [...this.#further.values()].find((room) => room.kernel)?.kernel;
  }

  ways(local: RibPeer): LocalWays | undefined {
    const room = this.ofLocal(local);
    return room && { way: (prefix, pathId) => waysOf(room)?.way(prefix, pathId) };
  }

  resolutionsChanged(): void {
    for (const { kernel } of this.values()) kernel?.forgetTargets();
  }

  #named(name: string | undefined): TableRoom {
    const room = this.get(name ?? '');
    if (room === undefined) throw new RangeError(`there is no table ${name}`);
    return room;
  }

  #freeDomain(): number {
    const taken = new Set([...this.values(), ...this.#leaving].map(({ place }) => place.domain));
    let domain = MAIN_DOMAIN + 1;
    while (taken.has(domain)) domain++;
    return domain;
  }
}

/** Where the table's routes lead: its own kernel knows, or the main table's. */
function waysOf({ kernel, borrowed }: TableRoom): KernelSync | TableWays | undefined {
  return kernel ?? borrowed;
}

function homeOf(families: readonly FamilyRib[]): readonly number[] {
  return FAMILIES.map(({ id }) => families.find(({ family }) => family.id === id)?.index ?? NOWHERE);
}

/** As many next hops as the table's own kernel section allows. */
export function useMultipath(rib: Rib, family: FamilyRib, { kernel }: Config): void {
  const { options } = family.locRib.decision;
  const multipathLimit = kernel.install ? kernelOfFamily(kernel, family.family.version).ecmp : 1;
  if (options.multipathLimit !== multipathLimit) rib.useDecisionIn(family, { ...options, multipathLimit });
}
