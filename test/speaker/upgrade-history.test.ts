// What a live upgrade takes along of the past: events, causes, recorded messages; and that routes come out as the new
// program judges them, whatever the one before had made of them.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { REJECT } from '../../src/rib/import-checks.ts';
import type { SpeakerState } from '../../src/speaker/upgrade/state.ts';
import { simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';
const AROUND: Readonly<Record<string, RigPeer>> = { [A]: { as: 65002 }, [B]: { as: 65003 } };

const machine = (around = AROUND, more: Partial<ConfigInput> = {}) =>
  rig(around, { kernel: { install: true }, ...more }, simKernel(`eth0 ${OWN_ADDRESS}/24`));

describe('the journal', () => {
  it('goes on where it was, with counts of causes', async () => {
    const { lab, speaker, peer } = await machine();
    peer(A).drop();
    await lab.run(1000);
    const entries = () => [...speaker.api.events({})];
    const before = entries();
    const causes = () => speaker.api.status().causes.filter(({ count }) => count > 0);
    const counted = causes();
    expect(counted).not.toEqual([]);
    await speaker.upgrade();
    await lab.settle();
    const after = entries();
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).map(({ seq, code }) => [seq, code])).toEqual([
      [before.length + 1, 'upgraded'],
    ]);
    expect(after.at(-1)!.sentence).toBe('godwit 0.0.0 goes on with 1 sessions of 0.0.0');
    expect([causes(), speaker.api.status().events]).toEqual([counted, after.length]);
    expect([...speaker.api.events({ peer: A })].map(({ code }) => code)).toContain(counted[0]!.code);
  });

  it('keeps the newest where there is less room than before', async () => {
    const { lab, speaker, peer } = await machine(AROUND, { journal: { events: 16 } });
    for (let i = 0; i < 20; i++) {
      peer(B).drop();
      await lab.connect(speaker, peer(B));
    }
    const before = [...speaker.api.events({})];
    await speaker.upgrade();
    await lab.settle();
    const after = [...speaker.api.events({})];
    expect(after.length).toBe(16);
    expect(after.slice(0, 15)).toEqual(before.slice(1));
    expect(after.map(({ seq }) => seq)).toEqual(Array.from(after, (_, i) => after[0]!.seq + i));
  });
});

describe('the last messages of a peer', () => {
  it('are those of before, of the same connection, and recording goes on', async () => {
    const { lab, speaker, peer } = await machine();
    speaker.api.recordMessages(A, true);
    peer(A).announce([P1]);
    await lab.settle();
    const before = speaker.api.messages(A);
    expect(before.length).toBeGreaterThan(4);
    await speaker.upgrade();
    await lab.settle();
    peer(A).announce([P2]);
    await lab.settle();
    const after = speaker.api.messages(A);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).map(({ sent, octets }) => [sent, octets[18]])).toEqual([[false, 2]]);
    expect(new Set(after.map(({ connection }) => connection)).size).toBe(1);
    // The next connection is another one.
    peer(A).drop();
    await lab.connect(speaker, peer(A));
    const ids = speaker.api.messages(A).map(({ connection }) => connection);
    expect(new Set(ids).size).toBe(2);
  });
});

/** As if the program before had refused what this one accepts, and accepted what this one refuses. */
function misjudged(state: SpeakerState): SpeakerState {
  return {
    ...state,
    rib: {
      ...state.rib,
      families: state.rib.families.map(({ rows, ...family }) => ({
        ...family,
        rows: {
          ...rows,
          attrPost: rows.attrPost.map((attr, i) => (attr === 0 ? rows.attrIn[i]! : 0)),
          rejects: rows.rejects.map((cause) => (cause === REJECT.none ? REJECT.policy : REJECT.none)),
        },
      })),
    },
  };
}

describe('routes at hand', () => {
  it('are judged by the new program: of peers, own ones, and those in pipes', async () => {
    const around: Readonly<Record<string, RigPeer>> = {
      [A]: { as: 65002, config: { import: `if net = ${P2} then reject; accept;` } },
      [B]: { as: 65003, config: { table: 'blue' } },
    };
    const forward = `if net = ${P3} then reject; accept;`;
    const { lab, speaker, peer } = await machine(around, {
      tables: { blue: {} },
      networks: ['10.9.0.0/16', P3],
      pipes: [{ from: 'main', to: 'blue', forward }],
    });
    peer(A).announce([P1, P2]);
    await lab.settle();
    const best = () => [speaker.best().sort(), speaker.best({ table: 'blue' }).sort()];
    const before = best();
    expect(before).toEqual([
      ['10.9.0.0/16 from local', `${P1} from ${A}`, `${P3} from local`],
      ['10.9.0.0/16 from local', `${P1} from ${A}`],
    ]);
    const routes = speaker.kernelRoutes();
    await speaker.upgrade(misjudged);
    await lab.run(1000);
    expect(best()).toEqual(before);
    expect(peer(B).prefixes()).toEqual(['10.9.0.0/16', P1]);
    expect(speaker.kernelRoutes()).toEqual(routes);
    expect(speaker.routes({ prefix: P2 })).toMatchObject([{ eligible: false }]);
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 2, rejected: 1 });
  });

  it('are, too, where they wait for their peer to restart', async () => {
    const families = [{ afi: 1, safi: 1, forwarding: true }];
    const restart = { kind: 'graceful-restart', restarting: false, notification: false, restartTime: 600 };
    const { lab, speaker, peer } = await machine({
      [A]: { as: 65002, raw: { capabilities: [{ ...restart, kind: 'graceful-restart', families }] } },
      [B]: { as: 65003 },
    });
    peer(A).announce([P1]);
    await lab.settle();
    peer(A).drop();
    await lab.run(1000);
    await speaker.upgrade(misjudged);
    await lab.run(1000);
    expect(speaker.routes()).toMatchObject([{ prefix: P1, best: true, stale: true }]);
    expect(peer(B).prefixes()).toEqual([P1]);
  });
});
