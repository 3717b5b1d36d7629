// The speaker's side of the kernel: builds what src/fib offers (monitor, view, resolver, learner, FIB), feeds it the
// Loc-RIB, and brings back next-hop states and learned routes. What cannot change under way (where routes go, whose
// they are) is changed by a new one that takes the old one's place; see kernel-change.ts.

import { type Config, type KernelConfig, kernelOfFamily, type RedistributeSource } from '../config/model.ts';
import { Fib } from '../fib/fib.ts';
import { KernelMonitor, type ScanTimes } from '../fib/kernel-monitor.ts';
import { KernelView } from '../fib/kernel-view.ts';
import { type LearnedRoute, Learner, type LearnRules, learnedTables } from '../fib/learn.ts';
import { RT_TABLE_MAIN } from '../fib/netlink/constants.ts';
import { type NextHopResolver, type Resolution, resolvingTables } from '../fib/next-hop-resolver.ts';
import { RouteTargets } from '../fib/route-targets.ts';
import type { StaticWay } from '../fib/static-routes.ts';
import type { Kernel } from '../fib/types.ts';
import type { Clock } from '../lib/clock.ts';
import { formatPrefix, IP_VERSIONS, type IpVersion, type Prefix, parsePrefix } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import type { Scheduler } from '../lib/scheduler.ts';
import type { Dialect } from '../policy/lexer.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import { UNKNOWN_METRIC } from '../rib/next-hops.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import type { RouteExtras } from '../rib/route-extras.ts';
import { dialectOf, traitsOf } from './bird/traits.ts';
import { learnedExtras } from './kernel-attributes.ts';
import { type KernelFilter, KernelRoutes, type LocalWays } from './kernel-routes.ts';
import { connectedRules, learnedAs, learnRules } from './learned-as.ts';
import { LOCAL_ORIGIN, type LocalRoutes, ordinalOf, originOf } from './local-routes.ts';
import type { Networks } from './networks.ts';
import type { TableRoom } from './table-room.ts';
import { type OtherWays, TableWays } from './table-ways.ts';

export interface KernelSyncParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly defer: (fn: () => void) => void;
  readonly log: Logger;
  /** Next hops of other tables, and their networks. */
  readonly others: OtherTables;
}

/** What a table's kernel routes need of the other tables, whose routes pipes may bring. */
export interface OtherTables extends OtherWays {
  resolution(nextHopId: number): Resolution;
  ways(local: RibPeer): LocalWays | undefined;
}

export class KernelSync {
  readonly monitor: KernelMonitor;
  readonly view: KernelView;
  readonly fib: Fib | undefined;
  readonly #parts: KernelSyncParts;
  readonly #local: LocalRoutes;
  readonly #decisive: boolean;
  readonly #ways: TableWays;
  readonly #networks: Networks;
  readonly #routes: KernelRoutes | undefined;
  readonly #redistributed = new Set<RedistributeSource>();
  /** Tables whose foreign routes the view keeps; it reads the set anew each time. */
  readonly #tables: Set<number>;
  readonly #unlisten: () => void = () => {};
  /** The configuration is in BIRD's language. */
  readonly #isBird: boolean;
  readonly #dialect: Dialect;
  #learner: Learner;
  #config: KernelConfig;

