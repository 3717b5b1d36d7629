// What holds in any network of speakers once nothing moves any more, whatever happened before. Each check gives
// sentences about what is broken. Deep checks of one speaker's tables are tables.ts's.

import type { PeerView, RouteView } from '../speaker/api.ts';
import type { SimNode } from './node.ts';
import { brokenTables } from './tables.ts';

type ByAddress = ReadonlyMap<string, SimNode>;
/** Views of all peers, made once: a reflector has a thousand. */
type Peers = ReadonlyMap<SimNode, readonly PeerView[]>;

/** What holds with any configuration. */
export function brokenInvariants(nodes: readonly SimNode[]): string[] {
  const byAddress = addressMap(nodes);
  const peers = new Map(nodes.map((node) => [node, node.api.peers()]));
  return nodes.flatMap((node) => [
    ...brokenSessions(node, byAddress, peers),
    ...brokenTables(node),
    ...brokenKernel(node),
    ...loggedErrors(node),
  ]);
}

/** Every packet arrives: holds where no policy keeps routes from whom they are forwarded through. */
export function brokenForwarding(nodes: readonly SimNode[]): string[] {
  const byAddress = addressMap(nodes);
  const hops = new Map(nodes.map((node) => [node, nextHopsOf(node)]));
  return nodes.flatMap((node) =>
    [...hops.get(node)!.keys()].flatMap((prefix) => {
      const problem = follow(node, prefix, hops, byAddress);
      return problem === undefined ? [] : [`${node.name} ${prefix}: ${problem}`];
    }),
  );
}

function addressMap(nodes: readonly SimNode[]): ByAddress {
  return new Map(nodes.flatMap((node) => node.addresses.map((address) => [address, node] as const)));
}

/** Everything of a route that travels. */
export function onTheWire(route: RouteView): string {
  const { attributes: a } = route;
  return [
    route.prefix,
    `#${route.pathId}`,
    route.nextHop,
    a.origin,
    a.asPath,
    a.med,
    a.localPref,
    a.communities.join(','),
    a.originatorId,
    a.clusterList.join(','),
  ].join(' ');
}

/** The Adj-RIB-Out of one side is the Adj-RIB-In of the other; nobody gets a route back that is its own. */
function brokenSessions(node: SimNode, byAddress: ByAddress, peers: Peers): string[] {
  return (peers.get(node) ?? []).flatMap((peer) => {
    const other = byAddress.get(peer.address);
    if (other === undefined) return [];
    const back = peers.get(other)?.find((each) => node.addresses.includes(each.address));
    if (back === undefined) return [];
    const where = `${node.name} to ${other.name}`;
    const sent = node.routes({ advertisedTo: peer.name });
    if (peer.state !== 'Established') {
      const kept = node.routes({ receivedFrom: peer.name }).length;
      return sent.length + kept === 0
        ? []
        : [`${where}: ${kept} routes from and ${sent.length} to a peer without a session`];
    }
    if (back.state !== 'Established') {
      // Without a hold time (RFC 4271 §4.4) the half of a session that stays may never learn of it.
      if (peer.holdTime === 0) return [];
      return [`${where}: Established here, ${back.state} there`];
    }
    // An eBGP LOCAL_PREF is neither sent nor kept; everything else is compared.
    const received = other.routes({ receivedFrom: back.name, beforePolicy: true }).map(onTheWire);
    const echoes = sent.filter((route) => route.peer === peer.name).map(({ prefix }) => prefix);
    const counted = peer.families.reduce((sum, family) => sum + family.advertised, 0);
    return [
      ...difference(`${where}: sent but not there`, sent.map(onTheWire), received),
      ...difference(`${where}: there but not sent`, received, sent.map(onTheWire)),
      ...(echoes.length === 0 ? [] : [`${where}: its own routes ${echoes.join(' ')}`]),
      ...(counted === sent.length ? [] : [`${where}: ${counted} counted, ${sent.length} sent`]),
    ];
  });
}

function difference(what: string, these: readonly string[], those: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const text of those) left.set(text, (left.get(text) ?? 0) + 1);
  const missing = these.filter((text) => {
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
  return missing.map((text) => `${what}: ${text}`);
}

/** Own kernel routes are those of the best paths from peers, with their next hops. */
function brokenKernel(node: SimNode): string[] {
  if (node.kernel === undefined || !node.speaker.config.kernel.install) return [];
  const wanted = [...nextHopsOf(node)]
    .filter(([, { local }]) => !local)
    .map(([prefix, { hops }]) => `${prefix} via ${[...hops].sort().join(', ')}`);
  const there = node.kernelRoutes();
  return [
    ...difference(`${node.name}: not in the kernel`, wanted, there),
    ...difference(`${node.name}: only in the kernel`, there, wanted),
  ];
}

interface Way {
  readonly local: boolean;
  readonly hops: ReadonlySet<string>;
}

/** By prefix: where traffic goes, several ways where there are several. */
function nextHopsOf(node: SimNode): Map<string, Way> {
  const ways = new Map<string, { local: boolean; hops: Set<string> }>();
  const several = node.speaker.config.kernel.install && node.speaker.config.kernel.ecmp > 1;
  for (const route of node.routes()) {
    if (!route.best && !(several && route.multipath)) continue;
    const way = ways.get(route.prefix) ?? { local: false, hops: new Set<string>() };
    ways.set(route.prefix, way);
    if (route.peerAddress !== undefined) way.hops.add(route.nextHop);
    if (route.best) way.local = route.peerAddress === undefined;
  }
  return ways;
}

function follow(
  start: SimNode,
  prefix: string,
  hops: ReadonlyMap<SimNode, ReadonlyMap<string, Way>>,
  byAddress: ByAddress,
): string | undefined {
  const walk = (node: SimNode, path: readonly SimNode[]): string | undefined => {
    const names = () => [...path, node].map(({ name }) => name).join(' > ');
    if (path.includes(node)) return `loop ${names()}`;
    const way = hops.get(node)?.get(prefix);
    if (way === undefined) return `black hole ${names()}`;
    if (way.local) return undefined;
    for (const hop of way.hops) {
      const next = byAddress.get(hop);
      if (next === undefined) return `next hop ${hop} is nobody's, ${names()}`;
      const problem = walk(next, [...path, node]);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  return walk(start, []);
}

/** Speakers of one kind understand each other, unless somebody changes their octets: the lines that say otherwise. */
export function misunderstandings(nodes: readonly SimNode[]): string[] {
  return nodes.flatMap(({ name, log }) => {
    const lines = log.filter((line) => MISUNDERSTOOD.test(line));
    return [...new Set(lines)].map((line) => `${name} logged: ${line}`);
  });
}

const MISUNDERSTOOD =
  /malformed|(sent|received) (Message Header|OPEN Message|UPDATE Message|ROUTE-REFRESH Message|Finite State Machine) Error/;

/** An error in the log is a fault of our own. */
function loggedErrors(node: SimNode): string[] {
  return node.log.filter((line) => line.startsWith('error')).map((line) => `${node.name} logged: ${line}`);
}
