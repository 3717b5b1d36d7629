// Filters that ask ROA tables of the configuration, and what another configuration makes of routes that are there.

import { describe, expect, it } from 'vitest';
import type { SpeakerApi } from '../../src/speaker/api.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { SimLab, simKernel } from '../support/sim-lab.ts';
import { birdLab, FROM, OWN, TO } from './bird-lab.ts';

const NET = '192.0.2.0/24';
const MORE = '192.0.2.128/25';
const OTHER = '198.51.100.0/24';

/** Where the filter that asks stands, and what the table holds. */
interface Wish {
  readonly at: 'import' | 'export' | 'kernel' | 'static';
  readonly roas: readonly string[];
}

const ASK = 'where roa_check(r4, net, 65002) = ROA_VALID';

function text({ at, roas }: Wish): string {
  const policy = (here: Wish['at']): string => (here === at ? ASK : 'all');
  return `router id ${OWN};
roa4 table r4;
protocol device {}
protocol kernel { ipv4 { export ${policy('kernel')}; }; }
protocol static own { ipv4 { import ${policy('static')}; }; route ${NET} blackhole; }
protocol static roas { roa4; ${roas.map((roa) => `route ${roa};`).join(' ')} }
protocol bgp from_it { local as 65000; neighbor ${FROM} as 65002; passive; ipv4 { import ${policy('import')}; export none; }; }
protocol bgp to_it { local as 65000; neighbor ${TO} as 65003; passive; ipv4 { import none; export ${policy('export')}; }; }
`;
}

interface Set {
  readonly api: SpeakerApi;
  readonly from: RawPeer;
  readonly to: RawPeer;
  readonly kernel: ReturnType<typeof simKernel>;
  readonly lab: SimLab;
  configure(wish: Wish): Promise<void>;
}

async function running(wish: Wish): Promise<Set> {
  const lab = new SimLab();
  const kernel = simKernel('eth0 10.0.0.1/24');
  const routes = [NET, MORE, OTHER];
  const { configure, ...rig } = await birdLab(lab, text(wish), routes, async () => kernel.session());
  return { ...rig, kernel, lab, configure: (next) => configure(text(next), 1000) };
}

function tableOf({ api }: Set, protocol: string): string[] {
  const answers = api.bird.routes({ tables: undefined, protocol });
  return answers.flatMap((answer) => [...answer.routes()].flatMap((route) => route?.net ?? []));
}

describe('ROAs of the configuration', () => {
  it('decide what comes in, and decide again when they are others', async () => {
    const set = await running({ at: 'import', roas: [`${NET} max 24 as 65002`] });
    expect(tableOf(set, 'from_it')).toEqual([NET]);
    await set.configure({ at: 'import', roas: [`${NET} max 25 as 65002`, `${OTHER} max 24 as 65002`] });
    expect(tableOf(set, 'from_it')).toEqual([NET, MORE, OTHER]);
    await set.configure({ at: 'import', roas: [`${NET} max 25 as 65009`] });
    expect(tableOf(set, 'from_it')).toEqual([]);
    expect(set.api.peers().map(({ state }) => state)).toEqual(['Established', 'Established']);
  });

  it('decide what goes out', async () => {
    const set = await running({ at: 'export', roas: [`${OTHER} max 24 as 65002`] });
    const sent = (): (string | undefined)[] =>
      set.api.bird
        .routes({ tables: undefined, export: { protocol: 'to_it', stage: 'export' } })
        .flatMap((answer) => [...answer.routes()].map((route) => route?.net));
    expect(sent()).toEqual([OTHER]);
    expect(set.to.routes()).toEqual([`${OTHER} via ${OWN}`]);
    await set.configure({ at: 'export', roas: [`${NET} max 25 as 65002`] });
    expect(sent()).toEqual([NET, MORE]);
    expect(set.to.routes()).toEqual([NET, MORE].map((net) => `${net} via ${OWN}`));
  });

  it('decide what the kernel gets', async () => {
    const set = await running({ at: 'kernel', roas: [`${OTHER} max 24 as 65002`] });
    const inKernel = (): number => [...set.kernel.routes()].filter(({ protocol }) => protocol === 12).length;
    expect(inKernel()).toBe(1);
    await set.configure({ at: 'kernel', roas: [`${NET} max 25 as 65002`] });
    expect(inKernel()).toBe(2);
  });

  it('decide about own networks', async () => {
    const set = await running({ at: 'static', roas: [] });
    expect(tableOf(set, 'own')).toEqual([]);
    await set.configure({ at: 'static', roas: [`${NET} max 24 as 65002`] });
    expect(tableOf(set, 'own')).toEqual([NET]);
  });

  it('are asked by conditions that an operator types', async () => {
    const set = await running({ at: 'static', roas: [`${NET} max 24 as 65002`] });
    const query = { tables: undefined, filter: { kind: 'where', text: ASK.slice('where '.length) } } as const;
    const [answer] = set.api.bird.routes(query);
    expect([...(answer?.routes() ?? [])].map((route) => route?.net)).toEqual([NET, NET]);
    const asked = `roa_check(r4, ${OTHER}, 65002) = ROA_UNKNOWN`;
    expect(set.api.bird.evaluate(asked)).toEqual({ value: 'TRUE' });
  });
});
