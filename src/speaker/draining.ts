// Traffic goes elsewhere before sessions end (RFC 8326): by command, and before a stop where that is configured.

import type { PeerHandle } from './peer-registry.ts';
import type { Speaker } from './speaker.ts';

const MS_PER_SECOND = 1000;

/** One peer, or all of them where none is named. Throws CommandError for an unknown name. */
export function drain({ registry, diagnosis }: Speaker, name: string | undefined, on: boolean): void {
  registry.drain(name, on);
  const whose = name === undefined ? 'all routes' : `routes of ${name}`;
  diagnosis.journal.note(
    on ? 'drain-began' : 'drain-over',
    on ? `${whose} are the last resort (RFC 8326)` : `${whose} are as good as before`,
    name,
  );
}

/**
 * Drains peers where the configuration in force wants that of a stop. Returns how many milliseconds to wait before the
 * stop; 0 where nobody would hear of it, or is to.
 */
export function drainBeforeStop(speaker: Speaker): number {
  const { config, registry, stopsSilently } = speaker;
  const { onStop, drainTime = 0 } = config.router.restart;
  if (onStop !== 'drain' || stopsSilently || !registry.anyEstablished) return 0;
  drain(speaker, undefined, true);
  return drainTime * MS_PER_SECOND;
}

/** A problem for as long as it lasts. */
export function drainSentence(handles: readonly PeerHandle[]): string | undefined {
  const drained = handles.filter(({ draining }) => draining).length;
  return drained === 0
    ? undefined
    : `${drained === 1 ? '1 peer is drained: its' : `${drained} peers are drained: their`} routes are the last resort (RFC 8326)`;
}
