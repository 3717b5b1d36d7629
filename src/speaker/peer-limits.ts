// The route limits of one peer at work: what counts against each, what happens when one route more comes than it
// allows (RFC 4271 §6.7, RFC 4486 §4), and which were hit since the session came up. A message is counted when it has
// been applied; where a limit blocks, the tables ask on their way (rib/blocked-import.ts, rib/export-limit.ts).

import type { CeaseOptions } from '../bgp/session/cease.ts';
import { CEASE } from '../bgp/wire/error-codes.ts';
import { FAMILIES, type Family, familyByName } from '../bgp/wire/families.ts';
import type { LimitAction, LimitsConfig, RouteLimit, RouteLimits } from '../config/model/limits.ts';
import type { Logger } from '../lib/log.ts';
import type { ExportLimit } from '../rib/export-limit.ts';
import { countAccepted, countReceived, NO_LIMIT, type RibPeer, type RouteBlocks } from '../rib/rib-peer.ts';

export const LIMIT_KINDS = ['received', 'accepted', 'exported'] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** A limit as it stands. */
export interface LimitState {
  readonly family: Family;
  readonly kind: LimitKind;
  readonly routes: number;
  readonly action: LimitAction;
  /** Since the session came up, or the limit was changed. */
  readonly hit: boolean;
}

export interface LimitTools {
  readonly name: string;
  readonly log: Logger;
  /** Calls back when what is under way is done. */
  readonly defer: (fn: () => void) => void;
  /** Routes that the peer is sent now. */
  readonly exported: (family: Family) => number;
  /** Asks the peer for its routes again; false where it cannot be asked. */
  readonly ask: (family: Family) => boolean;
  /** Routes of the peer are there that a limit has rejected. */
  readonly keptBack: () => boolean;
  /** Ends the session; `forGood`: until somebody starts it. */
  readonly end: (cease: CeaseOptions, forGood: boolean) => void;
}

interface Entry {
  readonly family: Family;
  readonly kind: LimitKind;
  /** What is counted. */
  readonly counts: LimitKind;
  readonly limit: RouteLimit;
  hit: boolean;
}

export class PeerLimits implements RouteBlocks {
  readonly #tools: LimitTools;
  #entries: Entry[] = [];
  #incoming: Entry[] = [];
  #ribPeer: RibPeer | undefined;
  #reviewing = false;
  /** Families of which routes were not taken in this session, and not asked for since. */
  readonly #missed = new Set<Family>();
  received: readonly number[] = [];
  accepted: readonly number[] = [];

  constructor(limits: LimitsConfig, tools: LimitTools) {
    this.#tools = tools;
    this.use(limits);
  }

  /** Limits from now on; those that are exceeded already are hit at once. */
  use(limits: LimitsConfig): void {
    const before = this.received;
    this.#entries = LIMIT_KINDS.flatMap((kind) => entriesOf(kind, limits[kind]));
    this.#incoming = this.#entries.filter(({ kind }) => kind !== 'exported');
    this.received = this.#blocksOf('received');
    this.accepted = this.#blocksOf('accepted');
    if (this.#ribPeer === undefined) return;
    this.#attach(this.#ribPeer);
    for (const family of this.#missed) {
      if (this.received[family.id]! > before[family.id]!) this.#askFor(family);
    }
    this.reviewSoon();
  }

  /** There is room for what was not taken. */
  #askFor(family: Family): void {
    const { name, log, ask } = this.#tools;
    this.#missed.delete(family);
    if (ask(family)) return;
    log.info(
      { peer: name, family: family.name },
      `${name} cannot send its ${family.name} routes again: what the limit kept back comes with its next session`,
    );
  }

  /** A session is up: nothing was hit yet. */
  begin(ribPeer: RibPeer): void {
    for (const entry of this.#entries) entry.hit = false;
    this.#missed.clear();
    this.#attach(ribPeer);
  }

  /** The session is over; what was hit stays to be seen. */
  finish(): void {
    this.#ribPeer = undefined;
  }

  #attach(ribPeer: RibPeer): void {
    this.#ribPeer = ribPeer;
    const blocks = [...this.received, ...this.accepted].some((most) => most !== NO_LIMIT);
    ribPeer.blocks = blocks ? this : undefined;
  }

  states(): LimitState[] {
    return this.#entries.map(({ family, kind, limit, hit }) => ({ family, kind, ...limit, hit }));
  }

  /** Something was kept back that import would have to judge again. Looks at all rows. */
  get keptBack(): boolean {
    return this.#tools.keptBack();
  }

  /** After announcements of the peer. */
  review(): void {
    if (this.#incoming.length > 0) this.#reviewAll(this.#incoming);
  }

  /** After changes that do not come from the peer: sent routes, import done again. */
  reviewSoon(): void {
    if (this.#reviewing || this.#entries.length === 0) return;
    this.#reviewing = true;
    this.#tools.defer(() => {
      this.#reviewing = false;
      this.#reviewAll(this.#entries);
    });
  }

