// What a session takes along into another process, wherever in a message it is cut.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Connection, type ConnectionHandlers } from '../../../src/bgp/session/connection.ts';
import { MessageCounters } from '../../../src/bgp/session/counters.ts';
import { joinUnsent } from '../../../src/bgp/session/handover.ts';
import { MessageTape } from '../../../src/bgp/session/message-tape.ts';
import type { SocketHandlers, TransportSocket } from '../../../src/bgp/session/transport.ts';
import { Framer } from '../../../src/bgp/wire/framing.ts';
import {
  encodeKeepalive,
  HEADER_LENGTH,
  MAX_MESSAGE_LENGTH,
  writeHeader,
} from '../../../src/bgp/wire/header.ts';
import { MESSAGE_TYPE } from '../../../src/bgp/wire/iana.ts';
import { SimClock } from '../../../src/sim/clock.ts';
import { ip } from './harness.ts';

/** A socket whose kernel takes as much as it is told to. */
class FakeSocket implements TransportSocket {
  readonly local = { address: ip('192.0.2.1'), port: 179 };
  readonly remote = { address: ip('192.0.2.2'), port: 179 };
  readonly taken: number[] = [];
  handlers: SocketHandlers | undefined;
  paused = false;
  #room: number;
  #waiting: { octets: Uint8Array; done: () => void } | undefined;

  constructor(room: number) {
    this.#room = room;
  }

  attach(handlers: SocketHandlers): void {
    this.handlers = handlers;
  }

  configure(): void {}

  write(chunks: readonly Uint8Array[], done: () => void): void {
    const octets = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
    const count = Math.min(this.#room, octets.length);
    this.#room -= count;
    this.taken.push(...octets.subarray(0, count));
    if (count < octets.length) this.#waiting = { octets: octets.subarray(count), done };
    else done();
  }

  handOver() {
    return { descriptor: 7, unsent: this.#waiting?.octets.length ?? 0 };
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {}
  destroy(): void {}
}

/** More than a queue holds. */
const MUCH = (1 << 20) + 1;

interface Heard {
  readonly types: number[];
  readonly octets: number[];
}

function connect(clock: SimClock): { connection: Connection; heard: Heard } {
  const heard: Heard = { types: [], octets: [] };
  const handlers: ConnectionHandlers = {
    onConnect: () => {},
    onMessage: (buffer, start, end, type) => {
      heard.types.push(type);
      heard.octets.push(...buffer.subarray(start, end));
      return true;
    },
    onError: (error) => {
      throw error;
    },
    onDrain: () => {},
    onLost: () => {},
    onSendStalled: () => {},
  };
  const counters = new MessageCounters();
  return {
    connection: new Connection({
      clock,
      counters,
      handlers,
      initiator: 'remote',
      sendHoldMs: 0,
      tape: new MessageTape(clock),
    }),
    heard,
  };
}

function update(length: number, filler: number): Uint8Array {
  const message = new Uint8Array(length).fill(filler);
  writeHeader(message, 0, length, MESSAGE_TYPE.update);
  return message;
}

const someMessages = fc.array(
  fc
    .record({ length: fc.integer({ min: 23, max: 400 }), filler: fc.nat(255) })
    .map(({ length, filler }) => update(length, filler)),
  { minLength: 1, maxLength: 8 },
);

describe('a connection in another process', () => {
  it('sends the rest of what was queued, each octet once, and then what is new', () => {
    fc.assert(
      fc.property(someMessages, fc.nat(2000), (messages, room) => {
        const clock = new SimClock();
        const before = new FakeSocket(room);
        const old = connect(clock).connection;
        old.adopt(before);
        for (const message of messages) old.send([message]);
        const image = old.handOver()!;
        expect(image).toMatchObject({ descriptor: 7, initiator: 'remote' });
        const after = new FakeSocket(Number.POSITIVE_INFINITY);
        const { connection } = connect(clock);
        connection.takeOver(after, image);
        connection.send([encodeKeepalive()]);
        const all = [...messages, encodeKeepalive()].flatMap((message) => [...message]);
        expect([...before.taken, ...after.taken]).toEqual(all);
      }),
    );
  });

  it('completes the message that was being received, and reads nothing before it is told to', () => {
    fc.assert(
      fc.property(someMessages, fc.nat(), (messages, cut) => {
        const stream = Uint8Array.from(messages.flatMap((message) => [...message]));
        const at = cut % (stream.length + 1);
        const clock = new SimClock();
        const before = new FakeSocket(0);
        const old = connect(clock);
        old.connection.adopt(before);
        before.handlers!.onData(stream.subarray(0, at), at);
        const after = new FakeSocket(Number.POSITIVE_INFINITY);
        const next = connect(clock);
        next.connection.takeOver(after, old.connection.handOver()!);
        expect(after.paused).toBe(true);
        next.connection.resumeReading();
        expect(after.paused).toBe(false);
        after.handlers!.onData(stream.subarray(at), stream.length - at);
        expect([...old.heard.octets, ...next.heard.octets]).toEqual([...stream]);
        expect(old.heard.types.length + next.heard.types.length).toBe(messages.length);
      }),
    );
  });

  it('knows how long it has been silent', () => {
    const clock = new SimClock();
    const before = new FakeSocket(0);
    const old = connect(clock).connection;
    old.adopt(before);
    old.send([encodeKeepalive()]);
    clock.advance(700);
    const image = old.handOver()!;
    clock.advance(500);
    const { connection } = connect(clock);
    connection.takeOver(new FakeSocket(0), image);
    expect(clock.now() - connection.lastSentAt).toBe(1200);
  });

  it('is not handed over once it is closing', () => {
    const socket = new FakeSocket(0);
    const { connection } = connect(new SimClock());
    connection.adopt(socket);
    connection.close();
    expect(connection.handOver()).toBeUndefined();
  });

  it('is congested where much waits, and drains', () => {
    const clock = new SimClock();
    const image = {
      descriptor: 7,
      local: { address: ip('192.0.2.1'), port: 1 },
      remote: { address: ip('192.0.2.2'), port: 2 },
      initiator: 'local' as const,
      sentAt: clock.wallTime(),
      received: new Uint8Array(0),
      unsent: new Uint8Array(MUCH),
    };
    const socket = new FakeSocket(0);
    const { connection } = connect(clock);
    connection.takeOver(socket, image);
    expect([connection.congested, connection.queuedBytes]).toEqual([true, MUCH]);
  });
});

describe('joinUnsent', () => {
  it('gives the end of what is being written, and all of the queue', () => {
    const octets = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 });
    fc.assert(
      fc.property(octets, octets, fc.nat(), (writing, queue, seed) => {
        const flat = writing.flatMap((chunk) => [...chunk]);
        const unsent = seed % (flat.length + 1);
        const expected = [...flat.slice(flat.length - unsent), ...queue.flatMap((chunk) => [...chunk])];
        expect([...joinUnsent(writing, unsent, queue)]).toEqual(expected);
      }),
    );
  });
});

describe('a framer', () => {
  it('gives a copy of what it carries', () => {
    const framer = new Framer(MAX_MESSAGE_LENGTH);
    const message = update(100, 1);
    framer.push(message, HEADER_LENGTH + 3, () => true);
    expect([...framer.carried]).toEqual([...message.subarray(0, HEADER_LENGTH + 3)]);
    framer.carried.fill(0);
    expect(framer.carried[0]).toBe(0xff);
  });
});
