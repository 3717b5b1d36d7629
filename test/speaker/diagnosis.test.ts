// A speaker that explains itself: causes of what goes wrong between it and real speakers, the journal of its life, and
// counts; on the simulated network.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { SimLab } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, rig } from './rig.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
type Peer = NonNullable<ConfigInput['peers']>[number];

/** Two speakers that are configured for each other, each as it is told. */
async function pair(a: Partial<Peer>, b: Partial<Peer>, more: { asn?: number; id?: string } = {}) {
  const lab = new SimLab({});
  const input = (router: ConfigInput['router'], address: string, peer: Partial<Peer>): ConfigInput => ({
    router,
    peers: [{ name: 'other', address, asn: 65000, ...peer }],
  });
  const first = lab.speaker('a', [A], input({ asn: 65000, id: A }, B, a));
  const { asn = 65000, id = B } = more;
  const second = lab.speaker('b', [B], input({ asn, id }, A, { passive: true, ...b }));
  await lab.start();
  await lab.run(20_000);
  const codesOf = (speaker: typeof first) =>
    [...speaker.api.events({ peer: 'other' })].map(({ code }) => code);
  return { lab, first, second, codesOf };
}

describe('what is wrong between two speakers', () => {
  it('wrong AS: one side says so, the other hears it, both know what to do', async () => {
    const { first, second, codesOf } = await pair({}, {}, { asn: 65009 });
    const [a, b] = [first.peer('other'), second.peer('other')];
    expect([...codesOf(first), ...codesOf(second)].sort()).toEqual(expect.arrayContaining(['wrong-as']));
    expect([a.lastErrorCode, b.lastErrorCode].every((code) => /wrong-as$/.test(code ?? ''))).toBe(true);
    expect(`${a.lastErrorAdvice}${b.lastErrorAdvice}`).toContain('asn');
  });

  it('router id clash', async () => {
    const { first, second } = await pair({}, {}, { id: A });
    const codes = [first.peer('other').lastErrorCode, second.peer('other').lastErrorCode];
    expect(codes.every((code) => /router-id-clash$/.test(code ?? ''))).toBe(true);
    expect(codes).toContain('router-id-clash');
  });

  it('nobody listens', async () => {
    const { first } = await pair({ port: 1179 }, {});
    expect(first.peer('other').lastErrorCode).toBe('refused');
    const { causes } = first.api.status();
    expect(causes.find(({ code }) => code === 'refused')!.count).toBeGreaterThan(0);
    // Dialled again and again, told once.
    const told = [...first.api.events({ peer: 'other' })].filter(({ code }) => code === 'refused');
    expect(told).toHaveLength(1);
  });

  it('a stop by hand, with its text, on both sides', async () => {
    const { lab, first, second, codesOf } = await pair({}, {});
    expect(codesOf(first)).toContain('session-up');
    second.api.peerDown('other', 'moving the rack');
    await lab.run(1000);
    expect([first.peer('other').lastErrorCode, second.peer('other').lastErrorCode]).toEqual([
      'peer-admin-down',
      'admin-down',
    ]);
    const last = [...first.api.events({ peer: 'other' })].find(({ code }) => code === 'peer-admin-down');
    expect(last).toMatchObject({ severity: 'warning', kind: 'session' });
    expect(last?.sentence).toContain('"moving the rack"');
  });
});

describe('the journal of a life', () => {
  it('start, sessions, configuration good and bad, drain, limit, stop', async () => {
    const secret = 'hunter2hunter2';
    const { lab, speaker, peer } = await rig({ [B]: { as: 65001, config: { name: 'tor', maxPrefixes: 1 } } });
    speaker.api.drain(undefined, true);
    speaker.api.drain('tor', false);
    const input: ConfigInput = {
      router: { asn: OWN_AS, id: OWN_ADDRESS },
      peers: [
        {
          name: 'tor',
          address: B,
          asn: 65001,
          passive: true,
          import: 'accept',
          export: 'accept',
          maxPrefixes: 1,
        },
        { name: 'signed', address: '10.0.0.7', asn: 65002, password: secret },
      ],
    };
    await speaker.reload(input);
    await expect(speaker.reload('nonsense: 1\n')).rejects.toThrow();
    peer(B).update({ announce: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'] });
    await lab.run(1000);
    const stopped = speaker.speaker.stop();
    await lab.run(1000);
    await stopped;
    const events = [...speaker.api.events({})];
    const codes = events.map(({ code }) => code).filter((code) => code !== 'no-answer');
    expect(codes.slice(0, 9)).toEqual([
      'started',
      'session-up',
      'drain-began',
      'drain-over',
      'configuration-applied',
      'configuration-refused',
      'limit',
      'prefix-limit',
      'stopping',
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.find(({ code }) => code === 'configuration-applied')?.sentence).toContain(
      'peer signed added',
    );
    expect(events.find(({ code }) => code === 'configuration-refused')?.sentence).toMatch(
      /^nothing was changed: \S/,
    );
    expect(events.find(({ code }) => code === 'prefix-limit')).toMatchObject({ kind: 'limit', peer: 'tor' });
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  it('is as long as the last reload says', async () => {
    const { speaker } = await rig({});
    const router = { asn: OWN_AS, id: OWN_ADDRESS };
    await speaker.reload({ router, journal: { events: 1 } });
    expect([...speaker.api.events({})].map(({ code }) => code)).toEqual(['configuration-applied']);
  });
});
