// What a filter needs of a route, for whoever has routes to implement, and what it needs of the tables around it.

import type { RouteAttribute } from './attributes.ts';
import type { List, PrefixValue, Value } from './values.ts';

/** One route under a filter. A filter looks at it synchronously and keeps nothing of it. */
export interface RouteAccess {
  /** The prefix: big-endian words with host bits zero, 1 (IPv4) or 4 (IPv6) of them. */
  readonly netWords: ArrayLike<number>;
  readonly netBits: number;
  readonly netStride: 1 | 4;
  /** The value; undefined where the attribute is not there. Lists must not show memory that changes. */
  get(attribute: RouteAttribute): Value;
  /** Sets a value of the attribute's type. Returns why that cannot be, or undefined. */
  set(attribute: RouteAttribute, value: Value): string | undefined;
  unset(attribute: RouteAttribute): void;
  /** Looks a path attribute up; where it returns true, its value is `bytes[start, end)` until the next change. */
  find(code: number): boolean;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export const ROA = { unknown: 0, valid: 1, invalid: 2 } as const;
export type RoaState = (typeof ROA)[keyof typeof ROA];

/** Tables that filters ask. */
export interface PolicyTables {
  /** RFC 6811 §2 */
  roaCheck(table: string, prefix: PrefixValue, originAs: number): RoaState;
  /** `upstream`: the path came from a customer or peer. */
  aspaCheck(table: string, path: List, upstream: boolean): RoaState;
}

/** No table has anything. */
export const NO_TABLES: PolicyTables = { roaCheck: () => ROA.unknown, aspaCheck: () => ROA.unknown };
