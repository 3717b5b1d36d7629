// The constants that BIRD makes of the names that iproute2 has for numbers: `ipp_NAME` of protocols, `ipr_` of realms,
// `ips_` of scopes and `ipt_` of routing tables. A host has them or has not; a file that is not there holds none.

import type { Dialect } from '../../policy/lexer.ts';
import type { BirdFiles } from './include.ts';

const DIRECTORY = '/etc/iproute2';
const FILES = [
  ['rt_protos', 'ipp_'],
  ['rt_realms', 'ipr_'],
  ['rt_scopes', 'ips_'],
  ['rt_tables', 'ipt_'],
] as const;

/** `NUMBER NAME`, whatever follows; hexadecimal with 0x. */
const ENTRY = /^[ \t]*(?:0x([0-9A-Fa-f]+)|(-?[0-9]+))[ \t]+(\S+)/;
/** What a symbol cannot have becomes this, octet by octet. */
const OTHER = '_';
/** Tables of 1.6; the rest of its numbers are octets, and no others are written for them. */
const MAX_16 = 256;

/** Each constant with its value, the first of those that are there twice. Never throws. */
export function iprouteConstants(files: BirdFiles, dialect: Dialect): ReadonlyMap<string, number> {
  const constants = new Map<string, number>();
  for (const [file, prefix] of FILES) {
    for (const line of linesOf(files, `${DIRECTORY}/${file}`)) {
      const [, hex, decimal, name = ''] = ENTRY.exec(line) ?? [];
      if (name === '') continue;
      const number = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      if (dialect === '1.6' && (number < 0 || number > MAX_16)) continue;
      const symbol = `${prefix}${symbolOf(name)}`;
      if (!constants.has(symbol)) constants.set(symbol, number >>> 0);
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
