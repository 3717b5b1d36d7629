// Properties over the whole UPDATE path: writer -> framer -> decoder, any order of attributes, and any octets at all.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AttributeValues,
  encodeAttributes,
  valueLength,
  valueStart,
} from '../../../src/bgp/wire/attribute-set.ts';
import { FAMILIES, type Family } from '../../../src/bgp/wire/families.ts';
import { Framer } from '../../../src/bgp/wire/framing.ts';
import { DecodeScratch, UpdateDecoder } from '../../../src/bgp/wire/update-decoder.ts';
import { UpdateWriter } from '../../../src/bgp/wire/update-writer.ts';
import { octetsOf } from '../../../src/lib/bytes.ts';
import { decodeUpdate, describeUpdate } from '../../support/decoded.ts';
import { concat, message, notificationOf, sessionContext, toHexString, update } from '../../support/wire.ts';

const u32 = fc.nat(0xffffffff);
const asNumber = fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 65536, max: 0xffffffff }));
const community = fc.tuple(fc.nat(65000), fc.nat(65535)).map(([a, b]) => `${a}:${b}`);
const attributeValues: fc.Arbitrary<Partial<AttributeValues>> = fc.record({
  origin: fc.constantFrom('IGP' as const, 'EGP' as const, 'INCOMPLETE' as const),
  asPath: fc.array(asNumber, { maxLength: 20 }).map((ases) => ases.join(' ')),
  med: fc.option(u32, { nil: undefined }),
  localPref: fc.option(u32, { nil: undefined }),
  atomicAggregate: fc.boolean(),
  aggregator: fc.option(
    asNumber.map((as) => `${as} 192.0.2.1`),
    { nil: undefined },
  ),
  communities: fc.array(community, { maxLength: 70 }),
  largeCommunities: fc.uniqueArray(
    community.map((text) => `${text}:7`),
    { maxLength: 24 },
  ),
  clusterList: fc.array(fc.constantFrom('10.0.0.1', '10.0.0.2'), { maxLength: 3 }),
  onlyToCustomer: fc.option(u32, { nil: undefined }),
  unknown: fc.constantFrom([], ['250 (partial, transitive): 0102']),
});

interface Route {
  words: Int32Array;
  bits: number;
  pathId: number;
}

/** A route whose host bits are zero and that is no multicast. */
function route(family: Family): fc.Arbitrary<Route> {
  const octets = fc.uint8Array({ minLength: family.words * 4, maxLength: family.words * 4 });
  return fc
    .tuple(octets, fc.nat(family.maxBits), fc.integer({ min: 1, max: 0xffffffff }))
    .map(([bytes, bits, pathId]) => {
      bytes[0] = bytes[0]! & 0x7f;
      for (let bit = bits; bit < family.maxBits; bit++) {
        bytes[bit >> 3] = bytes[bit >> 3]! & ~(0x80 >> (bit & 7));
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      return {
        words: Int32Array.from({ length: family.words }, (_, i) => view.getInt32(i * 4)),
        bits,
        pathId,
      };
    });
}

const keyOf = (words: ArrayLike<number>, bits: number, pathId: number) =>
  `${Array.from(words).join('.')}/${bits} ${pathId}`;

const session = fc.record({
  family: fc.constantFrom(...FAMILIES),
  as4: fc.boolean(),
  addPath: fc.boolean(),
  messageLimit: fc.constantFrom(4096, 65535),
  wideHop: fc.boolean(),
});

describe('writer -> framer -> decoder', () => {
  test('routes and attribute sets come out as they went in, at any split', () => {
    const scratch = new DecodeScratch();
    const run = session.chain((options) =>
      fc.record({
        options: fc.constant(options),
        values: attributeValues,
        announced: fc.array(route(options.family), { maxLength: 40 }),
        withdrawn: fc.array(route(options.family), { maxLength: 40 }),
        cut: fc.nat(5000),
      }),
    );
    fc.assert(
      fc.property(run, ({ options, values, announced, withdrawn, cut }) => {
        const { family, as4, addPath, messageLimit } = options;
        const wide = options.wideHop || family.nextHopBytes === 16;
        const nextHop = new Uint8Array(wide ? 16 : 4).fill(0x20);
        const set = encodeAttributes(values);
        const writer = new UpdateWriter({ family, as4, addPath, messageLimit, extendedNextHop: true });
        writer.startWithdraw();
        for (const one of withdrawn) expect(writer.addPrefix(one.words, 0, one.bits, one.pathId)).toBe(true);
        writer.startAnnounce(octetsOf(set), 0, set.length, nextHop, nextHop.length);
        for (const one of announced) expect(writer.addPrefix(one.words, 0, one.bits, one.pathId)).toBe(true);
        const bytes = writer.detach();

        const mask = addPath ? 1 << family.id : 0;
        const context = sessionContext({
          peerType: 'internal',
          as4,
          addPathReceive: mask,
          extendedNextHop: 3,
          receiveLimit: messageLimit,
        });
        const decoder = new UpdateDecoder(context, {}, scratch);
        const framer = new Framer(messageLimit);
        const got: { announced: string[]; withdrawn: string[] } = { announced: [], withdrawn: [] };
        const take = (buffer: Uint8Array, start: number, end: number) => {
          const decoded = decoder.decode(buffer, start, end);
          expect(decoded.issues).toEqual([]);
          for (const kind of ['announced', 'withdrawn'] as const) {
            for (const batch of decoded[kind]) {
              expect(batch.family).toBe(family);
              for (let i = 0; i < batch.count; i++) {
                const words = batch.words.subarray(i * family.words, (i + 1) * family.words);
                got[kind].push(keyOf(words, batch.lengths[i]!, batch.pathIds[i]!));
              }
              if (kind !== 'announced') continue;
              expect(toHexString(decoded.attributes.subarray(0, decoded.attributesLength))).toBe(
                toHexString(set),
              );
              expect(batch.nextHop.slice(0, batch.nextHopLength)).toEqual(nextHop);
            }
          }
          return true;
        };
        const at = Math.min(cut, bytes.length);
        framer.push(bytes.subarray(0, at), at, take);
        framer.push(bytes.subarray(at), bytes.length - at, take);
        expect(framer.pending).toBe(0);
        const keys = (routes: Route[]) =>
          routes.map((one) => keyOf(one.words, one.bits, addPath ? one.pathId : 0));
        expect(got).toEqual({ announced: keys(announced), withdrawn: keys(withdrawn) });
      }),
      { numRuns: 150 },
    );
  });
});

/** The attributes of a canonical set, each as octets of its own. */
function split(set: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < set.length; ) {
    const end = valueStart(set, at) + valueLength(set, at);
    parts.push(set.slice(at, end));
    at = end;
  }
  return parts;
}

