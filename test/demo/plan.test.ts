// The demonstration's parts that need nobody else: files that load without a complaint, a drawing that is not crooked,
// a table as `ip` prints it.

import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { configText } from '../../src/demo/config-file.ts';
import { routeLines } from '../../src/demo/kernel-table.ts';
import { drawTopology } from '../../src/demo/picture.ts';
import { expectedInstalls, expectedRoutes, makePlan, nodeNamed } from '../../src/demo/plan.ts';
import type { KernelRoute } from '../../src/fib/types.ts';
import { parseAddress, parsePrefix } from '../../src/lib/ip.ts';

const places = [
  { network: '10.99.0', network6: 'fd99', port: 179, shared: false },
  { network: '127.0.10', network6: 'fd99', port: 11790, shared: true },
];

describe.each(places)('the plan on $network', (place) => {
  const plan = makePlan(place);

  it.each(plan.nodes)('has a file for $name that means what the plan says', (node) => {
    const text = configText(plan, node, { socket: `/tmp/${node.name}.sock` });
    const noFile = () => {
      throw new Error('nothing else is read');
    };
    const result = parseConfig(text, 'demo.yaml', {}, noFile, { hostname: 'host', addresses: [] });
    expect(result).toMatchObject({ ok: true, warnings: [] });
    if (!result.ok) return;
    const { config } = result;
    expect(config.router).toMatchObject({ asn: node.asn, hostname: node.name });
    expect(config.peers.map(({ name, address, port }) => ({ name, address, port }))).toEqual(
      node.peers.map((name) => ({ name, address: nodeNamed(plan, name).address, port: place.port })),
    );
    expect(config.networks.map(({ prefix }) => prefix)).toEqual(node.networks.map(({ prefix }) => prefix));
    expect(config.kernel.install).toBe(node.role !== 'reflector');
  });

  it('lets both ends of each session know the other', () => {
    for (const node of plan.nodes) {
      for (const peer of node.peers) expect(nodeNamed(plan, peer).peers).toContain(node.name);
    }
  });

  it('is drawn within 80 columns, boxes closed', () => {
    const picture = drawTopology(plan);
    for (const line of picture.split('\n')) {
      expect(line.length).toBeLessThan(80);
      expect(line).toBe(line.trimEnd());
    }
    for (const node of plan.nodes) {
      for (const text of [node.name, node.address, ...node.blocks]) expect(picture).toContain(`| ${text} `);
    }
    const edges = picture.match(/\+-+\+/g) ?? [];
    expect(edges.length % 2).toBe(0);
  });
});

describe('what is expected of a speaker', () => {
  const plan = makePlan({ network: '10.99.0', network6: 'fd99', port: 179, shared: false });

  it('has every announced prefix once', () => {
    const routes = expectedRoutes(plan);
    expect(routes).toHaveLength(new Set(routes).size);
    expect(routes).toEqual(expect.arrayContaining(['10.244.3.64/26', '10.96.0.0/24', '0.0.0.0/0']));
  });

  it('installs what others announce', () => {
    const installs = expectedInstalls(plan, nodeNamed(plan, 'node1'));
    expect(installs).toContain('10.244.2.0/26');
    expect(installs).not.toContain('10.244.1.0/26');
    expect(installs).not.toContain('10.96.0.0/24');
    expect(expectedInstalls(plan, nodeNamed(plan, 'tor'))).toContain('10.96.0.0/24');
    expect(expectedInstalls(plan, nodeNamed(plan, 'rr1'))).toEqual([]);
  });
});

describe('the table of a simulated kernel', () => {
  const route = (prefix: string, rest: Partial<KernelRoute>): KernelRoute => {
    const parsed = parsePrefix(prefix);
    if (parsed === undefined) throw new RangeError(prefix);
    return { prefix: parsed, table: 254, metric: 32, protocol: 12, type: 'unicast', nextHops: [], ...rest };
  };
  const hop = (address: string) => {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new RangeError(address);
    return { gateway: parsed.bytes, ifindex: 2 };
  };

  it('reads as `ip route` does, IPv4 first, in the order of prefixes', () => {
    const lines = routeLines(
      [
        route('2001:db8::/32', { nextHops: [hop('fd99::1')] }),
        route('192.0.2.1/32', { nextHops: [hop('10.0.0.1')] }),
        route('10.96.0.0/24', { nextHops: [hop('10.0.0.1'), hop('10.0.0.2')] }),
        route('10.244.1.0/26', { type: 'blackhole', protocol: 80, metric: 0 }),
        route('10.0.0.0/24', { protocol: 2, metric: 0, nextHops: [{ ifindex: 2 }] }),
        route('0.0.0.0/0', { nextHops: [hop('10.0.0.254')] }),
      ],
      () => 'eth0',
    );
    expect(lines.split('\n')).toEqual([
      'default via 10.0.0.254 dev eth0 proto bird metric 32',
      '10.0.0.0/24 dev eth0 proto kernel',
      '10.96.0.0/24 proto bird metric 32',
      '\tnexthop via 10.0.0.1 dev eth0 weight 1',
      '\tnexthop via 10.0.0.2 dev eth0 weight 1',
      'blackhole 10.244.1.0/26 proto 80',
      '192.0.2.1 via 10.0.0.1 dev eth0 proto bird metric 32',
      '2001:db8::/32 via fd99::1 dev eth0 proto bird metric 32',
      '',
    ]);
  });
});
