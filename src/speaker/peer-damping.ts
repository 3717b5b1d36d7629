// Route flap damping of a peer, from its settings to what watches its routes (rib/damper.ts). What is remembered of flaps
// goes with the values that it was counted by, and stays over sessions.

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../lib/clock.ts';
import { Damper } from '../rib/damper.ts';
import type { Rib } from '../rib/rib.ts';
import type { PeerHandle } from './peer-registry.ts';

/** The settings of a peer are new, or others. */
export function useDamping(
  handle: PeerHandle,
  { rib, session }: { readonly rib: Rib; readonly session: { readonly clock: Clock } },
): void {
  const { damping } = handle.settings;
  const before = handle.damper;
  if (isDeepStrictEqual(before?.options, damping)) return;
  const ribPeer = () => handle.established?.ribPeer ?? handle.restarts.waitingPeer;
  handle.damper = damping && new Damper(rib, session.clock, damping, ribPeer);
  const peer = ribPeer();
  if (peer !== undefined) peer.damper = handle.damper;
  before?.close();
}
