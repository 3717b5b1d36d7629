// Carries out the plan from one configuration to the next: what did not change keeps its session, a changed policy
// refeeds softly. The order matters: what peers lean on (identity, tables, kernel) first, then the peers.

import { CEASE } from '../bgp/wire/error-codes.ts';
import type { ConfigPlan, DynamicPeersChange, PeerChange } from '../config/diff.ts';
import type { Config } from '../config/model.ts';
import { CommandError } from './api.ts';
import { prepareKernelChange } from './kernel-change.ts';
import { listenOptions } from './listen-options.ts';
import type { PeerHandle } from './peer-registry.ts';
import { revalidate } from './revalidation.ts';
import { ribOptions } from './rib-options.ts';
import type { Speaker } from './speaker.ts';
import { applyOrigins, prepareTables } from './table-changes.ts';
import { useMultipath } from './table-rooms.ts';

/** Rejects, with nothing changed, where the kernel cannot be had as the new configuration wants it. */
export async function applyPlan(speaker: Speaker, plan: ConfigPlan, after: Config): Promise<void> {
  const { main } = speaker.rooms;
  const tables = await prepareTables(speaker, plan.tables, after);
  const kernel = await prepareKernelChange(speaker, main, plan.kernel, after).catch(
    async (error: unknown) => {
      await tables.undo();
      throw error;
    },
  );
  if (speaker.state !== 'running') {
    await kernel.undo();
    await tables.undo();
  }
  requireRunning(speaker);
  const { bfdSessions: watched = [] } = speaker.config;
  speaker.config = after;
  main.config = after;
  speaker.registry.useConfig(after);
  speaker.diagnosis.use(after);
  const changedTables = speaker.tables.use(after);
  if (changedTables.size > 0) speaker.policies.tablesChanged(changedTables);
  applyRouter(speaker, plan, after);
  applyDecision(speaker, plan, after);
  await kernel.apply();
  requireRunning(speaker);
  applyOrigins(speaker, main, plan);
  await tables.apply();
  requireRunning(speaker);
  for (const { name } of plan.pipes.removed) speaker.pipes.remove(name);
  for (const listen of plan.listeners.removed) speaker.listeners.close(listenOptions(listen));
  for (const listen of plan.listeners.added) speaker.listeners.open(listenOptions(listen));
  // Those of before, too, until peers have come: a path that goes from one to the other stays watched.
  speaker.bfd.watch([...watched, ...(after.bfdSessions ?? [])]);
  applyPeers(speaker, plan, after);
  applyRanges(speaker, plan, after);
  moveSessions(speaker);
  for (const { before, after: pipe } of plan.pipes.changed) speaker.pipes.change(before, pipe);
  for (const pipe of plan.pipes.added) speaker.pipes.add(pipe);
  await tables.finish();
  speaker.mrt.use(after);
  speaker.rpki.use(after.rpki ?? []);
  speaker.bmp.use(after);
  speaker.bfd.watch(after.bfdSessions ?? []);
  revalidate(speaker, changedTables);
  const used = after.filters?.retain(after);
  if (used !== undefined) speaker.policies.retain(used);
}

/** A signal may come while the kernel is waited for: nothing is opened behind a stop. Throws CommandError. */
function requireRunning({ state }: Speaker): void {
  if (state !== 'running') throw new CommandError('failed', `godwit is ${state}`);
}

/** RFC 4486 §4: a new identity is for new sessions. */
function applyRouter(speaker: Speaker, plan: ConfigPlan, after: Config): void {
  const { rib, registry } = speaker;
  rib.useOwnIdentifiers(ribOptions(after).own);
  if (plan.router === undefined) return;
  for (const handle of registry.values()) {
    registry.update(handle, after, handle.settings);
    // What is part of the options has reset the session by now; a cluster id is not, nor an AS behind a local one.
    const { actions } = plan.router;
    const internal = handle.established?.ribPeer.source === 'internal';
    if (actions.includes('reset-all') || (internal && actions.includes('reset-internal')))
      resetSession(handle);
  }
}

function resetSession({ established, peer }: PeerHandle): void {
  if (established !== undefined) peer.reset({ subcode: CEASE.otherConfigurationChange });
}

function applyDecision(speaker: Speaker, plan: ConfigPlan, after: Config): void {
  const ecmpChanged = plan.kernel?.keys.some((key) => key === 'ecmp' || key === 'install') ?? false;
  if (plan.decision === undefined && !ecmpChanged) return;
  const { decision, defaultLocalPref, defaultMed } = ribOptions(after);
  speaker.rib.useDecision(decision, defaultLocalPref, defaultMed);
  for (const { place, config } of speaker.rooms.values()) {
    for (const family of place.families) useMultipath(speaker.rib, family, config);
  }
  if (plan.decision?.actions.includes('import') !== true) return;
  speaker.registry.refreshOut(...speaker.registry.values());
}

/** Where a table of the same name is another one, sessions begin anew. */
function moveSessions({ registry, rooms }: Speaker): void {
  for (const handle of registry.values()) {
    const home = rooms.homeOf(handle.settings);
    const is = handle.established?.ribPeer.home;
    if (is !== undefined && home.some((index, family) => is[family] !== index)) resetSession(handle);
  }
}

function applyPeers(speaker: Speaker, plan: ConfigPlan, after: Config): void {
  const { registry, listeners } = speaker;
  for (const { name } of plan.peers.removed) {
    const handle = registry.find(name);
    if (handle !== undefined) speaker.removePeer(handle);
  }
  for (const change of plan.peers.changed) changePeer(speaker, change, after);
  for (const peer of plan.peers.added) speaker.addPeer(peer);
  for (const { after: peer } of plan.peers.changed) {
    const handle = registry.find(peer.name);
    if (handle !== undefined) listeners.refresh(handle.peer);
  }
}

function changePeer(speaker: Speaker, change: PeerChange, after: Config): void {
  const { registry } = speaker;
  const handle = registry.find(change.after.name);
  if (handle === undefined) return;
  if (change.before.address !== change.after.address) {
    speaker.removePeer(handle);
    speaker.addPeer(change.after);
    return;
  }
  if (change.admin === 'down') registry.stop(handle, undefined);
  registry.update(handle, after, change.after);
  if (change.softIn) registry.refreshIn(handle);
  if (change.softOut) registry.refreshOut(handle);
  // What no option of the session shows (reflection, cluster id) still needs a new one.
  if (change.reset.length > 0) resetSession(handle);
  if (change.admin === 'up') handle.peer.start();
}

function applyRanges(speaker: Speaker, plan: ConfigPlan, after: Config): void {
  for (const { name } of plan.dynamicPeers.removed) speaker.dynamic.remove(name);
  for (const change of plan.dynamicPeers.changed) changeRange(speaker, change, after);
  for (const range of plan.dynamicPeers.added) speaker.dynamic.add(range);
  speaker.dynamic.useOrder(after.dynamicPeers);
}

function changeRange(speaker: Speaker, change: DynamicPeersChange, after: Config): void {
  if (change.reset.length > 0) {
    speaker.dynamic.remove(change.before.name);
    speaker.dynamic.add(change.after);
    return;
  }
  speaker.dynamic.update(after, change.after, change.softIn, change.softOut);
}
