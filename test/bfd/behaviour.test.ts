// Two systems on a simulated wire and clock: what RFC 5880 asks for over time.

import { beforeEach, describe, expect, it } from 'vitest';
import { diagnosticText } from '../../src/bfd/protocol.ts';
import type { SessionOptions } from '../../src/bfd/session.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { type BfdHost, BfdNetwork, MS, sessionOptions } from '../support/bfd-network.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const SECOND = 1000;

let clock: SimClock;
let network: BfdNetwork;
let a: BfdHost;
let b: BfdHost;

beforeEach(() => {
  clock = new SimClock();
  network = new BfdNetwork(clock);
  a = network.host(A, 1);
  b = network.host(B, 2);
});

function pair(left: Partial<SessionOptions> = {}, right: Partial<SessionOptions> = {}): void {
  a.add(1, B, left);
  b.add(1, A, right);
}

/** Both Up, and their Poll Sequences over. */
function bringUp(left: Partial<SessionOptions> = {}, right: Partial<SessionOptions> = {}): void {
  pair(left, right);
  const up = () => a.last().state === 'Up' && b.last().state === 'Up';
  expect(clock.advanceUntil(up, 10 * SECOND)).toBe(true);
  clock.advance(3 * SECOND);
}

function gaps(from: string, since: number): number[] {
  const times = network
    .sentBy(from, since)
    .filter((sent) => !sent.final)
    .map((sent) => sent.at);
  return times.slice(1).map((at, i) => at - times[i]!);
}

describe('coming up', () => {
  it('5881-3-1: both ends send before they hear, and find each other by address', () => {
    pair();
    network.loses = () => true;
    clock.advance(1 * SECOND);
    network.loses = () => false;
    expect(network.sentBy(A)[0]).toMatchObject({ state: 'Down', yourDiscriminator: 0 });
    expect(network.sentBy(B)[0]).toMatchObject({ state: 'Down' });
    clock.advance(3 * SECOND);
    expect([a.last().state, b.last().state]).toEqual(['Up', 'Up']);
    expect(a.states()).toEqual(['Down', 'Init', 'Up'].filter((state) => a.states().includes(state)));
  });

  it('5880-6.8.1-1: discriminators are random, not zero, and known to the other side', () => {
    bringUp();
    const [mine, theirs] = [a.last().localDiscriminator, b.last().localDiscriminator];
    expect([mine, theirs]).not.toContain(0);
    expect(mine).not.toBe(theirs);
    expect(a.last().remoteDiscriminator).toBe(theirs);
    expect(b.last().remoteDiscriminator).toBe(mine);
  });

  it('5880-6.8.1-1: the remote discriminator is zero again after a silent detection time', () => {
    bringUp();
    network.loses = (sent) => sent.from === B;
    clock.advance(1 * SECOND);
    expect(a.last()).toMatchObject({ state: 'Down', remoteDiscriminator: 0 });
  });

  it('5880-6.8.3-1: the interval offered is a second at least until the session is Up', () => {
    bringUp();
    for (const sent of network.log) {
      if (sent.state !== 'Up') expect(sent.desiredMinTx).toBeGreaterThanOrEqual(SECOND * MS);
    }
    expect(network.sentBy(A).at(-1)).toMatchObject({ state: 'Up', desiredMinTx: 100 * MS });
  });

  it('a configured idle interval longer than a second counts, a shorter one does not', () => {
    pair({ idleTx: 4000 * MS }, { idleTx: 100 * MS });
    clock.advance(5 * SECOND);
    expect(network.sentBy(A)[0]?.desiredMinTx).toBe(4000 * MS);
    expect(network.sentBy(B)[0]?.desiredMinTx).toBe(1000 * MS);
  });

  it('a passive side says nothing until it has heard something (RFC 5880 §6.1)', () => {
    a.add(1, B, { passive: true });
    clock.advance(10 * SECOND);
    expect(network.log).toEqual([]);
    b.add(1, A);
    clock.advance(5 * SECOND);
    expect([a.last().state, b.last().state]).toEqual(['Up', 'Up']);
    network.loses = (sent) => sent.from === B;
    clock.advance(1 * SECOND);
    const quietSince = clock.now();
    clock.advance(5 * SECOND);
    expect(network.sentBy(A, quietSince)).toEqual([]);
  });

  it('two passive sides stay silent', () => {
    pair({ passive: true }, { passive: true });
    clock.advance(30 * SECOND);
    expect(network.log).toEqual([]);
  });
});