const NEXT_HOP = Uint8Array.of(0x40, 3, 4, 10, 0, 0, 1);

test('4271-5-3 any order of attributes decodes to the same set', () => {
  const shuffled = attributeValues.chain((values) => {
    const parts = [...split(encodeAttributes(values)), NEXT_HOP];
    return fc.tuple(
      fc.constant(encodeAttributes(values)),
      fc.shuffledSubarray(parts, { minLength: parts.length, maxLength: parts.length }),
    );
  });
  fc.assert(
    fc.property(shuffled, ([set, parts]) => {
      const bytes = update({ attributes: concat(...parts), nlri: '18cb0071' });
      const decoded = decodeUpdate(bytes, { peerType: 'internal' });
      expect(decoded.withdraw).toBe(false);
      expect(decoded.set).toBe(toHexString(set));
    }),
  );
});

describe('any octets', () => {
  const contexts = fc.record({
    peerType: fc.constantFrom('internal' as const, 'external' as const),
    as4: fc.boolean(),
    addPathReceive: fc.constantFrom(0, 3),
    extendedNextHop: fc.constantFrom(0, 3),
  });
  const options = fc.record({
    aigp: fc.boolean(),
    acceptAsSets: fc.boolean(),
    enforceFirstAs: fc.boolean(),
    confederationPeer: fc.boolean(),
    allowLocalPref: fc.boolean(),
  });
  const scratch = new DecodeScratch();

  /** Decodes the message with different octets around it; the result must not depend on them. */
  function decodeFramed(bytes: Uint8Array, context: object, settings: object): string {
    const results = [0x00, 0xff].map((filler) => {
      const buffer = new Uint8Array(bytes.length + 64).fill(filler);
      buffer.set(bytes, 32);
      const decoder = new UpdateDecoder(sessionContext(context), settings, scratch);
      let text = '';
      const error = notificationOf(() => {
        text = JSON.stringify(describeUpdate(decoder.decode(buffer, 32, 32 + bytes.length)));
      });
      return error === undefined ? text : JSON.stringify(error);
    });
    expect(results[0]).toBe(results[1]);
    return results[0]!;
  }

  test('an UPDATE of any octets throws nothing but NotificationError and is read within its bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), contexts, options, (body, context, settings) => {
        decodeFramed(message(2, body), context, settings);
      }),
      { numRuns: 1500 },
    );
  });

  test('attributes of likely types and any values', () => {
    const one = fc
      .tuple(
        fc.constantFrom(0x40, 0x80, 0xc0, 0xe0, 0x50, 0x90, 0xd0),
        fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 22, 23, 25, 26, 32, 35, 40, 99),
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: -2, max: 2 }),
      )
      .map(([flags, type, value, lie]) => {
        const length = Math.max(0, value.length + (lie === 2 ? 1 : 0));
        const head = (flags & 0x10) === 0 ? [flags, type, length] : [flags, type, 0, length];
        return Uint8Array.from([...head, ...value]);
      });
    const nlri = fc.constantFrom('', '18cb0071', '08 0a 10c633', '21');
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 6 }),
        nlri,
        contexts,
        options,
        (parts, text, context, settings) => {
          decodeFramed(update({ attributes: concat(...parts), nlri: text }), context, settings);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('a good UPDATE with one octet changed', () => {
    const good = update({
      withdrawn: '10c633',
      attributes: concat(
        ...split(encodeAttributes({ asPath: '1 2 70000', communities: ['1:2'], med: 1 })),
        NEXT_HOP,
      ),
      nlri: '18cb0071 08 0a',
    });
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(255), contexts, options, (at, octet, context, settings) => {
        const bytes = good.slice();
        bytes[19 + (at % (bytes.length - 19))] = octet;
        decodeFramed(bytes, context, settings);
      }),
      { numRuns: 2000 },
    );
  });

  test('a stream of any octets goes through framer and decoder', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }),
        fc.uint8Array(),
        (bodies, tail) => {
          const stream = concat(...bodies.map((body) => message(2, body)), tail);
          const decoder = new UpdateDecoder(sessionContext(), {}, scratch);
          notificationOf(() =>
            new Framer().push(stream, stream.length, (buffer, start, end, type) => {
              if (type === 2) decoder.decode(buffer, start, end);
              return true;
            }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
