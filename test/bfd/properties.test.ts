// Whatever two systems are configured to, however the wire loses packets and whenever options change: what RFC 5880
// promises of every packet and every state. And whatever strangers send: nothing of it counts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BfdEngine } from '../../src/bfd/engine.ts';
import type { AuthenticationName } from '../../src/bfd/protocol.ts';
import type { SessionReport } from '../../src/bfd/service.ts';
import type { SessionOptions } from '../../src/bfd/session.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { seededRandom } from '../../src/sim/random.ts';
import { BfdNetwork, ip, MS, type Sent, sessionOptions } from '../support/bfd-network.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const SECOND = 1000;
const SLOW = SECOND * MS;

const intervals = fc.integer({ min: 10, max: 2000 }).map((ms) => ms * MS);
const timers = fc.record({
  desiredMinTx: intervals,
  requiredMinRx: intervals,
  detectMultiplier: fc.integer({ min: 2, max: 10 }),
});
const keys = fc.constantFrom<AuthenticationName | undefined>(
  undefined,
  'simple',
  'md5',
  'meticulous-md5',
  'sha1',
  'meticulous-sha1',
);
const actions = fc.oneof(
  fc.record({ do: fc.constant('change' as const), side: fc.nat(1), timers }),
  fc.record({ do: fc.constant('lose' as const), side: fc.nat(2), percent: fc.integer({ min: 0, max: 100 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 5000 }) }),
);

function authenticated(type: AuthenticationName | undefined): Partial<SessionOptions> {
  if (type === undefined) return {};
  return { authentication: { type, keys: [{ id: 3, secret: Uint8Array.of(1, 2, 3) }] } };
}

/** What holds of every packet, whatever came before it. */
function checkPacket(sent: Sent): void {
  expect(sent.poll && sent.final).toBe(false);
  expect(sent.demand).toBe(false);
  expect(sent.requiredMinEchoRx).toBe(0);
  if (sent.state !== 'Up') expect(sent.desiredMinTx).toBeGreaterThanOrEqual(SLOW);
  // §6.8.6: only a system that is known can be told more than Down.
  if (sent.yourDiscriminator === 0) expect(['Down', 'AdminDown']).toContain(sent.state);
}

