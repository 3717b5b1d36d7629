// Who may connect how often: what a flood of connections is answered, what it leaves to others, and what is said of it.

import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { GATE_LIMITS } from '../../../src/bgp/session/connection-gate.ts';
import { ListenerSet } from '../../../src/bgp/session/listener.ts';
import { Peer } from '../../../src/bgp/session/peer.ts';
import { TcpTransport } from '../../../src/bgp/session/tcp-transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { parsePrefix } from '../../../src/lib/ip.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { ip, peerOptions, Recorder, World } from './harness.ts';

const A = '10.0.0.1';
const KNOWN = '10.0.0.2';
const STRANGER = '10.0.0.9';
const SECOND = 1000;
const { source, answers, openWaitMs } = GATE_LIMITS;

function flood(world: World, from: string, count: number) {
  const host = world.raw(from);
  const connections = Array.from({ length: count }, () => host.dial(A));
  world.clock.advance(10);
  return connections;
}

describe('connections of one source', () => {
  it('are closed without a word above the rate, and taken again later', () => {
    const world = new World();
    const { listeners } = world.speaker(A);
    const connections = flood(world, STRANGER, 500);
    const told = connections.filter(({ heard }) => heard.some((line) => line.startsWith('NOTIFICATION 6/5')));
    expect(told).toHaveLength(Math.min(source.burst, answers.burst));
    expect(listeners.connections.refused).toMatchObject({ unknown: source.burst, rate: 500 - source.burst });
    world.clock.advance(SECOND);
    flood(world, STRANGER, 100);
    expect(listeners.connections.refused.unknown).toBe(source.burst + source.perSecond);
  });

  it('cost nobody else a connection', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { peer } = speaker.peer(KNOWN, { passive: true });
    peer.start();
    for (let i = 0; i < 20; i++) flood(world, STRANGER, 200);
    const connection = world.raw(KNOWN).dial(A);
    world.clock.advance(10);
    connection.open();
    connection.keepalive();
    world.clock.advance(10);
    expect(peer.state).toBe('Established');
    expect(speaker.listeners.connections.accepted).toBe(1);
  });

  it('that belongs to a peer are limited, too, and its session lives', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { peer } = speaker.peer(KNOWN, { passive: true });
    peer.start();
    const connection = world.raw(KNOWN).dial(A);
    world.clock.advance(10);
    connection.open();
    connection.keepalive();
    world.clock.advance(10);
    for (let i = 0; i < 5; i++) flood(world, KNOWN, 200);
    expect(peer.state).toBe('Established');
    expect(peer.downCount).toBe(0);
    const { accepted, refused } = speaker.listeners.connections;
    expect(accepted).toBe(source.burst);
    expect(refused.rate).toBe(1001 - source.burst);
  });

  it('are one source within a /64, unless a peer is configured there', () => {
    const world = new World();
    const speaker = world.speaker('2001:db8::1');
    for (let i = 0; i < 100; i++) world.raw(`2001:db8:1::${(i + 1).toString(16)}`).dial('2001:db8::1');
    world.clock.advance(10);
    expect(speaker.listeners.connections.refused).toMatchObject({
      unknown: source.burst,
      rate: 100 - source.burst,
    });
  });
});

