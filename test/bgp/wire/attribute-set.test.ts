import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AttributeEditor,
  type AttributeValues,
  decodeAttributes,
  emptyAttributeValues,
  encodeAttributes,
  findAttribute,
  valueLength,
  valueStart,
} from '../../../src/bgp/wire/attribute-set.ts';
import { ATTRIBUTES } from '../../../src/bgp/wire/attributes.ts';
import { formatQuad } from '../../../src/lib/ip.ts';
import { hex, toHexString } from '../../support/wire.ts';

const FULL: AttributeValues = {
  origin: 'EGP',
  asPath: '65001 {65002 65003}',
  med: 5,
  localPref: 200,
  atomicAggregate: true,
  aggregator: '65001 192.0.2.1',
  communities: ['64512:1', 'NO_EXPORT'],
  extendedCommunities: ['rt:64512:100', 'rt:[2001:db8::1]:5'],
  largeCommunities: ['64512:1:2'],
  originatorId: '10.0.0.1',
  clusterList: ['10.0.0.2', '10.0.0.3'],
  aigp: '18446744073709551614',
  onlyToCustomer: 65001,
  unknown: ['200 (partial, transitive): 0a0b'],
};
const FULL_BYTES = hex(`
  40 01 01 01 # ORIGIN EGP
  40 02 10 02 01 0000fde9 01 02 0000fdea 0000fdeb # AS_PATH
  80 04 04 00000005 # MULTI_EXIT_DISC
  40 05 04 000000c8 # LOCAL_PREF
  40 06 00 # ATOMIC_AGGREGATE
  c0 07 08 0000fde9 c0000201 # AGGREGATOR
  c0 08 08 fc000001 ffffff01 # COMMUNITIES
  80 09 04 0a000001 # ORIGINATOR_ID
  80 0a 08 0a000002 0a000003 # CLUSTER_LIST
  c0 10 08 0002fc00 00000064 # EXTENDED COMMUNITIES
  c0 19 14 0002 20010db8000000000000000000000001 0005 # IPv6 ones
  80 1a 0b 01 000b fffffffffffffffe # AIGP
  c0 20 0c 0000fc00 00000001 00000002 # LARGE_COMMUNITIES
  c0 23 04 0000fde9 # ONLY_TO_CUSTOMER
  e0 c8 02 0a0b # unknown`);

describe('values', () => {
  test('every attribute, both ways', () => {
    expect(toHexString(encodeAttributes(FULL))).toBe(toHexString(FULL_BYTES));
    expect(decodeAttributes(FULL_BYTES)).toEqual(FULL);
    const framed = new Uint8Array(FULL_BYTES.length + 9);
    framed.set(FULL_BYTES, 4);
    expect(decodeAttributes(framed, 4, FULL_BYTES.length)).toEqual(FULL);
  });

  test('an own route has ORIGIN and an empty AS_PATH', () => {
    expect(toHexString(encodeAttributes({}))).toBe('40010100400200');
    expect(decodeAttributes(new Uint8Array(0))).toEqual(emptyAttributeValues());
  });

  test('carried attributes that are not understood', () => {
    const bytes = hex('c01605 0001020304 c02803 010000 e0fe00');
    expect(decodeAttributes(bytes).unknown).toEqual([
      '22 (PMSI_TUNNEL, transitive): 0001020304',
      '40 (PREFIX_SID, transitive): 010000',
      '254 (partial, transitive): ',
    ]);
    expect(encodeAttributes(decodeAttributes(bytes)).subarray(7)).toEqual(bytes);
  });

  test('text that says nothing is an error of the caller', () => {
    const bad: Partial<AttributeValues>[] = [
      { asPath: 'x' },
      { communities: ['1'] },
      { aggregator: '1' },
      { originatorId: '1' },
      { largeCommunities: ['1:2'] },
      { extendedCommunities: ['rt'] },
      { unknown: ['x'] },
    ];
    for (const values of bad) expect(() => encodeAttributes(values)).toThrow(RangeError);
  });

  test('any values come back', () => {
    const u32 = fc.nat(0xffffffff);
    const quad = u32.map(formatQuad);
    const community = fc.tuple(fc.nat(65000), fc.nat(65535)).map(([a, b]) => `${a}:${b}`);
    const values = fc.record({
      origin: fc.constantFrom('IGP' as const, 'EGP' as const, 'INCOMPLETE' as const),
      asPath: fc
        .array(fc.integer({ min: 1, max: 0xffffffff }), { maxLength: 300 })
        .map((ases) => ases.join(' ')),
      med: fc.option(u32, { nil: undefined }),
      localPref: fc.option(u32, { nil: undefined }),
      atomicAggregate: fc.boolean(),
      aggregator: fc.option(
        fc.tuple(u32, quad).map(([as, id]) => `${as} ${id}`),
        { nil: undefined },
      ),
      communities: fc.array(community, { maxLength: 100 }),
      extendedCommunities: fc.array(
        community.map((text) => `rt:${text}`),
        { maxLength: 5 },
      ),
      largeCommunities: fc.array(
        community.map((text) => `${text}:7`),
        { maxLength: 40 },
      ),
      originatorId: fc.option(quad, { nil: undefined }),
      clusterList: fc.array(quad, { maxLength: 5 }),
      aigp: fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String), { nil: undefined }),
      onlyToCustomer: fc.option(u32, { nil: undefined }),
      unknown: fc.constantFrom<string[][]>([], ['99 (transitive): ff'], ['250 (partial, transitive): ']),
    });
    fc.assert(
      fc.property(values, (sent) => {
        expect(decodeAttributes(encodeAttributes(sent))).toEqual(sent);
      }),
    );
  });
});

