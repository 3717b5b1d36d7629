// Memory in BIRD's rows. Tables and attributes live in typed arrays, everything else in the heap of the process.

import type { StatusView } from '../../../speaker/api.ts';
import type { Style } from '../style.ts';

/** From so much on the next unit is used. */
const UNIT_LIMIT = 10_000;
const KIBI = 1024;
const UNITS = [' B', 'kB', 'MB', 'GB'] as const;
const LABEL = 17;

export function* memoryLines({ memory }: StatusView, style: Style): Iterable<string> {
  const heap = Math.min(memory.heapUsed, memory.rss);
  // Most of what tables reserve is address space until routes come: they hold no more than is resident.
  const tables = Math.min(memory.arrayBuffers, memory.rss - heap);
  const overhead = memory.rss - tables - heap;
  if (style === 'json') {
    yield JSON.stringify(memory);
    return;
  }
  yield 'BIRD memory usage';
  if (style === 'bird1') {
    const row = (name: string, value: number): string => `${name.padEnd(LABEL)}${size(value, 0).padStart(8)}`;
    yield row('Routing tables:', tables);
    yield row('Route attributes:', 0);
    yield row('ROA tables:', 0);
    yield row('Protocols:', heap);
    yield row('Total:', memory.rss);
    return;
  }
  yield '                  Effective    Overhead';
  const row = (name: string, value: number, spare: number): string =>
    `${name.padEnd(LABEL)}${size(value, 1).padStart(10)}  ${size(spare, 1).padStart(10)}`;
  yield row('Routing tables:', tables, 0);
  yield row('Route attributes:', 0, 0);
  yield row('Protocols:', heap, 0);
  yield row('Current config:', 0, 0);
  yield row('Standby memory:', 0, overhead);
  yield row('Total:', tables + heap, overhead);
}

export function size(octets: number, digits: number): string {
  let value = octets;
  let unit = 0;
  while (value >= UNIT_LIMIT && unit < UNITS.length - 1) {
    value /= KIBI;
    unit++;
  }
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
