// The kernel's table as /proc shows it: counts, single lines, waiting, and the comparison with what was played. The files
// are made here, as proc(5) describes them.

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AttributeHasher } from '../../bench/load/attribute-hash.ts';
import { KernelTable, mainPrefixes, parseRoute } from '../../bench/load/kernel-table.ts';
import { AttributePool, RouteTable } from '../../bench/load/route-table.ts';
import { Expectation } from '../../bench/load/update-reader.ts';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { parsePrefix } from '../../src/lib/ip.ts';

const trieText = (main: number, local: number): string =>
  `Basic info: size of leaf: 48 bytes.\nMain:\n\tLeaves:         9\n\tPrefixes:       ${main}\n` +
  `\tInternal nodes: 2\nLocal:\n\tPrefixes:       ${local}\n`;

function hex(address: string): string {
  const octets = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return octets.reverse().join('').toUpperCase();
}

function maskText(length: number): string {
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join('.');
}

function line(prefix: string, gateway: string): string {
  const [address, length] = prefix.split('/');
  const fields = ['veth0', hex(address!), hex(gateway), '0003', '0', '0', '0', hex(maskText(Number(length)))];
  return `${[...fields, '0', '0', '0'].join('\t').padEnd(127)}\n`;
}

describe('the count', () => {
  test('is that of the main table', () => {
    expect(mainPrefixes(trieText(42, 7))).toBe(42);
    expect(() => mainPrefixes('Local:\n\tPrefixes: 7\n')).toThrow(/fib_triestat/);
  });
});

describe('a line', () => {
  test.each([
    ['10.1.2.0/24', '10.90.1.1', 0x0a010200, 24, 0x0a5a0101],
    ['0.0.0.0/0', '192.0.2.1', 0, 0, 0xc0000201],
    ['203.0.113.7/32', '0.0.0.0', 0xcb007107 | 0, 32, 0],
    ['128.0.0.0/1', '255.255.255.254', 0x80000000 | 0, 1, 0xfffffffe],
  ])('%s via %s', (prefix, gateway, destination, length, word) => {
    expect(parseRoute(line(prefix, gateway))).toEqual({ destination, length, gateway: word });
  });

  test('that is the heading is no route', () => {
    expect(
      parseRoute('Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU'),
    ).toBeUndefined();
    expect(parseRoute('')).toBeUndefined();
  });
});

describe('a table', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gw-test-proc-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const PREFIXES = ['198.51.100.0/24', '203.0.113.0/25', '192.0.2.0/24'];
  const GATEWAY = '10.90.1.1';

  async function compared(lines: readonly string[]): Promise<unknown> {
    const heading = `${'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask'.padEnd(127)}\n`;
    await writeFile(join(directory, 'route'), heading + lines.join(''));
    const table = new RouteTable(IPV4_UNICAST, new AttributePool());
    const set = table.pool.intern(Uint8Array.of(0x40, 1, 1, 0, 0x40, 2, 0));
    for (const text of PREFIXES) {
      const { bytes, length } = parsePrefix(text)!;
      table.add(bytes, length, set);
    }
    const expectation = new Expectation(table, new AttributeHasher([]), undefined);
    const nextHops = new Uint32Array(PREFIXES.length).fill(0x0a5a0101);
    return new KernelTable(directory, systemClock).compare(expectation, nextHops);
  }

  const all = PREFIXES.map((prefix) => line(prefix, GATEWAY));

  test('that is the one played has no difference, connected routes aside', async () => {
    const connected = line('10.90.0.0/16', '0.0.0.0');
    expect(await compared([connected, ...all])).toEqual({ missing: 0, wrong: 0, unexpected: 0 });
  });

  test.each<[string, string[], object]>([
    ['lacks a route', all.slice(1), { missing: 1, wrong: 0, unexpected: 0 }],
    [
      'has another gateway',
      [line(PREFIXES[0]!, '10.90.1.2'), ...all.slice(1)],
      { missing: 0, wrong: 1, unexpected: 0 },
    ],
    [
      'has a longer prefix instead',
      [line('203.0.113.0/26', GATEWAY), all[0]!, all[2]!],
      { missing: 1, wrong: 0, unexpected: 1 },
    ],
    ['has a route twice', [...all, all[1]!], { missing: 0, wrong: 0, unexpected: 1 }],
  ])('that %s is told from it', async (_, lines, difference) => {
    expect(await compared(lines)).toEqual(difference);
  });

  test('is waited for until it has as many routes as asked for', async () => {
    // /proc never shows half a file: neither must its stand-in.
    const write = async (count: number): Promise<void> => {
      await writeFile(join(directory, 'next'), trieText(count, 3));
      await rename(join(directory, 'next'), join(directory, 'fib_triestat'));
    };
    await write(3);
    const table = new KernelTable(directory, systemClock);
    expect(await table.count()).toBe(3);
    const started = systemClock.now();
    const waiting = table.reaches(103, started + 10_000);
    await write(60);
    await write(103);
    expect(await waiting).toBeGreaterThanOrEqual(started);
    expect(await table.reaches(104, systemClock.now())).toBeUndefined();
  });
});
