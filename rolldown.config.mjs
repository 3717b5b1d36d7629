// The program that is started: the compiled modules in a few files, because three hundred of them take longer to find and
// link than to run. Packages stay where they are, but zod: as a whole it loads its messages in fifty languages. What is
// loaded late (gRPC, the schema of YAML) stays in chunks of its own.
// V8 keeps the text of every module that it has loaded, so comments go, and no character beyond Latin-1 makes V8 use two
// octets for each of a file's.

import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const BUNDLED = /^zod(\/|$)/;
const ZOD_MODULE = /\/node_modules\/zod\//;

/** What is beyond Latin-1 stands in literals only, where an escape means the same. */
const escapeBeyondLatin1 = {
  name: 'escape-beyond-latin-1',
  generateBundle: (_options, bundle) => {
    for (const output of Object.values(bundle))
      if (output.type === 'chunk') output.code = escaped(output.code);
  },
};

function escaped(code) {
  return code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export default defineConfig({
  input: {
    main: 'dist/src/cli/main.js',
    'netlink-worker': 'dist/src/fib/netlink/netlink-worker.js',
    worker: 'dist/src/bfd/worker.js',
    'guard-worker': 'dist/src/speaker/watchdog/guard-worker.js',
  },
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith('/') && !BUNDLED.test(id),
  plugins: [escapeBeyondLatin1],
  output: {
    dir: 'dist/bundle',
    // Chunks are named by what is in them: those of yesterday would stay.
    cleanDir: true,
    format: 'esm',
    sourcemap: true,
    comments: false,
    // Its licence goes where it goes.
    banner: ({ moduleIds }) =>
      moduleIds.some((id) => ZOD_MODULE.test(id))
        ? `/*! zod\n${readFileSync(new URL('node_modules/zod/LICENSE', import.meta.url), 'utf8')}*/`
        : '',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  },
});
