// Route flap damping of a peer, from its settings to what watches its routes (rib/damper.ts). What is remembered of flaps
// goes with the values that it was counted by, and stays over sessions.

import { FAMILIES, type Family } from '../bgp/wire/families.ts';
import type { Clock } from '../lib/clock.ts';
import { reimport } from '../rib/adj-rib-in.ts';
import { Damper } from '../rib/damper.ts';
import type { Rib } from '../rib/rib.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import type { PeerHandle } from './peer-registry.ts';

/** The settings of a peer are new, or others. */
export function useDamping(
  handle: PeerHandle,
  { rib, session }: { readonly rib: Rib; readonly session: { readonly clock: Clock } },
  same: (a: unknown, b: unknown) => boolean,
): void {
  const { damping } = handle.settings;
  const before = handle.damper;
  if (same(before?.options, damping)) return;
  const ribPeer = () => handle.established?.ribPeer ?? handle.restarts.waitingPeer;
  handle.damper = damping && new Damper(rib, session.clock, damping, ribPeer);
  const peer = ribPeer();
  if (peer !== undefined) peer.damper = handle.damper;
  before?.close();
}

/** The peer's routes are watched from now on. `handed`: they come from another process, which remembered for itself. */
export function dampRoutes(handle: PeerHandle, ribPeer: RibPeer, rib: Rib, handed: boolean): void {
  ribPeer.damper = handle.damper;
  if (handed && handle.damper !== undefined) {
    judgeAgain(ribPeer, rib, handle.established?.session.context.families ?? []);
  }
}

/** The same for routes of another process that wait for their peer to restart: nobody here knows why any were damped. */
export function dampWaiting({ damper }: PeerHandle, ribPeer: RibPeer, rib: Rib): void {
  ribPeer.damper = damper;
  if (damper !== undefined) judgeAgain(ribPeer, rib, FAMILIES);
}

function judgeAgain(ribPeer: RibPeer, rib: Rib, families: readonly Family[]): void {
  for (const { id } of families) rib.addWork(reimport(rib.homeOf(ribPeer, id), ribPeer, rib.checks));
}
