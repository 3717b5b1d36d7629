import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatCommunity,
  formatExtendedCommunity,
  formatExtendedTuple,
  formatIpv6ExtendedCommunity,
  formatLargeCommunity,
  keepTransitiveCommunities,
  parseCommunity,
  parseExtendedCommunity,
  parseIpv6ExtendedCommunity,
  parseLargeCommunity,
  withoutDuplicates,
} from '../../../src/bgp/wire/communities.ts';
import { WELL_KNOWN_COMMUNITIES } from '../../../src/bgp/wire/iana.ts';
import { hex, toHexString } from '../../support/wire.ts';

test('standard communities', () => {
  expect(formatCommunity(0xfc000064)).toBe('64512:100');
  expect(parseCommunity('64512:100')).toBe(0xfc000064);
  expect(formatCommunity(0xffffff01)).toBe('NO_EXPORT');
  expect(parseCommunity('no-export')).toBe(0xffffff01);
  expect(parseCommunity('65535:666')).toBe(WELL_KNOWN_COMMUNITIES.BLACKHOLE);
  for (const bad of ['', '1', '1:2:3', '65536:1', '1:65536', 'a:b', '1:-1', 'toString']) {
    expect([bad, parseCommunity(bad)]).toEqual([bad, undefined]);
  }
  fc.assert(fc.property(fc.nat(0xffffffff), (value) => parseCommunity(formatCommunity(value)) === value));
});

test('large communities', () => {
  const bytes = hex('0000fc00 00000001 ffffffff');
  expect(formatLargeCommunity(bytes, 0)).toBe('64512:1:4294967295');
  expect(parseLargeCommunity('64512:1:4294967295')).toEqual(bytes);
  for (const bad of ['1:2', '1:2:4294967296', '1:2:x', '1:2:3:4']) {
    expect([bad, parseLargeCommunity(bad)]).toEqual([bad, undefined]);
  }
});