describe('timers', () => {
  it('5880-6.8.7-1: packets leave after 75 to 100 % of the slower of both wishes', () => {
    bringUp({ desiredMinTx: 100 * MS }, { requiredMinRx: 250 * MS });
    const since = clock.now();
    clock.advance(60 * SECOND);
    const all = gaps(A, since);
    expect(all.length).toBeGreaterThan(200);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(187.5);
    expect(Math.max(...all)).toBeLessThanOrEqual(250.001);
    // New each time.
    expect(new Set(all.map((gap) => gap.toFixed(3))).size).toBeGreaterThan(100);
  });

  it('5880-6.8.7-1: with a multiplier of one, 75 to 90 %', () => {
    bringUp({ detectMultiplier: 1 });
    const since = clock.now();
    clock.advance(60 * SECOND);
    const all = gaps(A, since);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(75);
    expect(Math.max(...all)).toBeLessThanOrEqual(90.001);
    expect([a.last().state, b.last().state]).toEqual(['Up', 'Up']);
  });

  it('5880-6.8.4-1: the detection time is the multiplier of the other side times the slower of both wishes', () => {
    bringUp({ requiredMinRx: 200 * MS }, { desiredMinTx: 150 * MS, detectMultiplier: 5 });
    expect(a.last().detectionTime).toBe(5 * 200 * MS);
    expect(b.last().detectionTime).toBe(3 * 100 * MS);
    a.service.update(1, sessionOptions({ requiredMinRx: 120 * MS }));
    clock.advance(2 * SECOND);
    expect(a.last().detectionTime).toBe(5 * 150 * MS);
  });

  it('5880-6.8.4-1: silence for a detection time takes the session down with diagnostic 1, and not earlier', () => {
    bringUp();
    const lastHeard = network.sentBy(B).at(-1)!.at + network.latencyMs;
    network.loses = (sent) => sent.from === B;
    const detection = a.last().detectionTime / MS;
    clock.advance(lastHeard + detection - clock.now() - 0.01);
    expect(a.last().state).toBe('Up');
    clock.advance(0.02);
    expect(a.last()).toMatchObject({ state: 'Down', localDiagnostic: 1 });
    expect(diagnosticText(a.last().localDiagnostic)).toBe('Control Detection Time Expired');
    // Told at once, and the other side says why it is down.
    clock.advance(5);
    expect(b.last()).toMatchObject({ state: 'Down', localDiagnostic: 3, remoteDiagnostic: 1 });
  });

  it('5880-6.8.4-1: in Init, too', () => {
    pair();
    network.loses = (sent) => sent.from === A;
    clock.advanceUntil(() => a.reports.some(({ state }) => state === 'Init'), 5 * SECOND);
    expect(a.last().state).toBe('Init');
    network.loses = () => true;
    clock.advance(10 * SECOND);
    expect(a.last()).toMatchObject({ state: 'Down', localDiagnostic: 1 });
  });

  it('one packet in three is enough', () => {
    bringUp();
    let count = 0;
    network.loses = () => count++ % 4 !== 0;
    network.latencyMs = 0;
    const before = a.reports.length;
    // Every fourth of all packets, which alternate: each side hears every fourth or better of the other's.
    network.loses = (sent) => sent.from === B && count++ % 3 !== 0;
    clock.advance(60 * SECOND);
    expect(a.reports.slice(before).filter(({ state }) => state !== 'Up')).toEqual([]);
  });

  it('5880-6.8.3-2: a change starts a Poll Sequence, which ends with the Final', () => {
    bringUp();
    const since = clock.now();
    a.service.update(1, sessionOptions({ requiredMinRx: 300 * MS }));
    clock.advance(1 * SECOND);
    const polls = network.sentBy(A, since).filter((sent) => sent.poll);
    expect(polls).toHaveLength(1);
    expect(polls[0]).toMatchObject({ requiredMinRx: 300 * MS, final: false });
    expect(network.sentBy(B, since).filter((sent) => sent.final)).toHaveLength(1);
  });

  it('5880-6.8.3-2: slower sending waits for the end of the Poll Sequence', () => {
    bringUp();
    network.loses = (sent) => sent.final;
    const since = clock.now();
    a.service.update(1, sessionOptions({ desiredMinTx: 500 * MS }));
    clock.advance(3 * SECOND);
    const polled = network.sentBy(A, since);
    expect(polled.every((sent) => sent.poll && sent.desiredMinTx === 500 * MS)).toBe(true);
    expect(Math.max(...gaps(A, since))).toBeLessThanOrEqual(100.001);
    network.loses = () => false;
    clock.advance(1 * SECOND);
    const after = clock.now();
    clock.advance(10 * SECOND);
    expect(Math.min(...gaps(A, after))).toBeGreaterThanOrEqual(375);
    expect([a.last().state, b.last().state]).toEqual(['Up', 'Up']);
  });

  it('5880-6.8.3-2: faster receiving counts for detection only after the Poll Sequence', () => {
    bringUp({ requiredMinRx: 400 * MS });
    expect(a.last().detectionTime).toBe(1200 * MS);
    network.loses = (sent) => sent.final;
    a.service.update(1, sessionOptions({ requiredMinRx: 100 * MS }));
    clock.advance(2 * SECOND);
    expect(a.last().detectionTime).toBe(1200 * MS);
    network.loses = () => false;
    clock.advance(2 * SECOND);
    expect(a.last().detectionTime).toBe(300 * MS);
  });

  it('a second change waits for the end of the first, and for a packet without the Final bit', () => {
    bringUp();
    const since = clock.now();
    network.loses = (sent) => sent.final;
    a.service.update(1, sessionOptions({ requiredMinRx: 200 * MS }));
    clock.advance(1 * SECOND);
    a.service.update(1, sessionOptions({ requiredMinRx: 300 * MS }));
    clock.advance(1 * SECOND);
    expect(new Set(network.sentBy(A, since).map((sent) => sent.requiredMinRx))).toEqual(new Set([200 * MS]));
    network.loses = () => false;
    clock.advance(3 * SECOND);
    expect(network.sentBy(A).at(-1)).toMatchObject({ requiredMinRx: 300 * MS, poll: false });
    expect(a.last().detectionTime).toBe(900 * MS);
  });

  it('a faster wish of the other side is honoured from the last packet on (§6.8.3)', () => {
    bringUp({}, { requiredMinRx: 2000 * MS });
    const lastSent = network
      .sentBy(A)
      .filter((sent) => !sent.final)
      .at(-1)!.at;
    b.service.update(1, sessionOptions({ requiredMinRx: 100 * MS }));
    clock.advance(300);
    const next = network.sentBy(A, lastSent + 0.001).filter((sent) => !sent.final);
    expect(next.length).toBeGreaterThanOrEqual(1);
    expect([a.last().state, b.last().state]).toEqual(['Up', 'Up']);
  });

  it('a changed multiplier needs no Poll Sequence (§6.8.12)', () => {
    bringUp();
    const since = clock.now();
    a.service.update(1, sessionOptions({ detectMultiplier: 7 }));
    clock.advance(1 * SECOND);
    expect(network.sentBy(A, since).some((sent) => sent.poll)).toBe(false);
    expect(b.last().detectionTime).toBe(700 * MS);
  });

  it('no Poll ever carries a Final', () => {
    bringUp();
    a.service.update(1, sessionOptions({ requiredMinRx: 300 * MS, desiredMinTx: 50 * MS }));
    b.service.update(1, sessionOptions({ requiredMinRx: 200 * MS, desiredMinTx: 250 * MS }));
    clock.advance(10 * SECOND);
    expect(network.log.filter((sent) => sent.poll && sent.final)).toEqual([]);
    expect(network.log.some((sent) => sent.final)).toBe(true);
  });
});

