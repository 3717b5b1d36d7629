// The program that is started: the compiled modules in a few files, because three hundred of them take longer to find and
// link than to run. Packages stay where they are. What is loaded late (gRPC, the schema of YAML) stays in chunks of its own.

import { defineConfig } from 'rolldown';

export default defineConfig({
  input: {
    main: 'dist/src/cli/main.js',
    'netlink-worker': 'dist/src/fib/netlink/netlink-worker.js',
    worker: 'dist/src/bfd/worker.js',
    'guard-worker': 'dist/src/speaker/watchdog/guard-worker.js',
  },
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  output: {
    dir: 'dist/bundle',
    // Chunks are named by what is in them: those of yesterday would stay.
    cleanDir: true,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  },
});
