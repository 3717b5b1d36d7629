import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { encodeNotification, NotificationError } from '../../../src/bgp/wire/notification.ts';
import {
  A,
  against,
  B,
  EMPTY_UPDATE,
  established,
  ip,
  message,
  type OptionChanges,
  rawOpen,
  World,
} from './harness.ts';

const SECOND = 1000;

function pair(a: OptionChanges = {}, b: OptionChanges = {}) {
  const world = new World();
  const left = world.speaker(A);
  const right = world.speaker(B);
  return { world, a: left.peer(B, a), b: right.peer(A, b), left, right };
}

describe('a session between two peers', () => {
  it('4271-4.2-1, 4271-8.2.2-9, -13: comes up, and both sides agree', () => {
    const { world, a, b } = pair({ timers: { hold: 30 } }, { timers: { hold: 90 } });
    a.peer.start();
    b.peer.start();
    world.clock.advance(SECOND);
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established']);
    expect([a.peer.holdTime, b.peer.holdTime]).toEqual([30, 30]);
    expect(a.peer.keepaliveTime).toBe(10);
    expect(a.peer.context?.families).toEqual([IPV4_UNICAST, IPV6_UNICAST]);
    expect(a.peer.remoteOpen?.capabilities).toEqual(b.peer.localOpen.capabilities);
    expect(a.peer.establishedCount).toBe(1);
    expect(a.events.news).toEqual(['up']);
  });

  it('4271-8.2.2-15: stays up for an hour on KEEPALIVEs alone, with no more than needed', () => {
    const { world, a, b } = pair({ timers: { hold: 9 } });
    a.peer.start();
    b.peer.start();
    world.clock.advance(3600 * SECOND);
    expect(a.events.news).toEqual(['up']);
    const { sent, received } = a.peer.counters.view();
    expect(sent.keepalive).toBeGreaterThanOrEqual(1200);
    expect(sent.keepalive).toBeLessThan(1700);
    expect(received.keepalive).toBeGreaterThan(1100);
  });

  it('4271-4.4-1: never more than one KEEPALIVE a second', () => {
    const { world, connection } = established({ timers: { hold: 3 } }, { holdTime: 3 });
    const before = connection.heard.filter((m) => m === 'keepalive').length;
    for (let i = 0; i < 60; i++) {
      connection.keepalive();
      world.clock.advance(SECOND);
    }
    const count = connection.heard.filter((m) => m === 'keepalive').length - before;
    expect(count).toBeGreaterThanOrEqual(55);
    expect(count).toBeLessThanOrEqual(60);
  });

  it('4271-4.4-2: a hold time of 0 means no KEEPALIVE and no hold timer', () => {
    const { world, connection, peer } = established({}, { holdTime: 0 });
    const heard = connection.heard.length;
    world.clock.advance(3600 * SECOND);
    expect(peer.state).toBe('Established');
    expect(connection.heard).toHaveLength(heard);
  });

  it('4271-8.2.2-15: an UPDATE sent stands for a KEEPALIVE', () => {
    const { world, connection, events } = established({ timers: { hold: 30 } });
    const before = connection.heard.filter((m) => m === 'keepalive').length;
    for (let i = 0; i < 100; i++) {
      events.session?.send([EMPTY_UPDATE]);
      connection.keepalive();
      world.clock.advance(2 * SECOND);
    }
    expect(connection.heard.filter((m) => m === 'keepalive')).toHaveLength(before);
    expect(connection.heard.filter((m) => m === 'update')).toHaveLength(100);
  });

  it('hands on UPDATEs and ROUTE-REFRESH, and only those of agreed families', () => {
    const capabilities = [{ kind: 'route-refresh' as const }];
    const { world, connection, events } = established({}, { capabilities });
    connection.send(EMPTY_UPDATE, EMPTY_UPDATE, message('routeRefresh', [0, 1, 0, 1]));
    connection.send(message('routeRefresh', [0, 2, 0, 1]));
    world.clock.advance(10);
    expect(events.updates).toEqual([23, 23]);
    expect(events.news).toEqual(['up', 'refresh ipv4-unicast 0']);
  });

  it('2918-4-2: asks for a refresh only a peer that can', () => {
    const able = established({}, { capabilities: [{ kind: 'route-refresh' }] });
    expect(able.events.session?.requestRefresh(IPV4_UNICAST)).toBe(true);
    expect(able.events.session?.requestRefresh(IPV6_UNICAST)).toBe(false);
    able.world.clock.advance(10);
    expect(able.connection.heard.at(-1)).toBe('routeRefresh');
    const unable = established();
    expect(unable.events.session?.requestRefresh(IPV4_UNICAST)).toBe(false);
  });

  it('5492-3-3: a peer without capabilities speaks IPv4 unicast and nothing else', () => {
    const { events } = established();
    const context = events.session?.context;
    expect(context?.families).toEqual([IPV4_UNICAST]);
    expect([context?.as4, context?.routeRefresh, context?.sendLimit]).toEqual([false, false, 4096]);
  });
});

