// The demonstration's network as data: six speakers on one segment, what each announces and what each must have
// learned before it is worth looking at. Where they run (namespaces or loopback addresses) only changes addresses
// and ports. Nothing here starts anything.

export type NodeRole = 'reflector' | 'node' | 'tor';

export interface DemoNode {
  readonly name: string;
  readonly role: NodeRole;
  readonly asn: number;
  readonly address: string;
  readonly address6: string;
  /** What the node's agent puts into the kernel, as blackhole routes of AGENT_PROTOCOL. */
  readonly blocks: readonly string[];
  /** Announced by configuration. */
  readonly networks: readonly DemoNetwork[];
  /** Own /32 and /128 addresses inside what is announced, to have something to ping. */
  readonly hosts: readonly string[];
  /** Names of the speakers it peers with. */
  readonly peers: readonly string[];
}

export interface DemoNetwork {
  readonly prefix: string;
  readonly type: 'none' | 'blackhole';
}

/** How addresses and ports look in the place where the demonstration runs. */
export interface Place {
  /** First three octets. */
  readonly network: string;
  readonly network6: string;
  readonly port: number;
  /** Several speakers share the machine: connections must say which address they come from. */
  readonly shared: boolean;
}

export interface Plan {
  readonly place: Place;
  readonly nodes: readonly DemoNode[];
}

/** The route protocol that Calico's node agent uses. */
export const AGENT_PROTOCOL = 80;
export const SEGMENT_BITS = 24;
export const SEGMENT_BITS6 = 64;
/** Announced by every node: whoever is not a node has several equal paths to it. */
export const SERVICE = '10.96.0.0/24';
export const SERVICE_HOST = '10.96.0.10';
export const TOR_HOST = '192.0.2.1';

const CLUSTER_AS = 64512;
const TOR_AS = 65000;
const REFLECTORS = ['rr1', 'rr2'];
const NODES = ['node1', 'node2', 'node3'];
const TOR = 'tor';
const TOR_NETWORKS: readonly DemoNetwork[] = [
  { prefix: '0.0.0.0/0', type: 'none' },
  { prefix: '192.0.2.0/24', type: 'blackhole' },
  { prefix: '198.51.100.0/24', type: 'blackhole' },
  { prefix: '2001:db8::/32', type: 'blackhole' },
];
const FIRST_REFLECTOR_HOST = 1;
const FIRST_NODE_HOST = 11;
const TOR_ADDRESS_HOST = 254;

export function makePlan(place: Place): Plan {
  const at = (host: number) => ({
    address: `${place.network}.${host}`,
    address6: `${place.network6}::${host}`,
  });
  const reflectors = REFLECTORS.map((name, i): DemoNode => {
    const others = REFLECTORS.filter((other) => other !== name);
    return {
      ...at(FIRST_REFLECTOR_HOST + i),
      ...{ name, role: 'reflector', asn: CLUSTER_AS, peers: [...others, ...NODES] },
      ...{ blocks: [], networks: [], hosts: [] },
    };
  });
  const nodes = NODES.map(
    (name, i): DemoNode => ({
      ...at(FIRST_NODE_HOST + i),
      ...{ name, role: 'node', asn: CLUSTER_AS, peers: [...REFLECTORS, TOR] },
      blocks: [`10.244.${i + 1}.0/26`, `10.244.${i + 1}.64/26`, `fd00:244:${i + 1}::/122`],
      networks: [{ prefix: SERVICE, type: 'none' }],
      hosts: [`10.244.${i + 1}.1/32`, `fd00:244:${i + 1}::1/128`, `${SERVICE_HOST}/32`],
    }),
  );
  const tor: DemoNode = {
    ...at(TOR_ADDRESS_HOST),
    ...{ name: TOR, role: 'tor', asn: TOR_AS, peers: NODES },
    ...{ blocks: [], networks: TOR_NETWORKS, hosts: [`${TOR_HOST}/32`, '2001:db8::1/128'] },
  };
  return { place, nodes: [...reflectors, ...nodes, tor] };
}

export function nodeNamed(plan: Plan, name: string): DemoNode {
  const node = plan.nodes.find((each) => each.name === name);
  if (node === undefined) throw new RangeError(`the demonstration has no ${name}`);
  return node;
}

/** Prefixes that a speaker must have a best path for. */
export function expectedRoutes(plan: Plan): string[] {
  return [
    ...new Set(plan.nodes.flatMap((node) => [...node.blocks, ...node.networks.map((net) => net.prefix)])),
  ];
}

/** Prefixes that a speaker must have put into its kernel: what others announce. Reflectors install nothing. */
export function expectedInstalls(plan: Plan, node: DemoNode): string[] {
  if (node.role === 'reflector') return [];
  const own = new Set([...node.blocks, ...node.networks.map((network) => network.prefix)]);
  return expectedRoutes(plan).filter((prefix) => !own.has(prefix));
}
