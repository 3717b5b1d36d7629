// Takes UPDATE messages apart for the bench: which prefixes they announce and withdraw, with the attributes in the
// canonical form of attributes.ts. Reads dumped messages and raw streams of messages. RFC 4271 §4.3, RFC 4760,
// RFC 7911. Unicast and multicast are taken apart,
// other families passed over.

import { FAMILIES, type Family, IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { type AttributeBlock, type MpBlock, readAttributes } from './attributes.ts';
import { Cursor } from './cursor.ts';
import { MrtError } from './records.ts';

export const HEADER_LENGTH = 19;
export const MESSAGE = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const;

/** What a prefix of a message belongs to; `unicast` is undefined for multicast (SAFI 2, RFC 4760 §6). */
export interface NlriFamily extends Pick<Family, 'afi' | 'safi' | 'maxBits' | 'nextHopBytes'> {
  readonly unicast: Family | undefined;
}

const SAFI_MULTICAST = 2;

const NLRI_FAMILIES: readonly NlriFamily[] = FAMILIES.flatMap((family) => [
  { ...family, unicast: family },
  { ...family, safi: SAFI_MULTICAST, unicast: undefined },
]);
const IPV4_NLRI = NLRI_FAMILIES.find((row) => row.unicast === IPV4_UNICAST)!;

export interface UpdateForm {
  readonly as4: boolean;
  readonly addPath: boolean;
}

/** `prefix` has 16 octets of room, of which the family's first 4 or 16 count; valid only during the call. */
export interface UpdateVisitor {
  announce(
    family: NlriFamily,
    prefix: Uint8Array,
    length: number,
    pathId: number,
    block: AttributeBlock,
  ): void;
  withdraw(family: NlriFamily, prefix: Uint8Array, length: number, pathId: number): void;
}

/** Walks one message, header included; anything but an UPDATE is passed over. Throws MrtError. */
export function readUpdate(message: Uint8Array, form: UpdateForm, visitor: UpdateVisitor): void {
  const body = new Cursor(message);
  body.take(HEADER_LENGTH - 1);
  if (body.u8() !== MESSAGE.update) return;
  const withdrawn = body.take(body.u16());
  const block = readAttributes(body.take(body.u16()), { as4: form.as4, shortMpReach: false });
  const nlri = body.take(body.left);
  const { withdraw, announce } = visitor;
  forEachPrefix(withdrawn, IPV4_NLRI, form.addPath, withdraw.bind(visitor));
  forMp(block.mpUnreach, form.addPath, withdraw.bind(visitor));
  const reached = (family: NlriFamily, prefix: Uint8Array, length: number, pathId: number): void =>
    announce.call(visitor, family, prefix, length, pathId, block);
  forMp(block.mpReach, form.addPath, reached);
  forEachPrefix(nlri, IPV4_NLRI, form.addPath, reached);
}

type PrefixVisitor = (family: NlriFamily, prefix: Uint8Array, length: number, pathId: number) => void;

function forMp(block: MpBlock | undefined, addPath: boolean, visit: PrefixVisitor): void {
  if (block === undefined) return;
  const family = NLRI_FAMILIES.find((row) => row.afi === block.afi && row.safi === block.safi);
  if (family !== undefined) forEachPrefix(block.nlri, family, addPath, visit);
}

function forEachPrefix(nlri: Uint8Array, family: NlriFamily, addPath: boolean, visit: PrefixVisitor): void {
  const body = new Cursor(nlri);
  const prefix = new Uint8Array(16);
  while (body.left > 0) {
    const pathId = addPath ? body.u32() : 0;
    const length = body.prefixInto(prefix, family.maxBits);
    visit(family, prefix, length, pathId);
  }
}

/** Cuts a stream of messages that stand back to back; returns the octets left over. Throws MrtError. */
export function forEachMessage(stream: Uint8Array, visit: (message: Uint8Array) => void): number {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let at = 0;
  while (at + HEADER_LENGTH <= stream.length) {
    const length = view.getUint16(at + 16);
    if (length < HEADER_LENGTH) throw new MrtError(`message length ${length}`);
    if (at + length > stream.length) break;
    visit(stream.subarray(at, at + length));
    at += length;
  }
  return stream.length - at;
}
