// The records of one update in columns, in their order: what a cache announced and withdrew between its Cache Response
// and its End of Data. Nothing of it counts before the End of Data.

import { readUint16, readUint32, writeUint32 } from '../lib/bytes.ts';
import { growInt32 } from '../lib/columns.ts';
import { BITS_A_WORD, prefixMask } from '../lib/ip-words.ts';
import { lengthOf, pduOf, pduType } from './pdu.ts';
import { HEADER_OCTETS, PDU, type PduProblem, RTR_ERROR, VERSIONS } from './protocol.ts';

const INITIAL_RECORDS = 256;
/** Ten times what there is in the world; more comes from a cache that has lost its mind. */
const MOST_RECORDS = 1 << 23;
const ANNOUNCE = 1;
const AT = { flags: 8, bits: 9, maxLength: 10, prefix: 12 };
const WORD_OCTETS = 4;
const SHIFT = { announce: 16, bits: 8 } as const;
const OCTET = 0xff;

/** Prefix records of one IP version. */
export class PrefixRecords {
  /** Words of an address: 1 (IPv4) or 4 (IPv6). */
  readonly stride: 1 | 4;
  count = 0;
  /** announce << 16 | prefix length << 8 | longest length */
  meta = new Int32Array(INITIAL_RECORDS);
  asns = new Int32Array(INITIAL_RECORDS);
  /** `stride` words each, host bits zero. */
  words: Int32Array<ArrayBuffer>;

  constructor(stride: 1 | 4) {
    this.stride = stride;
    this.words = new Int32Array(INITIAL_RECORDS * stride);
  }

  announces(index: number): boolean {
    return this.meta[index]! >> SHIFT.announce === ANNOUNCE;
  }

  bits(index: number): number {
    return (this.meta[index]! >> SHIFT.bits) & OCTET;
  }

  maxLength(index: number): number {
    return this.meta[index]! & OCTET;
  }

  asn(index: number): number {
    return this.asns[index]! >>> 0;
  }

  /** Takes an IPv4 or IPv6 Prefix PDU, whose length is right; gives what is wrong with it. */
  take(bytes: Uint8Array, start: number): PduProblem | undefined {
    const { stride, count } = this;
    const announce = bytes[start + AT.flags]! & ANNOUNCE;
    const bits = bytes[start + AT.bits]!;
    const maxLength = bytes[start + AT.maxLength]!;
    if (maxLength > stride * BITS_A_WORD || bits > maxLength) {
      return { code: RTR_ERROR.corruptData, text: `a prefix of length ${bits} up to ${maxLength}` };
    }
    this.#grow();
    for (let word = 0; word < stride; word++) {
      const value = readUint32(bytes, start + AT.prefix + word * WORD_OCTETS);
      this.words[count * stride + word] = value & prefixMask(bits, word);
    }
    this.meta[count] = (announce << SHIFT.announce) | (bits << SHIFT.bits) | maxLength;
    this.asns[count] = readUint32(bytes, start + AT.prefix + stride * WORD_OCTETS);
    return undefined;
  }

  /** Adds an announced record; `words[at ..]` are the address's, host bits zero. */
  announce(words: ArrayLike<number>, at: number, bits: number, maxLength: number, asn: number): void {
    const { stride, count } = this;
    this.#grow();
    for (let word = 0; word < stride; word++) this.words[count * stride + word] = words[at + word]!;
    this.meta[count] = (ANNOUNCE << SHIFT.announce) | (bits << SHIFT.bits) | maxLength;
    this.asns[count] = asn;
  }

  /** Room for one record more, which the caller fills. */
  #grow(): void {
    const { stride } = this;
    this.count++;
    this.meta = growInt32(this.meta, this.count);
    this.asns = growInt32(this.asns, this.count);
    this.words = growInt32(this.words, this.count * stride);
  }

  /** The PDU that a record came in. */
  pdu(index: number, version: number): Uint8Array {
    const { stride } = this;
    const octets = AT.prefix + stride * WORD_OCTETS + WORD_OCTETS;
    const bytes = pduOf(octets, version, stride === 1 ? PDU.ipv4Prefix : PDU.ipv6Prefix, 0);
    bytes[AT.flags] = this.announces(index) ? ANNOUNCE : 0;
    bytes[AT.bits] = this.bits(index);
    bytes[AT.maxLength] = this.maxLength(index);
    for (let word = 0; word < stride; word++) {
      writeUint32(bytes, AT.prefix + word * WORD_OCTETS, this.words[index * stride + word]!);
    }
    writeUint32(bytes, octets - WORD_OCTETS, this.asns[index]!);
    return bytes;
  }
}

