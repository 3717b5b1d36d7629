import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { growInt32 } from '../../src/lib/columns.ts';
import { cleanMappings, giveBackOutgrown, keepLargeBlocksApart } from '../../src/lib/idle-memory.ts';

const SMAPS = '/proc/self/smaps';

const mapping = (head: string, anonymous: number, rss = 64) =>
  `${head}\nSize:               6664 kB\nRss:                ${rss} kB\nPrivate_Dirty:         0 kB\n` +
  `Anonymous:      ${anonymous} kB\nKSM:                   0 kB\nVmFlags: rd ex mr mw me sd \n`;

describe('mappings that hold nothing but their file', () => {
  test.each([
    ['code', '00400000-00b72000 r-xp 00000000 fe:00 4711                             /usr/bin/node', 0, true],
    ['constants', '00b72000-02601000 r--p 00772000 fe:00 4711                        /usr/bin/node', 0, true],
    ['a name with spaces', '00400000-00b72000 r-xp 00000000 fe:00 4711               /a b/node', 0, true],
    [
      'relocated constants',
      '00b72000-02601000 r--p 00772000 fe:00 4711              /usr/bin/node',
      8,
      false,
    ],
    [
      'data',
      '00400000-00b72000 rw-p 00000000 fe:00 4711                             /usr/bin/node',
      0,
      false,
    ],
    ['shared', '00400000-00b72000 r--s 00000000 fe:00 4711                           /dev/shm/x', 0, false],
    ['no file', '00400000-00b72000 r--p 00000000 00:00 0 ', 0, false],
    ['compiled code', '00400000-00b72000 r-xp 00000000 00:00 0 ', 0, false],
    ["the kernel's own", '7ffc1000-7ffc3000 r-xp 00000000 00:00 0                   [vdso]', 0, false],
    [
      'guard',
      '00400000-00b72000 ---p 00000000 fe:00 4711                            /usr/bin/node',
      0,
      false,
    ],
  ])('%s', (_name, head, anonymous, isClean) => {
    const other = mapping('7f0000000000-7f0000010000 rw-p 00000000 00:00 0 ', 64);
    expect(cleanMappings(other + mapping(head, anonymous) + other)).toHaveLength(isClean ? 1 : 0);
  });

  test('say where they are', () => {
    const text = mapping('7f586aa44000-7f586ab9a000 r-xp 00026000 fe:00 12 /usr/lib/libc.so.6', 0);
    expect(cleanMappings(text)).toEqual([{ address: 0x7f586aa44000, length: 0x156000 }]);
  });

  test.skipIf(!existsSync(SMAPS))('are found in this process, and none can be written to', () => {
    const text = readFileSync(SMAPS, 'latin1');
    const found = cleanMappings(text);
    expect(found.length).toBeGreaterThan(0);
    for (const { address, length } of found) {
      const range = [address, address + length].map((each) => each.toString(16).padStart(8, '0')).join('-');
      expect(text).toMatch(new RegExp(`^${range} r-[x-]p .* /`, 'm'));
    }
  });
});

test.skipIf(!existsSync(SMAPS))('the pages of a large array go when it is outgrown, and no others', () => {
  keepLargeBlocksApart();
  giveBackOutgrown();
  const words = 1 << 22;
  const residentMiB = () =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) / 1024;
  const small = new Int32Array(1000).fill(7);
  const before = new Int32Array(words).fill(7);
  const resident = residentMiB();
  const after = growInt32(before, words + 1);
  growInt32(small, 1001);
  // The copy is resident, and what was copied is not.
  expect(residentMiB() - resident).toBeLessThan(4);
  expect(after.subarray(0, words).every((word) => word === 7)).toBe(true);
  expect(small.every((word) => word === 7)).toBe(true);
  expect(before.length).toBe(words);
});
