import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimClock } from '../../src/sim/clock.ts';
import { MemNetwork } from '../../src/sim/network.ts';
import { seededRandom } from '../../src/sim/random.ts';
import { ip, RawConnection, World } from '../bgp/session/harness.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';

/** Both ends of a connection, as octets. */
function pipe(options: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World(options);
  const [a, b] = [world.network.host(ip(A)), world.network.host(ip(B))];
  const received: number[] = [];
  const events: string[] = [];
  const handlers = {
    onConnect() {},
    onData: (buffer: Uint8Array, length: number) => received.push(...buffer.subarray(0, length)),
    onEnd: () => events.push('end'),
    onClose: (error: { code: string } | undefined) => events.push(`close ${error?.code ?? 'clean'}`),
  };
  const dialler = new RawConnection();
  let accepted: Parameters<Parameters<typeof b.listen>[1]['onAccept']>[0] | undefined;
  b.listen(
    { address: ip('0.0.0.0'), port: 179, interface: undefined },
    { onListening() {}, onError() {}, onAccept: (socket) => (accepted = socket) },
  );
  world.clock.settle();
  const socket = a.connect(
    {
      remote: { address: ip(B), port: 179 },
      local: { address: undefined, port: 0 },
      interface: undefined,
      ttl: undefined,
      minTtl: undefined,
      password: undefined,
    },
    dialler.handlers(),
  );
  dialler.socket = socket;
  world.clock.advance(100);
  accepted?.attach(handlers);
  return { world, socket, accepted: accepted!, received, events, dialler };
}

describe('MemNetwork', () => {
  it('delivers every octet in order, whatever the window, the segments and the pauses', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 12 });
    const shape = fc.record({
      windowBytes: fc.integer({ min: 1, max: 4000 }),
      segmentBytes: fc.integer({ min: 1, max: 3000 }),
    });
    fc.assert(
      fc.property(sizes, shape, (chunks, options) => {
        fc.pre(chunks.reduce((a, b) => a + b) / options.windowBytes < 2000);
        const { world, socket, accepted, received } = pipe(options);
        const sent: number[] = [];
        let done = 0;
        const writeNext = (i: number) => {
          const size = chunks[i];
          if (size === undefined) return;
          const chunk = Uint8Array.from({ length: size }, (_, k) => (sent.length + k) & 255);
          sent.push(...chunk);
          socket.write([chunk], () => {
            done++;
            if (i % 3 === 1) accepted.pause();
            else accepted.resume();
            writeNext(i + 1);
          });
        };
        writeNext(0);
        for (let turn = 0; turn < 30; turn++) {
          world.clock.advance(10_000);
          accepted.resume();
        }
        expect(done).toBe(chunks.length);
        expect(received).toEqual(sent);
      }),
      { numRuns: 50 },
    );
  });

  it('a reader that pauses stops the writer', () => {
    const { world, socket, accepted, received } = pipe({ windowBytes: 100 });
    accepted.pause();
    let done = false;
    socket.write([new Uint8Array(250)], () => {
      done = true;
    });
    world.clock.advance(1000);
    expect([done, received.length]).toEqual([false, 0]);
    accepted.resume();
    world.clock.advance(1000);
    expect([done, received.length]).toEqual([true, 250]);
  });

  it('end closes both sides cleanly, destroy resets the other', () => {
    const clean = pipe();
    clean.socket.end();
    clean.world.clock.advance(100);
    expect(clean.events).toEqual(['end']);
    clean.accepted.end();
    clean.world.clock.advance(100);
    expect(clean.events).toEqual(['end', 'close clean']);
    expect(clean.world.network.connections(ip(A), ip(B))).toBe(0);
    const hard = pipe();
    hard.socket.destroy();
    hard.world.clock.advance(100);
    expect(hard.events).toEqual(['close ECONNRESET']);
    expect(hard.dialler.closed).toBe(true);
  });

  it('a cut link swallows without a word, and heals', () => {
    const { world, socket, received, events } = pipe();
    world.network.cut(ip(A), ip(B));
    socket.write([Uint8Array.of(1)], () => {});
    world.clock.advance(60_000);
    expect([received, events]).toEqual([[], []]);
    world.network.heal(ip(A), ip(B));
    world.clock.advance(100);
    expect(received).toEqual([1]);
  });

  it('refuses, does not answer, or does not know the host', () => {
    const world = new World({ connectTimeoutMs: 5000 });
    const a = world.raw(A);
    world.raw(B);
    const code = (connection: RawConnection, ms: number) => {
      world.clock.advance(ms);
      return connection.closed;
    };
    expect(code(a.dial(B), 10)).toBe(true);
    expect(code(a.dial('10.0.0.99'), 10)).toBe(true);
    world.network.cut(ip(A), ip(B));
    const silent = a.dial(B);
    expect(code(silent, 4000)).toBe(false);
    expect(code(silent, 2000)).toBe(true);
  });

  it('5082-3-1: drops what came too far', () => {
    const { world, socket, accepted, received } = pipe();
    accepted.configure({ ttl: 255, minTtl: 254, password: undefined });
    socket.configure({ ttl: 255, minTtl: undefined, password: undefined });
    world.network.setHops(ip(A), ip(B), 2);
    socket.write([Uint8Array.of(1)], () => {});
    world.clock.advance(100);
    expect(received).toEqual([1]);
    world.network.setHops(ip(A), ip(B), 3);
    socket.write([Uint8Array.of(2)], () => {});
    world.clock.advance(100);
    expect(received).toEqual([1]);
  });

  it('keeps the order of one connection in any weather: up, octets, end', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 200 }), fc.boolean(), (seed, delay, killed) => {
        const clock = new SimClock();
        const network = new MemNetwork(clock);
        const random = seededRandom(seed);
        network.weather = { extraDelay: () => random() * delay };
        const [a, b] = [network.host(ip(A)), network.host(ip(B))];
        const seen: string[] = [];
        const quiet = { onConnect() {}, onData() {}, onEnd() {}, onClose() {} };
        b.listen(
          { address: ip('0.0.0.0'), port: 179, interface: undefined },
          {
            onListening() {},
            onError() {},
            onAccept: (socket) => {
              socket.attach(quiet);
              for (const octet of [1, 2, 3]) socket.write([Uint8Array.of(octet)], () => {});
              if (killed) b.kill();
              else socket.end();
            },
          },
        );
        clock.settle();
        a.connect(
          {
            remote: { address: ip(B), port: 179 },
            local: { address: undefined, port: 0 },
            interface: undefined,
            ttl: undefined,
            minTtl: undefined,
            password: undefined,
          },
          {
            onConnect: () => seen.push('up'),
            onData: (buffer, length) => seen.push(...[...buffer.subarray(0, length)].map(String)),
            onEnd: () => seen.push('end'),
            onClose: (error) => seen.push(error?.code ?? 'closed'),
          },
        );
        clock.advance(10_000);
        expect(seen).toEqual(['up', '1', '2', '3', killed ? 'ECONNRESET' : 'end']);
      }),
    );
  });

  it('a machine that vanished answers nothing, and refuses what is old when it is back', () => {
    const { world, socket, events, dialler } = pipe();
    const host = world.network.hostOf(ip(B))!;
    host.vanish();
    socket.write([Uint8Array.of(1)], () => {});
    world.clock.advance(10_000);
    expect(dialler.closed).toBe(false);
    host.present = true;
    host.wake();
    socket.write([Uint8Array.of(2)], () => {});
    world.clock.advance(10_000);
    expect(dialler.closed).toBe(true);
    expect(events).toEqual([]);
  });
});
