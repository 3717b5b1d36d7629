// What export does with each attribute, as plans for one pass (bgp/wire/attribute-transform.ts): by the kind of peer that
// gets it, by where the route comes from, and by where an export policy stands. RFC 4271 §5.1, 4456 §8, 5065 §5.2, 9234
// §5, 4360 §6, 7947, 8326 §4, 9494 §4.6. How the attributes that are written anew look is rewrite.ts's affair.

import { TRANSFORM, type TransformAction, TransformPlan } from '../bgp/wire/attribute-transform.ts';
import { ATTRIBUTE } from '../bgp/wire/iana.ts';
import type { ExportOptions } from './export-options.ts';
import { type RouteSource, SOURCES } from './rib-peer.ts';

const COMMUNITY_TYPES = [
  ATTRIBUTE.communities,
  ATTRIBUTE.extendedCommunities,
  ATTRIBUTE.ipv6ExtendedCommunities,
  ATTRIBUTE.largeCommunities,
] as const;

type Actions = [type: number, action: TransformAction][];
/** What becomes of a MED from another AS. */
type MedRule = 'none' | 'keep' | 'zero';

/** The usual plans, by SOURCE: the route as it stands in the table, or as a policy has changed it there, goes out. */
export function plansFor(options: ExportOptions, med: MedRule): readonly TransformPlan[] {
  return SOURCES.map((source) => new TransformPlan(exportActions(options, source, med)));
}

/**
 * For a policy that sees the route as it would be sent: LOCAL_PREF is there for it, towards eBGP, too, and a MED that may
 * not go on has become 0, as in BIRD 1.6.
 */
export function preparingPlans(options: ExportOptions): readonly TransformPlan[] {
  return SOURCES.map((source) => {
    const actions = exportActions(options, source, 'zero').filter(([type]) => type !== ATTRIBUTE.localPref);
    return new TransformPlan([...actions, [ATTRIBUTE.localPref, TRANSFORM.write]]);
  });
}

/** What is left to do after such a policy. */
export function finalPlan(options: ExportOptions): TransformPlan {
  const { drop } = TRANSFORM;
  return new TransformPlan([
    ...(takesLocalPref(options) ? [] : ([[ATTRIBUTE.localPref, drop]] as Actions)),
    ...lastResortActions(options),
    ...withheldTypes(options),
  ]);
}

/** Everything not named goes along. */
function exportActions(options: ExportOptions, source: RouteSource, med: MedRule): Actions {
  const { drop, write } = TRANSFORM;
  const actions: Actions = [[ATTRIBUTE.asPath, write]];
  if (options.renewsOwn && source === 'local') actions.push([ATTRIBUTE.origin, write]);
  // RFC 4271 §5.1.5: within the AS every route has one; outside, an own route has it only where it was given one.
  const onlyAsGiven = source === 'local' && options.peerType === 'external' && !options.renewsOwn;
  if (!takesLocalPref(options)) actions.push([ATTRIBUTE.localPref, drop]);
  else if (!onlyAsGiven) actions.push([ATTRIBUTE.localPref, write]);
  if (options.peerType !== 'internal') {
    // RFC 4456 §8: they are of the AS, or member AS, whose reflectors have set them.
    actions.push([ATTRIBUTE.originatorId, drop], [ATTRIBUTE.clusterList, drop]);
  } else if (source === 'internal') {
    actions.push([ATTRIBUTE.originatorId, write], [ATTRIBUTE.clusterList, write]);
  }
  if (options.peerType === 'external') {
    // RFC 9234 §5, egress 1: to a customer, a peer or a client of the route server.
    const addsOtc = options.role === 'provider' || options.role === 'peer' || options.role === 'rs-server';
    if (addsOtc) actions.push([ATTRIBUTE.onlyToCustomer, write]);
    if (!options.routeServerClient) {
      // RFC 4271 §5.1.4: a MED from one AS is not for another; the own routes' may be.
      const isOwn = source === 'local' && options.sendsOwnMed;
      if (!isOwn && med !== 'keep' && !options.allowMed) {
        actions.push([ATTRIBUTE.multiExitDisc, med === 'zero' ? write : drop]);
      }
      actions.push([ATTRIBUTE.extendedCommunities, write], [ATTRIBUTE.ipv6ExtendedCommunities, write]);
    }
  }
  return [...actions, ...lastResortActions(options), ...withheldTypes(options)];
}

/**
 * RFC 8326 §4.2: what tells the peer that the routes are about to go. RFC 9494 §4.6: what is long-lived stale is the last
 * resort of a peer that does not know it.
 */
function lastResortActions(options: ExportOptions): Actions {
  if (!options.draining && options.staleRoutes !== 'last-resort') return [];
  const { write } = TRANSFORM;
  const community: Actions = [[ATTRIBUTE.communities, write]];
  return takesLocalPref(options) ? [...community, [ATTRIBUTE.localPref, write]] : community;
}

/** RFC 4271 §5.1.5: LOCAL_PREF is for internal peers, unless it is configured otherwise. */
function takesLocalPref({ peerType, allowLocalPref }: ExportOptions): boolean {
  return peerType !== 'external' || allowLocalPref === true;
}

function withheldTypes(options: ExportOptions): Actions {
  const { drop } = TRANSFORM;
  const actions: Actions = options.aigp ? [] : [[ATTRIBUTE.aigp, drop]];
  if (!options.sendCommunities) for (const type of COMMUNITY_TYPES) actions.push([type, drop]);
  return actions;
}
