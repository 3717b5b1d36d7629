// A machine for the FIB's tests: the in-memory kernel with two links, a prefix table as the RIB has one, and the FIB
// with everything around it on simulated time. Kernel answers are promises, so time passes in `run`, which lets them.

import { FAMILIES, type Family, IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { Fib } from '../../src/fib/fib.ts';
import { KernelMonitor } from '../../src/fib/kernel-monitor.ts';
import { KernelView } from '../../src/fib/kernel-view.ts';
import { MemKernel } from '../../src/fib/mem-kernel.ts';
import type { PrefixReader } from '../../src/fib/prefix-reader.ts';
import { type RoutePlace, RouteTargets } from '../../src/fib/route-targets.ts';
import type { KernelRoute } from '../../src/fib/types.ts';
import { formatPrefix, type Prefix, parseAddress, parsePrefix } from '../../src/lib/ip.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import { toBytes, toWords } from '../../src/lib/prefix-trie.ts';
import { Scheduler } from '../../src/lib/scheduler.ts';
import { SimClock } from '../../src/sim/clock.ts';

export const MAIN = 254;
export const OWN_PROTOCOL = 12;
export const METRIC = 50;
export const ETH0 = 2;
export const ETH1 = 3;

export function address(text: string): Uint8Array {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed.bytes;
}

export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}

export function route(
  text: string,
  fields: Partial<KernelRoute> & { via?: string; dev?: number } = {},
): KernelRoute {
  const { via, dev, ...rest } = fields;
  const hop = {
    ...(via === undefined ? {} : { gateway: address(via) }),
    ...(dev === undefined ? {} : { ifindex: dev }),
  };
  return {
    prefix: prefix(text),
    table: MAIN,
    metric: METRIC,
    protocol: OWN_PROTOCOL,
    type: 'unicast',
    nextHops: [hop],
    ...rest,
  };
}

/** 10.0.0.1/24 and 2001:db8::1/64 on eth0, 10.0.1.1/24 and 2001:db8:1::1/64 on eth1, both up. */
export function machine(): MemKernel {
  const kernel = new MemKernel();
  kernel.setLink({ ifindex: 1, name: 'lo', up: true, loopback: true, mtu: 65536 });
  kernel.setLink({ ifindex: ETH0, name: 'eth0', up: true, loopback: false, mtu: 1500 });
  kernel.setLink({ ifindex: ETH1, name: 'eth1', up: true, loopback: false, mtu: 1500 });
  kernel.addAddress({ ifindex: ETH0, address: address('10.0.0.1'), prefixLength: 24 });
  kernel.addAddress({ ifindex: ETH1, address: address('10.0.1.1'), prefixLength: 24 });
  kernel.addAddress({ ifindex: ETH0, address: address('2001:db8::1'), prefixLength: 64 });
  kernel.addAddress({ ifindex: ETH1, address: address('2001:db8:1::1'), prefixLength: 64 });
  return kernel;
}

/** Prefix ids as the RIB would give them, in the simplest way. */
export class PrefixIds implements PrefixReader {
  readonly #prefixes: Prefix[] = [];
  readonly #ids = new Map<string, number>();

  id(text: string): number {
    const parsed = prefix(text);
    const known = this.#ids.get(formatPrefix(parsed));
    if (known !== undefined) return known;
    const id = this.#prefixes.push(parsed);
    this.#ids.set(formatPrefix(parsed), id);
    return id;
  }

