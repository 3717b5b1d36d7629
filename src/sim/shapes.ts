// Who has a session with whom in the built-in topologies: full meshes, reflectors with clients, racks behind their
// switches, autonomous systems at random, confederations. What else a machine is configured with is topology.ts's.

import type { SettingsInput } from '../config/schema-peer.ts';
import type { Random } from '../lib/clock.ts';
import { drawInteger, drawOne, drawTrue } from './random.ts';

/** How large a built-in topology is; undefined = drawn. */
export interface TopologySize {
  readonly nodes?: number | undefined;
  readonly reflectors?: number | undefined;
}

/** A machine and its sessions, by the places of the others. */
export interface Draft {
  readonly name: string;
  readonly index: number;
  readonly asn: number;
  readonly peers: Map<number, SettingsInput>;
  readonly reflector: boolean;
  /** Of the confederation. */
  readonly member: boolean;
}

export const OWN_AS = 64512;
const FIRST_RACK_AS = 64600;
const FIRST_NODE_AS = 65000;
export const CONFEDERATION = 64500;
const FIRST_MEMBER_AS = 64700;
const ACCEPT = { import: 'accept', export: 'accept' } as const;

export const TOPOLOGY_KINDS = ['mesh', 'reflectors', 'tor', 'random', 'confederation'] as const;
export type TopologyKind = (typeof TOPOLOGY_KINDS)[number];

/** In the order of their places. */
export const SHAPES: Readonly<Record<TopologyKind, (random: Random, size: TopologySize) => Draft[]>> = {
  mesh,
  reflectors,
  tor,
  random: autonomousSystems,
  confederation,
};

function draft(
  name: string,
  index: number,
  asn: number,
  { reflector = false, member = false }: Partial<Draft> = {},
): Draft {
  return { name, index, asn, peers: new Map(), reflector, member };
}

/** A session between two, with what is the same on both sides. */
function connect(a: Draft, b: Draft, forA: SettingsInput = {}, forB: SettingsInput = {}): void {
  const external = a.asn === b.asn ? {} : ACCEPT;
  a.peers.set(b.index, { asn: shownTo(a, b), ...external, ...forA });
  b.peers.set(a.index, { asn: shownTo(b, a), ...external, ...forB });
}

/** The AS that `other` shows. */
function shownTo(own: Draft, other: Draft): number {
  return other.member && !own.member ? CONFEDERATION : other.asn;
}

/** Sessions between them are eBGP: a confederation is one AS. */
export function isExternal(a: Draft, b: Draft): boolean {
  return a.asn !== b.asn && !(a.member && b.member);
}

/** Gives those of one AS a session with each other. */
function meshWithin(drafts: readonly Draft[]): void {
  for (const a of drafts) {
    for (const b of drafts) if (a.index < b.index && a.asn === b.asn) connect(a, b);
  }
}

/** The system of a machine: each has one, and the others are drawn. */
function drawSystem(random: Random, index: number, systems: number): number {
  return index < systems ? index : drawInteger(random, 0, systems - 1);
}

interface Joined {
  readonly firstAs: number;
  readonly systems: number;
  /** Of both sides of a session, by its place in the tree. */
  readonly settings?: (session: number) => SettingsInput;
}

/** Makes a tree of systems whose ASes follow each other: each but the first has a session with an earlier one. */
function joinSystems(
  random: Random,
  drafts: readonly Draft[],
  { firstAs, systems, settings = () => ({}) }: Joined,
): void {
  for (let system = 1; system < systems; system++) {
    const inside = drafts.filter(({ asn }) => asn === firstAs + system);
    const before = drafts.filter(({ asn }) => asn < firstAs + system);
    connect(drawOne(random, before), drawOne(random, inside), settings(system - 1), settings(system - 1));
  }
}

function mesh(random: Random, { nodes }: TopologySize): Draft[] {
  const count = nodes ?? drawInteger(random, 2, 7);
  const drafts = Array.from({ length: count }, (_, i) => draft(`node-${i + 1}`, i, OWN_AS));
  meshWithin(drafts);
  return drafts;
}

