import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/sim/clock.ts';
import { TraceLines } from '../../../src/speaker/trace/trace-lines.ts';

describe('TraceLines', () => {
  it('bounds what is written in a second, and says what it left out', () => {
    const clock = new SimClock();
    const written: string[] = [];
    const lines = new TraceLines(clock, (line) => written.push(line));
    for (let i = 0; i < 6000; i++) lines.write(`line ${i}`);
    expect(written.length).toBe(5000);
    expect(written.at(-1)).toBe('line 4999');
    clock.advance(1000);
    expect(written.at(-1)).toBe('... 1000 lines of debugging were left out: too many at a time');
    lines.write('more');
    expect(written.length).toBe(5002);
    clock.advance(5000);
    expect(written.length).toBe(5002);
  });
});
