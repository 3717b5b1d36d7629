// A filter as the RIB's policy: it lends the filter one route after the other, attribute sets where they stand and the
// rest from the RIB's columns, and interns what the filter makes of them. BIRD 1.6 runs export filters after the
// protocol has rewritten a route, 2.x before; whatever is not a path attribute is kept with the set by an import filter
// (rib/route-extras.ts) and forgotten after an export filter.

import { findAttribute } from '../bgp/wire/attribute-set.ts';
import { ATTRIBUTE } from '../bgp/wire/iana.ts';
import { bytesEqual, optionalBytesEqual } from '../lib/bytes.ts';
import { isLinkLocal } from '../lib/ip.ts';
import type { AttrStore } from '../rib/attr-store.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import { type NextHopTable, UNKNOWN_METRIC } from '../rib/next-hops.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import {
  EXPLICIT,
  type ExtrasTable,
  type ExtraValue,
  NO_EXTRAS,
  plainExtras,
  type RouteDestination,
  type RouteExtras,
  type RouteOrigin,
} from '../rib/route-extras.ts';
import type { RoutePolicy } from '../rib/route-policy.ts';
import { AttributeAccess, bgpRouteFacts, type RouteFacts } from './attribute-access.ts';
import { type Explanation, type Filter, OUTCOME } from './filter.ts';
import type { Dialect } from './lexer.ts';
import { OutcomeMemo } from './outcome-memo.ts';
import type { FilterLinks } from './route-facts.ts';

/** import: also of routes that are not BGP's; kernel: what it sets is read by whoever writes to the kernel. */
export type FilterUseKind = 'import' | 'export' | 'kernel';

/** RTS_* */
const SOURCES: Readonly<Record<RouteOrigin, number>> = { bgp: 11, static: 1, device: 3, kernel: 2, pipe: 12 };
/** As BIRD names the first instance of a protocol. */
const PROTOCOLS: Readonly<Record<RouteOrigin, string>> = {
  bgp: '',
  static: 'static1',
  device: 'direct1',
  kernel: 'kernel1',
  pipe: 'pipe1',
};
/** RTD_* */
const DESTINATIONS: readonly RouteDestination[] = [
  'unicast',
  'unicast',
  'blackhole',
  'unreachable',
  'prohibit',
];
const FLEETING_16: readonly string[] = ['krt_metric', 'krt_source'];
const RTD_ROUTER_16 = 0;
const RTD_UNICAST = 1;

/** Routes that share an attribute set, came from one peer and are looked at one after the other. */
interface Turn {
  rib: FamilyRib | undefined;
  attr: number;
  from: RibPeer | undefined;
  inTable: number;
}

export class FilterPolicy implements RoutePolicy {
  readonly name: string;
  readonly key: string;
  readonly afterRewrite: boolean;
  readonly filter: Filter;
  readonly #kind: FilterUseKind;
  readonly #links: FilterLinks | undefined;
  readonly #perPrefix: boolean;
  readonly #readsLink: boolean;
  readonly #readsMetric: boolean;
  readonly #namesGateway: boolean;
  /** It can change what is not a path attribute. */
  readonly #writesBeside: boolean;
  readonly #writesLink: boolean;
  readonly #access = new AttributeAccess();
  readonly #facts: RouteFacts = bgpRouteFacts('', undefined, undefined);
  readonly #words = new Int32Array(4);
  /** That of the route at hand before the filter has seen it. */
  #ifname = '';
  #explicitTable: ExtrasTable | undefined;
  readonly #explicitIds: number[] = [];
  readonly #memo: OutcomeMemo | undefined;
  /** What the memo is of; its sets are held while there is a `rib`. */
  readonly #turn: Turn = { rib: undefined, attr: 0, from: undefined, inTable: 0 };

  /** `edition`: of what the filter asks beside the route; another one makes another policy of the same filter. */
  constructor(filter: Filter, kind: FilterUseKind, links?: FilterLinks, edition = 0) {
    this.filter = filter;
    this.name = filter.name ?? 'unnamed';
    this.key = edition === 0 ? filter.key : `${filter.key} ${edition}`;
    this.afterRewrite = kind === 'export' && filter.dialect === '1.6';
    this.#kind = kind;
    const { facts } = filter;
    const reads = new Set([...facts.reads].map((attribute) => attribute.name));
    this.#perPrefix = facts.dependsOnPrefix || facts.prints || facts.tables.size > 0;
    this.#readsLink = reads.has('ifname') || reads.has('ifindex');
    this.#readsMetric = reads.has('igp_metric');
    this.#namesGateway = [...facts.reads, ...facts.writes].some(({ name }) => name === 'gw');
    this.#writesBeside = [...facts.writes].some((attribute) => attribute.home !== 'path');
    this.#writesLink = [...facts.writes].some((attribute) => attribute.name === 'ifname');
    this.#links = this.#readsLink ? links : undefined;
    this.#facts.links = links;
    this.#memo = filter.hasFewOutcomes ? new OutcomeMemo() : undefined;
  }

