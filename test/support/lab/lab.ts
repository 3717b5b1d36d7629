// A lab: namespaces on one shared network, a daemon in each, and everything removed at the end, whatever happened. The
// names start with `gw-LAB-PID-`, so that what a killed run left behind is found and removed by the next one, and two runs
// on one machine leave each other alone.

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { DAEMONS } from '../../../bench/daemons/index.ts';
import type {
  Daemon,
  DaemonName,
  DaemonSpec,
  LabFamily,
  PeerSpec,
  RouteState,
} from '../../../bench/daemons/types.ts';
import { waitFor } from '../../../bench/lab/command.ts';
import { ManagedProcess } from '../../../bench/lab/managed-process.ts';
import {
  connectAll,
  createNamespace,
  type Namespace,
  removeAbandoned,
} from '../../../bench/lab/namespace.ts';
import { errorText } from '../../../src/lib/error-text.ts';
import { type BirdKind, BirdProcess } from './bird-process.ts';
import { RouteMonitor } from './route-monitor.ts';

/** The lab's device in every node. */
export const LAB_DEVICE = 'lab0';
const NETWORK_BITS = { ipv4: 24, ipv6: 64 } as const;
const ESTABLISH_TIMEOUT_MS = 45_000;
const CONVERGE_TIMEOUT_MS = 30_000;
/** Of a log, where a test has failed. */
const LOG_LINES = 50;

/** One machine of a lab. */
export interface Node {
  readonly name: string;
  readonly namespace: Namespace;
  readonly ipv4: string;
  readonly ipv6: string;
  /** For files of whatever runs here. */
  readonly directory: string;
}

export interface LabOptions {
  /** Network part of the addresses; node i has `.i` and `::i`, counted from 1. */
  readonly ipv4Network?: string;
  readonly ipv6Network?: string;
}

export class Lab {
  readonly nodes: readonly Node[];
  readonly #directory: string;
  readonly #daemons: Daemon[] = [];
  readonly #birds: BirdProcess[] = [];
  readonly #programs: ManagedProcess[] = [];
  readonly #monitors: RouteMonitor[] = [];
  readonly #namespaces: readonly Namespace[];

  constructor(nodes: readonly Node[], namespaces: readonly Namespace[], directory: string) {
    this.nodes = nodes;
    this.#namespaces = namespaces;
    this.#directory = directory;
  }

  /** The network that all nodes are on: node i is behind `port` i of its bridge, counted from 0. */
  get network(): Namespace {
    const [network] = this.#namespaces;
    if (network === undefined) throw new RangeError('the lab has no network');
    return network;
  }

