// GoBGP as a peer: YAML configuration, one process, asked through its command line client in JSON.

import { writeFile } from 'node:fs/promises';
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
  programIn,
  type RouteState,
  type StartContext,
  versionLine,
} from './types.ts';

const FAMILY: Readonly<Record<LabFamily, string>> = { ipv4: 'ipv4', ipv6: 'ipv6' };
/** Session states in the API's numbers: ESTABLISHED of apipb.PeerState. */
const ESTABLISHED = 6;
const ATTRIBUTE = {
  asPath: 2,
  med: 4,
  localPref: 5,
  communities: 8,
  originatorId: 9,
  clusterList: 10,
} as const;

export function gobgp(programs?: string): DaemonKind {
  return {
    name: 'gobgp',
    // Kernel routes are its business only with zebra beside it.
    abilities: () => [],
    version: async () => {
      const line = await versionLine([programIn(programs, 'gobgpd'), '--version']);
      return line?.replace('gobgpd version', 'GoBGP');
    },
    start: (context) => start(context, programs),
  };
}

async function start(
  { namespace, directory, spec }: StartContext,
  programs: string | undefined,
): Promise<Daemon> {
  const config = join(directory, 'gobgpd.yaml');
  await writeFile(config, JSON.stringify(configuration(spec)));
  const process = new ManagedProcess(
    'gobgpd',
    // Its namespace's loopback is its own: the standard API port is free.
    namespace.wrap([
      programIn(programs, 'gobgpd'),
      ...['-t', 'yaml', '-f', config, '--api-hosts', '127.0.0.1:50051', '-l', 'warn'],
    ]),
    join(directory, 'gobgpd.log'),
  );
  const client = programIn(programs, 'gobgp');
  const gobgpCli = (...args: string[]): Promise<string> => namespace.run([client, ...args]);
  await waitFor('gobgp answers', async () => {
    process.assertRunning();
    return (await gobgpCli('global')).includes('AS:');
  });
  for (const prefix of spec.networks) {
    const nextHop = spec.peers.find((peer) => isIpv6(peer.localAddress) === isIpv6(prefix))?.localAddress;
    const via = nextHop === undefined ? [] : ['nexthop', nextHop];
    await gobgpCli(
      'global',
      'rib',
      'add',
      prefix,
      '-a',
      isIpv6(prefix) ? 'ipv6' : 'ipv4',
      'origin',
      'igp',
      ...via,
    );
  }
  return {
    name: 'gobgp',
    processes: [process],
    peers: async () =>
      (JSON.parse(await gobgpCli('neighbor', '-j')) as NeighborJson[]).map(({ state, conf }) => ({
        address: state.neighbor_address ?? conf.neighbor_address ?? '',
        established: state.session_state === ESTABLISHED,
      })),
    routes: async (family) => parseRoutes(await gobgpCli('global', 'rib', '-a', FAMILY[family], '-j')),
    askStatus: () => gobgpCli('global'),
    stop: () => process.stop(),
  };
}

function configuration(spec: DaemonSpec): unknown {
  return {
    global: { config: { as: spec.asn, 'router-id': spec.routerId } },
    neighbors: spec.peers.map((peer) => neighbor(spec, peer)),
  };
}

function neighbor(spec: DaemonSpec, peer: PeerSpec): unknown {
  return {
    config: {
      'neighbor-address': peer.address,
      'peer-as': peer.asn,
      ...(peer.password === undefined ? {} : { 'auth-password': peer.password }),
    },
    transport: { config: { 'local-address': peer.localAddress, 'passive-mode': peer.passive === true } },
    timers: { config: { 'connect-retry': 1, 'idle-hold-time-after-reset': 1 } },
    ...(peer.gracefulRestart === true ? { 'graceful-restart': { config: restartConfig(peer) } } : {}),
    'afi-safis': peer.families.map((family) => ({
      config: { 'afi-safi-name': `${family}-unicast` },
      ...(peer.gracefulRestart === true ? { 'mp-graceful-restart': { config: { enabled: true } } } : {}),
      ...(peer.longLived === undefined
        ? {}
        : {
            'long-lived-graceful-restart': {
              config: { enabled: true, 'restart-time': peer.longLived.staleTime },
            },
          }),
    })),
    ...(peer.reflectorClient === true
      ? {
          'route-reflector': {
            config: {
              'route-reflector-client': true,
              'route-reflector-cluster-id': spec.clusterId ?? spec.routerId,
            },
          },
        }
      : {}),
  };
}

const RESTART_TIME = 120;

function restartConfig({ longLived }: PeerSpec): unknown {
  const restartTime = longLived?.restartTime ?? RESTART_TIME;
  return { enabled: true, 'restart-time': restartTime, 'long-lived-enabled': longLived !== undefined };
}

interface NeighborJson {
  conf: { neighbor_address?: string };
  state: { neighbor_address?: string; session_state?: number };
}

interface AttributeJson {
  type: number;
  as_paths?: { asns: number[] | null }[];
  metric?: number;
  value?: unknown;
  communities?: number[];
  nexthop?: string;
}

interface PathJson {
  nlri: { prefix: string };
  best?: boolean;
  attrs: AttributeJson[];
}

const NEXT_HOP_TYPES: readonly number[] = [3, 14];

function parseRoutes(text: string): RouteState[] {
  const table: Record<string, PathJson[]> = text.trim() === '' ? {} : JSON.parse(text);
  return Object.values(table)
    .flat()
    .map((path) => {
      const attribute = (type: number): AttributeJson | undefined =>
        path.attrs.find((attr) => attr.type === type);
      const clusters = attribute(ATTRIBUTE.clusterList)?.value;
      const originator = attribute(ATTRIBUTE.originatorId)?.value;
      const localPref = attribute(ATTRIBUTE.localPref)?.value;
      return {
        prefix: path.nlri.prefix,
        best: path.best === true,
        nextHop: path.attrs.find((attr) => NEXT_HOP_TYPES.includes(attr.type))?.nexthop,
        asPath: (attribute(ATTRIBUTE.asPath)?.as_paths ?? [])
          .flatMap((segment) => segment.asns ?? [])
          .join(' '),
        localPref: typeof localPref === 'number' ? localPref : undefined,
        med: attribute(ATTRIBUTE.med)?.metric,
        communities: (attribute(ATTRIBUTE.communities)?.communities ?? []).map(
          (value) => `${value >>> 16}:${value & 0xffff}`,
        ),
        originatorId: typeof originator === 'string' ? originator : undefined,
        clusterList: Array.isArray(clusters) ? clusters.map(String) : [],
      };
    });
}