describe('errors end the session with their NOTIFICATION', () => {
  it('4271-8.2.2-17: a header error in Established is 1/x, not 5/x', () => {
    const { world, connection, events, peer } = established();
    const bad = EMPTY_UPDATE.slice();
    bad[3] = 0;
    connection.send(bad);
    world.clock.advance(10);
    expect(connection.heard.slice(-2)).toEqual([
      'NOTIFICATION 1/1 Message Header Error/Connection Not Synchronized',
      'FIN',
    ]);
    expect(events.downs[0]).toMatchObject({ cause: 'notification-sent', state: 'Established' });
    expect(peer.state).toBe('Idle');
  });

  it.each([
    ['OpenSent', 'keepalive', '5/1'],
    ['OpenSent', 'update', '5/1'],
    ['OpenConfirm', 'update', '5/2'],
    ['OpenConfirm', 'open', '5/2'],
    ['Established', 'open', '5/3'],
  ] as const)('6608-4: %s + %s -> %s', (state, type, answer) => {
    const { world, connection, peer } = against();
    if (state !== 'OpenSent') connection.open();
    if (state === 'Established') connection.keepalive();
    world.clock.advance(10);
    expect(peer.state).toBe(state);
    const bytes = { keepalive: message('keepalive'), update: EMPTY_UPDATE, open: rawOpen() };
    connection.send(bytes[type]);
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain(`NOTIFICATION ${answer} `);
  });

  it.each([
    ['4271-6.2-2', { myAs: 64999 }, '2/2'],
    ['6286-2.2-1', { id: 0 }, '2/3'],
    ['4271-6.2-3', { holdTime: 2 }, '2/6'],
  ])('%s: an OPEN that does not suit is answered with %j', (_id, open, answer) => {
    const { world, connection, peer } = against();
    connection.open(open);
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain(`NOTIFICATION ${answer} `);
    expect(peer.lastDown?.sentence).toContain(`(${answer})`);
    expect(peer.retryCounter).toBe(1);
  });

  it('4271-6.2-4: a hold time below the configured minimum is refused', () => {
    const { world, connection } = against({ timers: { minHold: 30 } });
    connection.open({ holdTime: 10 });
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain('NOTIFICATION 2/6 ');
  });

  it('4271-6.2-4: nor may keepalives be wanted too often', () => {
    const answerTo = (holdTime: number): string | undefined => {
      const { world, connection } = against({ timers: { minKeepalive: 5 } });
      connection.open({ holdTime });
      world.clock.advance(10);
      return connection.heard.at(-2);
    };
    expect(answerTo(14)).toContain('NOTIFICATION 2/6 ');
    for (const accepted of [15, 0]) expect(answerTo(accepted)).not.toContain('NOTIFICATION');
  });

  it('4271-8.2.2: the OPEN may take as long as configured', () => {
    const silent = (openHold: number, seconds: number): boolean => {
      const { world, connection } = against({ timers: { openHold } });
      world.clock.advance(seconds * SECOND);
      return connection.heard.join().includes('NOTIFICATION 4/0');
    };
    expect([silent(10, 9), silent(10, 11), silent(0, 3600)]).toEqual([false, true, false]);
  });

  it('5492-5-1: a required family that is missing is refused with 2/7', () => {
    const { world, connection } = against({
      required: { capabilities: [], families: [IPV6_UNICAST], addPath: [], extendedNextHop: [] },
    });
    connection.open();
    world.clock.advance(10);
    expect(connection.heard.at(-2)).toContain('NOTIFICATION 2/7 ');
  });

  it('`external` refuses the own AS and takes any other', () => {
    const own = against({ remoteAs: 'external' });
    own.connection.open();
    own.world.clock.advance(10);
    expect(own.connection.heard.at(-2)).toContain('NOTIFICATION 2/2 ');
    expect(established({ remoteAs: 'external' }, { myAs: 65001 }).peer.context?.peerAs).toBe(65001);
  });

  it('an error thrown by the layer above is answered, a defect costs one session only', () => {
    const answered = established();
    answered.events.onUpdateHook = () => {
      throw new NotificationError(3, 1);
    };
    answered.connection.send(EMPTY_UPDATE, EMPTY_UPDATE);
    answered.world.clock.advance(10);
    expect(answered.connection.heard.at(-2)).toContain('NOTIFICATION 3/1 ');
    expect(answered.events.updates).toHaveLength(1);

    const defect = established();
    defect.events.onUpdateHook = () => {
      throw new TypeError('undefined is not a function');
    };
    defect.connection.send(EMPTY_UPDATE);
    defect.world.clock.advance(10);
    expect(defect.connection.heard.at(-2)).toContain('NOTIFICATION 6/8 Cease/Out of Resources');
    expect(defect.events.downs[0]?.cause).toBe('internal-error');
    expect(defect.world.log.lines.some((line) => line.startsWith('error defect'))).toBe(true);
  });

  it('4271-6.4-1: a NOTIFICATION, even a senseless one, is logged and never answered', () => {
    const { world, connection, events } = established();
    connection.send(encodeNotification(99, 99, Uint8Array.of(1)));
    world.clock.advance(10);
    expect(connection.heard.filter((m) => m.startsWith('NOTIFICATION'))).toEqual([]);
    expect(connection.heard.at(-1)).toBe('FIN');
    expect(events.downs[0]?.sentence).toContain('received Unknown Error 99/99 (99/99)');
  });
});