  node(index: number): Node {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`the lab has ${this.nodes.length} nodes`);
    return node;
  }

  /** Starts a daemon in a node; it is stopped with the lab. */
  async start(kind: DaemonName, node: Node, spec: DaemonSpec): Promise<Daemon> {
    return this.adopt(
      await DAEMONS[kind]().start({ namespace: node.namespace, directory: node.directory, spec }),
    );
  }

  /** Takes over a daemon that was started otherwise. */
  adopt<T extends Daemon>(daemon: T): T {
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Starts any other program in a node; it is killed with the lab. Its output goes to `NAME.log` there. */
  run(name: string, node: Node, command: readonly string[]): ManagedProcess {
    const log = join(node.directory, `${name}.log`);
    const program = new ManagedProcess(name, node.namespace.wrap(command), log);
    this.#programs.push(program);
    return program;
  }

  /** Starts BIRD, or godwit under its name, with a file of this text; it is killed with the lab. */
  async bird(
    kind: BirdKind,
    node: Node,
    text: string,
    words: readonly string[] = ['-f'],
  ): Promise<BirdProcess> {
    const path = join(node.directory, 'bird.conf');
    await writeFile(path, text);
    return this.birdWith(kind, node, path, words);
  }

  /** The same with a file that is there. */
  birdWith(kind: BirdKind, node: Node, path: string, words: readonly string[] = ['-f']): BirdProcess {
    const bird = new BirdProcess(kind, node, words, path);
    this.#birds.push(bird);
    return bird;
  }

  /** Sees every change of a node's kernel routes from now on, until the lab goes. */
  async watch(node: Node): Promise<RouteMonitor> {
    const monitor = new RouteMonitor(node);
    this.#monitors.push(monitor);
    return monitor.listening();
  }

  /** How everything that runs here is, for people: what it says of itself, and the end of its log. */
  async describe(): Promise<string> {
    const states = await Promise.all([
      ...this.#daemons.map(async (daemon) => [
        await answerOf(() => daemon.askStatus()),
        await answerOf(() => daemon.peers()),
        ...daemon.processes.map(endOfLog),
      ]),
      ...this.#birds.map(async (bird) => [
        await answerOf(() => bird.ask('show protocols')),
        endOfLog(bird.process),
      ]),
      ...this.#programs.map((program) => [endOfLog(program)]),
    ]);
    return states.flat().join('\n');
  }

  /** Stops everything that runs and removes everything that was made. */
  async remove(): Promise<void> {
    const problems: unknown[] = [];
    const attempt = (work: () => Promise<unknown>): Promise<unknown> =>
      work().catch((error: unknown) => problems.push(error));
    for (const monitor of this.#monitors) monitor.stop();
    const killed = [...this.#birds.map(({ process }) => process), ...this.#programs];
    await Promise.all(killed.map((program) => attempt(() => program.stop('SIGKILL'))));
    await Promise.all(this.#daemons.map((daemon) => attempt(() => daemon.stop())));
    for (const namespace of this.#namespaces) await attempt(() => namespace.remove());
    await attempt(() => rm(this.#directory, { recursive: true, force: true }));
    if (problems.length > 0) throw new AggregateError(problems, 'the lab could not be removed completely');
  }
}

/** A node by its name, or with addresses of its own in the lab's networks. */
export type NodeSpec = string | { readonly name: string; readonly ipv4?: string; readonly ipv6?: string };

/** Makes a node for each spec, all on one network. `lab` is unique to the test: letters, at most 6 of them. */
export async function createLab(
  lab: string,
  specs: readonly NodeSpec[],
  options: LabOptions = {},
): Promise<Lab> {
  const family = `gw-${lab}-`;
  await removeAbandoned(family);
  const prefix = `${family}${process.pid}-`;
  const directory = await mkdtemp(join(tmpdir(), prefix));
  await chmod(directory, 0o755); // for daemons with a user of their own
  const namespaces: Namespace[] = [];
  const nodes: Node[] = [];
  const { ipv4Network = '10.99.0', ipv6Network = 'fd99:' } = options;
  try {
    const bridge = await createNamespace(`${prefix}net`);
    namespaces.push(bridge);
    for (const [i, spec] of specs.entries()) {
      const { name, ...own } = typeof spec === 'string' ? { name: spec } : spec;
      const namespace = await createNamespace(prefix + name);
      namespaces.push(namespace);
      const home = join(directory, name);
      await mkdir(home);
      const host = i + 1;
      const addresses = { ipv4: `${ipv4Network}.${host}`, ipv6: `${ipv6Network}:${host}`, ...own };
      nodes.push({ name, namespace, directory: home, ...addresses });
    }
    await connectAll(
      bridge,
      nodes.map(({ namespace, ipv4, ipv6 }) => ({
        namespace,
        device: LAB_DEVICE,
        addresses: [`${ipv4}/${NETWORK_BITS.ipv4}`, `${ipv6}/${NETWORK_BITS.ipv6}`],
      })),
    );
  } catch (error) {
    await new Lab(nodes, namespaces, directory).remove();
    throw error;
  }
  return new Lab(nodes, namespaces, directory);
}

/**
 * Makes labs that are removed after the test that has made them; called once a file. The error of a test that fails says
 * how its daemons were then, which nobody can see any more afterwards.
 */
export function labOfEachTest(): typeof createLab {
  const labs: Lab[] = [];
  afterEach(async ({ task }) => {
    for (const lab of labs.splice(0)) {
      await explainFailure(task, lab);
      await lab.remove();
    }
  });
  return async (...wanted) => {
    const lab = await createLab(...wanted);
    labs.push(lab);
    return lab;
  };
}

/** What of vitest's tasks matters here. */
export interface EndedTest {
  readonly result?:
    | { readonly state: string; readonly errors?: { message: string }[] | undefined }
    | undefined;
}

/** The error of a test that has failed says how the lab's daemons are. */
export async function explainFailure({ result }: EndedTest, lab: Lab | undefined): Promise<void> {
  const [error] = result?.state === 'fail' ? (result.errors ?? []) : [];
  if (error !== undefined && lab !== undefined) error.message += `\n\n${await lab.describe()}`;
}

/** What a daemon says, whatever it says. */
async function answerOf(ask: () => Promise<unknown>): Promise<string> {
  try {
    const answer = await ask();
    return typeof answer === 'string' ? answer : JSON.stringify(answer);
  } catch (error) {
    return errorText(error);
  }
}

/** `own/godwit.log`, and what stands there. */
function endOfLog(process: ManagedProcess): string {
  const { logPath, running } = process;
  const place = join(basename(dirname(logPath)), basename(logPath));
  return `${process.name} ${running ? 'runs' : 'has ended'}; the end of ${place}:\n${process.logTail(LOG_LINES)}`;
}

export type PeerOptions = Partial<Omit<PeerSpec, 'name' | 'address' | 'localAddress' | 'asn' | 'families'>>;

/** `from`'s view of `to` as a peer, over the transport of `family`; IPv6 routes travel over IPv6 and so on. */
export function peerTo(
  from: Node,
  to: Node,
  asn: number,
  family: LabFamily,
  options: PeerOptions = {},
): PeerSpec {
  return {
    name: `${to.name}_${family}`,
    address: to[family],
    localAddress: from[family],
    asn,
    families: [family],
    ...options,
  };
}

/** Waits until every session of these daemons is Established. */
export async function established(...daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) {
    await waitFor(
      `all sessions of ${daemon.name} up`,
      async () => {
        for (const process of daemon.processes) process.assertRunning();
        const peers = await daemon.peers();
        const down = peers.filter((peer) => !peer.established).map((peer) => peer.address);
        if (down.length > 0) throw new Error(`not Established: ${down.join(', ')}`);
        return peers.length > 0;
      },
      ESTABLISH_TIMEOUT_MS,
      250,
    );
  }
}

/** Waits until the daemon has a best route for exactly these prefixes and gives them, by prefix. */
export function hasRoutes(
  daemon: Daemon,
  family: LabFamily,
  prefixes: readonly string[],
): Promise<Map<string, RouteState>> {
  const wanted = [...prefixes].sort().join(' ');
  return waitFor(
    `${daemon.name} has the ${family} routes ${wanted}`,
    async () => {
      const best = (await daemon.routes(family)).filter((route) => route.best);
      const there = best.map(({ prefix }) => prefix).sort();
      if (there.join(' ') !== wanted) throw new Error(`it has ${there.join(' ')}`);
      return new Map(best.map((route) => [route.prefix, route]));
    },
    CONVERGE_TIMEOUT_MS,
    250,
  );
}

export interface KernelRoute {
  readonly dst: string;
  readonly type?: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly protocol?: string;
  readonly metric?: number;
  readonly via?: { readonly family: string; readonly host: string };
  readonly nexthops?: readonly { readonly gateway?: string; readonly dev?: string }[];
}

/** `ip -j route` of a node: table main, of one family. */
export async function kernelRoutes(node: Node, family: LabFamily): Promise<KernelRoute[]> {
  const flag = family === 'ipv4' ? '-4' : '-6';
  return (await node.namespace.ipJson(flag, 'route', 'show')) as unknown as KernelRoute[];
}

/** Waits until the kernel of a node has a route for `prefix`, and gives it; or until it has none. */
export async function waitForKernel(
  node: Node,
  family: LabFamily,
  prefix: string,
  wanted: 'present' | 'absent' = 'present',
): Promise<KernelRoute | undefined> {
  let route: KernelRoute | undefined;
  await waitFor(
    `kernel route ${prefix} ${wanted} in ${node.name}`,
    async () => {
      route = (await kernelRoutes(node, family)).find(({ dst }) => dst === prefix);
      return (route !== undefined) === (wanted === 'present');
    },
    CONVERGE_TIMEOUT_MS,
  );
  return route;
}

/** The gateways by which a direct neighbour may reach a node: its address, and for IPv6 its link-local one (RFC 2545 §3). */
export async function gatewaysOf(node: Node, family: LabFamily): Promise<string[]> {
  if (family === 'ipv4') return [node.ipv4];
  const [device] = await node.namespace.ipJson('-6', 'address', 'show', 'dev', LAB_DEVICE, 'scope', 'link');
  const addresses = (device?.['addr_info'] ?? []) as { local: string }[];
  return [node.ipv6, ...addresses.map(({ local }) => local)];
}