  constructor(
    config: Config,
    parts: KernelSyncParts,
    room: Pick<TableRoom, 'place' | 'routes' | 'networks'>,
  ) {
    const { kernel, clock, scheduler, log } = parts;
    const { place } = room;
    this.#parts = parts;
    this.#local = room.routes;
    this.#config = config.kernel;
    this.#isBird = config.bird !== undefined;
    this.#dialect = dialectOf(config);
    for (const source of config.redistribute) this.#redistributed.add(source);
    const { protocol, install, prefSource } = config.kernel;
    const sections = byFamily(config.kernel);
    const { ipv4, ipv6 } = sections;
    this.monitor = new KernelMonitor({ kernel, clock, scheduler, log, scanTime: scanTimes(config.kernel) });
    // The FIB first: its scan must be over before routes are looked up.
    const targets = new RouteTargets({ protocol, table: ipv4.table, metric: ipv4.metric, ipv6 });
    const owned = config.kernel.families ?? IP_VERSIONS;
    const families = place.families
      .filter(({ family }) => owned.includes(family.version))
      .map((family) => ({ family: family.family, reader: prefixReader(family) }));
    this.fib = install
      ? new Fib({ kernel, monitor: this.monitor, targets, scheduler, clock, log, families })
      : undefined;
    this.#tables = new Set([
      ...resolvingTables(ipv4.table),
      ...resolvingTables(ipv6.table),
      ...this.#learnedTables(),
    ]);
    this.view = new KernelView({ monitor: this.monitor, ownProtocol: protocol, tables: this.#tables });
    this.#networks = room.networks;
    this.#decisive = config.kernel.nextHopTracking;
    this.#ways = this.#waysOf(room);
    this.#learner = this.#newLearner();
    if (this.fib !== undefined) {
      const { nextHops } = place.rib;
      const interfaceIndex = (name: string) => this.view.interfaceNamed(name)?.ifindex;
      this.#routes = new KernelRoutes({
        place,
        fib: this.fib,
        resolution: (id) =>
          nextHops.get(id).domain === place.domain ? this.#ways.resolution(id) : parts.others.resolution(id),
        origins: {
          way: (prefix, pathId) => this.way(prefix, pathId),
          elsewhere: (peer) => parts.others.ways(peer),
        },
        writesConnected: (version) =>
          sections[version].table !== RT_TABLE_MAIN &&
          (config.kernel.deviceRoutes ?? traitsOf(config).writesConnected),
        prefSource,
        interfaceIndex,
      });
      this.#unlisten = this.view.listen({
        onRoute: () => {},
        onInterface: () => this.#routes?.interfacesChanged(),
      });
    }
  }

  /** Reads everything once. Rejects where the kernel cannot be read: it is closed then, and `before` goes on. */
  async start(before?: KernelSync): Promise<void> {
    try {
      await this.monitor.start();
    } catch (error) {
      this.retire(before);
      await this.close(IP_VERSIONS);
      throw error;
    }
    // Not earlier: to a view that has read nothing, every next hop is out of reach.
    this.serve();
  }

  /** Answers for next hops and ways from now on, and nobody else does. */
  serve(): void {
    this.#ways.serve();
    this.#routes?.forgetTargets();
  }

  #waysOf(room: Pick<TableRoom, 'place' | 'networks'>): TableWays {
    const { ipv4, ipv6 } = byFamily(this.#config);
    const tables = { ipv4: ipv4.table, ipv6: ipv6.table };
    // BIRD's static and kernel routes tell none.
    const metricBeyondLinks = this.#isBird ? UNKNOWN_METRIC : undefined;
    return new TableWays(room, {
      ...this.#parts,
      view: this.view,
      tables,
      metricBeyondLinks,
      decisive: this.#decisive,
    });
  }

  /** Serves a table without a kernel table of its own, too, until what is returned is closed. */
  lend(room: TableRoom): TableWays {
    const ways = this.#waysOf(room);
    ways.serve();
    return ways;
  }

  /** Where others may look up what they want through this table. */
  get resolver(): NextHopResolver {
    return this.#ways.resolver;
  }

  /** See TableWays. */
  askElsewhere(): void {
    this.#ways.askElsewhere();
  }

  /** See TableWays. */
  reviewWatched(gateway: Uint8Array): void {
    this.#ways.reviewWatched(gateway);
  }

  get learned(): Iterable<LearnedRoute> {
    return this.#learner.routes();
  }

  /** Name of the protocol that a learned route is of; undefined where it is nobody's in particular. */
  ownerOf(route: LearnedRoute): string | undefined {
    return learnedAs(this.#config, route)?.protocol;
  }

  /** The learned route that a local row is of. */
  learnedRoute(prefix: Prefix, pathId: number): LearnedRoute | undefined {
    const origin = originOf(pathId);
    if (origin === LOCAL_ORIGIN.connected) return this.#learner.findConnected(prefix, ordinalOf(pathId));
    const found = this.#learner.find(prefix);
    return found !== undefined && LOCAL_ORIGIN[found.source] === origin ? found : undefined;
  }

  /** What was computed from next hops is void. */
  forgetTargets(): void {
    this.#routes?.forgetTargets();
  }

  get learnedCount(): number {
    return this.#learner.size;
  }

  /** What it has told the RIB of. */
  announced(): LearnedRoute[] {
    return [...this.learned].filter((route) => this.#redistributed.has(route.source));
  }

  /** How a BGP next hop of the RIB is reached. */
  resolution(nextHopId: number): Resolution {
    return this.#ways.resolution(nextHopId);
  }

  /** How an address is reached; `zone` is the interface of a link-local one. */
  resolve(address: Uint8Array, zone?: string): Resolution {
    return this.resolver.resolve(address, zone);
  }

  /** Where a local route leads now, by the path identifier of its row; undefined where it has no way. */
  way(text: string, pathId: number): StaticWay | undefined {
    if (originOf(pathId) === LOCAL_ORIGIN.network) return this.#ways.way(text, pathId);
    const prefix = parsePrefix(text);
    if (prefix === undefined) return undefined;
    const path = this.learnedRoute(prefix, pathId)?.path;
    return path === undefined || path.type === 'local' ? undefined : { type: path.type, hops: path.nextHops };
  }

  interfaceName(ifindex: number): string {
    return this.view.interfaceOf(ifindex)?.name ?? `if${ifindex}`;
  }

  /** Peers have had their chance: own routes of an earlier run that nobody wants may go. */
  startupComplete(): void {
    this.fib?.startupComplete();
  }

  /** Peers have so many milliseconds more than usual before startupComplete happens by itself. */
  postponeStartup(ms: number): void {
    this.fib?.postponeStartup(ms);
  }

  /** There are own routes of a run before. */
  get hasOrphans(): boolean {
    return this.fib !== undefined && this.fib.stats().orphans > 0;
  }

  /** Begins or ends to announce learned routes of a kind. */
  redistribute(source: RedistributeSource, on: boolean): void {
    if (on) this.#redistributed.add(source);
    this.#relearn();
    if (!on) {
      for (const route of this.#learner.routes()) this.#announce('remove', route, source);
      this.#redistributed.delete(source);
    }
  }

  /** Takes over what can change under way; for the rest another KernelSync takes this one's place. */
  reconfigure(after: KernelConfig): void {
    this.#config = after;
    this.monitor.useScanTime(scanTimes(after));
    this.#relearn();
    this.#routes?.usePrefSource(after.prefSource);
  }

  /** Another export filter of the kernel protocol; every route is computed again. */
  useFilter(filter: KernelFilter | undefined): void {
    this.#routes?.useFilter(filter);
  }

  /** A sentence about what does not work. */
  get problem(): string | undefined {
    const { failure } = this.monitor;
    return failure === undefined
      ? undefined
      : `the kernel is out of reach, its routes stay as they are: ${failure.message}`;
  }

  /** Nothing waits to be written. */
  get settled(): boolean {
    return this.fib === undefined || this.fib.stats().pending === 0;
  }

  /** Another takes over: nothing more is told, and what the other one has not learned is taken back. */
  retire(successor: KernelSync | undefined): void {
    this.#unlisten();
    this.#ways.close();
    if (successor === undefined) this.#networks.useWays(undefined);
    this.#routes?.close();
    this.fib?.freeze();
    this.#learner.close();
    const still = new Set([...(successor?.announced() ?? [])].map(routeKey));
    for (const route of this.learned) {
      if (!still.has(routeKey(route))) this.#announce('remove', route, route.source);
    }
  }

  /** Own routes of these families are not written from now on. */
  freeze(versions: readonly IpVersion[]): void {
    this.fib?.freeze(versions);
  }

  /** Removes own routes, or leaves those of some families for the next start. */
  async close(keep: readonly IpVersion[]): Promise<void> {
    await this.fib?.close({ keep });
    this.#routes?.release();
    this.monitor.close();
    await this.#parts.kernel.close();
  }

  #rules(version: IpVersion): LearnRules {
    return learnRules(this.#config, version, this.#redistributed.has('static'));
  }

  #learnedTables(): number[] {
    return IP_VERSIONS.flatMap((version) => [...learnedTables(this.#rules(version))]);
  }

  #newLearner(): Learner {
    return new Learner({
      view: this.view,
      ownProtocol: this.#config.protocol,
      rules: { ipv4: this.#rules('ipv4'), ipv6: this.#rules('ipv6') },
      connected: connectedRules(this.#config),
      gatewaysOnLinks: this.#isBird,
      onLearned: (change, route) => {
        if (this.#redistributed.has(route.source)) this.#announce(change, route, route.source);
      },
    });
  }

  /** Other rules: what the old ones gave and the new ones do not is taken back. */
  #relearn(): void {
    const before = [...this.#learner.routes()];
    this.#learner.close();
    const known = this.#tables.size;
    for (const table of this.#learnedTables()) this.#tables.add(table);
    if (this.#tables.size > known) this.monitor.requestScan('routes of another table are learned');
    this.#learner = this.#newLearner();
    const still = new Set([...this.#learner.routes()].map(routeKey));
    for (const route of before)
      if (!still.has(routeKey(route))) this.#announce('remove', route, route.source);
  }

  #extras(route: LearnedRoute): Partial<RouteExtras> {
    const linkName = (ifindex: number) => this.view.interfaceOf(ifindex)?.name;
    return { ...learnedExtras(route, this.#dialect, linkName), ...learnedAs(this.#config, route) };
  }

  #announce(change: 'add' | 'remove', route: LearnedRoute, wanted: RedistributeSource): void {
    if (route.source !== wanted) return;
    // RFC 4271 §5.1.1 has INCOMPLETE, BIRD IGP.
    const values = { origin: this.#isBird ? 'IGP' : 'INCOMPLETE', asPath: '' } as const;
    const { prefix, source: origin, ordinal, path } = route;
    if (change === 'remove') {
      this.#local.remove(prefix, origin, ordinal);
      return;
    }
    const multipath = path.nextHops.length > 1;
    this.#local.add(prefix, values, { origin, ordinal, extras: this.#extras(route), multipath });
  }
}

function routeKey({ source, prefix, ordinal }: LearnedRoute): string {
  return `${source} ${formatPrefix(prefix)} ${ordinal}`;
}

function byFamily(kernel: KernelConfig): Readonly<Record<IpVersion, KernelConfig>> {
  return { ipv4: kernelOfFamily(kernel, 'ipv4'), ipv6: kernelOfFamily(kernel, 'ipv6') };
}

function scanTimes(kernel: KernelConfig): ScanTimes {
  const { ipv4, ipv6 } = byFamily(kernel);
  return { 4: ipv4.scanTime, 16: ipv6.scanTime };
}

/** The RIB's prefixes as the FIB reads them. */
function prefixReader({ prefixes, family }: FamilyRib) {
  return {
    words(prefixId: number, out: Int32Array): void {
      const first = prefixes.wordsAt(prefixId);
      for (let i = 0; i < family.words; i++) out[i] = prefixes.records[first + i]!;
    },
    bits: (prefixId: number) => prefixes.bits(prefixId),
    find: (words: Int32Array, bits: number) => prefixes.find(words, 0, bits),
  };
}
