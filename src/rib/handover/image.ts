// What the routing tables look like on their way from one process to the next (src/speaker/upgrade): columns of the
// writer's own ids, which the reader translates into ids of its own. Only plain data, so that it can be serialised; the
// two sides may be of different versions, and what an older writer did not know is optional here.

/** Attribute sets in use, with everything they name. Columns of equal length, by place. */
export interface AttributeImage {
  readonly ids: Int32Array;
  /** Canonical octets of all sets, one behind the other. */
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
  readonly nextHops: Int32Array;
  readonly extras: Int32Array;
}

export interface NextHopImage {
  readonly id: number;
  readonly wire: Uint8Array;
  readonly zone: string | undefined;
  /** Absent for the main table's. */
  readonly domain?: number;
  readonly localFirst?: boolean;
  readonly onlink?: boolean;
  readonly fallback?: Uint8Array;
}

export interface PrefixImage {
  readonly ids: Int32Array;
  /** `family.words` for each prefix. */
  readonly words: Int32Array;
  readonly lengths: Uint8Array;
  /** Row of the best path; 0 = none. */
  readonly best: Int32Array;
}

/** Bits of a row's flags in a picture; above them the feed that has brought it. */
export const ROW_FLAG = { stale: 1 << 0, longLived: 1 << 1 } as const;
export const ROW_FEED_SHIFT = 2;

/** Path rows by ascending number, which they keep: sent path identifiers are these numbers (RFC 7911 §2). */
export interface RowImage {
  readonly rows: Int32Array;
  readonly prefixes: Int32Array;
  readonly peers: Uint16Array;
  /** Empty where all are 0. */
  readonly pathIds: Uint32Array;
  readonly attrIn: Int32Array;
  readonly attrPost: Int32Array;
  readonly since: Uint32Array;
  readonly rejects: Uint8Array;
  /** ROW_FLAG bits and the feed. */
  readonly flags: Uint16Array;
}

/** What the members of an update group have been sent. */
export interface GroupImage {
  /** The options without what has no meaning in another process. */
  readonly options: string;
  readonly prefixes: Int32Array;
  /** Empty where all are 0. */
  readonly pathIds: Uint32Array;
  readonly attrs: Int32Array;
  readonly from: Uint16Array;
  readonly members: readonly MemberImage[];
}

export interface MemberImage {
  readonly peer: number;
  readonly endOfRibSent: boolean;
  /** Undefined where the member has been sent all that the group has. */
  readonly missing: MissingImage | undefined;
}

/** It may miss any route, and have old ones of these prefixes. */
export interface MissingImage {
  readonly prefixes: Int32Array;
  /** Path ids withdrawn meanwhile, by place in `prefixes`. */
  readonly gone: readonly (readonly number[])[];
  /** Octets to follow when it has caught up (RFC 7313). */
  readonly epilogue: readonly Uint8Array[];
}

export interface FamilyImage {
  /** Of the family table. */
  readonly family: string;
  /** The writer's number of the routing table; absent for the main ones. */
  readonly table?: number;
  readonly prefixes: PrefixImage;
  readonly rows: RowImage;
  readonly groups: readonly GroupImage[];
}

export interface RibImage {
  readonly nextHops: readonly NextHopImage[];
  /** Bundles of route-extras.ts by the ids that attribute sets name; 0 is not among them. */
  readonly extras: readonly { readonly id: number; readonly bundle: object }[];
  readonly attributes: AttributeImage;
  readonly families: readonly FamilyImage[];
  /** The id of the pseudo peer of the main table's own routes. */
  readonly local: number;
}
