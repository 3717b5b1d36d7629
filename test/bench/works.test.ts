// The works as data: each sets up at any size, names are unique, what a load is told fits together; and the bench's
// options.

import { describe, expect, test } from 'vitest';
import { parseOptions, USAGE } from '../../bench/options.ts';
import { WORKS, type Work } from '../../bench/works.ts';

const SIZE = {
  routes: 2000,
  seed: 1,
  prefixList: undefined,
  mrtTable: '/some/table.mrt',
  churnRate: 100,
  churnSeconds: 3,
};

describe('a work', () => {
  test.each(WORKS.map((work): [string, Work] => [work.id, work]))('%s fits together', (_, work) => {
    const setup = work.setup(SIZE);
    expect(setup).toBeDefined();
    const { spec, plan, addresses } = setup!;
    expect(plan.phases.at(-1)).toBe(work.phase);
    expect(spec.peers.map(({ address, asn }) => [address, asn])).toEqual(
      plan.sessions.map(({ localAddress, asn }) => [localAddress, asn]),
    );
    expect(new Set(addresses).size).toBe(plan.sessions.length);
    expect(spec.kernel).toBe((work.needs ?? []).includes('kernel routes'));
    const routes = 'routes' in plan.table ? plan.table.routes : Number.POSITIVE_INFINITY;
    const announced = plan.sessions.flatMap(({ send }) => (send === undefined ? [] : [send.to]));
    for (const to of announced) expect(to).toBeLessThanOrEqual(routes);
    const roles = new Set(plan.sessions.map(({ role }) => role));
    expect(roles.has('churn')).toBe(plan.churn !== undefined);
    expect(roles.has('probes')).toBe(plan.probes !== undefined);
    expect(roles.has('joiner')).toBe(plan.phases.includes('join'));
    expect(roles.has('flapping')).toBe(plan.phases.includes('down'));
    expect(plan.lingerSeconds !== undefined).toBe(plan.phases.includes('linger'));
  });

  test('that lasts as long as asked has the time for it', () => {
    const hour = 3600;
    const churn = WORKS.find(({ id }) => id === 'C1')!;
    expect(churn.setup({ ...SIZE, churnSeconds: hour })!.plan.timeoutSeconds).toBeGreaterThan(hour);
  });

  test('has a name of its own', () => {
    expect(new Set(WORKS.map(({ id }) => id)).size).toBe(WORKS.length);
  });

  test('whose input is not at hand does not take place', () => {
    const real = WORKS.find(({ id }) => id === 'T4')!;
    expect(real.setup({ ...SIZE, mrtTable: undefined })).toBeUndefined();
  });
});

describe('options', () => {
  test('have sizes for a whole run and for a short one', () => {
    expect(parseOptions([])).toMatchObject({
      rounds: 3,
      size: { routes: 1_000_000, churnRate: 2000, churnSeconds: 60 },
    });
    expect(parseOptions(['--short'])).toMatchObject({
      rounds: 1,
      size: { routes: 100_000, churnSeconds: 10 },
    });
    expect(parseOptions(['--short', '--rounds', '4', '--routes', '7', '--rate', '5'])).toMatchObject({
      rounds: 4,
      size: { routes: 7, churnRate: 5 },
    });
  });

  test('choose works and daemons', () => {
    const options = parseOptions([
      ...['--work', 'R1,C1', '--peers', 'godwit,bird,bird=/opt/bird3', '--profile', '/p'],
    ]);
    expect(options?.works.map(({ id }) => id)).toEqual(['R1', 'C1']);
    expect(options).toMatchObject({
      peers: [{ daemon: 'godwit' }, { daemon: 'bird' }, { daemon: 'bird', directory: '/opt/bird3' }],
      profile: '/p',
    });
    expect(parseOptions(['--work', 'all'])?.works).toEqual(WORKS);
    expect(parseOptions([])?.peers).toBeUndefined();
  });

  test('give undefined where help is wanted, which names every work', () => {
    expect(parseOptions(['--help'])).toBeUndefined();
    for (const { id } of WORKS) expect(USAGE).toContain(`  ${id} `);
  });

  test.each([
    [['--work', 'X9'], /--work: no such name: X9 \(of T1, T1w, /],
    [['--peers', 'quagga'], /--peers: no such name: quagga \(of godwit, bird, /],
    [['--peers', 'exabgp=/opt'], /no such name: exabgp/],
    [['--mrt', '/no/such/table'], /--mrt: there is no file \/no\/such\/table/],
    [['--prefixes', '/no/such/list'], /--prefixes: there is no file/],
    [['--rounds', '0'], /--rounds must be a positive integer, not 0/],
    [['--routes', '1e5x'], /--routes must be a positive integer/],
  ])('%j makes no sense', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
