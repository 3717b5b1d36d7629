// MRT framing (RFC 6396 §2-3): cuts a stream of bytes into records and names their types. One reused record object
// is passed to a callback, so that a table of a million entries costs no objects. The bodies are decoded by rib.ts
// and bgp4mp.ts.

/** RFC 6396 §4, §5: the types that carry BGP. */
export const MRT_TYPE = { tableDump: 12, tableDumpV2: 13, bgp4mp: 16, bgp4mpEt: 17 } as const;

const HEADER_LENGTH = 12;
const MICROSECONDS_LENGTH = 4;
/** No sane record is longer; a bigger length means that the stream is not MRT or has lost its framing. */
const RECORD_LIMIT = 1 << 26;

/** One record; every field is valid only during the callback. */
export interface MrtRecord {
  timestamp: number;
  /** Only in types with an extended timestamp (RFC 6396 §3). */
  microseconds: number | undefined;
  type: number;
  subtype: number;
  /** The message without header and without the microseconds. */
  body: Uint8Array;
  view: DataView;
}

export class MrtError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MrtError';
  }
}

/** Cuts chunks into records. Octets after the last whole record are kept for the next chunk. */
export class RecordCutter {
  #carry = new Uint8Array(0);
  readonly #record: MrtRecord = {
    timestamp: 0,
    microseconds: undefined,
    type: 0,
    subtype: 0,
    body: this.#carry,
    view: new DataView(this.#carry.buffer),
  };

  /** Octets that wait for the rest of their record. */
  get pending(): number {
    return this.#carry.length;
  }

  /** Calls `onRecord` for every record that is whole now. Throws MrtError where a length cannot be true. */
  push(chunk: Uint8Array, onRecord: (record: MrtRecord) => void): void {
    const data = this.#carry.length === 0 ? chunk : concat(this.#carry, chunk);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = 0;
    while (at + HEADER_LENGTH <= data.length) {
      const length = view.getUint32(at + 8);
      if (length > RECORD_LIMIT) throw new MrtError(`record of ${length} octets: this is not MRT`);
      const end = at + HEADER_LENGTH + length;
      if (end > data.length) break;
      onRecord(this.#fill(data, view, at, end));
      at = end;
    }
    this.#carry = data.slice(at);
  }

  #fill(data: Uint8Array, view: DataView, at: number, end: number): MrtRecord {
    const record = this.#record;
    record.timestamp = view.getUint32(at);
    record.type = view.getUint16(at + 4);
    record.subtype = view.getUint16(at + 6);
    let body = at + HEADER_LENGTH;
    record.microseconds = undefined;
    // RFC 6396 §3: the length includes the microsecond field.
    if (record.type === MRT_TYPE.bgp4mpEt && end - body >= MICROSECONDS_LENGTH) {
      record.microseconds = view.getUint32(body);
      body += MICROSECONDS_LENGTH;
    }
    record.body = data.subarray(body, end);
    record.view = new DataView(data.buffer, data.byteOffset + body, end - body);
    return record;
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}
