#!/usr/bin/env node
// Starts the built command line.

import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

// The young generation stays as small as it starts, instead of growing to 32 MiB: routes live in typed arrays outside of
// it, so it would hold little but the garbage of starting up.
setFlagsFromString('--semi-space-growth-factor=1');

const entry = new URL('../dist/bundle/main.js', import.meta.url);
if (existsSync(entry)) {
  const { start } = await import(entry.href);
  await start();
} else {
  process.stderr.write('godwit: it is not built yet; run: npm run build\n');
  process.exitCode = 1;
}
