import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Labs make namespaces and start daemons: they bring their own, longer limits.
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
