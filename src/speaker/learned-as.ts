// Which protocol of the configuration takes in which prefixes of interfaces, and whose a learned route is.

import type { KernelConfig, LearnedAs } from '../config/model.ts';
import type { ConnectedRule, LearnedRoute } from '../fib/learn.ts';
import { IP_VERSIONS } from '../lib/ip.ts';

/** In the order of the protocols: the `rule` of a connected route is its protocol's place. */
export function connectedRules({ interfaces, direct }: KernelConfig): readonly ConnectedRule[] {
  if (direct === undefined) return [{ interfaces, families: IP_VERSIONS }];
  return direct.map(({ interfaces: own, as }) => {
    return { interfaces: own, families: IP_VERSIONS.filter((version) => as[version] !== undefined) };
  });
}

/** What a learned route has from the protocol that it is of; undefined where it is nobody's in particular. */
export function learnedAs(
  config: KernelConfig,
  { source, rule, prefix }: LearnedRoute,
): LearnedAs | undefined {
  const of = source === 'connected' ? config.direct?.[rule]?.as : config.learnedAs;
  return of?.[prefix.bytes.length === 4 ? 'ipv4' : 'ipv6'];
}
