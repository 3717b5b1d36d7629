// Routes told again, by either side: what route refresh (RFC 2918) can do, and what takes its place where the peer
// cannot.

import type { PeerHandle, PeerRegistry } from './peer-registry.ts';

/** in = ask the peer again (or rerun policy where the peer cannot), out = send everything again. */
export function refreshPeer(
  registry: PeerRegistry,
  handle: PeerHandle,
  direction: 'in' | 'out' | 'both',
): void {
  const { established } = handle;
  if (established === undefined) return;
  const { session } = established;
  const { families } = session.context;
  if (direction !== 'in') for (const family of families) registry.resend(established, family);
  if (direction === 'out') return;
  const asked = families.filter((family) => session.requestRefresh(family));
  // What the peer sends again as it was is not judged again, and a limit may have kept it back.
  if (asked.length < families.length || handle.limits.keptBack) registry.refreshIn(handle);
}
