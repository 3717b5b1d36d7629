import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareOptions, type PeerOptions } from '../../../src/bgp/session/options.ts';
import { IPV4_UNICAST } from '../../../src/bgp/wire/families.ts';
import { encodeNotification, encodeShutdownText } from '../../../src/bgp/wire/notification.ts';
import {
  DEFAULT_TIMERS,
  EMPTY_UPDATE,
  ip,
  message,
  type OptionChanges,
  peerOptions,
  rawOpen,
  World,
} from './harness.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const SECOND = 1000;
const CEASE = 6;

/** A peer that dials, and a raw speaker that listens. */
function dialling(changes: OptionChanges = {}) {
  const world = new World();
  const { peer, events } = world.speaker(A).peer(B, changes);
  const raw = world.raw(B);
  raw.listen();
  world.clock.settle();
  peer.start();
  world.clock.advance(10);
  return { world, peer, events, raw };
}

function up(changes: OptionChanges = {}) {
  const all = dialling(changes);
  all.world.clock.advance((changes.timers?.connectDelay ?? 0) * SECOND);
  const connection = all.raw.accepted[0]!;
  connection.open();
  connection.keepalive();
  all.world.clock.advance(10);
  expect(all.peer.state).toBe('Established');
  return { ...all, connection };
}

/** Milliseconds until the next connection arrives at the raw speaker. */
function untilNextDial({ world, raw }: ReturnType<typeof dialling>, limitMs = 1000 * SECOND): number {
  const before = raw.accepted.length;
  const start = world.clock.now();
  expect(world.clock.advanceUntil(() => raw.accepted.length > before, limitMs, 100)).toBe(true);
  return world.clock.now() - start;
}

describe('starting', () => {
  it('4271-8.2.2-2: dials at once, from the configured address', () => {
    const { raw } = dialling({ localAddress: ip(A) });
    expect(raw.accepted[0]?.socket?.remote.address).toEqual(ip(A));
    expect(raw.accepted[0]?.heard).toEqual(['open']);
  });

  it('waits the connect delay first, but listens meanwhile', () => {
    const all = dialling({ timers: { connectDelay: 5 } });
    expect(all.peer.state).toBe('Active');
    expect(untilNextDial(all)).toBeGreaterThan(3.7 * SECOND);
    const listening = dialling({ timers: { connectDelay: 5 } });
    const call = listening.raw.dial(A);
    listening.world.clock.advance(10);
    expect(call.heard).toEqual(['open']);
    expect(listening.peer.state).toBe('OpenSent');
  });

  it('4271-8.2.2-2: a passive peer never dials', () => {
    const { world, raw, peer } = dialling({ passive: true });
    world.clock.advance(1000 * SECOND);
    expect(peer.state).toBe('Active');
    expect(raw.accepted).toEqual([]);
  });

  it('4271-8.2.2-5: dials again when nobody answers for the ConnectRetryTime', () => {
    const world = new World();
    const { peer, events } = world.speaker(A).peer(B, { timers: { connectRetry: 10 } });
    const raw = world.raw(B);
    raw.listen();
    world.network.cut(ip(A), ip(B));
    peer.start();
    world.clock.advance(11 * SECOND);
    expect(peer.state).toBe('Connect');
    expect(peer.lastDown?.sentence).toContain('no answer');
    world.network.heal(ip(A), ip(B));
    world.clock.advance(11 * SECOND);
    expect(raw.accepted).toHaveLength(1);
    expect(peer.state).toBe('OpenSent');
    expect(events.states).toEqual(['Connect', 'OpenSent']);
  });

  it('4271-8.2.2-6: a refused dial leaves the peer listening, and dialling again later', () => {
    const world = new World();
    const { peer } = world.speaker(A).peer(B, { timers: { connectRetry: 20 } });
    const raw = world.raw(B);
    peer.start();
    world.clock.advance(10);
    expect(peer.state).toBe('Active');
    expect(peer.lastDown).toMatchObject({ cause: 'connect-failed', state: 'Connect' });
    expect(peer.lastDown?.sentence).toContain('ECONNREFUSED, nothing listens there');
    raw.listen();
    world.clock.advance(14 * SECOND);
    expect(raw.accepted).toHaveLength(0);
    world.clock.advance(7 * SECOND);
    expect(raw.accepted).toHaveLength(1);
  });

  it('4271-8.2.2-4: DelayOpen lets the peer speak first', () => {
    const world = new World();
    const { peer } = world.speaker(A).peer(B, { passive: true, timers: { delayOpen: 10 } });
    const raw = world.raw(B);
    peer.start();
    world.clock.advance(10);
    const quick = raw.dial(A);
    world.clock.advance(SECOND);
    expect(quick.heard).toEqual([]);
    quick.open();
    world.clock.advance(10);
    expect(quick.heard).toEqual(['open', 'keepalive']);
    expect(peer.state).toBe('OpenConfirm');
    quick.socket?.destroy();
    world.clock.advance(10);
    const slow = raw.dial(A);
    world.clock.advance(9 * SECOND);
    expect(slow.heard).toEqual([]);
    world.clock.advance(2 * SECOND);
    expect(slow.heard).toEqual(['open']);
  });
});

