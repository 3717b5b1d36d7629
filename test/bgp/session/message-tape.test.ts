// What a peer's tape keeps without being asked, and while somebody records.

import { describe, expect, it } from 'vitest';
import type { MessageTape } from '../../../src/bgp/session/message-tape.ts';
import { encodeNotification, NotificationError } from '../../../src/bgp/wire/notification.ts';
import { formatAddress } from '../../../src/lib/ip.ts';
import { EMPTY_UPDATE, message, type OptionChanges, World } from './harness.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const TYPES = ['?', 'open', 'update', 'notification', 'keepalive', 'refresh'];

const list = (tape: MessageTape): string[] =>
  tape.messages.map(({ sent, octets }) => `${sent ? '>' : '<'} ${TYPES[octets[18]!]}`);

function up(changes: OptionChanges = {}) {
  const world = new World();
  const raw = world.raw(B);
  const { peer, events } = world.speaker(A).peer(B, { passive: true, timers: { hold: 90 }, ...changes });
  peer.start();
  world.clock.advance(10);
  const connection = raw.dial(A);
  world.clock.advance(10);
  connection.open();
  world.clock.advance(10);
  connection.keepalive();
  world.clock.advance(10);
  expect(peer.state).toBe('Established');
  return { world, peer, events, connection };
}

const HANDSHAKE = ['> open', '< open', '> keepalive', '< keepalive'];

describe('without being asked', () => {
  it('keeps what begins and ends a session, and no UPDATE', () => {
    const { world, peer, connection, events } = up();
    connection.send(EMPTY_UPDATE, EMPTY_UPDATE);
    world.clock.advance(70_000);
    connection.keepalive();
    events.session?.send([EMPTY_UPDATE]);
    connection.send(encodeNotification(6, 2));
    world.clock.advance(10);
    expect(list(peer.tape)).toEqual([...HANDSHAKE, '< notification']);
    const { connection: ends, at, seq } = peer.tape.messages[0]!;
    expect([seq, formatAddress(ends.local.address), formatAddress(ends.remote.address)]).toEqual([1, A, B]);
    expect([ends.initiator, ends.local.port]).toEqual(['remote', 179]);
    expect(world.clock.wallTime() - at).toBeGreaterThanOrEqual(70_030);
  });

  it('keeps the UPDATE that a session dies of, and the answer', () => {
    const { world, peer, connection, events } = up();
    events.onUpdateHook = () => {
      throw new NotificationError(3, 1);
    };
    connection.send(message('update', [0, 0, 0, 0, 8, 1]));
    world.clock.advance(10);
    expect(list(peer.tape)).toEqual([...HANDSHAKE, '< update', '> notification']);
    expect([...peer.tape.messages[4]!.octets.subarray(19)]).toEqual([0, 0, 0, 0, 8, 1]);
  });

  it('keeps the next connection apart', () => {
    const { world, peer } = up();
    peer.reset({ subcode: 4 });
    world.clock.advance(60_000);
    const ids = peer.tape.messages.map(({ connection }) => connection.id);
    expect(new Set(ids.slice(0, 5))).toEqual(new Set([ids[0]]));
  });
});

describe('while somebody records', () => {
  it('keeps everything, each message once and whole, and stops when told', () => {
    const { world, peer, connection, events } = up();
    peer.tape.record(true);
    // Two and a half messages in one read, the rest in another.
    const half = EMPTY_UPDATE.subarray(0, 10);
    const octets = Uint8Array.from([...EMPTY_UPDATE, ...message('keepalive'), ...half]);
    connection.send(octets);
    world.clock.advance(10);
    connection.send(EMPTY_UPDATE.slice(10));
    world.clock.advance(10);
    events.session?.send([Uint8Array.from([...EMPTY_UPDATE, ...EMPTY_UPDATE])]);
    expect(list(peer.tape).slice(4)).toEqual(['< update', '< keepalive', '< update', '> update', '> update']);
    expect(peer.tape.messages[6]!.octets).toEqual(EMPTY_UPDATE);
    peer.tape.record(false);
    connection.send(EMPTY_UPDATE);
    world.clock.advance(10);
    expect(peer.tape.messages).toHaveLength(9);
  });

  it('a follower hears every message until it goes', () => {
    const { world, peer, connection } = up();
    const heard: number[] = [];
    const stop = peer.tape.follow(({ octets }) => heard.push(octets[18]!));
    expect(peer.tape.full).toBe(true);
    connection.send(EMPTY_UPDATE);
    world.clock.advance(10);
    stop();
    connection.send(EMPTY_UPDATE);
    world.clock.advance(10);
    expect([heard, peer.tape.full]).toEqual([[2], false]);
  });

  it('forgets the oldest above 64 KiB, and never the newest', () => {
    const { world, peer, connection } = up({ capabilities: { extendedMessages: true } });
    peer.tape.record(true);
    for (let i = 0; i < 100; i++) {
      connection.send(
        message(
          'update',
          Array.from({ length: 4000 }, () => i),
        ),
      );
      world.clock.advance(10);
    }
    const kept = peer.tape.messages;
    const octets = kept.reduce((sum, each) => sum + each.octets.length, 0);
    expect(octets).toBeLessThanOrEqual(65_536);
    expect(octets).toBeGreaterThan(55_000);
    expect(kept.map((each) => each.octets[30])).toEqual(
      Array.from({ length: kept.length }, (_, i) => 100 - kept.length + i),
    );
  });
});
