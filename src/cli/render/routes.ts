// Routes for a person: one line a path, or a block with all attributes below it.

import type { AttributesView, RouteView } from '../../control/protocol.ts';
import { type Field, renderFields } from './fields.ts';
import { type Look, type Paint, safeText } from './style.ts';
import { type Column, StreamingTable } from './table.ts';
import { formatAge } from './units.ts';

const MS_PER_SECOND = 1000;

const MARKS_HELP = '> best  = multipath  * eligible  x not eligible  S stale';

/** `>`, `=`, `*` or `x`, then `S` for a stale path. */
export function marks(route: RouteView): string {
  const rank = route.best ? '>' : route.multipath ? '=' : route.eligible ? '*' : 'x';
  return route.stale ? `${rank}S` : rank;
}

function markPaint(route: RouteView, { style }: Look): Paint {
  if (!route.eligible) return style.bad;
  if (route.stale) return style.warn;
  return route.best || route.multipath ? style.good : style.dim;
}

function prefixText(route: RouteView): string {
  return route.pathId === 0 ? route.prefix : `${route.prefix} (id ${route.pathId})`;
}

const optional = (value: number | undefined): string => (value === undefined ? '-' : String(value));

function routeColumns(now: number): Column<RouteView>[] {
  return [
    { title: '', value: marks, paint: markPaint },
    { title: 'PREFIX', value: prefixText },
    { title: 'NEXT HOP', value: nextHopText },
    { title: 'PEER', value: (route) => route.peer },
    { title: 'LOCPREF', align: 'right', value: (route) => optional(route.attributes.localPref) },
    { title: 'MED', align: 'right', value: (route) => optional(route.attributes.med) },
    { title: 'AGE', align: 'right', value: (route) => formatAge(now - route.since * MS_PER_SECOND) },
    { title: 'AS PATH', flexible: true, value: pathText },
  ];
}

function nextHopText(route: RouteView): string {
  return route.nextHopReachable ? route.nextHop : `${route.nextHop} (unreachable)`;
}

const ORIGIN_MARK = { IGP: 'i', EGP: 'e', INCOMPLETE: '?' } as const;

function pathText({ attributes }: RouteView): string {
  const origin = attributes.origin === undefined ? '' : ORIGIN_MARK[attributes.origin];
  return [attributes.asPath, origin].filter((part) => part !== '').join(' ');
}

/** Renders routes one by one. */
export interface RouteList {
  add(route: RouteView): string;
  end(): string;
}

export function routeTable(look: Look): RouteList {
  const table = new StreamingTable(routeColumns(look.now), look);
  // Scripts count lines: only a person gets the legend.
  const legend = look.width === undefined ? '' : `${look.style.dim(MARKS_HELP)}\n`;
  return { add: (route) => table.add(route), end: () => table.end() + legend };
}

/** One block a path, with everything that is known of it. */
export function routeBlocks(look: Look): RouteList {
  return { add: (route) => renderRouteBlock(route, look), end: () => '' };
}

/** The head line of a path and its attributes, indented by `indent` columns. */
export function renderRouteBlock(route: RouteView, look: Look, indent = 0, place = ''): string {
  const margin = ' '.repeat(indent);
  const mark = markPaint(route, look)(marks(route));
  const from = route.peerAddress === undefined ? route.peer : `${route.peer} (${route.peerAddress})`;
  const age = formatAge(look.now - route.since * MS_PER_SECOND);
  const head = `${margin}${mark} ${look.style.bold(prefixText(route))} from ${safeText(from)}, ${age} old${place}\n`;
  const metric = route.igpMetric === undefined ? '' : `, metric ${route.igpMetric}`;
  const fields: Field[] = [
    ['Reason', route.stale ? `${route.reason} (stale)` : route.reason],
    ['Next hop', `${nextHopText(route)}${metric}`],
    ...attributeFields(route.attributes),
  ];
  return head + renderFields(fields, look, indent + 4);
}

/** The attributes that are there, in the order of their type codes. */
export function attributeFields(attributes: AttributesView): Field[] {
  const words = (values: readonly string[]) => (values.length === 0 ? undefined : values.join(' '));
  const text = (value: number | undefined) => (value === undefined ? undefined : String(value));
  return [
    ['Origin', attributes.origin],
    ['AS path', attributes.asPath === '' ? '(empty)' : attributes.asPath],
    ['MED', text(attributes.med)],
    ['Local pref', text(attributes.localPref)],
    ['Aggregate', attributes.atomicAggregate ? 'atomic' : undefined],
    ['Aggregator', attributes.aggregator],
    ['Communities', words(attributes.communities)],
    ['Originator', attributes.originatorId],
    ['Cluster list', words(attributes.clusterList)],
    ['Ext. communities', words(attributes.extendedCommunities)],
    ['AIGP', attributes.aigp],
    ['Large communities', words(attributes.largeCommunities)],
    ['Only to customer', text(attributes.onlyToCustomer)],
    ['Unknown', attributes.unknown],
  ];
}
