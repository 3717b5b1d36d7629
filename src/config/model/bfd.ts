// BFD (RFC 5880): how a path is watched, a peer's or one that is watched for itself.

import type { Secret } from '../model.ts';

export interface BfdConfig {
  /** Milliseconds between packets sent, and accepted, while the session is up. */
  readonly minTx: number;
  readonly minRx: number;
  /** Milliseconds between packets sent while it is not. */
  readonly idleTx: number;
  readonly multiplier: number;
  /** RFC 5883, over routers; else RFC 5881, directly connected. */
  readonly multihop: boolean;
  /** Silent until the peer's packets come. */
  readonly passive: boolean;
  readonly auth: BfdAuthConfig | undefined;
}

export interface BfdAuthConfig {
  readonly type: BfdAuthType;
  /** The first one is sent with; any of them is accepted. */
  readonly keys: readonly { readonly id: number; readonly password: Secret }[];
}

/** Octets that a key may have (RFC 5880 §4.2 to §4.4). */
export const BFD_KEY_OCTETS = {
  simple: 16,
  md5: 16,
  'meticulous-md5': 16,
  sha1: 20,
  'meticulous-sha1': 20,
} as const;
export type BfdAuthType = keyof typeof BFD_KEY_OCTETS;

/** For the other end's sake, which may lean on it, and for static routes that do. */
export interface BfdSessionConfig {
  /** Unique. */
  readonly name: string;
  readonly address: string;
  readonly localAddress: string | undefined;
  /** Of a single hop. */
  readonly interface: string | undefined;
  readonly bfd: BfdConfig;
}

/** What tells sessions apart, for people. */
export function bfdSessionName(
  session: Pick<BfdSessionConfig, 'address' | 'localAddress' | 'interface'>,
): string {
  const { address, localAddress, interface: link } = session;
  const on = link === undefined || address.includes('%') ? '' : ` on ${link}`;
  return `${address}${on}${localAddress === undefined ? '' : ` from ${localAddress}`}`;
}
