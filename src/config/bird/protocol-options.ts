// What the blocks of the protocols can say, BGP's apart: one interface a protocol. An option that is not set is
// undefined; lists are empty.

import type { FilterUse, Statement } from '../../policy/ast.ts';
import type { Span } from '../../policy/source.ts';
import type { Secret } from '../model.ts';
import type { NetType } from './config.ts';

/** `[-]"mask" [prefix]`; the first that matches decides. */
export interface InterfacePattern {
  readonly exclude: boolean;
  readonly mask: string | undefined;
  readonly prefix: string | undefined;
}

export interface KernelOptions {
  readonly learn?: 'off' | 'on' | 'all';
  readonly persist?: boolean;
  readonly scanTime?: number;
  readonly table?: number;
  readonly metric?: number;
  readonly deviceRoutes?: boolean;
  readonly gracefulRestart?: boolean;
  /** Most next hops of one route; 0 = off. */
  readonly mergePaths?: number;
  readonly rxBuffer?: number;
}

export interface DeviceOptions {
  readonly scanTime?: number;
  readonly interfaces: readonly {
    readonly patterns: readonly InterfacePattern[];
    readonly preferred: readonly string[];
  }[];
  /** 1.6 */
  readonly primary: readonly { readonly mask: string | undefined; readonly address: string }[];
}

export interface DirectOptions {
  readonly interfaces: readonly (readonly InterfacePattern[])[];
  readonly checkLink?: boolean;
}

export interface StaticOptions {
  /** Grows while its protocol is read. */
  readonly routes: StaticRoute[];
  readonly checkLink?: boolean;
  readonly igpTables: readonly string[];
}

export type StaticTarget =
  | { readonly kind: 'via'; readonly hops: readonly StaticHop[] }
  | { readonly kind: 'recursive'; readonly address: string; readonly mpls?: readonly number[] }
  | { readonly kind: 'blackhole' | 'unreachable' | 'prohibit' }
  | { readonly kind: 'roa'; readonly maxLength: number; readonly asn: number }
  /** undefined providers: transit, an AS without any */
  | { readonly kind: 'aspa'; readonly providers: readonly number[] | undefined }
  | { readonly kind: 'none' };

export interface StaticHop {
  readonly address: string | undefined;
  readonly interface: string | undefined;
  readonly mpls?: readonly number[];
  readonly onlink?: boolean;
  readonly weight?: number;
  readonly bfd?: boolean;
}

export interface StaticRoute {
  readonly net: StaticNet;
  readonly span: Span;
  readonly target: StaticTarget;
  /** What is done to the route before the import filter sees it. */
  readonly commands: readonly Statement[];
  /** The same as a filter that accepts; absent where there are none. */
  readonly use?: FilterUse;
}

export interface StaticNet {
  readonly type: NetType;
  /** As written, canonical: the prefix of IP and VPN routes. */
  readonly text: string;
  readonly rd?: Uint8Array;
  readonly label?: number;
}

export interface PipeOptions {
  readonly peerTable?: string;
  readonly mode?: 'opaque' | 'transparent';
  readonly maxGeneration?: number;
}

export interface BfdSettings {
  /** Microseconds. */
  readonly interval?: number;
  readonly minRxInterval?: number;
  readonly minTxInterval?: number;
  readonly idleTxInterval?: number;
  readonly multiplier?: number;
  readonly passive?: boolean;
  readonly authentication?: string;
  readonly passwords?: readonly Password[];
  readonly graceful?: boolean;
}

export interface Password {
  readonly secret: Secret;
  readonly id?: number;
  readonly algorithm?: string;
  readonly options: readonly string[];
}

export interface BfdOptions {
  readonly interfaces: readonly {
    readonly patterns: readonly InterfacePattern[];
    readonly settings: BfdSettings;
  }[];
  readonly multihop?: BfdSettings;
  readonly neighbors: readonly {
    readonly address: string;
    readonly interface?: string;
    readonly local?: string;
    readonly multihop?: boolean;
  }[];
  readonly accept?: readonly string[];
  readonly strictBind?: boolean;
  readonly zeroUdp6ChecksumRx?: boolean;
}

export interface MrtOptions {
  /** A name or a pattern. */
  readonly table?: string;
  readonly filter?: FilterUse;
  readonly filename?: string;
  readonly period?: number;
  readonly alwaysAddPath?: boolean;
}

export interface BmpOptions {
  readonly stationAddress?: string;
  readonly stationPort?: number;
  readonly localAddress?: string;
  readonly systemName?: string;
  readonly systemDescription?: string;
  readonly prePolicy?: boolean;
  readonly postPolicy?: boolean;
  readonly txBufferLimit?: number;
}

export interface RpkiTimer {
  readonly seconds: number;
  /** Whether the cache's own value is ignored. */
  readonly keep: boolean;
}

export interface RpkiOptions {
  readonly remote?: string;
  readonly port?: number;
  readonly localAddress?: string;
  readonly transport?: RpkiTransport;
  readonly refresh?: RpkiTimer;
  readonly retry?: RpkiTimer;
  readonly expire?: RpkiTimer;
  readonly ignoreMaxLength?: boolean;
  readonly minVersion?: number;
  readonly maxVersion?: number;
}

export interface RpkiTransport {
  readonly kind: 'tcp' | 'ssh';
  readonly user?: string;
  readonly privateKey?: string;
  readonly remoteKey?: string;
  readonly password?: Secret;
}
