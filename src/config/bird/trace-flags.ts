// What `debug` and `mrtdump` statements ask of a protocol: what it says itself, else what holds for all. A channel is
// asked for what its protocol is asked for, and for what it says beside that.

import type { IpVersion } from '../../lib/ip.ts';
import type { BirdConfig, Flags } from './config.ts';

export const DEBUG_FLAGS = ['states', 'routes', 'filters', 'interfaces', 'events', 'packets'] as const;
export const MRTDUMP_FLAGS = ['states', 'messages'] as const;
export type DebugFlag = (typeof DEBUG_FLAGS)[number];
export type MrtdumpFlag = (typeof MRTDUMP_FLAGS)[number];

/** Of a protocol by its name in the configuration. */
export function debugOf(bird: BirdConfig | undefined, name: string): ReadonlySet<DebugFlag> {
  const own = bird?.protocolsByName.get(name)?.common.debug;
  return chosen(own ?? bird?.globals.debugProtocols, DEBUG_FLAGS);
}

/** Of a channel, without what is asked of its protocol. */
export function channelDebugOf(
  bird: BirdConfig | undefined,
  name: string,
  version: IpVersion,
): ReadonlySet<DebugFlag> {
  const channel = bird?.protocolsByName.get(name)?.channels.get(version);
  return chosen(channel?.debug ?? bird?.globals.debugChannels, DEBUG_FLAGS);
}

/** Of a protocol by its name in the configuration. */
export function mrtdumpOf(bird: BirdConfig | undefined, name: string): ReadonlySet<MrtdumpFlag> {
  const own = bird?.protocolsByName.get(name)?.common.mrtdump;
  return chosen(own ?? bird?.globals.mrtdumpProtocols, MRTDUMP_FLAGS);
}

/** Whether single steps are asked for, of any protocol or of those to come. */
export function asksForEvents(bird: BirdConfig | undefined): boolean {
  const all = [bird?.globals.debugProtocols, ...(bird?.protocols.map(({ common }) => common.debug) ?? [])];
  return all.some((flags) => chosen(flags, DEBUG_FLAGS).has('events'));
}

function chosen<Flag extends string>(flags: Flags | undefined, known: readonly Flag[]): ReadonlySet<Flag> {
  return new Set(known.filter((flag) => flags === 'all' || flags?.includes(flag) === true));
}
