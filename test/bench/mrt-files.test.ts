// Every MRT file of the shared data, read by bench/mrt and by bgpdump: the same routes in the same order.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readLines } from '../../bench/mrt/lines.ts';
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from '../../src/lib/ip.ts';

const run = promisify(execFile);
const DATA = join(import.meta.dirname, '../../../shared/data/mrt');
const OUTPUT_LIMIT = 1 << 28;
/** Raw BGP messages, not MRT. */
const NOT_MRT = /\.bgp-updates\.gz$/;

/** BIRD wrote messages of an ADD-PATH session under the plain subtype: to guess is not the reader's business, and
 *  what bgpdump guesses differs. */
const AMBIGUOUS: ReadonlySet<string> = new Set(['bird_bgp', 'bird6_bgp']);

const files = existsSync(DATA)
  ? readdirSync(DATA, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('test_expect'))
      .filter(
        (entry) =>
          !/\.(conf|rst)$/.test(entry.name) && !NOT_MRT.test(entry.name) && !AMBIGUOUS.has(entry.name),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  : [];

const haveBgpdump = await run('bgpdump', ['-h']).then(
  () => true,
  (error: { code?: unknown }) => error.code !== 'ENOENT',
);

/** bgpdump's own test data come with its decode. */
function isRecorded(path: string): boolean {
  return path.includes('/bgpdump/');
}

/** `A|peer|as|prefix`, with the path identifier where the dump has one. */
function fromBgpdump(text: string): string[] {
  const out: string[] = [];
  for (const line of text.split('\n')) {
    const [source, , kind, peer, peerAs, prefix, pathId] = line.split('|');
    if (kind !== 'A' && kind !== 'B' && kind !== 'W') continue;
    const addPath = source!.endsWith('_AP') ? `|${pathId}` : '';
    out.push(`${kind}|${canonicalAddress(peer!)}|${peerAs}|${canonicalPrefix(prefix!)}${addPath}`);
  }
  return out;
}

/** bgpdump shortens a single zero group, which RFC 5952 §4.2.2 does not, and leaves host bits as they came. */
const canonicalAddress = rememberingLast((text) => formatAddress(parseAddress(text)!.bytes));
const canonicalPrefix = rememberingLast((text) => formatPrefix(parsePrefix(text, true)!));

/** Tables repeat themselves. */
function rememberingLast(make: (text: string) => string): (text: string) => string {
  let last = '';
  let made = '';
  return (text) => {
    if (text !== last) {
      made = make(text);
      last = text;
    }
    return made;
  };
}

async function own(path: string): Promise<string[]> {
  const out: string[] = [];
  await readLines(path, ({ kind, peer, peerAs, prefix, pathId }) => {
    out.push(`${kind}|${peer}|${peerAs}|${prefix}${pathId === undefined ? '' : `|${pathId}`}`);
  });
  return out;
}

/** Equality of long lists with a short message. */
function expectSame(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((line, i) => line !== actual[i]);
  expect({ line: actual[at], count: actual.length }).toEqual({ line: expected[at], count: expected.length });
}

describe.skipIf(files.length === 0)('MRT files as bgpdump reads them', () => {
  const [recordedFiles, otherFiles] = [files.filter(isRecorded), files.filter((path) => !isRecorded(path))];
  test.skipIf(!haveBgpdump).each(otherFiles.map((path) => [basename(path), path] as const))(
    '%s',
    async (_, path) => {
      const { stdout } = await run('bgpdump', ['-m', path], { maxBuffer: OUTPUT_LIMIT });
      expectSame(await own(path), fromBgpdump(stdout));
    },
    60_000,
  );

  test.each(recordedFiles.map((path) => [basename(path), path] as const))(
    '%s, against the recorded decode',
    async (name, path) => {
      const recorded = join(DATA, 'bgpdump/test_expect', `${name}.bgp.gz`);
      expectSame(await own(path), fromBgpdump(gunzipSync(readFileSync(recorded)).toString()));
    },
    60_000,
  );
});
