// One machine of a simulation and the speaker on it: started, stopped, killed, rebooted, stopped for a while, with a
// new configuration. Views of the speaker are here in the short forms that invariants and tests compare.

import { looksLikeBird } from '../config/bird/dialect.ts';
import { loadBird } from '../config/bird/load.ts';
import { FilterEnvironment } from '../config/filter-environment.ts';
import { formatIssues } from '../config/issues.ts';
import { type LoadResult, parseConfig } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { ConfigInput } from '../config/schema.ts';
import type { MemKernel } from '../fib/mem-kernel.ts';
import { formatAddress, formatPrefix } from '../lib/ip.ts';
import type { LogFields, Logger } from '../lib/log.ts';
import { Scheduler } from '../lib/scheduler.ts';
import {
  CommandError,
  type PeerView,
  type RouteQuery,
  type RouteView,
  type SpeakerApi,
} from '../speaker/api.ts';
import { switchedIn } from '../speaker/bird/protocol-states.ts';
import { needsKernel } from '../speaker/kernel-change.ts';
import type { OwnAddress } from '../speaker/own-addresses.ts';
import { Speaker, type SpeakerParts } from '../speaker/speaker.ts';
import { createApi } from '../speaker/speaker-api.ts';
import { HandOver } from '../speaker/upgrade/hand-over.ts';
import { decodeStates, encodeStates, type SpeakerState } from '../speaker/upgrade/state.ts';
import { TakeOver } from '../speaker/upgrade/take-over.ts';
import { ProcessClock } from './clock.ts';
import type { MemHost } from './network.ts';
import { processKernel } from './process-kernel.ts';
import { processTransport } from './process-transport.ts';
import { octets, type World } from './world.ts';

const RELOAD_STEP_MS = 100;
const UPGRADE_STEP_MS = 10;
/** A clean stop is over by then, and what it said has arrived. */
const STOP_MS = 1000;
/** Small, so that tables grow in simulations, and so that a thousand speakers fit into one process. */
const TABLE_ROWS = 16;

export interface NodeOptions {
  /** The machine's kernel as it is after a boot; called again after a power failure. */
  readonly kernel?: MemKernel | (() => MemKernel);
  /** Milliseconds that each question to the kernel takes. */
  readonly kernelDelay?: () => number;
  /** Prefixes that are exported at a time. */
  readonly exportChunk?: number | undefined;
  /** Octets in the queue of a session that make it stop and go on taking routes. */
  readonly waterMarks?: { readonly high: number; readonly low: number } | undefined;
  /** Milliseconds that pass for the process between two looks at the clock. */
  readonly lookMs?: number | undefined;
  /** How its paths are watched; else they are not. */
  readonly openBfd?: SpeakerParts['openBfd'];
  /** Where it writes dumps; else nowhere. */
  readonly dumpStore?: SpeakerParts['dumpStore'];
}

/** The configuration of a machine is wrong; the message is for its author. */
export class NodeConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NodeConfigError';
  }
}

export type NodeState = 'new' | 'running' | 'stopping' | 'down';

export class SimNode {
  readonly name: string;
  /** Without interfaces. */
  readonly addresses: readonly string[];
  /** What it knows itself of them. */
  own: readonly OwnAddress[];
  kernel: MemKernel | undefined;
  /** `level message`, one a line. */
  readonly log: string[] = [];
  readonly fields: LogFields[] = [];
  readonly host: MemHost;
  state: NodeState = 'new';
  clock: ProcessClock;
  speaker: Speaker;
  api: SpeakerApi;
  readonly #world: World;
  readonly #options: NodeOptions;
  #filters = new FilterEnvironment();
  /** What the next configuration to be read says. */
  input: ConfigInput | string;

  constructor(
    world: World,
    name: string,
    addresses: readonly string[],
    host: MemHost,
    input: ConfigInput | string,
    options: NodeOptions,
  ) {
    this.#world = world;
    this.name = name;
    this.addresses = addresses.map((text) => text.split('@')[0]!);
    this.own = addresses.map((text) => {
      const [address = '', device = 'eth0'] = text.split('@');
      return { interface: device, bytes: octets(address) };
    });
    this.host = host;
    this.#options = options;
    this.kernel = bootKernel(options);
    this.input = input;
    this.clock = this.#newClock();
    this.speaker = this.#build();
    this.api = this.#api();
  }

  start(): void {
    this.state = 'running';
    this.speaker.start().catch((error: unknown) => this.log.push(`error start: ${String(error)}`));
  }

  /** Stops cleanly. */
  async stop(): Promise<void> {
    const stopped = this.speaker.stop();
    await this.#world.settle();
    await this.#world.run(STOP_MS);
    await stopped;
    this.kill();
  }

