import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DueHeap } from '../../src/bfd/due-heap.ts';

describe('DueHeap', () => {
  it('is empty at first', () => {
    expect(new DueHeap().earliest).toBe(Number.POSITIVE_INFINITY);
  });

  it('agrees with a map, whatever is set, moved and deleted', () => {
    const entry = fc.nat(200);
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.tuple(
          entry,
          fc.double({ noNaN: true }).map((due) => due + 0),
        ),
      },
      { weight: 1, arbitrary: fc.tuple(entry, fc.constant(undefined)) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const heap = new DueHeap();
        const model = new Map<number, number>();
        for (const [which, due] of steps) {
          if (due === undefined) {
            heap.delete(which);
            model.delete(which);
          } else {
            heap.set(which, due);
            model.set(which, due);
          }
          const least = Math.min(Number.POSITIVE_INFINITY, ...model.values());
          expect(heap.earliest).toBe(least);
          if (model.size > 0) expect(model.get(heap.first)).toBe(heap.earliest);
        }
        const order: number[] = [];
        while (model.size > 0) {
          order.push(heap.earliest);
          model.delete(heap.first);
          heap.delete(heap.first);
        }
        expect(order).toEqual([...order].sort((x, y) => x - y));
      }),
    );
  });
});