describe('trying again', () => {
  it('4271-8.1.1-1: waits longer after each failure, up to the maximum, and forgets', () => {
    const all = dialling({ timers: { errorWait: { min: 10, max: 60, forget: 100 } } });
    const fail = () => {
      all.raw.accepted.at(-1)?.send(message('keepalive'));
      all.world.clock.advance(10);
      expect(all.peer.state).toBe('Idle');
      return Math.round(untilNextDial(all) / SECOND);
    };
    expect([fail(), fail(), fail(), fail(), fail()]).toEqual([10, 20, 40, 60, 60]);
    expect(all.peer.retryCounter).toBe(5);
    const connection = all.raw.accepted.at(-1)!;
    connection.open({ holdTime: 0 });
    connection.keepalive();
    all.world.clock.advance(200 * SECOND);
    expect(all.peer.state).toBe('Established');
    connection.send(message('open', [4, 0, 0, 0, 0, 1, 1, 1, 1, 0]));
    all.world.clock.advance(10);
    expect(Math.round(untilNextDial(all) / SECOND)).toBe(10);
  });

  it('4271-8.2.2-1: while it waits in Idle, a connection of the peer is refused', () => {
    const { world, peer, raw } = dialling();
    raw.accepted[0]?.send(message('keepalive'));
    world.clock.advance(10);
    expect(peer.state).toBe('Idle');
    const call = raw.dial(A);
    world.clock.advance(10);
    expect(call.heard).toEqual([]);
    expect(call.closed).toBe(true);
  });

  it.each([2, 3, 5, 8])('4486-4-5: after Cease/%i the dials are damped, but the peer may call', (subcode) => {
    const all = up({ timers: { errorWait: { min: 100, max: 300, forget: 300 } } });
    all.connection.send(encodeNotification(CEASE, subcode));
    all.world.clock.advance(10);
    expect(all.peer.state).toBe('Active');
    all.world.clock.advance(70 * SECOND);
    expect(all.raw.accepted).toHaveLength(1);
    const call = all.raw.dial(A);
    all.world.clock.advance(10);
    call.open();
    call.keepalive();
    all.world.clock.advance(10);
    expect(all.peer.state).toBe('Established');
  });

  it.each([4, 6])('4486-4-2: after Cease/%i, a reset, the peer is tried soon', (subcode) => {
    const all = up({ timers: { connectDelay: 5 } });
    all.connection.send(encodeNotification(CEASE, subcode));
    expect(untilNextDial(all)).toBeLessThan(6 * SECOND);
  });

  it('a session lost without a NOTIFICATION is tried soon', () => {
    const all = up({ timers: { connectDelay: 5 } });
    all.world.network.reset(ip(A), ip(B));
    expect(untilNextDial(all)).toBeLessThan(6 * SECOND);
    expect(all.events.downs[0]?.sentence).toBe(
      'connection lost; ECONNRESET, the peer reset the connection; in Established',
    );
  });

  it('4271-8.1.1-1: a peer that comes and goes is not let in for a while, unless it stays once', () => {
    const all = up({ timers: { errorWait: { min: 60, max: 300, forget: 300 } } });
    /** Whether it is let in again after a session of so many seconds. */
    const comesBack = (seconds: number): boolean => {
      all.world.clock.advance(seconds * SECOND);
      all.world.network.reset(ip(A), ip(B));
      all.world.clock.advance(10);
      const call = all.raw.dial(A);
      all.world.clock.advance(10);
      call.open();
      call.keepalive();
      all.world.clock.advance(10);
      return all.peer.state === 'Established';
    };
    const sessions = [1, 1, 1, 1, 10, 1, 1, 1, 1, 1];
    expect(sessions.map(comesBack)).toEqual(sessions.map(() => true));
    expect(comesBack(1)).toBe(false);
    expect(all.peer.state).toBe('Idle');
    all.world.clock.advance(59 * SECOND);
    expect(all.peer.state).toBe('Idle');
    expect(Math.round(untilNextDial(all, 2 * SECOND) / SECOND)).toBeLessThanOrEqual(1);
  });

  /** The raw speaker answers what comes next with 2/4, and is called again soon. */
  function refuse(all: ReturnType<typeof dialling>) {
    all.raw.accepted.at(-1)!.send(encodeNotification(2, 4));
    untilNextDial(all, 10 * SECOND);
    all.world.clock.advance(10);
  }

  function comeUp({ raw, world, peer }: ReturnType<typeof dialling>) {
    const connection = raw.accepted.at(-1)!;
    connection.open();
    connection.keepalive();
    world.clock.advance(10);
    expect(peer.state).toBe('Established');
  }

  it('5492-3-2: a peer that goes on answering 2/4 gets an OPEN without capabilities', () => {
    const all = dialling();
    refuse(all);
    refuse(all);
    comeUp(all);
    expect(all.peer.localOpen.capabilities).toEqual([]);
    expect(all.peer.context?.families).toEqual([IPV4_UNICAST]);
  });

  it('5492-3-2: one 2/4 may be the answer to damaged octets, and costs the session nothing', () => {
    const all = dialling();
    const offered = all.peer.localOpen.capabilities;
    refuse(all);
    comeUp(all);
    expect(all.peer.localOpen.capabilities).toEqual(offered);
    all.world.network.reset(ip(A), ip(B));
    untilNextDial(all, 10 * SECOND);
    refuse(all);
    expect(all.peer.localOpen.capabilities).toEqual(offered);
  });

  it('5492-3-2: the session after one without capabilities begins with them, and one 2/4 is enough', () => {
    const all = dialling();
    refuse(all);
    refuse(all);
    comeUp(all);
    all.world.network.reset(ip(A), ip(B));
    untilNextDial(all, 10 * SECOND);
    all.world.clock.advance(10);
    expect(all.peer.localOpen.capabilities).not.toEqual([]);
    refuse(all);
    expect(all.peer.localOpen.capabilities).toEqual([]);
  });

  it('5492-3-2: a peer that wants an AS number of four octets gets it after it refused 23456', () => {
    const all = dialling();
    refuse(all);
    refuse(all);
    all.raw.accepted.at(-1)!.send(encodeNotification(2, 2));
    untilNextDial(all, 400 * SECOND);
    all.world.clock.advance(10);
    expect(all.peer.localOpen.capabilities).not.toEqual([]);
  });

  it('OpenSent + TCP failure: Active, and the next dial follows the ConnectRetryTime', () => {
    const all = dialling({ timers: { connectRetry: 20 } });
    all.raw.accepted[0]?.socket?.destroy();
    all.world.clock.advance(10);
    expect(all.peer.state).toBe('Active');
    expect(untilNextDial(all)).toBeGreaterThan(14 * SECOND);
  });
});

