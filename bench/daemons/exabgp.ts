// ExaBGP as a peer: it has no table, so its routes are put together from the JSON lines that it reports.

import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../lab/command.ts';
import { ManagedProcess } from '../lab/managed-process.ts';
import {
  type Daemon,
  type DaemonKind,
  type DaemonSpec,
  isIpv6,
  type LabFamily,
  type PeerSpec,
  type PeerState,
  programIn,
  type RouteState,
  type StartContext,
  versionLine,
} from './types.ts';

export function exabgp(programs?: string): DaemonKind {
  const program = programIn(programs, 'exabgp');
  return {
    name: 'exabgp',
    abilities: () => [],
    version: () => versionLine([program, '--version']),
    start: (context) => start(context, program),
  };
}

async function start({ namespace, directory, spec }: StartContext, program: string): Promise<Daemon> {
  const config = join(directory, 'exabgp.conf');
  const reporter = join(directory, 'report.sh');
  const report = join(directory, 'report.jsonl');
  await writeFile(report, '');
  await writeFile(reporter, `#!/bin/sh\nwhile read -r line; do printf '%s\\n' "$line"; done > ${report}\n`);
  await chmod(reporter, 0o755);
  await writeFile(config, configuration(spec, reporter));
  const process = new ManagedProcess(
    'exabgp',
    namespace.wrap([program, config]),
    join(directory, 'exabgp.log'),
    {
      'exabgp.daemon.user': 'root',
      'exabgp.daemon.drop': 'false',
      'exabgp.api.cli': 'false',
      'exabgp.log.destination': 'stdout',
      'exabgp.bgp.passive': 'false',
    },
  );
  const events = async (): Promise<Message[]> =>
    (await readFile(report, 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  await waitFor('exabgp has read its configuration', async () => {
    process.assertRunning();
    return process.logTail(50).includes('loaded new configuration');
  });
  return {
    name: 'exabgp',
    processes: [process],
    peers: async () => peerStates(spec, await events()),
    routes: async (family) => routeStates(family, await events()),
    // It has no client here: its state is what it has reported.
    askStatus: () => events(),
    stop: () => process.stop(),
  };
}

function configuration(spec: DaemonSpec, reporter: string): string {
  return [
    'process reporter {',
    `  run ${reporter};`,
    '  encoder json;',
    '}',
    ...spec.peers.map((peer) => neighbor(spec, peer)),
    '',
  ].join('\n');
}

function neighbor(spec: DaemonSpec, peer: PeerSpec): string {
  const lines = [
    `neighbor ${peer.address} {`,
    `  router-id ${spec.routerId};`,
    `  local-address ${peer.localAddress};`,
    `  local-as ${spec.asn};`,
    `  peer-as ${peer.asn};`,
    '  hold-time 90;',
  ];
  if (peer.passive === true) lines.push('  passive true;');
  if (peer.password !== undefined) lines.push(`  md5-password "${peer.password}"; md5-base64 false;`);
  lines.push('  family {', ...peer.families.map((family) => `    ${family} unicast;`), '  }');
  lines.push('  api { processes [ reporter ]; neighbor-changes; receive { parsed; update; } }');
  for (const family of peer.families) {
    const networks = spec.networks.filter((prefix) => isIpv6(prefix) === (family === 'ipv6'));
    if (networks.length === 0) continue;
    // Its own `self` is the session's address, which is of one family only.
    const nextHop = isIpv6(peer.localAddress) === (family === 'ipv6') ? 'self' : undefined;
    if (nextHop === undefined) continue;
    lines.push(
      `  announce { ${family} {`,
      ...networks.map((p) => `    unicast ${p} next-hop ${nextHop};`),
      '  } }',
    );
  }
  lines.push('}');
  return lines.join('\n');
}

const LINK_LOCAL = /^fe[89ab]/;

interface UpdateJson {
  attribute?: {
    'as-path'?: number[] | Record<string, { value?: number[] }>;
    'local-preference'?: number;
    med?: number;
    community?: number[][];
    'originator-id'?: string;
    'cluster-list'?: string[];
  };
  announce?: Record<string, Record<string, (string | { nlri: string })[]>>;
  withdraw?: Record<string, (string | { nlri: string })[]>;
}

interface Message {
  type: string;
  neighbor: {
    address: { peer: string };
    state?: string;
    message?: { update?: UpdateJson };
  };
}

function peerStates(spec: DaemonSpec, messages: readonly Message[]): PeerState[] {
  const up = new Map(spec.peers.map(({ address }) => [address, false]));
  for (const { type, neighbor: peer } of messages) {
    if (type === 'state') up.set(peer.address.peer, peer.state === 'up');
  }
  return [...up].map(([address, established]) => ({ address, established }));
}

function routeStates(family: LabFamily, messages: readonly Message[]): RouteState[] {
  const routes = new Map<string, RouteState>();
  const key = `${family} unicast`;
  for (const { type, neighbor: peer } of messages) {
    const from = peer.address.peer;
    if (type === 'state' && peer.state === 'down') {
      for (const known of [...routes.keys()]) if (known.startsWith(`${from} `)) routes.delete(known);
    }
    const update = peer.message?.update;
    if (update === undefined) continue;
    for (const prefix of update.withdraw?.[key] ?? []) routes.delete(`${from} ${nlriText(prefix)}`);
    for (const [nextHop, prefixes] of Object.entries(update.announce?.[key] ?? {})) {
      // RFC 2545 §3: the second next hop of the same routes, for the kernel of a direct neighbour.
      if (LINK_LOCAL.test(nextHop)) continue;
      for (const prefix of prefixes) {
        const text = nlriText(prefix);
        routes.set(`${from} ${text}`, toRoute(text, nextHop, update));
      }
    }
  }
  return [...routes.values()];
}

function nlriText(nlri: string | { nlri: string }): string {
  return typeof nlri === 'string' ? nlri : nlri.nlri;
}

function toRoute(prefix: string, nextHop: string, { attribute }: UpdateJson): RouteState {
  const path = attribute?.['as-path'] ?? [];
  const asns = Array.isArray(path) ? path : Object.values(path).flatMap((segment) => segment.value ?? []);
  return {
    prefix,
    best: true,
    nextHop,
    asPath: asns.join(' '),
    localPref: attribute?.['local-preference'],
    med: attribute?.med,
    communities: (attribute?.community ?? []).map((pair) => pair.join(':')),
    originatorId: attribute?.['originator-id'],
    clusterList: attribute?.['cluster-list'] ?? [],
  };
}
