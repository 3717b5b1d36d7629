// What a routing table has to do with the kernel: which table of the kernel's its routes are written to, and what is learned
// from there and from interfaces.

import type { IpVersion } from '../../lib/ip.ts';

/** RT_TABLE_MAIN */
export const MAIN_KERNEL_TABLE = 254;

export interface KernelConfig {
  /** Program routes; without privilege the speaker refuses to start. */
  readonly install: boolean;
  /** Whose routes are godwit's, both unless given: those of another family are left alone, whoever's they are. */
  readonly families?: readonly IpVersion[];
  /** Number of the kernel's table. */
  readonly table: number;
  readonly metric: number;
  /** Most next hops of one route; 1 = no ECMP. */
  readonly ecmp: number;
  /** rtm_protocol of own routes; 12 is BIRD's. */
  readonly protocol: number;
  readonly prefSource: { readonly ipv4: string | undefined; readonly ipv6: string | undefined };
  /** On a clean stop: leave own routes in place or take them out. */
  readonly keepOnStop: boolean;
  /** Foreign routes to learn; a route must match one of them. */
  readonly learn: readonly LearnConfig[];
  /** Interface patterns in order, `-` excludes; the first that matches decides. */
  readonly interfaces: readonly string[];
  /** BIRD's direct protocols, in the place of `interfaces`: each brings routes of its own. */
  readonly direct?: readonly DirectConfig[];
  /** Follow next hops through the kernel's tables; without it every next hop counts as reachable. */
  readonly nextHopTracking: boolean;
  /** Seconds between full audits; 0 = only after lost notifications. */
  readonly scanTime: number;
  /** What learned routes of a family are given. */
  readonly learnedAs?: Partial<Readonly<Record<IpVersion, LearnedAs>>>;
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
