import { describe, expect, it } from 'vitest';
import type { Peer } from '../../../src/bgp/session/peer.ts';
import type { DynamicRange } from '../../../src/bgp/session/peer-directory.ts';
import { formatAddress, parsePrefix } from '../../../src/lib/ip.ts';
import { ip, peerOptions, type RawConnection, Recorder, type Speaker, World } from './harness.ts';

const A = '10.0.0.1';
const SECOND = 1000;

/** Admits passive peers from 10.1.0.0/16. */
function range(speaker: Speaker, limit: number) {
  const admitted: { peer: Peer; events: Recorder }[] = [];
  const made: DynamicRange = {
    name: 'clients',
    prefix: parsePrefix('10.1.0.0/16')!,
    limit,
    password: undefined,
    admit(remote) {
      const events = new Recorder();
      const options = peerOptions(formatAddress(remote.address), { passive: true });
      const peer = speaker.make(options, events, (retired) => speaker.listeners.remove(retired));
      admitted.push({ peer, events });
      peer.start();
      return peer;
    },
  };
  speaker.listeners.addRange(made);
  return { range: made, admitted };
}

function call(world: World, from: string): RawConnection {
  const connection = world.raw(from).dial(A);
  world.clock.advance(10);
  connection.open();
  connection.keepalive();
  world.clock.advance(10);
  return connection;
}

describe('one listener for many peers', () => {
  it('4486-4-3: an unknown caller gets Cease/5', () => {
    const world = new World();
    world.speaker(A).peer('10.0.0.2');
    const connection = call(world, '10.0.0.3');
    expect(connection.heard).toEqual(['NOTIFICATION 6/5 Cease/Connection Rejected', 'FIN']);
    expect(world.log.lines).toContain('info connection refused: no such peer is configured');
    world.clock.advance(10 * SECOND);
    expect(world.network.connections(ip(A), ip('10.0.0.3'))).toBe(0);
  });

  it('a refused caller that never closes is dropped', () => {
    const world = new World();
    world.speaker(A);
    const connection = world.raw('10.0.0.3').dial(A);
    connection.socket?.pause();
    world.clock.advance(10 * SECOND);
    expect(world.network.connections(ip(A), ip('10.0.0.3'))).toBe(0);
  });

  it('finds the peer by the address of the caller', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const peers = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address) => speaker.peer(address));
    for (const { peer } of peers) peer.start();
    world.clock.advance(10);
    call(world, '10.0.0.3');
    expect(peers.map(({ peer }) => peer.establishedCount)).toEqual([0, 1, 0]);
  });

  it('tells several peers of one address apart by port', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const make = (remotePort: number, passive: boolean) => {
      const { peer } = speaker.peer('10.0.0.2', { name: `p${remotePort}`, remotePort, passive });
      peer.start();
      return peer;
    };
    const first = make(1790, true);
    const second = make(1791, true);
    const raw = world.raw('10.0.0.2');
    world.clock.advance(10);
    const up = (connection: RawConnection) => {
      world.clock.advance(10);
      connection.open();
      connection.keepalive();
      world.clock.advance(10);
    };
    up(raw.dial(A, { sourcePort: 1791 }));
    expect([first.state, second.state]).toEqual(['Active', 'Established']);
    // Any other port: the one that still waits.
    up(raw.dial(A));
    expect([first.state, second.state]).toEqual(['Established', 'Established']);
  });

  it('a peer with a local address is called on that address only', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { peer } = speaker.peer('10.0.0.2', { localAddress: ip('10.0.0.9'), passive: true });
    peer.start();
    world.clock.advance(10);
    expect(call(world, '10.0.0.2').heard[0]).toContain('NOTIFICATION 6/5');
  });

  it('2385-2-1: a wrong or missing key is not answered, and a changed key needs no new listener', () => {
    const world = new World({ connectTimeoutMs: 10 * SECOND });
    const speaker = world.speaker(A);
    const secret = (text: string) => ({ reveal: () => text });
    const { peer } = speaker.peer('10.0.0.2', { passive: true, password: secret('one') });
    peer.start();
    world.clock.advance(10);
    const raw = world.raw('10.0.0.2');
    const tryKey = (text: string | undefined) => {
      const connection = raw.dial(A, { password: text === undefined ? undefined : secret(text) });
      world.clock.advance(SECOND);
      return connection.up;
    };
    expect([tryKey(undefined), tryKey('two'), tryKey('one')]).toEqual([false, false, true]);
    peer.replaceOptions({ ...peer.options, password: secret('two') });
    speaker.listeners.refresh(peer);
    expect([tryKey('one'), tryKey('two')]).toEqual([false, true]);
    speaker.listeners.remove(peer);
    expect([tryKey('two'), tryKey(undefined)]).toEqual([false, true]);
  });

  it('says what is wrong with a socket, and tries it again', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const elsewhere = { address: ip('10.0.0.77'), port: 179, interface: undefined };
    speaker.listeners.open(elsewhere);
    world.clock.advance(10);
    expect(speaker.listeners.problems).toEqual([
      'cannot listen on 10.0.0.77:179: EADDRNOTAVAIL address not available; no interface has this address yet',
    ]);
    world.clock.advance(60 * SECOND);
    expect(world.log.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
    speaker.listeners.close(elsewhere);
    expect(speaker.listeners.problems).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  it('a defect while a connection is taken costs that connection only', () => {
    const world = new World();
    const speaker = world.speaker(A);
    speaker.listeners.addRange({
      name: 'clients',
      prefix: { bytes: ip('10.1.0.0'), length: 16 },
      limit: 1,
      password: undefined,
      admit: () => {
        throw new Error('a defect');
      },
    });
    world.clock.advance(10);
    expect(call(world, '10.1.0.1').heard).toEqual([]);
    expect(world.log.lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('defect while taking a connection'),
    ]);
  });
});

