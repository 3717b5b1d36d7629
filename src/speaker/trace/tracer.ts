// What `debug` statements and commands ask to see, protocol by protocol, as lines of the log, and beside it what MRT files
// get (message-dumps.ts). What is followed hangs on peers, tables and interfaces only while somebody asks for it; a
// command counts until the next configuration.

import { channelDebugOf, DEBUG_FLAGS, type DebugFlag, debugOf } from '../../config/bird/trace-flags.ts';
import type { Config } from '../../config/model.ts';
import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import { type DeclaredProtocol, declaredProtocols, tablesOfProtocol } from '../bird/declared.ts';
import { interfaceViews } from '../bird/interfaces.ts';
import { cacheState } from '../bird/rpki-view.ts';
import { dialectOf } from '../bird/traits.ts';
import type { KernelSync } from '../kernel-sync.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { Speaker } from '../speaker.ts';
import { interfaceLines, type Links, linksOf } from './interface-lines.ts';
import { KernelTracer } from './kernel-tracer.ts';
import { MessageDumps, type MrtdumpCommands } from './message-dumps.ts';
import { PeerTrace } from './peer-trace.ts';
import { routeText } from './route-text.ts';
import { ImportTracer, type RouteFlag, type RouteWords } from './route-tracer.ts';
import { stateLines, type ToldState } from './state-lines.ts';
import { TraceLines } from './trace-lines.ts';

/** Plain data, for another process: what commands have asked for. */
export interface TracerImage {
  /** By protocol, or protocol and channel. */
  readonly debug: ReadonlyMap<string, ReadonlySet<DebugFlag>>;
  readonly mrtdump: MrtdumpCommands;
}

const ROUTE_FLAGS: readonly RouteFlag[] = ['routes', 'filters'];
/** What brings a route that is no peer's, where it does not say so itself. */
const KIND_OF_ORIGIN = {
  static: 'static',
  device: 'direct',
  kernel: 'kernel',
  bgp: 'bgp',
  pipe: 'pipe',
} as const;

