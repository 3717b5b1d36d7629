// One peer of ours and a real BIRD 2 in a namespace: both directions of the dial, TCP-MD5 with keys that
// change under a session, the shutdown texts of both sides.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenerSet } from '../../../src/bgp/session/listener.ts';
import { loadNativeSockets } from '../../../src/bgp/session/native-socket.ts';
import { Peer } from '../../../src/bgp/session/peer.ts';
import type { DynamicRange } from '../../../src/bgp/session/peer-directory.ts';
import { TcpTransport } from '../../../src/bgp/session/tcp-transport.ts';
import { BGP_PORT } from '../../../src/bgp/wire/iana.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { parsePrefix } from '../../../src/lib/ip.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { withSocketsTo } from '../../support/borrowed-sockets.ts';
import { NetNamespace } from '../../support/net-namespace.ts';
import { ip, type OptionChanges, peerOptions, Recorder } from './harness.ts';

const OURS = '10.9.0.1';
const THEIRS = '10.9.0.2';
const POLL_MS = 50;
const PATIENCE_MS = 30_000;

function possible(): boolean {
  if (process.getuid?.() !== 0 || spawnSync('bird', ['--version']).error !== undefined) return false;
  return spawnSync('unshare', ['-n', 'true']).status === 0;
}

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

interface Bird {
  /** Of BIRD itself. */
  readonly pid: number;
  ask(...words: string[]): string;
  /** Takes over other settings. */
  reconfigure(settings: string): void;
}

async function startBird(namespace: NetNamespace, settings: string): Promise<Bird> {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-bird-'));
  const [config, socket] = [join(directory, 'bird.conf'), join(directory, 'bird.ctl')];
  const write = (wanted: string) =>
    writeFileSync(
      config,
      `router id ${THEIRS};
protocol device { }
protocol static { ipv4; route 198.51.100.0/24 blackhole; }
protocol bgp godwit {
  local ${THEIRS} as 64513;
  neighbor ${OURS} as 64512;
  multihop;
  strict bind on;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  ipv4 { import all; export all; };
  ${wanted}
}
`,
    );
  write(settings);
  const args = ['netns', 'exec', namespace.name, 'bird', '-f', '-c', config, '-s', socket];
  const child: ChildProcess = spawn('ip', args, { stdio: 'ignore' });
  cleanups.push(async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
    rmSync(directory, { recursive: true });
  });
  await until(() => existsSync(socket), 'the control socket of BIRD');
  const ask = (...words: string[]) => execFileSync('birdc', ['-s', socket, ...words], { encoding: 'utf8' });
  return {
    // `ip netns exec` becomes the program.
    pid: child.pid!,
    ask,
    reconfigure(wanted) {
      write(wanted);
      ask('configure');
    },
  };
}

async function lab(settings: string, changes: OptionChanges) {
  const namespace = new NetNamespace(`gws-${process.pid}`, [`${OURS}/32`, `${THEIRS}/32`]);
  cleanups.push(() => namespace.remove());
  const bird = await startBird(namespace, settings);
  const transport = namespace.transport(new TcpTransport());
  const events = new Recorder();
  const options = peerOptions(THEIRS, {
    localAddress: ip(OURS),
    localAs: 64512,
    remoteAs: 64513,
    routerId: 0x0a090001,
    ...changes,
    timers: { connectDelay: 1, connectRetry: 2, errorWait: { min: 1, max: 2, forget: 5 }, ...changes.timers },
  });
  const peer = new Peer(options, {
    clock: systemClock,
    random: Math.random,
    transport,
    log: silentLogger,
    events,
  });
  const listeners = new ListenerSet({ clock: systemClock, transport, log: silentLogger });
  listeners.add(peer);
  listeners.open({ address: ip(OURS), port: BGP_PORT, interface: undefined });
  cleanups.push(() => {
    peer.stop();
    listeners.closeAll();
  });
  peer.start();
  await until(() => peer.state === 'Established', `a session with BIRD: ${peer.lastDown?.sentence}`);
  await until(() => bird.ask('show', 'protocols', 'godwit').includes('Established'), 'BIRD sees it');
  return { bird, peer, events, options, listeners };
}

const password = { reveal: () => 'lab-secret' };