describe('dynamic peers', () => {
  it('admits callers of the prefix up to the limit, and again when one has gone', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { range: clients, admitted } = range(speaker, 2);
    world.clock.advance(10);
    const first = call(world, '10.1.0.1');
    call(world, '10.1.0.2');
    expect(admitted.map(({ peer }) => peer.state)).toEqual(['Established', 'Established']);
    expect(call(world, '10.1.0.3').heard[0]).toBe('NOTIFICATION 6/5 Cease/Connection Rejected');
    first.socket?.destroy();
    world.clock.advance(10);
    expect(speaker.listeners.population(clients)).toBe(1);
    expect(admitted[0]?.events.news).toEqual(['up', 'down connection-lost']);
    call(world, '10.1.0.3');
    expect(admitted[2]?.peer.state).toBe('Established');
    expect(speaker.listeners.population(clients)).toBe(2);
  });

  it('goes away for good after one failed attempt, without a timer left', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { range: clients } = range(speaker, 2);
    world.clock.advance(10);
    const connection = world.raw('10.1.0.1').dial(A);
    world.clock.advance(10);
    connection.socket?.destroy();
    world.clock.advance(10 * SECOND);
    expect(speaker.listeners.population(clients)).toBe(0);
    expect(world.clock.pending).toBe(0);
  });

  it('a range that is replaced under the same name keeps its members', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { range: before, admitted } = range(speaker, 2);
    world.clock.advance(10);
    call(world, '10.1.0.1');
    const after = { ...before, limit: 1 };
    speaker.listeners.removeRange(before);
    speaker.listeners.addRange(after);
    speaker.listeners.refresh(admitted[0]!.peer);
    expect(speaker.listeners.population(after)).toBe(1);
    expect(call(world, '10.1.0.2').heard[0]).toContain('NOTIFICATION 6/5');
    expect(world.log.lines).toContain('info connection refused: clients has its 1 peers already');
  });

  it('a reset sends the peer away too', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { range: clients, admitted } = range(speaker, 2);
    world.clock.advance(10);
    const connection = call(world, '10.1.0.1');
    admitted[0]?.peer.reset();
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain('NOTIFICATION 6/4');
    expect(speaker.listeners.population(clients)).toBe(0);
  });

  it('a configured peer inside the prefix is not a dynamic one', () => {
    const world = new World();
    const speaker = world.speaker(A);
    const { admitted } = range(speaker, 2);
    const { peer } = speaker.peer('10.1.0.1', { passive: true });
    peer.start();
    world.clock.advance(10);
    call(world, '10.1.0.1');
    expect([peer.state, admitted.length]).toEqual(['Established', 0]);
  });
});
