// The program that is started: the compiled modules, and the packages that they use, in a few files, because hundreds of
// them take longer to find and link than to run. koffi alone stays outside, being native. What is loaded late (gRPC, HTTP,
// pretty lines, the schema of YAML) stays in chunks of its own.
// V8 keeps the text of every module that it has loaded, so comments go, and no character beyond Latin-1 makes V8 use two
// octets for each of a file's.

import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

/** The directory of a module's package; the innermost, where packages are within packages. */
const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+\//;

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

/** The packages' licences go where the packages go. */
const licences = {
  name: 'licences',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds);
    const packages = new Set(modules.map((id) => PACKAGE.exec(id)?.[0]).filter(Boolean));
    const source = [...packages].sort().map(licenceOf).join('\n');
    this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source });
  },
};

/** Throws where a package does not say how it may be used. */
function licenceOf(directory) {
  const { name, version, license, author } = JSON.parse(readFileSync(`${directory}package.json`, 'utf8'));
  const file = readdirSync(directory).find((entry) => /^licen[sc]e/i.test(entry));
  if (file === undefined && license === undefined) throw new Error(`${name} has no licence`);
  const text =
    file === undefined ? `${author?.name ?? author ?? ''}` : readFileSync(directory + file, 'utf8');
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

export default defineConfig({
  input: {
    main: 'dist/src/cli/main.js',
    'netlink-worker': 'dist/src/fib/netlink/netlink-worker.js',
    worker: 'dist/src/bfd/worker.js',
    'guard-worker': 'dist/src/speaker/watchdog/guard-worker.js',
  },
  platform: 'node',
  onLog(level, log) {
    // A package that is not found here is not there either where the program runs.
    if (level === 'warn') throw new Error(log.message);
  },
  plugins: [escapeBeyondLatin1, licences],
  output: {
    dir: 'dist/bundle',
    // Chunks are named by what is in them: those of yesterday would stay.
    cleanDir: true,
    format: 'esm',
    sourcemap: true,
    comments: false,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  },
});
