// `npm start` where it may make namespaces: six processes, real kernel routes.

import { describe, expect, it } from 'vitest';
import { labRequirement } from '../support/lab/requirement.ts';
import { expectTidy, expectTour, output, runDemo } from './support.ts';

/** The demonstration's own limit, and a build before it. */
const LIMIT_MS = 90_000;
const { skip } = await labRequirement([]);

describe.skipIf(skip)('the demonstration in namespaces', () => {
  it('shows everything once, leaves nothing, and ends with 0', { timeout: LIMIT_MS }, async () => {
    const outcome = await runDemo(['--once']);
    expectTour(outcome);
    expect(outcome.stdout).toContain('real kernel routes');
    expect(outcome.stdout).toMatch(/^blackhole 10\.244\.1\.0\/26 proto 80$/m);
    expectTidy(outcome);
    const name = /ip -n (\S+)-node1 route/.exec(outcome.stdout)?.[1];
    expect(name).toBeDefined();
    expect(await output('ip', 'netns', 'list')).not.toContain(`${name}-`);
  });
});
