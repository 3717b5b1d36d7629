// How often a channel's routes changed, from counters that the tables keep a message at a time.

import type { Family } from '../../bgp/wire/families.ts';
import type { RibPeer } from '../../rib/rib-peer.ts';
import type { ChannelStats, UpdateStats } from '../api/protocols.ts';

const NONE: UpdateStats = { received: 0, rejected: 0, filtered: 0, ignored: 0, accepted: 0 };

/** Of exports only what was sent is counted: what rules and policies keep back is never a change. */
export function channelStats(peer: RibPeer, family: Family): ChannelStats {
  const { announced, invalid, filtered, unchanged, withdrawn, unknown, sent } = peer.changesOf(family.id);
  return {
    importUpdates: {
      received: announced,
      rejected: invalid,
      filtered,
      ignored: unchanged,
      accepted: announced - invalid - filtered - unchanged,
    },
    importWithdraws: { ...NONE, received: withdrawn, ignored: unknown, accepted: withdrawn - unknown },
    exportUpdates: { ...NONE, received: sent.announced, accepted: sent.announced },
    exportWithdraws: { ...NONE, received: sent.withdrawn, accepted: sent.withdrawn },
  };
}
