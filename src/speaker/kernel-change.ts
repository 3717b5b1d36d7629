// A changed kernel section under a running speaker. Small changes are taken over in place. Where routes move (table,
// metric, protocol, install on or off) a second KernelSync is started beside the first, fed with every decided
// prefix, and the first one's routes go only when the second one's stand: no packet is lost for it.

import type { KernelAction, KernelChange } from '../config/diff.ts';
import { type Config, type KernelConfig, kernelLearns, kernelOfFamily } from '../config/model.ts';
import { sleep } from '../lib/clock.ts';
import { IP_VERSIONS, type IpVersion } from '../lib/ip.ts';
import type { KernelSync } from './kernel-sync.ts';
import type { Speaker } from './speaker.ts';
import type { TableRoom } from './table-room.ts';

const IN_PLACE: readonly KernelAction[] = ['live', 'resync', 'relearn'];
/** What makes an own route another one to the kernel. */
const COORDINATES = ['table', 'metric', 'protocol'] as const;
const POLL_MS = 50;
/** After that the old routes go even if some new ones still fail. */
const PATIENCE_MS = 30_000;

/** Families whose own routes stay where they are on a clean stop. */
function keptOnStop({ config: { kernel } }: TableRoom): readonly IpVersion[] {
  return IP_VERSIONS.filter((version) => kernelOfFamily(kernel, version).keepOnStop);
}

/** Routes that stay when tables are closed are left alone from now on; `all`: they all do. */
export function freezeKernels(rooms: readonly TableRoom[], all: boolean): void {
  for (const room of rooms) room.kernel?.freeze(all ? IP_VERSIONS : keptOnStop(room));
}

export async function closeKernels(rooms: readonly TableRoom[], all = false): Promise<void> {
  await Promise.all(rooms.map((room) => room.kernel?.close(all ? IP_VERSIONS : keptOnStop(room))));
}

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
  const unmoved = IP_VERSIONS.filter((version) => change === undefined || !moves(change, version));
  const left = IP_VERSIONS.filter((version) => change !== undefined && leaves(change, version));
  return {
    apply: () => replaceKernel(speaker, room, next, [...unmoved, ...left]),
    undo: () => takeBack(speaker, room, next, unmoved),
  };
}

/** Whether own routes of a family go elsewhere, or nowhere. */
function moves({ before, after }: KernelChange, version: IpVersion): boolean {
  const [old, next] = [kernelOfFamily(before, version), kernelOfFamily(after, version)];
  return (
    isWritten(before, version) !== isWritten(after, version) ||
    COORDINATES.some((key) => old[key] !== next[key])
  );
}

/** Whether a family is written no more, and what is there stays as at a stop. */
function leaves({ before, after }: KernelChange, version: IpVersion): boolean {
  const ends = isWritten(before, version) && !isWritten(after, version);
  return ends && kernelOfFamily(before, version).keepOnStop;
}

function isWritten({ install, families = IP_VERSIONS }: KernelConfig, version: IpVersion): boolean {
  return install && families.includes(version);
}

/** Whether a configuration wants anything of the kernel but answers about next hops. */
export function needsKernel(config: Config): boolean {
  const { kernel, redistribute } = config;
  return kernel.install || kernelLearns(kernel) || redistribute.length > 0;
}

async function replaceKernel(
  speaker: Speaker,
  room: TableRoom,
  next: KernelSync | undefined,
  keepOld: readonly IpVersion[],
): Promise<void> {
  const { kernel: before, place } = room;
  before?.retire(next);
  room.kernel = next;
  if (next === undefined) place.rib.nextHops.untrack(place.domain);
  speaker.rooms.borrow();
  // What was borrowed has answered until now.
  if (before === undefined) next?.serve();
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
  keepNew: readonly IpVersion[],
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
