// Transcripts of real daemons: commands with their replies, and how two replies are compared. Times, addresses that the
// system chose, and counters differ; networks come in the order of a hash table.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const TRANSCRIPTS = new URL('../../../../shared/data/bird-transcripts/', import.meta.url).pathname;

export const haveTranscripts = existsSync(TRANSCRIPTS);

export interface Exchange {
  readonly command: string;
  readonly reply: readonly string[];
}

export interface Transcript {
  readonly name: string;
  readonly greeting: string;
  readonly exchanges: readonly Exchange[];
}

export function transcriptsOf(folder: string): Transcript[] {
  const path = join(TRANSCRIPTS, folder);
  return readdirSync(path)
    .filter((name) => name.endsWith('.raw'))
    .sort()
    .map((name) => parse(name, readFileSync(join(path, name), 'utf8')));
}

function parse(name: string, text: string): Transcript {
  const exchanges: { command: string; reply: string[] }[] = [];
  let greeting = '';
  for (const line of text.split('\n')) {
    const said = line.slice('S: '.length);
    if (line.startsWith('C: ')) exchanges.push({ command: said, reply: [] });
    else if (!line.startsWith('S: ')) continue;
    else if (exchanges.length === 0) greeting = said;
    else exchanges.at(-1)!.reply.push(said);
  }
  return { name, greeting, exchanges };
}

/** It did not answer: 2.0.12 says nothing to `help`, and both end a connection over which too long a command comes. */
export function isUnanswered({ reply }: Exchange): boolean {
  return reply.length === 0 || reply[0] === '<<timeout>>';
}

/** Lines with what may differ made the same; networks, and names, in one order. */
export function normalize(reply: readonly string[]): string[] {
  return sortNames(sortNetworks(reply.map(normalizeLine)));
}

function normalizeLine(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?/g, 'DATE TIME')
    .replace(/\b\d\d:\d\d:\d\d(\.\d{3})?/g, 'TIME')
    .replace(/\bTIME +/g, 'TIME ')
    .replace(/fe80::[0-9a-f:]+/g, 'LINK-LOCAL')
    .replace(/\d+(\.\d+)? +(B|kB|MB|GB)\b/g, 'SIZE')
    .replace(/ {2,}SIZE/g, ' SIZE')
    .replace(/(updates|withdraws): +(.*)/, (_all, name: string, rest: string) => {
      return `${name}: ${rest.replace(/\d+/g, 'N').replace(/ +/g, ' ')}`;
    })
    .replace(/(timer {0,5}|delay|wait): +[\d.]+\//, '$1: LEFT/')
    .replace(/(Routes:.*), \d+ exported/, '$1, N exported')
    .replace(/Waiting for \d+/, 'Waiting for N')
    .replace(/Wait timer is [\d.]+\//, 'Wait timer is LEFT/')
    .replace(/undo in [\d.]+ s/, 'undo in N s');
}

const ROUTE = /^(1007-| )(\S+\/\d+\S*(?: AS\d+)?) +/;

/** Blocks of lines that begin with a network, sorted within their table. */
function sortNetworks(lines: readonly string[]): string[] {
  if (!lines.some((line) => line.startsWith('1007-'))) return [...lines];
  const result: string[] = [];
  let blocks: string[][] = [];
  const flush = (): void => {
    result.push(...blocks.sort((a, b) => (a[0]! < b[0]! ? -1 : 1)).flatMap(sortPaths));
    blocks = [];
  };
  for (const line of lines) {
    // Which of the lines has the code depends on the order.
    const bare = /^1007-(?!Table|\d+ of)/.test(line) ? ` ${line.slice('1007-'.length)}` : line;
    if (ROUTE.test(bare)) blocks.push([bare]);
    else if (blocks.length > 0 && /^( {2,}|10(08|12)-| \t| \s+(unicast|via|dev))/.test(bare))
      blocks.at(-1)!.push(bare);
    else {
      flush();
      result.push(bare);
    }
  }
  flush();
  return result;
}

/** The best path comes first, the others as they came. */
function sortPaths(block: readonly string[]): string[] {
  const paths: string[][] = [];
  for (const line of block) {
    if (paths.length === 0 || / \[\S+ TIME/.test(line)) paths.push([line]);
    else paths.at(-1)!.push(line);
  }
  const [best = [], ...others] = paths;
  return [...best, ...others.sort((a, b) => (a.join() < b.join() ? -1 : 1)).flat()];
}

/** Names are listed in the order of a hash table, with words that the reader has stumbled over. */
function sortNames(lines: readonly string[]): string[] {
  if (!lines.some((line) => line.startsWith('1010-'))) return [...lines];
  const names = lines
    .slice(0, -1)
    .map((line) => line.replace(/^(1010-| )/, ''))
    .filter((line) => !/\tundefined$/.test(line) && !/^ip[pstr]_/.test(line));
  return [...names.sort(), lines.at(-1)!];
}
