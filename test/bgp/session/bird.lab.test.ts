// One peer of ours and a real BIRD 2 in a namespace: both directions of the dial, TCP-MD5, the shutdown texts of
// both sides.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenerSet } from '../../../src/bgp/session/listener.ts';
import { Peer } from '../../../src/bgp/session/peer.ts';
import { TcpTransport } from '../../../src/bgp/session/tcp-transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { NetNamespace } from '../../support/net-namespace.ts';
import { BGP_PORT, ip, type OptionChanges, peerOptions, Recorder } from './harness.ts';

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
  ask(...words: string[]): string;
}

async function startBird(namespace: NetNamespace, settings: string): Promise<Bird> {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-bird-'));
  const [config, socket] = [join(directory, 'bird.conf'), join(directory, 'bird.ctl')];
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
  ${settings}
}
`,
  );
  const args = ['netns', 'exec', namespace.name, 'bird', '-f', '-c', config, '-s', socket];
  const child: ChildProcess = spawn('ip', args, { stdio: 'ignore' });
  cleanups.push(async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
    rmSync(directory, { recursive: true });
  });
  await until(() => existsSync(socket), 'the control socket of BIRD');
  return { ask: (...words) => execFileSync('birdc', ['-s', socket, ...words], { encoding: 'utf8' }) };
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
  return { bird, peer, events };
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
});