describe('admin commands', () => {
  it('4271-8.2.2-8, 9003-2-1: stop sends Cease/2 with the text, and the peer stays down', () => {
    const { world, peer, connection, raw, events } = up();
    peer.stop({ subcode: 2, text: 'maintenance until 10:00' });
    expect(peer.state).toBe('Idle');
    world.clock.advance(10);
    expect(connection.heard.slice(-2)).toEqual([
      'NOTIFICATION 6/2 Cease/Administrative Shutdown: "maintenance until 10:00"',
      'FIN',
    ]);
    expect(events.downs[0]).toMatchObject({ cause: 'admin-stop' });
    world.clock.advance(1000 * SECOND);
    expect(raw.accepted).toHaveLength(1);
    const call = raw.dial(A);
    world.clock.advance(10);
    expect(call.heard).toEqual(['NOTIFICATION 6/5 Cease/Connection Rejected', 'FIN']);
  });

  it('9003-2-1: a long text is cut to 128 octets at a character', () => {
    const { world, peer, connection } = up();
    peer.stop({ subcode: 2, text: 'é'.repeat(200) });
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain(`"${'é'.repeat(64)}"`);
  });

  it('9003-4-1: the text of the peer is in the reason and in the log', () => {
    const { world, connection, events } = up();
    connection.send(encodeNotification(CEASE, 2, encodeShutdownText('rack move')));
    world.clock.advance(10);
    expect(events.downs[0]?.sentence).toBe(
      'ended by the peer; received Cease/Administrative Shutdown: "rack move" (6/2); in Established',
    );
    expect(world.log.lines.filter((line) => line.includes('rack move'))).toHaveLength(1);
  });

  it('4486-4-2: reset sends Cease/4 and comes back', () => {
    const all = up({ timers: { connectDelay: 2 } });
    all.peer.reset({ subcode: 4, text: 'again' });
    expect(all.peer.adminUp).toBe(true);
    expect(untilNextDial(all)).toBeLessThan(3 * SECOND);
    expect(all.connection.heard.at(-2)).toBe('NOTIFICATION 6/4 Cease/Administrative Reset: "again"');
  });

  it('4486-4-1: a Cease of this speaker carries its data and backs off', () => {
    const { world, peer, connection } = up();
    peer.cease({ subcode: 1, data: Uint8Array.of(0, 1, 1, 0, 0, 0, 10) });
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain('NOTIFICATION 6/1 ');
    expect(peer.state).toBe('Idle');
    expect(peer.lastDown?.sent?.data).toEqual(Uint8Array.of(0, 1, 1, 0, 0, 0, 10));
  });

  it('start and stop in a row leave no connection and no timer', () => {
    const { world, peer } = dialling();
    for (let i = 0; i < 5; i++) {
      peer.stop();
      peer.start();
    }
    peer.stop();
    world.clock.advance(10 * SECOND);
    expect(world.network.connections(ip(A), ip(B))).toBe(0);
    expect(world.clock.pending).toBe(0);
  });

  it('a defect of whoever hears of the end does not keep the peer from going on', () => {
    const all = up({ timers: { connectDelay: 1 } });
    all.events.onDown = () => {
      throw new TypeError('defect');
    };
    all.world.network.reset(ip(A), ip(B));
    expect(untilNextDial(all)).toBeLessThan(2 * SECOND);
    expect(all.world.log.lines).toContain('error defect while handling news of a peer');
  });

  it('a defect while its OPEN is made costs the connection, and it goes on', () => {
    let defects = 1;
    const flags = () => {
      if (defects-- > 0) throw new TypeError('defect');
      return { restarting: false, forwarding: [] };
    };
    const gracefulRestart = { restartTime: 10, families: [], notification: false, flags };
    const all = dialling({ capabilities: { gracefulRestart } });
    expect(all.peer.lastDown).toMatchObject({ cause: 'internal-error', state: 'OpenSent' });
    untilNextDial(all, 100 * SECOND);
    all.world.clock.advance(10);
    expect(all.raw.accepted[1]?.heard).toEqual(['open']);
  });

  it('may be stopped by whoever hears that it came up', () => {
    const world = new World();
    const { peer, events } = world.speaker(A).peer(B, { passive: true });
    events.onUpHook = (session) => session.peer.stop();
    const raw = world.raw(B);
    peer.start();
    world.clock.advance(10);
    const call = raw.dial(A);
    world.clock.advance(10);
    call.open();
    call.keepalive();
    call.send(EMPTY_UPDATE);
    world.clock.advance(10);
    expect(events.news).toEqual(['up', 'down admin-stop']);
    expect(events.updates).toEqual([]);
    expect(peer.session).toBeUndefined();
  });
});

