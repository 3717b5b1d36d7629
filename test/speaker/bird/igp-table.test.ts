// Static routes that are looked up in another table, which has a kernel table of its own or none, beside BIRD 1.6.8 and
// 2.0.12: what it holds itself counts, whatever the table of the route says of the same gateway.

import { describe, expect, it } from 'vitest';
import { formatAddress, formatPrefix } from '../../../src/lib/ip.ts';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { birdLab, FROM, OWN, TO } from '../bird-lab.ts';

interface File {
  /** The gateway of what the other table has. */
  readonly near: string;
  readonly more?: string;
}

function fileOf({ near, more = '' }: File): string {
  return `router id ${OWN}; protocol device {}
ipv4 table under;
protocol kernel { ipv4 { import none; export all; }; }
protocol static near { ipv4 { table under; }; route 172.16.0.0/16 via ${near}; route 172.18.0.0/16 blackhole; }
protocol static far {
  ipv4; igp table under;
  route 10.60.0.0/16 recursive 172.16.0.1;
  route 10.61.0.0/16 recursive 172.18.0.1;
  route 10.62.0.0/16 recursive 172.17.0.1;
}
protocol static here { ipv4; route 10.63.0.0/16 recursive 172.16.0.1; }
${more}`;
}

const KERNEL = 'protocol kernel { kernel table 100; ipv4 { table under; import none; export all; }; }';
const PIPE = 'protocol pipe { table under; peer table master4; import none; export all; }';

async function started(file: File) {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN}/24`);
  const { configure } = await birdLab(lab, fileOf(file), [], async () => kernel.session());
  const change = (next: File) => configure(fileOf(next), 2000);
  /** `table prefix way` of own routes. */
  const installed = (table: number): string[] =>
    kernel
      .routes()
      .filter((route) => route.protocol === 12 && route.table === table)
      .map(({ prefix, type, nextHops }) => {
        const gateways = nextHops.map(({ gateway }) => (gateway === undefined ? '' : formatAddress(gateway)));
        return `${formatPrefix(prefix)} ${type === 'unicast' ? gateways.join() : type}`;
      })
      .sort();
  return { change, installed };
}

const MAIN = 254;
const through = (gateway: string): string[] => [
  `10.60.0.0/16 ${gateway}`,
  '10.61.0.0/16 blackhole',
  '10.62.0.0/16 unreachable',
  '10.63.0.0/16 unreachable',
];

describe('igp table of a static protocol', () => {
  it('is followed where the table has no kernel table', async () => {
    const { change, installed } = await started({ near: FROM });
    expect(installed(MAIN)).toEqual(through(FROM));
    await change({ near: TO });
    expect(installed(MAIN)).toEqual(through(TO));
    await change({ near: '192.0.2.1' });
    expect(installed(MAIN)).toContain('10.60.0.0/16 unreachable');
  });

  it('is followed when the table gets a kernel table, and when it loses it', async () => {
    const { change, installed } = await started({ near: FROM });
    await change({ near: FROM, more: KERNEL });
    expect(installed(100)).toEqual([`172.16.0.0/16 ${FROM}`, '172.18.0.0/16 blackhole']);
    expect(installed(MAIN)).toEqual(through(FROM));
    await change({ near: TO, more: KERNEL });
    expect([installed(100)[0], installed(MAIN)]).toEqual([`172.16.0.0/16 ${TO}`, through(TO)]);
    await change({ near: TO });
    expect([installed(100), installed(MAIN)]).toEqual([[], through(TO)]);
    await change({ near: FROM });
    expect(installed(MAIN)).toEqual(through(FROM));
  });
});

describe('a table without a kernel table', () => {
  it('gives static routes with their ways to a pipe', async () => {
    const { change, installed } = await started({ near: FROM, more: PIPE });
    const piped = (): string[] => installed(MAIN).filter((route) => route.startsWith('172.'));
    expect(piped()).toEqual([`172.16.0.0/16 ${FROM}`, '172.18.0.0/16 blackhole']);
    await change({ near: '192.0.2.1', more: PIPE });
    expect(piped()).toEqual(['172.18.0.0/16 blackhole']);
  });
});
