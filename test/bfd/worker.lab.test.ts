// The thread with its sockets, on the real kernel: two of them, each in a namespace, with this process's main thread in
// neither. From built files, as Node 20 runs no TypeScript in a worker.

import { createSocket, type Socket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../bench/lab/command.ts';
import { projectRoot } from '../../bench/project.ts';
import { encodePacket } from '../../src/bfd/packet.ts';
import type { SessionReport } from '../../src/bfd/service.ts';
import type { SessionOptions } from '../../src/bfd/session.ts';
import type { SessionPath } from '../../src/bfd/transport.ts';
import type { WorkerBfdService } from '../../src/bfd/worker-service.ts';
import { ip, MS, sessionOptions } from '../support/bfd-network.ts';
import { labsDemanded } from '../support/lab/requirement.ts';
import { NetNamespace } from '../support/net-namespace.ts';
import { whyNoNamespace } from '../support/netns.ts';

const BUILT = join(projectRoot(), 'dist/src/bfd/worker-service.js');
const missing = whyNoNamespace() ?? (existsSync(BUILT) ? undefined : 'npm run build comes first');
if (missing !== undefined && labsDemanded()) throw new Error(`labs are demanded: ${missing}`);

const PATIENCE_MS = 20_000;
const POLL_MS = 20;
const FAST: Partial<SessionOptions> = { desiredMinTx: 50 * MS, requiredMinRx: 50 * MS };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

class Host {
  readonly namespace: NetNamespace;
  readonly service: WorkerBfdService;
  readonly reports: SessionReport[] = [];
  readonly failures: string[] = [];
  /** Wall-clock milliseconds. */
  downAt = 0;

  constructor(namespace: NetNamespace, Service: typeof WorkerBfdService) {
    this.namespace = namespace;
    const events = {
      onReport: (report: SessionReport, at: number) => {
        this.reports.push(report);
        if (report.state === 'Down') this.downAt = at;
      },
      onFailure: (message: string) => void this.failures.push(message),
    };
    // A thread stays in the namespace that it was made in.
    this.service = namespace.inside(() => Service.open(events));
    cleanups.push(() => this.service.close());
  }

  watch(id: number, remote: string, options: Partial<SessionOptions> = {}, path: Partial<SessionPath> = {}) {
    const whole = { local: undefined, interface: undefined, multihop: false, ...path, remote: ip(remote) };
    this.service.add(id, { ...sessionOptions({ ...FAST, ...options }), path: whole });
  }

  last(id = 1): SessionReport | undefined {
    return this.reports.filter((report) => report.id === id).at(-1);
  }

  isUp(id = 1): boolean {
    return this.last(id)?.state === 'Up' && this.last(id)?.remoteState === 'Up';
  }
}

/** Namespaces a and b with a link between them: 10.0.0.1 and .2, fd00::1 and ::2. */
async function link(): Promise<[NetNamespace, NetNamespace]> {
  const [a, b] = ['a', 'b'].map((name) => new NetNamespace(`gwbfd-${process.pid}-${name}`, []));
  cleanups.push(
    () => a!.remove(),
    () => b!.remove(),
  );
  await run([
    'ip',
    '-n',
    a!.name,
    'link',
    'add',
    'eth0',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    b!.name,
  ]);
  for (const [i, namespace] of [a!, b!].entries()) {
    namespace.run('ip', 'address', 'add', `10.0.0.${i + 1}/24`, 'dev', 'eth0');
    namespace.run('ip', '-6', 'address', 'add', `fd00::${i + 1}/64`, 'dev', 'eth0', 'nodad');
    namespace.run('ip', 'link', 'set', 'eth0', 'up');
  }
  return [a!, b!];
}

async function hosts(): Promise<[Host, Host]> {
  const module: { WorkerBfdService: typeof WorkerBfdService } = await import(BUILT);
  const [a, b] = await link();
  return [new Host(a, module.WorkerBfdService), new Host(b, module.WorkerBfdService)];
}

/** A socket of this process in a namespace, bound at once. */
function socketIn(namespace: NetNamespace, address: string, port: number): Promise<Socket> {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const lookup = (
    name: string,
    _options: unknown,
    done: (error: null, address: string, family: number) => void,
  ) => done(null, name, type === 'udp6' ? 6 : 4);
  const socket = createSocket({ type, lookup });
  let open = true;
  socket.once('close', () => {
    open = false;
  });
  cleanups.push(() => open && socket.close());
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    namespace.inside(() => socket.bind(port, address, () => resolve(socket)));
  });
}

