// What a filter did with a route, line by line: the filter runs over the route once more, with a record. The text shown
// is the filter's own, never the rest of its line, where a password may stand.

import { describeStep } from '../../policy/filter.ts';
import type { FilterPolicy } from '../../policy/filter-policy.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import { REJECT } from '../../rib/import-checks.ts';
import type { Rib } from '../../rib/rib.ts';
import type { PeerPolicy } from '../../rib/route-policy.ts';
import type { UpdateGroup } from '../../rib/update-group.ts';
import type { FilterTraceView } from '../api.ts';
import { filterPolicyFor } from '../policies.ts';

/** What the import filter of a row's peer does with the route as it was received; undefined where none would run. */
export function importTrace(rib: Rib, family: FamilyRib, row: number): FilterTraceView | undefined {
  const { paths } = family;
  const peer = rib.peers.get(paths.peerId(row));
  if (typeof peer.importOptions.policy === 'string') return undefined;
  const { attrPost, cause } = rib.checks.evaluate(peer, paths.attrIn(row));
  if (cause !== REJECT.none) return undefined;
  const policy = filterPolicyFor(peer.importOptions.policy, family, attrPost);
  const trace = policy && traceOf(policy, family, paths.prefixId(row), attrPost, peer.id, attrPost);
  rib.attrs.release(attrPost);
  return trace;
}

/** The attribute set of a row as the import filter that refuses it leaves it, held once for the caller. */
export function refusedSet(rib: Rib, family: FamilyRib, row: number): number {
  const { paths } = family;
  const peer = rib.peers.get(paths.peerId(row));
  const { attrPost } = rib.checks.evaluate(peer, paths.attrIn(row));
  if (attrPost === 0) {
    rib.attrs.hold(paths.attrIn(row));
    return paths.attrIn(row);
  }
  const policy = filterPolicyFor(peer.importOptions.policy, family, attrPost);
  if (policy === undefined) return attrPost;
  const left = policy.leave(family, paths.prefixId(row), attrPost, peer, attrPost);
  rib.attrs.release(attrPost);
  return left;
}

/** What the export filter of a group does with a route of the table. */
export function exportTrace(
  group: UpdateGroup,
  family: FamilyRib,
  prefixId: number,
  attr: number,
  from: number,
): FilterTraceView | undefined {
  const { advertiser, options } = group;
  const { filter } = advertiser;
  const policy = filterPolicyFor(options.policy, family, attr);
  if (filter === undefined || policy === undefined) return undefined;
  const trace = traceOf(policy, family, prefixId, filter.seen(attr, from), from, attr);
  filter.settle();
  return trace;
}

/** `rejected by import filter customers`, with the place where it was decided if that is known. */
export function rejectedBy(
  direction: 'import' | 'export',
  policy: PeerPolicy,
  trace?: FilterTraceView,
): string {
  if (typeof policy === 'string') return `rejected by ${direction} policy`;
  const place = trace?.steps.at(-1)?.place;
  return `rejected by ${direction} filter ${policy.name}${place === undefined ? '' : ` (${place})`}`;
}

function traceOf(
  policy: FilterPolicy,
  family: FamilyRib,
  prefixId: number,
  attr: number,
  from: number,
  inTable: number,
): FilterTraceView {
  const { attrs, peers } = family.shared;
  const result = policy.explain(family, prefixId, attr, peers.get(from), inTable);
  if (result.attr !== 0) attrs.release(result.attr);
  return {
    name: policy.name,
    accepted: result.attr !== 0,
    steps: result.explanation.events.map(describeStep),
  };
}