describe('hold timer', () => {
  it('4271-6.5-1: silence for the hold time -> 4/0', () => {
    const { world, connection, events } = established({ timers: { hold: 9 } });
    world.clock.advance(8.9 * SECOND);
    expect(events.downs).toEqual([]);
    world.clock.advance(0.3 * SECOND);
    expect(connection.heard.at(-2)).toContain('NOTIFICATION 4/0 Hold Timer Expired');
    expect(events.downs[0]?.sentence).toBe(
      'hold timer expired (nothing received for 9 s); sent Hold Timer Expired (4/0); ' +
        'last heard keepalive 9.1 s ago, last sent 1.4 s ago, 0 octets queued; in Established',
    );
  });

  it('4271-8.2.2-10: no OPEN for four minutes -> 4/0', () => {
    const { world, connection, peer } = against();
    world.clock.advance(239 * SECOND);
    expect(peer.state).toBe('OpenSent');
    world.clock.advance(2 * SECOND);
    expect(connection.heard.at(-2)).toContain('NOTIFICATION 4/0');
  });

  it('any message keeps the session, UPDATEs alone too', () => {
    const { world, connection, peer } = established({ timers: { hold: 3 } });
    for (let i = 0; i < 20; i++) {
      connection.send(EMPTY_UPDATE);
      world.clock.advance(2.5 * SECOND);
    }
    expect(peer.state).toBe('Established');
  });

  it('does not fire while this side has paused reading', () => {
    const { world, connection, peer, events } = established({ timers: { hold: 3 } });
    events.session?.pauseReading();
    connection.send(EMPTY_UPDATE);
    world.clock.advance(60 * SECOND);
    expect(peer.state).toBe('Established');
    expect(events.updates).toEqual([]);
    events.session?.resumeReading();
    world.clock.advance(SECOND);
    expect(events.updates).toEqual([23]);
    world.clock.advance(5 * SECOND);
    expect(events.downs[0]?.cause).toBe('hold-timer');
  });

  it('a busy thread is not a silent peer: what waits in the socket is read first', () => {
    const { world, connection, peer } = established({ timers: { hold: 9 } });
    // The KEEPALIVE is there, but the thread that would read it is stuck until after the timer is due.
    world.network.cut(ip(A), ip(B));
    connection.keepalive();
    world.clock.advance(9 * SECOND);
    world.network.heal(ip(A), ip(B));
    world.clock.advance(SECOND);
    expect(peer.state).toBe('Established');
  });

  it('4271-8.2.2-16: a half-open connection is found by the hold timer alone', () => {
    const { world, a, b } = pair({ timers: { hold: 9 } }, { timers: { hold: 9 } });
    a.peer.start();
    b.peer.start();
    world.clock.advance(SECOND);
    world.network.cut(ip(A), ip(B));
    world.clock.advance(20 * SECOND);
    expect(a.events.downs[0]?.cause).toBe('hold-timer');
    expect(b.events.downs[0]?.cause).toBe('hold-timer');
    world.network.heal(ip(A), ip(B));
    world.clock.advance(70 * SECOND);
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established']);
  });
});