  /** SIGTERM: stops cleanly while time passes. */
  shutDown(): void {
    const { clock } = this;
    this.state = 'stopping';
    clock.run(() => {
      this.speaker.stop().catch((error: unknown) => this.log.push(`error stop: ${String(error)}`));
    });
    this.#world.clock.setTimer(STOP_MS, () => {
      if (this.clock === clock && this.state === 'stopping') this.kill();
    });
  }

  /** SIGKILL: the machine closes the sockets; kernel routes stay. */
  kill(): void {
    this.#ended();
    this.host.kill();
  }

  /** Power failure: nobody is told, and the kernel's routes are gone. */
  vanish(): void {
    this.#ended();
    this.host.vanish();
    if (typeof this.#options.kernel === 'function') this.kernel = this.#options.kernel();
  }

  /** SIGSTOP and SIGCONT. */
  pause(): void {
    this.clock.stop();
  }

  goOn(): void {
    this.clock.goOn();
    this.host.wake();
  }

  /** Something for the process to do; one that is stopped hears of it when it goes on. */
  ask(fn: () => void): void {
    if (this.state === 'running') this.clock.run(fn);
  }

  /** A new process on the same machine, not started; the old one must have ended, or hands over what is `switched`. */
  renew(switched?: ReadonlyMap<string, boolean>): void {
    if (this.state === 'running') this.#ended();
    this.host.present = true;
    this.host.wake();
    const { wallOffset } = this.clock;
    this.clock = this.#newClock();
    this.clock.wallOffset = wallOffset;
    this.state = 'new';
    this.speaker = this.#build(switched);
    this.api = this.#api();
  }

  /** What a live upgrade does on this side. */
  handOver(): HandOver {
    return new HandOver(this.speaker, () => this.#load());
  }

  /** Live upgrade: another process goes on with what `becomes` makes of the state. Rejects with CommandError. */
  async upgrade(becomes: (state: SpeakerState) => SpeakerState = (state) => state): Promise<void> {
    const handOver = this.handOver();
    handOver.check();
    try {
      await this.#meanwhile(handOver.prepare());
      await this.#meanwhile(handOver.handOverPaths());
    } catch (error) {
      handOver.resume(String(error));
      throw error;
    }
    await this.#meanwhile(this.#become(becomes(this.#picture(handOver))));
  }

  /** Asks for a live upgrade and lets it happen while time passes; a refusal is in the log. */
  requestUpgrade(): void {
    const { clock } = this;
    const handOver = this.handOver();
    const go = async (): Promise<void> => {
      handOver.check();
      await handOver.prepare();
      await handOver.handOverPaths();
      // It may have ended meanwhile.
      if (this.clock === clock && this.state === 'running') await this.#become(this.#picture(handOver));
    };
    go().catch((error: unknown) => {
      this.log.push(`warn upgrade: ${String(error)}`);
      if (this.clock === clock) handOver.resume(String(error));
    });
  }

  /** As it arrives in another process. */
  #picture(handOver: HandOver): SpeakerState {
    return decodeStates(encodeStates(new Map([['', handOver.capture()]]))).get('')!;
  }

  #become(state: SpeakerState): Promise<void> {
    const sockets = state.peers.flatMap(({ image }) => image.session?.descriptor ?? []);
    this.host.become(new Set(sockets));
    this.renew(switchedIn(state.protocols));
    this.state = 'running';
    return this.speaker.start(new TakeOver(this.speaker, state));
  }

  /** Lets time pass until a promise has settled. */
  async #meanwhile<T>(promise: Promise<T>, stepMs = UPGRADE_STEP_MS): Promise<T> {
    let done = false;
    void Promise.allSettled([promise]).then(() => {
      done = true;
    });
    await this.#world.settle();
    while (!done) await this.#world.run(stepMs);
    return promise;
  }

  /** Writes a new configuration and applies it; rejects as the command does. */
  async reload(input: ConfigInput | string): Promise<readonly string[]> {
    this.input = input;
    // Routes that move in the kernel take their time.
    return (await this.#meanwhile(this.api.reload(), RELOAD_STEP_MS)).changes;
  }

  /** Writes a new configuration, if it is a good one, and asks for it to be read; a refusal is in the log. */
  requestReload(input: ConfigInput | string): void {
    const before = this.input;
    this.input = input;
    if (!this.#load().ok) {
      this.input = before;
      return;
    }
    this.ask(() => {
      this.api.reload().catch((error: unknown) => this.log.push(`warn reload: ${String(error)}`));
    });
  }

  /** An operator's command; one that the speaker refuses changes nothing. Returns whether it was carried out. */
  command(give: (api: SpeakerApi) => void): boolean {
    try {
      give(this.api);
      return true;
    } catch (error) {
      if (error instanceof CommandError) return false;
      throw error;
    }
  }

  peer(name: string): PeerView {
    const view = this.api.peers().find((peer) => peer.name === name);
    if (view === undefined) throw new Error(`${this.name} has no peer ${name}`);
    return view;
  }

  states(): string[] {
    return this.api.peers().map((peer) => `${peer.name} ${peer.state}`);
  }

  routes(query: RouteQuery = {}): RouteView[] {
    return [...this.api.routes(query)].filter((route) => route !== undefined);
  }

  /** Best paths: `prefix from peer`. */
  best(query: RouteQuery = {}): string[] {
    return this.routes({ ...query, bestOnly: true }).map((route) => `${route.prefix} from ${route.peer}`);
  }

  route(prefix: string, from?: string): RouteView | undefined {
    return this.routes({ prefix }).find((route) => (from === undefined ? route.best : route.peer === from));
  }

  /** Own kernel routes: `prefix via gateway, gateway` or `prefix blackhole`, sorted. */
  kernelRoutes(): string[] {
    const { protocol } = this.speaker.config.kernel;
    return (this.kernel?.routes() ?? [])
      .filter((route) => route.protocol === protocol)
      .map((route) => {
        const hops = route.nextHops.map((hop) =>
          hop.gateway === undefined ? 'link' : formatAddress(hop.gateway),
        );
        const target = route.type === 'unicast' ? `via ${hops.sort().join(', ')}` : route.type;
        return `${formatPrefix(route.prefix)} ${target}`;
      })
      .sort();
  }

  #newClock(): ProcessClock {
    const clock = new ProcessClock(this.#world.clock);
    clock.lookMs = this.#options.lookMs ?? 0;
    return clock;
  }

  #ended(): void {
    this.state = 'down';
    this.clock.end();
  }

  #api(): SpeakerApi {
    const { speaker } = this;
    return createApi({ speaker, configFile: 'godwit.yaml', loadConfig: () => this.#load() });
  }

  #load(): LoadResult {
    const unreadable = (path: string): string => {
      throw new Error(`${path} is not there`);
    };
    const policy = this.#filters;
    const host = { hostname: this.name, addresses: [] };
    const text = textOf(this.input);
    const result = looksLikeBird(text)
      ? loadBird(text, 'bird.conf', { read: unreadable, list: () => [] }, host, { policy })
      : parseConfig(text, 'godwit.yaml', {}, unreadable, { ...host, policy });
    return result.ok ? { ...result, config: { ...result.config, filters: policy } } : result;
  }

  #config(): Config {
    const result = this.#load();
    if (!result.ok)
      throw new NodeConfigError(`${this.name}: ${formatIssues(result.issues, { color: false })}`);
    return result.config;
  }

  #build(switched?: ReadonlyMap<string, boolean>): Speaker {
    const { clock, host } = this;
    this.#filters = new FilterEnvironment(clock);
    const { random } = this.#world;
    const { exportChunk: chunk, waterMarks } = this.#options;
    host.runner = clock;
    const parts: SpeakerParts = {
      clock,
      scheduler: new Scheduler(clock, { defer: clock.defer }),
      random,
      defer: clock.defer,
      transport: processTransport(host, clock),
      openKernel: async (config) => {
        const wanted = config.kernel.nextHopTracking || needsKernel(config);
        if (!wanted || this.kernel === undefined) return undefined;
        return processKernel(this.kernel, clock, this.#options.kernelDelay);
      },
      addresses: () => this.own,
      log: this.#logger(),
      ...(this.#options.openBfd !== undefined && { openBfd: this.#options.openBfd }),
      ...(this.#options.dumpStore !== undefined && { dumpStore: this.#options.dumpStore }),
      version: '0.0.0',
      sizes: { rows: TABLE_ROWS, waterMarks, ...(chunk !== undefined && { exportChunk: chunk }) },
    };
    return new Speaker(this.#config(), parts, switched);
  }

  #logger(): Logger {
    const write = (level: string) => (fields: LogFields, text: string) => {
      this.log.push(`${level} ${text}`);
      this.fields.push(fields);
    };
    const logger: Logger = {
      debug() {},
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: () => logger,
    };
    return logger;
  }
}

function bootKernel({ kernel }: NodeOptions): MemKernel | undefined {
  return typeof kernel === 'function' ? kernel() : kernel;
}

function textOf(input: ConfigInput | string): string {
  return typeof input === 'string' ? input : JSON.stringify(input);
}