  words(prefixId: number, out: Int32Array): void {
    out.set(toWords(this.#prefixes[prefixId - 1]!.bytes));
  }

  bits(prefixId: number): number {
    return this.#prefixes[prefixId - 1]!.length;
  }

  find(words: Int32Array, bits: number): number {
    return this.#ids.get(formatPrefix({ bytes: toBytes(words, 0, words.length), length: bits })) ?? 0;
  }
}

export class Bench {
  readonly clock = new SimClock();
  readonly scheduler = new Scheduler(this.clock, { defer: this.clock.defer });
  readonly targets: RouteTargets;
  readonly prefixes = new Map(FAMILIES.map((family) => [family.id, new PrefixIds()]));
  readonly idle: string[] = [];
  readonly warnings: string[] = [];
  /** What is said without being a warning. */
  readonly lines: string[] = [];
  readonly kernel: MemKernel;
  readonly monitor: KernelMonitor;
  readonly view: KernelView;
  readonly fib: Fib;

  constructor(
    kernel = machine(),
    options: {
      scanTime?: number;
      settleTime?: number;
      tables?: number[];
      families?: readonly Family[];
      /** Of IPv6 routes, where it is another one. */
      ipv6?: RoutePlace;
    } = {},
  ) {
    this.kernel = kernel;
    const { ipv6, scanTime = 0 } = options;
    const place = { table: MAIN, metric: METRIC, ...(ipv6 !== undefined && { ipv6 }) };
    this.targets = new RouteTargets({ protocol: OWN_PROTOCOL, ...place });
    const { clock, scheduler, targets } = this;
    const log: Logger = {
      ...silentLogger,
      warn: (_fields, message) => this.warnings.push(message),
      info: (_fields, message) => this.lines.push(message),
    };
    this.monitor = new KernelMonitor({
      kernel,
      clock,
      scheduler,
      log,
      scanTime: { 4: scanTime, 16: scanTime },
    });
    this.view = new KernelView({
      monitor: this.monitor,
      ownProtocol: OWN_PROTOCOL,
      tables: new Set([MAIN, ...(options.tables ?? [])]),
    });
    this.fib = new Fib({
      kernel,
      monitor: this.monitor,
      targets,
      scheduler,
      clock,
      log,
      families: (options.families ?? FAMILIES).map((family) => ({
        family,
        reader: this.prefixes.get(family.id)!,
      })),
      ...(options.settleTime === undefined ? {} : { settleTime: options.settleTime }),
    });
    this.fib.onIdle = (familyId, prefixId) => this.idle.push(`${familyId}/${prefixId}`);
  }

  static async started(kernel?: MemKernel, options?: ConstructorParameters<typeof Bench>[1]): Promise<Bench> {
    const bench = new Bench(kernel, options);
    await bench.start();
    return bench;
  }

  async start(): Promise<void> {
    const started = this.monitor.start();
    await this.run();
    await started;
    await this.run();
  }

  /** Lets time pass in small steps, and promises settle between them. */
  async run(ms = 0): Promise<void> {
    const step = Math.max(1, Math.ceil(ms / 50));
    for (let passed = 0; passed <= ms; passed += step) {
      for (let turn = 0; turn < 6; turn++) {
        this.clock.settle();
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (passed < ms) this.clock.advance(Math.min(step, ms - passed));
    }
    this.clock.settle();
  }

  family(text: string): Family {
    return text.includes(':') ? IPV6_UNICAST : IPV4_UNICAST;
  }

  id(text: string): number {
    return this.prefixes.get(this.family(text).id)!.id(text);
  }

  set(text: string, via: string, fields: { metric?: number; dev?: number } = {}): void {
    const target = this.targets.intern(text.includes(':') ? 16 : 4, {
      type: 'unicast',
      nextHops: [{ gateway: address(via), ...(fields.dev === undefined ? {} : { ifindex: fields.dev }) }],
      ...(fields.metric === undefined ? {} : { metric: fields.metric }),
    });
    this.fib.setRoute(this.family(text).id, this.id(text), target);
  }

  clear(text: string): boolean {
    return this.fib.clearRoute(this.family(text).id, this.id(text));
  }

  state(text: string): string | undefined {
    return this.fib.route(this.family(text).id, this.id(text))?.state;
  }

  /** Own routes in the kernel: `prefix gateway metric`, sorted. */
  own(): string[] {
    return this.kernel
      .routes()
      .filter(({ protocol }) => protocol === OWN_PROTOCOL)
      .map((one) => `${formatPrefix(one.prefix)} ${one.nextHops.map(gatewayText).join(',')} ${one.metric}`)
      .sort();
  }

  /** Operations written since the last call. */
  takeLog(): string[] {
    return this.kernel.log.splice(0).map(({ kind, route: { prefix: p } }) => `${kind} ${formatPrefix(p)}`);
  }
}

function gatewayText(hop: { readonly gateway?: Uint8Array }): string {
  return hop.gateway === undefined ? 'link' : formatPrefix({ bytes: hop.gateway, length: 0 }).slice(0, -2);
}
