// The kernel's IPv4 routes in the daemon's namespace, read through /proc: a count that is cheap enough to ask for now
// and then, and one comparison of the whole table with what was played. See proc(5) and the kernel's fib_trie.

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../src/lib/clock.ts';
import type { Expectation } from './update-reader.ts';

/** Between two counts, which the kernel takes by walking its whole table: it shall not be busy with that. */
const LEAST_WAIT_MS = 20;
const MOST_WAIT_MS = 500;
/** A count's own duration times this passes before the next one. */
const REST_FACTOR = 2;
/** Of the time that the rest will take at the pace so far: near the end counts come closer together. */
const LOOK_AHEAD = 0.7;
const READ_SIZE = 1 << 20;

export interface KernelDifference {
  readonly missing: number;
  readonly wrong: number;
  readonly unexpected: number;
}

export class KernelTable {
  readonly #directory: string;
  readonly #clock: Clock;

  /** `directory`: `/proc/PID/net` of a process in the namespace. */
  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** Prefixes in the main table; where the kernel keeps `local` and `main` in one trie, those of both. */
  async count(): Promise<number> {
    return mainPrefixes(await readFile(`${this.#directory}/fib_triestat`, 'latin1'));
  }

  /**
   * Resolves with the clock's time once the table has `target` prefixes, and with undefined at the deadline. Late by at
   * most the time between two counts.
   */
  async reaches(target: number, deadline: number): Promise<number | undefined> {
    let last: { at: number; left: number } | undefined;
    for (;;) {
      const started = this.#clock.now();
      const left = Math.abs(target - (await this.count()));
      const now = this.#clock.now();
      if (left === 0) return now;
      if (now >= deadline) return undefined;
      const wait = waitFor(last, { at: now, left });
      last = { at: now, left };
      const rest = Math.max(wait, LEAST_WAIT_MS, (now - started) * REST_FACTOR);
      await new Promise<void>((resolve) => this.#clock.setTimer(rest, resolve));
    }
  }

  /** Compares every route; a connected one that nobody played is nobody's business. */
  async compare({ table, index }: Expectation, nextHops: Uint32Array): Promise<KernelDifference> {
    const seen = new Uint8Array(table.count);
    const key = new Int32Array(1);
    let [present, wrong, unexpected] = [0, 0, 0];
    let carry = '';
    const stream = createReadStream(`${this.#directory}/route`, {
      encoding: 'latin1',
      highWaterMark: READ_SIZE,
    });
    for await (const chunk of stream) {
      const lines = `${carry}${chunk}`.split('\n');
      carry = lines.pop() ?? '';
      for (const line of lines) {
        const route = parseRoute(line);
        if (route === undefined) continue;
        key[0] = route.destination;
        const found = index.find(key, 0, route.length);
        if (found < 0 || seen[found] === 1) {
          if (found >= 0 || route.gateway !== 0) unexpected++;
          continue;
        }
        seen[found] = 1;
        present++;
        if (nextHops[found] !== route.gateway) wrong++;
      }
    }
    return { missing: table.count - present, wrong, unexpected };
  }
}

/** How long the rest may take by the pace between two counts. */
function waitFor(
  before: { readonly at: number; readonly left: number } | undefined,
  now: { readonly at: number; readonly left: number },
): number {
  if (before === undefined || now.left >= before.left) return MOST_WAIT_MS / 4;
  const perMs = (before.left - now.left) / (now.at - before.at);
  return Math.min(MOST_WAIT_MS, (now.left / perMs) * LOOK_AHEAD);
}

/** From the text of fib_triestat. Throws where it has no main table. */
export function mainPrefixes(text: string): number {
  const main = text.slice(text.indexOf('Main:'));
  const match = /^Main:[\s\S]*?Prefixes:\s+(\d+)/.exec(main);
  if (match === null) throw new Error('the kernel does not tell how many routes it has (fib_triestat)');
  return Number(match[1]);
}

export interface ProcRoute {
  /** Signed word, big-endian. */
  readonly destination: number;
  readonly length: number;
  /** Unsigned; 0 = none. */
  readonly gateway: number;
}

/** A line of /proc/net/route; undefined for its heading. */
export function parseRoute(line: string): ProcRoute | undefined {
  const fields = line.split('\t');
  if (fields.length < 8 || fields[0] === 'Iface') return undefined;
  return {
    destination: swapped(fields[1]!) | 0,
    length: bits(swapped(fields[7]!)),
    gateway: swapped(fields[2]!),
  };
}

/** The kernel prints addresses as the host's words: here, as everywhere that godwit is measured, little-endian. */
function swapped(hex: string): number {
  const value = Number.parseInt(hex, 16);
  return (
    (((value & 0xff) << 24) |
      ((value & 0xff00) << 8) |
      ((value >>> 8) & 0xff00) |
      ((value >>> 24) & 0xff)) >>>
    0
  );
}

function bits(mask: number): number {
  return Math.clz32(~mask);
}
