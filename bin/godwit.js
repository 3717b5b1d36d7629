#!/usr/bin/env node
// Starts the built command line.

import { existsSync } from 'node:fs';

const entry = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(entry)) {
  const { start } = await import(entry.href);
  await start();
} else {
  process.stderr.write('godwit: it is not built yet; run: npm run build\n');
  process.exitCode = 1;
}
