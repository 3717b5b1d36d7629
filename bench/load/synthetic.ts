// Generated route tables. A full table has the shape of a real one: its lengths, how many routes share an attribute
// set (a few sets have very many, most have one), path lengths, and how often each attribute occurs. A block table has
// the shape of a cluster: equal small blocks, nothing but ORIGIN and an empty AS_PATH.

import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import type { Random } from '../../src/lib/clock.ts';
import { ATTR, encodeAttribute, FLAG } from '../mrt/attributes.ts';
import { ipv4Prefixes } from './prefixes.ts';
import { below, pareto, poisson, seeded, shuffle } from './random.ts';
import { AttributePool, RouteTable } from './route-table.ts';

export interface FullTableShape {
  readonly routes: number;
  readonly seed: number;
  /** Attribute sets for each route, 0.17 to 0.32 in full feeds. */
  readonly setsPerRoute: number;
  /** A gzipped list of prefixes, one a line; generated ones where it is absent. */
  readonly prefixList: string | undefined;
}

/** Group sizes: with this exponent the mean is 6 routes a set and the largest sets hold thousands. */
const GROUP_ALPHA = 1.2;
const LARGEST_GROUP_SHARE = 0.01;
/** Routes of one set stand together in runs: an origin's prefixes are neighbours. */
const RUN = 8;

/** Mean AS_PATH length without the sender's own AS, which stream.ts puts in front: 4.7 in all. */
const MEAN_PATH = 3.7;
const ORIGIN_ASES = 78_800;
const TRANSIT_ASES = 3_000;
const MEAN_COMMUNITIES = 4.7;
const MEAN_LARGE_COMMUNITIES = 3.5;
const SHARE = {
  communities: 0.67,
  med: 0.28,
  largeCommunities: 0.16,
  incomplete: 0.1,
  aggregator: 0.06,
  prepended: 0.12,
} as const;

/** Exactly `shape.routes` IPv4 routes. */
export function fullTable(shape: FullTableShape): RouteTable {
  const random = seeded(shape.seed);
  const { words, lengths } = ipv4Prefixes(shape.routes, random, shape.prefixList);
  const pool = new AttributePool();
  const setCount = Math.max(1, Math.round(shape.routes * shape.setsPerRoute));
  while (pool.count < setCount) pool.intern(attributeSet(random));
  const table = new RouteTable(IPV4_UNICAST, pool, shape.routes);
  table.count = shape.routes;
  table.words = words;
  table.lengths = lengths;
  table.attributes = assignSets(shape.routes, setCount, random);
  return table;
}

/** Which set each route has: group sizes from a heavy-tailed distribution, dealt out in runs. */
function assignSets(routes: number, sets: number, random: Random): Int32Array {
  const sizes = new Int32Array(sets).fill(1);
  const largest = Math.max(Math.ceil(routes / sets), Math.floor(routes * LARGEST_GROUP_SHARE));
  let left = routes - sets;
  for (let set = 0; left > 0; set = (set + 1) % sets) {
    const more = Math.min(left, Math.floor(pareto(random, GROUP_ALPHA)) - 1, largest - sizes[set]!);
    sizes[set] = sizes[set]! + more;
    left -= more;
  }
  const runs: number[] = [];
  sizes.forEach((size, set) => {
    for (let rest = size; rest > 0; rest -= RUN) runs.push(set * RUN + Math.min(rest, RUN) - 1);
  });
  const order = Int32Array.from(runs);
  shuffle(random, order);
  const out = new Int32Array(routes);
  let at = 0;
  for (const run of order) {
    const end = at + (run % RUN) + 1;
    out.fill(Math.floor(run / RUN), at, end);
    at = end;
  }
  return out;
}

