import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asPathLength, encodeSegments, formatAsPath, parseAsPath } from '../../../src/bgp/wire/as-path.ts';
import {
  as4PathFor,
  narrowAggregator,
  narrowAsPath,
  needsAs4Aggregator,
  widenAsPath,
} from '../../../src/bgp/wire/as4.ts';
import { decodeUpdate } from '../../support/decoded.ts';
import { attribute, hex, toHexString, update } from '../../support/wire.ts';

/** A 2-octet path in hexadecimal. */
const old = (text: string) => {
  const bytes = parseAsPath(text)!;
  return toHexString(narrowAsPath(bytes, 0, bytes.length));
};
const wide = (text: string) => toHexString(parseAsPath(text)!);

/** What an old speaker's message decodes to. */
function received(
  parts: { path: string; as4Path?: string; aggregator?: string; as4Aggregator?: string },
  options = {},
) {
  const attributes = [
    '400101 00',
    attribute(0x40, 2, parts.path),
    '400304 0a01fffe',
    parts.aggregator === undefined ? '' : attribute(0xc0, 7, parts.aggregator),
    parts.as4Path === undefined ? '' : attribute(0xc0, 17, parts.as4Path),
    parts.as4Aggregator === undefined ? '' : attribute(0xc0, 18, parts.as4Aggregator),
  ];
  const bytes = update({ attributes: attributes.join(''), nlri: '18cb0071' });
  const decoded = decodeUpdate(bytes, { as4: false }, options);
  return {
    path: decoded.attributes.asPath,
    aggregator: decoded.attributes.aggregator,
    issues: decoded.issues,
    withdraw: decoded.withdraw,
    set: decoded.set,
  };
}

const merged = (path: string, as4Path: string, options = {}) =>
  received({ path: old(path), as4Path: wide(as4Path) }, options).path;

describe('from an old speaker', () => {
  test('2-octet ASes become 4-octet ones', () => {
    expect(received({ path: '0202 fde9 5ba0' })).toEqual({
      path: '65001 23456',
      aggregator: undefined,
      issues: [],
      withdraw: false,
      set: '40010100 40020a02020000fde900005ba0'.replace(' ', ''),
    });
    expect(formatAsPath(widenAsPath(hex('0102 0001 0002'), 0, 6))).toBe('{1 2}');
  });

  test('6793-4.2.3-1 AGGREGATOR with another AS than 23456: both AS4 attributes are ignored', () => {
    const result = received({
      path: old('65001 23456'),
      as4Path: wide('4200000000'),
      aggregator: 'fde9 0a000001',
      as4Aggregator: 'fa56ea00 0a000002',
    });
    expect(result.path).toBe('65001 23456');
    expect(result.aggregator).toBe('65001 10.0.0.1');
  });

  test('6793-4.2.3-1 AGGREGATOR with 23456: AS4_AGGREGATOR is the one', () => {
    const result = received({
      path: old('65001 23456'),
      as4Path: wide('4200000000'),
      aggregator: '5ba0 0a000001',
      as4Aggregator: 'fa56ea00 0a000002',
    });
    expect(result.path).toBe('65001 4200000000');
    expect(result.aggregator).toBe('4200000000 10.0.0.2');
  });

  test('AS4_AGGREGATOR without AGGREGATOR says nothing', () => {
    const result = received({ path: old('65001'), as4Aggregator: 'fa56ea00 0a000002' });
    expect(result.aggregator).toBeUndefined();
  });

  test('6793-4.2.3-2 an AS4_PATH longer than AS_PATH is ignored', () => {
    expect(merged('65001 23456', '1 2 3')).toBe('65001 23456');
  });

  test('6793-4.2.3-3 else the leading part of AS_PATH goes before AS4_PATH', () => {
    expect(merged('1 2 23456 23456', '70000 70001')).toBe('1 2 70000 70001');
    expect(merged('23456', '70000')).toBe('70000');
    const sets = { acceptAsSets: true };
    expect(merged('1 {2 3} 23456', '70000', sets)).toBe('1 {2 3} 70000');
    expect(merged('1 23456 {2 3}', '70000 {2 3}', sets)).toBe('1 70000 {2 3}');
    const confederation = { acceptAsSets: true, confederationPeer: true };
    expect(merged('(65010) 23456', '70000', confederation)).toBe('(65010) 70000');
    expect(merged('(65010) 1 (65011) 23456', '70000', confederation)).toBe('(65010) 1 (65011) 70000');
  });

  test('6793-4.2.3-3 the merged path is as long as AS_PATH', () => {
    const sequence = fc.array(fc.integer({ min: 1, max: 65535 }), { minLength: 1, maxLength: 8 });
    const newer = fc.array(fc.integer({ min: 65536, max: 0xffffffff }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sequence, newer, (ases, as4) => {
        const path = encodeSegments([{ type: 2, ases }]);
        const text = merged(ases.join(' '), as4.join(' '));
        const bytes = parseAsPath(text)!;
        expect(asPathLength(bytes, 0, bytes.length)).toBe(asPathLength(path, 0, path.length));
        const expected =
          as4.length > ases.length ? ases : [...ases.slice(0, ases.length - as4.length), ...as4];
        expect(text).toBe(expected.join(' '));
      }),
    );
  });

  test('6793-4.2.3-4 the path that merging replaced is there for loop detection', () => {
    const bytes = (as4Path: string) =>
      update({
        attributes: `400101 00 ${attribute(0x40, 2, old('1 65000 23456'))} 400304 0a01fffe ${attribute(0xc0, 17, wide(as4Path))}`,
        nlri: '18cb0071',
      });
    const replaced = decodeUpdate(bytes('70000 70001'), { as4: false });
    expect(replaced.attributes.asPath).toBe('1 70000 70001');
    expect(replaced.superseded).toBe('1 65000 23456');
    expect(decodeUpdate(bytes('1 2 3 65000'), { as4: false }).superseded).toBe('1 2 3 65000');
  });

  test('6793-6-1 a malformed AS4_PATH or AS4_AGGREGATOR is discarded', () => {
    for (const bad of [
      '',
      '0201 0001',
      '020100011170 00',
      '0202 00011170',
      '0200 00011170',
      '0501 00011170',
    ]) {
      const result = received({ path: old('65001 23456'), as4Path: bad });
      expect([bad, result.path, result.issues]).toEqual([bad, '65001 23456', ['17 attribute-discard']]);
    }
    for (const bad of ['', '5ba0 0a000001', 'fa56ea00 0a000001 00']) {
      const result = received({ path: old('65001'), aggregator: '5ba0 0a000001', as4Aggregator: bad });
      expect([result.aggregator, result.issues]).toEqual(['23456 10.0.0.1', ['18 attribute-discard']]);
    }
  });

  test('7606-3-1 wrong flags on AS4_PATH: treat-as-withdraw', () => {
    const attributes = `400101 00 400204 0201 fde9 400304 0a01fffe ${attribute(0x40, 17, wide('70000'))}`;
    expect(decodeUpdate(update({ attributes, nlri: '18cb0071' }), { as4: false }).withdraw).toBe(true);
  });

  test('7607-2-1 AS 0 in AS4_PATH or AS4_AGGREGATOR: discarded', () => {
    expect(received({ path: old('65001 23456'), as4Path: '0201 00000000' }).issues).toEqual([
      '17 attribute-discard',
    ]);
    const zero = received({
      path: old('65001'),
      aggregator: '5ba0 0a000001',
      as4Aggregator: '00000000 0a000002',
    });
    expect(zero.issues).toEqual(['18 attribute-discard']);
  });

  test('6793-6-2 confederation segments in AS4_PATH are dropped, the rest is used', () => {
    expect(merged('65001 23456', '(65100) 70000')).toBe('65001 70000');
    expect(merged('65001 23456', '[65100 65101] 70000')).toBe('65001 70000');
  });

  test('8654-4-1 a path for which an attribute has no room with 4-octet ASes: treat-as-withdraw', () => {
    const segment = [2, 255, ...new Array<number[]>(255).fill([0xfd, 0xe9]).flat()];
    const decode = (segments: number) => {
      const path = new Array<number[]>(segments).fill(segment).flat();
      const head = [0x40, 1, 1, 0, 0x40, 3, 4, 10, 1, 255, 254, 0x50, 2, path.length >> 8, path.length & 255];
      const bytes = update({ attributes: Uint8Array.from([...head, ...path]), nlri: '18cb0071' });
      const { attributes, withdraw, issues } = decodeUpdate(bytes, { as4: false });
      return { ases: attributes.asPath.split(' ').filter(Boolean).length, withdraw, issues };
    };
    expect(decode(64)).toEqual({ ases: 64 * 255, withdraw: false, issues: [] });
    expect(decode(65)).toEqual({
      ases: 0,
      withdraw: true,
      issues: ['2 treat-as-withdraw'],
    });
  });

  test('9774-3-1 an AS_SET in AS4_PATH: treat-as-withdraw', () => {
    expect(received({ path: old('65001 23456'), as4Path: wide('{1 70000}') }).withdraw).toBe(true);
  });
});

