// Why a prefix is as it is: all its paths in order with the step at which each lost, what was decided for every
// peer, and what became of it in the kernel. The answers come from the same code that decided; nothing is told twice.

import { decodeAttributes } from '../../bgp/wire/attribute-values.ts';
import { formatPrefix } from '../../lib/ip.ts';
import { sentTo } from '../../rib/adj-rib-out.ts';
import { DECISION_STEPS } from '../../rib/decision.ts';
import { WITHHELD, WITHHELD_SENTENCES } from '../../rib/distribution.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { Rib } from '../../rib/rib.ts';
import { CommandError, type ExplainView, type FilterTraceView } from '../api.ts';
import { exportedRoutes } from '../limited-peer.ts';
import { familyOf } from '../local-routes.ts';
import type { PeerHandle } from '../peer-registry.ts';
import { exportTrace, importTrace, rejectedBy } from './filter-trace.ts';
import { exactMatch, longestMatch, parseTarget } from './route-query.ts';
import { formatNextHop, routeView, type Standing, standings } from './route-view.ts';

export interface ExplainSources {
  readonly rib: Rib;
  readonly peers: Iterable<PeerHandle>;
  /** What the kernel has of a prefix; undefined where no routes are programmed. */
  readonly kernel: (family: FamilyRib, prefixId: number) => ExplainView['kernel'];
}

/** `from` and `to` are peer names that narrow the answer; they must exist. Throws CommandError. */
export function explainPrefix(
  sources: ExplainSources,
  text: string,
  options: { from?: string; to?: string },
): ExplainView {
  const { rib } = sources;
  const { prefix, isAddress } = parseTarget(text);
  const family = rib.families[familyOf(prefix).id]!;
  const prefixId = isAddress ? longestMatch(family, prefix) : exactMatch(family, prefix);
  if (prefixId === 0 || family.paths.first(prefixId) === 0) {
    throw new CommandError('not-found', `no path for ${isAddress ? text : formatPrefix(prefix)}`);
  }
  const ranked = standings(family, prefixId);
  return {
    prefix: family.prefixes.format(prefixId),
    paths: ranked
      .map((standing, place) => pathView(rib, family, prefixId, standing, place))
      .filter((path) => options.from === undefined || path.peer === options.from),
    exports: [...sources.peers]
      .filter((handle) => options.to === undefined || handle.name === options.to)
      .map((handle) => exportView(rib, family, prefixId, handle)),
    kernel: sources.kernel(family, prefixId),
  };
}

function pathView(
  rib: Rib,
  family: FamilyRib,
  prefixId: number,
  standing: Standing,
  place: number,
): ExplainView['paths'][number] {
  const { paths } = family;
  const post = paths.attrPost(standing.row);
  const attr = post === 0 ? paths.attrIn(standing.row) : post;
  const view = routeView(rib, family, prefixId, standing, attr, paths.pathId(standing.row));
  const step = DECISION_STEPS[standing.step];
  return {
    ...view,
    rank: place + 1,
    step: stepName(standing, step),
    importFilter: importTrace(rib, family, standing.row),
  };
}

function stepName(standing: Standing, step: (typeof DECISION_STEPS)[number] | undefined): string {
  if (!standing.eligible) return 'not a candidate';
  return step === undefined || step.number === 0 ? 'best' : `${step.number} ${step.name}`;
}

function exportView(
  rib: Rib,
  family: FamilyRib,
  prefixId: number,
  handle: PeerHandle,
): ExplainView['exports'][number] {
  const withheld = (reason: string, trace?: FilterTraceView): ExplainView['exports'][number] => {
    return {
      peer: handle.name,
      advertised: false,
      reason,
      attributes: undefined,
      nextHop: undefined,
      ...(trace !== undefined && { exportFilter: trace }),
    };
  };
  const { established } = handle;
  if (established === undefined) return withheld(`no session: the peer is ${handle.peer.state}`);
  const group = rib.groups[family.index]!.groupOf(established.ribPeer.id);
  if (group === undefined) return withheld(`${family.family.name} was not negotiated`);
  const { locRib } = family;
  const best = locRib.bestAttr(prefixId);
  if (best === 0) return withheld('there is no best path');
  const peerId = established.ribPeer.id;
  const sent = sentTo(group.adjRibOut, prefixId, peerId);
  const from = locRib.bestPeer(prefixId);
  // RFC 7911: other peers' paths may go to the peer whose own is best.
  if (from === peerId && sent.length === 0) return withheld(WITHHELD_SENTENCES[WITHHELD.ownRoute]);
  const cause = group.rewriter.judge(best, from);
  if (sent.length === 0 && cause !== WITHHELD.none) return withheld(WITHHELD_SENTENCES[cause]);
  const trace = cause === WITHHELD.none ? exportTrace(group, family, prefixId, best, from) : undefined;
  if (sent.length === 0 && trace?.accepted === false) {
    return withheld(rejectedBy('export', group.options.policy, trace), trace);
  }
  const most = group.options.limit?.block?.routes;
  if (sent.length === 0 && most !== undefined && exportedRoutes(rib, handle, family.family) >= most) {
    return withheld('the limit of exported routes of the peer is reached');
  }
  const rendered = (route: { attr: number; from: number }) => {
    const { bytes, length, nextHop } = group.rewriter.render(route.attr, route.from);
    return { attributes: decodeAttributes(bytes, 0, length), nextHop: formatNextHop(nextHop) };
  };
  const paths = sent.map((each) => ({ pathId: each.pathId, ...rendered(each) }));
  const { attributes, nextHop } = paths[0] ?? rendered({ attr: best, from });
  const waits = group.pending > 0 ? 'waits to be sent' : WITHHELD_SENTENCES[WITHHELD.tooLong];
  return {
    peer: handle.name,
    advertised: sent.length > 0,
    reason: sent.length === 0 ? waits : sent.length === 1 ? 'advertised' : `advertised: ${sent.length} paths`,
    attributes,
    nextHop,
    exportFilter: trace,
    ...(paths.length > 1 && { paths }),
  };
}
