import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { ChangeLog, type LogReader } from '../../src/rib/change-log.ts';
import { PrefixTable } from '../../src/rib/prefix-table.ts';

describe('ChangeLog', () => {
  it('shows each reader what was appended since it came, once, and holds a prefix until all have read it', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('append' as const),
        prefix: fc.nat({ max: 9 }),
        times: fc.nat({ max: 900 }),
      }),
      fc.record({ do: fc.constant('read' as const), reader: fc.nat(), most: fc.nat({ max: 3000 }) }),
      fc.record({ do: fc.constant('join' as const) }),
      fc.record({ do: fc.constant('leave' as const), reader: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const prefixes = new PrefixTable(IPV4_UNICAST);
        const log = new ChangeLog(prefixes);
        const readers: { reader: LogReader; due: string[] }[] = [];
        for (const each of steps) {
          if (each.do === 'join') readers.push({ reader: log.addReader(), due: [] });
          else if (each.do === 'append') {
            for (let i = 0; i < each.times; i++) {
              const number = (each.prefix + i) % 10;
              // Nobody but the log holds the prefix afterwards.
              const id = prefixes.intern(Int32Array.of(number << 24), 0, 8);
              prefixes.hold(id);
              log.append(id);
              prefixes.release(id);
              for (const { due } of readers) due.push(`${number}.0.0.0/8`);
            }
          } else if (readers.length > 0) {
            const entry = readers[each.reader % readers.length]!;
            if (each.do === 'leave') {
              readers.splice(readers.indexOf(entry), 1);
              log.removeReader(entry.reader);
            } else {
              const { reader, due } = entry;
              const end = Math.min(log.end, reader.position + each.most);
              const read: string[] = [];
              for (let at = reader.position; at < end; at++) read.push(prefixes.format(log.at(at)));
              expect(read).toEqual(due.splice(0, each.most));
              reader.position = end;
              log.trim();
            }
          }
          expect(log.length).toBe(Math.max(0, ...readers.map(({ due }) => due.length)));
        }
        for (const { reader } of readers) log.removeReader(reader);
        expect([log.length, prefixes.size]).toEqual([0, 0]);
      }),
      { numRuns: 40 },
    );
  });

  it('moves to the front of its memory when most of it was read', () => {
    const prefixes = new PrefixTable(IPV4_UNICAST);
    const log = new ChangeLog(prefixes);
    const reader = log.addReader();
    let appended = 0;
    let read = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 3000; i++) {
        const id = prefixes.intern(Int32Array.of(appended++ << 8), 0, 24);
        prefixes.hold(id);
        log.append(id);
        prefixes.release(id);
      }
      const end = log.end - 700;
      for (; reader.position < end; reader.position++) {
        if (prefixes.records[prefixes.wordsAt(log.at(reader.position))] !== read++ << 8)
          expect(read).toBeUndefined();
      }
      log.trim();
    }
    expect([log.length, prefixes.size]).toEqual([700, 700]);
  });

  it('keeps nothing for nobody', () => {
    const prefixes = new PrefixTable(IPV4_UNICAST);
    const log = new ChangeLog(prefixes);
    const id = prefixes.intern(Int32Array.of(0), 0, 0);
    log.append(id);
    expect([log.length, prefixes.inUse(id)]).toEqual([0, false]);
  });
});
