// Routes as `show route` lists them. bird2 names the table, the destination's kind and each next hop on a line of its
// own; bird1 has one line a route. A prefix is shown with its first route only.

import type { AttributeValues } from '../../../bgp/wire/attribute-values.ts';
import type { RouteHop, TableRoute } from '../../../speaker/api/tables.ts';
import { CODE, type Line, line } from '../reply.ts';
import type { Style } from '../style.ts';
import { attributeLines, givenLines } from './attributes.ts';
import type { TimeWriter } from './times.ts';

const NET_WIDTH = 20;
const NET_WIDTH_1 = 18;
/** Routes whose type 1.6 names with the kind of cast. */
const ORIGIN_LETTERS = { IGP: 'i', EGP: 'e', INCOMPLETE: '?' } as const;

export interface RouteWriterOptions {
  readonly style: Style;
  readonly details: boolean;
  readonly times: TimeWriter;
}

/** Writes the routes of one table after the other. */
export class RouteWriter {
  readonly #options: RouteWriterOptions;
  #net = '';
  #table = '';

  constructor(options: RouteWriterOptions) {
    this.#options = options;
  }

  *write(route: TableRoute): Iterable<Line> {
    const { style, details } = this.#options;
    if (style === 'json') {
      yield line(CODE.route, JSON.stringify(route));
      return;
    }
    const repeated = route.net === this.#net && route.table === this.#table;
    this.#net = route.net;
    this.#table = route.table;
    const net = repeated ? '' : route.net;
    if (style === 'bird1') yield* this.#write1(route, net);
    else yield* this.#write2(route, net);
    if (details) yield* detailLines(route, style);
  }

  *#write1(route: TableRoute, net: string): Iterable<Line> {
    const { hops } = route;
    const [first] = hops;
    const several = hops.length > 1;
    const target = several
      ? 'multipath'
      : route.destination !== 'unicast'
        ? route.destination
        : first === undefined
          ? 'dev ???'
          : viaText(first);
    yield line(CODE.route, `${net.padEnd(NET_WIDTH_1)} ${target} ${this.#tail(route)}`);
    if (!several) return;
    for (const hop of hops) yield line(CODE.route, `\t${viaText(hop)} weight ${hop.weight ?? 1}`);
  }

  *#write2(route: TableRoute, net: string): Iterable<Line> {
    const kind = route.destination === 'none' ? '' : route.destination;
    yield line(CODE.route, `${net.padEnd(NET_WIDTH)} ${kind} ${this.#tail(route)}`);
    if (route.destination !== 'unicast') return;
    for (const hop of route.hops) {
      const onlink = hop.onlink ? ' onlink' : '';
      const weight = hop.weight === undefined || hop.gateway === undefined ? '' : ` weight ${hop.weight}`;
      yield line(CODE.route, `\t${viaText(hop)}${onlink}${weight}`);
    }
  }

  /** `[protocol time from X] * (100/0) [AS64512i]` */
  #tail(route: TableRoute): string {
    const { style, times } = this.#options;
    const from = route.from === undefined ? '' : ` from ${route.from}`;
    const mark = route.kernelProblem ? ' !' : route.primary ? ' *' : '';
    const since = times.write('route', route.since);
    return `[${route.protocol} ${since}${from}]${mark} ${preference(route, style)}${lastAs(route)}`;
  }
}

function viaText({ gateway, interface: name }: RouteHop): string {
  if (gateway === undefined) return `dev ${name ?? '???'}`;
  return `via ${gateway}${name === undefined ? '' : ` on ${name}`}`;
}

/** 1.6 shows a BGP route's metric in any case, 2.x where the route leads somewhere and it is not 0. */
function preference(route: TableRoute, style: Style): string {
  const { igpMetric, bgp } = route;
  const flags = `${route.suppressed ? '-' : ''}${route.stale ? 's' : ''}`;
  const base = `${route.preference}${flags}`;
  if (bgp === undefined) return `(${base})`;
  if (igpMetric === 'unknown') return `(${base}/?)`;
  if (igpMetric === 'unreachable') return style === 'bird1' ? `(${base}/-)` : `(${base})`;
  return igpMetric === undefined || (style !== 'bird1' && igpMetric === 0)
    ? `(${base})`
    : `(${base}/${igpMetric})`;
}

function lastAs({ bgp }: TableRoute): string {
  if (bgp === undefined) return '';
  const { asPath, origin } = bgp.attributes;
  const last = originAs(asPath);
  return ` [${last === undefined ? '' : `AS${last}`}${ORIGIN_LETTERS[origin ?? 'INCOMPLETE']}]`;
}

/** The last AS, members of a confederation included; none after a set. */
function originAs(asPath: AttributeValues['asPath']): string | undefined {
  return /(\d+)\)?$/.exec(asPath)?.[1];
}

function* detailLines(route: TableRoute, style: Style): Iterable<Line> {
  const cast = style === 'bird1' ? ' unicast' : '';
  yield line(CODE.routeDetails, `\tType: ${route.origin}${cast} univ`);
  const { bgp, given, emptied } = route;
  if (bgp)
    for (const text of attributeLines(bgp.attributes, bgp.nextHops, style, emptied))
      yield line(CODE.attributes, text);
  if (given)
    for (const text of givenLines(given.attributes, given.nextHops, style, emptied))
      yield line(CODE.attributes, text);
  for (const { name, value } of route.kernel) yield line(CODE.attributes, `\tKernel.${name}: ${value}`);
  for (const { name, value } of route.custom ?? []) yield line(CODE.attributes, `\t${name}: ${value}`);
}
