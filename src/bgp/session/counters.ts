// Messages and octets of one peer, over all its connections, in both directions.

import { readUint16 } from '../../lib/bytes.ts';
import { HEADER_LENGTH, MARKER_LENGTH } from '../wire/header.ts';
import { MESSAGE_TYPE } from '../wire/iana.ts';

export type MessageName = keyof typeof MESSAGE_TYPE;
const TYPES = 6;

/** Plain data, for another process. */
export interface CountersImage {
  readonly received: readonly number[];
  readonly sent: readonly number[];
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Counts by message type octet; index 0 is unused. */
export class MessageCounters {
  readonly received = new Float64Array(TYPES);
  readonly sent = new Float64Array(TYPES);
  receivedBytes = 0;
  sentBytes = 0;

  /** Counts whole messages handed to the send queue. */
  countSent(chunk: Uint8Array): void {
    this.sentBytes += chunk.length;
    for (let at = 0; at + HEADER_LENGTH <= chunk.length; ) {
      const type = chunk[at + HEADER_LENGTH - 1]!;
      if (type < TYPES) this.sent[type]!++;
      const length = readUint16(chunk, at + MARKER_LENGTH);
      // A length below the header's would never end the walk; such a chunk is not made of messages.
      if (length < HEADER_LENGTH) return;
      at += length;
    }
  }

  get image(): CountersImage {
    const { receivedBytes, sentBytes } = this;
    return { received: [...this.received], sent: [...this.sent], receivedBytes, sentBytes };
  }

  restore({ received, sent, receivedBytes, sentBytes }: CountersImage): void {
    this.received.set(received.slice(0, TYPES));
    this.sent.set(sent.slice(0, TYPES));
    this.receivedBytes = receivedBytes;
    this.sentBytes = sentBytes;
  }

  /** The counts by name, for whoever shows them. */
  view(): { received: Record<MessageName, number>; sent: Record<MessageName, number> } {
    return { received: byName(this.received), sent: byName(this.sent) };
  }
}

function byName(counts: Float64Array): Record<MessageName, number> {
  return {
    open: counts[MESSAGE_TYPE.open]!,
    update: counts[MESSAGE_TYPE.update]!,
    notification: counts[MESSAGE_TYPE.notification]!,
    keepalive: counts[MESSAGE_TYPE.keepalive]!,
    routeRefresh: counts[MESSAGE_TYPE.routeRefresh]!,
  };
}
