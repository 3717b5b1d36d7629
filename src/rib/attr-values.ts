// What of an attribute set is needed too seldom for a column of the store, read from its octets.

import { findAttribute, valueLength, valueStart } from '../bgp/wire/attribute-set.ts';
import { aigpMetric } from '../bgp/wire/attribute-values.ts';
import { ATTRIBUTE } from '../bgp/wire/iana.ts';
import { readUint32 } from '../lib/bytes.ts';
import { ATTR_FLAG, type AttrStore } from './attr-store.ts';

/** Whether two sets have the same AS_PATH, octet for octet. */
export function sameAsPath(attrs: AttrStore, a: number, b: number): boolean {
  if (a === b) return true;
  if (attrs.asLength[a] !== attrs.asLength[b] || attrs.neighborAs[a] !== attrs.neighborAs[b]) return false;
  const { bytes } = attrs;
  const first = findValue(attrs, a, ATTRIBUTE.asPath);
  const second = findValue(attrs, b, ATTRIBUTE.asPath);
  if (first.length !== second.length) return false;
  for (let i = 0; i < first.length; i++) if (bytes[first.at + i] !== bytes[second.at + i]) return false;
  return true;
}

/** The AIGP metric (RFC 7311 §3) of a set whose aigp flag is on. */
export function aigpOf(attrs: AttrStore, id: number): bigint {
  const { at, length } = findValue(attrs, id, ATTRIBUTE.aigp);
  return aigpMetric(attrs.bytes, at, at + length) ?? 0n;
}

/** The AS number in ONLY_TO_CUSTOMER (RFC 9234 §5) of a set whose flag is on. */
export function onlyToCustomerOf(attrs: AttrStore, id: number): number {
  return readUint32(attrs.bytes, findValue(attrs, id, ATTRIBUTE.onlyToCustomer).at);
}

/** Whether one of these clusters is in CLUSTER_LIST (RFC 4456 §8). */
export function hasCluster(attrs: AttrStore, id: number, clusters: readonly number[]): boolean {
  if ((attrs.flags[id]! & ATTR_FLAG.clusterList) === 0) return false;
  const { at, length } = findValue(attrs, id, ATTRIBUTE.clusterList);
  for (let i = at; i < at + length; i += 4) if (clusters.includes(readUint32(attrs.bytes, i))) return true;
  return false;
}

function findValue(attrs: AttrStore, id: number, type: number): { at: number; length: number } {
  const { bytes } = attrs;
  const start = attrs.offset(id);
  const at = findAttribute(bytes, start, attrs.length(id), type);
  if (at < 0) return { at: start + attrs.length(id), length: 0 };
  return { at: valueStart(bytes, at), length: valueLength(bytes, at) };
}
