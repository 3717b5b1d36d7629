// Whole speakers in one process, on a simulated clock and network, each with a simulated kernel where it wants one.
// Nothing happens unless `settle` or `run` is called, and then always in the same order. Configuration is written in
// the native language, as users write it.

import { formatIssues } from '../../src/config/issues.ts';
import { type LoadResult, parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/model.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { MemKernel } from '../../src/fib/mem-kernel.ts';
import { formatAddress, formatPrefix, parsePrefix, prefixContains } from '../../src/lib/ip.ts';
import type { LogFields, Logger } from '../../src/lib/log.ts';
import { Scheduler } from '../../src/lib/scheduler.ts';
import type { PeerView, RouteQuery, RouteView, SpeakerApi } from '../../src/speaker/api.ts';
import type { OwnAddress } from '../../src/speaker/own-addresses.ts';
import { Speaker } from '../../src/speaker/speaker.ts';
import { createApi } from '../../src/speaker/speaker-api.ts';
import { type MemHost, MemNetwork, type MemNetworkOptions } from './mem-transport.ts';
import { ip, RawPeer, type RawPeerOptions } from './raw-peer.ts';
import { SimClock, seededRandom } from './sim-clock.ts';

/** Long enough for the first connection attempts (connectDelayTime is 5 s) and a collision. */
const START_MS = 12_000;
const RELOAD_STEP_MS = 100;
/** Clock steps of `run`, between which promises settle. */
const STEPS = 40;

export class SimLab {
  readonly clock = new SimClock();
  readonly network: MemNetwork;
  readonly speakers: SimSpeaker[] = [];
  readonly random: () => number;
  readonly #hosts = new Map<string, MemHost>();

  constructor(options: { network?: MemNetworkOptions; seed?: number } = {}) {
    this.network = new MemNetwork(this.clock, { latencyMs: 0, ...options.network });
    this.random = seededRandom(options.seed ?? 1);
  }

  /** A machine that runs a speaker. Addresses are `10.0.0.1` or `10.0.0.1@eth1`; eth0 unless said. */
  speaker(
    name: string,
    addresses: readonly string[],
    input: ConfigInput,
    options: { kernel?: MemKernel } = {},
  ): SimSpeaker {
    const host = this.network.host(...addresses.map((text) => ip(text.split('@')[0]!)));
    const speaker = new SimSpeaker(this, name, addresses, host, input, options.kernel);
    this.speakers.push(speaker);
    return speaker;
  }

  /** A scripted peer with an address of its own. */
  raw(address: string, options: RawPeerOptions): RawPeer {
    const host = this.#hosts.get(address) ?? this.network.host(ip(address));
    this.#hosts.set(address, host);
    return new RawPeer(host, address, options);
  }

  /** Starts all speakers and lets them find each other. */
  async start(ms = START_MS): Promise<void> {
    for (const speaker of this.speakers) speaker.start();
    await this.run(ms);
  }

  /** Scripted peers dial in; returns when nothing happens any more. */
  async connect(speaker: SimSpeaker, ...peers: RawPeer[]): Promise<void> {
    for (const peer of peers) {
      const sameVersion = speaker.addresses.find((own) => own.includes(':') === peer.address.includes(':'));
      peer.connect(sameVersion ?? speaker.addresses[0]!);
    }
    await this.settle();
  }

  /** Runs until nothing happens without time passing. */
  async settle(): Promise<void> {
    do {
      this.clock.settle();
      // The simulated kernel answers with promises.
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.clock.busy);
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    await this.settle();
    const step = Math.max(1, Math.ceil(ms / STEPS));
    for (let passed = 0; passed < ms; passed += step) {
      this.clock.advance(Math.min(step, ms - passed));
      await this.settle();
    }
  }
}

export class SimSpeaker {
  readonly name: string;
  /** Without interfaces. */
  readonly addresses: readonly string[];
  readonly kernel: MemKernel | undefined;
  /** `level message`, one a line. */
  readonly log: string[] = [];
  readonly fields: LogFields[] = [];
  speaker: Speaker;
  api: SpeakerApi;
  readonly #lab: SimLab;
  readonly #own: readonly OwnAddress[];
  readonly #host: MemHost;
  #text: string;

  constructor(
    lab: SimLab,
    name: string,
    addresses: readonly string[],
    host: MemHost,
    input: ConfigInput,
    kernel: MemKernel | undefined,
  ) {
    this.#lab = lab;
    this.name = name;
    this.addresses = addresses.map((text) => text.split('@')[0]!);
    this.#own = addresses.map((text) => {
      const [address = '', device = 'eth0'] = text.split('@');
      return { interface: device, bytes: ip(address) };
    });
    this.#host = host;
    this.kernel = kernel;
    this.#text = JSON.stringify(input);
    this.speaker = this.#build();
    this.api = this.#api();
  }

  start(): void {
    this.speaker.start().catch((error: unknown) => this.log.push(`error start: ${String(error)}`));
  }

  /** Stops cleanly. */
  async stop(): Promise<void> {
    const stopped = this.speaker.stop();
    await this.#lab.run(1000);
    await stopped;
  }

  /** A new process on the same machine, not started; the old one must have been stopped. */
  renew(): void {
    this.speaker = this.#build();
    this.api = this.#api();
  }

  /** Writes a new configuration and applies it. */
  async reload(input: ConfigInput | string): Promise<readonly string[]> {
    this.#text = typeof input === 'string' ? input : JSON.stringify(input);
    let done = false;
    const applied = Promise.allSettled([this.api.reload()]).finally(() => {
      done = true;
    });
    await this.#lab.settle();
    // Routes that move in the kernel take their time.
    while (!done) await this.#lab.run(RELOAD_STEP_MS);
    const [result] = await applied;
    if (result.status === 'rejected') throw result.reason;
    return result.value.changes;
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

  #api(): SpeakerApi {
    const { speaker } = this;
    return createApi({ speaker, configFile: 'godwit.yaml', loadConfig: () => this.#load() });
  }

  #load(): LoadResult {
    const unreadable = (path: string): string => {
      throw new Error(`${path} is not there`);
    };
    return parseConfig(this.#text, 'godwit.yaml', {}, unreadable, { hostname: this.name, addresses: [] });
  }

  #config(): Config {
    const result = this.#load();
    if (!result.ok) throw new Error(formatIssues(result.issues, { color: false }));
    return result.config;
  }

  #build(): Speaker {
    const { clock, random } = this.#lab;
    return new Speaker(this.#config(), {
      clock,
      scheduler: new Scheduler(clock, { defer: clock.defer }),
      random,
      defer: clock.defer,
      transport: this.#host,
      openKernel: async ({ kernel, redistribute }) => {
        const learns = kernel.learn.length > 0 || redistribute.length > 0;
        return kernel.install || kernel.nextHopTracking || learns ? this.kernel?.session() : undefined;
      },
      addresses: () => this.#own,
      log: this.#logger(),
      version: '0.0.0',
    });
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

