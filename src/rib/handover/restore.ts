// Builds the tables from an image (capture.ts), in two steps: everything that has an id at once, into tables that are
// still empty; then each group's Adj-RIB-Out when its first member joins, so that what members have is not sent again
// and what they should not have is withdrawn. No decision is taken here: the best paths are those of the image, and
// everything is marked to be decided again.

import { IPV4_UNICAST } from '../../bgp/wire/families.ts';
import type { FamilyRib } from '../family-rib.ts';
import type { Feed } from '../feeds.ts';
import { Lane, type Parted } from '../lane.ts';
import { MAIN_DOMAIN } from '../next-hops.ts';
import { PATH_FLAG } from '../path-store.ts';
import type { Rib } from '../rib.ts';
import type { RibPeer } from '../rib-peer.ts';
import { type ExtraValue, NO_EXTRAS, type RouteExtras } from '../route-extras.ts';
import { twoGenerations } from '../stale-rows.ts';
import type { UpdateGroup } from '../update-group.ts';
import { optionsText } from './capture.ts';
import {
  type FamilyImage,
  type GroupImage,
  type MemberImage,
  type RibImage,
  ROW_FEED_SHIFT,
  ROW_FLAG,
} from './image.ts';

/** More than any table holds; a wild number must not ask for all the memory there is. */
const LARGEST_ID = 1 << 28;

/** An image that cannot be of tables like these. */
export class ImageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImageError';
  }
}

/** By the writer's id, the id here; 0 = none. */
type Translation = Int32Array;

/** What the writer's numbers mean here; rows and tables of what is not in here are left out. */
export interface Meanings {
  /** Except the pseudo peer of the main table. */
  readonly peers: ReadonlyMap<number, RibPeer>;
  /** Tables beside the main ones. */
  readonly tables: ReadonlyMap<number, FamilyRib>;
  /** In whose view of the kernel next hops are looked up; the main one's aside. */
  readonly domains: ReadonlyMap<number, number>;
  /** By the writer's table, what has brought rows of other tables there. */
  readonly feeds: ReadonlyMap<number, ReadonlyMap<number, Feed>>;
  /** A value of route extras that has lost its class on the way; undefined for one that nobody here knows. */
  readonly revive: (value: { readonly kind: string }) => ExtraValue | undefined;
}

interface HandedFamily {
  /** The writer's number. */
  readonly table: number;
  readonly rib: FamilyRib;
  readonly prefixes: Translation;
  readonly groups: readonly GroupImage[];
  /** Which image a group here began with. */
  readonly adopted: Map<UpdateGroup, GroupImage>;
}

export class RibRestore {
  readonly #rib: Rib;
  readonly #meanings: Meanings;
  readonly #peers: ReadonlyMap<number, RibPeer>;
  readonly #attrs: Translation;
  readonly #families: HandedFamily[] = [];
  #released = false;

  /**
   * Fills empty tables. Own routes count as stale until they are announced again. Throws ImageError, with the tables in
   * any state.
   */
  constructor(rib: Rib, image: RibImage, meanings: Meanings) {
    this.#rib = rib;
    this.#meanings = meanings;
    this.#peers = new Map([...meanings.peers, [image.local, rib.local]]);
    this.#attrs = restoreAttributes(rib, image, meanings);
    for (const family of image.families) {
      const table = this.#tableOf(family);
      if (table !== undefined) this.#families.push(this.#restoreFamily(family, table));
    }
  }

  /** What a peer that joins a group of this table has been sent; called once the group is there and before it works. */
  part(table: FamilyRib, oldPeerId: number, group: UpdateGroup): Parted | undefined {
    const handed = this.#families.find(({ rib }) => rib === table);
    if (handed === undefined) return undefined;
    for (const image of handed.groups) {
      const member = image.members.find(({ peer }) => peer === oldPeerId);
      if (member !== undefined) return this.#part(handed, image, member, group);
    }
    return undefined;
  }

  /** The table that the writer numbers so; undefined where it is not here. */
  tableOf(table: number): FamilyRib | undefined {
    return this.#families.find((each) => each.table === table)?.rib;
  }

  /** The prefix that the writer numbers so in a table; 0 = not here. Until `release`. */
  prefixOf(table: FamilyRib, prefix: number): number {
    return this.#families.find(({ rib }) => rib === table)?.prefixes[prefix] ?? 0;
  }

