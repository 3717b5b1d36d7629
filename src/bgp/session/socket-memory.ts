// What the kernel holds of a connection's data: SO_MEMINFO of socket(7), as <linux/sock_diag.h> lays it out.

import { endianness } from 'node:os';

export const SO_MEMINFO = 55;
/** Nine words; of these what was received and is unread, and what was sent and is unacknowledged. */
const OCTETS = 36;
const COUNTED = { rmemAlloc: 0, wmemQueued: 20 } as const;

/** For getsockopt: the value, and its length as the kernel wants it. */
export function memoryInfo(): { info: Uint8Array; length: Uint8Array } {
  const length = new Uint8Array(Uint32Array.BYTES_PER_ELEMENT);
  new DataView(length.buffer).setUint32(0, OCTETS, endianness() === 'LE');
  return { info: new Uint8Array(OCTETS), length };
}

/** Octets, the kernel's own overhead included. */
export function heldOctets(info: Uint8Array): number {
  const words = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const word = (at: number) => words.getUint32(at, endianness() === 'LE');
  return word(COUNTED.rmemAlloc) + word(COUNTED.wmemQueued);
}
