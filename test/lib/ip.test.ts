import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  formatPrefix,
  formatQuad,
  isLinkLocal,
  isLinkLocalText,
  maskBytes,
  parseAddress,
  parsePrefix,
  parseQuad,
  prefixContains,
  quadToUint,
} from '../../src/lib/ip.ts';

const octets4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
// Zeros in rows, as addresses have them.
const octets16 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255])));
const anyOctets = fc.oneof(octets4, octets16);

describe('addresses', () => {
  it('come back from text as they were', () => {
    fc.assert(
      fc.property(anyOctets, (bytes) => {
        const text = formatAddress(bytes);
        expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6);
        expect(parseAddress(text)).toEqual({ bytes });
      }),
    );
  });

  it.each([
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('RFC 5952: %s is written %s', (text, wanted) => {
    expect(formatAddress(parseAddress(text)!.bytes)).toBe(wanted);
  });

  it('have a zone where they are IPv6', () => {
    expect(parseAddress('fe80::1%eth0')).toEqual({ bytes: parseAddress('fe80::1')!.bytes, zone: 'eth0' });
    expect(formatAddress(parseAddress('fe80::1')!.bytes, 'eth0')).toBe('fe80::1%eth0');
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.256',
    '0x1.2.3.4',
    '1.2.3.4%eth0',
    'fe80::1%',
    'fe80:::1',
    'host',
    '1.2.3.4 ',
    '::1/64',
  ])('refuses %o', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it.each([
    ['fe80::1', true],
    ['febf::1', true],
    ['fec0::1', false],
    ['fe7f::1', false],
    ['feb::1', false],
    ['254.128.0.1', false],
  ])('isLinkLocal(%s) is %s', (text, wanted) => {
    expect(isLinkLocal(parseAddress(text)!.bytes)).toBe(wanted);
    expect(isLinkLocalText(text)).toBe(wanted);
  });
});

describe('prefixes', () => {
  const prefix = anyOctets.chain((bytes) =>
    fc.nat({ max: bytes.length * 8 }).map((length) => ({ bytes: maskBytes(bytes, length), length })),
  );
  const bit = (bytes: Uint8Array, i: number): number => (bytes[i >> 3]! >> (7 - (i & 7))) & 1;

  it('come back from text as they were', () => {
    fc.assert(
      fc.property(prefix, (each) => {
        expect(parsePrefix(formatPrefix(each))).toEqual(each);
      }),
    );
  });

  it('are masked bit by bit', () => {
    fc.assert(
      fc.property(anyOctets, fc.nat({ max: 128 }), (bytes, length) => {
        const before = Uint8Array.from(bytes);
        const masked = maskBytes(bytes, length);
        for (let i = 0; i < bytes.length * 8; i++) {
          expect(bit(masked, i)).toBe(i < length ? bit(bytes, i) : 0);
        }
        expect(bytes).toEqual(before);
      }),
    );
  });

  it('contain what begins with their bits', () => {
    fc.assert(
      fc.property(prefix, anyOctets, fc.boolean(), (outer, other, inside) => {
        const address = Uint8Array.from(other);
        if (inside && other.length === outer.bytes.length) {
          for (let i = 0; i < outer.length; i++) {
            const mask = 128 >> (i & 7);
            address[i >> 3] = (address[i >> 3]! & ~mask) | (outer.bytes[i >> 3]! & mask);
          }
        }
        const same = Array.from({ length: outer.length }, (_, i) => bit(address, i) === bit(outer.bytes, i));
        const wanted = address.length === outer.bytes.length && same.every(Boolean);
        expect(prefixContains(outer, address)).toBe(wanted);
      }),
    );
  });

  it('want their host bits zero, unless told to clear them', () => {
    expect(parsePrefix('10.0.0.1/8')).toBeUndefined();
    expect(formatPrefix(parsePrefix('10.0.0.1/8', true)!)).toBe('10.0.0.0/8');
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '2001:db8::/129',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/8/8',
    'fe80::%eth0/64',
    '10/8',
    '10.0.0.0/-1',
  ])('refuses %o', (text) => {
    expect(parsePrefix(text, true)).toBeUndefined();
  });
});

describe('dotted quads', () => {
  it('are unsigned integers', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), (value) => {
        expect(parseQuad(formatQuad(value))).toBe(value);
      }),
    );
    expect(quadToUint(Uint8Array.of(255, 255, 255, 255))).toBe(0xffffffff);
  });

  it('are nothing but four octets in decimal, as the system has it', () => {
    const part = fc.oneof(
      fc.nat({ max: 300 }).map(String),
      fc.constantFrom('', '0', '00', '01', '-1', '1e1', ' 1', '/', ':'),
    );
    const quads = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(quads, (text) => {
        expect(parseQuad(text) !== undefined).toBe(isIP(text) === 4);
      }),
    );
  });

  it.each(['', '1.2.3', '::1', '4294967296', '1.2.3.4.5'])('refuses %o', (text) => {
    expect(parseQuad(text)).toBeUndefined();
  });
});