describe('changed options', () => {
  const before = peerOptions(B);
  const change = (changes: Partial<PeerOptions>) => compareOptions(before, { ...before, ...changes });

  it('knows what a session can live with', () => {
    const password = { reveal: () => 'a' };
    expect(change({})).toBe('unchanged');
    expect(change({ passive: true })).toBe('soft');
    expect(change({ timers: { ...DEFAULT_TIMERS, connectRetry: 1 } })).toBe('soft');
    expect(change({ password })).toBe('soft');
    expect(compareOptions({ ...before, password }, { ...before, password: { reveal: () => 'a' } })).toBe(
      'unchanged',
    );
    expect(change({ timers: { ...DEFAULT_TIMERS, hold: 30 } })).toBe('reset');
    expect(change({ families: [] })).toBe('reset');
    expect(change({ remoteAs: 1 })).toBe('reset');
  });

  it('4486-4-2: resets with Cease/6 only where it must', () => {
    const { world, peer, connection, events } = up();
    peer.replaceOptions({ ...peer.options, passive: true });
    world.clock.advance(10);
    expect(events.downs).toEqual([]);
    peer.replaceOptions({ ...peer.options, remoteAs: 65000 });
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain('NOTIFICATION 6/6 Cease/Other Configuration Change');
    expect(peer.adminUp).toBe(true);
  });
});

