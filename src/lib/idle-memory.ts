// Memory that a process has done with, given back to the system: V8 collects when there is new garbage, and libc keeps what
// lies between allocations that live. Neither happens by itself in a process that has become quiet.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { requireKoffi } from './koffi.ts';

/** Takes some tens of milliseconds: for moments when nobody waits. */
export function giveMemoryBack(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  trimHeap();
}

/** glibc's; other systems have no such function, or no koffi to call it. */
function trimHeap(): void {
  try {
    requireKoffi()?.load(null).func('int malloc_trim(size_t)')(0);
  } catch (error) {
    // It only costs memory.
    if (!(error instanceof Error)) throw error;
  }
}
