// The import filter of the bench, in BIRD's language, which godwit reads as well: a set of very many prefixes, as those
// have that are made from a routing registry, and what is usually done besides.

/** How many members the set has. */
export const SET_MEMBERS = 100_000;

/**
 * Text of a definition of the set `LISTED`: 2^17 /26 blocks of 10.128.0.0/9, of which the first `members` are in; every
 * other one with a range of lengths, so that not all of them are exact.
 */
export function prefixSetText(members = SET_MEMBERS): string {
  const lines = Array.from({ length: members }, (_, i) => `  ${blockText(i)}${i % 2 === 0 ? '' : '{26,28}'}`);
  return `define LISTED = [\n${lines.join(',\n')}\n];`;
}

/** Statements of a filter: what is listed goes, long paths go, the rest is ranked and taken. */
export const FILTER_BODY = [
  'if net ~ LISTED then reject;',
  'if bgp_path.len > 64 then reject;',
  'bgp_local_pref = 120;',
  'bgp_med = 0;',
  'accept;',
].join('\n');

export interface FilterText {
  readonly name: string;
  /** What the filter needs to be defined before it. */
  readonly definitions: string;
  /** Its statements. */
  readonly body: string;
}

export function importFilter(members = SET_MEMBERS): FilterText {
  return { name: 'bench_in', definitions: prefixSetText(members), body: FILTER_BODY };
}

const BLOCK_SIZE = 64;
const BLOCK_BASE = 0x0a800000;

/** As load/synthetic.ts numbers them. */
function blockText(number: number): string {
  const address = BLOCK_BASE + number * BLOCK_SIZE;
  const octets = [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
  return `${octets.join('.')}/26`;
}
