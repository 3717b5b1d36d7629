// A changed kernel section under a running speaker. Small changes are taken over in place. Where routes move (table,
// metric, protocol, install on or off) a second KernelSync is started beside the first, fed with every decided
// prefix, and the first one's routes go only when the second one's stand: no packet is lost for it.

import type { KernelAction, KernelChange } from '../config/diff.ts';
import type { Config, KernelConfig } from '../config/model.ts';
import { sleep } from '../lib/clock.ts';
import type { KernelSync } from './kernel-sync.ts';
import type { Speaker } from './speaker.ts';
import type { TableRoom } from './table-room.ts';

const IN_PLACE: readonly KernelAction[] = ['live', 'resync', 'relearn'];
/** What makes an own route another one to the kernel. */
const COORDINATES: readonly (keyof KernelConfig)[] = ['install', 'table', 'metric', 'protocol'];
const POLL_MS = 50;
/** After that the old routes go even if some new ones still fail. */
const PATIENCE_MS = 30_000;

export interface PreparedKernel {
  /** Carries the change out; resolves when the old routes are gone. */
  apply(): Promise<void>;
  /** As if nothing had been prepared. */
  undo(): Promise<void>;
}

/** Does what may fail (opening the kernel) before anything is changed. */
export async function prepareKernelChange(
  speaker: Speaker,
  room: TableRoom,
  change: KernelChange | undefined,
  after: Config,
): Promise<PreparedKernel> {
  const before = room.kernel;
  const inPlace = change === undefined || change.actions.every((action) => IN_PLACE.includes(action));
  // Without a kernel so far, learning or redistributing may want one now.
  if (inPlace && (before !== undefined || !needsKernel(after))) {
    return { apply: async () => change && before?.reconfigure(after.kernel), undo: async () => {} };
  }
  const next = await speaker.openKernel(room, after);
  await next?.start(before);
  const moved = change?.keys.some((key) => COORDINATES.includes(key)) ?? false;
  return {
    apply: () => replaceKernel(speaker, room, next, !moved),
    undo: () => takeBack(speaker, room, next, !moved),
  };
}

/** Whether a configuration wants anything of the kernel but answers about next hops. */
export function needsKernel(config: Config): boolean {
  return config.kernel.install || config.kernel.learn.length > 0 || config.redistribute.length > 0;
}

async function replaceKernel(
  speaker: Speaker,
  room: TableRoom,
  next: KernelSync | undefined,
  keepOld: boolean,
): Promise<void> {
  const { kernel: before, place } = room;
  before?.retire(next);
  room.kernel = next;
  if (next === undefined) place.rib.nextHops.untrack(place.domain);
  for (const family of place.families) place.rib.walks.decideAll(family);
  await digested(speaker, next);
  // Not earlier: what no decision has claimed yet looks like a leftover. Before all peers have sent what they have,
  // leftovers wait as they do after a start.
  if (speaker.settled) next?.startupComplete();
  await before?.close(keepOld);
}

/** The kernel at hand goes on instead of `next`. */
async function takeBack(
  speaker: Speaker,
  { kernel: before, place }: TableRoom,
  next: KernelSync | undefined,
  keepNew: boolean,
): Promise<void> {
  next?.retire(before);
  if (before === undefined) {
    place.rib.nextHops.untrack(place.domain);
    speaker.rooms.borrow();
  } else before.serve();
  for (const family of place.families) place.rib.walks.decideAll(family);
  await next?.close(keepNew);
}

/** Waits until every prefix is decided and its route written; a speaker that stops has no such time. */
async function digested(speaker: Speaker, kernel: KernelSync | undefined): Promise<void> {
  const { clock } = speaker.parts;
  const deadline = clock.now() + PATIENCE_MS;
  const isDone = () => speaker.rib.idle && (kernel?.settled ?? true);
  while (speaker.state === 'running' && !isDone() && clock.now() < deadline) await sleep(clock, POLL_MS);
}
