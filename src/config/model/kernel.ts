// What a routing table has to do with the kernel: which table of the kernel's its routes are written to, and what is learned
// from there and from interfaces.

import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';

/** RT_TABLE_MAIN */
export const MAIN_KERNEL_TABLE = 254;

/** What a family may have for itself. */
export interface KernelFamilyConfig {
  /** Number of the kernel's table. */
  readonly table: number;
  readonly metric: number;
  /** Most next hops of one route; 1 = no ECMP. */
  readonly ecmp: number;
  /** On a clean stop: leave own routes in place or take them out. */
  readonly keepOnStop: boolean;
  /** Foreign routes to learn; a route must match one of them. */
  readonly learn: readonly LearnConfig[];
  /** Seconds between full audits; 0 = only after lost notifications. */
  readonly scanTime: number;
}

export interface KernelConfig extends KernelFamilyConfig {
  /** Program routes; without privilege the speaker refuses to start. */
  readonly install: boolean;
  /** Whose routes are godwit's, both unless given: those of another family are left alone, whoever's they are. */
  readonly families?: readonly IpVersion[];
  /** Where a family differs from what is said for both. */
  readonly ipv4?: Partial<KernelFamilyConfig>;
  readonly ipv6?: Partial<KernelFamilyConfig>;
  /** rtm_protocol of own routes; 12 is BIRD's. */
  readonly protocol: number;
  readonly prefSource: { readonly ipv4: string | undefined; readonly ipv6: string | undefined };
  /** Interface patterns in order, `-` excludes; the first that matches decides. */
  readonly interfaces: readonly string[];
  /** BIRD's direct protocols, in the place of `interfaces`: each brings routes of its own. */
  readonly direct?: readonly DirectConfig[];
  /** Prefixes of interfaces are written, too, where they are not yet; else as the configuration's language has it. */
  readonly deviceRoutes?: boolean;
  /** Follow next hops through the kernel's tables; without it every next hop counts as reachable. */
  readonly nextHopTracking: boolean;
  /** What learned routes of a family are given. */
  readonly learnedAs?: Partial<Readonly<Record<IpVersion, LearnedAs>>>;
}

/** The section as it is for one family. */
export function kernelOfFamily(kernel: KernelConfig, version: IpVersion): KernelConfig {
  return { ...kernel, ...kernel[version] };
}

/** It takes in routes of others, of some family. */
export function kernelLearns(kernel: KernelConfig): boolean {
  return IP_VERSIONS.some((version) => kernelOfFamily(kernel, version).learn.length > 0);
}

/** What the routes of a protocol have from it. */
export interface LearnedAs {
  /** The protocol's name, for filters. */
  readonly protocol: string;
  /** Between protocols; that of the kind of protocol unless given: 10 of learned routes, 240 of interfaces' prefixes. */
  readonly preference?: number;
}

export interface DirectConfig {
  readonly interfaces: readonly string[];
  /** Of the families whose prefixes it takes in. */
  readonly as: Partial<Readonly<Record<IpVersion, LearnedAs>>>;
}

export interface LearnConfig {
  /** rtm_protocol number. */
  readonly protocol: number | undefined;
  readonly table: number | undefined;
}
