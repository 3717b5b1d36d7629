// FRR as a peer: bgpd alone where nothing goes to the kernel, else zebra and bgpd; run directories of their own, asked
// through vtysh in JSON.

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, waitFor } from '../lab/command.ts';
import { ManagedProcess } from '../lab/managed-process.ts';
import {
  type Daemon,
  type DaemonKind,
  type DaemonSpec,
  isIpv6,
  programIn,
  type RouteState,
  type StartContext,
  stopAll,
  versionLine,
} from './types.ts';

/** Where packages put its daemons; its terminal is a command like others. */
const DAEMONS = '/usr/lib/frr';

export function frr(programs?: string): DaemonKind {
  return {
    name: 'frr',
    abilities: () => ['kernel routes'],
    version: async () => {
      const line = await versionLine([programIn(programs ?? DAEMONS, 'bgpd'), '--version']);
      return line?.replace('bgpd version', 'FRR');
    },
    start: (context) => start(context, programs),
  };
}

async function start(
  { namespace, directory, spec }: StartContext,
  programs: string | undefined,
): Promise<Daemon> {
  const vtysh = programIn(programs, 'vtysh');
  const sockets = join(directory, 'vty');
  await mkdir(sockets, { recursive: true });
  // Its daemons drop to a user of their own, who must reach and write what is theirs.
  await run(['chown', '-R', 'frr:frrvty', directory]);
  const zapi = join(directory, 'zserv.api');
  const launch = async (
    daemon: string,
    config: string,
    extra: readonly string[],
  ): Promise<ManagedProcess> => {
    const path = join(directory, `${daemon}.conf`);
    await writeFile(path, config);
    const options = ['-f', path, '-i', join(directory, `${daemon}.pid`), '--vty_socket', sockets];
    const identity = ['-A', '127.0.0.1', '--log', 'stdout'];
    const process = new ManagedProcess(
      daemon,
      namespace.wrap([programIn(programs ?? DAEMONS, daemon), ...options, ...identity, ...extra]),
      join(directory, `${daemon}.log`),
    );
    await waitFor(`${daemon} opens its terminal`, async () => {
      process.assertRunning();
      return existsSync(join(sockets, `${daemon}.vty`));
    });
    return process;
  };
  const processes: ManagedProcess[] = [];
  const bfd = spec.peers.some((peer) => peer.bfd !== undefined);
  // bgpd asks bfdd through zebra.
  const zebra = spec.kernel || bfd;
  if (zebra) processes.push(await launch('zebra', 'frr defaults traditional\n', ['-z', zapi]));
  const control = join(directory, 'bfdd.sock');
  if (bfd) processes.push(await launch('bfdd', bfdProfile(spec), ['-z', zapi, '--bfdctl', control]));
  processes.push(await launch('bgpd', configuration(spec), zebra ? ['-z', zapi] : ['-Z', '-n']));

  const ask = async (command: string): Promise<Record<string, unknown>> => {
    const text = await run([vtysh, '--vty_socket', sockets, '-d', 'bgpd', '-c', `${command} json`]);
    return text.trim() === '' ? {} : JSON.parse(text);
  };
  await waitFor('vtysh answers', async () => (await ask('show bgp summary')) !== undefined);
  return {
    name: 'frr',
    processes,
    peers: async () =>
      Object.entries((await ask('show bgp neighbors')) as Record<string, NeighborJson>).map(
        ([address, { bgpState }]) => ({ address, established: bgpState === 'Established' }),
      ),
    routes: async (family) => {
      const table: TableJson = await ask(`show bgp ${family} unicast`);
      const entries: PrefixJson[] = [];
      // The table leaves attributes out in this release: each prefix is asked for by itself.
      for (const prefix of Object.keys(table.routes ?? {})) {
        entries.push({ prefix, ...(await ask(`show bgp ${family} unicast ${prefix}`)) });
      }
      return parseRoutes(entries);
    },
    askStatus: () => run([vtysh, '--vty_socket', sockets, '-d', 'bgpd', '-c', 'show bgp vrfs']),
    stop: () => stopAll([...processes].reverse()),
  };
}

