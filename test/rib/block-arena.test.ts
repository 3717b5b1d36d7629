import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../src/lib/bytes.ts';
import { BlockArena } from '../../src/rib/block-arena.ts';

const length = fc.oneof(
  fc.nat({ max: 80 }),
  fc.constantFrom(0, 1, 8, 9, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 4096, 65535),
);

describe('BlockArena', () => {
  it('keeps every block as it was stored, through frees, reuse and growth', () => {
    const step = fc.record({ length, fill: fc.nat({ max: 255 }), free: fc.option(fc.nat()) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const arena = new BlockArena();
        const blocks: { offset: number; bytes: Uint8Array }[] = [];
        for (const { length: size, fill, free } of steps) {
          if (free !== null && blocks.length > 0) {
            const [gone] = blocks.splice(free % blocks.length, 1);
            arena.free(gone!.offset, gone!.bytes.length);
          }
          const bytes = Uint8Array.from({ length: size }, (_, i) => fill + i);
          const source = new Uint8Array(size + 7);
          source.set(bytes, 5);
          const offset = arena.store(viewOf(source), 5, size);
          expect(offset).toBeGreaterThan(0);
          for (const other of blocks) {
            const apart = offset >= other.offset + other.bytes.length || other.offset >= offset + size;
            expect(apart).toBe(true);
          }
          blocks.push({ offset, bytes });
        }
        for (const { offset, bytes } of blocks) {
          expect(Buffer.compare(arena.bytes.subarray(offset, offset + bytes.length), bytes)).toBe(0);
          expect(arena.equals(offset, viewOf(bytes), 0, bytes.length)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([1, 8, 40, 1000, 1024, 1500, 5000])(
    'gives a freed block of %i octets to the next of its size',
    (size) => {
      const arena = new BlockArena();
      const bytes = viewOf(new Uint8Array(size).fill(7));
      const first = arena.store(bytes, 0, size);
      const second = arena.store(bytes, 0, size);
      arena.free(first, size);
      arena.free(second, size);
      expect(arena.store(bytes, 0, size)).toBe(second);
      expect(arena.store(bytes, 0, size)).toBe(first);
      expect(arena.store(bytes, 0, size)).toBeGreaterThan(second);
    },
  );

  it('grows past its first buffer and keeps offsets', () => {
    const arena = new BlockArena();
    const before = arena.bytes;
    const small = arena.store(viewOf(Uint8Array.of(1, 2, 3)), 0, 3);
    const large = viewOf(new Uint8Array(1 << 20).fill(9));
    const offsets = Array.from({ length: 20 }, () => arena.store(large, 0, large.byteLength));
    expect(arena.bytes === before).toBe(false);
    expect([...arena.bytes.subarray(small, small + 3)]).toEqual([1, 2, 3]);
    for (const offset of offsets) expect(arena.equals(offset, large, 0, large.byteLength)).toBe(true);
  });

  it('tells equal from unequal', () => {
    const arena = new BlockArena();
    const offset = arena.store(viewOf(Uint8Array.of(1, 2, 3)), 0, 3);
    expect(arena.equals(offset, viewOf(Uint8Array.of(9, 1, 2, 3)), 1, 3)).toBe(true);
    expect(arena.equals(offset, viewOf(Uint8Array.of(1, 2, 4)), 0, 3)).toBe(false);
  });
});