describe('findAttribute', () => {
  test('every attribute of a set, and none that is not there', () => {
    for (let type = 0; type < 256; type++) {
      const at = findAttribute(FULL_BYTES, 0, FULL_BYTES.length, type);
      const there = ATTRIBUTES.some((row) => row.type === type && row.home === 'set') || type === 200;
      const carried = [22, 23, 40].includes(type);
      expect([type, at >= 0]).toEqual([type, there && !carried]);
      if (at >= 0) expect(FULL_BYTES[at + 1]).toBe(type);
    }
    const at = findAttribute(FULL_BYTES, 0, FULL_BYTES.length, 5);
    expect([valueStart(FULL_BYTES, at) - at, valueLength(FULL_BYTES, at)]).toEqual([3, 4]);
    expect(findAttribute(FULL_BYTES, 0, 4, 2)).toBe(-1);
    expect(findAttribute(FULL_BYTES, 4, FULL_BYTES.length - 4, 1)).toBe(-1);
  });
});

describe('AttributeEditor', () => {
  test('a value for which an attribute has no room is not taken', () => {
    const editor = new AttributeEditor().load(hex('c00804 00010002'), 0, 7);
    editor.set(8, new Uint8Array(65_536));
    expect(toHexString(editor.finish())).toBe('c0080400010002');
    editor.set(8, new Uint8Array(65_535));
    expect(editor.get(8)).toHaveLength(65_535);
  });

  test('set, replace, remove', () => {
    const editor = new AttributeEditor().load(hex('40010100 400200'), 0, 7);
    editor.setUint32(5, 100).set(8, hex('00010002')).setUint32(4, 7);
    expect(toHexString(editor.finish())).toBe(
      '40010100 400200 80040400000007 40050400000064 c0080400010002'.replaceAll(' ', ''),
    );
    expect(editor.getUint32(5)).toBe(100);
    expect(editor.has(9)).toBe(false);
    expect(editor.get(9)).toBeUndefined();
    expect(editor.getUint32(9)).toBeUndefined();
    editor.set(8, hex('00010002 00010003'), 4, 8).setUint32(5, 200);
    expect(editor.remove(4)).toBe(true);
    expect(editor.remove(4)).toBe(false);
    expect(toHexString(editor.bytes.subarray(0, editor.length))).toBe(
      '40010100400200400504000000c8c0080400010003',
    );
  });

  test('a replaced attribute keeps its Partial bit, a given flag wins', () => {
    const editor = new AttributeEditor().load(hex('e00804 00010002'), 0, 7);
    editor.set(8, hex('00010003'));
    expect(toHexString(editor.finish())).toBe('e0080400010003');
    editor.setWithFlags(8, 0xc0, hex('00010003'));
    expect(toHexString(editor.finish())).toBe('c0080400010003');
    editor.set(250, hex('00'));
    expect(toHexString(editor.finish())).toBe('c0080400010003e0fa0100');
  });

  test('a value may come from the editor itself', () => {
    const editor = new AttributeEditor().load(hex('40010100 c00808 0001000200010003 e0fa01aa'), 0, 19);
    const view = editor.get(8)!;
    editor.set(8, view.subarray(4));
    expect(toHexString(editor.finish())).toBe('40010100c0080400010003e0fa01aa');
    editor.set(8, editor.get(8)!);
    expect(toHexString(editor.finish())).toBe('40010100c0080400010003e0fa01aa');
  });

  test('any sequence of edits equals the same edits of a map', () => {
    const type = fc.constantFrom(1, 2, 4, 5, 8, 9, 32, 250, 255);
    const step = fc.oneof(
      fc.record({ type, value: fc.uint8Array({ maxLength: 12 }) }),
      fc.record({ type, value: fc.constant(new Uint8Array(300).fill(7)) }),
      fc.record({ type, value: fc.constant(undefined) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const editor = new AttributeEditor();
        const model = new Map<number, Uint8Array>();
        for (const { type: at, value } of steps) {
          if (value === undefined) {
            expect(editor.remove(at)).toBe(model.delete(at));
          } else {
            editor.set(at, value);
            model.set(at, value);
          }
        }
        for (const [at, value] of model) expect(editor.get(at)).toEqual(value);
        const types: number[] = [];
        for (
          let at = 0;
          at < editor.length;
          at = valueStart(editor.bytes, at) + valueLength(editor.bytes, at)
        ) {
          types.push(editor.bytes[at + 1]!);
        }
        expect(types).toEqual([...model.keys()].sort((a, b) => a - b));
      }),
    );
  });
});
