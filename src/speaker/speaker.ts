// The whole speaker: builds every room, plugs them together, starts and stops them. Transport, kernel, clock,
// scheduler and addresses come from outside (main.ts has the real ones, the simulator its own).

import type { BfdEvents, BfdService } from '../bfd/service.ts';
import { ListenerSet } from '../bgp/session/listener.ts';
import type { PeerDependencies } from '../bgp/session/peer.ts';
import type { Transport } from '../bgp/session/transport.ts';
import type { Config, PeerConfig } from '../config/model.ts';
import type { Kernel } from '../fib/types.ts';
import { type Clock, type Random, sleep, type Timer } from '../lib/clock.ts';
import { parseAddress } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import type { Scheduler } from '../lib/scheduler.ts';
import { Rib, type RibOptions } from '../rib/rib.ts';
import { BfdSessions } from './bfd-sessions.ts';
import { peerState } from './bird/bgp-view.ts';
import { declaredProtocols } from './bird/declared.ts';
import { effectiveConfig } from './bird/effective.ts';
import { ProtocolStates } from './bird/protocol-states.ts';
import { cacheState } from './bird/rpki-view.ts';
import { BmpStations } from './bmp/stations.ts';
import { Diagnosis, type DiagnosisParts } from './diagnosis.ts';
import { DynamicPeers } from './dynamic-peers.ts';
import { closeKernels, freezeKernels, needsKernel } from './kernel-change.ts';
import { KernelSync } from './kernel-sync.ts';
import { LinkEvents } from './link-events.ts';
import { listenOptions } from './listen-options.ts';
import type { LocalRoutes } from './local-routes.ts';
import { type DumpStore, MrtDumps } from './mrt-dumps.ts';
import type { Networks } from './networks.ts';
import type { OwnAddresses } from './own-addresses.ts';
import { type PeerHandle, PeerRegistry } from './peer-registry.ts';
import { Pipeline } from './pipeline.ts';
import { Pipes } from './pipes.ts';
import { Policies } from './policies.ts';
import { isRestart, RestartRecovery } from './restart-recovery.ts';
import { Revalidation } from './revalidation.ts';
import { ribOptions } from './rib-options.ts';
import { RpkiCaches } from './rpki-caches.ts';
import type { LookUp } from './server-connection.ts';
import type { TableRoom } from './table-room.ts';
import { TableRooms } from './table-rooms.ts';
import { Tracer } from './trace/tracer.ts';
import type { TakeOver } from './upgrade/take-over.ts';
import { ValidationTables } from './validation-tables.ts';
import { Watchers } from './watchers.ts';

export interface SpeakerParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Calls back in the next turn of the loop. */
  readonly defer: (fn: () => void) => void;
  readonly transport: Transport;
  /** Undefined where the configuration wants nothing of the kernel; rejects where it cannot be had. */
  readonly openKernel: (config: Config) => Promise<Kernel | undefined>;
  readonly addresses: OwnAddresses;
  /** Bidirectional Forwarding Detection; undefined where there is none. Throws BfdUnavailableError. */
  readonly openBfd?: (events: BfdEvents) => BfdService;
  readonly log: Logger;
  /** Takes lines that debugging asks for; else they go to the log. */
  readonly trace?: (line: string) => void;
  readonly version: string;
  /** Where dumps of tables go; undefined where no files are written. */
  readonly dumpStore?: DumpStore;
  readonly diagnosis?: DiagnosisParts;
  /** Addresses of host names; absent where there are no names. */
  readonly lookUp?: LookUp;
  /** Other sizes of tables and of what is done at a time, where many speakers share a process. */
  readonly sizes?: Pick<RibOptions, 'rows' | 'exportChunk'> & Pick<PeerDependencies, 'waterMarks'>;
}

const MS_PER_SECOND = 1000;
/** How long NOTIFICATIONs of a clean stop may take to leave. */
const FAREWELL_MS = 200;

/** How often the tables are looked at while they digest the first routes. */
const SETTLE_POLL_MS = 100;

export type SpeakerState = 'starting' | 'running' | 'stopping';