describe('going down', () => {
  it('5880-6.8.16-1: a session that is taken away says AdminDown for a detection time, then nothing', () => {
    bringUp();
    const since = clock.now();
    a.service.remove(1);
    clock.advance(10 * SECOND);
    const farewell = network.sentBy(A, since).filter((sent) => !sent.final);
    expect(farewell.length).toBeGreaterThanOrEqual(3);
    expect(farewell.every((sent) => sent.state === 'AdminDown' && sent.diagnostic === 7)).toBe(true);
    expect(farewell.at(-1)!.at - since).toBeLessThan(3.1 * SECOND);
    expect(a.service.engine.size).toBe(0);
    // First told, then silence: the state was signaled, not lost.
    expect(
      b.reports.find(({ state, localDiagnostic }) => state === 'Down' && localDiagnostic === 3),
    ).toMatchObject({
      remoteState: 'AdminDown',
      remoteDiagnostic: 7,
    });
  });

  it('a session that takes the place of one that goes is not taken down by its last words', () => {
    bringUp();
    for (const after of [0, 500, 1500]) {
      const id = a.reports.at(-1)!.id;
      a.service.remove(id);
      clock.advance(after);
      a.add(id + 1, B);
      expect(a.service.engine.size).toBe(1);
      clock.advance(10 * SECOND);
      expect(a.states(id + 1).filter((state) => state !== 'Init')).toEqual(['Down', 'Up']);
    }
    expect(b.reports.filter(({ remoteState }) => remoteState === 'AdminDown').length).toBeGreaterThan(0);
    expect(b.last()).toMatchObject({ state: 'Up', remoteState: 'Up' });
    expect(b.states().filter((state) => state === 'Up')).toHaveLength(4);
  });

  it('one on another path lets it say them', () => {
    bringUp();
    a.service.remove(1);
    a.add(2, B, {}, true);
    expect(a.service.engine.size).toBe(2);
    clock.advance(10 * SECOND);
    expect(a.service.engine.size).toBe(1);
  });

  it('a session nobody has heard of goes at once', () => {
    a.add(1, B);
    clock.advance(5 * SECOND);
    a.service.remove(1);
    clock.advance(1);
    expect(a.service.engine.size).toBe(0);
  });

  it('comes up again when both have seen that it was down', () => {
    bringUp();
    network.loses = () => true;
    clock.advance(2 * SECOND);
    expect([a.last().state, b.last().state]).toEqual(['Down', 'Down']);
    network.loses = () => false;
    clock.advance(5 * SECOND);
    expect([a.last().state, b.last().state]).toEqual(['Up', 'Up']);
  });

  it('a restarted peer with a new discriminator is taken, by way of Down', () => {
    bringUp();
    const again = network.host(B, 99);
    again.add(1, A);
    clock.advance(5 * SECOND);
    expect(a.states().slice(-3)).toContain('Down');
    expect(a.last()).toMatchObject({ state: 'Up', remoteDiscriminator: again.last().localDiscriminator });
  });

  it('closing tells everybody', async () => {
    bringUp();
    await a.service.close();
    clock.advance(5);
    expect(b.last()).toMatchObject({ state: 'Down', remoteState: 'AdminDown' });
  });
});

