// Caches of RPKI data in the model (RFC 8210 §10), and what they are where nothing is said of them.

import type { Secret } from './model.ts';

export interface RpkiCacheConfig {
  /** Unique, among peers too. */
  readonly name: string;
  /** An address or a host name. */
  readonly host: string;
  readonly port: number;
  /** Source address. */
  readonly localAddress: string | undefined;
  /** TCP-MD5 key. */
  readonly password: Secret | undefined;
  /** The lower, the more preferred; caches of one preference are asked together. */
  readonly preference: number;
  readonly refresh: RpkiInterval;
  readonly retry: RpkiInterval;
  readonly expire: RpkiInterval;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly ignoreMaxLength: boolean;
  readonly enabled: boolean;
  /** Names of the tables that its records go into; undefined for records that are passed over. */
  readonly tables: {
    readonly roa4: string | undefined;
    readonly roa6: string | undefined;
    readonly aspa: string | undefined;
  };
}

/** `keep`: whatever the cache asks for. */
export interface RpkiInterval {
  readonly seconds: number;
  readonly keep: boolean;
}

/** rpki-rtr */
export const RPKI_PORT = 323;
/** Seconds: RFC 8210 §6. */
export const RPKI_INTERVALS = {
  refresh: { least: 1, most: 86_400, usual: 3600 },
  retry: { least: 1, most: 7200, usual: 600 },
  expire: { least: 600, most: 172_800, usual: 7200 },
} as const;
export const RPKI_MAX_VERSION = 2;

/** Tables that filters of a native configuration know, and what they hold. */
export const RPKI_TABLES = { roa: 'rpki', aspa: 'aspa' } as const;