export class Speaker {
  readonly parts: SpeakerParts;
  readonly rib: Rib;
  readonly registry: PeerRegistry;
  readonly pipeline: Pipeline;
  readonly dynamic: DynamicPeers;
  readonly listeners: ListenerSet;
  readonly rooms: TableRooms;
  readonly pipes: Pipes;
  readonly mrt: MrtDumps;
  readonly watchers: Watchers;
  readonly bfd: BfdSessions;
  readonly links: LinkEvents;
  readonly recovery: RestartRecovery;
  readonly policies: Policies;
  readonly diagnosis: Diagnosis;
  readonly tables: ValidationTables;
  readonly revalidation = new Revalidation(this);
  readonly rpki: RpkiCaches;
  readonly bmp = new BmpStations(this);
  config: Config;
  /** The configuration as it was read; `config` is what it comes to with what is switched by command. */
  written: Config;
  readonly protocols: ProtocolStates;
  readonly tracer: Tracer;
  state: SpeakerState = 'starting';
  /** The next stop is for a restart, whatever the configuration says. */
  stopsSilently = false;
  /** A sentence about a live upgrade that did not take place. */
  upgradeProblem: string | undefined;
  readonly startedAt: number;
  reconfiguredAt: number;
  #settled = false;
  #settleTimer: Timer | undefined;

  /** `switched`: protocols that operators have switched before, in another process. */
  constructor(written: Config, parts: SpeakerParts, switched: ReadonlyMap<string, boolean> = new Map()) {
    const { clock, scheduler, transport, log, random, dumpStore: store, lookUp } = parts;
    const config = effectiveConfig(written, switched);
    this.config = config;
    this.written = written;
    this.parts = parts;
    this.protocols = new ProtocolStates(clock);
    this.protocols.useNames(new Set(declaredProtocols(written).map(({ name }) => name)));
    this.startedAt = clock.wallTime();
    this.reconfiguredAt = this.startedAt;
    this.rib = new Rib({ ...ribOptions(config), ...parts.sizes }, { clock, scheduler });
    const nowSeconds = () => Math.floor(clock.wallTime() / MS_PER_SECOND);
    this.rooms = new TableRooms(this.rib, config, {
      nowSeconds,
      namesGateways: config.bird !== undefined,
      sees: (gateway, link) => this.bfd.sees(gateway, link),
    });
    this.policies = new Policies(this.rooms);
    this.pipes = new Pipes(this.rib, this.rooms, this.policies);
    this.mrt = new MrtDumps(config, { clock, log, rooms: this.rooms, policies: this.policies, store });
    config.filters?.useLog(log.child({ part: 'filter' }));
    this.tables = new ValidationTables(clock, scheduler, (changes) => this.revalidation.note(changes));
    this.diagnosis = new Diagnosis(config, parts.diagnosis ?? {}, {
      clock,
      log,
      alive: (peer) => (this.bfd.seesPeer(this.registry.ofPeer(peer)) ? 'BFD is up' : undefined),
    });
    const { journal } = this.diagnosis;
    this.rpki = new RpkiCaches({
      clock,
      log: log.child({ part: 'rpki' }),
      transport,
      lookUp,
      tables: this.tables,
      journal,
      onChange: (name) => {
        this.protocols.note(name, cacheState(this.rpki.report(name)));
        this.tracer.review();
      },
    });
    config.filters?.useTables(this.tables);
    this.tables.use(config);
    this.useLocalImport(this.rooms.main, config);
    this.watchers = new Watchers(this.rib);
    const onPath = (gateway: Uint8Array) => this.rooms.reviewWatched(gateway);
    this.bfd = new BfdSessions({ openBfd: parts.openBfd, clock, log, journal, onPath });
    this.listeners = new ListenerSet({ clock, transport, log: this.diagnosis.logOf('listeners') });
    this.pipeline = new Pipeline(this.rib, clock, parts.defer);
    this.registry = new PeerRegistry(config, {
      session: {
        clock,
        random,
        transport,
        log,
        waterMarks: parts.sizes?.waterMarks,
        evidence: (peer) => this.diagnosis.witness.about(peer),
        onNote: (peer, note) => this.diagnosis.note(peer.name, note),
      },
      logOf: (part) => this.diagnosis.logOf(part),
      rib: this.rib,
      pipeline: this.pipeline,
      addresses: parts.addresses,
      policies: this.policies,
      rooms: this.rooms,
      version: parts.version,
      defer: parts.defer,
      restartFlags: (address, settings) => this.recovery.flags(address, settings),
      onChange: (handle) => {
        this.bfd.refresh(handle);
        this.#note(handle);
        this.tracer.peerChanged(handle);
        this.watchers.peerChanged(handle);
        if (!handle.peer.adminUp) this.#settleWhenReady();
      },
      onForgotten: (handle) => {
        this.bfd.remove(handle);
        this.tracer.peerGone(handle);
        this.links.forget(handle);
        this.#settleWhenReady();
      },
      onSession: (handle, ended) => {
        this.#note(handle);
        this.tracer.peerChanged(handle);
        if (handle.established !== undefined) this.recovery.met(handle.address);
        this.bmp.session(handle, ended);
      },
      onProgress: () => {
        this.bmp.progress();
        this.recovery.review();
        this.#settleWhenReady();
      },
    });
    this.recovery = new RestartRecovery({
      rib: this.rib,
      clock,
      log,
      peers: () => this.registry.values(),
      kernel: () => this.kernel,
      onEnd: () => {
        journal.note('restart-over', 'routes are chosen: the restart is over');
        for (const handle of this.registry.values()) this.#note(handle);
        for (const { kernel } of this.rooms.values()) kernel?.postponeStartup(0);
      },
    });
    this.links = new LinkEvents(this.registry, this.rib, clock);
    this.tracer = new Tracer(this);
    this.dynamic = new DynamicPeers(this.registry, this.listeners);
  }

