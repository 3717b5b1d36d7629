// BIRD 2 as a peer: one configuration file, one process, birdc over its own socket.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, waitFor } from '../lab/command.ts';
import { ManagedProcess } from '../lab/managed-process.ts';
import { BirdControl } from './bird-control.ts';
import {
  type BfdAuth,
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

export function bird(programs?: string): DaemonKind {
  return {
    name: 'bird',
    abilities: () => ['kernel routes', 'control protocol', 'filter language'],
    version: () => versionLine([programIn(programs, 'bird'), '--version']),
    start: (context) => start(context, programs),
  };
}

async function start(
  { namespace, directory, spec }: StartContext,
  programs: string | undefined,
): Promise<Daemon> {
  const config = join(directory, 'bird.conf');
  const socket = join(directory, 'bird.ctl');
  await writeFile(config, configuration(spec));
  const process = new ManagedProcess(
    'bird',
    namespace.wrap([
      programIn(programs, 'bird'),
      ...['-f', '-c', config, '-s', socket, '-P', join(directory, 'bird.pid')],
    ]),
    join(directory, 'bird.log'),
  );
  const client = programIn(programs, 'birdc');
  const ask = (command: string): Promise<string> => run([client, '-s', socket, ...command.split(' ')]);
  await waitFor('birdc answers', async () => {
    process.assertRunning();
    return (await ask('show status')).includes('up and running');
  });
  return {
    name: 'bird',
    processes: [process],
    peers: async () => parsePeers(await ask('show protocols all')),
    routes: async (family) => parseRoutes(await ask(`show route all table ${TABLE[family]}`)),
    askStatus: () => ask('show status'),
    connectStatus: async () => {
      const control = await BirdControl.open(socket);
      return { ask: () => control.ask('show status'), close: () => control.close() };
    },
    stop: () => process.stop(),
  };
}

const TABLE: Readonly<Record<LabFamily, string>> = { ipv4: 'master4', ipv6: 'master6' };

function configuration(spec: DaemonSpec): string {
  const lines = [
    'log stderr { warning, error, remote, auth, fatal, bug };',
    `router id ${spec.routerId};`,
    'protocol device {}',
  ];
  if (spec.importFilter !== undefined) {
    const { name, definitions, body } = spec.importFilter;
    lines.push(definitions, `filter ${name} {`, body, '}');
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    const networks = spec.networks.filter((prefix) => isIpv6(prefix) === (family === 'ipv6'));
    lines.push(
      `protocol static static_${family} { ${family};`,
      ...networks.map((prefix) => `  route ${prefix} blackhole;`),
      '}',
    );
    if (spec.kernel) {
      lines.push(
        `protocol kernel kernel_${family} { ${family} { import none; export where source = RTS_BGP; }; }`,
      );
    }
  }
  if (spec.kernel) lines.push('protocol direct { ipv4 { import all; }; ipv6 { import all; }; }');
  lines.push(...bfdProtocol(spec), ...spec.peers.map((peer) => peerBlock(spec, peer)), '');
  return lines.join('\n');
}

const BFD_AUTH: Readonly<Record<BfdAuth, string>> = {
  simple: 'simple',
  md5: 'keyed md5',
  'meticulous-md5': 'meticulous keyed md5',
  sha1: 'keyed sha1',
  'meticulous-sha1': 'meticulous keyed sha1',
};

function bfdProtocol({ peers }: DaemonSpec): string[] {
  const bfd = peers.find((peer) => peer.bfd !== undefined)?.bfd;
  if (bfd === undefined) return [];
  const { interval, multiplier, auth } = bfd;
  const signed =
    auth === undefined
      ? ''
      : ` authentication ${BFD_AUTH[auth.type]}; password "${auth.password}" { id ${auth.keyId}; };`;
  const options = `{ interval ${interval} ms; multiplier ${multiplier};${signed} };`;
  return [`protocol bfd { interface "*" ${options} multihop ${options} }`];
}

function peerBlock(spec: DaemonSpec, peer: PeerSpec): string {
  const external = peer.asn !== spec.asn;
  const lines = [
    `protocol bgp ${peer.name} {`,
    `  local ${peer.localAddress} as ${spec.asn};`,
    `  neighbor ${peer.address} as ${peer.asn};`,
    '  connect delay time 1; connect retry time 1; error wait time 1,2;',
  ];
  if (peer.multihop !== undefined) lines.push(`  multihop ${peer.multihop};`);
  else if (external) lines.push('  direct;');
  if (peer.bfd !== undefined) lines.push('  bfd yes;');
  if (peer.ttlSecurity === true) lines.push('  ttl security yes;');
  if (peer.passive === true) lines.push('  passive yes;');
  if (peer.gracefulRestart === true) lines.push('  graceful restart yes;');
  if (peer.longLived !== undefined) {
    const { restartTime, staleTime } = peer.longLived;
    lines.push(`  graceful restart time ${restartTime}; long lived graceful restart yes;`);
    lines.push(`  long lived stale time ${staleTime};`);
  }
  if (spec.confederation !== undefined) {
    const { id, members } = spec.confederation;
    lines.push(`  confederation ${id}; confederation member ${members.includes(peer.asn) ? 'yes' : 'no'};`);
  }
  if (peer.password !== undefined) lines.push(`  password "${peer.password}";`);
  if (peer.reflectorClient === true) lines.push('  rr client;');
  if (spec.clusterId !== undefined && !external) lines.push(`  rr cluster id ${spec.clusterId};`);
  for (const family of peer.families) {
    const nextHop = peer.nextHopSelf === true ? ' next hop self;' : '';
    // Connected routes resolve next hops and are not for the peers.
    const taken = spec.importFilter === undefined ? 'all' : `filter ${spec.importFilter.name}`;
    lines.push(`  ${family} { import ${taken}; export where source ~ [ RTS_BGP, RTS_STATIC ];${nextHop} };`);
  }
  lines.push('}');
  return lines.join('\n');
}

function parsePeers(text: string): PeerState[] {
  const out: { address: string; established: boolean }[] = [];
  for (const block of text.split(/\n(?=\S)/)) {
    const address = /Neighbor address:\s+(\S+)/.exec(block)?.[1];
    if (address === undefined) continue;
    out.push({ address, established: /BGP state:\s+Established/.test(block) });
  }
  return out;
}

/** `show route all`: a line with the prefix for the first path of each, then attribute lines that start with a tab. */
function parseRoutes(text: string): RouteState[] {
  const out: RouteState[] = [];
  let prefix = '';
  for (const block of text.split(/\n(?=\S|\s{2,}(?:unicast|blackhole|unreachable))/)) {
    const head = /^(\S+\/\d+)?\s+(?:unicast|blackhole|unreachable|prohibited)\s+\[[^\]]*\]\s*(\*)?/.exec(
      block,
    );
    if (head === null) continue;
    prefix = head[1] ?? prefix;
    // Connected routes, which BIRD needs to resolve next hops.
    if (/\tType: device/.test(block)) continue;
    const value = (name: string): string | undefined =>
      new RegExp(`BGP\\.${name}: (.*)`).exec(block)?.[1]?.trim();
    out.push({
      prefix,
      best: head[2] === '*',
      nextHop: value('next_hop')?.split(' ')[0],
      asPath: value('as_path') ?? '',
      localPref: numberOf(value('local_pref')),
      med: numberOf(value('med')),
      communities: [...(value('community') ?? '').matchAll(/\((\d+),(\d+)\)/g)].map((m) => `${m[1]}:${m[2]}`),
      originatorId: value('originator_id'),
      clusterList: (value('cluster_list') ?? '').split(' ').filter((word) => word !== ''),
    });
  }
  return out;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
