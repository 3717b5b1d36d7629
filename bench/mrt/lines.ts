// An MRT file in the words of `bgpdump -m`, one line a route: what a person greps and what tests compare. Only the
// columns that name a route are printed: kind, peer, AS, prefix, path identifier.

import { formatAddress } from '../../src/lib/ip.ts';
import { type MrtSummary, readMrt } from './reader.ts';
import { MrtError } from './records.ts';
import type { MrtPeer } from './rib.ts';
import { type NlriFamily, readUpdate } from './update-message.ts';

/** B: in a table; A: announced; W: withdrawn. */
export type LineKind = 'B' | 'A' | 'W';

export interface RouteLine {
  readonly kind: LineKind;
  readonly peer: string;
  readonly peerAs: number;
  readonly prefix: string;
  readonly pathId: number | undefined;
}

/** Calls back for every route of the file, in file order. Messages that cannot be walked are counted. */
export async function readLines(
  path: string,
  onLine: (line: RouteLine) => void,
): Promise<MrtSummary & { badMessages: number }> {
  let badMessages = 0;
  const peerText = peerFormatter();
  const prefixText = prefixFormatter();
  const summary = await readMrt(path, {
    onRibEntry(entry) {
      onLine({
        kind: 'B',
        peer: peerText(entry.peer),
        peerAs: entry.peer.asn,
        prefix: prefixText(entry.family, entry.prefix, entry.length),
        pathId: entry.pathId,
      });
    },
    onMessage({ message, as4, addPath, peer }) {
      const base = { peer: peerText(peer), peerAs: peer.asn };
      const line = (
        kind: LineKind,
        family: Pick<NlriFamily, 'nextHopBytes'>,
        prefix: Uint8Array,
        length: number,
        pathId: number,
      ) =>
        onLine({
          ...base,
          kind,
          prefix: prefixText(family, prefix, length),
          pathId: addPath ? pathId : undefined,
        });
      try {
        readUpdate(
          message,
          { as4, addPath },
          {
            announce: (family, prefix, length, pathId) => line('A', family, prefix, length, pathId),
            withdraw: (family, prefix, length, pathId) => line('W', family, prefix, length, pathId),
          },
        );
      } catch (error) {
        if (!(error instanceof MrtError)) throw error;
        badMessages++;
      }
    },
  });
  return { ...summary, badMessages };
}

/** Tables name a few peers a million times. */
function peerFormatter(): (peer: MrtPeer) => string {
  const known = new WeakMap<MrtPeer, string>();
  return (peer) => {
    const text = known.get(peer) ?? formatAddress(peer.address);
    known.set(peer, text);
    return text;
  };
}

/** Tables name one prefix for every peer in turn: the last text is kept. */
function prefixFormatter(): (
  family: Pick<NlriFamily, 'nextHopBytes'>,
  prefix: Uint8Array,
  length: number,
) => string {
  const last = new Uint8Array(16);
  let lastOctets = 0;
  let text = '';
  return (family, prefix, length) => {
    const octets = family.nextHopBytes;
    if (octets !== lastOctets || last.some((octet, i) => i < octets && octet !== prefix[i])) {
      last.set(prefix.subarray(0, octets));
      lastOctets = octets;
      text = formatAddress(last.subarray(0, octets));
    }
    return `${text}/${length}`;
  };
}
