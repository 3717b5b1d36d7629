// The RIB's naive twin: maps of plain objects, everything computed anew from RFC 4271 §9 each time it is asked.
// Export rules are written on readable values, not on octets, so nothing is shared with what it checks.

import type { AttributeValues } from '../../src/bgp/wire/attribute-values.ts';
import { formatQuad } from '../../src/lib/ip.ts';
import { OWN_AS, OWN_ID, routeText } from './lab.ts';

export interface NaivePeer {
  readonly name: string;
  readonly source: 'local' | 'external' | 'internal';
  readonly routerId: number;
  /** Compared as text of equal width. */
  readonly address: string;
  readonly client: boolean;
  importPolicy: 'accept' | 'reject';
}

export interface NaiveRoute {
  readonly from: NaivePeer;
  readonly pathId: number;
  readonly attributes: Partial<AttributeValues>;
  readonly nextHop: string;
}

export interface NaiveExport {
  readonly to: NaivePeer;
  readonly policy: 'accept' | 'reject';
  readonly sendCommunities: boolean;
  readonly interpretCommunities: boolean;
  readonly nextHopSelf: boolean;
  readonly ownNextHop: string;
  /** 1 without ADD-PATH. */
  readonly paths: number;
  /** Of what it may have, only the first. */
  readonly firstOnly: boolean;
}

export interface NaiveNextHop {
  reachable: boolean;
  metric: number;
}

const ORIGINS = ['IGP', 'EGP', 'INCOMPLETE'];

export class NaiveRib {
  /** prefix -> `peer#pathId` -> route */
  readonly routes = new Map<string, Map<string, NaiveRoute>>();
  readonly nextHops = new Map<string, NaiveNextHop>();
  readonly #alwaysCompareMed: boolean;

  constructor(alwaysCompareMed: boolean) {
    this.#alwaysCompareMed = alwaysCompareMed;
  }

  announce(prefix: string, route: NaiveRoute): void {
    let paths = this.routes.get(prefix);
    if (paths === undefined) {
      paths = new Map();
      this.routes.set(prefix, paths);
    }
    paths.set(`${route.from.name}#${route.pathId}`, route);
  }

  withdraw(prefix: string, from: NaivePeer, pathId: number): void {
    this.routes.get(prefix)?.delete(`${from.name}#${pathId}`);
  }

  drop(peer: NaivePeer): void {
    for (const paths of this.routes.values()) {
      for (const [key, route] of paths) if (route.from === peer) paths.delete(key);
    }
  }

  nextHop(address: string): NaiveNextHop {
    let state = this.nextHops.get(address);
    if (state === undefined) {
      state = { reachable: true, metric: 0 };
      this.nextHops.set(address, state);
    }
    return state;
  }

  /** Eligible routes, best first. */
  ranked(prefix: string): NaiveRoute[] {
    const left = [...(this.routes.get(prefix)?.values() ?? [])].filter((route) => this.#eligible(route));
    const ranked: NaiveRoute[] = [];
    while (left.length > 0) {
      const best = this.#best(left);
      ranked.push(best);
      left.splice(left.indexOf(best), 1);
    }
    return ranked;
  }

  /** What a peer should have: prefix -> the texts of its routes, sorted. */
  table(view: NaiveExport): Map<string, string[]> {
    const table = new Map<string, string[]>();
    for (const prefix of this.routes.keys()) {
      const texts: string[] = [];
      for (const route of this.ranked(prefix).slice(0, view.paths)) {
        const text = exported(route, view);
        if (text !== undefined && !(view.firstOnly && texts.length > 0)) texts.push(text);
      }
      if (texts.length > 0) table.set(prefix, texts.sort());
    }
    return table;
  }

  #eligible(route: NaiveRoute): boolean {
    const looped = (route.attributes.asPath ?? '').split(' ').includes(String(OWN_AS));
    return !looped && route.from.importPolicy === 'accept' && this.nextHop(route.nextHop).reachable;
  }

  #best(routes: readonly NaiveRoute[]): NaiveRoute {
    let left = [...routes];
    const keep = (key: (route: NaiveRoute) => number | string) => {
      const keys = left.map(key).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      left = left.filter((route) => key(route) === keys[0]);
    };
    keep((route) => -(route.attributes.localPref ?? 100));
    keep((route) => (route.from.source === 'local' ? 0 : 1));
    keep((route) => ases(route).length);
    keep((route) => ORIGINS.indexOf(route.attributes.origin ?? 'IGP'));
    const med = (route: NaiveRoute) => route.attributes.med ?? 0;
    const before = left;
    left = before.filter(
      (route) =>
        !before.some(
          (other) => (this.#alwaysCompareMed || ases(other)[0] === ases(route)[0]) && med(other) < med(route),
        ),
    );
    keep((route) => (route.from.source === 'internal' ? 1 : 0));
    keep((route) => this.nextHop(route.nextHop).metric);
    keep((route) => (route.attributes.originatorId === undefined ? route.from.routerId : quadOf(route)));
    keep((route) => route.attributes.clusterList?.length ?? 0);
    keep((route) => route.from.address);
    keep((route) => route.pathId);
    return left[0]!;
  }
}

function ases(route: NaiveRoute): string[] {
  return (route.attributes.asPath ?? '').split(' ').filter((as) => as !== '');
}

function quadOf(route: NaiveRoute): number {
  return (route.attributes.originatorId ?? '').split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function exported(route: NaiveRoute, view: NaiveExport): string | undefined {
  const { from } = route;
  const { to } = view;
  if (from === to || view.policy === 'reject') return undefined;
  const values: Partial<AttributeValues> = { ...route.attributes };
  const communities = (view.interpretCommunities && values.communities) || [];
  if (communities.includes('NO_ADVERTISE')) return undefined;
  let self = view.nextHopSelf;
  if (to.source === 'external') {
    if (communities.includes('NO_EXPORT')) return undefined;
    values.asPath = `${OWN_AS} ${values.asPath ?? ''}`.trim();
    if (from.source !== 'local') values.med = undefined;
    values.localPref = undefined;
    values.originatorId = undefined;
    values.clusterList = [];
    self = true;
  } else {
    if (from.source === 'internal' && !from.client && !to.client) return undefined;
    values.localPref ??= 100;
    if (from.source === 'internal') {
      values.originatorId ??= formatQuad(from.routerId);
      values.clusterList = [formatQuad(OWN_ID), ...(values.clusterList ?? [])];
    }
  }
  if (!view.sendCommunities) values.communities = [];
  return routeText(self ? view.ownNextHop : route.nextHop, values);
}
