// A speaker that asks a cache over the simulated network, and what becomes of routes when the cache says something else.

import { describe, expect, it } from 'vitest';
import { ip } from '../support/raw-peer.ts';
import { ServingCache, type WireVrp } from '../support/rtr-cache.ts';
import { SimLab } from '../support/sim-lab.ts';
import { birdLab, FROM, OWN, TO } from './bird-lab.ts';

const CACHE = '10.0.0.9';
const NET = '192.0.2.0/24';
const OTHER = '198.51.100.0/24';

const BY_US: WireVrp = { prefix: [192, 0, 2, 0], bits: 24, maxLength: 24, asn: 65002 };
const BY_OTHERS: WireVrp = { ...BY_US, asn: 65009 };
const OF_OTHER: WireVrp = { prefix: [198, 51, 100, 0], bits: 24, maxLength: 24, asn: 65009 };

interface Wish {
  readonly imports?: string;
  readonly exports?: string;
  readonly more?: string;
}

function text({ imports = 'all', exports = 'all', more = '' }: Wish): string {
  return `router id ${OWN};
roa4 table r4;
roa6 table r6;
protocol device {}
protocol rpki cache { roa4 { table r4; }; roa6 { table r6; }; remote ${CACHE}; retry 10; refresh 100; expire 600; ${more} }
protocol bgp from_it { local as 65000; neighbor ${FROM} as 65002; passive; ipv4 { import ${imports}; export none; }; }
protocol bgp to_it { local as 65000; neighbor ${TO} as 65003; passive; ipv4 { import none; export ${exports}; }; }
`;
}

const NOT_INVALID = 'where roa_check(r4, net, bgp_path.last) != ROA_INVALID';

async function running(wish: Wish) {
  const lab = new SimLab();
  const cache = new ServingCache(lab.network.host(ip(CACHE)), ip(CACHE));
  const { api, to, configure } = await birdLab(lab, text(wish), [NET, OTHER]);
  return {
    api,
    cache,
    lab,
    to,
    async tell(vrps: readonly WireVrp[]): Promise<void> {
      cache.set(vrps);
      await lab.run(5000);
    },
    configure: (next: Wish) => configure(text(next), 2000),
    table: (name?: string): string[] => {
      const tables = name === undefined ? undefined : [name];
      return api.bird
        .routes({ tables })
        .flatMap((answer) => [...answer.routes()].flatMap((route) => route?.net ?? []));
    },
    protocol: () => api.bird.protocols({ details: true }).find(({ name }) => name === 'cache'),
  };
}

