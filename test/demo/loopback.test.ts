// `npm start -- --loopback`, whole: six speakers in one process.

import { expect, it } from 'vitest';
import { expectTidy, expectTour, runDemo } from './support.ts';

/** The demonstration's own limit, and a build before it. */
const LIMIT_MS = 90_000;

it('shows everything once, leaves nothing, and ends with 0', { timeout: LIMIT_MS }, async () => {
  const outcome = await runDemo(['--once', '--loopback']);
  expectTour(outcome);
  expect(outcome.stdout).toContain('No network namespaces (--loopback)');
  expect(outcome.stdout).toContain('simulated');
  expectTidy(outcome);
});

it('stays until it is interrupted, and tidies up', { timeout: LIMIT_MS }, async () => {
  const outcome = await runDemo(['--loopback'], (all, stop) => {
    if (all.includes('Ctrl-C')) stop('SIGINT');
  });
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toContain('watch routes');
  expect(outcome.stderr).toContain('Stopping the speakers');
  expectTidy(outcome);
});

it('explains itself where it is called wrongly', { timeout: LIMIT_MS }, async () => {
  const outcome = await runDemo(['--twice']);
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toContain('--twice');
  expect(outcome.stderr).toContain('--once');
});
