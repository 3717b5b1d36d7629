import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  growInt32,
  growUint8,
  growUint16,
  growUint32,
  IdQueue,
  whenOutgrown,
} from '../../src/lib/columns.ts';
import { spoilOutgrown } from '../support/outgrown.ts';

describe.each([
  ['growInt32', growInt32, new Int32Array([-1, 2, 3])],
  ['growUint32', growUint32, new Uint32Array([1, 2, 0xffffffff])],
  ['growUint16', growUint16, new Uint16Array([1, 2, 0xffff])],
  ['growUint8', growUint8, new Uint8Array([1, 2, 0xff])],
] as const)('%s', (_name, grow: (column: never, size: number) => ArrayLike<number>, column) => {
  it('gives the same column where there is room', () => {
    expect(grow(column as never, 3)).toBe(column);
  });

  it('at least doubles, and keeps what was there', () => {
    const once = grow(column.slice() as never, 4);
    expect(Array.from(once)).toEqual([...column, 0, 0, 0]);
    expect(grow(column.slice() as never, 100)).toHaveLength(100);
  });

  afterAll(spoilOutgrown);

  it('tells what was outgrown', () => {
    const told: unknown[] = [];
    whenOutgrown((each) => void told.push(each));
    const first = column.slice();
    grow(first as never, 3);
    expect(told).toEqual([]);
    grow(first as never, 4);
    expect(told).toHaveLength(1);
    expect(told[0]).toBe(first);
  });
});

describe('IdQueue', () => {
  it('does what an insertion-ordered Set does', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ push: fc.nat({ max: 40 }) }) },
      { weight: 2, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 5 }) }) },
      { weight: 1, arbitrary: fc.record({ push: fc.nat({ max: 5000 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const queue = new IdQueue();
        const model = new Set<number>();
        for (const each of steps) {
          if ('push' in each) {
            expect(queue.push(each.push)).toBe(!model.has(each.push));
            model.add(each.push);
          } else {
            for (let i = 0; i < each.shift; i++) {
              const [first = -1] = model;
              expect(queue.shift()).toBe(first);
              model.delete(first);
            }
          }
          expect(queue.size).toBe(model.size);
        }
        const left: number[] = [];
        queue.forEach((id) => {
          left.push(id);
        });
        expect(left).toEqual([...model]);
        for (let id = 0; id <= 41; id++) expect(queue.has(id)).toBe(model.has(id));
        expect(queue.has(1 << 20)).toBe(false);
      }),
    );
  });

  it('has copies that go their own way', () => {
    const queue = new IdQueue();
    for (let id = 0; id < 3000; id++) queue.push(id);
    for (let i = 0; i < 1500; i++) queue.shift();
    const copy = queue.copy();
    expect([copy.size, copy.has(1499), copy.has(1500), copy.push(1500), copy.push(7)]).toEqual([
      1500,
      false,
      true,
      false,
      true,
    ]);
    expect([copy.shift(), queue.shift(), queue.shift()]).toEqual([1500, 1500, 1501]);
    expect([queue.has(7), copy.has(1501), queue.size, copy.size]).toEqual([false, true, 1498, 1500]);
  });

  it('keeps its order while it moves to the front of its memory again and again', () => {
    const queue = new IdQueue();
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 2000; round++) {
      for (let i = 0; i < 700; i++) queue.push(next++ % 5000);
      for (let i = 0; i < (round % 2 === 0 ? 600 : 800); i++) {
        if (queue.shift() !== expected++ % 5000) expect(round).toBeUndefined();
      }
    }
    expect(queue.size).toBe(next - expected);
  });
});
