// Files that Calico renders and that were recorded with the daemons' transcripts: they parse in their dialect, and
// the model says of a mesh node, a reflector and a ToR node what their files say.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FILE_SYSTEM } from '../../../src/config/bird/load.ts';
import { policyFor } from '../../../src/config/policies.ts';
import { Filter } from '../../../src/policy/filter.ts';
import { type Model, model } from './support.ts';

const DATA = join(import.meta.dirname, '../../../../shared/data');
const CALICO = join(DATA, 'calico-golden');
const TRANSCRIPTS = join(DATA, 'bird-transcripts');

function filesUnder(root: string, name: RegExp): string[] {
  if (!existsSync(root)) return [];
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return found.filter((path) => name.test(path)).sort();
}

function load(root: string, path: string): Model {
  const file = join(root, path);
  return model(readFileSync(file, 'utf8'), {}, file, FILE_SYSTEM);
}

const rendered = filesUnder(CALICO, /(^|\/)bird6?\.cfg$/);
const labs = filesUnder(TRANSCRIPTS, /\.conf$|(^|\/)bird\.cfg$/).filter((path) => !path.endsWith('bad.conf'));

describe.skipIf(rendered.length === 0)('what Calico renders', () => {
  test('parses as 1.6 of the right family, includes and all', () => {
    const wrong = rendered.filter((path) => {
      const { bird } = load(CALICO, path);
      const family = path.endsWith('bird6.cfg') ? 'ipv6' : 'ipv4';
      return bird.dialect !== '1.6' || bird.family !== family || bird.files.length !== 3;
    });
    expect(wrong).toEqual([]);
  });

  test('has a peer for every BGP protocol', () => {
    for (const path of rendered) {
      const text = readFileSync(join(CALICO, path), 'utf8');
      const names = [...text.matchAll(/^protocol bgp (\S+) from bgp_template/gm)].map((match) => match[1]);
      expect(
        load(CALICO, path).config.peers.map((peer) => peer.name),
        path,
      ).toEqual(names);
    }
  });

  const find = (part: string): string | undefined => rendered.find((path) => path.includes(part));

  const mesh = find('mesh/bgp-export/bird.cfg');
  test.skipIf(mesh === undefined)('a mesh node', () => {
    const { config, bird, warnings } = load(CALICO, mesh!);
    expect(config.router).toMatchObject({ asn: 64512, id: '10.192.0.2' });
    expect(config.peers[0]).toMatchObject({
      name: 'Mesh_10_192_0_3',
      address: '10.192.0.3',
      asn: 64512,
      localAs: undefined,
      localAddress: '10.192.0.2',
      description: 'Connection to BGP peer',
      passive: true,
      families: ['ipv4-unicast'],
      multihop: undefined,
      addPath: { receive: true, send: 'all' },
      gracefulRestart: { mode: 'full', restartTime: 120, notification: false },
      routeReflectorClient: false,
      extendedMessages: false,
      enforceFirstAs: false,
    });
    expect(config.peers[0]?.timers).toEqual({
      hold: 240,
      keepalive: 80,
      minHold: 0,
      minKeepalive: 0,
      openHold: 240,
      connectRetry: 5,
      connectDelay: 2,
      delayOpen: 0,
      errorWaitMin: 5,
      errorWaitMax: 30,
      errorForget: 300,
      sendHold: 480,
    });
    expect(config.kernel).toMatchObject({
      table: 254,
      metric: 0,
      ecmp: 16,
      keepOnStop: true,
      learn: [{ protocol: undefined, table: undefined }],
      direct: [{ interfaces: ['-cali*', '-kube-ipvs*', '*'], as: { ipv4: { protocol: 'direct1' } } }],
      scanTime: 2,
    });
    expect(config.redistribute).toEqual(['kernel', 'static', 'connected']);
    expect(config.listen).toEqual([{ address: '0.0.0.0', port: 179, interface: undefined }]);
    expect(config.networks.every((network) => network.type === 'blackhole')).toBe(true);
    expect(bird.definitions.map((each) => each.kind)).toContain('filter');
    expect(policyFor(config.localPolicies!.install, 'ipv4')).toMatchObject({
      name: 'calico_kernel_programming',
    });
    expect(policyFor(config.peers[0]!.export, 'ipv4')).toBeInstanceOf(Filter);
    expect(warnings.filter((message) => /filter/.test(message))).toEqual([]);
  });

  const reflector = find('explicit_peering/route_reflector/bird.cfg');
  test.skipIf(reflector === undefined)('a reflector', () => {
    const { config } = load(CALICO, reflector!);
    const shown = config.peers.map(({ name, asn, routeReflectorClient, clusterId, nextHop }) => {
      return { name, asn, routeReflectorClient, clusterId, nextHop };
    });
    const client = { asn: 64532, routeReflectorClient: true, clusterId: '10.0.0.1', nextHop: 'auto' };
    expect(shown.filter((peer) => peer.routeReflectorClient)).not.toEqual([]);
    for (const peer of shown) {
      if (peer.routeReflectorClient) expect(peer).toMatchObject(client);
      else expect(peer).toMatchObject({ clusterId: undefined });
    }
  });

  const tor = find('ttl_security/global/bird.cfg');
  test.skipIf(tor === undefined)('a node with GTSM towards its routers', () => {
    const { config } = load(CALICO, tor!);
    expect(
      config.peers.map(({ name, ttlSecurity, multihop }) => ({ name, ttlSecurity, multihop })),
    ).toContainEqual({
      name: 'Global_10_192_0_3',
      ttlSecurity: 1,
      multihop: undefined,
    });
  });

  const external = find('explicit_peering/keepnexthop/bird.cfg');
  test.skipIf(external === undefined)('a node that keeps next hops towards its router', () => {
    const peers = load(CALICO, external!).config.peers.filter((peer) => peer.nextHop === 'unchanged');
    expect(peers).not.toEqual([]);
    for (const peer of peers) expect(peer).toMatchObject({ multihop: 64, asn: expect.any(Number) });
  });
});

test.skipIf(labs.length === 0).each(labs)('the configuration of a transcript: %s', (path) => {
  const { bird } = load(TRANSCRIPTS, path);
  const is16 = /16\.conf$|cbird|1\.6\.8/.test(path);
  expect(bird.dialect, relative(DATA, path)).toBe(is16 ? '1.6' : '2.x');
});
