// Handing encoded changes to members: each gets the buffer that all get, less the part that came from itself, and
// what is for it alone. Nothing is copied; the chunks are views of one buffer.

import type { EncodedBatch } from './change-batch.ts';
import type { Member } from './lane.ts';

export interface Delivery {
  /** Octets handed out, counted for every member. */
  readonly bytes: number;
  /** A member wants no more for now. */
  readonly congested: boolean;
}

export function deliver(members: readonly Member[], encoded: EncodedBatch): Delivery {
  const { bytes, common, own, solo, index } = encoded;
  const everything = common.end > 0 ? [bytes.subarray(0, common.end)] : [];
  let sent = 0;
  let congested = false;
  for (const { peer, sink } of members) {
    const mine = own.get(peer.id);
    const extra = solo.get(peer.id);
    let chunks = everything;
    if (mine !== undefined) chunks = around(bytes, mine.start, mine.end, common.end);
    if (extra !== undefined) chunks = [...chunks, bytes.subarray(extra.start, extra.end)];
    if (chunks.length === 0) continue;
    const { sent: count } = peer.changes[index]!;
    count.announced += common.announced - (mine?.announced ?? 0) + (extra?.announced ?? 0);
    count.withdrawn += common.withdrawn - (mine?.withdrawn ?? 0) + (extra?.withdrawn ?? 0);
    for (const chunk of chunks) sent += chunk.length;
    if (!sink.send(chunks)) congested = true;
  }
  return { bytes: sent, congested };
}

/** `bytes[0, end)` without `[cutStart, cutEnd)`. */
function around(bytes: Uint8Array, cutStart: number, cutEnd: number, end: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  if (cutStart > 0) parts.push(bytes.subarray(0, cutStart));
  if (end > cutEnd) parts.push(bytes.subarray(cutEnd, end));
  return parts;
}
