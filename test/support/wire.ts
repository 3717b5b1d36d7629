// Bytes for wire tests: hexadecimal with field comments, whole messages, and session contexts.

import { FAMILIES } from '../../src/bgp/wire/families.ts';
import { NotificationError } from '../../src/bgp/wire/notification.ts';
import type { SessionContext } from '../../src/bgp/wire/session-context.ts';
import { fromHex } from '../../src/lib/bytes.ts';

/** Octets from hexadecimal; spaces and `# comments` to the line's end are dropped. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  const bytes = fromHex(digits);
  if (bytes === undefined) throw new Error(`not hexadecimal: ${digits}`);
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** A message with a right header around `body`. */
export function message(type: number, body: Uint8Array): Uint8Array {
  return concat(new Uint8Array(16).fill(0xff), uint16(19 + body.length), Uint8Array.of(type), body);
}

/** An UPDATE from its three fields, given as octets or as commented hexadecimal. */
export function update(
  fields: { withdrawn?: string; attributes?: string | Uint8Array; nlri?: string } = {},
): Uint8Array {
  const withdrawn = hex(fields.withdrawn ?? '');
  const attributes =
    fields.attributes instanceof Uint8Array ? fields.attributes : hex(fields.attributes ?? '');
  const nlri = hex(fields.nlri ?? '');
  return message(2, concat(uint16(withdrawn.length), withdrawn, uint16(attributes.length), attributes, nlri));
}

/** One attribute with a short length. */
export function attribute(flags: number, type: number, value: string): string {
  const bytes = hex(value);
  const head = Uint8Array.of(flags, type, bytes.length);
  return Buffer.from(concat(head, bytes)).toString('hex');
}

export function sessionContext(overrides: Partial<SessionContext> = {}): SessionContext {
  return {
    peerType: 'external',
    localAs: 65000,
    peerAs: 65001,
    localId: 0x0a00000b,
    peerId: 0x0a010001,
    holdTime: 90,
    families: FAMILIES,
    as4: true,
    addPathReceive: 0,
    addPathSend: 0,
    extendedNextHop: 0,
    sendLimit: 4096,
    receiveLimit: 4096,
    routeRefresh: true,
    enhancedRouteRefresh: true,
    knowsLongLived: false,
    localRole: undefined,
    ...overrides,
  };
}

export const INTERNAL: Partial<SessionContext> = { peerType: 'internal', localAs: 65000, peerAs: 65000 };

/** The NotificationError that `run` throws, as `code/subcode` and data; undefined where it throws none. */
export function notificationOf(run: () => unknown): { error: string; data: string } | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof NotificationError)) throw error;
    return { error: `${error.code}/${error.subcode}`, data: Buffer.from(error.data).toString('hex') };
  }
  return undefined;
}

export function toHexString(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
