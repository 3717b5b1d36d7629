// A decoded UPDATE as plain text, which tests compare and print.

import { formatAsPath } from '../../src/bgp/wire/as-path.ts';
import { decodeAttributes } from '../../src/bgp/wire/attribute-set.ts';
import { prefixBytes } from '../../src/bgp/wire/nlri.ts';
import type { NlriBatch } from '../../src/bgp/wire/nlri-batch.ts';
import type { SessionContext } from '../../src/bgp/wire/session-context.ts';
import { type DecodedUpdate, type DecodeOptions, UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { sessionContext, toHexString } from './wire.ts';

/** `192.0.2.0/24`, with ` #7` behind it where it has a path identifier. */
export function prefixTexts(batches: readonly NlriBatch[]): string[] {
  const texts: string[] = [];
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      const address = formatAddress(prefixBytes(batch.words, i, batch.family.words));
      const pathId = batch.pathIds[i]!;
      texts.push(`${address}/${batch.lengths[i]}${pathId === 0 ? '' : ` #${pathId}`}`);
    }
  }
  return texts;
}

export function nextHopText(batch: NlriBatch): string {
  const bytes = batch.nextHop.subarray(0, batch.nextHopLength);
  if (bytes.length !== 32) return bytes.length === 0 ? 'none' : formatAddress(bytes);
  return `${formatAddress(bytes.subarray(0, 16))} ${formatAddress(bytes.subarray(16))}`;
}

export interface Decoded {
  announced: string[];
  withdrawn: string[];
  nextHops: string[];
  /** Canonical octets in hexadecimal. */
  set: string;
  withdraw: boolean;
  endOfRib: string | undefined;
  /** `7 attribute-discard`: type and action of each issue. */
  issues: string[];
  messages: string[];
  attributes: ReturnType<typeof decodeAttributes>;
  /** The path that AS4 merging replaced. */
  superseded: string | undefined;
}

export function describeUpdate(update: DecodedUpdate): Decoded {
  return {
    announced: prefixTexts(update.announced),
    withdrawn: prefixTexts(update.withdrawn),
    nextHops: update.announced.map(nextHopText),
    set: toHexString(update.attributes.subarray(0, update.attributesLength)),
    withdraw: update.treatAsWithdraw,
    endOfRib: update.endOfRib?.name,
    issues: update.issues.map((issue) => `${issue.type} ${issue.action}`),
    messages: update.issues.map((issue) => issue.message),
    attributes: decodeAttributes(update.attributes, 0, update.attributesLength),
    superseded: update.supersededPath === undefined ? undefined : formatAsPath(update.supersededPath),
  };
}

export function decodeUpdate(
  bytes: Uint8Array,
  context: Partial<SessionContext> = {},
  options: DecodeOptions = {},
): Decoded {
  const decoder = new UpdateDecoder(sessionContext(context), options);
  return describeUpdate(decoder.decode(bytes, 0, bytes.length));
}
