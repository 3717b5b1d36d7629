// What a simulation begins with: machines, each with addresses and a native configuration. Those of the built-in kinds
// (shapes.ts) draw their options, timers and networks from a seed. All machines share one link, so that every next hop is
// one hop away.

import type { ConfigInput } from '../config/schema.ts';
import type { SettingsInput } from '../config/schema-peer.ts';
import type { Random } from '../lib/clock.ts';
import { drawInteger, drawOne, drawTrue } from './random.ts';
import {
  CONFEDERATION,
  type Draft,
  isExternal,
  OWN_AS,
  SHAPES,
  type TopologyKind,
  type TopologySize,
} from './shapes.ts';

export interface NodePlan {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly config: ConfigInput;
  /** The machine has a kernel with these addresses on eth0. */
  readonly kernel: boolean;
}

export interface Topology {
  readonly name: string;
  readonly nodes: readonly NodePlan[];
  /** Of paths that a peer sends beside each other (RFC 7911) several may be equal in all but their numbers. */
  readonly ambiguous: boolean;
}

/** `plain`: the same settings everywhere, for large ones. */
export function buildTopology(
  kind: TopologyKind,
  random: Random,
  size: TopologySize = {},
  plain = false,
): Topology {
  const drafts = SHAPES[kind](random, size);
  const addPath = !plain && drawTrue(random, 0.4);
  if (!plain) for (const draft of drafts) vary(draft, drafts, random, addPath);
  const families = plain || drawTrue(random) ? 'ipv4' : 'both';
  const transport = families === 'both' && drawTrue(random, 0.3) ? sixOf : addressOf;
  const dynamic = !plain && drawTrue(random, 0.2);
  const many = !plain && drawTrue(random, 0.3) ? drawInteger(random, 1, 150) : 0;
  if (!plain && drawTrue(random, 0.3)) giveRoles(drafts, random);
  const kernel = !plain && drawTrue(random, 0.8);
  const redistribute = !plain && kernel && drawTrue(random, 0.3) ? drawOne(random, REDISTRIBUTED) : [];
  const decision = plain ? {} : drawDecision(random);
  return {
    name: kind,
    ambiguous: addPath,
    nodes: drafts.map((draft) =>
      nodePlan(draft, {
        families,
        kernel,
        decision,
        random,
        plain,
        transport,
        dynamic,
        many,
        redistribute,
        drafts,
      }),
    ),
  };
}

export function addressOf(index: number): string {
  return `10.0.${index >> 8}.${(index & 0xff) + 1 > 0xff ? 0 : (index & 0xff) + 1}`;
}

/** Options of sessions that leave the routes alone. */
function vary(own: Draft, all: readonly Draft[], random: Random, addPath: boolean): void {
  for (const [index, settings] of own.peers) {
    const other = all[index]!;
    Object.assign(settings, drawTimers(random));
    if (addPath && drawTrue(random)) settings.addPath = drawOne(random, ADD_PATHS);
    // Like several paths beside each other, what is sent in the place of the best one has several stable ends.
    if (addPath && drawTrue(random, 0.2)) settings.evaluateAll = true;
    if (isExternal(own, other) && drawTrue(random, 0.2)) settings.damping = DAMPING;
    if (drawTrue(random, 0.4)) settings.gracefulRestart = drawOne(random, RESTARTS);
    if (drawTrue(random, 0.2)) settings.extendedMessages = false;
    // Both passive would never meet; nor would one of them again, where the other half of a session lives on.
    const timed = settings.holdTime !== 0 && other.peers.get(own.index)!.holdTime !== 0;
    if (index < own.index && timed && drawTrue(random, 0.15)) settings.passive = true;
    if (index < own.index || !drawTrue(random, 0.1)) continue;
    settings.password = 'sesame';
    other.peers.get(own.index)!.password = 'sesame';
  }
}

const ADD_PATHS = [
  { receive: true },
  { send: 'all' },
  { send: 2 },
  { receive: true, send: 'all' },
  { receive: true, send: 2 },
] as const;
const RESTARTS = [
  'off',
  'full',
  { restartTime: 10 },
  { restartTime: 60 },
  { mode: 'full', restartTime: 60 },
  { mode: 'full', notification: true },
  { mode: 'full', restartTime: 10, longLived: { mode: 'full', staleTime: 60 } },
  { mode: 'full', restartTime: 1, longLived: { mode: 'full', staleTime: 100 } },
] as const;
/** One withdrawal is enough, and is forgotten within a minute: simulations come to rest. */
const DAMPING = { halfLife: 5, suppress: 900, reuse: 500, maxSuppressTime: 20 } as const;

/** Short waits after errors, so that simulations come to rest; hold times of all kinds. */
function drawTimers(random: Random): SettingsInput {
  return {
    holdTime: drawOne(random, [0, 3, 9, 30, 90, 90, 240]),
    connectRetryTime: drawInteger(random, 5, 60),
    connectDelayTime: drawInteger(random, 0, 5),
    errorWaitMin: drawInteger(random, 1, 10),
    errorWaitMax: drawInteger(random, 10, 60),
    ...(drawTrue(random, 0.1) && { delayOpenTime: drawInteger(random, 1, 10) }),
  };
}

function drawDecision(random: Random): NonNullable<ConfigInput['decision']> {
  return {
    // Without it MED makes a partial order, and reflection of one best path may go in circles (RFC 3345).
    alwaysCompareMed: true,
    ...(drawTrue(random, 0.3) && { multipathRelax: drawTrue(random) }),
    ...(drawTrue(random, 0.1) && { defaultLocalPref: 200 }),
  };
}