  dependsOnPrefix(): boolean {
    return this.#perPrefix;
  }

  apply(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): number {
    const { trivial } = this.filter;
    if (trivial === 'reject') return 0;
    if (trivial === 'accept') {
      rib.shared.attrs.hold(attr);
      return attr;
    }
    const access = this.#load(rib, prefixId, attr, from, inTable);
    return this.filter.evaluate(access) === OUTCOME.accept ? this.#result(rib, attr, inTable) : 0;
  }

  applyInTurn(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): number {
    const memo = this.#memo;
    if (memo === undefined) return this.apply(rib, prefixId, attr, from, inTable);
    const { attrs } = rib.shared;
    this.#begin(rib, attr, from, inTable);
    this.#setNet(rib, prefixId);
    const known = this.filter.recall(this.#access, memo);
    if (known !== undefined) {
      if (known !== 0) attrs.hold(known);
      return known;
    }
    const outcome = this.filter.evaluate(this.#load(rib, prefixId, attr, from, inTable), memo);
    const result = outcome === OUTCOME.accept ? this.#result(rib, attr, inTable) : 0;
    if (outcome !== OUTCOME.failed && memo.keep(result) && result !== 0) attrs.hold(result);
    return result;
  }

  settle(): void {
    const turn = this.#turn;
    const memo = this.#memo;
    if (turn.rib === undefined || memo === undefined) return;
    const { attrs } = turn.rib.shared;
    attrs.release(turn.attr);
    attrs.release(turn.inTable);
    for (let i = 0; i < memo.size; i++) if (memo.outcome(i) !== 0) attrs.release(memo.outcome(i));
    memo.clear();
    turn.rib = undefined;
    turn.from = undefined;
  }

  /** What was remembered of another set, or of the same from another peer, goes. */
  #begin(rib: FamilyRib, attr: number, from: RibPeer, inTable: number): void {
    const turn = this.#turn;
    if (turn.attr === attr && turn.from === from && turn.inTable === inTable && turn.rib === rib) return;
    this.settle();
    rib.shared.attrs.hold(attr);
    rib.shared.attrs.hold(inTable);
    turn.rib = rib;
    turn.attr = attr;
    turn.from = from;
    turn.inTable = inTable;
  }

  /** apply, with a record of what the filter did; `attr` is held as there. */
  explain(
    rib: FamilyRib,
    prefixId: number,
    attr: number,
    from: RibPeer,
    inTable: number,
  ): { readonly attr: number; readonly explanation: Explanation } {
    const access = this.#load(rib, prefixId, attr, from, inTable);
    const explanation = this.filter.explain(access);
    const accepted = explanation.outcome === OUTCOME.accept;
    return { attr: accepted ? this.#result(rib, attr, inTable) : 0, explanation };
  }

  /** The set as the filter leaves it, held once, whether or not the route passes; nothing is printed. */
  leave(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): number {
    this.filter.explain(this.#load(rib, prefixId, attr, from, inTable));
    return this.#result(rib, attr, inTable);
  }

  #load(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): AttributeAccess {
    const { attrs, nextHops } = rib.shared;
    const extras = attrs.extrasTable.get(attrs.extras[attr]!);
    fill(this.#facts, extras, from, this.filter.dialect);
    const isBgp = extras.origin === 'bgp';
    const nextHopId = attrs.nextHop[inTable]!;
    const bare = !isBgp && !this.afterRewrite;
    const bgpNextHop = addressOf(nextHops.get(attrs.nextHop[attr]!).address);
    // That internal peers are told the gateway of a route is nothing that the route has.
    const isOwn = bgpNextHop !== undefined && !(bare && optionalBytesEqual(bgpNextHop, extras.gateway));
    this.#facts.bgpNextHop = isOwn ? bgpNextHop : undefined;
    if (isBgp) {
      this.#facts.gw = extras.gateway ?? this.#gatewayOf(nextHops, nextHopId);
      this.#facts.defaultLocalPref = attrs.localPref[attr];
      const follows = extras.interface === undefined && extras.destination === 'unicast';
      if (this.#links !== undefined && follows) {
        const link = this.#links.linkOf(nextHopId);
        this.#facts.ifname = link?.name ?? '';
        this.#facts.ifindex = link?.index ?? 0;
      }
    }
    let { values } = extras;
    if (this.#readsMetric && isBgp && !values.has('igp_metric')) {
      const metric = nextHops.metric[nextHopId]!;
      if (metric !== UNKNOWN_METRIC) values = new Map([...values, ['igp_metric', metric]]);
    }
    this.#ifname = this.#facts.ifname;
    this.#setNet(rib, prefixId);
    return this.#access.load(
      attrs.bytes,
      attrs.offset(attr),
      attrs.length(attr),
      this.#facts,
      values,
      extras.hollow,
      bare,
    );
  }

  #setNet({ prefixes, family }: FamilyRib, prefixId: number): void {
    const stride = family.words === 1 ? 1 : 4;
    const first = prefixes.wordsAt(prefixId);
    for (let i = 0; i < stride; i++) this.#words[i] = prefixes.records[first + i]!;
    this.#access.setNet(this.#words, prefixes.bits(prefixId), stride);
  }

  /** Interns what an accepted route has become. */
  #result(rib: FamilyRib, attr: number, inTable: number): number {
    const { attrs, nextHops } = rib.shared;
    const access = this.#access;
    const before = attrs.nextHop[attr]!;
    const after = access.facts.bgpNextHop ?? this.#followingNextHop(rib, attr);
    // Before the extras are looked at: what became empty of the set is in them.
    const edited = access.changed ? access.edited() : undefined;
    // A next hop that is the same octets keeps its interface and its link-local companion.
    const wanted = after === undefined || bytesEqual(after, nextHops.get(before).address) ? undefined : after;
    const extras =
      this.#kind === 'export' ? this.#explicitOnly(rib, attr) : this.#changedExtras(rib, attr, inTable);
    if (wanted === undefined && edited === undefined && extras === undefined) {
      attrs.hold(attr);
      return attr;
    }
    const nextHop = wanted === undefined ? before : this.#internNextHop(nextHops, wanted, before);
    const beside = extras ?? attrs.extras[attr]!;
    const result =
      edited === undefined
        ? attrs.internViewed(attrs.view, attrs.offset(attr), attrs.length(attr), nextHop, beside)
        : attrs.internViewed(edited.view, 0, edited.length, nextHop, beside);
    if (wanted !== undefined) nextHops.release(nextHop);
    if (extras !== undefined) attrs.extrasTable.release(extras);
    return result;
  }