describe('extended communities', () => {
  test('the usual ones by name', () => {
    const cases: Record<string, string> = {
      '0002fc0000000064': 'rt:64512:100',
      '0003fc0000000064': 'soo:64512:100',
      '01020a0000010005': 'rt:10.0.0.1:5',
      '0202fa56ea000005': 'rt:4200000000L:5',
      '0202000000010005': 'rt:1L:5',
      '4300fc0000000001': 'generic:0x4300fc00:0x1',
      '030c000000000008': 'generic:0x030c0000:0x8',
      '4004fc004cee6b28': 'link-bandwidth:64512:125000000',
      '0004000100000000': 'transitive-link-bandwidth:1:0',
      '4004fc0000000005': 'link-bandwidth:64512:7.006492321624085e-45',
      // Less than nothing, and no number.
      '4004fc0080000000': 'generic:0x4004fc00:0x80000000',
      '4004fc007f800000': 'generic:0x4004fc00:0x7f800000',
      '8004fc0000000000': 'generic:0x8004fc00:0x0',
    };
    for (const [bytes, text] of Object.entries(cases)) {
      expect(formatExtendedCommunity(hex(bytes), 0)).toBe(text);
      expect(toHexString(parseExtendedCommunity(text)!)).toBe(bytes);
    }
    expect(toHexString(parseExtendedCommunity('rt:4200000000:5')!)).toBe('0202fa56ea000005');
    for (const bad of [
      'rt:1',
      'xx:1:2',
      'rt:1:4294967296',
      'rt:1L:65536',
      'rt:::1:5',
      'generic:1:2',
      'rt:x:1',
      'link-bandwidth:65536:1',
      'link-bandwidth:1:-1',
      'link-bandwidth:1:1e99',
      'link-bandwidth:1:',
      'my-link-bandwidth:1:1',
    ]) {
      expect([bad, parseExtendedCommunity(bad)]).toEqual([bad, undefined]);
    }
  });

  test('as BIRD writes them, recorded from 2.0.12 and 1.6.8', () => {
    const cases: Record<string, string> = {
      '0002fdf200000007': '(rt, 65010, 7)',
      '0003fdf200000007': '(ro, 65010, 7)',
      '0102c00002010007': '(rt, 192.0.2.1, 7)',
      '01030a0000010008': '(ro, 10.0.0.1, 8)',
      '0202fffffffe0001': '(rt, 4294967294, 1)',
      '020300010000abcd': '(ro, 65536, 43981)',
      '0004fdea4cee6b28': '(unknown 0x4, 65002, 1290693416)',
      '4002fdf200000007': '(unknown 0x4002, 65010, 7)',
      '4004fdea4cee6b28': '(unknown 0x4004, 65002, 1290693416)',
      '010500000a000001': '(unknown 0x105, 0.0.10.0, 1)',
      '4103c00002010007': '(unknown 0x4103, 192.0.2.1, 7)',
      '4202000100000009': '(unknown 0x4202, 65536, 9)',
      '030b000000000001': '(generic, 0x30b0000, 0x1)',
      '0602aabbccddeeff': '(generic, 0x602aabb, 0xccddeeff)',
      '4300000000000002': '(generic, 0x43000000, 0x2)',
      '8006fdea00000000': '(generic, 0x8006fdea, 0x0)',
    };
    for (const [bytes, text] of Object.entries(cases)) {
      const [high, low] = [bytes.slice(0, 8), bytes.slice(8)].map((word) => Number.parseInt(word, 16));
      expect(formatExtendedTuple(high!, low!)).toBe(text);
    }
  });

  test('any eight octets come back from their text', () => {
    const kind = fc.constantFrom(0, 1, 2, 3, 0x40, 0x43, 0x80);
    fc.assert(
      fc.property(kind, fc.nat(5), fc.uint8Array({ minLength: 6, maxLength: 6 }), (type, subtype, value) => {
        const bytes = Uint8Array.of(type, subtype, ...value);
        expect(parseExtendedCommunity(formatExtendedCommunity(bytes, 0))).toEqual(bytes);
      }),
    );
  });

  test('IPv6 ones', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
        expect(parseIpv6ExtendedCommunity(formatIpv6ExtendedCommunity(bytes, 0))).toEqual(bytes);
      }),
    );
    const rt = hex(`0002 20010db8${'00'.repeat(11)}01 0005`);
    expect(formatIpv6ExtendedCommunity(rt, 0)).toBe('rt:[2001:db8::1]:5');
    for (const bad of ['rt:2001:db8::1:5', 'rt:[10.0.0.1]:5', 'xx:[::1]:5', 'rt:[::1]:65536']) {
      expect([bad, parseIpv6ExtendedCommunity(bad)]).toEqual([bad, undefined]);
    }
  });

  test('4360-6-1, 5701-2-1 non-transitive ones go at the AS boundary', () => {
    const list = hex('0002fc0000000064 4300000000000001 4004fc0012345678 030c000000000008');
    expect(toHexString(keepTransitiveCommunities(list, 16))).toBe('0002fc0000000064030c000000000008');
    const clean = hex('0002fc0000000064');
    expect(keepTransitiveCommunities(clean, 16)).toBe(clean);
    const v6 = hex(`4002${'00'.repeat(18)} 0002${'11'.repeat(18)}`);
    expect(toHexString(keepTransitiveCommunities(v6, 25))).toBe(`0002${'11'.repeat(18)}`);
  });
});

describe('sets', () => {
  test('8092-3-1 without duplicates: the first of each, in order', () => {
    const element = fc.constantFrom(
      '000000010000000100000001',
      '000000010000000100000002',
      '0000000100000002ffffffff',
    );
    fc.assert(
      fc.property(fc.array(element, { maxLength: 80 }), (elements) => {
        const bytes = hex(elements.join(''));
        const distinct = [...new Set(elements)];
        const result = withoutDuplicates(bytes, 0, bytes.length, 12);
        if (distinct.length === elements.length) expect(result).toBeUndefined();
        else expect(toHexString(result!)).toBe(distinct.join(''));
      }),
    );
  });
});
