import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.lab.test.ts'],
          setupFiles: ['test/support/property-seed.ts', 'test/support/outgrown.ts'],
          // For what never ends: how long something takes on a busy machine is no test's business.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          // Labs make namespaces and start real daemons: few at a time, with limits of their own.
          name: 'lab',
          include: ['test/**/*.lab.test.ts'],
          setupFiles: ['test/support/property-seed.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
