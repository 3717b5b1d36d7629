// What a BGP protocol and its channels say of next hops -> the model's, which has them by peer: what is sent, and which
// of two received addresses leads there.

import { isLinkLocalText } from '../../lib/ip.ts';
import type { NextHopMode, PeerSettings } from '../model.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { ChannelOptions, ProtocolConfig } from './config.ts';
import type { Unsaid } from './unsaid.ts';

type BgpProtocol = Extract<ProtocolConfig, { kind: 'bgp' }>;

export function nextHopsOf(
  channels: readonly ChannelOptions[],
  protocol: BgpProtocol,
  unsaid: Unsaid,
): Pick<PeerSettings, 'nextHop' | 'nextHopAddress' | 'linkLocalNextHop' | 'localFirst'> {
  return {
    ...nextHopOf(channels, protocol, unsaid),
    ...linkLocalFormatOf(protocol.options, channels),
    ...(channels.some(({ nextHopPrefer }) => nextHopPrefer === 'local') && { localFirst: true }),
  };
}

function nextHopOf(
  channels: readonly ChannelOptions[],
  protocol: BgpProtocol,
  unsaid: Unsaid,
): Pick<PeerSettings, 'nextHop' | 'nextHopAddress'> {
  const modes = new Set<NextHopMode>();
  let ipv4: string | undefined;
  let ipv6: string | undefined;
  for (const channel of channels) {
    const self = channel.nextHopSelf ?? 'none';
    const keep = channel.nextHopKeep ?? 'none';
    for (const [words, scope] of [
      ['next hop self', self],
      ['next hop keep', keep],
    ] as const) {
      if (scope === 'ibgp' || scope === 'ebgp') unsaid.add(`${words} ${scope}`, channel.span, protocol.name);
    }
    const address = channel.nextHopAddress;
    if (address?.includes(':')) ipv6 = address;
    else if (address !== undefined) ipv4 = address;
    modes.add(
      self === 'all' ? 'self' : keep === 'all' ? 'unchanged' : address === undefined ? 'auto' : 'address',
    );
  }
  if (modes.size > 1) {
    unsaid.say('next hops differ between channels; the first counts', protocol.span, protocol.name);
  }
  return { nextHop: [...modes][0] ?? 'auto', nextHopAddress: { ipv4, ipv6 } };
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
