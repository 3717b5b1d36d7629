// Routes of real tables that the daemon must refuse, whoever it is: its own AS is in their path (RFC 4271 §9). Private
// ASes do leak into the world's table.

import { ATTR, FLAG } from '../mrt/attributes.ts';
import { RouteTable } from './route-table.ts';

/** The table without routes whose AS_PATH has `asn`; the same object where there is none. */
export function withoutLoops(table: RouteTable, asn: number): RouteTable {
  const looped = new Set<number>();
  for (let set = 0; set < table.pool.count; set++) if (pathHas(table.pool.get(set), asn)) looped.add(set);
  if (looped.size === 0) return table;
  const { words } = table.family;
  const out = new RouteTable(table.family, table.pool, table.count);
  for (let i = 0; i < table.count; i++) {
    const set = table.attributes[i]!;
    if (looped.has(set)) continue;
    out.append(table.words.subarray(i * words, (i + 1) * words), table.lengths[i]!, set);
  }
  return out;
}

/** `set`: canonical attributes with 4-octet ASes. */
function pathHas(set: Uint8Array, asn: number): boolean {
  const view = new DataView(set.buffer, set.byteOffset, set.byteLength);
  for (let at = 0; at < set.length; ) {
    const extended = (set[at]! & FLAG.extendedLength) !== 0;
    const start = at + (extended ? 4 : 3);
    const end = start + (extended ? view.getUint16(at + 2) : set[at + 2]!);
    if (set[at + 1] === ATTR.asPath) return segmentsHave(view, start, end, asn);
    at = end;
  }
  return false;
}

function segmentsHave(view: DataView, start: number, end: number, asn: number): boolean {
  for (let at = start; at < end; ) {
    const next = at + 2 + view.getUint8(at + 1) * 4;
    for (let member = at + 2; member < next; member += 4) {
      if (view.getUint32(member) === asn) return true;
    }
    at = next;
  }
  return false;
}
