// A peer as the RIB knows it: an id for the columns, what the decision compares, what import checks need, and
// counters. Sessions and configuration are elsewhere; the speaker makes and drops these.

import { isDeepStrictEqual } from 'node:util';
import { FAMILIES } from '../bgp/wire/families.ts';
import type { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import type { Role } from '../bgp/wire/session-context.ts';
import { bytesEqual } from '../lib/bytes.ts';
import { growUint8, growUint32 } from '../lib/columns.ts';
import type { FamilyRib } from './family-rib.ts';
import { MAIN_DOMAIN } from './next-hops.ts';
import type { PeerPolicy } from './route-policy.ts';

/** local: own networks and redistributed routes. */
export type RouteSource = 'local' | PeerKind;
/** confederation: another member AS of this speaker's confederation (RFC 5065). */
export type PeerKind = 'external' | 'internal' | 'confederation';

/** Codes of the `source` column, in the decision's order of preference (steps 4 and 9); the last two are one. */
export const SOURCE = { local: 0, external: 1, internal: 2, confederation: 3 } as const;
/** By code. */
export const SOURCES = Object.keys(SOURCE) as readonly RouteSource[];

/** Import checks and rewriting, fixed while a session lives but for the policy. */
export interface ImportOptions {
  /** Own ASes that count as a loop: the router's and the one shown to this peer. */
  readonly ownAses: Uint32Array;
  /** How often an own AS may stand in a path. */
  readonly allowOwnAs: number;
  readonly enforceFirstAs: boolean;
  readonly peerAs: number;
  /** RFC 9234: the local role. */
  readonly role: Role | undefined;
  /** RFC 8326: 65535:0 from an eBGP peer means local preference 0. */
  readonly gracefulShutdown: boolean;
  /** RFC 8326 §4: the session is about to end; its routes are the last resort. */
  readonly draining: boolean;
  /** Own addresses: a next hop equal to one is refused (RFC 4271 §5.1.3). */
  readonly ownAddresses: readonly Uint8Array[];
  /** The cluster that a client is in (RFC 4456 §7); of others it says nothing. */
  readonly clusterId: number;
  /**
   * Clusters that a route may not have come through; undefined = any of ours (RFC 4456 §8). BIRD looks at that of a client
   * alone, so that a reflector learns from another one of its cluster what a client has not told it.
   */
  readonly shunnedClusters?: readonly number[] | undefined;
  /** The own identifier that this peer was shown, where it is not the router's. */
  readonly shownId?: number | undefined;
  readonly policy: PeerPolicy;
  /** Of routes as they come, where it is not BGP's usual one. */
  readonly preference?: number | undefined;
  /** How large attributes may be; undefined = as they fit into a message. */
  readonly sizes?: AttributeSizes | undefined;
}

/**
 * The options as an object of the one shape that the import of routes sees, whoever made them: code that was compiled for
 * one shape is thrown away when it meets another.
 */
export function uniformImport(options: ImportOptions): ImportOptions {
  const uniform: Complete<ImportOptions> = {
    ownAses: options.ownAses,
    allowOwnAs: options.allowOwnAs,
    enforceFirstAs: options.enforceFirstAs,
    peerAs: options.peerAs,
    role: options.role,
    gracefulShutdown: options.gracefulShutdown,
    draining: options.draining,
    ownAddresses: options.ownAddresses,
    clusterId: options.clusterId,
    shunnedClusters: options.shunnedClusters,
    shownId: options.shownId,
    policy: options.policy,
    preference: options.preference,
    sizes: options.sizes,
  };
  return uniform;
}

/** With every key there, the optional ones as undefined. */
export type Complete<T> = { [K in keyof Required<T>]: T[K] };

/** Most ASes in AS_PATH and communities of all kinds; NO_SIZE = any. */
export interface AttributeSizes {
  readonly asPathLength: number;
  readonly communities: number;
}

export const NO_SIZE = Number.MAX_SAFE_INTEGER;

export const NO_LIMIT = Number.POSITIVE_INFINITY;

/** How many routes are taken of a peer; what comes above is not. By family id, NO_LIMIT = all. */
export interface RouteBlocks {
  /** Rows of the Adj-RIB-In. */
  readonly received: readonly number[];
  /** Rows that import accepts. */
  readonly accepted: readonly number[];
  /** One was not taken. */
  blocked(familyId: number, kind: 'received' | 'accepted'): void;
}

/**
 * Counts how often routes flap (damper.ts). Called around what the Adj-RIB-In does with a batch, for peers that have one.
 */
export interface RouteDamper {
  beforeAnnounce(rib: FamilyRib, peer: RibPeer, batch: NlriBatch, attrIn: number): void;
  afterAnnounce(rib: FamilyRib, peer: RibPeer, batch: NlriBatch): void;
  beforeWithdraw(rib: FamilyRib, peer: RibPeer, batch: NlriBatch): void;
  isSuppressed(rib: FamilyRib, prefixId: number, pathId: number): boolean;
}

/** Tells of what becomes of a peer's routes, for peers that have one. What is returned is called when it has happened. */
export interface RouteTracer {
  /** The Adj-RIB-In is about to take a batch. */
  batch(rib: FamilyRib, batch: NlriBatch): () => void;
  /** A walk is about to judge a row again, or to remove it. */
  row(rib: FamilyRib, row: number): () => void;
}

export interface FamilyCounters {
  /** Adj-RIB-In rows. */
  received: number;
  /** Rows that import checks or policy refused. */
  rejected: number;
  /** Prefixes whose best path is this peer's. */
  best: number;
  stale: number;
  /** Rows that are both. */
  staleRejected: number;
}

/**
 * Routes that count against a limit of `most`. Those that the peer has yet to confirm do not, but no more of them than
 * the limit allows: a peer that never ends a refresh (RFC 7313) must not fill the table.
 */
export function countReceived({ received, stale }: FamilyCounters, most: number): number {
  return received - Math.min(stale, most);
}

/** The same of those that import accepts. */
export function countAccepted(counters: FamilyCounters, most: number): number {
  const { received, rejected, stale, staleRejected } = counters;
  return received - rejected - Math.min(stale - staleRejected, most);
}

/** How often a peer's rows of a table have become stale (stale-rows.ts). */
export interface Generations {
  current: number;
  /** None of its rows is of an older one. */
  oldest: number;
}

/** Changes so far, counted a message or a batch at a time. */
export interface FamilyChanges {
  /** Announced by the peer, and of these: refused by checks, refused by policy, nothing new. */
  announced: number;
  invalid: number;
  filtered: number;
  unchanged: number;
  /** Withdrawn by the peer, and of these: not there. */
  withdrawn: number;
  unknown: number;
  /** Told to the peer. */
  readonly sent: { announced: number; withdrawn: number };
}

export interface RibPeerIdentity {
  readonly name: string;
  readonly source: RouteSource;
  /** BGP Identifier, unsigned; own one for local. */
  readonly routerId: number;
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  /** A route-reflector client of ours. */
  readonly client: boolean;
  /** Interface of the session, for link-local next hops. */
  readonly zone: string | undefined;
  /** Where its routes go: by family id the index of a table; the main ones unless given. */
  readonly home?: readonly number[];
  /** Where its next hops are looked up, by family id; as the main table's unless given. */
  readonly domains?: readonly number[];
}

export class RibPeer {
  readonly id: number;
  name: string;
  source: RouteSource;
  routerId: number;
  address: Uint8Array;
  client: boolean;
  zone: string | undefined;
  #importOptions: ImportOptions;
  blocks: RouteBlocks | undefined;
  /** Undefined where routes may flap. */
  damper: RouteDamper | undefined;
  /** Undefined unless somebody follows its routes. */
  tracer: RouteTracer | undefined;
  /** By family id, the index of the table. */
  home: readonly number[];
  /** By family id, in whose view of the kernel its next hops are looked up. */
  domains: readonly number[];
  /** By index of the table: also of what others have brought there. */
  readonly counters: FamilyCounters[] = [];
  /** By index of the table. */
  readonly changes: FamilyChanges[] = [];
  /** By index of the table. */
  readonly generations: Generations[] = [];

  /** `tables`: how many there are. */
  constructor(id: number, identity: RibPeerIdentity, importOptions: ImportOptions, tables = FAMILIES.length) {
    this.id = id;
    this.name = identity.name;
    this.source = identity.source;
    this.routerId = identity.routerId;
    this.address = identity.address;
    this.client = identity.client;
    this.zone = identity.zone;
    this.#importOptions = uniformImport(importOptions);
    this.home = identity.home ?? MAIN_HOME;
    this.domains = identity.domains ?? MAIN_DOMAINS;
    this.useTables(tables);
  }

  get importOptions(): ImportOptions {
    return this.#importOptions;
  }

  set importOptions(options: ImportOptions) {
    this.#importOptions = uniformImport(options);
  }

  /** Of its own routes of a family. */
  countersOf(familyId: number): FamilyCounters {
    return this.counters[this.home[familyId]!]!;
  }

  changesOf(familyId: number): FamilyChanges {
    return this.changes[this.home[familyId]!]!;
  }

  /** There are so many tables from now on. */
  useTables(tables: number): void {
    while (this.counters.length < tables) {
      this.counters.push({ received: 0, rejected: 0, best: 0, stale: 0, staleRejected: 0 });
      this.generations.push({ current: 0, oldest: 0 });
      this.changes.push({
        announced: 0,
        invalid: 0,
        filtered: 0,
        unchanged: 0,
        withdrawn: 0,
        unknown: 0,
        sent: { announced: 0, withdrawn: 0 },
      });
    }
  }
}

/** The main table has the first places. */
export const MAIN_HOME: readonly number[] = FAMILIES.map(({ id }) => id);
const MAIN_DOMAINS: readonly number[] = FAMILIES.map(() => MAIN_DOMAIN);

const MAX_PEER_ID = 0xffff;

/** Whether nothing has changed that decision and export read of a peer. Where it has, its routes of old were another's. */
export function isSamePeer(peer: RibPeer, identity: RibPeerIdentity, clusterId: number): boolean {
  return (
    peer.source === identity.source &&
    peer.routerId === identity.routerId &&
    peer.client === identity.client &&
    (!peer.client || peer.importOptions.clusterId === clusterId) &&
    isDeepStrictEqual(peer.home, identity.home ?? MAIN_HOME) &&
    isDeepStrictEqual(peer.domains, identity.domains ?? MAIN_DOMAINS) &&
    bytesEqual(peer.address, identity.address)
  );
}

/** Peers by id, with the decision's inputs as columns. An id is used again only after `remove`. */
export class PeerTable {
  readonly #peers: (RibPeer | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  #tables = FAMILIES.length;
  source = new Uint8Array(256);
  routerId = new Uint32Array(256);

  add(identity: RibPeerIdentity, importOptions: ImportOptions): RibPeer {
    const id = this.#freeIds.pop() ?? this.#peers.length;
    // Rows name peers in 16 bits; the session ends with Cease/Out of Resources.
    if (id > MAX_PEER_ID) throw new RangeError(`more than ${MAX_PEER_ID} peers at a time`);
    const peer = new RibPeer(id, identity, importOptions, this.#tables);
    this.#peers[id] = peer;
    this.source = growUint8(this.source, id + 1);
    this.routerId = growUint32(this.routerId, id + 1);
    this.source[id] = SOURCE[identity.source];
    this.routerId[id] = identity.routerId;
    return peer;
  }

  /** A peer whose routes outlived its session (RFC 4724 §4.2) takes them over into the next one. */
  renew(peer: RibPeer, identity: RibPeerIdentity, importOptions: ImportOptions): void {
    Object.assign(peer, identity, {
      importOptions,
      home: identity.home ?? MAIN_HOME,
      domains: identity.domains ?? MAIN_DOMAINS,
    });
    this.source[peer.id] = SOURCE[identity.source];
    this.routerId[peer.id] = identity.routerId;
  }

  /** There are so many tables from now on. */
  useTables(tables: number): void {
    this.#tables = tables;
    for (const peer of this.values()) peer.useTables(tables);
  }

  get(id: number): RibPeer {
    const peer = this.#peers[id];
    if (peer === undefined) throw new RangeError(`RIB peer ${id} does not exist`);
    return peer;
  }

  /** Only when no row, Loc-RIB entry or Adj-RIB-Out entry names the peer any more. */
  remove(peer: RibPeer): void {
    this.#peers[peer.id] = undefined;
    this.#freeIds.push(peer.id);
  }

  *values(): IterableIterator<RibPeer> {
    for (const peer of this.#peers) if (peer !== undefined) yield peer;
  }
}
