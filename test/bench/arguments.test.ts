// How the bench's programs end on an error. What their options mean is in works.test.ts.

import { parseArgs } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { namesOf, positive, program } from '../../bench/arguments.ts';

afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

async function said(main: () => unknown): Promise<string> {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await program(async () => {
    main();
  });
  return write.mock.calls.map(([text]) => String(text)).join('');
}

test('an error is one line and an exit code', async () => {
  expect(await said(() => positive('rounds', '1.5', 3))).toBe(
    '--rounds must be a positive integer, not 1.5\n',
  );
  expect(process.exitCode).toBe(1);
});

test('an option that does not exist points to those that do', async () => {
  expect(await said(() => parseArgs({ args: ['--x'], options: {} }))).toMatch(/'--x'.*; --help shows/);
});

test('what succeeds says nothing', async () => {
  expect(await said(() => namesOf('only', 'b,a', ['a', 'b']))).toBe('');
  expect(process.exitCode).toBeUndefined();
});