/** A kernel with the given links: `eth0 10.0.0.1/24 2001:db8::1/64` each. */
export function simKernel(...links: readonly string[]): MemKernel {
  const kernel = new MemKernel();
  kernel.setLink({ ifindex: 1, name: 'lo', up: true, loopback: true, mtu: 65536 });
  for (const [at, text] of links.entries()) {
    const [name = '', ...addresses] = text.split(' ');
    const ifindex = at + 2;
    kernel.setLink({ ifindex, name, up: true, loopback: false, mtu: 1500 });
    for (const each of addresses) {
      const [address = '', length = ''] = each.split('/');
      kernel.addAddress({ ifindex, address: ip(address), prefixLength: Number(length) });
    }
  }
  return kernel;
}

/** A foreign kernel route, over the link that the gateway is on. */
export function kernelRoute(
  kernel: MemKernel,
  prefix: string,
  via: string,
  fields: { metric?: number; protocol?: number } = {},
): void {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new Error(`${prefix} is no prefix`);
  const gateway = ip(via);
  const connected = kernel.routes().find((route) => {
    return route.nextHops[0]?.gateway === undefined && prefixContains(route.prefix, gateway);
  });
  const ifindex = connected?.nextHops[0]?.ifindex;
  kernel.addRoute({
    prefix: parsed,
    table: 254,
    metric: fields.metric ?? 0,
    protocol: fields.protocol ?? 4,
    type: 'unicast',
    nextHops: [{ gateway, ...(ifindex !== undefined && { ifindex }) }],
  });
}
