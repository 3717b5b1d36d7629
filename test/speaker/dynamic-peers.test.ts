// Whom a range of link-local peers takes: whoever calls on one of its links.

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