export class Tracer {
  readonly #speaker: Speaker;
  readonly #lines: TraceLines;
  readonly #peers = new Map<PeerHandle, PeerTrace>();
  readonly #words: RouteWords;
  readonly #dumps: MessageDumps;
  /** By protocol, or `protocol.channel`. */
  #commanded = new Map<string, ReadonlySet<DebugFlag>>();
  #declared: readonly DeclaredProtocol[] = [];
  /** States of protocols that are no peers. */
  #told = new Map<string, ToldState>();
  /** By protocol and family. */
  readonly #kernels = new Map<string, KernelTracer>();
  #links: Links = new Map();
  #linksOf: { readonly kernel: KernelSync; readonly unlisten: () => void } | undefined;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
    const { clock, log, trace } = speaker.parts;
    this.#dumps = new MessageDumps(speaker, (name) => this.#writtenName(name));
    this.#lines = new TraceLines(clock, trace ?? ((line) => log.info({}, line)));
    this.#words = {
      text: (rib, row) => routeText(rib, row, this.#dialect, speaker.rooms),
      owner: (rib, row) => this.#ownerOf(rib, row),
      tell: (owner, rib, flag, line) => this.#tellRoute(owner, rib.family.version, flag, line),
    };
  }

  /** This configuration is in force: what it says counts, and nothing that was commanded before. */
  use(written: Config): void {
    const before = new Set(this.#declared.map(({ name }) => name));
    this.#commanded.clear();
    this.#dumps.restore(new Map());
    this.#declared = declaredProtocols(written);
    for (const { name } of this.#declared) {
      const isKept = before.has(name);
      if (this.#asks(name, 'states')) this.#say(name, isKept ? 'Reconfigured' : 'Initializing');
    }
    this.review();
  }

  /** Protocols came, went, or were switched; or tables are other ones. */
  review(): void {
    const { registry, rooms, protocols, rpki } = this.#speaker;
    for (const handle of registry.values()) this.#follow(handle);
    this.#dumps.review();
    const others = this.#declared.filter(({ kind, range }) => kind !== 'bgp' || range !== undefined);
    const brings = others.some(({ name }) => this.#asksOfRoutes(name));
    for (const { place } of rooms.values()) {
      const { local } = place;
      if (!brings) local.tracer = undefined;
      else local.tracer ??= new ImportTracer(local, this.#words);
    }
    const told = new Map<string, ToldState>();
    for (const declared of others) {
      const { name, kind, range } = declared;
      const waits = range !== undefined || (kind === 'rpki' && cacheState(rpki.report(name)) !== 'up');
      told.set(name, protocols.isOff(declared) ? 'down' : waits ? 'start' : 'up');
    }
    for (const name of new Set([...this.#told.keys(), ...told.keys()])) {
      this.#tellState(name, this.#told.get(name) ?? 'down', told.get(name) ?? 'down');
    }
    this.#told = told;
    this.#followLinks();
    this.#followKernels();
  }

  /** What a command asks of protocols from now on; of a channel of them alone where one is named. */
  command(names: readonly string[], channel: string | undefined, flags: readonly string[]): void {
    const chosen = new Set(DEBUG_FLAGS.filter((flag) => flags.includes(flag)));
    for (const name of names) this.#commanded.set(keyOf(name, channel), chosen);
    this.review();
  }

  /** A line that is of no protocol. */
  write(line: string): void {
    this.#lines.write(line);
  }

  /** What a command wants of protocols in MRT files from now on. */
  dumpCommand(names: readonly string[], flags: readonly string[]): void {
    this.#dumps.command(names, flags);
  }

  /** The state of a peer, or of its session, is another one, perhaps. */
  peerChanged(handle: PeerHandle): void {
    this.#dumps.peerChanged(handle);
    (this.#peers.get(handle) ?? this.#follow(handle, true)).changed();
  }

  peerGone(handle: PeerHandle): void {
    this.#dumps.peerGone(handle);
    const trace = this.#peers.get(handle);
    trace?.changed();
    trace?.close();
    this.#peers.delete(handle);
  }

  /** Follows what goes to the kernel for protocols that are asked for routes. */
  #followKernels(): void {
    const { rooms, written } = this.#speaker;
    const unused = new Map(this.#kernels);
    for (const declared of this.#declared) {
      if (declared.kind !== 'kernel' || !this.#asksOfRoutes(declared.name, ['routes'])) continue;
      for (const [version, table] of tablesOfProtocol(declared, written)) {
        const room = rooms.shown(written, table, version);
        const family = room?.place.families.find((each) => each.family.version === version);
        const key = keyOf(declared.name, version);
        if (room === undefined || family === undefined) continue;
        unused.delete(key);
        const known = this.#kernels.get(key);
        if (known?.family === family) continue;
        known?.close();
        this.#kernels.set(key, new KernelTracer(room, family, declared.name, this.#words));
      }
    }
    for (const [key, tracer] of unused) {
      tracer.close();
      this.#kernels.delete(key);
    }
  }

  /** Listens to the kernel while somebody wants to see its interfaces. */
  #followLinks(): void {
    const { kernel } = this.#speaker;
    const isAsked = this.#declared.some(({ name }) => this.#asks(name, 'interfaces'));
    const wanted = isAsked ? kernel : undefined;
    if (this.#linksOf?.kernel === wanted) return;
    this.#linksOf?.unlisten();
    this.#links = new Map();
    this.#linksOf = wanted && {
      kernel: wanted,
      unlisten: wanted.view.listen({ onRoute: () => {}, onInterface: () => this.#tellLinks(wanted) }),
    };
    if (wanted !== undefined) this.#tellLinks(wanted);
  }

  #tellLinks(kernel: KernelSync): void {
    const before = this.#links;
    this.#links = linksOf(interfaceViews(kernel));
    for (const { name, kind } of this.#declared) {
      if (!this.#asks(name, 'interfaces')) continue;
      for (const line of interfaceLines(before, this.#links, kind, this.#dialect)) {
        this.#lines.write(`${name} ${line}`);
      }
    }
  }

  get image(): TracerImage {
    return { debug: this.#commanded, mrtdump: this.#dumps.commanded };
  }

  restore(image: TracerImage): void {
    this.#commanded = new Map(image.debug);
    this.#dumps.restore(image.mrtdump);
    this.review();
  }

  get #dialect() {
    return dialectOf(this.#speaker.written);
  }

  #follow(handle: PeerHandle, isNew = false): PeerTrace {
    let trace = this.#peers.get(handle);
    if (trace === undefined) {
      const { rib } = this.#speaker;
      const say = (name: string, text: string) => this.#say(name, text);
      trace = new PeerTrace(handle, { rib, words: this.#words, dialect: this.#dialect, say }, isNew);
      this.#peers.set(handle, trace);
    }
    const flags = new Set(this.#flagsOf(handle.name));
    for (const flag of ROUTE_FLAGS) if (this.#asksOfRoutes(handle.name, [flag])) flags.add(flag);
    trace.use(flags);
    return trace;
  }

  /** A peer of a range is asked for what the range is. */
  #writtenName(name: string): string {
    const range = this.#speaker.registry.find(name)?.range;
    if (range === undefined) return name;
    return this.#declared.find((each) => each.range === range)?.name ?? name;
  }

  #flagsOf(name: string): ReadonlySet<DebugFlag> {
    const commanded = this.#commanded.get(name);
    if (commanded !== undefined) return commanded;
    const written = this.#writtenName(name);
    return this.#commanded.get(written) ?? debugOf(this.#speaker.written.bird, written);
  }

  #channelFlags(name: string, version: IpVersion): ReadonlySet<DebugFlag> {
    const written = this.#writtenName(name);
    const { bird } = this.#speaker.written;
    return this.#commanded.get(keyOf(name, version)) ?? channelDebugOf(bird, written, version);
  }

  #asks(name: string, flag: DebugFlag): boolean {
    return this.#flagsOf(name).has(flag);
  }

  #asksOfRoutes(name: string, wanted: readonly RouteFlag[] = ROUTE_FLAGS): boolean {
    return wanted.some(
      (flag) =>
        this.#asks(name, flag) || IP_VERSIONS.some((version) => this.#channelFlags(name, version).has(flag)),
    );
  }

  #say(name: string, text: string): void {
    this.#lines.write(`${name}: ${text}`);
  }

  #tellState(name: string, before: ToldState, after: ToldState): void {
    if (!this.#asks(name, 'states')) return;
    for (const line of stateLines(before, after, this.#dialect)) this.#say(name, line);
  }

  #tellRoute(owner: string, version: IpVersion, flag: RouteFlag, line: string): void {
    if (!this.#asks(owner, flag) && !this.#channelFlags(owner, version).has(flag)) return;
    const channel = this.#dialect === '1.6' ? owner : `${owner}.${version}`;
    this.#lines.write(`${channel} ${line}`);
  }

  #ownerOf({ paths, shared }: FamilyRib, row: number): string {
    const peer = shared.peers.get(paths.peerId(row));
    if (peer.source !== 'local') return peer.name;
    const { attrs } = shared;
    const attr = paths.attrPost(row) || paths.attrIn(row);
    const { protocol, origin } = attrs.extrasTable.get(attrs.extras[attr]!);
    const kind = KIND_OF_ORIGIN[origin];
    return protocol ?? this.#declared.find((each) => each.kind === kind)?.name ?? kind;
  }
}

function keyOf(name: string, channel: string | undefined): string {
  return channel === undefined ? name : `${name}.${channel}`;
}
