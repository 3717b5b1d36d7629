// godwit itself: its native YAML (JSON is YAML), started as its users start it, asked through its command line.

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { COMMANDS } from '../../src/control/commands.ts';
import { connectControl } from '../../src/control/grpc/client.ts';
import type { PeerView, RouteView } from '../../src/speaker/api.ts';
import { run, waitFor } from '../lab/command.ts';
import { ManagedProcess } from '../lab/managed-process.ts';
import { projectRoot } from '../project.ts';
import {
  type BfdSpec,
  type Daemon,
  type DaemonKind,
  type DaemonSpec,
  type LabFamily,
  type PeerSpec,
  type RouteState,
  type StartContext,
  versionLine,
} from './types.ts';

/** `programs`: where the Node.js is that it runs on, unless that is the bench's own. */
export function godwit(programs?: string): DaemonKind {
  const node = programs === undefined ? process.execPath : join(programs, 'node');
  return {
    name: 'godwit',
    abilities: () => ['kernel routes', 'control protocol', 'filter language'],
    version: async () => {
      const line = await versionLine([node, '--version']);
      if (line === undefined || !existsSync(executable())) return undefined;
      const { version } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8'));
      return `godwit ${version}, Node.js ${line}`;
    },
    start: async (context) => {
      const config = join(context.directory, 'godwit.yaml');
      const socket = join(context.directory, 'godwit.sock');
      await writeFile(config, JSON.stringify(configuration(context.spec, socket), null, 2));
      return startGodwit(context, config, socket, node);
    },
  };
}

export interface GodwitDaemon extends Daemon {
  /** The items of a list, `godwit ARGS --json` against this daemon. */
  list<T>(...args: string[]): Promise<T[]>;
  /** Plain output of `godwit ARGS`. */
  cli(...args: string[]): Promise<string>;
}

/** Starts godwit with a configuration file that is there already and has its control socket at `socket`. */
export async function startGodwit(
  context: Pick<StartContext, 'namespace' | 'directory' | 'profileDirectory'>,
  config: string,
  socket: string,
  node = process.execPath,
): Promise<GodwitDaemon> {
  const { profileDirectory } = context;
  // The program finds the first Node.js of the path; its flags are for that itself.
  const program =
    profileDirectory === undefined
      ? ['env', `PATH=${dirname(node)}:${process.env.PATH}`, executable()]
      : [node, '--cpu-prof', `--cpu-prof-dir=${profileDirectory}`, executable()];
  const daemon = new ManagedProcess(
    'godwit',
    context.namespace.wrap([...program, 'run', '-c', config]),
    join(context.directory, 'godwit.log'),
  );
  const cli = (...args: string[]): Promise<string> =>
    run(context.namespace.wrap([node, executable(), ...args, '--socket', socket]));
  const list = async <T>(...args: string[]): Promise<T[]> => parseList(await cli(...args, '--json'));
  await waitFor(
    'godwit answers',
    async () => {
      daemon.assertRunning();
      return existsSync(socket) && (await cli('status')) !== '';
    },
    ANSWER_MS,
  );
  return {
    name: 'godwit',
    processes: [daemon],
    list,
    cli,
    peers: async () =>
      (await list<PeerView>('show', 'peers')).map(({ address, state }) => ({
        address,
        established: state === 'Established',
      })),
    routes: async (family) =>
      (await list<RouteView>('show', 'routes'))
        .filter((route) => route.family === FAMILY[family])
        .map(toRoute),
    askStatus: () => cli('status'),
    connectStatus: async () => {
      const client = await connectControl(socket);
      return { ask: () => client.unary(COMMANDS.status, {}), close: () => client.close() };
    },
    stop: () => daemon.stop(),
  };
}

/** A machine that is busy with fifty daemons takes its time to start one more. */
const ANSWER_MS = 120_000;

const FAMILY: Readonly<Record<LabFamily, RouteView['family']>> = {
  ipv4: 'ipv4-unicast',
  ipv6: 'ipv6-unicast',
};

function executable(): string {
  return join(projectRoot(), 'bin/godwit.js');
}

function configuration(spec: DaemonSpec, socket: string): unknown {
  const filter = spec.importFilter;
  return {
    router: {
      asn: spec.asn,
      id: spec.routerId,
      ...(spec.clusterId === undefined ? {} : { clusterId: spec.clusterId }),
      ...(spec.confederation === undefined ? {} : { confederation: spec.confederation }),
    },
    kernel: spec.kernel ? { install: true } : { install: false },
    ...(filter === undefined
      ? {}
      : { definitions: filter.definitions, filters: { [filter.name]: filter.body } }),
    peers: spec.peers.map((peer) => peerBlock(peer, filter?.name ?? 'accept')),
    networks: spec.networks.map((prefix) => ({ prefix, type: 'none' })),
    control: { socket },
  };
}

function peerBlock(peer: PeerSpec, imports: string): unknown {
  return {
    name: peer.name,
    address: peer.address,
    asn: peer.asn,
    localAddress: peer.localAddress,
    families: peer.families.map((family) => FAMILY[family]),
    import: imports,
    export: 'accept',
    // As the others do: real tables have them.
    allowAsSets: true,
    ...(peer.ttlSecurity === true ? { ttlSecurity: 1 } : {}),
    ...(peer.passive === true ? { passive: true } : {}),
    ...restartBlock(peer),
    ...(peer.password === undefined ? {} : { password: peer.password }),
    ...(peer.reflectorClient === true ? { routeReflectorClient: true } : {}),
    ...(peer.nextHopSelf === true ? { nextHop: 'self' } : {}),
    ...(peer.multihop === undefined ? {} : { multihop: peer.multihop }),
    ...(peer.bfd === undefined ? {} : { bfd: bfdBlock(peer.bfd) }),
  };
}

function restartBlock({ gracefulRestart, longLived }: PeerSpec): object {
  if (gracefulRestart !== true) return {};
  if (longLived === undefined) return { gracefulRestart: 'full' };
  const { restartTime, staleTime } = longLived;
  return { gracefulRestart: { mode: 'full', restartTime, longLived: { mode: 'full', staleTime } } };
}

function bfdBlock({ interval, multiplier, auth }: BfdSpec): unknown {
  return { interval, multiplier, ...(auth === undefined ? {} : { verification: auth }) };
}

/** Long lists come one JSON document a line; short ones as one document whose only member is the list. */
function parseList<T>(text: string): T[] {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines[0] !== '{') return lines.map((line): T => JSON.parse(line));
  const document: Record<string, T[]> = JSON.parse(text);
  return Object.values(document)[0] ?? [];
}

function toRoute({ prefix, best, nextHop, attributes }: RouteView): RouteState {
  return {
    prefix,
    best,
    nextHop,
    asPath: attributes.asPath,
    localPref: attributes.localPref,
    med: attributes.med,
    communities: attributes.communities,
    originatorId: attributes.originatorId,
    clusterList: attributes.clusterList,
  };
}
