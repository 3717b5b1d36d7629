import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Look, safeText, styleFor } from '../../src/cli/render/style.ts';
import { type Column, renderTable, StreamingTable } from '../../src/cli/render/table.ts';
import { formatAge, formatBytes, formatCount, formatSince, plural } from '../../src/cli/render/units.ts';

const look = (overrides: Partial<Look> = {}): Look => ({
  style: styleFor(false),
  width: undefined,
  now: 0,
  ...overrides,
});

interface Row {
  name: string;
  size: number;
  text: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', value: (row) => row.name, paint: (_, { style }) => style.good },
  { title: 'SIZE', align: 'right', value: (row) => String(row.size) },
  { title: 'TEXT', flexible: true, value: (row) => row.text },
];
const anyRow = fc.record({ name: fc.string(), size: fc.nat(), text: fc.string({ maxLength: 200 }) });

describe('tables', () => {
  const rows = [
    { name: 'a', size: 1, text: 'short' },
    { name: 'longer', size: 1000, text: 'a text that is rather long' },
  ];

  test('are aligned', () => {
    expect(renderTable(COLUMNS, rows, look())).toBe(
      'NAME    SIZE  TEXT\na          1  short\nlonger  1000  a text that is rather long\n',
    );
  });

  test('are cut to the width of a terminal, in the flexible column', () => {
    expect(renderTable(COLUMNS, rows, look({ width: 25 }))).toBe(
      'NAME    SIZE  TEXT\na          1  short\nlonger  1000  a text tha…\n',
    );
    // Below what is readable the line is left to be wrapped.
    expect(renderTable(COLUMNS, rows, look({ width: 1 }))).toContain('a text …');
  });

  test('colour the cell, not its padding width', () => {
    expect(renderTable(COLUMNS, rows.slice(0, 1), look({ style: styleFor(true) }))).toBe(
      '\u001b[1mNAME  SIZE  TEXT\u001b[0m\n\u001b[32ma   \u001b[0m     1  short\n',
    );
  });

  test('that come row by row look the same while the widths hold', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 20 }), (all) => {
        const table = new StreamingTable(COLUMNS, look(), 50);
        const streamed = all.map((row) => table.add(row)).join('') + table.end();
        expect(streamed).toBe(renderTable(COLUMNS, all, look()));
      }),
    );
  });

  test('that come row by row hold back only the sample', () => {
    const table = new StreamingTable(COLUMNS, look(), 2);
    const out = rows.concat({ name: 'much longer', size: 2, text: 'x' }).map((row) => table.add(row));
    expect(out.map((text) => text.split('\n').length - 1)).toEqual([0, 3, 1]);
    expect(table.end()).toBe('');
    expect(new StreamingTable(COLUMNS, look()).end()).toBe('');
  });

  test('show any content on one line a row, within the terminal', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 5 }), (all) => {
        const lines = renderTable(COLUMNS, all, look()).split('\n');
        expect(lines).toHaveLength(all.length + 2);
      }),
    );
  });
});

describe('text from other routers', () => {
  test.each([
    ['plain ünïcode 10.0.0.1', 'plain ünïcode 10.0.0.1'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['a\nb\r\tc\u0000', 'a\\x0ab\\x0d\\x09c\\x00'],
    ['\u009b2J\u007f', '\\x9b2J\\x7f'],
    ['evil\u202etxt', 'evil\\u202etxt'],
  ])('%j', (text, shown) => {
    expect(safeText(text)).toBe(shown);
  });

  test('never holds a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(safeText(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

describe('units', () => {
  const S = 1000;
  const H = 3600 * S;
  test.each([
    [-5, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60 * S, '1m00s'],
    [H - 1, '59m59s'],
    [H, '1h00m'],
    [24 * H - 1, '23h59m'],
    [24 * H, '1d00h'],
    [99 * 24 * H + 5 * H, '99d05h'],
    [100 * 24 * H, '100d'],
  ])('age %d', (ms, shown) => {
    expect(formatAge(ms)).toBe(shown);
  });

  test('counts and sizes', () => {
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 1023, 1024, 1536, 1024 ** 3, 5000 * 1024 ** 4].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 KiB',
      '1.0 GiB',
      '5000.0 TiB',
    ]);
    expect([plural(1, 'peer'), plural(2, 'peer'), plural(0, 'prefix', 'prefixes')]).toEqual([
      '1 peer',
      '2 peers',
      '0 prefixes',
    ]);
  });

  test('moments are times of day for a day', () => {
    process.env['TZ'] = 'UTC';
    const now = Date.UTC(2026, 0, 2, 12);
    expect(formatSince(now - 23 * H, now)).toBe('13:00:00');
    expect(formatSince(now - 24 * H, now)).toBe('2026-01-01');
  });
});
