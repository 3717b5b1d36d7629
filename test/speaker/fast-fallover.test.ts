// The link of a directly connected peer goes down, and comes back: speakers with simulated kernels.

import { beforeEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const SECOND = 1000;
const ETH0 = { ifindex: 2, name: 'eth0', loopback: false, mtu: 1500 };

let lab: SimLab;
let kernel: MemKernel;

beforeEach(() => {
  lab = new SimLab();
  kernel = simKernel(`eth0 ${A}/24`, 'eth1 10.1.0.1/24');
});

type PeerInput = NonNullable<ConfigInput['peers']>[number];

async function pair(more: Partial<PeerInput> = {}, asn = 65002): Promise<{ a: SimSpeaker; b: SimSpeaker }> {
  const policies = { import: 'accept', export: 'accept' } as const;
  const { ttlSecurity } = more;
  const a = lab.speaker(
    'a',
    [A],
    {
      router: { asn: 65001, id: A },
      kernel: { install: true },
      peers: [{ name: 'b', address: B, asn, ...policies, connectRetryTime: 600, ...more }],
    },
    { kernel },
  );
  const b = lab.speaker('b', [B], {
    router: { asn, id: B },
    networks: ['198.51.100.0/24'],
    peers: [
      {
        name: 'a',
        address: A,
        asn: 65001,
        ...policies,
        passive: true,
        ...(ttlSecurity === undefined ? {} : { ttlSecurity }),
      },
    ],
  });
  await lab.start();
  expect(a.states()).toEqual(['b Established']);
  return { a, b };
}

async function down(): Promise<void> {
  lab.network.cut(Uint8Array.from([10, 0, 0, 1]), Uint8Array.from([10, 0, 0, 2]));
  kernel.setLink({ ...ETH0, up: false });
  await lab.run(100);
}

async function up(): Promise<void> {
  lab.network.heal(Uint8Array.from([10, 0, 0, 1]), Uint8Array.from([10, 0, 0, 2]));
  kernel.setLink({ ...ETH0, up: true });
  await lab.run(2 * SECOND);
}

describe('a directly connected eBGP peer', () => {
  it('falls with its link at once, and its routes go', async () => {
    const { a } = await pair();
    expect(a.best()).toContain('198.51.100.0/24 from b');
    await down();
    expect(a.peer('b').state).not.toBe('Established');
    expect(a.peer('b').lastError).toBe('the link to the peer is down (eth0); in Established');
    expect(a.best()).toEqual([]);
  });

  it('is dialled as soon as the link is back, whatever the ConnectRetryTime', async () => {
    const { a } = await pair();
    await down();
    await lab.run(20 * SECOND);
    expect(a.peer('b').state).not.toBe('Established');
    await up();
    expect(a.peer('b')).toMatchObject({ state: 'Established', establishedCount: 2 });
  });

  it('falls, too, when the interface is taken away', async () => {
    const { a } = await pair();
    kernel.removeLink(ETH0.ifindex);
    await lab.run(100);
    expect(a.peer('b').lastError).toContain('the link to the peer is down (eth0)');
  });

  it('does not fall with another link', async () => {
    const { a } = await pair();
    kernel.setLink({ ...ETH0, ifindex: 3, name: 'eth1', up: false });
    await lab.run(SECOND);
    expect(a.peer('b')).toMatchObject({ state: 'Established', downCount: 0 });
  });
});

describe('what may take another way, or shall not fall, waits for its own timers', () => {
  it.each<[string, Partial<PeerInput>, number]>([
    ['fastFallover: false', { fastFallover: false }, 65002],
    ['multihop', { multihop: 3 }, 65002],
    ['ttlSecurity of several hops', { ttlSecurity: 3 }, 65002],
    ['iBGP', {}, 65001],
  ])('%s', async (_name, more, asn) => {
    const { a } = await pair(more, asn);
    await down();
    expect(a.peer('b')).toMatchObject({ state: 'Established', downCount: 0 });
  });
});
