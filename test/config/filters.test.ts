// Filters in a native configuration: by name and in place, with their definitions, and their mistakes at the very
// characters of the YAML that are wrong.

import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/model.ts';
import { describePolicy, policyFor } from '../../src/config/policies.ts';
import { Filter } from '../../src/policy/filter.ts';
import { config as configOf, issuesOf } from './support.ts';

const HEAD = 'router: { asn: 64512, id: 10.0.0.1 }\n';

function peer(policies: string, before = ''): string {
  return `${HEAD}${before}peers:\n  - address: 10.0.0.2\n    asn: 64513\n${policies
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}\n`;
}

function first(config: Config): Config['peers'][number] {
  return config.peers[0]!;
}

/** `line:column message`, one an issue. */
function places(text: string): string[] {
  return issuesOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe('filters', () => {
  it('are used by name and in place', () => {
    const { import: taken, export: given } = first(
      configOf(
        peer(
          'import: short\nexport: if net.len > 24 then reject; accept;',
          'filters:\n  short: if net.len < 25 then accept; reject;\n',
        ),
      ),
    );
    expect(describePolicy(taken)).toBe('filter short');
    expect(describePolicy(given)).toBe('an unnamed filter');
  });

  it('may differ between families; the one that is not named gets nothing', () => {
    const { import: taken, export: given } = first(
      configOf(
        peer(
          'import: { ipv4: accept, ipv6: "if net.len > 48 then reject; accept;" }\nexport: { ipv6: accept }',
        ),
      ),
    );
    expect(policyFor(taken, 'ipv4')).toBe('accept');
    expect(policyFor(taken, 'ipv6')).toBeInstanceOf(Filter);
    expect(given).toEqual({ ipv4: 'reject', ipv6: 'accept' });
  });

  it('use what definitions define, filters of their own included', () => {
    const text = peer(
      'import: a\nexport: b',
      `definitions: |
  define LIMIT = 24;
  attribute int tier;
  function fits(int most) -> bool { return net.len <= most; }
  filter b { tier = 2; accept; }
filters:
  a: |
    int n;
    n = LIMIT;
    if fits(n) then accept;
    reject;
`,
    );
    const { import: taken, export: given } = first(configOf(text));
    expect([describePolicy(taken), describePolicy(given)]).toEqual(['filter a', 'filter b']);
  });

  it('of a group are one for all its peers', () => {
    const config = configOf(
      `${HEAD}peerGroups: { g: { asn: 64513, import: "if net.len > 24 then reject; accept;", export: accept } }
peers: [{ address: 10.0.0.2, group: g }, { address: 10.0.0.3, group: g }]\n`,
    );
    expect(config.peers[0]!.import).toBe(config.peers[1]!.import);
  });

  it('that only accept or reject are that', () => {
    expect(first(configOf(peer('import: "accept;"\nexport: "reject;"')))).toMatchObject({
      import: 'accept',
      export: 'reject',
    });
  });

  it('judge what is installed and what is redistributed', () => {
    const { localPolicies, redistribute } = configOf(
      `${HEAD}kernel: { install: true, export: "if net.len > 24 then reject; accept;" }
redistribute: { connected: accept, kernel: "if krt_metric > 5 then reject; accept;" }\n`,
    );
    expect(redistribute).toEqual(['kernel', 'connected']);
    expect(localPolicies).toMatchObject({ networks: 'accept', connected: 'accept' });
    expect(localPolicies.install).toBeInstanceOf(Filter);
    expect(localPolicies.kernel).toBeInstanceOf(Filter);
  });
});

describe('mistakes', () => {
  it('are shown where they stand: in a block', () => {
    const text = `${HEAD}filters:
  broken: |
    if net.len > 24 then accept;
    if bgp_local_prf = 3 then reject;
    accept;
`;
    expect(places(text)).toEqual(["5:8 'bgp_local_prf' is not defined"]);
  });

  it.each([
    ['plain', 'import: if net.size > 24 then reject; accept;', 6],
    ['double quotes', 'import: "if net.size > 24 then reject; accept;"', 6],
    ['single quotes', "import: 'if net.size > 24 then reject; accept;'", 6],
  ])('in %s', (_title, line, row) => {
    const text = peer(`export: accept\n${line}`);
    const column = text.split('\n')[row - 1]!.indexOf('size') + 1;
    expect(places(text)).toEqual([expect.stringMatching(new RegExp(`^${row}:${column} `))]);
  });

  it('in quotes with escapes, and in what came from the environment, at the whole value', () => {
    expect(places(peer('export: accept\nimport: "if net.size > 24\\tthen reject; accept;"'))).toEqual([
      expect.stringMatching(/^6:13 /),
    ]);
  });

  it('in definitions', () => {
    expect(places(`${HEAD}definitions: |\n  define A = 1;\n  function f( { }\n`)).toEqual([
      expect.stringMatching(/^4:15 /),
    ]);
  });

  it('a name that is not there gets the one that was meant', () => {
    const text = peer('import: acept\nexport: custmers', 'filters: { customers: "accept;" }\n');
    expect(issuesOf(text)).toMatchObject([
      { message: 'there is no filter acept', hint: 'did you mean accept?' },
      { message: 'there is no filter custmers', hint: 'did you mean customers?' },
    ]);
  });

  it('names that mean something else are refused', () => {
    expect(places(`${HEAD}filters: { accept: "reject;" }\n`)).toEqual([
      '2:12 accept cannot be the name of a filter',
    ]);
  });

  it('of one filter are told once, however many peers use it', () => {
    const text = `${HEAD}filters: { f: "acc;" }\npeers: [{ address: 10.0.0.2, asn: 1, import: f, export: f }, { address: 10.0.0.3, asn: 1, import: f, export: f }]\n`;
    expect(places(text)).toHaveLength(1);
  });
});
