// What `debug` statements ask to see of sessions: a line for each change of state, as BIRD writes it, and one when a
// session comes up or goes down.

import type { BirdConfig, Flags } from '../../config/bird/config.ts';
import type { PeerView, SpeakerApi } from '../../speaker/api.ts';

type Told = 'down' | 'start' | 'up';

/** Follows the peers until the returned function is called. `configuration` is asked at each change. */
export function traceStates(
  api: Pick<SpeakerApi, 'peers' | 'watchPeers'>,
  configuration: () => BirdConfig | undefined,
  write: (text: string) => void,
): () => void {
  const told = new Map<string, Told>(api.peers().map((peer) => [peer.name, stateOf(peer)]));
  return api.watchPeers(({ peer }) => {
    const before = told.get(peer.name) ?? 'down';
    const after = stateOf(peer);
    told.set(peer.name, after);
    if (before === after) return;
    const flags = debugOf(configuration(), peer.name);
    if (asks(flags, 'states')) write(`${peer.name}: State changed to ${after}`);
    if (!asks(flags, 'events')) return;
    if (after === 'up') write(`${peer.name}: BGP session established`);
    else if (before === 'up') write(`${peer.name}: BGP session closed`);
  });
}

/** What is to be shown of a protocol: what it says itself, else what holds for all. */
function debugOf(bird: BirdConfig | undefined, name: string): Flags {
  const own = bird?.protocols.find((protocol) => protocol.name === name)?.common.debug;
  return own ?? bird?.globals.debugProtocols ?? [];
}

/** Whether somebody asks to follow single steps. */
export function asksForEvents(bird: BirdConfig | undefined): boolean {
  if (bird === undefined) return false;
  const all = [bird.globals.debugProtocols, ...bird.protocols.map(({ common }) => common.debug)];
  return all.some((flags) => flags !== undefined && asks(flags, 'events'));
}

function asks(flags: Flags, flag: 'states' | 'events'): boolean {
  return flags === 'all' || flags.includes(flag);
}

function stateOf({ adminUp, state }: PeerView): Told {
  if (!adminUp) return 'down';
  return state === 'Established' ? 'up' : 'start';
}
