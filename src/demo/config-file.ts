// The configuration file of one speaker of the demonstration: made to be read and edited by whoever looks around.

import { BGP_PORT } from '../bgp/wire/iana.ts';
import type { DemoNode, Plan } from './plan.ts';
import { AGENT_PROTOCOL, nodeNamed } from './plan.ts';

export interface FilePlace {
  /** Path of the control socket. */
  readonly socket: string;
}

export const HTTP_PORT = 8179;
const MULTIPATH = 4;
/** Impatient on purpose: who pulls a cable in a demonstration wants to see something. Seconds. */
export const HOLD_TIME = 9;
const TIMERS = `holdTime: ${HOLD_TIME}, connectDelayTime: 0, connectRetryTime: 3, errorWaitMin: 1, errorWaitMax: 3`;

/** The YAML text. */
export function configText(plan: Plan, node: DemoNode, { socket }: FilePlace): string {
  const { port } = plan.place;
  const lines = [
    `# ${node.name}: ${ABOUT[node.role]}`,
    `router: { asn: ${node.asn}, id: ${routerId(node)}, hostname: ${node.name} }`,
    `listen: [{ address: ${node.address}, port: ${port} }]`,
    ...KERNEL[node.role],
    'peerGroups:',
    ...groupLines(plan, node),
    'peers:',
    ...node.peers.map((name) => peerLine(node, nodeNamed(plan, name))),
    ...networkLines(node),
    ...(node.role === 'node' ? ['redistribute: [kernel]'] : []),
    `control: { socket: ${JSON.stringify(socket)} }`,
    `http: "${node.address}:${HTTP_PORT}"`,
    'log: { format: pretty }',
  ];
  return `${lines.join('\n')}\n`;
}

/** Loopback addresses are no good router ids to look at; the host part says the same everywhere. */
function routerId(node: DemoNode): string {
  return node.address.replace(/^\d+\.\d+\.\d+\./, '10.99.0.');
}

const ABOUT = {
  reflector: 'a route reflector, a cluster of its own; it forwards nothing and leaves the kernel alone',
  node: 'a cluster node, client of both reflectors; it announces what its agent puts into the kernel',
  tor: 'the top-of-rack router; it knows the way out, and spreads over the nodes what all of them announce',
} as const;

const KERNEL = {
  reflector: ['kernel: { install: false }'],
  node: [`kernel: { install: true, ecmp: ${MULTIPATH}, learn: [{ protocol: ${AGENT_PROTOCOL} }] }`],
  tor: [`kernel: { install: true, ecmp: ${MULTIPATH} }`],
} as const;

function groupLines(plan: Plan, node: DemoNode): string[] {
  const { place } = plan;
  const ends = [
    ...(place.port === BGP_PORT ? [] : [`port: ${place.port}`]),
    ...(place.shared ? [`localAddress: ${node.address}`] : []),
  ];
  const common = ['families: [ipv4-unicast, ipv6-unicast]', ...ends, TIMERS].join(', ');
  return [`  all: { ${common} }`, ...(node.role === 'reflector' ? CLIENT_GROUP : [])];
}

const CLIENT_GROUP = ['  clients: { group: all, routeReflectorClient: true, passive: true }'];

function peerLine(node: DemoNode, peer: DemoNode): string {
  const client = node.role === 'reflector' && peer.role === 'node';
  // Without them nothing is exchanged over eBGP (RFC 8212).
  const policy = node.asn === peer.asn ? '' : ', import: accept, export: accept';
  // A node passes on what it heard from other nodes, with their addresses: traffic does not take the detour over it.
  const nextHop = node.role === 'node' && peer.role === 'tor' ? ', nextHop: unchanged' : '';
  const group = client ? 'clients' : 'all';
  const extra = `${policy}${nextHop}`;
  return `  - { name: ${peer.name}, address: ${peer.address}, asn: ${peer.asn}, group: ${group}${extra} }`;
}

function networkLines(node: DemoNode): string[] {
  if (node.networks.length === 0) return [];
  const entries = node.networks.map(({ prefix, type }) =>
    type === 'none' ? `  - "${prefix}"` : `  - { prefix: "${prefix}", type: ${type} }`,
  );
  return ['networks:', ...entries];
}
