// PDUs between octets and values (RFC 8210 §5). What carries records is written into a RecordBatch without an object in
// between (record-batch.ts); here are the queries and the error report that a router sends, and the PDUs around the
// records that it receives.

import { readUint16, readUint32, writeUint16, writeUint32 } from '../lib/bytes.ts';
import {
  HEADER_OCTETS,
  LONGEST_PDU,
  PDU,
  PDU_ROWS,
  type PduProblem,
  pduName,
  RTR_ERROR,
  VERSIONS,
} from './protocol.ts';

const AT = { version: 0, type: 1, session: 2, length: 4, serial: 8, refresh: 12, retry: 16, expire: 20 };
const SERIAL_PDU = 12;
const LENGTH_FIELD = 4;
/** Of a PDU that an Error Report quotes. */
const MOST_QUOTED = 512;

export function pduVersion(bytes: Uint8Array, start: number): number {
  return bytes[start + AT.version]!;
}

export function pduType(bytes: Uint8Array, start: number): number {
  return bytes[start + AT.type]!;
}

/** The session id; of an Error Report the code. */
export function sessionOf(bytes: Uint8Array, start: number): number {
  return readUint16(bytes, start + AT.session);
}

export function serialOf(bytes: Uint8Array, start: number): number {
  return readUint32(bytes, start + AT.serial);
}

/** Octets of the PDU whose header begins at `start`. */
export function lengthOf(bytes: Uint8Array, start: number): number {
  return readUint32(bytes, start + AT.length);
}

/** The intervals that the cache asks for, in seconds; version 0 has none. */
export function intervalsOf(
  bytes: Uint8Array,
  start: number,
): { readonly refresh: number; readonly retry: number; readonly expire: number } | undefined {
  if (pduVersion(bytes, start) === VERSIONS.lowest) return undefined;
  return {
    refresh: readUint32(bytes, start + AT.refresh),
    retry: readUint32(bytes, start + AT.retry),
    expire: readUint32(bytes, start + AT.expire),
  };
}

/** What is wrong with a PDU by its type and length alone; `version`: the one it is read as. */
export function shapeProblem(bytes: Uint8Array, start: number, version: number): PduProblem | undefined {
  const type = pduType(bytes, start);
  const row = PDU_ROWS.get(type);
  if (row === undefined || row.since > version) {
    return { code: RTR_ERROR.unsupportedPdu, text: `version ${version} has no ${pduName(type)}` };
  }
  const { least, most } = row.length(version);
  const length = lengthOf(bytes, start);
  if (length >= least && length <= most) return undefined;
  return { code: RTR_ERROR.corruptData, text: `${row.name} of ${length} octets` };
}

export interface ErrorReport {
  readonly code: number;
  readonly text: string;
}

/** An Error Report in `[start, end)`; undefined where its lengths do not fit together. */
export function readErrorReport(bytes: Uint8Array, start: number, end: number): ErrorReport | undefined {
  const quotedAt = start + HEADER_OCTETS + LENGTH_FIELD;
  if (quotedAt + LENGTH_FIELD > end) return undefined;
  const quoted = readUint32(bytes, quotedAt - LENGTH_FIELD);
  const textAt = quotedAt + quoted + LENGTH_FIELD;
  if (textAt > end) return undefined;
  const length = readUint32(bytes, textAt - LENGTH_FIELD);
  if (textAt + length > end) return undefined;
  return {
    code: sessionOf(bytes, start),
    text: printable(new TextDecoder().decode(bytes.subarray(textAt, textAt + length))),
  };
}

/** What a cache says goes into logs: no line ends, no escapes, no novels. */
function printable(text: string): string {
  return text
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, MOST_QUOTED);
}

/** A PDU of so many octets with its header filled in; `session` is what stands in the header's third field. */
export function pduOf(octets: number, version: number, type: number, session: number): Uint8Array {
  const bytes = new Uint8Array(octets);
  bytes[AT.version] = version;
  bytes[AT.type] = type;
  writeUint16(bytes, AT.session, session);
  writeUint32(bytes, AT.length, octets);
  return bytes;
}

export function resetQuery(version: number): Uint8Array {
  return pduOf(HEADER_OCTETS, version, PDU.resetQuery, 0);
}

export function serialQuery(version: number, session: number, serial: number): Uint8Array {
  const bytes = pduOf(SERIAL_PDU, version, PDU.serialQuery, session);
  writeUint32(bytes, AT.serial, serial);
  return bytes;
}

/** `quoted`: the PDU that is complained of, its beginning where it is long (RFC 8210 §5.11); empty for none. */
export function errorReport(version: number, { code, text }: PduProblem, quoted: Uint8Array): Uint8Array {
  const kept = quoted.subarray(0, Math.min(quoted.length, MOST_QUOTED));
  const words = new TextEncoder().encode(text);
  const textAt = HEADER_OCTETS + LENGTH_FIELD + kept.length + LENGTH_FIELD;
  const bytes = pduOf(textAt + words.length, version, PDU.errorReport, code);
  writeUint32(bytes, HEADER_OCTETS, kept.length);
  bytes.set(kept, HEADER_OCTETS + LENGTH_FIELD);
  writeUint32(bytes, textAt - LENGTH_FIELD, words.length);
  bytes.set(words, textAt);
  return bytes;
}

/** Cuts a stream into PDUs. A PDU whose length cannot be is shown by its header alone, and nothing after it. */
export class PduFramer {
  #rest = new Uint8Array(0);
  #broken = false;

  /**
   * Takes octets, which may change afterwards, and shows each whole PDU as `buffer[start, end)`, valid during the call;
   * `visit` returns false to stop.
   */
  push(
    chunk: Uint8Array,
    length: number,
    visit: (buffer: Uint8Array, start: number, end: number) => boolean,
  ): void {
    if (this.#broken) return;
    let buffer = chunk.subarray(0, length);
    if (this.#rest.length > 0) {
      const joined = new Uint8Array(this.#rest.length + length);
      joined.set(this.#rest);
      joined.set(buffer, this.#rest.length);
      buffer = joined;
    }
    let at = 0;
    while (buffer.length - at >= HEADER_OCTETS) {
      const octets = lengthOf(buffer, at);
      if (octets < HEADER_OCTETS || octets > LONGEST_PDU) {
        this.#broken = true;
        this.#rest = new Uint8Array(0);
        visit(buffer, at, at + HEADER_OCTETS);
        return;
      }
      if (buffer.length - at < octets) break;
      if (!visit(buffer, at, at + octets)) {
        this.#broken = true;
        this.#rest = new Uint8Array(0);
        return;
      }
      at += octets;
    }
    this.#rest = buffer.slice(at);
  }
}
