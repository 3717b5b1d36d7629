// Which session a packet belongs to, and what is discarded, packet by packet.

import { beforeEach, describe, expect, it } from 'vitest';
import { BfdEngine } from '../../src/bfd/engine.ts';
import { type ControlPacket, decodePacket, emptyPacket, encodePacket } from '../../src/bfd/packet.ts';
import type { SessionReport } from '../../src/bfd/service.ts';
import type { SessionOptions } from '../../src/bfd/session.ts';
import { seededRandom } from '../../src/sim/random.ts';
import { ip, MS, sessionOptions } from '../support/bfd-network.ts';

interface Case {
  readonly from?: string;
  readonly to?: string;
  readonly ifindex?: number;
  readonly multihop?: boolean;
}

let engine: BfdEngine;
let reports: SessionReport[];
let sent: ControlPacket[];
let now: number;

beforeEach(() => {
  reports = [];
  sent = [];
  now = 1000;
  engine = new BfdEngine({
    random: seededRandom(1),
    onReport: (report) => reports.push(report),
    transport: {
      open: (path) => ({
        ifindex: path.interface === undefined ? undefined : Number(path.interface.slice(3)),
        send: (bytes) => {
          const packet = emptyPacket();
          decodePacket(new DataView(bytes.buffer), 0, bytes.length, packet);
          sent.push(packet);
          return undefined;
        },
        close: () => {},
      }),
      interfaceName: (ifindex) => `eth${ifindex}`,
    },
  });
});

function add(
  id: number,
  remote: string,
  path: { interface?: string; local?: string; multihop?: boolean } = {},
  options: Partial<SessionOptions> = {},
) {
  const local = path.local === undefined ? undefined : ip(path.local);
  engine.add(
    id,
    {
      ...sessionOptions(options),
      path: { remote: ip(remote), local, interface: path.interface, multihop: path.multihop ?? false },
    },
    now,
  );
}

function receive(
  changes: Partial<ControlPacket>,
  { from = '10.0.0.2', to = '10.0.0.1', ifindex = 2, multihop = false }: Case = {},
) {
  const packet: ControlPacket = {
    ...emptyPacket(),
    detectMultiplier: 3,
    length: 24,
    myDiscriminator: 77,
    desiredMinTx: 1000 * MS,
    requiredMinRx: 100 * MS,
    ...changes,
  };
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  encodePacket(packet, view, 0);
  engine.receive({ bytes, view, start: 0, end: 24, multihop, remote: ip(from), local: ip(to), ifindex }, now);
}

const last = (id: number) => reports.filter((report) => report.id === id).at(-1)!;

describe('an initial packet', () => {
  it('5881-3-1: belongs to the session with the sender, on its interface, of its protocol', () => {
    add(1, '10.0.0.2', { interface: 'eth2' });
    add(2, '10.0.0.2', { interface: 'eth3' });
    add(3, 'fe80::2', { interface: 'eth2' });
    receive({ state: 'Down' }, { ifindex: 3 });
    expect([last(1).state, last(2).state, last(3).state]).toEqual(['Down', 'Init', 'Down']);
    receive({ state: 'Down' }, { ifindex: 4 });
    expect(engine.strangers).toBe(1);
    receive({ state: 'Down' }, { from: 'fe80::2', to: 'fe80::1' });
    expect([last(1).state, last(3).state]).toEqual(['Down', 'Init']);
    expect(last(3)).toMatchObject({ ifindex: 2, interface: 'eth2' });
  });

  it('of a single hop may come to any own address, where no interface is configured', () => {
    add(1, '10.0.0.2');
    receive({ state: 'Down' }, { to: '192.0.2.1', ifindex: 9 });
    expect(last(1)).toMatchObject({ state: 'Init', interface: 'eth9' });
  });

  it('goes by the own address on a link, too, where one is configured', () => {
    add(1, '10.0.0.2', { local: '10.0.0.9' });
    add(2, '10.0.0.2', { local: '10.0.0.1' });
    receive({ state: 'Down' });
    expect([last(1).state, last(2).state]).toEqual(['Down', 'Init']);
  });

  it('5883-5-1: over several hops it is matched by the pair of addresses', () => {
    add(1, '10.0.0.2', { multihop: true, local: '10.9.0.1' });
    add(2, '10.0.0.2', { multihop: true, local: '10.9.0.2' });
    receive({ state: 'Down' }, { multihop: true, to: '10.9.0.2' });
    expect([last(1).state, last(2).state]).toEqual(['Down', 'Init']);
    receive({ state: 'Down' }, { multihop: true, to: '10.9.0.3' });
    expect(engine.strangers).toBe(1);
  });

  it.each(['Init', 'Up'] as const)('5880-6.8.6-2: that says %s is discarded', (state) => {
    add(1, '10.0.0.2');
    receive({ state });
    expect(last(1)).toMatchObject({
      state: 'Down',
      remoteDiscriminator: 0,
      problem: 'packets that name no session and are not Down',
    });
  });

  it('5880-6.8.6-2: AdminDown is taken, and the session stays Down', () => {
    add(1, '10.0.0.2');
    receive({ state: 'AdminDown' });
    expect(last(1)).toMatchObject({ state: 'Down', remoteState: 'AdminDown', remoteDiscriminator: 77 });
  });
});