describe('callers from a range', () => {
  function ranged(world: World) {
    const speaker = world.speaker(A);
    const retired: string[] = [];
    speaker.listeners.addRange({
      name: 'clients',
      prefix: parsePrefix('10.1.0.0/16')!,
      limit: 10_000,
      password: undefined,
      admit(remote) {
        const options = peerOptions(remote.address.join('.'), { passive: true });
        const peer = speaker.make(options, new Recorder(), (gone) => {
          retired.push(gone.name);
          speaker.listeners.remove(gone);
        });
        peer.start();
        return peer;
      },
    });
    return { speaker, retired };
  }

  it('that send no OPEN go after a while', () => {
    const world = new World();
    const { speaker, retired } = ranged(world);
    const [silent] = flood(world, '10.1.0.1', 1);
    const speaking = world.raw('10.1.0.2').dial(A);
    world.clock.advance(10);
    speaking.open();
    speaking.keepalive();
    expect(speaker.listeners.connections.halfOpen).toBe(2);
    world.clock.advance(openWaitMs - SECOND);
    expect(retired).toEqual([]);
    world.clock.advance(2 * SECOND);
    expect(retired).toEqual(['10.1.0.1']);
    expect(silent?.heard.at(-2)).toContain('NOTIFICATION 6/5');
    expect(speaker.listeners.connections).toMatchObject({ halfOpen: 0, refused: { 'no-open': 1 } });
  });

  it('are limited in number until they have sent one, and peers with a configuration come through', () => {
    const world = new World();
    const { speaker } = ranged(world);
    const { peer } = speaker.peer(KNOWN, { passive: true });
    peer.start();
    for (let i = 0; i < 400; i++) world.raw(`10.1.${i >> 8}.${i & 255}`).dial(A);
    world.clock.advance(10);
    const { halfOpen, refused } = speaker.listeners.connections;
    expect(halfOpen).toBe(GATE_LIMITS.halfOpen);
    expect(refused['half-open']).toBe(400 - GATE_LIMITS.halfOpen);
    flood(world, KNOWN, 1);
    expect(peer.state).toBe('OpenSent');
  });

  it('make room for others as soon as they have sent it', () => {
    const world = new World();
    const { speaker } = ranged(world);
    const count = 2 * GATE_LIMITS.halfOpen;
    for (let i = 0; i < count; i++) {
      const caller = world.raw(`10.1.${i >> 8}.${i & 255}`).dial(A);
      world.clock.advance(10);
      caller.open();
      world.clock.advance(10);
    }
    expect(world.clock.now()).toBeLessThan(openWaitMs);
    expect(speaker.listeners.connections).toMatchObject({
      accepted: count,
      halfOpen: 0,
      refused: { 'half-open': 0 },
    });
  });
});

describe('the log', () => {
  it('names the first of each caller, then sums up once a minute', () => {
    const world = new World();
    world.speaker(A);
    const lines = () => world.log.lines.filter((line) => line.includes('refused'));
    for (let i = 0; i < 10; i++) flood(world, STRANGER, 100);
    for (let i = 20; i < 60; i++) flood(world, `10.0.0.${i}`, 1);
    expect(lines()).toHaveLength(8);
    expect(lines().slice(0, 2)).toEqual([
      'info connection refused: no such peer is configured',
      'info connection refused: it connects too often',
    ]);
    world.clock.advance(60 * SECOND);
    expect(lines().slice(8)).toEqual([
      `warn ${1040 - 8} more connections refused within 60 s, most of them from ${STRANGER}`,
    ]);
    world.clock.advance(600 * SECOND);
    expect(lines()).toHaveLength(9);
  });
});

describe('thousands of real connections', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup();
  });

  it('from one address leave a peer its session', async () => {
    const transport = new TcpTransport();
    const listeners = new ListenerSet({ clock: systemClock, transport, log: silentLogger });
    cleanups.push(() => listeners.closeAll());
    listeners.open({ address: ip('127.0.0.1'), port: 0, interface: undefined });
    await until(() => (listeners.ports[0] ?? 0) > 0);
    const port = listeners.ports[0]!;
    const tools = { clock: systemClock, random: () => 0, transport, log: silentLogger };
    const make = (remote: string, local: string, passive: boolean) => {
      const options = peerOptions(remote, {
        remotePort: port,
        localAddress: ip(local),
        routerId: passive ? 1 : 2,
        passive,
      });
      const peer = new Peer(options, { ...tools, events: new Recorder() });
      cleanups.push(() => peer.stop());
      return peer;
    };
    const callee = make('127.0.0.2', '127.0.0.1', true);
    listeners.add(callee);
    callee.start();
    const total = 2000;
    let closed = 0;
    for (let i = 0; i < total; i++) {
      const socket = net.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.9' });
      socket.on('error', () => {});
      socket.on('close', () => closed++);
      socket.resume();
    }
    const caller = make('127.0.0.1', '127.0.0.2', false);
    caller.start();
    await until(() => caller.state === 'Established' && callee.state === 'Established');
    await until(() => closed === total);
    const { refused, accepted } = listeners.connections;
    expect(accepted).toBe(1);
    expect(refused.unknown + refused.rate).toBe(total);
    expect(refused.rate).toBeGreaterThan(0);
    expect([caller.downCount, callee.downCount]).toEqual([0, 0]);
    // Where the kernel says what it holds: little of a session that is silent.
    expect(callee.session?.socketBytes ?? 0).toBeLessThan(64 * 1024);
  });
});

/** Waits for what the other side of the loop brings about. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
