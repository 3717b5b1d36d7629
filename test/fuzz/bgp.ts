// BGP messages for fuzzing: valid ones of all kinds, and changes that know how a message is built: attributes are
// doubled, swapped, given other flags, types, values and lengths, and the lengths around them are mostly right again.

import { encodeAttributes } from '../../src/bgp/wire/attribute-set.ts';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { FAMILIES, IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { ATTRIBUTE, MESSAGE_TYPE } from '../../src/bgp/wire/iana.ts';
import { encodeNotification } from '../../src/bgp/wire/notification.ts';
import { encodeOpen } from '../../src/bgp/wire/open.ts';
import { encodeRouteRefresh } from '../../src/bgp/wire/route-refresh.ts';
import type { Random } from '../../src/lib/clock.ts';
import { drawInteger, drawOne, drawTrue } from '../../src/sim/random.ts';
import { attributeBytes, updateMessage } from '../support/raw-peer.ts';
import { drawBytes, join, mutateBytes } from './mutate.ts';

const HEADER = 19;
const MARKER = 16;
const EXTENDED_LENGTH = 0x10;
const TYPES = Object.values(ATTRIBUTE);
const FLAGS = [0x40, 0x80, 0xc0, 0xe0, 0x50, 0x90, 0xd0, 0x00, 0xff] as const;

interface RawAttribute {
  flags: number;
  type: number;
  value: Uint8Array;
}

/** The parts of an UPDATE; attributes as far as they can be told apart. */
interface RawUpdate {
  withdrawn: Uint8Array;
  attributes: RawAttribute[];
  nlri: Uint8Array;
}

/** A valid UPDATE of an external peer with this AS, or of an internal one (undefined). */
export function drawUpdate(random: Random, as: number | undefined): Uint8Array {
  const kind = drawInteger(random, 0, 9);
  if (kind === 0) return updateMessage(drawNlri(random, 4), new Uint8Array(0), []);
  if (kind === 1) return updateMessage([], new Uint8Array(0), []);
  const path = as === undefined ? drawAses(random) : [as, ...drawAses(random)];
  const attributes = encodeAttributes({
    origin: drawOne(random, ['IGP', 'EGP', 'INCOMPLETE'] as const),
    asPath: path.join(' '),
    ...(as === undefined && { localPref: drawInteger(random, 0, 200) }),
    ...(drawTrue(random, 0.4) && { med: drawInteger(random, 0, 3) }),
    ...(drawTrue(random, 0.1) && { atomicAggregate: true }),
    ...(drawTrue(random, 0.1) && { aggregator: '64512 192.0.2.1' }),
    ...(drawTrue(random, 0.4) && { communities: [`64512:${drawInteger(random, 0, 9)}`] }),
    ...(drawTrue(random, 0.1) && {
      communities: [drawOne(random, ['NO_EXPORT', 'NO_ADVERTISE', '65535:0'])],
    }),
    ...(drawTrue(random, 0.2) && { largeCommunities: [`64512:1:${drawInteger(random, 0, 9)}`] }),
    ...(as === undefined && drawTrue(random, 0.3) && { originatorId: '10.0.0.9', clusterList: ['10.0.0.8'] }),
    ...(drawTrue(random, 0.1) && { onlyToCustomer: 65_001 }),
  });
  const nextHop = attributeBytes(0x40, ATTRIBUTE.nextHop, Uint8Array.of(10, 0, 0, drawInteger(random, 1, 9)));
  if (kind < 7) return updateMessage([], join(attributes, nextHop), drawNlri(random, 4));
  const v6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), drawInteger(random, 1, 9));
  const reach = join(Uint8Array.of(0, 2, 1, 16), v6, Uint8Array.of(0), drawNlri(random, 16));
  const unreach = join(Uint8Array.of(0, 2, 1), drawNlri(random, 16));
  const parts = kind === 9 ? [attributeBytes(0x80, ATTRIBUTE.mpUnreachNlri, unreach)] : [];
  return updateMessage(
    [],
    join(attributes, attributeBytes(0x80, ATTRIBUTE.mpReachNlri, reach), ...parts),
    [],
  );
}

