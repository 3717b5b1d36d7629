import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AsPathSegment,
  asPathLength,
  containsAs,
  countAs,
  encodeSegments,
  firstAs,
  formatAsPath,
  isPrivateAs,
  originAs,
  parseAs,
  parseAsPath,
  prepend,
  removePrivateAses,
  replaceAs,
  segments,
} from '../../../src/bgp/wire/as-path.ts';
import { hex, toHexString } from '../../support/wire.ts';

const path = (text: string) => parseAsPath(text)!;
const as = fc.oneof(fc.integer({ min: 1, max: 0xffffffff }), fc.integer({ min: 64500, max: 64530 }));
const segment: fc.Arbitrary<AsPathSegment> = fc.record({
  type: fc.integer({ min: 1, max: 4 }),
  ases: fc.array(as, { minLength: 1, maxLength: 12 }),
});
const anyPath = fc.array(segment, { maxLength: 6 });
const flat = (bytes: Uint8Array) => [...segments(bytes)].flatMap(({ ases }) => ases);

test('text and octets', () => {
  const bytes = hex(`
    02 02 0000fc00 fa56ea00 # sequence 64512 4200000000
    01 02 0000fc01 0000fc02 # set
    03 01 0000fde9 # confederation sequence
    04 02 0000fdea 0000fdeb # confederation set`);
  const text = '64512 4200000000 {64513 64514} (65001) [65002 65003]';
  expect(formatAsPath(bytes)).toBe(text);
  expect(parseAsPath(text)).toEqual(bytes);
  expect(parseAsPath('64512 64086.59904{64513,64514}(65001)[65002 , 65003]')).toEqual(bytes);
  expect(parseAsPath('')).toEqual(new Uint8Array(0));
  expect(parseAsPath('  ')).toEqual(new Uint8Array(0));
});

test('text that is no path', () => {
  for (const text of ['a', '1 2 x', '{1', '{1)', '{}', '4294967296', '1.65536', '-1', '{1 {2}}', '1..2']) {
    expect([text, parseAsPath(text)]).toEqual([text, undefined]);
  }
  expect(parseAs('65536.1')).toBeUndefined();
  expect(parseAs('1.1')).toBe(65537);
});

test('any path comes back from its text', () => {
  fc.assert(
    fc.property(anyPath, (parts) => {
      const bytes = encodeSegments(parts);
      expect(parseAsPath(formatAsPath(bytes))).toEqual(bytes);
      expect(flat(bytes)).toEqual(parts.flatMap(({ ases }) => ases));
    }),
  );
});

describe('reading', () => {
  test('4271-9.1.2.2-2 the length: an AS_SET counts 1; 5065-5.3-1 confederation segments count 0', () => {
    const length = (text: string) => asPathLength(path(text), 0, path(text).length);
    expect(length('')).toBe(0);
    expect(length('1 2 3')).toBe(3);
    expect(length('1 {2 3 4} 5')).toBe(3);
    expect(length('(65001 65002) [65003] 1')).toBe(1);
  });

  test('first and origin AS', () => {
    const both = (text: string) => {
      const bytes = path(text);
      return [firstAs(bytes, 0, bytes.length), originAs(bytes, 0, bytes.length)];
    };
    expect(both('')).toEqual([0, 0]);
    expect(both('1 2 3')).toEqual([1, 3]);
    expect(both('(65001) 4200000000 2')).toEqual([4200000000, 2]);
    expect(both('1 {2 3}')).toEqual([1, 0]);
    expect(both('{2 3} 4')).toEqual([0, 4]);
    expect(both('(65001)')).toEqual([0, 0]);
  });

  test('counting sees every segment, and the path may stand anywhere in the octets', () => {
    fc.assert(
      fc.property(anyPath, as, (parts, wanted) => {
        const bytes = encodeSegments(parts);
        const framed = new Uint8Array(bytes.length + 7).fill(0xee);
        framed.set(bytes, 3);
        const expected = flat(bytes).filter((one) => one === wanted).length;
        expect(countAs(framed, 3, 3 + bytes.length, wanted)).toBe(expected);
        expect(containsAs(framed, 3, 3 + bytes.length, wanted)).toBe(expected > 0);
        expect(formatAsPath(framed, 3, 3 + bytes.length)).toBe(formatAsPath(bytes));
      }),
    );
  });
});

describe('rewriting', () => {
  test('4271-5.1.2-2 prepending: into the sequence, or a new one before a set or an empty path', () => {
    expect(formatAsPath(prepend(path('1 2'), 9))).toBe('9 1 2');
    expect(toHexString(prepend(path(''), 9))).toBe('020100000009');
    expect(toHexString(prepend(path('{1}'), 9))).toBe('020100000009010100000001');
    expect(toHexString(prepend(path('(65001)'), 9, 1, 3))).toBe('0302000000090000fde9');
    expect(prepend(path('1'), 9, 0)).toEqual(path('1'));
  });

  test('4271-5.1.2-2 a full segment of 255 is followed by a new one', () => {
    const full = encodeSegments([{ type: 2, ases: Array.from({ length: 255 }, () => 1) }]);
    expect(toHexString(prepend(full, 9)).slice(0, 16)).toBe('02010000000902ff');
    const nearly = encodeSegments([{ type: 2, ases: Array.from({ length: 254 }, () => 1) }]);
    expect([...segments(prepend(nearly, 9, 3))].map(({ ases }) => ases.length)).toEqual([2, 255]);
  });

  test('prepending adds that many in front and keeps the rest, in legal segments', () => {
    fc.assert(
      fc.property(anyPath, as, fc.nat(600), (parts, added, times) => {
        const bytes = encodeSegments(parts);
        const longer = prepend(bytes, added, times);
        expect(flat(longer)).toEqual([...Array.from({ length: times }, () => added), ...flat(bytes)]);
        for (const { ases } of segments(longer)) {
          expect(ases.length).toBeGreaterThan(0);
          expect(ases.length).toBeLessThanOrEqual(255);
        }
      }),
    );
  });

  test('private ASes are 64512-65534 and 4200000000-4294967294', () => {
    const edges = [64511, 64512, 65534, 65535, 4199999999, 4200000000, 4294967294, 4294967295];
    expect(edges.map(isPrivateAs)).toEqual([false, true, true, false, false, true, true, false]);
    expect(formatAsPath(removePrivateAses(path('64512 1 {65000 2} 4200000000')))).toBe('1 {2}');
    expect(formatAsPath(removePrivateAses(path('{65000} 1 {64512}')))).toBe('1');
    const clean = path('1 2 {3}');
    expect(removePrivateAses(clean)).toBe(clean);
  });

  test('AS override replaces each occurrence and keeps the length', () => {
    fc.assert(
      fc.property(anyPath, as, as, (parts, from, to) => {
        const bytes = encodeSegments(parts);
        const replaced = replaceAs(bytes, from, to);
        expect(flat(replaced)).toEqual(flat(bytes).map((one) => (one === from ? to : one)));
        expect(asPathLength(replaced, 0, replaced.length)).toBe(asPathLength(bytes, 0, bytes.length));
      }),
    );
  });
});