  /** What `gw` is unless it is set: the next hop, or the peer where that is the way. */
  #gatewayOf(nextHops: NextHopTable, id: number): Uint8Array | undefined {
    const { address, fallback } = nextHops.get(id);
    const mayBePeer = this.#namesGateway && fallback !== undefined;
    return addressOf((mayBePeer ? this.#facts.links?.gatewayOf(id) : undefined) ?? address);
  }

  /** Held. Another next hop does not make a route lead elsewhere than to the peer. */
  #internNextHop(nextHops: NextHopTable, octets: Uint8Array, before: number): number {
    const { domain, fallback } = nextHops.get(before);
    const peer = this.#kind === 'export' ? undefined : fallback;
    return nextHops.intern(octets, octets.length, undefined, domain, 'global', peer);
  }

  /** Where peers are told the gateway of an own route, they are told that which an import filter has set. */
  #followingNextHop({ shared }: FamilyRib, attr: number): Uint8Array | undefined {
    const { attrs, nextHops } = shared;
    const extras = attrs.extras[attr]!;
    if (!this.#writesBeside || this.#kind === 'export' || extras === NO_EXTRAS) return undefined;
    const { gateway } = attrs.extrasTable.get(extras);
    const told = nextHops.get(attrs.nextHop[attr]!).address;
    const { gw } = this.#access.facts;
    if (gateway === undefined || !bytesEqual(gateway, told) || optionalBytesEqual(gw, gateway))
      return undefined;
    return gw === undefined || isLinkLocal(gw) ? new Uint8Array(told.length) : gw;
  }

  /** Held; undefined where nothing is to be told of. */
  #explicitOnly({ shared }: FamilyRib, attr: number): number | undefined {
    const { explicit, changed, hollow } = this.#access;
    const { attrs } = shared;
    if (explicit === 0 && !changed) return undefined;
    const table = attrs.extrasTable;
    const inTable = attrs.extras[attr]!;
    const all = inTable === NO_EXTRAS ? explicit : explicit | table.get(inTable).explicit;
    if (hollow !== 0) return table.intern({ ...plainExtras('bgp'), explicit: all, hollow });
    if (all === 0) return inTable === NO_EXTRAS ? undefined : NO_EXTRAS;
    if (table !== this.#explicitTable) {
      // Few bundles, needed for every route: they stay.
      this.#explicitTable = table;
      this.#explicitIds.length = 0;
    }
    this.#explicitIds[all] ??= table.intern({ ...plainExtras('bgp'), explicit: all });
    table.hold(this.#explicitIds[all]);
    return this.#explicitIds[all];
  }

