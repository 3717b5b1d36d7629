// Peers of a range by the names that BIRD gives them: in what is shown, on routes, and for commands.

import { describe, expect, it } from 'vitest';
import type { RawPeer } from '../../support/raw-peer.ts';
import { SimLab } from '../../support/sim-lab.ts';
import { birdLab, FROM, OWN } from '../bird-lab.ts';

const NET = '203.0.113.0/24';

function fileOf(statements: string): string {
  return `router id ${OWN}; protocol device {}
protocol bgp spokes {
  local ${OWN} as 65001; neighbor range 10.0.0.0/24 external; ${statements}
  ipv4 { import all; export none; };
}`;
}

describe('dynamic name', () => {
  const started = (statements: string) => birdLab(new SimLab(), fileOf(statements), [NET]);

  it.each([
    ['', ['dynbgp1', 'dynbgp2']],
    ['dynamic name "node";', ['node1', 'node2']],
    ['dynamic name "node"; dynamic name digits 3;', ['node001', 'node002']],
  ])('counts: %s', async (statements, expected) => {
    const { api } = await started(statements);
    expect(api.bird.protocols().map(({ name }) => name)).toEqual(['device1', 'spokes', ...expected]);
    expect([...api.routes({ receivedFrom: expected[0]! })].map((route) => route?.prefix)).toEqual([NET]);
  });

  it('stays with a peer that comes back, and goes with another statement', async () => {
    const lab = new SimLab();
    const { api, from, configure } = await birdLab(lab, fileOf(''), [NET]);
    const names = () =>
      api
        .peers()
        .map(({ name, address }) => `${name} ${address}`)
        .sort();
    const both = [`dynbgp1 ${FROM}`, 'dynbgp2 10.0.0.3'];
    expect(names()).toEqual(both);
    from.drop();
    await lab.run(1000);
    expect(names()).toEqual(['dynbgp2 10.0.0.3']);
    from.connect(OWN);
    await lab.run(1000);
    expect(names()).toEqual(both);
    await configure(fileOf('dynamic name "x";'), 1000);
    expect(names()).toEqual(both);
    from.drop();
    await lab.run(1000);
    from.connect(OWN);
    await lab.run(1000);
    expect(names()).toEqual(['dynbgp2 10.0.0.3', `x1 ${FROM}`]);
  });

  it('stays over a live upgrade, also with a peer that is away', async () => {
    const lab = new SimLab();
    const own = lab.speaker('own', [OWN], fileOf(''));
    const restart = {
      kind: 'graceful-restart',
      restarting: false,
      notification: false,
      restartTime: 120,
      families: [{ afi: 1, safi: 1, forwarding: true }],
    } as const;
    const [first, second, third] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address, at) =>
      lab.raw(address, { as: 65002 + at, holdTime: 0, capabilities: [restart] }),
    ) as [RawPeer, RawPeer, RawPeer];
    await lab.start(1000);
    await lab.connect(own, first, second, third);
    first.drop();
    second.announce([NET], { asPath: '65003' });
    second.drop();
    await lab.run(1000);
    await own.upgrade();
    expect(own.states()).toEqual(['dynbgp3 Established']);
    expect(own.best()).toEqual([`${NET} from dynbgp2`]);
    await lab.connect(own, second);
    const late = lab.raw('10.0.0.5', { as: 65005, holdTime: 0 });
    await lab.connect(own, late);
    // The first one is away as well: its number is not free.
    expect(own.states().sort()).toEqual([
      'dynbgp2 Established',
      'dynbgp3 Established',
      'dynbgp4 Established',
    ]);
  });

  it('stays over a live upgrade with who has left, unless the statement is another then', async () => {
    const lab = new SimLab();
    const own = lab.speaker('own', [OWN], fileOf(''));
    const [first, second, late] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address, at) =>
      lab.raw(address, { as: 65002 + at, holdTime: 0 }),
    ) as [RawPeer, RawPeer, RawPeer];
    await lab.start(1000);
    await lab.connect(own, first, second);
    first.drop();
    second.drop();
    await lab.run(1000);
    await own.upgrade();
    await lab.connect(own, late, second);
    expect(own.states().sort()).toEqual(['dynbgp2 Established', 'dynbgp3 Established']);
    second.drop();
    await lab.run(1000);
    await own.upgrade((state) => ({
      ...state,
      memberNames: (state.memberNames ?? []).map((each) => ({
        ...each,
        memberNames: { prefix: 'x', digits: 0 },
      })),
    }));
    await lab.connect(own, first);
    expect(own.states().sort()).toEqual(['dynbgp1 Established', 'dynbgp3 Established']);
  });

  it('is what commands name', async () => {
    const lab = new SimLab();
    const { api, from } = await birdLab(lab, fileOf(''), [NET]);
    expect(api.bird.act('dynbgp1', { action: 'disable' })).toBe('done');
    await lab.run(1000);
    expect(from.heard.some((line) => line.startsWith('NOTIFICATION 6/2'))).toBe(true);
    expect(api.bird.protocols().find(({ name }) => name === 'dynbgp1')?.state).toBe('down');
  });
});

describe('a range that is switched off', () => {
  it.each(['disable', 'restart'] as const)('keeps its members and admits no others: %s', async (action) => {
    const lab = new SimLab();
    const { api, from, to, configure } = await birdLab(lab, fileOf(''), [NET]);
    const members = () =>
      api
        .peers()
        .map(({ address, state }) => `${address} ${state}`)
        .sort();
    const both = [`${FROM} Established`, '10.0.0.3 Established'];
    expect(members()).toEqual(both);
    expect(api.bird.act('spokes', { action })).toBe('done');
    await lab.run(1000);
    expect(members()).toEqual(both);
    const [range] = api.bird.protocols().filter(({ name }) => name === 'spokes');
    expect(range?.state).toBe(action === 'disable' ? 'down' : 'start');
    expect([...api.routes({ receivedFrom: 'dynbgp1' })]).toHaveLength(1);
    to.drop();
    await lab.run(1000);
    to.connect(OWN);
    await lab.run(1000);
    expect(members()).toEqual(action === 'disable' ? both.slice(0, 1) : both);
    if (action === 'disable') {
      expect(api.bird.act('spokes', { action: 'enable' })).toBe('done');
      await lab.run(1000);
      to.connect(OWN);
      await lab.run(1000);
      expect(members()).toEqual(both);
    }
    // By the file they end.
    await configure(fileOf('disabled;'), 1000);
    expect(members()).toEqual([]);
    from.connect(OWN);
    await lab.run(1000);
    expect(members()).toEqual([]);
  });
});
