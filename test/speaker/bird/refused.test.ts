// What `show route filtered`, its counts, and a protocol that is switched off look like, as BIRD shows them.

import { describe, expect, it } from 'vitest';
import type { TableRoute } from '../../../src/speaker/api/tables.ts';
import { SimLab } from '../../support/sim-lab.ts';
import { type BirdLab, birdLab, FROM, OWN } from '../bird-lab.ts';

const REFUSED = '203.0.113.0/24';
const TAKEN = '198.51.100.0/24';
const FILTER = `filter imp {
  if net = ${REFUSED} then {
    bgp_community.add((1,2)); bgp_path.prepend(5); bgp_med = 9; preference = 77; krt_metric = 4; krt_prefsrc = ${OWN};
    reject;
  }
  accept;
}`;

const files = {
  '2.x': `router id ${OWN}; protocol device {} ${FILTER}
protocol static s0 { ipv6; }
protocol bgp p1 { local ${OWN} as 65001; neighbor ${FROM} as 65002; ipv4 { import keep filtered; import filter imp; export none; }; }`,
  '1.6': `router id ${OWN}; protocol device {} ${FILTER}
protocol bgp p1 { local ${OWN} as 65001; neighbor ${FROM} as 65002; import keep filtered; import filter imp; export none; }`,
} as const;

async function start(dialect: keyof typeof files): Promise<BirdLab & { lab: SimLab }> {
  const lab = new SimLab();
  return { lab, ...(await birdLab(lab, files[dialect], [REFUSED, TAKEN])) };
}

function routes({ api }: BirdLab, more: object): TableRoute[] {
  const answers = api.bird.routes({ tables: undefined, filtered: true, ...more });
  return answers.flatMap((answer) => [...answer.routes()]).filter((route) => route !== undefined);
}

describe('a route that the import filter refuses', () => {
  it.each([
    ['2.x', ['metric 4', `prefsrc ${OWN}`].sort()],
    ['1.6', [`prefsrc ${OWN}`]],
  ] as const)('is shown as the filter of BIRD %s left it', async (dialect, kernel) => {
    const [route, ...others] = routes(await start(dialect), {});
    expect(others).toEqual([]);
    expect(route).toMatchObject({
      net: REFUSED,
      preference: 77,
      bgp: { attributes: { asPath: '5 65002', med: 9, communities: ['1:2'] } },
    });
    expect(route?.kernel.map(({ name, value }) => `${name} ${value}`).sort()).toEqual(kernel);
  });

  it('is looked for as it is shown', async () => {
    const started = await start('2.x');
    const where = (text: string) => ({ filter: { kind: 'where', text } });
    expect(routes(started, where('bgp_med = 9'))).toHaveLength(1);
    expect(routes(started, where('bgp_path.first = 65002'))).toHaveLength(0);
  });

  it('counts under the route limit of 1.6', async () => {
    const lab = new SimLab();
    const limited = files['1.6'].replace('import keep filtered;', 'import keep filtered; import limit 9;');
    const { api } = await birdLab(lab, limited, [REFUSED, TAKEN]);
    const [peer] = api.bird.protocols({ details: true }).filter(({ kind }) => kind === 'bgp');
    expect(peer?.bgp?.routeLimit).toEqual({ routes: 2, limit: 9 });
  });

  it('is counted among its like', async () => {
    const { api } = await start('2.x');
    const [answer] = api.bird.routes({ tables: ['master4'], filtered: true });
    for (const _ of answer!.skim());
    expect(answer?.count()).toEqual({ table: 'master4', shown: 1, routes: 1, networks: 1 });
  });
});

describe('the routes of a peer', () => {
  it('are looked for in its own tables', async () => {
    const { api } = await start('2.x');
    const tables = api.bird.routes({ tables: undefined, protocol: 'p1' }).map(({ table }) => table);
    expect(tables).toEqual(['master4']);
  });

  it('are flushed before the protocol is down', async () => {
    const { api, lab } = await start('2.x');
    const state = () => api.bird.protocols().find(({ name }) => name === 'p1')?.state;
    expect(state()).toBe('up');
    api.bird.act('p1', { action: 'disable' });
    expect(state()).toBe('flush');
    await lab.run(100);
    expect(state()).toBe('down');
  });
});
