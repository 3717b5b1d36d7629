// The constants that BIRD makes of the names that iproute2 has for numbers: `ipp_NAME` of protocols, `ipr_` of realms,
// `ips_` of scopes and `ipt_` of routing tables. A host has them or has not; a file that is not there holds none.

import { type Dialect, MAX_NUMBER } from '../../policy/lexer.ts';
import type { BirdFiles } from './include.ts';

const DIRECTORY = '/etc/iproute2';
const MAX_UINT8 = 255;
/** With the highest number that 2.x takes; what is below zero counts from 2^32. */
const FILES = [
  ['rt_protos', 'ipp_', MAX_UINT8],
  ['rt_realms', 'ipr_', MAX_NUMBER],
  ['rt_scopes', 'ips_', MAX_UINT8],
  ['rt_tables', 'ipt_', MAX_NUMBER],
] as const;

/** `NUMBER NAME`, whatever follows; hexadecimal with 0x. */
const ENTRY = /^[ \t]*(?:0x([0-9A-Fa-f]+)|(-?[0-9]+))[ \t]+(\S+)/;
/** What a symbol cannot have becomes this, octet by octet. */
const OTHER = '_';
/** The highest number of any file in 1.6. */
const MAX_16 = 256;

/** Each constant with its value, the first of those that are there twice. Never throws. */
export function iprouteConstants(files: BirdFiles, dialect: Dialect): ReadonlyMap<string, number> {
  const constants = new Map<string, number>();
  for (const [file, prefix, max2] of FILES) {
    const max = dialect === '1.6' ? MAX_16 : max2;
    for (const line of linesOf(files, `${DIRECTORY}/${file}`)) {
      const [, hex, decimal, name = ''] = ENTRY.exec(line) ?? [];
      if (name === '') continue;
      const number = (hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) >>> 0;
      const symbol = `${prefix}${symbolOf(name)}`;
      if (number <= max && !constants.has(symbol)) constants.set(symbol, number);
    }
  }
  return constants;
}

function linesOf(files: BirdFiles, path: string): readonly string[] {
  try {
    return files.read(path).split('\n');
  } catch {
    return [];
  }
}

function symbolOf(name: string): string {
  return Buffer.from(name)
    .toString('latin1')
    .replaceAll(/[^A-Za-z0-9_]/g, OTHER);
}