describe('what a cache says', () => {
  it('is no reason to refuse a route where no filter asks (6811-2-3)', async () => {
    const set = await running({});
    await set.tell([BY_OTHERS]);
    expect(set.table('master4')).toEqual([NET, OTHER]);
  });

  it('decides about routes that are there, and again when it is something else (6811-3-1, 6811-4-1)', async () => {
    const set = await running({ imports: NOT_INVALID });
    expect(set.table('master4')).toEqual([NET, OTHER]);
    await set.tell([BY_OTHERS]);
    expect(set.table('master4')).toEqual([OTHER]);
    expect(set.to.routes()).toEqual([`${OTHER} via ${OWN}`]);
    await set.tell([BY_OTHERS, BY_US, OF_OTHER]);
    expect(set.table('master4')).toEqual([NET]);
    await set.tell([]);
    expect(set.table('master4')).toEqual([NET, OTHER]);
    expect(set.api.peers().map(({ state }) => state)).toEqual(['Established', 'Established']);
  });

  it('decides about what goes out', async () => {
    const set = await running({ exports: NOT_INVALID });
    await set.tell([BY_OTHERS]);
    expect(set.to.routes()).toEqual([`${OTHER} via ${OWN}`]);
    await set.tell([BY_OTHERS, BY_US]);
    expect(set.to.routes()).toEqual([NET, OTHER].map((net) => `${net} via ${OWN}`));
  });

  it('waits for the next update of a route where the peer is not to be judged again', async () => {
    const set = await running({ imports: `${NOT_INVALID}; rpki reload off` });
    await set.tell([BY_OTHERS]);
    expect(set.table('master4')).toEqual([NET, OTHER]);
  });

  it('counts until it expires when the cache is gone, and then no more (8210-6-1)', async () => {
    const set = await running({ imports: NOT_INVALID, more: 'expire keep 600;' });
    await set.tell([BY_OTHERS]);
    set.cache.close();
    await set.lab.run(590_000);
    expect(set.table('master4')).toEqual([OTHER]);
    expect(set.protocol()).toMatchObject({ state: 'start', rpki: { status: 'Transport-Error' } });
    await set.lab.run(20_000);
    expect(set.table('master4')).toEqual([NET, OTHER]);
    const events = [...set.api.events({})].filter(({ kind }) => kind === 'rpki');
    expect(events.map(({ code }) => code)).toEqual([
      'rpki-cache-synced',
      'rpki-cache-lost',
      'rpki-data-gone',
    ]);
    expect(events[1]?.sentence).toMatch(/^RPKI cache cache: .*; what it has said counts on$/);
  });

  it('is shown as a table and as a protocol', async () => {
    const set = await running({});
    await set.tell([BY_US, { prefix: [0x20, 1, ...Array(14).fill(0)], bits: 16, maxLength: 32, asn: 1 }]);
    expect(set.table('r4')).toEqual([`${NET}-24 AS65002`]);
    expect(set.table('r6')).toEqual(['2001::/16-32 AS1']);
    const shown = set.protocol();
    expect(shown).toMatchObject({
      state: 'up',
      rpki: { status: 'Established', version: 1, sessionId: 7, serial: 1 },
    });
    expect(shown?.channels.map(({ name, state, routes }) => [name, state, routes?.imported])).toEqual([
      ['roa4', 'up', 1],
      ['roa6', 'up', 1],
    ]);
  });

  it('is asked for when the protocol is reloaded, and missed by name when it is gone', async () => {
    const set = await running({});
    const { length } = set.cache.queries;
    expect(set.api.bird.act('cache', { action: 'reload' })).toBe('done');
    await set.lab.run(1000);
    expect(set.cache.queries).toHaveLength(length + 1);
    expect(set.api.rpkiCaches()).toMatchObject([
      { name: 'cache', state: 'Established', serial: 0, problem: undefined },
    ]);
    expect(set.api.status().problems).toEqual([]);
    set.cache.close();
    await set.lab.run(1000);
    expect(set.api.status().problems).toEqual([expect.stringMatching(/^RPKI cache cache: .* counts on\.$/)]);
  });

  it('goes with its protocol, by command and by configuration', async () => {
    const set = await running({ imports: NOT_INVALID });
    await set.tell([BY_OTHERS]);
    expect(set.api.bird.act('cache', { action: 'disable' })).toBe('done');
    await set.lab.run(5000);
    expect([set.table('master4'), set.table('r4')]).toEqual([[NET, OTHER], []]);
    expect(set.protocol()?.state).toBe('down');
    expect(set.api.bird.act('cache', { action: 'enable' })).toBe('done');
    await set.lab.run(5000);
    expect(set.table('master4')).toEqual([OTHER]);
    await set.configure({ imports: NOT_INVALID, more: 'ignore max length;' });
    await set.lab.run(5000);
    expect(set.table('r4')).toEqual([`${NET}-32 AS65009`]);
    const queries = set.cache.queries.length;
    await set.configure({ imports: NOT_INVALID, more: 'ignore max length; retry 20;' });
    expect(set.cache.queries).toHaveLength(queries);
  });
});

describe('a cache over SSH', () => {
  it('is not asked, and the operator is told', async () => {
    const transport = 'transport ssh { bird private key "/k"; remote public key "/p"; user "u"; };';
    const set = await running({ more: transport });
    await set.tell([BY_OTHERS]);
    expect(set.table('r4')).toEqual([]);
    expect(set.protocol()?.state).toBe('down');
  });
});