  #note(handle: PeerHandle): void {
    this.protocols.note(handle.name, peerState(handle, this.recovery.active));
  }

  /**
   * Scans the kernel, then opens listeners and starts peers: no route is advertised before it can be resolved. Sessions
   * of another process go on before everything else.
   */
  async start(takeOver?: TakeOver): Promise<void> {
    if (takeOver === undefined) this.addTables();
    this.tracer.use(this.written);
    this.bfd.watch(this.config.bfdSessions ?? []);
    if (takeOver !== undefined) this.#startPeers(takeOver);
    for (const room of this.rooms.values()) {
      room.kernel = await this.openKernel(room, room.config);
      this.tracer.review();
      await room.kernel?.start();
    }
    this.rooms.borrow();
    if (takeOver === undefined && isRestart(this.config, this.rooms.values())) {
      // Not before routes are chosen: what the kernel forwards by is all there is until then.
      const wait = this.config.router.restart.wait * MS_PER_SECOND;
      for (const { kernel } of this.rooms.values()) kernel?.postponeStartup(wait);
      this.recovery.begin(this.config);
    }
    for (const room of this.rooms.values()) {
      for (const network of room.config.networks) room.networks.configure(network);
    }
    this.mrt.use(this.config);
    if (takeOver === undefined) this.#startPeers(undefined);
    const { sentence: recovering } = this.recovery;
    if (takeOver === undefined && recovering !== undefined) {
      this.diagnosis.journal.note('restart-began', recovering);
    }
    for (const listen of this.config.listen) this.listeners.open(listenOptions(listen));
    this.rpki.use(this.config.rpki ?? []);
    this.bmp.use(this.config);
    this.state = 'running';
    if (takeOver === undefined) {
      const { asn, id } = this.config.router;
      this.diagnosis.journal.note('started', `godwit ${this.parts.version} runs: AS ${asn}, router id ${id}`);
    } else takeOver.finish();
    if (!this.recovery.active) return;
    // Peers keep routes for a limited time only.
    for (const { peer } of this.registry.values()) if (!peer.options.passive) peer.retryNow();
    this.recovery.review();
  }

  /** Further tables and what joins them, empty; their kernel sections are not started. */
  addTables(): void {
    for (const table of this.config.tables ?? []) {
      const room = this.rooms.add(table, this.config);
      this.useLocalImport(room, room.config);
    }
    for (const pipe of this.config.pipes ?? []) this.pipes.add(pipe);
  }

  #startPeers(takeOver: TakeOver | undefined): void {
    for (const range of this.config.dynamicPeers) this.dynamic.add(range);
    for (const peer of this.config.peers) this.addPeer(peer, takeOver);
    takeOver?.startOthers();
  }

  /** Of the main table. */
  get kernel(): KernelSync | undefined {
    return this.rooms.main.kernel;
  }

  get networks(): Networks {
    return this.rooms.main.networks;
  }

  get routes(): LocalRoutes {
    return this.rooms.main.routes;
  }

  /** The kernel as a table's configuration wants it, not started; rejects where it cannot be had. */
  async openKernel(room: TableRoom, config: Config): Promise<KernelSync | undefined> {
    // A table that is neither written nor learned has its next hops looked up in the main one.
    if (room !== this.rooms.main && !needsKernel(config)) return undefined;
    const kernel = await this.parts.openKernel(config);
    if (kernel === undefined) return undefined;
    const log = this.diagnosis.logOf('kernel');
    const sync = new KernelSync(config, { ...this.parts, log, kernel, others: this.rooms }, room);
    sync.useFilter(this.policies.kernelFilter(config.localPolicies.install));
    if (room === this.rooms.main) this.links.follow(sync.view);
    return sync;
  }

  /** Import policies of a table's own and learned routes, for those that come from now on. */
  useLocalImport({ place: { local } }: TableRoom, config: Config): void {
    const policy = this.policies.localImport(config.localPolicies);
    local.importOptions = { ...local.importOptions, policy };
  }

  /** The peers of the start have sent what they have, and it is in the tables. */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Once every configured peer has sent what it has, and the tables have digested it, kernel routes of an earlier run
   * that nobody wants are really stale. The FIB's own timer is for peers that never come.
   */
  #settleWhenReady(): void {
    if (this.#settled || this.state !== 'running') return;
    let isAnyUp = false;
    for (const { peer, established } of this.registry.values()) {
      if (!peer.adminUp) continue;
      if (established?.sentAll !== true) return;
      isAnyUp = true;
    }
    if (!isAnyUp) return;
    if (this.rib.idle) {
      this.#settled = true;
      for (const { kernel } of this.rooms.values()) kernel?.startupComplete();
    } else {
      this.#settleTimer ??= this.parts.clock.setTimer(SETTLE_POLL_MS, () => {
        this.#settleTimer = undefined;
        this.#settleWhenReady();
      });
    }
  }

  addPeer(config: PeerConfig, takeOver?: TakeOver): PeerHandle {
    const address = parseAddress(config.address);
    if (address === undefined) throw new RangeError(`peer ${config.name} has no valid address`);
    this.dynamic.yieldTo(address);
    const handle = this.registry.add({ name: config.name, address, range: undefined }, config);
    this.listeners.add(handle.peer);
    if (takeOver?.goesOn(handle) === true) return handle;
    if (config.enabled) handle.peer.start();
    return handle;
  }

  removePeer(handle: PeerHandle): void {
    this.listeners.remove(handle.peer);
    this.registry.remove(handle);
  }

  /**
   * Cease 6/2 to everybody, listeners closed, kernel routes removed or kept as configured. For a restart nobody is told
   * anything: sessions end with the process (RFC 4724 §4.2), and kernel routes stay.
   */
  async stop(): Promise<void> {
    if (this.state === 'stopping') return;
    this.state = 'stopping';
    this.recovery.stop();
    this.links.stop();
    this.mrt.stop();
    this.revalidation.stop();
    this.rpki.stop();
    this.bmp.stop();
    this.listeners.closeAll();
    const silent = this.stopsSilently || this.config.router.restart.onStop === 'silent';
    const words = silent ? 'without a word to peers, for a restart' : 'peers get a Cease';
    this.diagnosis.journal.note('stopping', `godwit stops: ${words}`);
    const rooms = [...this.rooms.values()];
    // Routes that stay must not follow the sessions out.
    freezeKernels(rooms, silent);
    this.#settleTimer?.cancel();
    if (silent) {
      await closeKernels(rooms, silent);
      // AdminDown, or the other sides would take the silence for a dead path and not wait for the restart.
      await this.bfd.close();
      return;
    }
    for (const handle of this.registry.values()) this.registry.stop(handle, 'godwit stops');
    this.dynamic.stop();
    await this.bfd.close();
    await closeKernels(rooms, silent);
    await sleep(this.parts.clock, FAREWELL_MS);
  }
}
