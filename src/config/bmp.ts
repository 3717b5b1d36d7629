// Stations that are told what peers send, over the BGP Monitoring Protocol (RFC 7854): in the model, and what they are where
// nothing is said of them.

import type { Secret } from './model.ts';

/** What of the tables a station is told: Adj-RIBs-In before and after import policy, and the best paths (RFC 9069). */
export const BMP_VIEWS = ['pre-policy', 'post-policy', 'loc-rib'] as const;
export type BmpView = (typeof BMP_VIEWS)[number];

export interface BmpStationConfig {
  /** Unique, among peers too. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Source address. */
  readonly localAddress: string | undefined;
  /** TCP-MD5 key. */
  readonly password: Secret | undefined;
  /** sysName and sysDescr; the host's name, and godwit with its version, unless given. */
  readonly systemName: string | undefined;
  readonly systemDescription: string | undefined;
  readonly views: readonly BmpView[];
  /** Seconds between statistics; 0 = none. */
  readonly statistics: number;
  /** Octets that may wait for the station before it is let go. */
  readonly bufferLimit: number;
  readonly enabled: boolean;
}

export const MEBIBYTE = 1 << 20;
/** Far more than one round of messages; a station that is that far behind is better told anew. */
export const BMP_BUFFER_LIMIT = 64 * MEBIBYTE;
export const BMP_STATISTICS = 60;