interface Common {
  readonly families: 'ipv4' | 'both';
  readonly kernel: boolean;
  readonly decision: NonNullable<ConfigInput['decision']>;
  readonly random: Random;
  readonly plain: boolean;
  /** Addresses of sessions. */
  readonly transport: (index: number) => string;
  /** Reflectors take their clients as they come. */
  readonly dynamic: boolean;
  readonly drafts: readonly Draft[];
  readonly redistribute: readonly ('kernel' | 'connected')[];
  /** Networks more for some. */
  readonly many: number;
}

function nodePlan({ name, index, asn, peers, reflector, member }: Draft, common: Common): NodePlan {
  const { random, plain, decision } = common;
  const both = common.families === 'both';
  const kernel = common.kernel && (plain || !drawTrue(random, 0.1));
  const all = [...peers].map(([other, settings]) => ({
    address: common.transport(other),
    ...(both && { families: FAMILIES }),
    ...settings,
  }));
  // Who must be called, has a password of its own, or may sit on half a session for ever, is configured.
  const comes = (peer: SettingsInput, other: number): boolean => {
    const back = common.drafts[other]!.peers.get(index);
    const calls = back?.passive !== true && back?.holdTime !== 0;
    return peer.routeReflectorClient === true && peer.password === undefined && calls;
  };
  const others = [...peers.keys()];
  const clients = common.dynamic && reflector ? all.filter((peer, i) => comes(peer, others[i]!)) : [];
  const config: ConfigInput = {
    router: {
      asn,
      id: addressOf(index),
      ...(member && { confederation: confederationOf(asn, common.drafts) }),
      ...(!plain &&
        drawTrue(random, 0.3) && {
          restart: { recover: drawOne(random, RECOVERIES), wait: 30, onStop: drawOne(random, STOPS) },
        }),
    },
    kernel: kernel ? { install: true, ecmp: plain ? 1 : drawOne(random, [1, 1, 2, 8]) } : { install: false },
    decision,
    control: false,
    ...(kernel && common.redistribute.length > 0 && { redistribute: [...common.redistribute] }),
    peers: all.filter((peer) => !clients.includes(peer)),
    ...(clients.length > 0 && {
      dynamicPeers: DYNAMIC_RANGES.map((prefix) => ({
        prefix,
        asn,
        routeReflectorClient: true,
        ...(both && { families: FAMILIES }),
      })),
    }),
    networks: reflector ? [] : [...drawNetworks(index, both, plain, random), ...moreNetworks(index, common)],
  };
  const addresses = [
    ...new Set([common.transport(index), addressOf(index), ...(both ? [sixOf(index)] : [])]),
  ];
  return { name, addresses, config, kernel };
}

function confederationOf(own: number, drafts: readonly Draft[]) {
  const members = drafts.filter(({ member, asn }) => member && asn !== own).map(({ asn }) => asn);
  return { id: CONFEDERATION, members: [...new Set(members)] };
}

const REDISTRIBUTED = [['kernel'], ['connected'], ['kernel', 'connected']] as const;
/** Whether a start counts as a restart, and what a stop says. */
const STOPS = ['cease', 'silent'] as const;
const RECOVERIES = ['auto', 'always', 'never'] as const;
const FAMILIES: ('ipv4-unicast' | 'ipv6-unicast')[] = ['ipv4-unicast', 'ipv6-unicast'];
const DYNAMIC_RANGES = ['10.0.0.0/16', '2001:db8::/64'];

function moreNetworks(index: number, { many, random }: Common): NonNullable<ConfigInput['networks']> {
  if (many === 0 || !drawTrue(random)) return [];
  return Array.from({ length: many }, (_, i) => drawNetwork(`10.${200 + (index % 50)}.${i}.0/24`, random));
}

/** RFC 9234: who is whose customer, the same on both sides of each eBGP session. */
function giveRoles(drafts: readonly Draft[], random: Random): void {
  for (const own of drafts) {
    for (const [index, settings] of own.peers) {
      const other = drafts[index]!;
      if (!isExternal(own, other) || index < own.index) continue;
      const [mine, theirs] = drawOne(random, ROLES);
      settings.role = mine;
      other.peers.get(own.index)!.role = theirs;
    }
  }
}

const ROLES = [
  ['provider', 'customer'],
  ['customer', 'provider'],
  ['peer', 'peer'],
] as const;

function sixOf(index: number): string {
  return `2001:db8::${(index + 1).toString(16)}`;
}

/** Own prefixes, and some that others have too. */
function drawNetworks(
  index: number,
  both: boolean,
  plain: boolean,
  random: Random,
): NonNullable<ConfigInput['networks']> {
  const own = `10.${100 + (index >> 8)}.${index & 0xff}.0/24`;
  if (plain) return [own];
  return [
    own,
    ...(drawTrue(random, 0.6) ? [drawNetwork('192.0.2.0/24', random)] : []),
    ...(drawTrue(random, 0.4) ? [drawNetwork('198.51.100.0/24', random)] : []),
    ...(both ? [`2001:db8:${(index + 1).toString(16)}::/48`] : []),
    ...(both && drawTrue(random) ? [drawNetwork('2001:db8:ffff::/48', random)] : []),
  ];
}

/** A prefix with attributes that decide. */
export function drawNetwork(prefix: string, random: Random) {
  return {
    prefix,
    ...(drawTrue(random) && { med: drawInteger(random, 0, 2) }),
    // Never below the default of what comes from other ASes: preferring those would have two stable ends (RFC 4264).
    ...(drawTrue(random, 0.3) && { localPref: drawOne(random, [200, 250]) }),
    ...(drawTrue(random, 0.3) && { communities: [`${OWN_AS}:${drawInteger(random, 1, 3)}`] }),
  };
}
