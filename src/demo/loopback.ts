// The demonstration without privilege: the same six speakers in this process, on loopback addresses and a high port.
// Sessions are real TCP; each speaker has a kernel in memory with one interface on a segment they all share.

import { createWriteStream, readFileSync, type WriteStream, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { TcpTransport } from '../bgp/session/tcp-transport.ts';
import { createLog } from '../cli/logger.ts';
import { formatIssues } from '../config/issues.ts';
import { loadConfig } from '../config/load.ts';
import { startControlServer } from '../control/grpc/server.ts';
import { startHttpServer } from '../control/http/server.ts';
import { MemKernel } from '../fib/mem-kernel.ts';
import { systemClock } from '../lib/clock.ts';
import { type IpBytes, type Prefix, parseAddress, parsePrefix } from '../lib/ip.ts';
import { packageVersion } from '../lib/package-info.ts';
import { Scheduler } from '../lib/scheduler.ts';
import type { OwnAddresses } from '../speaker/own-addresses.ts';
import { Speaker } from '../speaker/speaker.ts';
import { createApi } from '../speaker/speaker-api.ts';
import { configText, HTTP_PORT } from './config-file.ts';
import type { Instance } from './instance.ts';
import { routeLines } from './kernel-table.ts';
import { DemoError, type Lab, type LabNode, labNodes } from './lab.ts';
import { AGENT_PROTOCOL, type DemoNode, makePlan, SEGMENT_BITS, SEGMENT_BITS6 } from './plan.ts';

const PORT = 11790;
/** Third octet of the first demonstration's addresses. */
const FIRST_NETWORK = 10;
const INTERFACE = { ifindex: 2, name: 'eth0', up: true, loopback: false, mtu: 1500 } as const;
const MAIN_TABLE = 254;
const IPV6_METRIC = 1024;

interface Stoppable {
  stop(): Promise<void>;
}

export function loopbackLab(instance: Instance): Lab {
  const plan = makePlan({
    network: `127.0.${FIRST_NETWORK + instance.number - 1}`,
    network6: 'fd99',
    port: PORT,
    shared: true,
  });
  const { directory } = instance;
  const nodes = labNodes(plan, directory);
  const kernels = new Map<string, MemKernel>();
  const running: Stoppable[] = [];
  const logs: WriteStream[] = [];
  return {
    plan,
    directory,
    nodes,
    namespaceOf: undefined,
    async start() {
      await checkPorts(nodes);
      for (const node of nodes) {
        writeFileSync(node.configFile, configText(plan, node, node));
        const kernel = kernelOf(node);
        kernels.set(node.name, kernel);
        const log = createWriteStream(node.logFile, { flags: 'a' });
        logs.push(log);
        await startSpeaker(node, kernel, log, running);
      }
    },
    async routes(node) {
      return routeLines(kernels.get(node.name)?.routes() ?? [], () => INTERFACE.name);
    },
    ended: () => undefined,
    async stop() {
      // All at a time: each speaker takes a moment to say farewell.
      await Promise.all(running.splice(0).map((part) => part.stop()));
      await Promise.all(logs.map((log) => new Promise<void>((resolve) => log.end(() => resolve()))));
    },
  };
}

/** A listener that cannot be opened would be tried again for ever; here it means that the place is taken. */
async function checkPorts(nodes: readonly LabNode[]): Promise<void> {
  for (const { address } of nodes) {
    for (const port of [PORT, HTTP_PORT]) {
      await new Promise<void>((resolve, reject) => {
        const server = createServer();
        server.once('error', (error) => reject(portError(address, port, error)));
        server.listen({ host: address, port }, () => server.close(() => resolve()));
      });
    }
  }
}

function portError(address: string, port: number, error: Error): DemoError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'somebody else listens there: stop that',
    EADDRNOTAVAIL: 'this system has only 127.0.0.1 on its loopback interface; Linux has all of 127.0.0.0/8',
  };
  const code = 'code' in error ? String(error.code) : '';
  return new DemoError(`cannot listen on ${address} port ${port}: ${reasons[code] ?? error.message}`);
}

async function startSpeaker(
  node: LabNode,
  kernel: MemKernel,
  destination: WriteStream,
  running: Stoppable[],
): Promise<void> {
  const load = () =>
    loadConfig(node.configFile, {}, (path) => readFileSync(path, 'utf8'), {
      hostname: node.name,
      addresses: [node.address],
    });
  const result = load();
  if (!result.ok) throw new Error(formatIssues(result.issues, { color: false }));
  const { config } = result;
  const { logger } = await createLog({ ...config.log, tty: false, color: false, destination });
  const speaker = new Speaker(config, {
    clock: systemClock,
    scheduler: new Scheduler(systemClock),
    random: Math.random,
    defer: (fn) => void setImmediate(fn),
    transport: new TcpTransport(),
    openKernel: async (wanted) => (wanted.kernel.install ? kernel : undefined),
    addresses: addressesOf(node),
    log: logger,
    version: packageVersion(),
  });
  running.push(speaker);
  await speaker.start();
  const api = createApi({ speaker, configFile: node.configFile, loadConfig: load });
  const { socket, mode } = config.control;
  if (socket !== undefined) running.push(await startControlServer({ api, socket, mode, logger }));
  if (config.http !== undefined) {
    running.push(
      await startHttpServer({
        ...config.http,
        api,
        logger,
        wallTime: systemClock.wallTime,
        processMetrics: false,
      }),
    );
  }
}

/** One interface with the speaker's addresses, its own host addresses left to the table `local`, and its blocks. */
function kernelOf(node: DemoNode): MemKernel {
  const kernel = new MemKernel();
  const { ifindex } = INTERFACE;
  kernel.setLink(INTERFACE);
  kernel.addAddress({ ifindex, address: bytesOf(node.address), prefixLength: SEGMENT_BITS });
  kernel.addAddress({ ifindex, address: bytesOf(node.address6), prefixLength: SEGMENT_BITS6 });
  for (const block of node.blocks) {
    const prefix = prefixOf(block);
    kernel.addRoute({
      prefix,
      table: MAIN_TABLE,
      metric: prefix.bytes.length === 16 ? IPV6_METRIC : 0,
      protocol: AGENT_PROTOCOL,
      type: 'blackhole',
      nextHops: [],
    });
  }
  return kernel;
}

/** What the machine's own interfaces would say if they were those of the simulated kernel. */
function addressesOf(node: DemoNode): OwnAddresses {
  const addresses = [node.address, node.address6].map((text) => ({
    interface: INTERFACE.name,
    bytes: bytesOf(text),
  }));
  return () => addresses;
}

function bytesOf(text: string): IpBytes {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new RangeError(`${text} is no address`);
  return parsed.bytes;
}

function prefixOf(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(`${text} is no prefix`);
  return parsed;
}
