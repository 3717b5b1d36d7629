// A session of the load: one that stops reading lets pile up what the daemon sends; messages stay whole.

import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { LoadSession, type LoadSessionOptions, sharedReadBuffer } from '../../bench/load/session.ts';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ManualClock } from './manual-clock.ts';

const MARKER = Buffer.alloc(16, 0xff);
const message = (type: number, body: readonly number[]): Buffer =>
  Buffer.concat([MARKER, Buffer.from([0, 19 + body.length, type, ...body])]);
const OPEN = message(1, [4, 0xfd, 0xe8, 0, 90, 10, 0, 0, 1, 0]);
const KEEPALIVE = message(4, []);
const END_OF_RIB = message(2, [0, 0, 0, 0]);
/** More than the sockets' buffers of a connection on one machine hold. */
const FLOOD = Buffer.concat(new Array<Buffer>(1_500_000).fill(END_OF_RIB));

const LOCAL: Omit<LoadSessionOptions, 'port'> = {
  address: '127.0.0.1',
  localAddress: '127.0.0.1',
  asn: 65101,
  id: 1,
  holdTime: 90,
  families: [IPV4_UNICAST],
};

/** How many UPDATEs a session has taken when a flood is either through or stuck. */
async function flooded(stall: boolean): Promise<{ updates: number; stuck: boolean }> {
  let updates = 0;
  let daemon: Socket | undefined;
  const server = createServer((socket) => {
    daemon = socket;
    socket.write(Buffer.concat([OPEN, KEEPALIVE]));
    socket.on('data', () => {});
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const options: LoadSessionOptions = { ...LOCAL, port: address.port, stall };
  const session = await new Promise<LoadSession>((resolve) => {
    const made: LoadSession = new LoadSession(
      options,
      {
        onEstablished: () => resolve(made),
        onUpdate: () => {
          updates++;
        },
        onReadDone: () => {},
        onDown: () => {},
      },
      systemClock,
      sharedReadBuffer(),
    );
    made.start();
  });
  let through = false;
  daemon!.write(FLOOD, () => {
    through = true;
  });
  // Stuck = the kernel takes nothing more over many turns in a row.
  for (let calm = 0, last = -1; !through && calm < 50; ) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const written = daemon!.writableLength + updates;
    calm = written === last ? calm + 1 : 0;
    last = written;
  }
  session.close();
  daemon!.destroy();
  await new Promise((resolve) => server.close(resolve));
  return { updates, stuck: !through };
}

test('a session takes everything', async () => {
  const { updates, stuck } = await flooded(false);
  expect(stuck).toBe(false);
  expect(updates).toBeGreaterThan(0);
});

test('a stalled one is Established and takes nothing', async () => {
  expect(await flooded(true)).toEqual({ updates: 0, stuck: true });
});

/** A session with a daemon that only opens it. */
async function idle(
  clock: ManualClock,
  more: Partial<LoadSessionOptions> = {},
): Promise<{ session: LoadSession; daemon: Socket; received: Buffer[]; end(): Promise<void> }> {
  const received: Buffer[] = [];
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => {
    server.on('connection', (socket) => {
      socket.write(Buffer.concat([OPEN, KEEPALIVE]));
      socket.on('data', (chunk) => received.push(chunk));
      socket.on('error', () => {});
      resolve(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const session = await new Promise<LoadSession>((resolve) => {
    const made: LoadSession = new LoadSession(
      { ...LOCAL, ...more, port: address.port },
      { onEstablished: () => resolve(made), onUpdate: () => {}, onReadDone: () => {}, onDown: () => {} },
      clock,
      sharedReadBuffer(),
    );
    made.start();
  });
  const daemon = await accepted;
  const end = async (): Promise<void> => {
    session.close();
    await new Promise((resolve) => daemon.once('close', resolve));
    await new Promise((resolve) => server.close(resolve));
  };
  return { session, daemon, received, end };
}

test.each([
  ['has expired', false],
  ['that reads nothing has not', true],
])('after more than its hold time in silence a session %s', async (_, stall) => {
  const clock = new ManualClock();
  const { session, end } = await idle(clock, { stall });
  clock.advance(90_000);
  expect(session.expired).toBe(false);
  clock.advance(1);
  expect(session.longestSilence).toBe(90_001);
  expect(session.expired).toBe(!stall);
  await end();
});

test('a keepalive that is due in the middle of a long stream does not split a message', async () => {
  const clock = new ManualClock();
  const { session, daemon, received, end } = await idle(clock);
  daemon.pause();
  const sent = new Promise<void>((resolve) => session.send(FLOOD, resolve));
  await new Promise((resolve) => setTimeout(resolve, 20));
  clock.advance(31_000);
  daemon.resume();
  await sent;
  clock.advance(31_000);
  await end();
  const stream = Buffer.concat(received);
  const types = new Map<number, number>();
  for (let at = 0; at < stream.length; at += stream.readUInt16BE(at + 16)) {
    if (stream.compare(MARKER, 0, 16, at, at + 16) !== 0) throw new Error(`no message starts at ${at}`);
    types.set(stream[at + 18]!, (types.get(stream[at + 18]!) ?? 0) + 1);
  }
  expect(types.get(2)).toBe(FLOOD.length / END_OF_RIB.length);
  // One for the OPEN, one when the stream was through.
  expect(types.get(4)).toBe(2);
});