/** Every client has every reflector; reflectors have each other, as plain iBGP peers. */
function reflectors(random: Random, size: TopologySize): Draft[] {
  const count = size.reflectors ?? drawInteger(random, 1, 4);
  const clients = (size.nodes ?? drawInteger(random, count + 1, count + 6)) - count;
  const tops = Array.from({ length: count }, (_, i) => draft(`rr-${i + 1}`, i, OWN_AS, { reflector: true }));
  const rest = Array.from({ length: clients }, (_, i) => draft(`node-${i + 1}`, count + i, OWN_AS));
  meshWithin(tops);
  for (const client of rest) for (const top of tops) connect(top, client, { routeReflectorClient: true });
  return [...tops, ...rest];
}

/** Racks with an AS each: nodes of the rack's AS peer with its switch by iBGP or, of their own AS, by eBGP. */
function tor(random: Random, { nodes }: TopologySize): Draft[] {
  const racks = nodes === undefined ? drawInteger(random, 1, 3) : Math.max(1, Math.round(nodes / 10));
  const spines = drawInteger(random, 1, 2);
  const perRack = nodes === undefined ? drawInteger(random, 1, 3) : Math.floor((nodes - spines) / racks) - 1;
  const internal = drawTrue(random, 0.3);
  const drafts: Draft[] = [];
  const add = (name: string, asn: number, reflector = false): Draft => {
    const made = draft(name, drafts.length, asn, { reflector });
    drafts.push(made);
    return made;
  };
  const tops = Array.from({ length: spines }, (_, i) => add(`spine-${i + 1}`, OWN_AS));
  for (let rack = 0; rack < racks; rack++) {
    const asn = FIRST_RACK_AS + rack;
    const leaf = add(`tor-${rack + 1}`, asn, internal);
    for (const spine of tops) connect(spine, leaf);
    for (let i = 0; i < perRack; i++) {
      const node = add(`node-${rack + 1}-${i + 1}`, internal ? asn : FIRST_NODE_AS + drafts.length);
      connect(leaf, node, internal ? { routeReflectorClient: true, nextHop: 'self' } : {});
    }
  }
  return drafts;
}

/** A few ASes, each a full mesh, joined by a tree of eBGP sessions and some more. */
function autonomousSystems(random: Random, { nodes }: TopologySize): Draft[] {
  const count = nodes ?? drawInteger(random, 3, 8);
  const systems = drawInteger(random, 2, Math.max(2, Math.ceil(count / 2)));
  const drafts = Array.from({ length: count }, (_, i) => {
    const system = drawSystem(random, i, systems);
    return draft(`as${system + 1}-${i + 1}`, i, FIRST_NODE_AS + system);
  });
  meshWithin(drafts);
  joinSystems(random, drafts, { firstAs: FIRST_NODE_AS, systems });
  for (let extra = drawInteger(random, 0, count); extra > 0; extra--) {
    const [a, b] = [drawOne(random, drafts), drawOne(random, drafts)];
    if (a.asn !== b.asn && !a.peers.has(b.index)) connect(a, b);
  }
  return drafts;
}

/** A tree of member ASes, each a full mesh, and ASes outside with one or two sessions. */
function confederation(random: Random, { nodes }: TopologySize): Draft[] {
  const count = nodes ?? drawInteger(random, 3, 8);
  const systems = drawInteger(random, 2, Math.min(4, count));
  const members = Array.from({ length: count }, (_, i) => {
    const system = drawSystem(random, i, systems);
    return draft(`member-${system + 1}-${i + 1}`, i, FIRST_MEMBER_AS + system, { member: true });
  });
  meshWithin(members);
  joinSystems(random, members, { firstAs: FIRST_MEMBER_AS, systems, settings: farther });
  const outside = Array.from({ length: drawInteger(random, 0, 2) }, (_, i) =>
    draft(`outside-${i + 1}`, count + i, FIRST_NODE_AS + i),
  );
  for (const own of outside) {
    for (let sessions = drawInteger(random, 1, 2); sessions > 0; sessions--) {
      const other = drawOne(random, members);
      if (!own.peers.has(other.index)) connect(own, other);
    }
  }
  return [...members, ...outside];
}

/**
 * Members make no AS_PATH longer, and what comes from one is internal (RFC 5065 §5.3): two that prefer each other's way
 * out would have two stable ends, or none. So each session takes another power of two from LOCAL_PREF, and no two ways
 * through the tree take the same.
 */
function farther(session: number): SettingsInput {
  const cost = 2 ** session;
  return { import: `if bgp_local_pref >= ${cost} then bgp_local_pref = bgp_local_pref - ${cost}; accept;` };
}