  /** All peers have joined: ids that nobody uses may go. To be called once. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    const { attrs } = this.#rib;
    for (const id of this.#attrs) if (id !== 0) attrs.release(id);
    for (const { rib, prefixes } of this.#families) {
      for (const id of prefixes) {
        if (id === 0) continue;
        if (rib.paths.first(id) !== 0 || rib.locRib.bestRow(id) !== 0) rib.locRib.markDirty(id);
        rib.prefixes.release(id);
      }
    }
  }

  /** Undefined for a further table that is not here. */
  #tableOf({ family: name, table }: FamilyImage): FamilyRib | undefined {
    if (table !== undefined) return this.#meanings.tables.get(table);
    const rib = this.#rib.families.find(({ family }) => family.name === name);
    if (rib === undefined) throw new ImageError(`there is no family ${name}`);
    return rib;
  }

  #restoreFamily(image: FamilyImage, rib: FamilyRib): HandedFamily {
    if (rib.family.name !== image.family) throw new ImageError(`a table is not one of ${image.family}`);
    if (rib.paths.size > 0) throw new RangeError('the tables are in use');
    const prefixes = restorePrefixes(rib, image);
    this.#restoreRows(rib, image, prefixes);
    for (let i = 0; i < image.prefixes.ids.length; i++) {
      const best = image.prefixes.best[i]!;
      const prefixId = translate(prefixes, image.prefixes.ids[i]!, 'prefix');
      // The best path's peer may not be here any more.
      if (best !== 0 && rib.paths.prefixId(best) === prefixId && rib.paths.attrPost(best) !== 0) {
        rib.locRib.restore(prefixId, best);
      }
    }
    return { table: image.table ?? rib.index, rib, prefixes, groups: image.groups, adopted: new Map() };
  }

  #restoreRows(rib: FamilyRib, { rows: image, table }: FamilyImage, prefixes: Translation): void {
    const { paths, shared } = rib;
    const feeds = this.#meanings.feeds.get(table ?? rib.index);
    const generations = new Map([...this.#peers.values()].map((peer) => [peer, twoGenerations(rib, peer)]));
    let skipped = 0;
    for (let i = 0; i < image.rows.length; i++) {
      const peer = this.#peers.get(image.peers[i]!);
      const flags = image.flags[i]!;
      const broughtBy = flags >>> ROW_FEED_SHIFT;
      const brought = broughtBy !== 0;
      const feed = brought ? feeds?.get(broughtBy) : undefined;
      if (peer === undefined || (brought && feed === undefined)) continue;
      const number = image.rows[i]!;
      if (number < paths.limit) throw new ImageError('rows are not in order');
      skipped += paths.skipTo(number);
      const prefixId = translate(prefixes, image.prefixes[i]!, 'prefix');
      rib.prefixes.hold(prefixId);
      const stale = (flags & ROW_FLAG.stale) !== 0 || (peer.source === 'local' && !brought);
      const longLived = (flags & ROW_FLAG.longLived) !== 0 ? PATH_FLAG.longLived : 0;
      const generation = generations.get(peer)![stale ? 'stale' : 'fresh'];
      const attrIn = translate(this.#attrs, image.attrIn[i]!, 'attribute set');
      shared.attrs.hold(attrIn);
      const post = image.attrPost[i]!;
      const attrPost = post === 0 ? 0 : translate(this.#attrs, post, 'attribute set');
      if (attrPost !== 0) shared.attrs.hold(attrPost);
      const cause = image.rejects[i]!;
      const rowFlags = generation | longLived;
      const pathId = image.pathIds[i] ?? 0;
      const row = paths.add(prefixId, peer.id, pathId, rowFlags, attrIn, attrPost, cause, image.since[i]!);
      feed?.adopt(row);
      const counters = peer.counters[rib.index]!;
      counters.received++;
      if (cause !== 0) counters.rejected++;
      if (!stale) continue;
      counters.stale++;
      if (cause !== 0) counters.staleRejected++;
    }
    paths.giveBack(skipped);
  }

  #part(handed: HandedFamily, image: GroupImage, member: MemberImage, group: UpdateGroup): Parted {
    const first = handed.adopted.get(group);
    if (first === undefined) {
      this.#adopt(handed, image, group);
      handed.adopted.set(group, image);
    }
    const { endOfRibSent, missing } = member;
    const inStep = handed.adopted.get(group) === image && optionsText(group.options) === image.options;
    if (inStep && missing === undefined) return { lane: undefined, endOfRibSent };
    const lane = new Lane(handed.rib.prefixes, { cursor: 1, fresh: false }, []);
    // What it may have and nobody else here has must be withdrawn.
    const note = (prefix: number, pathId: number) => {
      const prefixId = handed.prefixes[prefix] ?? 0;
      if (prefixId !== 0) lane.note(prefixId, pathId, 0);
    };
    if (!inStep)
      for (let i = 0; i < image.prefixes.length; i++) note(image.prefixes[i]!, image.pathIds[i] ?? 0);
    for (const [i, prefix] of (missing?.prefixes ?? []).entries()) {
      note(prefix, 0);
      for (const pathId of missing?.gone[i] ?? []) note(prefix, pathId);
    }
    lane.epilogue.push(...(missing?.epilogue ?? []));
    return { lane, endOfRibSent };
  }

  #adopt({ prefixes }: HandedFamily, image: GroupImage, { advertiser }: UpdateGroup): void {
    let paths: { pathId: number; attr: number; from: number }[] = [];
    for (let i = 0; i < image.prefixes.length; i++) {
      const prefix = image.prefixes[i]!;
      const from = this.#peers.get(image.from[i]!)?.id;
      // Of a peer that is no longer here: nobody may have it from another.
      paths.push({
        pathId: image.pathIds[i] ?? 0,
        attr: translate(this.#attrs, image.attrs[i]!, 'attribute set'),
        from: from ?? 0,
      });
      if (image.prefixes[i + 1] === prefix) continue;
      advertiser.restore(translate(prefixes, prefix, 'prefix'), paths);
      paths = [];
    }
  }
}

/** Each set is held once; what it names is held by it. */
function restoreAttributes({ attrs, nextHops }: Rib, image: RibImage, meanings: Meanings): Translation {
  const { attributes } = image;
  const { domains, revive } = meanings;
  const hops = tableFor(image.nextHops.map(({ id }) => id));
  for (const nextHop of image.nextHops) {
    const { id, wire, zone, domain = MAIN_DOMAIN, localFirst, onlink, fallback } = nextHop;
    // Of a table that is not here any more: no row that is left names it.
    const here = domain === MAIN_DOMAIN ? domain : (domains.get(domain) ?? MAIN_DOMAIN);
    const lead = onlink ? 'onlink' : localFirst ? 'link-local' : 'global';
    hops[id] = nextHops.intern(wire, wire.length, zone, here, lead, fallback);
  }
  const bundles = new Map([[NO_EXTRAS, NO_EXTRAS]]);
  for (const { id, bundle } of image.extras) {
    bundles.set(id, attrs.extrasTable.intern(bundleOf(bundle, revive)));
  }
  const translation = tableFor(attributes.ids);
  let at = 0;
  for (let i = 0; i < attributes.ids.length; i++) {
    const length = attributes.lengths[i]!;
    if (at + length > attributes.bytes.length) throw new ImageError('attribute sets are cut off');
    const nextHop = translate(hops, attributes.nextHops[i]!, 'next hop');
    const bundle = bundles.get(attributes.extras[i]!);
    if (bundle === undefined) throw new ImageError(`bundle of extras ${attributes.extras[i]} is missing`);
    translation[attributes.ids[i]!] = attrs.intern(attributes.bytes, at, length, nextHop, bundle);
    at += length;
  }
  for (const id of hops) if (id !== 0) nextHops.release(id);
  for (const id of bundles.values()) attrs.extrasTable.release(id);
  return translation;
}

function restorePrefixes(rib: FamilyRib, { prefixes: image }: FamilyImage): Translation {
  const { words } = rib.family;
  const longest = words === IPV4_UNICAST.words ? 32 : 128;
  const translation = tableFor(image.ids);
  for (let i = 0; i < image.ids.length; i++) {
    if (image.lengths[i]! > longest) throw new ImageError(`a prefix has ${image.lengths[i]} bits`);
    const id = rib.prefixes.intern(image.words, i * words, image.lengths[i]!);
    rib.prefixes.hold(id);
    translation[image.ids[i]!] = id;
  }
  return translation;
}

function translate(translation: Translation, id: number, what: string): number {
  const found = translation[id] ?? 0;
  if (found === 0) throw new ImageError(`${what} ${id} is missing`);
  return found;
}

/** Room for a translation of these ids, which are dense. */
function tableFor(ids: Iterable<number>): Translation {
  let highest = 0;
  for (const id of ids) {
    if (id < 1 || id > LARGEST_ID) throw new ImageError(`${id} is no id`);
    if (id > highest) highest = id;
  }
  return new Int32Array(highest + 1);
}

/** What route-extras.ts has written; a bundle of another version has at least what decides. */
function bundleOf(bundle: object, revive: Meanings['revive']): RouteExtras {
  if (!isBundle(bundle)) throw new ImageError('a bundle of extras is not one');
  const values = [...bundle.values].flatMap(([name, value]): [string, ExtraValue][] => {
    const known = typeof value === 'object' ? revive(value) : value;
    return known === undefined ? [] : [[name, known]];
  });
  return { ...bundle, values: new Map(values) };
}

function isBundle(value: object): value is RouteExtras {
  return 'origin' in value && 'preference' in value && 'values' in value && value.values instanceof Map;
}