describe('changed options while there is no session', () => {
  it('a peer that is passive no longer dials at once', () => {
    const { world, raw, peer } = dialling({ passive: true });
    world.clock.advance(60 * SECOND);
    expect(raw.accepted).toHaveLength(0);
    expect(peer.replaceOptions({ ...peer.options, passive: false })).toBe('soft');
    world.clock.advance(10);
    expect(raw.accepted).toHaveLength(1);
  });

  it('2385-2-1: a new password is used for the next dial at once', () => {
    const world = new World();
    const secret = (text: string) => ({ reveal: () => text });
    const { peer } = world.speaker(A).peer(B, { password: secret('wrong') });
    const other = world.speaker(B);
    const { peer: passive } = other.peer(A, { passive: true, password: secret('right') });
    passive.start();
    peer.start();
    world.clock.advance(10 * SECOND);
    expect(peer.state).toBe('Connect');
    peer.replaceOptions({ ...peer.options, password: secret('right') });
    world.clock.advance(SECOND);
    expect([peer.state, passive.state]).toEqual(['Established', 'Established']);
  });
});

describe('collision', () => {
  /** Both sides dial at the same moment. */
  function crossing(latencyMs: number, idA: number, idB: number) {
    const world = new World({ latencyMs });
    const a = world.speaker(A).peer(B, { routerId: idA });
    const b = world.speaker(B).peer(A, { routerId: idB });
    world.clock.settle();
    a.peer.start();
    b.peer.start();
    return { world, a, b };
  }

  it.each([
    ['the caller', 1, 2],
    ['the called', 2, 1],
  ])('4271-6.8-1, 4271-6.8-2: one of two crossing connections survives (%s)', (_who, idA, idB) => {
    const { world, a, b } = crossing(5, idA, idB);
    world.clock.advance(30 * SECOND);
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established']);
    expect(world.network.connections(ip(A), ip(B))).toBe(1);
    expect([...a.events.news, ...b.events.news]).toEqual(['up', 'up']);
    // The connection that the higher identifier opened.
    const dialler = a.peer.session?.localAddress;
    expect(dialler).toEqual(ip(A));
    expect(a.peer.downCount).toBe(0);
  });

  it('4271-8.2.2-12, 4271-6.8-3: a second connection is tracked until its OPEN, then closed with 6/7', () => {
    const { world, raw, events } = up();
    const second = raw.dial(A);
    world.clock.advance(10 * SECOND);
    expect(second.heard).toEqual(['open']);
    second.open();
    world.clock.advance(10);
    expect(second.heard.slice(-2)).toEqual(['NOTIFICATION 6/7 Cease/Connection Collision Resolution', 'FIN']);
    expect(events.news).toEqual(['up']);
  });

  const restart = { restartTime: 60, families: [], notification: false };
  const gracefulRestart = { ...restart, flags: () => ({ restarting: false, forwarding: [] }) };
  const capability = { kind: 'graceful-restart' as const, restarting: false, ...restart };

  it('4724: with graceful restart agreed on, the new connection of a restarted peer wins, silently', () => {
    const { world, raw, peer, events } = dialling({ capabilities: { gracefulRestart } });
    const old = raw.accepted[0]!;
    old.send(rawOpen({ capabilities: [capability] }));
    old.keepalive();
    world.clock.advance(10);
    const heard = old.heard.length;
    const fresh = raw.dial(A);
    world.clock.advance(10);
    fresh.send(rawOpen({ capabilities: [{ ...capability, restarting: true }] }));
    fresh.keepalive();
    world.clock.advance(10);
    expect(old.heard.slice(heard)).toEqual(['FIN']);
    expect(events.news).toEqual(['up', 'down peer-restarted', 'up']);
    expect(peer.state).toBe('Established');
  });

  it('4271-6.8-3: one that was begun before the session was up is no sign of a restart', () => {
    const { world, raw, peer, events } = dialling({ capabilities: { gracefulRestart } });
    const crossing = raw.dial(A);
    world.clock.advance(10);
    const first = raw.accepted[0]!;
    first.send(rawOpen({ capabilities: [capability] }));
    first.keepalive();
    world.clock.advance(10);
    crossing.send(rawOpen({ capabilities: [capability] }));
    world.clock.advance(10);
    expect(crossing.heard.at(-2)).toContain('NOTIFICATION 6/7');
    expect([peer.state, events.news]).toEqual(['Established', ['up']]);
  });

  it.each([
    [2000, false, false, ['up']],
    [4000, false, false, ['up', 'down peer-restarted']],
    [2000, false, true, ['up', 'down peer-restarted']],
    [2000, true, true, ['up']],
    [4000, true, true, ['up', 'down peer-restarted']],
  ])('4724: a call %i ms after the session came up, R bits %s and %s', (ms, before, restarting, news) => {
    const { world, raw, events } = dialling({ capabilities: { gracefulRestart } });
    const first = raw.accepted[0]!;
    first.send(rawOpen({ capabilities: [{ ...capability, restarting: before }] }));
    first.keepalive();
    world.clock.advance(ms);
    const second = raw.dial(A);
    world.clock.advance(10);
    second.send(rawOpen({ capabilities: [{ ...capability, restarting }] }));
    world.clock.advance(10);
    expect(events.news).toEqual(news);
  });

  it('4724: a call does not cross another one of the same side, however soon after it', () => {
    const { world, raw, events } = dialling({ passive: true, capabilities: { gracefulRestart } });
    for (let calls = 0; calls < 2; calls++) {
      const connection = raw.dial(A);
      world.clock.advance(10);
      connection.send(rawOpen({ capabilities: [capability] }));
      connection.keepalive();
      world.clock.advance(10);
    }
    expect(events.news).toEqual(['up', 'down peer-restarted', 'up']);
  });

  it('a pending dial is given up when the call of the peer is established', () => {
    const world = new World();
    const { peer } = world.speaker(A).peer(B);
    const raw = world.raw(B);
    world.network.cut(ip(A), ip(B));
    peer.start();
    world.clock.advance(10);
    world.network.heal(ip(A), ip(B));
    const call = raw.dial(A);
    world.clock.advance(10);
    call.open();
    call.keepalive();
    world.clock.advance(10);
    expect(peer.state).toBe('Established');
    world.clock.advance(60 * SECOND);
    expect(world.network.connections(ip(A), ip(B))).toBe(1);
    // The connection that took over inherits the duty to dial.
    raw.listen();
    call.socket?.destroy();
    world.clock.advance(2 * SECOND);
    expect(raw.accepted).toHaveLength(1);
  });

  it('the machine of a lost connection does not dial behind the back of the one that is left', () => {
    const { world, raw, peer } = dialling({ timers: { connectRetry: 10 } });
    const call = raw.dial(A);
    world.clock.advance(10);
    raw.accepted[0]?.socket?.destroy();
    world.clock.advance(10);
    expect(peer.state).toBe('OpenSent');
    world.clock.advance(100 * SECOND);
    expect(raw.accepted).toHaveLength(1);
    call.open();
    call.keepalive();
    world.clock.advance(10);
    expect(peer.state).toBe('Established');
    expect(peer.downCount).toBe(0);
  });

  it('an Established second connection outlives the first, and a third', () => {
    const { world, raw, peer, events } = dialling();
    const second = raw.dial(A);
    world.clock.advance(10);
    second.open();
    second.keepalive();
    world.clock.advance(10);
    expect(peer.state).toBe('Established');
    const third = raw.dial(A);
    world.clock.advance(10);
    expect(raw.accepted[0]?.heard.at(-2)).toContain('NOTIFICATION 6/7');
    third.open();
    world.clock.advance(10);
    expect(third.heard.at(-2)).toContain('NOTIFICATION 6/7');
    second.send(EMPTY_UPDATE);
    world.clock.advance(10);
    expect([peer.state, events.updates.length, events.news]).toEqual(['Established', 1, ['up']]);
  });

  it('always ends with one session, whatever the timing and the identifiers', () => {
    const run = fc.record({
      idA: fc.integer({ min: 1, max: 0xffffffff }),
      idB: fc.integer({ min: 1, max: 0xffffffff }),
      asB: fc.constantFrom(64512, 64513),
      latencyMs: fc.integer({ min: 1, max: 50 }),
      lagMs: fc.integer({ min: 0, max: 300 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(run, ({ idA, idB, asB, latencyMs, lagMs, seed }) => {
        fc.pre(idA !== idB || asB !== 64512);
        const world = new World({ latencyMs }, seed);
        const timers = { connectDelay: 2, connectRetry: 5 };
        const a = world.speaker(A).peer(B, { routerId: idA, remoteAs: asB, timers });
        const b = world.speaker(B).peer(A, { routerId: idB, localAs: asB, remoteAs: 64512, timers });
        a.peer.start();
        world.clock.advance(lagMs);
        b.peer.start();
        world.clock.advance(120 * SECOND);
        expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established']);
        expect(world.network.connections(ip(A), ip(B))).toBe(1);
      }),
      { numRuns: 200 },
    );
  });
});

describe('whatever happens', () => {
  it('two peers find each other again, and nothing is left over', () => {
    const fault = fc.constantFrom('reset', 'cut', 'heal', 'stopA', 'startA', 'resetB', 'wait', 'garbage');
    const script = fc.array(fc.tuple(fault, fc.integer({ min: 0, max: 20_000 })), { maxLength: 25 });
    fc.assert(
      fc.property(script, fc.nat(), (steps, seed) => {
        const world = new World({ latencyMs: 3 }, seed);
        const timers = {
          hold: 9,
          connectDelay: 1,
          connectRetry: 5,
          errorWait: { min: 2, max: 20, forget: 30 },
        };
        const a = world.speaker(A).peer(B, { timers });
        const b = world.speaker(B).peer(A, { timers });
        a.peer.start();
        b.peer.start();
        const actions: Record<(typeof steps)[number][0], () => void> = {
          reset: () => world.network.reset(ip(A), ip(B)),
          cut: () => world.network.cut(ip(A), ip(B)),
          heal: () => world.network.heal(ip(A), ip(B)),
          stopA: () => a.peer.stop(),
          startA: () => a.peer.start(),
          resetB: () => b.peer.reset(),
          wait: () => {},
          garbage: () => a.events.session?.send([message('open', [4])]),
        };
        for (const [name, ms] of steps) {
          actions[name]();
          world.clock.advance(ms);
          for (const { events, peer } of [a, b]) {
            // Ups and downs alternate, and a session is there exactly while Established.
            const ups = events.news.filter((n) => n === 'up').length;
            const downs = events.downs.length;
            expect(ups - downs).toBe(peer.state === 'Established' ? 1 : 0);
            expect(peer.session !== undefined).toBe(peer.state === 'Established');
          }
        }
        actions.heal();
        actions.startA();
        world.clock.advance(300 * SECOND);
        expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established']);
        expect(world.network.connections(ip(A), ip(B))).toBe(1);
        a.peer.stop();
        b.peer.stop();
        world.clock.advance(200 * SECOND);
        expect(world.network.connections(ip(A), ip(B))).toBe(0);
        expect(world.clock.pending).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
