// Limits of a peer as they were written -> the model's, a family each; `maxPrefixes` is the short form of the usual one.

import type { FamilyName } from '../bgp/wire/families.ts';
import type { LimitAction, LimitsConfig, RouteLimits } from './model/limits.ts';
import type { RouteLimitInput } from './schema-limits.ts';
import type { SettingsInput } from './schema-peer.ts';

export const NO_LIMITS: LimitsConfig = {
  received: {},
  accepted: {},
  exported: {},
  asPathLength: undefined,
  communities: undefined,
};

/** The families are those of the peer: what is said of another one limits nothing. */
export function limitsOf(
  { limits, maxPrefixes }: Pick<SettingsInput, 'limits' | 'maxPrefixes'>,
  families: readonly FamilyName[],
): LimitsConfig {
  const short = maxPrefixes === false ? undefined : maxPrefixes;
  return {
    received: byFamily(limits?.received ?? short, 'restart', families),
    accepted: byFamily(limits?.accepted, 'restart', families),
    exported: byFamily(limits?.exported, 'block', families),
    asPathLength: limits?.asPathLength,
    communities: limits?.communities,
  };
}

function byFamily(
  input: RouteLimitInput | undefined,
  usual: LimitAction,
  families: readonly FamilyName[],
): RouteLimits {
  if (input === undefined) return {};
  const { routes, action = usual }: Exclude<RouteLimitInput, number> =
    typeof input === 'number' ? { routes: input } : input;
  return Object.fromEntries(
    families.flatMap((name) => {
      const most = typeof routes === 'number' ? routes : routes[name.startsWith('ipv4') ? 'ipv4' : 'ipv6'];
      return most === undefined ? [] : [[name, { routes: most, action }]];
    }),
  );
}