function bfdProfile({ peers }: DaemonSpec): string {
  const { interval, multiplier } = peers.find((peer) => peer.bfd !== undefined)!.bfd!;
  const lines = ['frr defaults traditional', 'bfd', ' profile lab', `  detect-multiplier ${multiplier}`];
  lines.push(`  receive-interval ${interval}`, `  transmit-interval ${interval}`, ' exit');
  return `${lines.join('\n')}\n`;
}

function configuration(spec: DaemonSpec): string {
  const lines = [
    'frr defaults traditional',
    `router bgp ${spec.asn}`,
    ` bgp router-id ${spec.routerId}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp default ipv4-unicast',
    ' no bgp network import-check',
  ];
  if (spec.clusterId !== undefined) lines.push(` bgp cluster-id ${spec.clusterId}`);
  if (spec.confederation !== undefined) {
    const { id, members } = spec.confederation;
    lines.push(` bgp confederation identifier ${id}`, ` bgp confederation peers ${members.join(' ')}`);
  }
  // All its sessions have the same times.
  const longLived = spec.peers.find((peer) => peer.longLived !== undefined)?.longLived;
  if (longLived !== undefined) {
    lines.push(` bgp graceful-restart restart-time ${longLived.restartTime}`);
    lines.push(` bgp long-lived-graceful-restart stale-time ${longLived.staleTime}`);
  }
  for (const peer of spec.peers) {
    lines.push(
      ` neighbor ${peer.address} remote-as ${peer.asn}`,
      ` neighbor ${peer.address} update-source ${peer.localAddress}`,
      ` neighbor ${peer.address} timers connect 1`,
      ` neighbor ${peer.address} advertisement-interval 0`,
    );
    if (peer.ttlSecurity === true) lines.push(` neighbor ${peer.address} ttl-security hops 1`);
    if (peer.passive === true) lines.push(` neighbor ${peer.address} passive`);
    if (peer.gracefulRestart === true) lines.push(` neighbor ${peer.address} graceful-restart`);
    if (peer.password !== undefined) lines.push(` neighbor ${peer.address} password ${peer.password}`);
    if (peer.multihop !== undefined) lines.push(` neighbor ${peer.address} ebgp-multihop ${peer.multihop}`);
    if (peer.bfd !== undefined) lines.push(` neighbor ${peer.address} bfd profile lab`);
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    lines.push(` address-family ${family} unicast`);
    for (const prefix of spec.networks) {
      if (isIpv6(prefix) === (family === 'ipv6')) lines.push(`  network ${prefix}`);
    }
    for (const peer of spec.peers) {
      if (!peer.families.includes(family)) continue;
      lines.push(`  neighbor ${peer.address} activate`);
      if (peer.reflectorClient === true) lines.push(`  neighbor ${peer.address} route-reflector-client`);
      if (peer.nextHopSelf === true) lines.push(`  neighbor ${peer.address} next-hop-self`);
    }
    lines.push(' exit-address-family');
  }
  return `${lines.join('\n')}\n`;
}

interface NeighborJson {
  bgpState?: string;
}

interface PathJson {
  aspath?: { string?: string };
  locPrf?: number;
  metric?: number;
  med?: number;
  originatorId?: string;
  clusterList?: { list?: string[] };
  community?: { list?: string[]; string?: string };
  bestpath?: { overall?: boolean };
  nexthops?: { ip?: string; scope?: string }[];
}

interface TableJson {
  routes?: Record<string, unknown>;
}

interface PrefixJson {
  prefix: string;
  paths?: PathJson[];
}

function parseRoutes(entries: readonly PrefixJson[]): RouteState[] {
  return entries.flatMap(({ prefix, paths = [] }) =>
    paths.map((path) => ({
      prefix,
      best: path.bestpath?.overall === true,
      nextHop: path.nexthops?.find((hop) => hop.scope !== 'link-local')?.ip,
      asPath: path.aspath?.string === 'Local' ? '' : (path.aspath?.string ?? ''),
      localPref: path.locPrf,
      med: path.metric ?? path.med,
      communities: path.community?.list ?? [],
      originatorId: path.originatorId,
      clusterList: path.clusterList?.list ?? [],
    })),
  );
}
