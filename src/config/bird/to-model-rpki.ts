// RPKI protocols -> caches of the model. BIRD asks all of them at once: they are of one preference.

import {
  RPKI_INTERVALS,
  RPKI_MAX_VERSION,
  RPKI_PORT,
  type RpkiCacheConfig,
  type RpkiInterval,
} from '../rpki.ts';
import type { BirdConfig, ChannelName, ProtocolConfig } from './config.ts';
import type { RpkiTimer } from './protocol-options.ts';
import type { Unsaid } from './unsaid.ts';

type RpkiProtocol = Extract<ProtocolConfig, { kind: 'rpki' }>;

/** RFC 8210 */
const ROA_VERSION = 1;
const CHANNEL_HANDLED = new Set(['span', 'table', 'preference', 'import', 'export', 'debug']);

export function rpkiCaches(config: BirdConfig, unsaid: Unsaid): RpkiCacheConfig[] {
  const protocols = config.protocols.filter((each): each is RpkiProtocol => each.kind === 'rpki');
  return protocols.flatMap((protocol) => cacheOf(config, protocol, unsaid) ?? []);
}

/** Undefined where the cache cannot be reached as it is asked for. */
function cacheOf(config: BirdConfig, protocol: RpkiProtocol, unsaid: Unsaid): RpkiCacheConfig | undefined {
  const { options, name, span, channels, common } = protocol;
  const { transport } = options;
  if (transport?.kind === 'ssh') {
    const at = protocol.spans.get('transport') ?? span;
    const hint = 'use transport tcp, with a password where the cache takes TCP-MD5';
    unsaid.say('a cache cannot be reached over SSH, and is not asked', at, name, hint);
    return undefined;
  }
  for (const channel of channels.values()) {
    unsaid.addOptions(channel, CHANNEL_HANDLED, () => channel.span, name);
    const filters = [channel.import, channel.export].filter((use) => use !== undefined);
    if (filters.some((use) => use.kind !== 'all' && use.kind !== 'none')) {
      unsaid.add('a filter of an rpki channel', channel.span, name);
    }
  }
  const { localAddress, port = RPKI_PORT, minVersion = 0 } = options;
  // ASPAs are of version 2 (8210bis); caches that are not asked for them need not know it.
  const usual = channels.has('aspa') ? RPKI_MAX_VERSION : ROA_VERSION;
  const { maxVersion = Math.max(minVersion, usual) } = options;
  return {
    name,
    host: options.remote ?? '',
    port,
    localAddress,
    password: transport?.password,
    preference: 0,
    refresh: interval('refresh', options.refresh),
    retry: interval('retry', options.retry),
    expire: interval('expire', options.expire),
    minVersion,
    maxVersion,
    ignoreMaxLength: options.ignoreMaxLength ?? false,
    enabled: common.disabled !== true,
    tables: {
      roa4: tableOf(config, protocol, 'roa4'),
      roa6: tableOf(config, protocol, 'roa6'),
      aspa: tableOf(config, protocol, 'aspa'),
    },
  };
}

function interval(which: keyof typeof RPKI_INTERVALS, timer: RpkiTimer | undefined): RpkiInterval {
  return timer ?? { seconds: RPKI_INTERVALS[which].usual, keep: false };
}

/** The channel's own table, or the first of its type. Undefined: nothing is imported. */
function tableOf(
  { tables }: BirdConfig,
  { channels }: RpkiProtocol,
  type: ChannelName & ('roa4' | 'roa6' | 'aspa'),
): string | undefined {
  const channel = channels.get(type);
  if (channel === undefined || channel.import?.kind === 'none') return undefined;
  if (channel.table !== undefined) return channel.table;
  for (const table of tables.values()) if (table.type === type) return table.name;
  return type;
}
