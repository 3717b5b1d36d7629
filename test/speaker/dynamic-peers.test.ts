// Whom ranges take: link-local peers that call on one of their links, and the first in the configuration of several.

import { expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { SimLab } from '../support/sim-lab.ts';

const OPEN = { import: 'accept', export: 'accept' } as const;

it('a range of several links takes who is on them, and follows when they change', async () => {
  const lab = new SimLab();
  const input = (...interfaces: string[]): ConfigInput => ({
    router: { asn: 65001, id: '10.0.0.1' },
    dynamicPeers: [{ prefix: 'fe80::/10', interfaces, asn: 'external', ...OPEN }],
  });
  const hub = lab.speaker('hub', ['fe80::1'], input('-eth0', 'eth*'));
  const caller = (i: number, link: string) =>
    lab.speaker(`spoke ${i}`, [`fe80::${i}`], {
      router: { asn: 65000 + i, id: `10.0.0.${i}` },
      peers: [{ address: `fe80::1%${link}`, asn: 65001, errorWaitMin: 1, connectRetryTime: 1, ...OPEN }],
    });
  const callers = [caller(2, 'eth1'), caller(3, 'eth0'), caller(4, 'wan')];
  await lab.start(10_000);
  expect(callers.map((each) => each.states().join())).toEqual([
    'fe80::1%eth1 Established',
    expect.not.stringContaining('Established'),
    expect.not.stringContaining('Established'),
  ]);
  const sentences = await hub.reload(input('eth0', 'w*'));
  expect(sentences.join()).toContain('dynamic range fe80::/10: interfaces of members');
  await lab.run(120_000);
  expect(callers.map((each) => each.states().join().endsWith('Established'))).toEqual([false, true, true]);
});

it('of two ranges with one prefix the first in the configuration takes who may come to both, after reloads, too', async () => {
  const lab = new SimLab();
  const [one, two] = [
    { name: 'one', prefix: '10.0.0.0/24', interface: 'eth0', asn: 65001, ...OPEN },
    { name: 'two', prefix: '10.0.0.0/24', interface: 'eth1', asn: 65002, ...OPEN },
  ] as const;
  const input = (...dynamicPeers: NonNullable<ConfigInput['dynamicPeers']>): ConfigInput => ({
    router: { asn: 65000, id: '10.0.0.1' },
    dynamicPeers,
  });
  const hub = lab.speaker('hub', ['10.0.0.1'], input(one, two));
  await lab.start();
  /** The AS of the range that takes the caller. */
  const taker = async (last: number) => {
    for (const as of [65001, 65002]) {
      const caller = lab.raw(`10.0.0.${last}`, { as, holdTime: 0 });
      await lab.connect(hub, caller);
      const isUp = hub.states().some((state) => state === `10.0.0.${last} Established`);
      caller.drop();
      await lab.run(1000);
      if (isUp) return as;
    }
    return undefined;
  };
  expect(await taker(2)).toBe(65001);
  await hub.reload(input({ ...one, limit: 7 }, two));
  expect(await taker(3)).toBe(65001);
  await hub.reload(input(two, { ...one, limit: 7 }));
  expect(await taker(4)).toBe(65002);
});