  #reviewAll(entries: readonly Entry[]): void {
    const ribPeer = this.#ribPeer;
    if (ribPeer === undefined) return;
    for (const entry of entries) {
      if (entry.hit || entry.limit.action === 'block') continue;
      const count = this.#count(entry, ribPeer);
      if (count > entry.limit.routes) this.#hit(entry, count);
      // The session may be over.
      if (this.#ribPeer !== ribPeer) return;
    }
  }

  #count({ counts, family, limit }: Entry, ribPeer: RibPeer): number {
    if (counts === 'exported') return this.#tools.exported(family);
    const counters = ribPeer.countersOf(family.id);
    return counts === 'received'
      ? countReceived(counters, limit.routes)
      : countAccepted(counters, limit.routes);
  }

  /** RouteBlocks: one was not taken. */
  blocked(familyId: number, counts: LimitKind): void {
    const ribPeer = this.#ribPeer;
    if (ribPeer === undefined) return;
    if (counts === 'received') this.#miss(familyId);
    for (const entry of this.#entries) {
      if (entry.hit || entry.limit.action !== 'block') continue;
      if (entry.counts !== counts || entry.family.id !== familyId) continue;
      const count = this.#count(entry, ribPeer);
      if (count >= entry.limit.routes) this.#hit(entry, count);
    }
  }

  #miss(familyId: number): void {
    const family = FAMILIES[familyId];
    if (family !== undefined) this.#missed.add(family);
  }

  #hit(entry: Entry, count: number): void {
    const { name, log, end } = this.#tools;
    const { family, kind, limit } = entry;
    const { routes, action } = limit;
    entry.hit = true;
    log.warn(
      { peer: name, family: family.name, limit: kind, routes, count, action },
      `the limit of ${routes} ${kind} ${family.name} routes of ${name} is exceeded: ${CONSEQUENCES[action][kind]}`,
    );
    if (action === 'warn' || action === 'block') return;
    end(ceaseFor(entry), action === 'disable');
  }

  /** For the peer's update groups. */
  exportLimit(family: Family): ExportLimit | undefined {
    const entry = this.#entries.find((each) => each.kind === 'exported' && each.family === family);
    if (entry === undefined) return undefined;
    const { routes, action } = entry.limit;
    const peerId = this.#ribPeer?.id;
    if (action !== 'block' || peerId === undefined) return { key: 'watched' };
    const blocked = () => this.blocked(family.id, 'exported');
    return { key: `${routes} to ${this.#tools.name}`, block: { routes, peerId, blocked } };
  }

  /** By family id: the most that are taken of what is counted so. */
  #blocksOf(counts: LimitKind): number[] {
    return FAMILIES.map(({ id }) => {
      const limits = this.#incoming.filter(
        (entry) => entry.counts === counts && entry.family.id === id && entry.limit.action === 'block',
      );
      return Math.min(NO_LIMIT, ...limits.map(({ limit }) => limit.routes));
    });
  }
}

function entriesOf(kind: LimitKind, limits: RouteLimits): Entry[] {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const family = familyByName(name);
    if (family === undefined) return [];
    return [{ family, kind, counts: limit.acceptedOnly === true ? 'accepted' : kind, limit, hit: false }];
  });
}

const ENDS = {
  restart: 'the session ends and is tried again after the error wait',
  disable: 'the session ends until the peer is started by hand',
} as const;
const CONSEQUENCES: Readonly<Record<LimitAction, Readonly<Record<LimitKind, string>>>> = {
  warn: {
    received: 'they are taken all the same',
    accepted: 'they are taken all the same',
    exported: 'they are sent all the same',
  },
  block: {
    received: 'further ones are not taken',
    accepted: 'further ones are rejected',
    exported: 'further ones are not sent',
  },
  restart: { received: ENDS.restart, accepted: ENDS.restart, exported: ENDS.restart },
  disable: { received: ENDS.disable, accepted: ENDS.disable, exported: ENDS.disable },
};

/** RFC 4486 §4: 6/1 with family and bound is about the peer's routes; own ones too many are this side's affair. */
function ceaseFor({ family, kind, limit }: Entry): CeaseOptions {
  const text = `the limit of ${limit.routes} ${kind} ${family.name} routes is exceeded`;
  if (kind === 'exported') {
    const subcode = limit.action === 'disable' ? CEASE.administrativeShutdown : CEASE.administrativeReset;
    return { subcode, text };
  }
  const data = new Uint8Array(CEASE_DATA.octets);
  const view = new DataView(data.buffer);
  view.setUint16(0, family.afi);
  view.setUint8(CEASE_DATA.safiAt, family.safi);
  view.setUint32(CEASE_DATA.boundAt, limit.routes);
  return { subcode: CEASE.maximumPrefixes, text, data };
}

/** RFC 4486 §4: AFI, SAFI and the bound. */
const CEASE_DATA = { octets: 7, safiAt: 2, boundAt: 3 } as const;