describe('two systems', () => {
  it('keep the rules through losses and changes, and come up when the wire works', () => {
    const sides = fc.tuple(timers, timers);
    fc.assert(
      fc.property(sides, keys, fc.array(actions, { maxLength: 12 }), fc.nat(), (start, type, steps, seed) => {
        const clock = new SimClock();
        const network = new BfdNetwork(clock);
        const random = seededRandom(seed);
        const options = start.map((own) => sessionOptions({ ...own, ...authenticated(type) }));
        const hosts = [network.host(A, seed + 1), network.host(B, seed + 2)];
        hosts[0]!.add(1, B, options[0]!);
        hosts[1]!.add(1, A, options[1]!);
        const loss = [0, 0];
        network.loses = ({ from }) => random() * 100 < loss[from === A ? 0 : 1]!;
        for (const step of steps) {
          if (step.do === 'wait') clock.advance(step.ms);
          else if (step.do === 'change') {
            options[step.side] = { ...options[step.side]!, ...step.timers };
            hosts[step.side]!.service.update(1, options[step.side]!);
          } else {
            for (const side of [0, 1]) if (step.side === side || step.side === 2) loss[side] = step.percent;
          }
        }
        loss.fill(0);
        // The longest detection time, twice, until a number that is not known any more is taken.
        clock.advance(2 * 10 * 2 * SECOND + 10 * SECOND);
        const settled = hosts.map((host) => host.reports.length);
        const since = clock.now();
        clock.advance(20 * SECOND);
        for (const [side, host] of hosts.entries()) {
          const other = options[1 - side]!;
          const own = options[side]!;
          expect(host.last()).toMatchObject({
            state: 'Up',
            remoteState: 'Up',
            problem: undefined,
            transmitInterval: Math.max(own.desiredMinTx, other.requiredMinRx),
            detectionTime: other.detectMultiplier * Math.max(own.requiredMinRx, other.desiredMinTx),
          });
          expect(host.reports.length).toBe(settled[side]);
        }
        for (const sent of network.log) checkPacket(sent);
        // No Poll Sequence goes on for ever.
        expect(network.log.filter((sent) => sent.at > since && (sent.poll || sent.final))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  it('never lose a session to the wire while no more is lost than the multiplier bears', () => {
    fc.assert(
      fc.property(timers, timers, fc.nat(), (left, right, seed) => {
        const clock = new SimClock();
        const network = new BfdNetwork(clock);
        const hosts = [network.host(A, seed + 1), network.host(B, seed + 2)];
        hosts[0]!.add(1, B, left);
        hosts[1]!.add(1, A, right);
        clock.advance(30 * SECOND);
        const up = hosts.map((host) => host.reports.length);
        // One packet of each side, now and then.
        const last: Record<string, number> = { [A]: 0, [B]: 0 };
        let count = 0;
        network.loses = ({ from, at }) => {
          const lost = at - last[from]! > 10 * SECOND && ++count % 2 === 0;
          if (lost) last[from] = at;
          return lost;
        };
        clock.advance(200 * SECOND);
        expect(count).toBeGreaterThan(10);
        for (const [side, host] of hosts.entries()) {
          expect(host.reports.slice(up[side]).filter(({ state }) => state !== 'Up')).toEqual([]);
        }
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});

describe('strangers', () => {
  function standing(type: AuthenticationName | undefined) {
    const reports: SessionReport[] = [];
    const engine = new BfdEngine({
      random: seededRandom(1),
      onReport: (report) => reports.push(report),
      transport: {
        open: () => ({ ifindex: undefined, send: () => undefined, close: () => {} }),
        interfaceName: () => 'eth0',
      },
    });
    const path = { remote: ip(B), local: undefined, interface: undefined, multihop: false };
    engine.add(1, { ...sessionOptions(authenticated(type)), path }, 0);
    return { engine, reports };
  }

  it.each<AuthenticationName | undefined>([undefined, 'simple', 'meticulous-sha1'])(
    'cannot make it throw, nor move a session whose number they do not know: %s',
    (type) => {
      fc.assert(
        fc.property(
          fc.array(
            fc.record({
              bytes: fc.oneof(
                fc.uint8Array({ maxLength: 64 }),
                // A good beginning, so that the rest is read.
                fc
                  .tuple(
                    fc.constantFrom(0x40, 0x44, 0x80, 0xc0, 0xc4),
                    fc.uint8Array({ minLength: 20, maxLength: 48 }),
                  )
                  .map(([flags, rest]) => Uint8Array.of(0x20, flags, 3, rest.length + 4, ...rest)),
              ),
              multihop: fc.boolean(),
              known: fc.boolean(),
            }),
            { maxLength: 50 },
          ),
          (packets) => {
            const { engine, reports } = standing(type);
            const number = reports[0]!.localDiscriminator;
            let now = 0;
            for (const { bytes, multihop, known } of packets) {
              const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
              const initial = bytes.length >= 12 && view.getUint32(8) === 0;
              if (initial || (bytes.length >= 12 && view.getUint32(8) === number)) continue;
              const ends = { remote: ip(known ? B : '10.9.9.9'), local: ip(A), ifindex: 2, multihop };
              engine.receive({ bytes, view, start: 0, end: bytes.length, ...ends }, now);
              now += 10;
              engine.run(now);
            }
            expect(
              reports.every(
                ({ state, remoteDiscriminator }) => state === 'Down' && remoteDiscriminator === 0,
              ),
            ).toBe(true);
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  it('cannot get past authentication, whatever they know of the session', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 28, maxLength: 28 }), (section) => {
        const { engine, reports } = standing('meticulous-sha1');
        const bytes = new Uint8Array(52);
        const view = new DataView(bytes.buffer);
        bytes.set([0x20, 0x44, 3, 52]);
        view.setUint32(4, 7);
        view.setUint32(8, reports[0]!.localDiscriminator);
        bytes.set(section, 24);
        bytes.set([5, 28, 3], 24);
        engine.receive(
          { bytes, view, start: 0, end: 52, multihop: false, remote: ip(B), local: ip(A), ifindex: 2 },
          0,
        );
        expect(reports.at(-1)).toMatchObject({ state: 'Down', remoteDiscriminator: 0 });
        expect(reports.at(-1)?.problem).toBe('packets that were made with another key');
      }),
    );
  });
});