describe.skipIf(!possible())('with BIRD 2', () => {
  it.each([
    { name: 'we dial', settings: 'passive on;', changes: {} },
    { name: 'BIRD dials', settings: '', changes: { passive: true } },
    { name: 'both dial', settings: '', changes: { timers: { connectDelay: 0 } } },
    { name: 'we dial, MD5', settings: 'passive on; password "lab-secret";', changes: { password } },
    { name: 'BIRD dials, MD5', settings: 'password "lab-secret";', changes: { password, passive: true } },
    { name: 'GTSM', settings: 'ttl security on;', changes: { ttlSecurity: 1 } },
  ])('comes up and has its routes: $name', async ({ settings, changes }) => {
    const { bird, peer, events } = await lab(settings, changes);
    // The route and End-of-RIB.
    await until(() => events.updates.length >= 2, 'UPDATEs of BIRD');
    expect(peer.remoteOpen?.capabilities).toContainEqual({ kind: 'four-octet-as', as: 64513 });
    expect(peer.context?.as4).toBe(true);
    expect(bird.ask('show', 'protocols', 'all', 'godwit')).toContain('Neighbor ID:      10.9.0.1');
  });

  it('9003: both sides show the text of the other, and the session comes back', async () => {
    const { bird, peer, events } = await lab('passive on;', {});
    bird.ask('disable', 'godwit', '"rack move"');
    await until(() => events.downs.length > 0, 'the end of the session');
    expect(events.downs[0]?.sentence).toContain('received Cease/Administrative Shutdown: "rack move" (6/2)');
    bird.ask('enable', 'godwit');
    await until(() => peer.state === 'Established', 'the session again');
    peer.stop({ subcode: 2, text: 'night shift' });
    await until(() => bird.ask('show', 'protocols', 'all', 'godwit').includes('night shift'), 'our text');
  });

  it('4271-6.5-1: the hold timer of BIRD is kept alive for longer than it lasts', async () => {
    const { peer, events } = await lab('hold time 3; passive on;', {});
    expect(peer.holdTime).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 7000));
    expect(events.downs).toEqual([]);
    expect(peer.state).toBe('Established');
  });

  it('5492-5-1: BIRD is told what is required and missing, and comes back with it', async () => {
    const { bird, peer, options } = await lab('', {});
    const required = { capabilities: ['fqdn'], families: [], addPath: [], extendedNextHop: [] } as const;
    expect(peer.replaceOptions({ ...options, passive: true, required })).toBe('reset');
    const shown = () => bird.ask('show', 'protocols', 'all', 'godwit');
    await until(() => shown().includes('Required capability missing'), 'what BIRD says of it');
    bird.reconfigure('advertise hostname on;');
    await until(() => peer.state === 'Established', `the session again: ${peer.lastDown?.sentence}`);
  });

  // BIRD ends a session whose key is changed in its configuration. Routers do not, so its socket's key is changed for it.
  it.each([
    { name: 'dialled here', settings: 'hold time 3; passive on; password "lab-secret";', changes: {} },
    { name: 'accepted', settings: 'hold time 3; password "lab-secret";', changes: { passive: true } },
  ])('2385: a key changed on both sides keeps the session: $name', async ({ settings, changes }) => {
    const { bird, peer, events, options, listeners } = await lab(settings, { password, ...changes });
    expect(peer.replaceOptions({ ...options, password: otherPassword })).toBe('soft');
    listeners.refresh(peer);
    expect(rekeyBird(bird)).toBe(1);
    await longerThanHeld();
    expect(events.downs).toEqual([]);
    expect(peer.state).toBe('Established');
    // What BIRD sends under the new key arrives.
    const before = events.updates.length;
    bird.ask('disable', 'static1');
    await until(() => events.updates.length > before, 'the withdrawal');
  });

  it('2385: a key changed on one side ends the session with the hold time', async () => {
    const { peer, events, options } = await lab('hold time 3; passive on; password "lab-secret";', {
      password,
    });
    peer.replaceOptions({ ...options, password: otherPassword });
    await until(() => events.downs.length > 0, 'the end of the session');
    expect(events.downs[0]?.cause).toBe('hold-timer');
  });

  it('2385: the key of a range of dynamic peers, and its change', async () => {
    const { bird, peer, events, listeners } = await lab('hold time 3; passive on;', {});
    // The peer gives way to the range that its address is in.
    listeners.remove(peer);
    peer.stop();
    const made: { peer: Peer; events: Recorder }[] = [];
    const rangeOf = (key: typeof password): DynamicRange => ({
      name: 'range',
      prefix: parsePrefix('10.9.0.0/24')!,
      limit: 5,
      password: key,
      admit: (remote) => {
        const dynamic = new Recorder();
        const options = {
          ...peer.options,
          remoteAddress: { bytes: remote.address },
          password: key,
          passive: true,
        };
        const tools = { clock: systemClock, random: Math.random, log: silentLogger, events: dynamic };
        const admitted = new Peer(options, {
          ...tools,
          transport: new TcpTransport(),
          onRetired: (retired) => listeners.remove(retired),
        });
        made.push({ peer: admitted, events: dynamic });
        admitted.start();
        cleanups.push(() => admitted.stop());
        return admitted;
      },
    });
    const first = rangeOf(password);
    listeners.addRange(first);
    bird.reconfigure('hold time 3; password "not the right one";');
    await longerThanHeld();
    expect(made).toEqual([]);
    bird.reconfigure('hold time 3; password "lab-secret";');
    await until(() => made.at(-1)?.peer.state === 'Established', 'a session from the range');
    const member = made.at(-1)!;
    listeners.removeRange(first);
    listeners.addRange(rangeOf(otherPassword));
    expect(member.peer.replaceOptions({ ...member.peer.options, password: otherPassword })).toBe('soft');
    expect(rekeyBird(bird)).toBe(1);
    await longerThanHeld();
    expect(member.events.downs).toEqual([]);
    // The next connection needs the new key from its first segment on.
    bird.reconfigure('hold time 3; password "other-secret";');
    await until(() => made.length > 1 && made.at(-1)!.peer.state === 'Established', 'another session');
    expect(events.downs.length).toBeGreaterThan(0);
  });
});

const otherPassword = { reveal: () => 'other-secret' };

/** How many of BIRD's connections to us were given the other key. */
function rekeyBird(bird: Bird): number {
  const sockets = loadNativeSockets()!;
  const prefix = { bytes: ip(OURS), length: 32 };
  return withSocketsTo(bird.pid, OURS, (fd) => sockets.setPassword(fd, prefix, otherPassword));
}

/** A hold time is three seconds. */
async function longerThanHeld(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 4500));
}
