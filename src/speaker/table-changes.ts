// Routing tables that come, go or change under a running speaker. What may fail (opening a kernel table) is done before
// anything else changes; a table goes when nobody is attached to it any more.

import type { ConfigPlan, OriginsPlan } from '../config/diff.ts';
import type { Config } from '../config/model.ts';
import { reimport } from '../rib/adj-rib-in.ts';
import { closeKernels, type PreparedKernel, prepareKernelChange } from './kernel-change.ts';
import type { Speaker } from './speaker.ts';
import type { TableRoom } from './table-room.ts';
import { roomConfig, useMultipath } from './table-rooms.ts';

export interface PreparedTables {
  /** New tables take part, changed ones change. */
  apply(): Promise<void>;
  /** Tables that are not there any more are emptied and closed. */
  finish(): Promise<void>;
  /** As if nothing had been prepared. */
  undo(): Promise<void>;
}

/** Rejects, with nothing changed, where a kernel table cannot be had. */
export async function prepareTables(
  speaker: Speaker,
  plan: ConfigPlan['tables'],
  after: Config,
): Promise<PreparedTables> {
  const { rooms } = speaker;
  // A table of other families has the name of one that goes.
  const leaving = plan.removed.flatMap(({ name }) => rooms.detach(name) ?? []);
  const added: TableRoom[] = [];
  const changed: { change: (typeof plan.changed)[number]; room: TableRoom; kernel: PreparedKernel }[] = [];
  const undo = async (): Promise<void> => {
    for (const { kernel } of changed) await kernel.undo();
    await Promise.all(added.map((room) => closeRoom(speaker, room)));
    for (const room of leaving) rooms.attach(room);
  };
  try {
    for (const table of plan.added) {
      const room = rooms.add(table, after);
      added.push(room);
      speaker.useLocalImport(room, room.config);
      room.kernel = await speaker.openKernel(room, room.config);
      await room.kernel?.start();
    }
    for (const change of plan.changed) {
      const room = rooms.get(change.after.name);
      if (room === undefined) continue;
      const own = roomConfig(after, change.after);
      changed.push({ change, room, kernel: await prepareKernelChange(speaker, room, change.kernel, own) });
    }
  } catch (error) {
    await undo();
    throw error;
  }
  return {
    undo,
    apply: async () => {
      rooms.borrow();
      for (const { change, room, kernel } of changed) {
        room.config = roomConfig(after, change.after);
        for (const family of room.place.families) useMultipath(room.place.rib, family, room.config);
        await kernel.apply();
        applyOrigins(speaker, room, change);
      }
      for (const room of added) for (const network of room.config.networks) room.networks.configure(network);
    },
    finish: async () => {
      for (const room of leaving) await closeRoom(speaker, room);
      rooms.borrow();
    },
  };
}

/** Policies, networks and learned routes of a table, after its kernel. */
export function applyOrigins(speaker: Speaker, room: TableRoom, plan: OriginsPlan): void {
  const { networks, kernel } = room;
  applyLocalPolicies(speaker, room, plan);
  for (const network of plan.networks.removed) networks.unconfigure(network);
  for (const network of plan.networks.added) networks.configure(network);
  for (const { after } of plan.networks.changed) networks.configure(after);
  for (const source of plan.redistribute.removed) kernel?.redistribute(source, false);
  for (const source of plan.redistribute.added) kernel?.redistribute(source, true);
}

function applyLocalPolicies(speaker: Speaker, room: TableRoom, { localPolicies }: OriginsPlan): void {
  if (localPolicies === undefined) return;
  const { actions, after } = localPolicies;
  if (actions.includes('install')) room.kernel?.useFilter(speaker.policies.kernelFilter(after.install));
  if (!actions.includes('import')) return;
  speaker.useLocalImport(room, room.config);
  reimportLocal(speaker, room);
}

/** The table's own and learned routes are judged again. */
export function reimportLocal({ rib }: Speaker, { place }: TableRoom): void {
  for (const family of place.families) rib.addWork(reimport(family, place.local, rib.checks));
}

async function closeRoom(speaker: Speaker, room: TableRoom): Promise<void> {
  room.kernel?.retire(undefined);
  speaker.rooms.remove(room);
  await closeKernels([room]);
  room.kernel = undefined;
}