export interface AspaRecord {
  readonly announce: boolean;
  readonly customer: number;
  /** Ascending, each once; none in a withdrawal. */
  readonly providers: Uint32Array;
  /** In the form of old drafts, which has a record for each IP version: they add up, and go together. */
  readonly perVersion: boolean;
}

export class RecordBatch {
  readonly ipv4 = new PrefixRecords(1);
  readonly ipv6 = new PrefixRecords(4);
  readonly aspas: AspaRecord[] = [];

  get count(): number {
    return this.ipv4.count + this.ipv6.count + this.aspas.length;
  }

  /** Takes a PDU that carries a record and whose length is right; gives what is wrong with it. */
  take(bytes: Uint8Array, start: number): PduProblem | undefined {
    if (this.count >= MOST_RECORDS) {
      return { code: RTR_ERROR.internalError, text: `more than ${MOST_RECORDS} records in one update` };
    }
    switch (pduType(bytes, start)) {
      case PDU.ipv4Prefix:
        return this.ipv4.take(bytes, start);
      case PDU.ipv6Prefix:
        return this.ipv6.take(bytes, start);
      case PDU.aspa:
        return this.#takeAspa(bytes, start);
      default:
        // Router keys are for BGPsec, which nobody here speaks.
        return undefined;
    }
  }

  #takeAspa(bytes: Uint8Array, start: number): PduProblem | undefined {
    const record = readAspa(bytes, start);
    if ('code' in record) return record;
    this.aspas.push(record);
    return undefined;
  }
}

/** Octets before the providers, now and in drafts until 8210bis-10. */
const ASPA_HEAD = HEADER_OCTETS + WORD_OCTETS;
const OLD_ASPA_HEAD = HEADER_OCTETS + 2 * WORD_OCTETS;
const FLAGS = 2;
const OLD_COUNT = 10;

/**
 * 8210bis §5.12: flags in the header, then the customer and its providers. Drafts until 10, which caches in use speak,
 * have flags and a number of providers behind the header instead; an announcement has its flag in one of the places,
 * and a withdrawal of today is as short as no old one.
 */
function readAspa(bytes: Uint8Array, start: number): AspaRecord | PduProblem {
  const length = lengthOf(bytes, start);
  const today = (bytes[start + FLAGS]! & ANNOUNCE) !== 0 || length === ASPA_HEAD;
  const head = today ? ASPA_HEAD : OLD_ASPA_HEAD;
  const count = (length - head) / WORD_OCTETS;
  if (!Number.isInteger(count) || count < 0) {
    return { code: RTR_ERROR.corruptData, text: `ASPA of ${length} octets` };
  }
  if (!today && readUint16(bytes, start + OLD_COUNT) !== count) {
    return { code: RTR_ERROR.corruptData, text: 'the number of providers does not fit the length' };
  }
  const announce = (bytes[start + (today ? FLAGS : AT.flags)]! & ANNOUNCE) !== 0;
  const customer = readUint32(bytes, start + head - WORD_OCTETS);
  const providers = new Uint32Array(announce ? count : 0);
  for (let i = 0; i < providers.length; i++) {
    providers[i] = readUint32(bytes, start + head + i * WORD_OCTETS);
  }
  if (today && announce && count === 0) {
    return { code: RTR_ERROR.aspaProviders, text: `AS${customer} is announced without a provider` };
  }
  const sorted = providers.slice().sort();
  return {
    announce,
    customer,
    providers: sorted.filter((asn, i) => i === 0 || asn !== sorted[i - 1]),
    perVersion: !today,
  };
}

/** The PDU of today that an ASPA would come in. */
export function aspaPdu({ announce, customer, providers }: AspaRecord): Uint8Array {
  const octets = ASPA_HEAD + providers.length * WORD_OCTETS;
  const bytes = pduOf(octets, VERSIONS.aspa, PDU.aspa, 0);
  bytes[FLAGS] = announce ? ANNOUNCE : 0;
  writeUint32(bytes, HEADER_OCTETS, customer);
  for (const [i, provider] of providers.entries()) writeUint32(bytes, ASPA_HEAD + i * WORD_OCTETS, provider);
  return bytes;
}