describe('a packet with a discriminator', () => {
  it('5880-6.8.6-2: belongs to that session alone, wherever it comes from', () => {
    add(1, '10.0.0.2', { interface: 'eth2' });
    add(2, '10.0.0.3');
    receive(
      { state: 'Down', yourDiscriminator: last(1).localDiscriminator },
      { from: '10.0.0.3', ifindex: 5 },
    );
    expect([last(1).state, last(2).state]).toEqual(['Init', 'Down']);
  });

  it('5880-6.8.6-2: that nobody has is discarded', () => {
    add(1, '10.0.0.2');
    receive({ state: 'Down', yourDiscriminator: (last(1).localDiscriminator + 1) % 2 ** 32 });
    expect(last(1).state).toBe('Down');
    expect(engine.strangers).toBe(1);
  });

  it('5881-5-1: does not reach a single-hop session by the port for many hops, which has no check of the TTL', () => {
    add(1, '10.0.0.2');
    receive({ state: 'Down', yourDiscriminator: last(1).localDiscriminator }, { multihop: true });
    expect(last(1)).toMatchObject({
      state: 'Down',
      problem: 'packets for this session from another kind of path',
    });
  });
});

describe('authentication bit', () => {
  const key = { type: 'sha1', keys: [{ id: 1, secret: new Uint8Array([1]) }] } as const;

  it('5880-6.8.6-1: set, and none configured', () => {
    add(1, '10.0.0.2');
    const bytes = new Uint8Array(52);
    const view = new DataView(bytes.buffer);
    encodePacket(
      { ...emptyPacket(), authenticated: true, length: 52, myDiscriminator: 7, detectMultiplier: 3 },
      view,
      0,
    );
    const ends = { remote: ip('10.0.0.2'), local: ip('10.0.0.1'), ifindex: 2, multihop: false };
    engine.receive({ bytes, view, start: 0, end: 52, ...ends }, now);
    expect(last(1)).toMatchObject({
      state: 'Down',
      problem: 'authenticated packets, and no authentication is configured here',
    });
  });

  it('5880-6.8.6-1: clear, and some configured', () => {
    add(1, '10.0.0.2', {}, { authentication: key });
    receive({ state: 'Down' });
    expect(last(1)).toMatchObject({ state: 'Down', problem: 'packets without authentication' });
  });
});

describe('answers', () => {
  function bringUp(): void {
    add(1, '10.0.0.2');
    receive({ state: 'Init', yourDiscriminator: last(1).localDiscriminator });
    expect(last(1).state).toBe('Up');
    receive({ state: 'Up', yourDiscriminator: last(1).localDiscriminator, final: true });
    sent.length = 0;
  }

  it.each(['Down', 'Init', 'Up', 'AdminDown'] as const)(
    '5880-6.8.7-2: a Poll gets a Final at once while the session is %s',
    (state) => {
      add(1, '10.0.0.2');
      const yours = last(1).localDiscriminator;
      if (state === 'Init') receive({ state: 'Down', yourDiscriminator: yours });
      if (state === 'Up') receive({ state: 'Init', yourDiscriminator: yours });
      if (state === 'AdminDown') {
        receive({ state: 'Down', yourDiscriminator: yours });
        engine.remove(1, now);
      }
      sent.length = 0;
      receive({ state: 'Up', yourDiscriminator: yours, poll: true });
      const finals = sent.filter((packet) => packet.final);
      expect(finals).toHaveLength(1);
      expect(finals[0]).toMatchObject({ poll: false, final: true });
    },
  );

  it('5880-6.8.7-1: to a system that wants no packets none are sent', () => {
    bringUp();
    receive({ state: 'Up', yourDiscriminator: last(1).localDiscriminator, requiredMinRx: 0 });
    for (let i = 0; i < 20; i++) {
      now += 100;
      engine.run(now);
    }
    expect(sent).toEqual([]);
    expect(last(1).transmitInterval).toBe(0);
  });

  it('RFC 5880 §6.6: to a system in Demand mode none are sent, but Finals, and changes are polled for', () => {
    bringUp();
    const yours = last(1).localDiscriminator;
    receive({ state: 'Up', yourDiscriminator: yours, demand: true });
    now += 500;
    engine.run(now);
    expect(sent).toEqual([]);
    receive({ state: 'Up', yourDiscriminator: yours, demand: true, poll: true });
    expect(sent).toMatchObject([{ final: true, demand: false }]);
    sent.length = 0;
    engine.update(1, sessionOptions({ detectMultiplier: 9 }));
    now += 200;
    engine.run(now);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.every((packet) => packet.poll && packet.detectMultiplier === 9)).toBe(true);
    receive({ state: 'Up', yourDiscriminator: yours, demand: true, final: true });
    sent.length = 0;
    now += 500;
    engine.run(now);
    expect(sent).toEqual([]);
    // Demand mode needs both sides Up.
    receive({ state: 'Init', yourDiscriminator: yours, demand: true });
    now += 200;
    engine.run(now);
    expect(sent.length).toBeGreaterThan(0);
  });

  it('Echo and Demand mode are never offered', () => {
    bringUp();
    for (let i = 0; i < 20; i++) {
      now += 50;
      receive({ state: 'Up', yourDiscriminator: last(1).localDiscriminator });
      engine.run(now);
    }
    expect(sent.length).toBeGreaterThan(5);
    for (const packet of sent)
      expect(packet).toMatchObject({ demand: false, requiredMinEchoRx: 0, controlPlaneIndependent: false });
  });
});