  /** Held; undefined where the filter left everything as it was. */
  #changedExtras(rib: FamilyRib, attr: number, inTable: number): number | undefined {
    const { attrs, nextHops } = rib.shared;
    const access = this.#access;
    if (!this.#writesBeside && !access.changed) return undefined;
    const { facts, hollow } = access;
    const old = attrs.extrasTable.get(attrs.extras[attr]!);
    const explicit = old.origin === 'bgp' || !access.changed ? old.explicit : loneMed(access, attrs, attr);
    if (!this.#writesBeside && hollow === old.hollow && explicit === old.explicit) return undefined;
    const gateway = this.#gatewayOf(nextHops, attrs.nextHop[inTable]!);
    const changes: { -readonly [K in keyof RouteExtras]?: RouteExtras[K] } = {};
    if (facts.preference !== old.preference) changes.preference = facts.preference;
    if (facts.scope !== old.scope) changes.scope = facts.scope;
    if (facts.weight !== old.weight) changes.weight = facts.weight;
    if (facts.onlink !== old.onlink) changes.onlink = facts.onlink;
    const destination = DESTINATIONS[facts.dest] ?? 'unicast';
    if (destination !== old.destination) changes.destination = destination;
    if (facts.gw !== undefined && facts.gw !== old.gateway && !optionalBytesEqual(facts.gw, gateway)) {
      changes.gateway = facts.gw;
      changes.destination = 'unicast';
      changes.interface = facts.ifname || undefined;
    }
    if (this.#writesLink && facts.gw === undefined && facts.ifname !== '') {
      changes.gateway = undefined;
      changes.interface = facts.ifname;
    }
    this.#addNames(changes, old, facts);
    if (access.extendedChanged) changes.values = this.#lasting(access.extended, old.origin);
    if (hollow !== old.hollow) changes.hollow = hollow;
    if (explicit !== old.explicit) changes.explicit = explicit;
    if (Object.keys(changes).length === 0) return undefined;
    return attrs.extrasTable.intern({ ...old, ...changes });
  }

  /** In 1.6 two of the kernel's attributes are no longer than the filter that sets them, unless the kernel has the route. */
  #lasting(values: ReadonlyMap<string, ExtraValue>, origin: RouteOrigin): ReadonlyMap<string, ExtraValue> {
    if (this.#kind !== 'import' || origin === 'kernel' || this.filter.dialect !== '1.6') return values;
    if (!FLEETING_16.some((name) => values.has(name))) return values;
    return new Map([...values].filter(([name]) => !FLEETING_16.includes(name)));
  }

  #addNames(
    changes: { -readonly [K in keyof RouteExtras]?: RouteExtras[K] },
    old: RouteExtras,
    facts: RouteFacts,
  ): void {
    for (const { name } of this.filter.facts.writes) {
      if (name === 'ifname' && facts.ifname !== this.#ifname) changes.interface = facts.ifname || undefined;
      if (name === 'from' && !optionalBytesEqual(facts.from, old.from)) changes.from = facts.from;
    }
  }
}

/** As BIRD 2 has it: the MED of an own route that was given nothing else, and not another MED before. */
function loneMed(access: AttributeAccess, attrs: AttrStore, attr: number): number {
  const before = findAttribute(attrs.bytes, attrs.offset(attr), attrs.length(attr), ATTRIBUTE.multiExitDisc);
  return before < 0 && access.hasOnly(ATTRIBUTE.multiExitDisc) ? EXPLICIT.med : 0;
}

/** What every route has, from where it comes; a BGP route's next hop is filled in later. */
function fill(facts: RouteFacts, extras: RouteExtras, from: RibPeer, dialect: Dialect): void {
  const isBgp = extras.origin === 'bgp';
  facts.proto = extras.protocol ?? (isBgp ? from.name : PROTOCOLS[extras.origin]);
  facts.source = SOURCES[extras.origin];
  facts.scope = extras.scope;
  facts.preference = extras.preference;
  facts.from = extras.from ?? (isBgp ? from.address : undefined);
  facts.gw = extras.gateway;
  facts.dest = destinationCode(extras, dialect);
  facts.ifname = extras.interface ?? '';
  facts.ifindex = 0;
  facts.weight = extras.weight;
  facts.onlink = extras.onlink;
  facts.defaultLocalPref = undefined;
}

function destinationCode({ destination, origin, gateway }: RouteExtras, dialect: Dialect): number {
  if (destination !== 'unicast') return DESTINATIONS.indexOf(destination);
  return dialect === '1.6' && (origin === 'bgp' || gateway !== undefined) ? RTD_ROUTER_16 : RTD_UNICAST;
}

function addressOf(address: Uint8Array): Uint8Array | undefined {
  for (const octet of address) if (octet !== 0) return address;
  return undefined;
}
