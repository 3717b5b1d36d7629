#!/bin/sh
// 2>/dev/null; MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-3}" exec node "$0" "$@"
// Starts the built command line. The line above is for the shell, to which its beginning is a command that cannot be: glibc
// has to be told before a process begins that its threads may have two heaps beside the main one. By itself it gives each
// of V8's own another, which keeps what the last compilation in it took: three megabytes while a full table comes. With a
// single one they wait for each other.

import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

// The young generation stays as small as it starts, instead of growing to 32 MiB: routes live in typed arrays outside of
// it, so it would hold little but the garbage of starting up.
setFlagsFromString('--semi-space-growth-factor=1');
// The heap proper may double before it is collected. By itself V8 does so every ten megabytes that pass through a heap as
// small as this one, and what is sent counts: while a full table came, that took a twentieth of the time.
setFlagsFromString('--heap-growing-percent=100');
// Functions that every route passes grow by a third more before what they call stays a call of its own. With twice as much
// (a few of them then take longer to compile than a table takes to come) the first full table is slower again.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=1200');

const entry = new URL('../dist/bundle/main.js', import.meta.url);
if (existsSync(entry)) {
  const { start } = await import(entry.href);
  await start();
} else {
  process.stderr.write('godwit: it is not built yet; run: npm run build\n');
  process.exitCode = 1;
}