/** Blocks this thread: no timer, no message, no promise. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe.skipIf(missing !== undefined)(
  `the BFD thread${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('keeps sessions at 50 ms x 3 while the main thread is blocked for two seconds', async () => {
      const [a, b] = await hosts();
      a.watch(1, '10.0.0.2');
      b.watch(1, '10.0.0.1');
      a.watch(2, 'fd00::2', {}, { interface: 'eth0' });
      b.watch(2, 'fd00::1');
      await until(() => [a, b].every((host) => host.isUp(1) && host.isUp(2)), 'four ends are Up');
      await until(() => a.last(1)?.detectionTime === 150 * MS, 'the fast intervals count');
      const before = [a.reports.length, b.reports.length];
      block(2000);
      // What was told meanwhile arrives now.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const since = [...a.reports.slice(before[0]), ...b.reports.slice(before[1])];
      expect(since.filter(({ state }) => state !== 'Up')).toEqual([]);
      expect([a.failures, b.failures]).toEqual([[], []]);
    });

    it('watches a link-local address, which needs its interface', async () => {
      const [a, b] = await hosts();
      const own = ({ namespace }: Host) => {
        const text = namespace.run('ip', '-6', '-o', 'address', 'show', 'dev', 'eth0', 'scope', 'link');
        return /inet6 (\S+)\//.exec(text)![1]!;
      };
      a.watch(1, own(b), {}, { interface: 'eth0', local: ip(own(a)) });
      b.watch(1, own(a), {}, { interface: 'eth0' });
      await until(() => a.isUp() && b.isUp(), 'both ends are Up');
      expect(a.last()).toMatchObject({ interface: 'eth0', problem: undefined });
    });

    it('tells of a dead path although the main thread was blocked when it died', async () => {
      const [a, b] = await hosts();
      a.watch(1, '10.0.0.2');
      b.watch(1, '10.0.0.1');
      await until(() => a.isUp() && b.isUp(), 'both ends are Up');
      b.namespace.run('ip', 'address', 'flush', 'dev', 'eth0');
      block(1000);
      const unblocked = Date.now();
      await until(() => a.last()?.state === 'Down', 'a sees it');
      // It says when that was, not when it was heard.
      expect(a.downAt).toBeLessThan(unblocked);
      expect(
        a.reports.find(({ state, localDiagnostic }) => state === 'Down' && localDiagnostic === 1),
      ).toBeDefined();
      b.namespace.run('ip', 'address', 'add', '10.0.0.2/24', 'dev', 'eth0');
      await until(() => a.isUp() && b.isUp(), 'both ends are Up again');
    });

    it('5881-5-1: takes single-hop packets with TTL 255 only', async () => {
      const [a, b] = await hosts();
      a.watch(1, '10.0.0.2');
      a.watch(2, 'fd00::2');
      await until(() => a.last(2) !== undefined, 'the sessions are there');
      for (const [id, from] of [
        [1, '10.0.0.2'],
        [2, 'fd00::2'],
      ] as const) {
        const socket = await socketIn(b.namespace, from, 50_000);
        const bytes = new Uint8Array(24);
        encodePacket(
          {
            diagnostic: 0,
            state: 'Down',
            poll: false,
            final: false,
            controlPlaneIndependent: false,
            authenticated: false,
            demand: false,
            detectMultiplier: 3,
            length: 24,
            myDiscriminator: 4711,
            yourDiscriminator: a.last(id)!.localDiscriminator,
            desiredMinTx: 1000 * MS,
            requiredMinRx: 1000 * MS,
            requiredMinEchoRx: 0,
          },
          new DataView(bytes.buffer),
          0,
        );
        const to = from.includes(':') ? 'fd00::1' : '10.0.0.1';
        const send = (ttl: number) =>
          new Promise<void>((resolve) => {
            socket.setTTL(ttl);
            socket.send(bytes, 3784, to, () => resolve());
          });
        for (const ttl of [1, 64, 254]) await send(ttl);
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(a.last(id)).toMatchObject({ state: 'Down', remoteDiscriminator: 0 });
        await send(255);
        await until(() => a.last(id)?.state === 'Init', 'the packet with TTL 255 counts');
        expect(a.last(id)).toMatchObject({ remoteDiscriminator: 4711, interface: 'eth0' });
      }
    });

    it('5881-4-1, 5883-5-1: sends to 3784 or 4784, each session from a port of its own', async () => {
      const [a, b] = await hosts();
      const ports = new Map<number, Set<number>>();
      for (const port of [3784, 4784]) {
        const socket = await socketIn(b.namespace, '0.0.0.0', port);
        socket.on('message', (bytes, { port: source }) => {
          const session = bytes.readUInt32BE(4);
          ports.set(session, (ports.get(session) ?? new Set()).add(source));
          expect(bytes.readUInt8(1) >> 6).toBe(1);
        });
      }
      b.namespace.run('ip', 'address', 'add', '10.0.0.3/24', 'dev', 'eth0');
      a.watch(1, '10.0.0.2');
      a.watch(2, '10.0.0.3', {}, { interface: 'eth0', local: ip('10.0.0.1') });
      a.watch(3, '10.0.0.2', {}, { multihop: true, local: ip('10.0.0.1') });
      await new Promise((resolve) => setTimeout(resolve, 3500));
      expect([...ports.keys()].sort()).toEqual([1, 2, 3].map((id) => a.last(id)!.localDiscriminator).sort());
      const each = [...ports.values()].map((set) => [...set]);
      expect(each.map((list) => list.length)).toEqual([1, 1, 1]);
      expect(new Set(each.flat()).size).toBe(3);
      for (const port of each.flat()) expect(port).toBeGreaterThanOrEqual(49_152);
    });

    it('says what is wrong, and goes on when it is not any more', async () => {
      const [a, b] = await hosts();
      const taken = await socketIn(a.namespace, '0.0.0.0', 3784);
      b.watch(1, '10.0.0.1');
      a.watch(1, '10.0.0.2');
      a.watch(2, 'fd00::2', {}, { interface: 'eth9' });
      a.watch(3, 'fd00::3', {}, { local: ip('fd00::99') });
      await until(() => a.last(3)?.problem !== undefined, 'problems are told');
      expect(a.last(1)?.problem).toBe('UDP port 3784 is taken: another BFD daemon runs here');
      expect(a.last(2)?.problem).toBe('there is no interface eth9');
      expect(a.last(3)?.problem).toContain('this machine does not have the local address');
      await new Promise<void>((resolve) => {
        taken.close(() => resolve());
        cleanups.splice(cleanups.length - 1);
      });
      await until(() => a.isUp() && b.isUp(), 'both ends are Up');
      expect(a.last(1)?.problem).toBeUndefined();
    });

    it('5880-6.8.16-1: tells the other side when it ends, and ends', async () => {
      const [a, b] = await hosts();
      a.watch(1, '10.0.0.2');
      b.watch(1, '10.0.0.1');
      await until(() => a.isUp() && b.isUp(), 'both ends are Up');
      await a.service.close();
      await until(() => b.last()?.state === 'Down', 'b is told');
      const down = b.reports.find(({ state, localDiagnostic }) => state === 'Down' && localDiagnostic !== 0);
      expect(down).toMatchObject({ localDiagnostic: 3, remoteState: 'AdminDown' });
      expect(a.failures).toEqual([]);
    });

    it('survives an interface that is replaced by another of the same name', async () => {
      const [a, b] = await hosts();
      a.watch(1, '10.0.0.2', {}, { interface: 'eth0' });
      b.watch(1, '10.0.0.1', {}, { interface: 'eth0' });
      await until(() => a.isUp() && b.isUp(), 'both ends are Up');
      a.namespace.run('ip', 'link', 'delete', 'eth0');
      await until(() => a.last()?.state === 'Down', 'a sees it');
      await run([
        'ip',
        '-n',
        a.namespace.name,
        'link',
        'add',
        'eth0',
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        b.namespace.name,
      ]);
      for (const [i, { namespace }] of [a, b].entries()) {
        namespace.run('ip', 'address', 'add', `10.0.0.${i + 1}/24`, 'dev', 'eth0');
        namespace.run('ip', 'link', 'set', 'eth0', 'up');
      }
      await until(() => a.isUp() && b.isUp(), 'both ends are Up again');
    });
  },
);