describe('paths', () => {
  it('5883-5-1: a multihop session is another one than that of a single hop to the same system', () => {
    pair();
    a.add(2, B, {}, true);
    b.add(2, A, {}, true);
    clock.advance(5 * SECOND);
    expect([a.last(1).state, a.last(2).state, b.last(1).state, b.last(2).state]).toEqual([
      'Up',
      'Up',
      'Up',
      'Up',
    ]);
    expect(a.last(1).localDiscriminator).not.toBe(a.last(2).localDiscriminator);
    expect(a.last(2).remoteDiscriminator).toBe(b.last(2).localDiscriminator);
  });

  it('what cannot be opened is tried again each second, and says why', () => {
    a.refuses = 'UDP port 3784 is taken: another BFD daemon runs here';
    pair();
    clock.advance(3 * SECOND);
    expect(a.last()).toMatchObject({ problem: a.refuses });
    a.refuses = undefined;
    clock.advance(5 * SECOND);
    expect(a.last()).toMatchObject({ state: 'Up', problem: undefined });
  });
});

describe('authentication over time', () => {
  const keyed = (type: 'sha1' | 'meticulous-sha1', secret: string, id = 1): Partial<SessionOptions> => ({
    authentication: { type, keys: [{ id, secret: new TextEncoder().encode(secret) }] },
  });

  it.each(['sha1', 'meticulous-sha1'] as const)('%s keeps a session up for long', (type) => {
    bringUp(keyed(type, 'one'), keyed(type, 'one'));
    clock.advance(120 * SECOND);
    expect(a.states().filter((state) => state === 'Up')).toHaveLength(1);
  });

  it('another key keeps it down, and the report says so', () => {
    pair(keyed('sha1', 'one'), keyed('sha1', 'two'));
    clock.advance(10 * SECOND);
    expect(a.last()).toMatchObject({ state: 'Down', problem: 'packets that were made with another key' });
  });

  it('a key changes on both sides within a detection time, and the session stays', () => {
    bringUp(keyed('meticulous-sha1', 'one'), keyed('meticulous-sha1', 'one'));
    a.service.update(1, sessionOptions(keyed('meticulous-sha1', 'two')));
    clock.advance(150);
    b.service.update(1, sessionOptions(keyed('meticulous-sha1', 'two')));
    clock.advance(10 * SECOND);
    expect(a.states()).not.toContain('AdminDown');
    expect(a.states().filter((state) => state === 'Up')).toHaveLength(1);
  });

  it('a restarted peer is taken after two detection times, whatever number it starts with', () => {
    bringUp(keyed('meticulous-sha1', 'one'), keyed('meticulous-sha1', 'one'));
    const again = network.host(B, 77);
    again.add(1, A, keyed('meticulous-sha1', 'one'));
    clock.advance(10 * SECOND);
    expect([a.last().state, again.last().state]).toEqual(['Up', 'Up']);
  });
});
