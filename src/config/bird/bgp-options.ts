// What a BGP protocol's block can say in either dialect, its channels apart.

import type { RequirableKind } from '../../bgp/wire/negotiate.ts';
import type { Role } from '../../bgp/wire/session-context.ts';
import type { Secret } from '../model.ts';
import type { BfdSettings, InterfacePattern } from './protocol-options.ts';

export interface BgpOptions {
  readonly localAddress?: string;
  readonly localInterface?: string;
  readonly localAs?: number;
  readonly localPort?: number;
  readonly peerAddress?: string;
  /** A prefix: any peer of it may connect. */
  readonly peerRange?: string;
  readonly peerAs?: number;
  readonly peerType?: 'internal' | 'external';
  readonly peerPort?: number;
  readonly interface?: string;
  readonly interfaceRange?: readonly InterfacePattern[];
  readonly onlink?: boolean;
  readonly dynamicName?: string;
  readonly dynamicNameDigits?: number;
  readonly strictBind?: boolean;
  readonly freeBind?: boolean;
  /** IP TTL; 0: direct */
  readonly multihop?: number;
  readonly rrClient?: boolean;
  readonly rrClusterId?: number;
  readonly rsClient?: boolean;
  readonly confederation?: number;
  readonly confederationMember?: boolean;
  readonly holdTime?: number;
  readonly minHoldTime?: number;
  readonly startupHoldTime?: number;
  readonly keepaliveTime?: number;
  readonly minKeepaliveTime?: number;
  readonly sendHoldTime?: number;
  readonly connectDelayTime?: number;
  readonly connectRetryTime?: number;
  readonly errorForgetTime?: number;
  readonly errorWaitMin?: number;
  readonly errorWaitMax?: number;
  readonly disableAfterError?: boolean;
  /** Every cause but a collision, or these subcodes. */
  readonly disableAfterCease?: boolean | readonly number[];
  readonly enableRouteRefresh?: boolean;
  readonly enableEnhancedRouteRefresh?: boolean;
  readonly enableAs4?: boolean;
  readonly enableExtendedMessages?: boolean;
  readonly required?: readonly RequirableKind[];
  readonly advertiseHostname?: boolean;
  readonly advertiseIpv4?: boolean;
  readonly capabilities?: boolean;
  readonly authentication?: 'none' | 'md5' | 'ao';
  readonly password?: Secret;
  readonly keys?: readonly BgpKey[];
  readonly setkey?: boolean;
  readonly passive?: boolean;
  readonly interpretCommunities?: boolean;
  /** Most own AS numbers in a received path; `any` of them. */
  readonly allowLocalAs?: number | 'any';
  readonly allowLocalPref?: boolean;
  readonly allowMed?: boolean;
  readonly allowAsSets?: boolean;
  readonly enforceFirstAs?: boolean;
  readonly gracefulRestart?: 'off' | 'aware' | 'on';
  readonly gracefulRestartTime?: number;
  readonly minGracefulRestartTime?: number;
  readonly maxGracefulRestartTime?: number;
  readonly longLivedGracefulRestart?: 'off' | 'aware' | 'on';
  readonly longLivedStaleTime?: number;
  readonly minLongLivedStaleTime?: number;
  readonly maxLongLivedStaleTime?: number;
  readonly ttlSecurity?: boolean;
  readonly checkLink?: boolean;
  readonly bfd?: false | BfdSettings;
  readonly pathMetric?: boolean;
  readonly medMetric?: boolean;
  readonly igpMetric?: boolean;
  readonly preferOlder?: boolean;
  readonly deterministicMed?: boolean;
  readonly defaultMed?: number;
  readonly defaultLocalPref?: number;
  readonly role?: Role;
  readonly requireRoles?: boolean;
  readonly disableRx?: boolean;
  readonly txSizeWarning?: number;
  /** 1.6 */
  readonly routeLimit?: number;
}

/** One TCP-AO or MD5 key. */
export interface BgpKey {
  readonly sendId?: number;
  readonly recvId?: number;
  readonly secret?: Secret;
  readonly algorithm?: string;
  readonly preferred?: boolean;
  readonly deprecated?: boolean;
}
