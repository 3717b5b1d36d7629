// BGP attributes as lines of `show route all`, in the order of their type codes.

import type { AttributeValues } from '../../../bgp/wire/attribute-values.ts';
import {
  formatExtendedTuple,
  parseCommunity,
  parseExtendedCommunity,
  parseIpv6ExtendedCommunity,
} from '../../../bgp/wire/communities.ts';
import { ATTRIBUTE } from '../../../bgp/wire/iana.ts';
import { readUint32, toHex } from '../../../lib/bytes.ts';
import type { EmptiedList } from '../../../speaker/api/tables.ts';
import type { Style } from '../style.ts';

const ORIGIN_NAMES = { IGP: 'IGP', EGP: 'EGP', INCOMPLETE: 'Incomplete' } as const;
const HALF = 0xffff;

/** Of a route that is not BGP's: what a filter has set, or what a peer is sent. Without a next hop an empty path is none. */
export function* givenLines(
  values: AttributeValues,
  nextHops: readonly string[],
  style: Style,
  emptied?: readonly EmptiedList[],
): Iterable<string> {
  const none = values.asPath === '' && nextHops.length === 0 ? '\tBGP.as_path: ' : undefined;
  for (const line of attributeLines(values, nextHops, style, emptied)) if (line !== none) yield line;
}

export function* attributeLines(
  values: AttributeValues,
  nextHops: readonly string[],
  style: Style,
  emptied: readonly EmptiedList[] = [],
): Iterable<string> {
  const has = (list: EmptiedList): boolean => values[list].length > 0 || emptied.includes(list);
  const line = (name: string, value: string | number): string => `\tBGP.${name}: ${value}`;
  if (values.origin !== undefined) yield line('origin', ORIGIN_NAMES[values.origin]);
  yield line('as_path', path(values.asPath, style));
  if (nextHops.length > 0) yield line('next_hop', nextHops.join(' '));
  if (values.med !== undefined) yield line('med', values.med);
  if (values.localPref !== undefined) yield line('local_pref', values.localPref);
  if (values.atomicAggregate) yield line('atomic_aggr', '');
  if (values.aggregator !== undefined) yield line('aggregator', aggregator(values.aggregator));
  if (has('communities')) yield line('community', values.communities.map(pair).join(' '));
  if (values.originatorId !== undefined) yield line('originator_id', values.originatorId);
  if (has('clusterList')) yield line('cluster_list', values.clusterList.join(' '));
  // BIRD has no word for those of RFC 5701.
  const plain: string[] = [];
  let ofIpv6 = '';
  for (const text of values.extendedCommunities) {
    const bytes = parseIpv6ExtendedCommunity(text);
    if (bytes === undefined) plain.push(text);
    else ofIpv6 += toHex(bytes);
  }
  if (plain.length > 0 || (has('extendedCommunities') && ofIpv6 === '')) {
    yield line('ext_community', plain.map(extended).join(' '));
  }
  if (ofIpv6 !== '') yield octets(ATTRIBUTE.ipv6ExtendedCommunities, true, ofIpv6);
  if (values.aigp !== undefined) yield line('aigp', values.aigp);
  if (has('largeCommunities')) {
    const large = values.largeCommunities.map((text) => `(${text.split(':').join(', ')})`);
    yield line('large_community', large.join(' '));
  }
  if (values.onlyToCustomer !== undefined) yield line('otc', values.onlyToCustomer);
  for (const text of values.unknown) yield unknown(text);
}

/** `{64513 64514} [65001]`, sets of ASes and of a confederation's members, in the brackets of each generation. */
function path(text: string, style: Style): string {
  const members = text.replaceAll('[', '({').replaceAll(']', '})');
  return style === 'bird1' ? members.replaceAll('{', '{ ').replaceAll('}', ' }') : members;
}

/** `64512 192.0.2.1` -> `192.0.2.1 AS64512` */
function aggregator(text: string): string {
  const [as = '', address = ''] = text.split(' ');
  return `${address} AS${as}`;
}

/** `64512:100` or a well-known name -> `(64512,100)` */
function pair(text: string): string {
  const value = parseCommunity(text) ?? 0;
  return `(${value >>> 16},${value & HALF})`;
}

function extended(text: string): string {
  const bytes = parseExtendedCommunity(text);
  return bytes === undefined ? `(${text})` : formatExtendedTuple(readUint32(bytes, 0), readUint32(bytes, 4));
}

/** `128 (partial, transitive): 0a0b` -> `BGP.80 [t]: 0a 0b` */
function unknown(text: string): string {
  const match = /^(\d+) \(([^)]*)\): ([0-9a-f]*)$/.exec(text);
  if (match === null) return `\tBGP.unknown: ${text}`;
  const [, code = '', flags = '', hex = ''] = match;
  const transitive = /\btransitive\b/.test(flags) && !/non-transitive/.test(flags);
  return octets(Number(code), transitive, hex);
}

function octets(code: number, transitive: boolean, hex: string): string {
  const name = code.toString(16).padStart(2, '0');
  return `\tBGP.${name} [${transitive ? 't' : ''}]: ${hex.replace(/(..)(?=.)/g, '$1 ')}`;
}
