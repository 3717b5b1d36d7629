// OpenBGPD (its portable release) as a peer: one configuration file that only root may read, bgpctl over a socket of
// its own, JSON output.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, waitFor } from '../lab/command.ts';
import { ManagedProcess } from '../lab/managed-process.ts';
import {
  type Daemon,
  type DaemonKind,
  type DaemonSpec,
  type LabFamily,
  type PeerSpec,
  programIn,
  type RouteState,
  type StartContext,
  versionLine,
} from './types.ts';

const FAMILY: Readonly<Record<LabFamily, string>> = { ipv4: 'inet', ipv6: 'inet6' };

const CHROOT = '/run/openbgpd';

export function openbgpd(programs?: string): DaemonKind {
  return {
    name: 'openbgpd',
    // On Linux the portable release 7.7 takes `fib-update yes` and writes no route; 8.8 does.
    abilities: (version) =>
      Number.parseInt(version.replace('OpenBGPD ', ''), 10) < 8 ? [] : ['kernel routes'],
    version: () => versionLine([programIn(programs, 'bgpctl'), '-V']),
    start: (context) => start(context, programs),
  };
}

async function start(
  { namespace, directory, spec }: StartContext,
  programs: string | undefined,
): Promise<Daemon> {
  const client = programIn(programs, 'bgpctl');
  const config = join(directory, 'bgpd.conf');
  const socket = join(directory, 'bgpd.sock');
  // The home of its user, into which its processes lock themselves; the service manager would make it.
  await mkdir(CHROOT, { recursive: true });
  await writeFile(config, configuration(spec, socket), { mode: 0o600 });
  const process = new ManagedProcess(
    'openbgpd',
    namespace.wrap([programIn(programs ?? '/usr/sbin', 'bgpd'), '-d', '-f', config]),
    join(directory, 'bgpd.log'),
  );
  const ask = async <T>(...args: string[]): Promise<T> =>
    JSON.parse(await run([client, '-j', '-s', socket, ...args]));
  await waitFor('bgpctl answers', async () => {
    process.assertRunning();
    return (await ask<{ neighbors?: unknown }>('show', 'neighbor')).neighbors !== undefined;
  });
  return {
    name: 'openbgpd',
    processes: [process],
    peers: async () =>
      (await ask<{ neighbors: NeighborJson[] }>('show', 'neighbor')).neighbors.map((peer) => ({
        address: peer.remote_addr,
        established: peer.state === 'Established',
      })),
    routes: async (family) =>
      ((await ask<{ rib?: PathJson[] }>('show', 'rib', 'detail', FAMILY[family])).rib ?? []).map(toRoute),
    askStatus: () => run([client, '-s', socket, 'show', 'rib', 'mem']),
    stop: () => process.stop(),
  };
}

function configuration(spec: DaemonSpec, socket: string): string {
  const lines = [
    `AS ${spec.asn}`,
    `router-id ${spec.routerId}`,
    `socket "${socket}"`,
    `fib-update ${spec.kernel ? 'yes' : 'no'}`,
    // Next hops of bench routes lie behind the default route of nobody: they count as reachable.
    'nexthop qualify via default',
    'connect-retry 1',
  ];
  for (const address of new Set(spec.peers.map((peer) => peer.localAddress)))
    lines.push(`listen on ${address}`);
  for (const prefix of spec.networks) lines.push(`network ${prefix}`);
  for (const peer of spec.peers) lines.push(peerBlock(spec, peer));
  lines.push('allow from any', 'allow to any');
  return `${lines.join('\n')}\n`;
}

function peerBlock(spec: DaemonSpec, peer: PeerSpec): string {
  const lines = [
    `neighbor ${peer.address} {`,
    `  remote-as ${peer.asn}`,
    `  local-address ${peer.localAddress}`,
    `  descr "${peer.name}"`,
    `  announce IPv4 ${peer.families.includes('ipv4') ? 'unicast' : 'none'}`,
    `  announce IPv6 ${peer.families.includes('ipv6') ? 'unicast' : 'none'}`,
  ];
  if (peer.passive === true) lines.push('  passive');
  if (peer.password !== undefined) lines.push(`  tcp md5sig password "${peer.password}"`);
  if (peer.reflectorClient === true) lines.push(`  route-reflector ${spec.clusterId ?? spec.routerId}`);
  if (peer.asn !== spec.asn) lines.push('  enforce neighbor-as no');
  lines.push('}');
  return lines.join('\n');
}

interface NeighborJson {
  remote_addr: string;
  state: string;
}

interface PathJson {
  prefix: string;
  best?: boolean;
  aspath?: string;
  exit_nexthop?: string;
  localpref?: number;
  metric?: number;
  attributes?: { type: string; communities?: string[]; originator?: string; cluster_list?: string[] }[];
}

function toRoute(path: PathJson): RouteState {
  const attribute = (pattern: RegExp) => path.attributes?.find(({ type }) => pattern.test(type));
  return {
    prefix: path.prefix,
    best: path.best === true,
    nextHop: path.exit_nexthop,
    asPath: path.aspath ?? '',
    localPref: path.localpref,
    med: path.metric,
    communities: attribute(/^communities$/i)?.communities ?? [],
    originatorId: attribute(/originator/i)?.originator,
    clusterList: attribute(/cluster/i)?.cluster_list ?? [],
  };
}
