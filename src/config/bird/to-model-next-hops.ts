// What a BGP protocol and its channels say of next hops -> the model's: what is sent, and which of two received addresses
// leads there. `next hop address` is what is shown where the own address is.

import { type IpVersion, isLinkLocalText } from '../../lib/ip.ts';
import type { Dialect } from '../../policy/lexer.ts';
import type { NextHopMode, NextHopModes, PeerSettings } from '../model.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { ChannelOptions, ProtocolConfig } from './config.ts';

type BgpProtocol = Extract<ProtocolConfig, { kind: 'bgp' }>;

export function nextHopsOf(
  channels: ReadonlyMap<IpVersion, ChannelOptions>,
  { options }: BgpProtocol,
  dialect: Dialect,
): Pick<PeerSettings, 'nextHop' | 'nextHopAddress' | 'linkLocalNextHop' | 'localFirst'> {
  const all = [...channels.values()];
  return {
    nextHop: modesOf(channels, dialect),
    nextHopAddress: {
      ipv4: channels.get('ipv4')?.nextHopAddress,
      ipv6: channels.get('ipv6')?.nextHopAddress,
    },
    ...linkLocalFormatOf(options, all),
    ...(all.some(({ nextHopPrefer }) => nextHopPrefer === 'local') && { localFirst: true }),
  };
}

function modesOf(
  channels: ReadonlyMap<IpVersion, ChannelOptions>,
  dialect: Dialect,
): PeerSettings['nextHop'] {
  const modes = [...channels].map(([version, channel]) => [version, channelModes(channel, dialect)] as const);
  const [first = 'auto', ...others] = new Set(modes.flatMap(([, each]) => Object.values(each)));
  return others.length === 0 ? first : Object.fromEntries(modes);
}

/** `self` comes before `keep`, which is for what peers say; in 1.6 for own routes, too. */
function channelModes({ nextHopSelf, nextHopKeep }: ChannelOptions, dialect: Dialect): NextHopModes {
  const modeOf = (source: 'ibgp' | 'ebgp' | 'own'): NextHopMode => {
    if (nextHopSelf === 'all' || nextHopSelf === source) return 'self';
    const keeps =
      nextHopKeep === source || (nextHopKeep === 'all' && (source !== 'own' || dialect === '1.6'));
    return keeps ? 'unchanged' : 'auto';
  };
  return { own: modeOf('own'), ibgp: modeOf('ibgp'), ebgp: modeOf('ebgp') };
}

/** BIRD shows no global address where the session's are link-local. */
function linkLocalFormatOf(
  { peerAddress, peerRange = '' }: BgpOptions,
  channels: readonly ChannelOptions[],
): Pick<PeerSettings, 'linkLocalNextHop'> {
  if (!isLinkLocalText(peerAddress ?? peerRange)) return {};
  const written = channels.find(({ linkLocalFormat }) => linkLocalFormat !== undefined);
  return { linkLocalNextHop: written?.linkLocalFormat ?? 'native' };
}