describe('send queue', () => {
  it('says stop above the high-water mark and go on below the low one', () => {
    const { world, connection, events } = established();
    connection.socket?.pause();
    const session = events.session!;
    // Chunks of whole messages, 23 octets each.
    const chunk = new Uint8Array(23 * 1000);
    for (let i = 0; i < 1000; i++) chunk.set(EMPTY_UPDATE, i * 23);
    let sends = 0;
    while (session.send([chunk])) sends++;
    expect(sends).toBeGreaterThan(40);
    expect(session.congested).toBe(true);
    expect(session.queuedBytes).toBeGreaterThan(1024 * 1024);
    world.clock.advance(SECOND);
    expect(events.news).toEqual(['up']);
    connection.socket?.resume();
    world.clock.advance(SECOND);
    expect(events.news).toEqual(['up', 'drain']);
    expect(session.congested).toBe(false);
    expect(session.queuedBytes).toBe(0);
    expect(connection.heard.filter((m) => m === 'update')).toHaveLength((sends + 1) * 1000);
  });

  it('9687-3-1: a peer that stops reading is dropped after the send hold time', () => {
    const { world, connection, events } = established({ timers: { sendHold: 480 } });
    connection.socket?.pause();
    events.session?.send([new Uint8Array(0), ...Array.from({ length: 5000 }, () => EMPTY_UPDATE)]);
    for (let i = 0; i < 47; i++) {
      connection.keepalive();
      world.clock.advance(10 * SECOND);
    }
    expect(events.downs).toEqual([]);
    connection.keepalive();
    world.clock.advance(15 * SECOND);
    expect(events.downs[0]).toMatchObject({ cause: 'send-hold-timer' });
    expect(events.downs[0]?.sent).toMatchObject({ code: 8, subcode: 0 });
    world.clock.advance(10 * SECOND);
    expect(world.network.connections(ip(A), ip(B))).toBe(0);
  });

  it('9687-3-1: a slow reader is not a stopped one', () => {
    const { world, connection, events, peer } = established({ timers: { sendHold: 480 } });
    connection.socket?.pause();
    for (let i = 0; i < 40; i++) {
      // Every write gets through, though each one late.
      events.session?.send(Array.from({ length: 4000 }, () => EMPTY_UPDATE));
      connection.keepalive();
      world.clock.advance(60 * SECOND);
      connection.socket?.resume();
      world.clock.advance(SECOND);
      connection.socket?.pause();
    }
    expect(peer.state).toBe('Established');
  });
});
