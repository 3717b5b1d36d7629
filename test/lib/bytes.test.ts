import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ByteRangeError,
  ByteReader,
  ByteWriter,
  bytesEqual,
  copyBytes,
  copyViewed,
  fromHex,
  readUint16,
  readUint32,
  toHex,
  viewOf,
  writeUint16,
  writeUint32,
} from '../../src/lib/bytes.ts';

describe('ByteReader and ByteWriter', () => {
  test('fields come back as written', () => {
    fc.assert(
      fc.property(
        fc.nat(0xff),
        fc.nat(0xffff),
        fc.nat(0xffffff),
        fc.nat(0xffffffff),
        fc.uint8Array(),
        (a, b, c, d, rest) => {
          const bytes = new ByteWriter(1).uint8(a).uint16(b).uint24(c).uint32(d).bytes(rest).finish();
          const reader = new ByteReader(bytes);
          expect([reader.uint8(), reader.uint16(), reader.uint24(), reader.uint32()]).toEqual([a, b, c, d]);
          expect(reader.rest()).toEqual(rest);
          expect(reader.remaining).toBe(0);
        },
      ),
    );
  });

  test('no read passes the end, not even one inside a larger array', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3, 4, 5), 1, 3);
    expect(() => reader.uint24()).toThrow(ByteRangeError);
    expect(reader.uint16()).toBe(0x0203);
    expect(() => reader.uint8()).toThrow('1 octets wanted, 0 left');
    expect(() => new ByteReader(new Uint8Array(2), 0, 3)).toThrow(ByteRangeError);
    expect(() => new ByteReader(new Uint8Array(2)).bytes(-1)).toThrow(ByteRangeError);
  });

  test('a sub-reader ends where its length says', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3));
    const sub = reader.sub(2);
    expect(sub.uint16()).toBe(0x0102);
    expect(() => sub.uint8()).toThrow(ByteRangeError);
    expect(reader.uint8()).toBe(3);
    expect(reader.position).toBe(3);
  });

  test('lengths can be filled in later, but only into what was written', () => {
    const writer = new ByteWriter(1).uint16(0).uint8(7);
    writer.setUint16(0, 0x0102);
    writer.setUint8(2, 9);
    expect(writer.finish()).toEqual(Uint8Array.of(1, 2, 9));
    expect(() => writer.setUint16(2, 0)).toThrow(ByteRangeError);
    expect(writer.length).toBe(3);
  });
});

describe('free functions', () => {
  test('integers in place', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        const bytes = new Uint8Array(6);
        writeUint32(bytes, 1, value);
        expect(readUint32(bytes, 1)).toBe(value);
        writeUint16(bytes, 2, value & 0xffff);
        expect(readUint16(bytes, 2)).toBe(value & 0xffff);
      }),
    );
  });

  test('hexadecimal', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => bytesEqual(fromHex(toHex(bytes))!, bytes)));
    expect(fromHex('abc')).toBeUndefined();
    expect(fromHex('zz')).toBeUndefined();
    expect(toHex(Uint8Array.of(1, 2, 3), 1, 2)).toBe('02');
    expect(bytesEqual(Uint8Array.of(1), Uint8Array.of(2))).toBe(false);
    expect(bytesEqual(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
  });
});

test('copyBytes and copyViewed copy these octets and no others', () => {
  const place = fc.nat({ max: 9 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), place, place, place, (octets, before, behind, at) => {
      const source = Uint8Array.from([
        ...new Array<number>(before).fill(1),
        ...octets,
        ...new Array<number>(behind).fill(2),
      ]);
      const expected = new Uint8Array(at + octets.length + 8).fill(0xee);
      expected.set(octets, at);
      const end = before + octets.length;
      const plain = new Uint8Array(expected.length).fill(0xee);
      expect(copyBytes(plain, at, source, before, end)).toBe(at + octets.length);
      expect(plain).toEqual(expected);
      const viewed = new Uint8Array(expected.length).fill(0xee);
      expect(copyViewed(viewOf(viewed), at, viewOf(source), before, end)).toBe(at + octets.length);
      expect(viewed).toEqual(expected);
    }),
  );
});
