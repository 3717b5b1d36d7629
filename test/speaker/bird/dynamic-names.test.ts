// Peers of a range by the names that BIRD gives them: in what is shown, on routes, and for commands.

import { describe, expect, it } from 'vitest';
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

  it('is what commands name', async () => {
    const lab = new SimLab();
    const { api, from } = await birdLab(lab, fileOf(''), [NET]);
    expect(api.bird.act('dynbgp1', { action: 'disable' })).toBe('done');
    await lab.run(1000);
    expect(from.heard.some((line) => line.startsWith('NOTIFICATION 6/2'))).toBe(true);
    expect(api.bird.protocols().find(({ name }) => name === 'dynbgp1')?.state).toBe('down');
  });
});
