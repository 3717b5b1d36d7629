// Which kernel routes are learned, which protocol of the configuration takes in which prefixes of interfaces, and whose
// a learned route is.

import { type KernelConfig, kernelOfFamily, type LearnedAs } from '../config/model.ts';
import type { ConnectedRule, LearnedRoute, LearnRule, LearnRules } from '../fib/learn.ts';
import { IP_VERSIONS, type IpVersion, versionOf } from '../lib/ip.ts';

/** In the order of the protocols: the `rule` of a connected route is its protocol's place. */
export function connectedRules({ interfaces, direct }: KernelConfig): readonly ConnectedRule[] {
  if (direct === undefined) return [{ interfaces, families: IP_VERSIONS }];
  return direct.map(({ interfaces: own, as }) => {
    return { interfaces: own, families: IP_VERSIONS.filter((version) => as[version] !== undefined) };
  });
}

/** rtm_protocol numbers of routes that count as static: RTPROT_BOOT and RTPROT_STATIC. */
const STATIC_RULES: readonly LearnRule[] = [
  { protocol: 3, table: undefined },
  { protocol: 4, table: undefined },
];

/** Which kernel routes of a family are learned; with `statics` the static ones, too. */
export function learnRules(kernel: KernelConfig, version: IpVersion, statics: boolean): LearnRules {
  const { table, learn } = kernelOfFamily(kernel, version);
  // What a family has for itself is all of it.
  const more = statics && kernel[version]?.learn === undefined;
  return { table, rules: more ? [...learn, ...STATIC_RULES] : learn };
}

/** What a learned route has from the protocol that it is of; undefined where it is nobody's in particular. */
export function learnedAs(
  config: KernelConfig,
  { source, rule, prefix }: LearnedRoute,
): LearnedAs | undefined {
  const of = source === 'connected' ? config.direct?.[rule]?.as : config.learnedAs;
  return of?.[versionOf(prefix.bytes)];
}
