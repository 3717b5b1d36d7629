// What a peer's OPEN says of its restarts: graceful restart (RFC 4724 §3) and, with it, long-lived restart (RFC 9494
// §3.1), within the bounds that are configured here.

import { FAMILIES, type Family } from '../bgp/wire/families.ts';
import { lastCapability } from '../bgp/wire/negotiate.ts';
import type { OpenMessage } from '../bgp/wire/open.ts';
import { type GracefulRestartConfig, LONGEST_RESTART } from '../config/model.ts';

export interface RestartOffer {
  readonly restartSeconds: number;
  /** R bit: it has restarted, and waits for our routes before it sends its own. */
  readonly restarting: boolean;
  /** Families whose routes are worth keeping for as long as a restart takes. */
  readonly families: readonly Family[];
  /** Seconds after that for which they are worth keeping as the last resort; never 0. */
  readonly longLived: ReadonlyMap<Family, number>;
  /** Families of either kind. */
  readonly kept: readonly Family[];
  /** Families whose forwarding state the peer has kept. */
  readonly preserved: readonly Family[];
}

/** Undefined where the peer did not announce graceful restart. */
export function restartOffer(
  open: OpenMessage | undefined,
  { longLived, minRestartTime = 0, maxRestartTime = LONGEST_RESTART }: GracefulRestartConfig,
): RestartOffer | undefined {
  const restart = open === undefined ? undefined : lastCapability(open, 'graceful-restart');
  if (open === undefined || restart === undefined) return undefined;
  const long = longLived.mode === 'off' ? undefined : lastCapability(open, 'long-lived-graceful-restart');
  const families = FAMILIES.filter((family) => restart.families.some((each) => isOf(each, family)));
  const times = new Map<Family, number>();
  for (const { afi, safi, staleTime } of long?.families ?? []) {
    const family = FAMILIES.find((each) => isOf({ afi, safi }, each));
    if (family === undefined) continue;
    const { [family.name]: most } = longLived.maxStaleTime;
    const seconds = Math.max(longLived.minStaleTime[family.name], Math.min(staleTime, most));
    if (seconds > 0) times.set(family, seconds);
  }
  const forwarded = [...restart.families, ...(long?.families ?? [])].filter(({ forwarding }) => forwarding);
  return {
    restartSeconds: Math.max(minRestartTime, Math.min(restart.restartTime, maxRestartTime)),
    restarting: restart.restarting,
    families,
    longLived: times,
    kept: FAMILIES.filter((family) => families.includes(family) || times.has(family)),
    preserved: FAMILIES.filter((family) => forwarded.some((each) => isOf(each, family))),
  };
}

function isOf({ afi, safi }: { readonly afi: number; readonly safi: number }, family: Family): boolean {
  return afi === family.afi && safi === family.safi;
}