function drawAses(random: Random): number[] {
  return Array.from({ length: drawInteger(random, 0, 4) }, () =>
    drawOne(random, [64_999, 65_100, 3_000_000_000, 23_456]),
  );
}

function drawNlri(random: Random, octets: 4 | 16): Uint8Array {
  const prefixes = Array.from({ length: drawInteger(random, 1, 4) }, () => {
    const bits = octets === 4 ? drawInteger(random, 9, 32) : drawInteger(random, 20, 64);
    const bytes = new Uint8Array(Math.ceil(bits / 8));
    bytes.set(octets === 4 ? [172, drawInteger(random, 16, 31)] : [0x20, 1, drawInteger(random, 0, 9)]);
    return join(Uint8Array.of(bits), bytes);
  });
  return join(...prefixes);
}

/** A valid OPEN with some of the capabilities there are. */
export function drawOpen(random: Random, as: number, id: number): Uint8Array {
  const all: Capability[] = [
    ...FAMILIES.map(({ afi, safi }): Capability => ({ kind: 'multiprotocol', afi, safi })),
    { kind: 'route-refresh' },
    { kind: 'enhanced-route-refresh' },
    { kind: 'extended-message' },
    {
      kind: 'add-path',
      entries: FAMILIES.map(({ afi, safi }) => ({ afi, safi, mode: drawOne(random, [1, 2, 3] as const) })),
    },
    {
      kind: 'graceful-restart',
      restarting: drawTrue(random),
      notification: drawTrue(random),
      restartTime: drawInteger(random, 0, 30),
      families: FAMILIES.map(({ afi, safi }) => ({ afi, safi, forwarding: drawTrue(random) })),
    },
  ];
  const capabilities: Capability[] = [
    ...all.filter(() => drawTrue(random, 0.7)),
    { kind: 'four-octet-as', as },
  ];
  return encodeOpen({
    myAs: as > 0xffff ? 23_456 : as,
    holdTime: drawOne(random, [0, 3, 90]),
    id,
    capabilities,
  });
}

/** A valid message of any kind but OPEN. */
export function drawMessage(random: Random, as: number | undefined): Uint8Array {
  const kind = drawInteger(random, 0, 19);
  if (kind === 0) return encodeRouteRefresh(drawOne(random, FAMILIES), drawOne(random, [0, 1, 2] as const));
  if (kind === 1) return message(MESSAGE_TYPE.keepalive, new Uint8Array(0));
  if (kind === 2)
    return encodeNotification(drawInteger(random, 1, 7), drawInteger(random, 0, 10), drawBytes(random, 40));
  if (kind === 3) return encodeRouteRefresh(IPV4_UNICAST, 0);
  return drawUpdate(random, as);
}

/** A change that mostly keeps the frame right; `other` is a message to take parts from. */
export function mutateMessage(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  if (bytes.length < HEADER || drawTrue(random, 0.2)) return mutateBytes(random, bytes, other);
  const type = bytes[HEADER - 1]!;
  if (type === MESSAGE_TYPE.update && drawTrue(random, 0.85)) return mutateUpdate(random, bytes, other);
  const body = mutateBytes(random, bytes.subarray(HEADER), other.subarray(HEADER));
  return message(drawTrue(random, 0.97) ? type : drawInteger(random, 0, 7), body.subarray(0, 4000));
}

function mutateUpdate(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const update = takeApart(bytes);
  const spare = takeApart(other);
  for (let count = drawInteger(random, 1, 3); count > 0; count--)
    drawOne(random, UPDATE_CHANGES)(random, update, spare);
  const attributes = join(...update.attributes.map((each) => putTogether(random, each)));
  const { withdrawn, nlri } = update;
  const wrong = drawTrue(random, 0.1) ? drawOne(random, [-2, -1, 1, 2, 300]) : 0;
  const lengths = [withdrawn.length, attributes.length + wrong].map((length) => {
    return Uint8Array.of((length >> 8) & 0xff, length & 0xff);
  });
  const body = join(lengths[0]!, withdrawn, lengths[1]!, attributes, nlri);
  return message(MESSAGE_TYPE.update, body.subarray(0, 4077));
}

