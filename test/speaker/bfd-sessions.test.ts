// Who shares a session of BFD, and what is believed of a path, on services that do only what they are told.

import { beforeEach, expect, it } from 'vitest';
import type { BfdEvents, SessionReport } from '../../src/bfd/service.ts';
import type { BfdSessionConfig } from '../../src/config/model.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { BfdSessions } from '../../src/speaker/bfd-sessions.ts';
import { ip } from '../support/bfd-network.ts';

const REMOTE = '10.0.0.2';

let clock: SimClock;
let sessions: BfdSessions;
/** What the services were told, each by its number. */
let told: string[];
let complaints: string[];
/** Of the last service. */
let events: BfdEvents;

beforeEach(() => {
  clock = new SimClock();
  told = [];
  let count = 0;
  const openBfd = (given: BfdEvents) => {
    const name = ++count;
    events = given;
    return {
      add: (id: number, _: unknown, image?: object) =>
        void told.push(`${name} add ${id}${image === undefined ? '' : ' with its image'}`),
      update: () => {},
      remove: (id: number) => void told.push(`${name} remove ${id}`),
      handOver: async () => new Map(),
      close: async () => {},
    };
  };
  complaints = [];
  const log = { ...silentLogger, error: (_: unknown, message: string) => void complaints.push(message) };
  sessions = new BfdSessions({ openBfd, clock, log, onPath: () => {} });
});

function wish(link?: string): BfdSessionConfig {
  const times = { minTx: 100, minRx: 100, idleTx: 1000, multiplier: 3 };
  return {
    name: `on ${link}`,
    address: REMOTE,
    localAddress: undefined,
    interface: link,
    bfd: { ...times, passive: false, multihop: false, auth: undefined },
  };
}

function report(id: number, state: 'Up' | 'Down'): void {
  const report: SessionReport = {
    id,
    state,
    remoteState: state,
    localDiagnostic: 0,
    remoteDiagnostic: 0,
    localDiscriminator: id,
    remoteDiscriminator: 77,
    transmitInterval: 0,
    detectionTime: 0,
    ifindex: 0,
    interface: undefined,
    problem: undefined,
  };
  events.onReport(report, 0);
}

const links = () => [...sessions.paths()].map(({ spec }) => spec.path.interface);

it('a session that stays with who leaves the link open is none of another link', () => {
  sessions.watch([wish('eth0'), wish()]);
  report(1, 'Up');
  expect(links()).toEqual(['eth0']);
  sessions.watch([wish()]);
  sessions.watch([wish(), wish('eth2')]);
  expect(links()).toEqual(['eth0', 'eth2']);
  expect(sessions.sees(ip(REMOTE), 'eth2')).toBe(false);
  report(2, 'Up');
  expect(sessions.sees(ip(REMOTE), 'eth2')).toBe(true);
});

it('what worked when BFD was lost is believed for its time, also where an upgrade fails meanwhile', async () => {
  sessions.watch([wish()]);
  report(1, 'Up');
  events.onFailure('the BFD thread ended');
  clock.advance(6000);
  await sessions.handOver();
  sessions.goOn();
  clock.advance(9000);
  expect(sessions.sees(ip(REMOTE), undefined)).toBe(true);
  clock.advance(2000);
  expect(sessions.sees(ip(REMOTE), undefined)).toBe(false);
});

it('a service that is lost again and again is one complaint, until one has lasted', () => {
  sessions.watch([wish()]);
  for (let i = 0; i < 4; i++) {
    events.onFailure('the BFD thread ended');
    clock.advance(6000);
  }
  expect(complaints).toEqual(['paths to peers are no longer watched']);
  clock.advance(10_000);
  events.onFailure('the BFD thread ended');
  events.onFailure('another reason');
  expect(complaints).toHaveLength(3);
});

it('a service that is lost when nothing was to be watched meanwhile is news', () => {
  sessions.watch([wish()]);
  events.onFailure('the BFD thread ended');
  sessions.watch([]);
  clock.advance(6000);
  sessions.watch([wish()]);
  events.onFailure('the BFD thread ended');
  expect(complaints).toHaveLength(2);
});

it('no service is sought while paths are on their way to another process', async () => {
  sessions.watch([wish('eth0')]);
  report(1, 'Up');
  events.onFailure('the BFD thread ended');
  await sessions.handOver();
  clock.advance(6000);
  sessions.watch([wish('eth0'), wish('eth1')]);
  expect(told).toEqual(['1 add 1']);
  sessions.goOn();
  clock.advance(20_000);
  expect(told).toEqual(['1 add 1', '2 add 1', '2 add 2']);
  expect(sessions.sees(ip(REMOTE), undefined)).toBe(false);
});

it('what another process has watched is for those who ask at the start', () => {
  const timers = {
    desiredMinTx: 100_000,
    requiredMinRx: 100_000,
    remoteMinRx: 100_000,
    remoteDesiredMinTx: 100_000,
    remoteMultiplier: 3,
  };
  const image = {
    localDiscriminator: 1,
    remoteDiscriminator: 77,
    remoteDemand: false,
    timers,
    sequence: undefined,
    ifindex: 2,
  };
  const counts = { since: 0, upCount: 1, downCount: 0 };
  const handed = new Map(['eth0', 'eth1'].map((link) => [`false ${REMOTE} ${link} *`, { image, ...counts }]));
  sessions.takeOver(handed);
  sessions.watch([wish('eth0')]);
  sessions.tookOver();
  sessions.watch([wish('eth0'), wish('eth1')]);
  expect(told).toEqual(['1 add 1 with its image', '1 add 2']);
  expect([sessions.sees(ip(REMOTE), 'eth0'), sessions.sees(ip(REMOTE), 'eth1')]).toEqual([true, false]);
});
