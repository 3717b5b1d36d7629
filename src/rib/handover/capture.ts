// Writes the image of the tables (image.ts). Nothing must be under way while it is taken: no walk, no dirty prefix, no
// change that a group has not read. Members that lag are no hindrance: what they miss goes along.

import { copyBytes } from '../../lib/bytes.ts';
import { describeOptions, type ExportOptions } from '../export-options.ts';
import type { FamilyRib } from '../family-rib.ts';
import type { Lane } from '../lane.ts';
import { MAIN_DOMAIN } from '../next-hops.ts';
import { PATH_FLAG } from '../path-store.ts';
import type { Rib } from '../rib.ts';
import { isStale } from '../stale-rows.ts';
import type { UpdateGroup } from '../update-group.ts';
import {
  type AttributeImage,
  type FamilyImage,
  type GroupImage,
  type MemberImage,
  type MissingImage,
  type PrefixImage,
  type RibImage,
  ROW_FEED_SHIFT,
  ROW_FLAG,
  type RowImage,
} from './image.ts';

/** `further`: tables beside the main ones. Throws RangeError where the tables are not at rest. */
export function captureRib(rib: Rib, further: readonly FamilyRib[] = []): RibImage {
  if (!rib.idle) throw new RangeError('the tables are not at rest');
  const { attrs, nextHops } = rib;
  const attributes = captureAttributes(rib);
  const extras = [...new Set(attributes.extras)].filter((id) => id !== 0);
  return {
    nextHops: [...nextHops.values()].map(({ id, wire, zone, domain, lead, fallback }) => ({
      id,
      wire,
      zone,
      ...(domain !== MAIN_DOMAIN && { domain }),
      ...(lead === 'link-local' && { localFirst: true }),
      ...(lead === 'onlink' && { onlink: true }),
      ...(fallback !== undefined && { fallback }),
    })),
    extras: extras.map((id) => ({ id, bundle: attrs.extrasTable.get(id) })),
    attributes,
    families: [
      ...rib.families.map((family) => captureFamily(family, rib.groups[family.index]!.values())),
      ...further.map((table) => ({
        ...captureFamily(table, rib.groups[table.index]!.values()),
        table: table.index,
      })),
    ],
    local: rib.local.id,
  };
}

/** What tells whether two groups send the same; a policy's key counts in its own process only. */
export function optionsText(options: ExportOptions): string {
  const { policy } = options;
  const name = typeof policy === 'string' ? policy : `filter ${policy.name}`;
  return Object.values({ ...describeOptions(options), policy: name }).join('|');
}

function captureAttributes({ attrs }: Rib): AttributeImage {
  const count = attrs.size;
  const image = {
    ids: new Int32Array(count),
    lengths: new Uint32Array(count),
    nextHops: new Int32Array(count),
    extras: new Int32Array(count),
  };
  let octets = 0;
  let place = 0;
  for (let id = 1; id < attrs.limit; id++) {
    if (attrs.references(id) === 0) continue;
    image.ids[place] = id;
    image.lengths[place] = attrs.length(id);
    image.nextHops[place] = attrs.nextHop[id]!;
    image.extras[place] = attrs.extras[id]!;
    octets += attrs.length(id);
    place++;
  }
  const bytes = new Uint8Array(octets);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const offset = attrs.offset(image.ids[i]!);
    at = copyBytes(bytes, at, attrs.bytes, offset, offset + image.lengths[i]!);
  }
  return { ...image, bytes };
}

function captureFamily(rib: FamilyRib, groups: Iterable<UpdateGroup>): FamilyImage {
  return {
    family: rib.family.name,
    prefixes: capturePrefixes(rib),
    rows: captureRows(rib),
    groups: [...groups].map((group) => captureGroup(rib, group)),
  };
}

function capturePrefixes({ prefixes, family, locRib }: FamilyRib): PrefixImage {
  const { size, limit, records } = prefixes;
  const image = {
    ids: new Int32Array(size),
    words: new Int32Array(size * family.words),
    lengths: new Uint8Array(size),
    best: new Int32Array(size),
  };
  let at = 0;
  for (let id = 1; id < limit; id++) {
    if (!prefixes.inUse(id)) continue;
    image.ids[at] = id;
    image.lengths[at] = prefixes.bits(id);
    image.best[at] = locRib.bestRow(id);
    const first = prefixes.wordsAt(id);
    for (let i = 0; i < family.words; i++) image.words[at * family.words + i] = records[first + i]!;
    at++;
  }
  return image;
}

function captureRows(rib: FamilyRib): RowImage {
  const { paths } = rib;
  const { size, limit } = paths;
  const image = {
    rows: new Int32Array(size),
    prefixes: new Int32Array(size),
    peers: new Uint16Array(size),
    pathIds: new Uint32Array(size),
    attrIn: new Int32Array(size),
    attrPost: new Int32Array(size),
    since: new Uint32Array(size),
    rejects: new Uint8Array(size),
    flags: new Uint16Array(size),
  };
  let identified = false;
  let at = 0;
  for (let row = 1; row < limit; row++) {
    const prefixId = paths.prefixId(row);
    if (prefixId === 0) continue;
    const pathId = paths.pathId(row);
    identified ||= pathId !== 0;
    image.rows[at] = row;
    image.prefixes[at] = prefixId;
    image.peers[at] = paths.peerId(row);
    image.pathIds[at] = pathId;
    image.attrIn[at] = paths.attrIn(row);
    image.attrPost[at] = paths.attrPost(row);
    image.since[at] = paths.since(row);
    image.rejects[at] = paths.reject(row);
    image.flags[at] = rowFlags(rib, row);
    at++;
  }
  return identified ? image : { ...image, pathIds: new Uint32Array(0) };
}

function rowFlags(rib: FamilyRib, row: number): number {
  const { paths, shared } = rib;
  const stale = isStale(rib, shared.peers.get(paths.peerId(row)), row) ? ROW_FLAG.stale : 0;
  const longLived = (paths.flags(row) & PATH_FLAG.longLived) !== 0 ? ROW_FLAG.longLived : 0;
  return stale | longLived | (paths.feed(row) << ROW_FEED_SHIFT);
}

function captureGroup({ prefixes }: FamilyRib, group: UpdateGroup): GroupImage {
  const { adjRibOut } = group;
  const { size } = adjRibOut;
  const image = {
    prefixes: new Int32Array(size),
    pathIds: new Uint32Array(size),
    attrs: new Int32Array(size),
    from: new Uint16Array(size),
  };
  let at = 0;
  let identified = false;
  for (let id = 1; id < prefixes.limit; id++) {
    adjRibOut.forEach(id, (pathId, attr, peer) => {
      image.prefixes[at] = id;
      image.pathIds[at] = pathId;
      image.attrs[at] = attr;
      image.from[at] = peer;
      identified ||= pathId !== 0;
      at++;
    });
  }
  return {
    ...(identified ? image : { ...image, pathIds: new Uint32Array(0) }),
    options: optionsText(group.options),
    members: group.members().map(({ id }) => captureMember(group, id)),
  };
}

function captureMember(group: UpdateGroup, peer: number): MemberImage {
  const lane = group.lanes.find(({ members }) => members.some((member) => member.peer.id === peer));
  return {
    peer,
    endOfRibSent: group.endOfRibSent(peer),
    missing: lane === undefined ? undefined : captureLane(lane),
  };
}

function captureLane(lane: Lane): MissingImage {
  const missing = lane.missing();
  return {
    prefixes: Int32Array.from(missing, ({ prefixId }) => prefixId),
    gone: missing.map(({ gone }) => gone),
    epilogue: lane.epilogue,
  };
}