describe('a system that was held up for longer than a detection time', () => {
  it('hears all that came meanwhile before it declares anybody dead', () => {
    add(1, '10.0.0.2');
    const yours = last(1).localDiscriminator;
    receive({ state: 'Init', yourDiscriminator: yours, desiredMinTx: 100 * MS });
    receive({ state: 'Up', yourDiscriminator: yours, final: true, desiredMinTx: 100 * MS });
    expect(last(1)).toMatchObject({ state: 'Up', detectionTime: 300 * MS });
    now += 5000;
    // Garbage in front, and what counts behind it.
    receive({ state: 'Up', myDiscriminator: 0 });
    receive({ state: 'Up', yourDiscriminator: yours }, { multihop: true });
    receive({ state: 'Up', yourDiscriminator: yours, desiredMinTx: 100 * MS });
    engine.run(now);
    expect(last(1).state).toBe('Up');
    now += 301;
    engine.run(now);
    expect(last(1)).toMatchObject({ state: 'Down', localDiagnostic: 1 });
  });
});

describe('reports', () => {
  it('come with what changes, not with packets', () => {
    add(1, '10.0.0.2');
    const yours = last(1).localDiscriminator;
    receive({ state: 'Init', yourDiscriminator: yours });
    receive({ state: 'Up', yourDiscriminator: yours, final: true, desiredMinTx: 100 * MS });
    const before = reports.length;
    for (let i = 0; i < 1000; i++) {
      now += 50;
      // By several ways, with garbage in between.
      receive({ state: 'Up', yourDiscriminator: yours, desiredMinTx: 100 * MS }, { ifindex: 2 + (i % 2) });
      receive({ state: 'Up', myDiscriminator: 0 });
      receive({ state: 'Up', yourDiscriminator: yours }, { multihop: true });
      engine.run(now);
    }
    expect(reports.length).toBe(before);
    expect(last(1).state).toBe('Up');
  });

  it('are silent after the end', () => {
    add(1, '10.0.0.2');
    receive({ state: 'Init', yourDiscriminator: last(1).localDiscriminator });
    const before = reports.length;
    engine.remove(1, now);
    now += 100_000;
    engine.run(now);
    expect([reports.length, engine.size, engine.due]).toEqual([before, 0, Number.POSITIVE_INFINITY]);
  });
});

it('5880-6.8.1-1: a thousand sessions have a thousand discriminators, none of them zero', () => {
  for (let id = 1; id <= 1000; id++) add(id, `10.1.${id >> 8}.${id & 255}`);
  const all = new Set(reports.map(({ localDiscriminator }) => localDiscriminator));
  expect(all.size).toBe(1000);
  expect(all.has(0)).toBe(false);
});

it('a thousand sessions are each called when they are due, and only then', () => {
  for (let id = 1; id <= 1000; id++) add(id, `10.1.${id >> 8}.${id & 255}`);
  const end = now + 10_000;
  let turns = 0;
  while (engine.due <= end) {
    now = Math.max(now, engine.due);
    engine.run(now);
    turns++;
  }
  // One to one and a third packets a second.
  expect(sent.length).toBeGreaterThanOrEqual(10_000);
  expect(sent.length).toBeLessThan(14_000);
  expect(turns).toBeLessThanOrEqual(sent.length);
});
