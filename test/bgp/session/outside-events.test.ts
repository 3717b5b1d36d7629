import { describe, expect, it } from 'vitest';
import { type OptionChanges, World } from './harness.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const SECOND = 1000;

function pair(left: OptionChanges = {}, right: OptionChanges = {}) {
  const world = new World();
  const [a, b] = [world.speaker(A).peer(B, left), world.speaker(B).peer(A, right)];
  a.peer.start();
  b.peer.start();
  return { world, a, b };
}

describe('a link that is gone', () => {
  it('ends the session without a word to the peer, which could not get it', () => {
    const { world, a, b } = pair();
    world.clock.advance(SECOND);
    expect(a.peer.state).toBe('Established');
    a.peer.linkLost('eth0');
    expect(a.peer.state).not.toBe('Established');
    expect(a.peer.lastDown).toMatchObject({ cause: 'link-down', sent: undefined });
    expect(a.peer.lastDown?.sentence).toBe('the link to the peer is down (eth0); in Established');
    world.clock.advance(100);
    expect(b.peer.lastDown?.received).toBeUndefined();
  });

  it('is nothing to a peer without a connection', () => {
    const { world, a } = pair({ passive: true }, { passive: true });
    world.clock.advance(SECOND);
    expect(a.peer.state).toBe('Active');
    a.peer.linkLost('eth0');
    expect([a.peer.state, a.peer.lastDown]).toEqual(['Active', undefined]);
  });

  it('is not dialled over before the ConnectRetryTime, unless it is said to be back', () => {
    const timers = { connectRetry: 100, connectDelay: 5 };
    const { world, a, b } = pair({ timers }, { timers, passive: true });
    world.clock.advance(10 * SECOND);
    a.peer.linkLost('eth0');
    world.clock.advance(20 * SECOND);
    expect(a.peer.state).toBe('Active');
    a.peer.retryNow();
    world.clock.advance(SECOND);
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established']);
  });
});

describe('retryNow', () => {
  it('dials for nobody who must not', () => {
    const { world, a } = pair({ passive: true }, { passive: true });
    world.clock.advance(SECOND);
    a.peer.retryNow();
    world.clock.advance(SECOND);
    expect(a.peer.state).toBe('Active');
  });

  it('leaves a connection alone', () => {
    const { world, a } = pair();
    world.clock.advance(SECOND);
    a.peer.retryNow();
    world.clock.advance(SECOND);
    expect(a.peer.state).toBe('Established');
    expect(a.peer.establishedCount).toBe(1);
  });

  it('does nothing for a peer that is down', () => {
    const { world, a } = pair();
    world.clock.advance(SECOND);
    a.peer.stop();
    a.peer.retryNow();
    world.clock.advance(10 * SECOND);
    expect(a.peer.state).toBe('Idle');
  });
});

describe('a start by hand', () => {
  const patient = { timers: { errorWait: { min: 60, max: 300, forget: 300 } } };
  const quick = { timers: { errorWait: { min: 1, max: 1, forget: 1 } } };

  it('ends the wait after an error', () => {
    const { world, a, b } = pair(patient, quick);
    world.clock.advance(SECOND);
    a.peer.cease({ subcode: 8, text: undefined });
    world.clock.advance(10 * SECOND);
    expect([a.peer.state, a.peer.timersLeft.idleHold]).toEqual(['Idle', 50 * SECOND]);
    a.peer.startByHand();
    expect(a.peer.timersLeft.idleHold).toBeUndefined();
    world.clock.advance(10 * SECOND);
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established']);
    world.clock.advance(60 * SECOND);
    expect(a.peer.establishedCount).toBe(2);
  });

  it('dials where the ConnectRetryTime is waited for', () => {
    const timers = { connectRetry: 100, connectDelay: 5 };
    const { world, a } = pair({ timers }, { timers, passive: true });
    world.clock.advance(10 * SECOND);
    a.peer.linkLost('eth0');
    world.clock.advance(20 * SECOND);
    a.peer.startByHand();
    world.clock.advance(SECOND);
    expect(a.peer.state).toBe('Established');
  });

  it('starts a peer that is down, and leaves a session and who is passive alone', () => {
    const { world, a, b } = pair({ passive: true });
    a.peer.startByHand();
    expect(a.peer.state).toBe('Active');
    world.clock.advance(10 * SECOND);
    a.peer.startByHand();
    b.peer.startByHand();
    expect([a.peer.state, a.peer.establishedCount]).toEqual(['Established', 1]);
    b.peer.stop();
    b.peer.startByHand();
    world.clock.advance(10 * SECOND);
    expect([b.peer.state, b.peer.establishedCount]).toEqual(['Established', 2]);
  });
});

it('9384-3-1: a session that ends because of BFD says so, and comes back by itself', () => {
  const world = new World();
  const { peer } = world.speaker(A).peer(B, {
    passive: true,
    timers: { errorWait: { min: 60, max: 300, forget: 300 } },
  });
  const raw = world.raw(B);
  peer.start();
  world.clock.advance(10);
  const connection = raw.dial(A);
  world.clock.advance(10);
  connection.open();
  connection.keepalive();
  world.clock.advance(10);
  expect(peer.state).toBe('Established');
  peer.cease({ subcode: 10, text: 'BFD: Control Detection Time Expired' });
  world.clock.advance(10);
  expect(connection.heard.join()).toContain('BFD Down');
  expect(peer.lastDown?.sentence).toBe(
    'ended here (BFD: Control Detection Time Expired); sent Cease/BFD Down (6/10); in Established',
  );
  // It listens meanwhile.
  expect(peer.state).toBe('Active');
});