type UpdateChange = (random: Random, update: RawUpdate, spare: RawUpdate) => void;

const onAttribute = (change: (random: Random, attribute: RawAttribute) => void): UpdateChange => {
  return (random, { attributes }) => {
    if (attributes.length > 0) change(random, drawOne(random, attributes));
  };
};

const UPDATE_CHANGES: readonly UpdateChange[] = [
  onAttribute((random, attribute) => {
    attribute.value = mutateBytes(random, attribute.value, attribute.value);
  }),
  onAttribute((random, attribute) => {
    attribute.value = drawBytes(random, 40);
  }),
  onAttribute((random, attribute) => {
    attribute.flags = drawOne(random, FLAGS);
  }),
  onAttribute((random, attribute) => {
    attribute.type = drawTrue(random, 0.9) ? drawOne(random, TYPES) : drawInteger(random, 0, 255);
  }),
  (random, { attributes }) => {
    if (attributes.length > 0) attributes.splice(drawInteger(random, 0, attributes.length - 1), 1);
  },
  (random, { attributes }, spare) => {
    const from = [...attributes, ...spare.attributes];
    if (from.length > 0)
      attributes.splice(drawInteger(random, 0, attributes.length), 0, { ...drawOne(random, from) });
  },
  (random, { attributes }) => {
    const added = {
      flags: drawOne(random, FLAGS),
      type: drawOne(random, TYPES),
      value: drawBytes(random, 30),
    };
    attributes.splice(drawInteger(random, 0, attributes.length), 0, added);
  },
  (random, update, spare) => {
    update.nlri = mutateBytes(random, update.nlri, spare.nlri);
  },
  (random, update, spare) => {
    update.withdrawn = drawTrue(random) ? spare.nlri : mutateBytes(random, update.withdrawn, spare.nlri);
  },
];

function takeApart(bytes: Uint8Array): RawUpdate {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u16 = (at: number): number => (at + 2 <= bytes.length ? view.getUint16(at) : 0);
  const withdrawnEnd = Math.min(bytes.length, HEADER + 2 + u16(HEADER));
  const attributesStart = Math.min(bytes.length, withdrawnEnd + 2);
  const attributesEnd = Math.min(bytes.length, attributesStart + u16(withdrawnEnd));
  const attributes: RawAttribute[] = [];
  for (let at = attributesStart; at + 3 <= attributesEnd; ) {
    const flags = bytes[at]!;
    const long = (flags & EXTENDED_LENGTH) !== 0;
    const start = at + (long ? 4 : 3);
    const end = start + (long ? u16(at + 2) : bytes[at + 2]!);
    attributes.push({ flags, type: bytes[at + 1]!, value: bytes.slice(start, Math.min(end, attributesEnd)) });
    at = end;
  }
  return { withdrawn: bytes.slice(HEADER + 2, withdrawnEnd), attributes, nlri: bytes.slice(attributesEnd) };
}

function putTogether(random: Random, { flags, type, value }: RawAttribute): Uint8Array {
  const long = value.length > 0xff || (flags & EXTENDED_LENGTH) !== 0;
  const length = drawTrue(random, 0.97) ? value.length : drawInteger(random, 0, 0xff);
  const head = long
    ? [flags | EXTENDED_LENGTH, type, length >> 8, length & 0xff]
    : [flags & ~EXTENDED_LENGTH, type, length];
  return join(Uint8Array.from(head), value);
}

function message(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length).fill(0xff, 0, MARKER);
  bytes[MARKER] = bytes.length >> 8;
  bytes[MARKER + 1] = bytes.length & 0xff;
  bytes[MARKER + 2] = type;
  bytes.set(body, HEADER);
  return bytes;
}
