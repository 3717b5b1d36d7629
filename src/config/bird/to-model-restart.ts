// Graceful restart of a BGP protocol, ordinary and long-lived -> the model's. BIRD of either dialect helps its peers
// unless told otherwise, in both kinds.

import type { IpVersion } from '../../lib/ip.ts';
import { type GracefulRestartConfig, LONGEST_STALE_TIME } from '../model.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { ChannelOptions } from './config.ts';
import { DEFAULT_TIMERS } from './defaults.ts';

export function restartOf(
  options: BgpOptions,
  channels: ReadonlyMap<IpVersion, ChannelOptions>,
): GracefulRestartConfig {
  const asked = options.longLivedGracefulRestart ?? 'aware';
  const staleTime = (name: IpVersion): number => {
    const channel = channels.get(name);
    if (channel === undefined || !(channel.longLivedGracefulRestart ?? asked === 'on')) return 0;
    const seconds = channel.longLivedStaleTime ?? options.longLivedStaleTime ?? DEFAULT_TIMERS.longLivedStale;
    return Math.min(seconds, LONGEST_STALE_TIME);
  };
  const times = { 'ipv4-unicast': staleTime('ipv4'), 'ipv6-unicast': staleTime('ipv6') };
  const wanted = Object.values(times).some((seconds) => seconds > 0);
  return {
    mode: modeOf(options.gracefulRestart),
    restartTime: options.gracefulRestartTime ?? DEFAULT_TIMERS.gracefulRestart,
    notification: false,
    longLived: {
      mode: asked === 'off' ? 'off' : wanted ? 'full' : 'helper',
      staleTime: times,
      minStaleTime: options.minLongLivedStaleTime ?? 0,
      maxStaleTime: options.maxLongLivedStaleTime ?? LONGEST_STALE_TIME,
      partialDeployment: false,
    },
  };
}

function modeOf(written: 'off' | 'aware' | 'on' | undefined): GracefulRestartConfig['mode'] {
  if (written === 'on') return 'full';
  return written === 'off' ? 'off' : 'helper';
}
