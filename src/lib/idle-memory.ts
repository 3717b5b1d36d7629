// Memory that a process has done with, given back to the system: V8 collects when there is new garbage, libc keeps what
// lies between allocations that live, and pages of programs stay mapped that only the start has run. None of it happens by
// itself in a process that has become quiet.

import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LibraryHandle } from 'koffi';
import { whenOutgrown } from './columns.ts';
import { requireKoffi } from './koffi.ts';

type Madvise = (address: number, length: number, advice: number) => number;

export interface Mapping {
  readonly address: number;
  readonly length: number;
}

/** madvise(2): the pages go; whoever reads them again gets them from the file. */
const MADV_DONTNEED = 4;
/** mallopt(3): sizes from which an allocation has pages of its own, and free ones at the heap's end go. */
const M_MMAP_THRESHOLD = -3;
const M_TRIM_THRESHOLD = -1;
const LARGE_BLOCK = 1 << 20;
const PAGE = 4096;
/** What glibc has before an allocation with pages of its own. */
const CHUNK_HEADER = 16;
const SMAPS = '/proc/self/smaps';
/** A private mapping of a file that cannot be written to, and how much in it is the process's own. */
const FILE_MAPPING =
  /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p [0-9a-f]+ \S+ \d+ +\/.*\n(?:[A-Z].*\n)*?Anonymous: +(\d+) kB$/gm;

/**
 * For the start: columns, and what else is large, have pages of their own, which are the system's again when they are
 * freed, and are not filled with zeros when they are not used. By itself glibc does so at first, but as soon as something
 * large is freed, it keeps what is as large (up to 32 MB) for later, between things that live.
 */
export function keepLargeBlocksApart(): void {
  callLibc((libc) => {
    const mallopt = libc.func('int mallopt(int, int)');
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    // Setting one ends the adaption of both.
    mallopt(M_TRIM_THRESHOLD, 2 * LARGE_BLOCK);
  });
}

/**
 * From now on the pages of a large array that was outgrown are the system's at once. V8 frees it when it collects all,
 * which may be minutes later: where a table grows, half of it would stay twice.
 */
export function giveBackOutgrown(): void {
  callLibc((libc) => {
    const madvise = libc.func('int madvise(void *, size_t, int)');
    whenOutgrown(({ buffer, byteLength }) => {
      if (byteLength < LARGE_BLOCK || byteLength < buffer.byteLength) return;
      // The kernel refuses what does not begin where a page does: then libc is another one, and the array waits for V8.
      const first = new Uint8Array(buffer, PAGE - CHUNK_HEADER, 1);
      const pages = Math.floor((byteLength - first.byteOffset) / PAGE);
      madvise(first, pages * PAGE, MADV_DONTNEED);
    });
  });
}

/** Takes some tens of milliseconds: for moments when nobody waits. */
export function giveMemoryBack(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  trimMemory();
}

/** What takes three milliseconds of it: after something that has left little to V8, but freed what libc kept for it. */
export function trimMemory(): void {
  callLibc((libc) => {
    libc.func('int malloc_trim(size_t)')(0);
    unmapPrograms(libc.func('int madvise(uintptr_t, size_t, int)'));
  });
}

/** Not every libc has what is glibc's, nor is there koffi for every machine: then it only costs memory. */
function callLibc(use: (libc: LibraryHandle) => void): void {
  try {
    const libc = requireKoffi()?.load(null);
    if (libc !== undefined) use(libc);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

/**
 * Node.js and the libraries: of their 45 MB most is needed to start only. It stays in the system's cache of files, where
 * other processes find it as well and from where what is run again comes back, 5 microseconds for 64 KB: the first work
 * after it takes a millisecond more. Where memory is short the system may now use those pages for something else.
 */
function unmapPrograms(madvise: Madvise): void {
  for (const { address, length } of cleanMappings(readFileSync(SMAPS, 'latin1')))
    madvise(address, length, MADV_DONTNEED);
}

/**
 * The mappings in which there is nothing but what is in their files, from the text of /proc/PID/smaps (proc(5)): they
 * cannot be written to, and no page was changed before they could not.
 */
export function cleanMappings(smaps: string): Mapping[] {
  const found: Mapping[] = [];
  for (const [, from = '', to = '', own] of smaps.matchAll(FILE_MAPPING)) {
    if (own !== '0') continue;
    const address = Number.parseInt(from, 16);
    found.push({ address, length: Number.parseInt(to, 16) - address });
  }
  return found;
}