test('6793-4.1-3 AS4_PATH and AS4_AGGREGATOR from a speaker with 4-octet ASes are discarded', () => {
  const as4 = `${attribute(0xc0, 17, '0201 000249f0')} ${attribute(0xc0, 18, '00')}`;
  const attributes = `400101 00 400206 0201 0000fde9 400304 0a01fffe ${as4}`;
  const decoded = decodeUpdate(update({ attributes, nlri: '18cb0071' }));
  expect(decoded.withdraw).toBe(false);
  expect(decoded.attributes.asPath).toBe('65001');
  expect(decoded.issues).toEqual(['17 attribute-discard', '18 attribute-discard']);
});

describe('to an old speaker', () => {
  test('6793-4.2.2-1 23456 stands for what two octets cannot say; AS4_PATH only then, without confederations', () => {
    const bytes = parseAsPath('(65100) 65001 70000 {4200000000 3}')!;
    expect(formatAsPath(widenAsPath(narrowAsPath(bytes, 0, bytes.length), 0, 22))).toBe(
      '(65100) 65001 23456 {23456 3}',
    );
    expect(formatAsPath(as4PathFor(bytes, 0, bytes.length)!)).toBe('65001 70000 {4200000000 3}');
    const small = parseAsPath('65001 {65535} 1')!;
    expect(as4PathFor(small, 0, small.length)).toBeUndefined();
  });

  test('6793-4.2.2-2 AGGREGATOR likewise', () => {
    const large = hex('fa56ea00 0a000001');
    expect(toHexString(narrowAggregator(large, 0))).toBe('5ba00a000001');
    expect(needsAs4Aggregator(large, 0)).toBe(true);
    const small = hex('0000fde9 0a000001');
    expect(toHexString(narrowAggregator(small, 0))).toBe('fde90a000001');
    expect(needsAs4Aggregator(small, 0)).toBe(false);
  });
});
