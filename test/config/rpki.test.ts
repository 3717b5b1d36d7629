import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/model.ts';
import { describePolicy, filtersOf } from '../../src/config/policies.ts';
import { serverChanges } from '../../src/config/server-changes.ts';
import { AttributeAccess, bgpRouteFacts } from '../../src/policy/attribute-access.ts';
import { routeAttribute } from '../../src/policy/attributes.ts';
import { OUTCOME } from '../../src/policy/filter.ts';
import { List } from '../../src/policy/values.ts';
import { config as configOf, issuesOf } from './support.ts';

const HEAD = 'router: { asn: 64512, id: 10.0.0.1 }\n';

function caches(...lines: string[]): Config {
  return configOf(`${HEAD}rpki:\n  caches:\n${lines.map((line) => `    - ${line}\n`).join('')}`);
}

function messages(text: string): string[] {
  return issuesOf(`${HEAD}${text}`).map(({ message }) => message);
}

describe('caches', () => {
  it('are an address, and the rest is as usual', () => {
    expect(caches('192.0.2.1').rpki).toEqual([
      {
        name: 'rpki1',
        host: '192.0.2.1',
        port: 323,
        localAddress: undefined,
        password: undefined,
        preference: 0,
        refresh: { seconds: 3600, keep: false },
        retry: { seconds: 600, keep: false },
        expire: { seconds: 7200, keep: false },
        minVersion: 0,
        maxVersion: 2,
        ignoreMaxLength: false,
        enabled: true,
        tables: { roa4: 'rpki', roa6: 'rpki', aspa: 'aspa' },
      },
    ]);
  });

  it('are what is said of them; intervals that are given go before those of the cache', () => {
    const [cache] = caches(
      '{ host: rtr.example.net, name: near, port: 8282, preference: 2, refresh: 60, password: x, maxVersion: 1 }',
    ).rpki!;
    expect(cache).toMatchObject({
      name: 'near',
      host: 'rtr.example.net',
      port: 8282,
      preference: 2,
      refresh: { seconds: 60, keep: true },
      maxVersion: 1,
    });
    expect(`${cache?.password}`).toBe('<redacted>');
  });

  it('are complained of where they cannot be', () => {
    expect(messages('rpki: { caches: [] }\n')).toHaveLength(1);
    expect(messages('rpki: { caches: ["a b"] }\n')).toHaveLength(1);
    expect(messages('rpki: { caches: [{ host: a, expire: 5 }] }\n')).toHaveLength(1);
    expect(messages('rpki: { caches: [{ host: a, minVersion: 2, maxVersion: 1 }] }\n')).toHaveLength(1);
  });

  it('change by a sentence each', () => {
    const before = caches('a', 'b', 'c').rpki;
    const after = caches('a', '{ host: b, port: 1 }', '{ host: c, name: d }').rpki;
    expect(serverChanges('RPKI cache', before, after)).toEqual([
      'RPKI cache rpki2 changes',
      'RPKI cache d is new',
      'RPKI cache rpki3 is removed',
    ]);
    expect(serverChanges('RPKI cache', before, before)).toEqual([]);
  });
});

describe('filters', () => {
  it('know the tables where there are caches, and only there', () => {
    const peer =
      'peers: [{ address: 10.0.0.2, asn: 1, import: "if roa_check(rpki) = ROA_INVALID then reject; accept;", export: reject }]\n';
    const [first] = configOf(`${HEAD}rpki: { caches: [a] }\n${peer}`).peers;
    expect(filtersOf(first!.import).map(({ facts }) => [...facts.tables])).toEqual([['rpki'], ['rpki']]);
    expect(messages(peer).length).toBeGreaterThan(0);
  });
});

describe('the option rpki of a peer', () => {
  const peer = (more: string, before = 'rpki: { caches: [a] }\n') =>
    `${before}peers: [{ address: 10.0.0.2, asn: 1, export: reject, ${more} }]\n`;
  const importOf = (text: string) => configOf(`${HEAD}${text}`).peers[0]!.import;

  it('comes before what is imported otherwise', () => {
    const plain = importOf(peer('rpki: reject-invalid, import: accept'));
    expect(filtersOf(plain).map(({ facts }) => [...facts.tables])).toEqual([['rpki'], ['rpki']]);
    const filters = 'rpki: { caches: [a] }\nfilters:\n  short: if net.len > 24 then reject; accept;\n';
    const named = importOf(peer('rpki: tag, import: short', filters));
    expect(describePolicy(named)).toBe('filter short');
    expect(filtersOf(named)[0]?.facts.dependsOnPrefix).toBe(true);
    expect(importOf(peer('rpki: tag, import: reject'))).toBe('reject');
  });

  it('lets nothing in where nothing is imported (RFC 8212), and everything else from internal peers', () => {
    expect(importOf(peer('rpki: reject-invalid'))).toBe('none');
    const internal = configOf(
      `${HEAD}rpki: { caches: [a] }\npeers: [{ address: 10.0.0.2, asn: 64512, rpki: reject-invalid }]\n`,
    );
    expect(filtersOf(internal.peers[0]!.import)).toHaveLength(2);
  });

  it('tags a route with its state as RFC 8097 has it', () => {
    // Nobody has filled a table: what a router knows nothing of is not found.
    const [filter] = filtersOf(importOf(peer('rpki: tag, import: accept')));
    const access = new AttributeAccess()
      .load(new Uint8Array(0), 0, 0, bgpRouteFacts('p', undefined, undefined))
      .setNet(Int32Array.of(0), 0, 1);
    expect(filter?.evaluate(access)).toBe(OUTCOME.accept);
    const tagged = access.get(routeAttribute('bgp_ext_community', '2.x')!);
    expect(tagged instanceof List && [...tagged.bytes]).toEqual([0x43, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('needs a cache, and a filter that it can come before', () => {
    expect(messages(peer('rpki: tag, import: accept', ''))).toContain('there is no cache to ask');
    const defined = 'rpki: { caches: [a] }\ndefinitions: filter short { accept; }\n';
    expect(messages(peer('rpki: tag, import: accept', defined))).toEqual([]);
  });
});