/** ORIGIN, AS_PATH and whatever else a set of a full table may have. */
export function attributeSet(random: Random): Uint8Array {
  const parts = [
    encodeAttribute(FLAG.transitive, ATTR.origin, Uint8Array.of(random() < SHARE.incomplete ? 2 : 0)),
    encodeAttribute(FLAG.transitive, ATTR.asPath, asPath(random)),
  ];
  if (random() < SHARE.med) {
    parts.push(encodeAttribute(FLAG.optional, ATTR.med, words([below(random, 500)])));
  }
  if (random() < SHARE.aggregator) {
    const value = words([transit(random), 0x0a000000 + below(random, 1 << 24)]);
    parts.push(encodeAttribute(FLAG.optional | FLAG.transitive, ATTR.aggregator, value));
  }
  if (random() < SHARE.communities) {
    const value = words(distinct(1 + poisson(random, MEAN_COMMUNITIES - 1), () => community(random)));
    parts.push(encodeAttribute(FLAG.optional | FLAG.transitive, ATTR.communities, value));
  }
  if (random() < SHARE.largeCommunities) {
    const count = 1 + poisson(random, MEAN_LARGE_COMMUNITIES - 1);
    // RFC 8092 §5: no duplicates; the second part counts up.
    const value = words(
      Array.from({ length: count }, (_, i) => [transit(random), i, below(random, 1000)]).flat(),
    );
    parts.push(encodeAttribute(FLAG.optional | FLAG.transitive, ATTR.largeCommunities, value));
  }
  return Buffer.concat(parts);
}

function asPath(random: Random): Uint8Array {
  const path = Array.from({ length: poisson(random, MEAN_PATH - 1) }, () => transit(random));
  const origin = 400_000 + below(random, ORIGIN_ASES);
  const copies = random() < SHARE.prepended ? 1 + below(random, 3) : 1;
  const asns = [...path, ...new Array<number>(copies).fill(origin)];
  return Uint8Array.from([2, asns.length, ...words(asns)]);
}

/** Transit networks: a few of them are on very many paths. */
function transit(random: Random): number {
  return 1000 + Math.min(TRANSIT_ASES - 1, Math.floor(pareto(random, 0.5)) - 1);
}

/** Not in 65535:0..65535, where well-known communities with a meaning are. */
function community(random: Random): number {
  return ((1000 + below(random, 60_000)) * 0x10000 + below(random, 0x10000)) >>> 0;
}

function distinct(count: number, make: () => number): number[] {
  const out = new Set<number>();
  while (out.size < count) out.add(make());
  return [...out];
}

function words(values: readonly number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => {
    out.setUint32(i * 4, value);
  });
  return new Uint8Array(out.buffer);
}

const BLOCK_LENGTH = 26;
const BLOCK_SIZE = 64;
const BLOCK_BASE = 0x0a800000; // 10.128.0.0/9
const BLOCK_LIMIT = 1 << (BLOCK_LENGTH - 9);

/** `routes` /26 blocks of 10.128.0.0/9 with one attribute set, as the nodes of a cluster announce them. */
export function blockTable(routes: number): RouteTable {
  if (routes > BLOCK_LIMIT) throw new RangeError(`at most ${BLOCK_LIMIT} blocks`);
  const pool = new AttributePool();
  const set = pool.intern(
    Buffer.concat([
      encodeAttribute(FLAG.transitive, ATTR.origin, Uint8Array.of(0)),
      encodeAttribute(FLAG.transitive, ATTR.asPath, new Uint8Array(0)),
    ]),
  );
  const table = new RouteTable(IPV4_UNICAST, pool, Math.max(1, routes));
  table.count = routes;
  for (let i = 0; i < routes; i++) {
    table.words[i] = (BLOCK_BASE + i * BLOCK_SIZE) | 0;
    table.lengths[i] = BLOCK_LENGTH;
    table.attributes[i] = set;
  }
  return table;
}

/** Puts the routes of `more` behind those of `table`, with their attribute sets. */
export function appendTable(table: RouteTable, more: RouteTable): void {
  const { words } = more.family;
  for (let i = 0; i < more.count; i++) {
    const set = table.pool.intern(more.pool.get(more.attributes[i]!));
    table.append(more.words.subarray(i * words, (i + 1) * words), more.lengths[i]!, set);
  }
}
