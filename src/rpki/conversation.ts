// What router and cache say to each other over one connection (RFC 8210 §5, §7, §8), without time and without tables:
// octets go in, queries and what became of them come out. The version is negotiated downwards; records wait for their
// End of Data; whatever the cache does wrong ends the conversation with a sentence and the report it is sent.

import {
  intervalsOf,
  lengthOf,
  PduFramer,
  pduType,
  pduVersion,
  readErrorReport,
  resetQuery,
  serialOf,
  serialQuery,
  sessionOf,
  shapeProblem,
} from './pdu.ts';
import {
  errorName,
  HEADER_OCTETS,
  type IntervalName,
  LONGEST_PDU,
  PDU,
  type PduProblem,
  pduName,
  RTR_ERROR,
} from './protocol.ts';
import { RecordBatch } from './record-batch.ts';

/** What names the state of a cache's records: RFC 8210 §5.1, all three. */
export interface Origin {
  readonly version: number;
  readonly sessionId: number;
  readonly serial: number;
}

export interface Answer {
  /** The records are all that the cache has; else they are changes. */
  readonly whole: boolean;
  readonly records: RecordBatch;
  readonly origin: Origin;
  /** Seconds that the cache asks for. */
  readonly intervals: Readonly<Record<IntervalName, number>> | undefined;
}

/** Why a conversation cannot go on; nothing comes out of it after this. */
export type Ending =
  /** The cache broke the protocol. `report`: what it is sent. */
  | { readonly kind: 'refused'; readonly text: string; readonly report: OutgoingReport | undefined }
  /** RFC 8210 §5.1: what the cache has said before is void. */
  | { readonly kind: 'session-changed'; readonly text: string; readonly report: OutgoingReport }
  /** The cache broke it off. */
  | { readonly kind: 'told'; readonly text: string }
  /** To be tried again in this version. */
  | { readonly kind: 'other-version'; readonly version: number };

export interface OutgoingReport {
  readonly problem: PduProblem;
  readonly quoted: Uint8Array;
}

export interface ConversationEvents {
  write(bytes: Uint8Array): void;
  onRecords(): void;
  onAnswer(answer: Answer): void;
  /** The cache has no changes to offer: everything is asked for anew. */
  onReset(): void;
  /** The cache can answer nothing at present. */
  onNoData(text: string): void;
  /** There is news. */
  onNotify(serial: number): void;
  onEnd(ending: Ending): void;
}

export class Conversation {
  readonly #events: ConversationEvents;
  readonly #minVersion: number;
  readonly #framer = new PduFramer();
  #version: number;
  #negotiated = false;
  #awaited: 'nothing' | 'response' | 'records' = 'nothing';
  /** What the query was about; undefined for everything. */
  #asked: Origin | undefined;
  /** Of the records that this side has. */
  #sessionId: number | undefined;
  #answerSession = 0;
  #batch = new RecordBatch();
  #ended = false;

  constructor(versions: { readonly first: number; readonly min: number }, events: ConversationEvents) {
    this.#version = versions.first;
    this.#minVersion = versions.min;
    this.#events = events;
  }

  get version(): number {
    return this.#version;
  }

  /** The cache has answered, and by that agreed on a version. */
  get negotiated(): boolean {
    return this.#negotiated;
  }

  /** An answer is outstanding, or on its way. */
  get waiting(): boolean {
    return this.#awaited !== 'nothing';
  }

  /** The answer that is outstanding or on its way will be changes to what this side has. */
  get awaitsChanges(): boolean {
    return this.waiting && this.#asked !== undefined;
  }

  /** What changed since `origin`, or everything where it is undefined or of another version. */
  ask(origin: Origin | undefined): void {
    this.#asked = origin?.version === this.#version ? origin : undefined;
    this.#sessionId = this.#asked?.sessionId;
    this.#awaited = 'response';
    const { version } = this;
    this.#events.write(
      this.#asked === undefined
        ? resetQuery(version)
        : serialQuery(version, this.#asked.sessionId, this.#asked.serial),
    );
  }

  receive(buffer: Uint8Array, length: number): void {
    this.#framer.push(buffer, length, (pdu, start, end) => {
      this.#take(pdu, start, end);
      return !this.#ended;
    });
  }

  #end(ending: Ending): void {
    this.#ended = true;
    this.#events.onEnd(ending);
  }

  #refuse(problem: PduProblem, quoted: Uint8Array): void {
    const text = `${errorName(problem.code)}: ${problem.text}`;
    this.#end({ kind: 'refused', text, report: { problem, quoted } });
  }

  #take(pdu: Uint8Array, start: number, end: number): void {
    const length = lengthOf(pdu, start);
    const possible = length >= HEADER_OCTETS && length <= LONGEST_PDU;
    if (possible && pduType(pdu, start) === PDU.errorReport) {
      this.#onErrorReport(pdu, start, end);
      return;
    }
    if (!this.#agreesOnVersion(pdu, start, end)) return;
    const problem = shapeProblem(pdu, start, this.#version);
    if (problem === undefined) this.#dispatch(pdu, start, end);
    else this.#refuse(problem, pdu.slice(start, end));
  }

  /** RFC 8210 §7. False where the PDU goes no further. */
  #agreesOnVersion(pdu: Uint8Array, start: number, end: number): boolean {
    const version = pduVersion(pdu, start);
    if (this.#negotiated) {
      if (version === this.#version) return true;
      const code = this.#version === 0 ? RTR_ERROR.unsupportedVersion : RTR_ERROR.unexpectedVersion;
      const text = `version ${version} in a session of version ${this.#version}`;
      this.#refuse({ code, text }, pdu.slice(start, end));
      return false;
    }
    // Nothing that a notification says is about this version yet.
    if (pduType(pdu, start) === PDU.serialNotify) return false;
    if (version > this.#version || version < this.#minVersion) {
      const wanted = `versions ${this.#minVersion} to ${this.#version} are allowed`;
      const text = `the cache speaks version ${version}, and ${wanted}`;
      this.#refuse({ code: RTR_ERROR.unsupportedVersion, text }, pdu.slice(start, end));
      return false;
    }
    if (version < this.#version && this.#asked !== undefined) {
      // The answer is to a question about another version's serial number (RFC 8210 §5.1).
      this.#end({ kind: 'other-version', version });
      return false;
    }
    this.#version = version;
    this.#negotiated = true;
    return true;
  }

  #dispatch(pdu: Uint8Array, start: number, end: number): void {
    switch (pduType(pdu, start)) {
      case PDU.serialNotify:
        this.#onNotify(pdu, start, end);
        break;
      case PDU.cacheResponse:
        this.#onResponse(pdu, start, end);
        break;
      case PDU.ipv4Prefix:
      case PDU.ipv6Prefix:
      case PDU.routerKey:
      case PDU.aspa:
        this.#onRecord(pdu, start, end);
        break;
      case PDU.endOfData:
        this.#onEndOfData(pdu, start, end);
        break;
      case PDU.cacheReset:
        this.#onCacheReset(pdu, start, end);
        break;
      default: {
        const text = `a cache does not send a ${pduName(pduType(pdu, start))}`;
        this.#refuse({ code: RTR_ERROR.unsupportedPdu, text }, pdu.slice(start, end));
      }
    }
  }

  #onNotify(pdu: Uint8Array, start: number, end: number): void {
    if (this.#sessionId !== undefined && this.#sessionId !== sessionOf(pdu, start)) {
      this.#sessionChanged(pdu, start, end);
    } else this.#events.onNotify(serialOf(pdu, start));
  }

  #sessionChanged(pdu: Uint8Array, start: number, end: number): void {
    const problem = { code: RTR_ERROR.corruptData, text: 'the session id has changed' };
    const report = { problem, quoted: pdu.slice(start, end) };
    this.#end({ kind: 'session-changed', text: problem.text, report });
  }

  #onResponse(pdu: Uint8Array, start: number, end: number): void {
    if (this.#awaited !== 'response') {
      this.#outOfOrder(pdu, start, end);
      return;
    }
    const sessionId = sessionOf(pdu, start);
    if (this.#asked !== undefined && sessionId !== this.#asked.sessionId) {
      this.#sessionChanged(pdu, start, end);
      return;
    }
    this.#answerSession = sessionId;
    this.#awaited = 'records';
    this.#batch = new RecordBatch();
    this.#events.onRecords();
  }

  #onRecord(pdu: Uint8Array, start: number, end: number): void {
    if (this.#awaited !== 'records') {
      this.#outOfOrder(pdu, start, end);
      return;
    }
    const problem = this.#batch.take(pdu, start);
    if (problem !== undefined) this.#refuse(problem, pdu.slice(start, end));
  }

  #onEndOfData(pdu: Uint8Array, start: number, end: number): void {
    if (this.#awaited !== 'records') {
      this.#outOfOrder(pdu, start, end);
      return;
    }
    const sessionId = sessionOf(pdu, start);
    if (sessionId !== this.#answerSession) {
      this.#sessionChanged(pdu, start, end);
      return;
    }
    this.#awaited = 'nothing';
    this.#sessionId = sessionId;
    const records = this.#batch;
    this.#batch = new RecordBatch();
    this.#events.onAnswer({
      whole: this.#asked === undefined,
      records,
      origin: { version: this.#version, sessionId, serial: serialOf(pdu, start) },
      intervals: intervalsOf(pdu, start),
    });
  }

  /** RFC 8210 §8.3 */
  #onCacheReset(pdu: Uint8Array, start: number, end: number): void {
    if (this.#awaited !== 'response' || this.#asked === undefined) {
      this.#outOfOrder(pdu, start, end);
      return;
    }
    this.#awaited = 'nothing';
    this.#sessionId = undefined;
    this.#events.onReset();
  }

  #onErrorReport(pdu: Uint8Array, start: number, end: number): void {
    const report = readErrorReport(pdu, start, end);
    if (report === undefined) {
      // No Error Report is sent about an Error Report (RFC 8210 §5.11).
      this.#end({ kind: 'refused', text: 'an Error Report that cannot be read', report: undefined });
      return;
    }
    const { code, text } = report;
    const said = `the cache says ${errorName(code)}${text === '' ? '' : `: ${text}`}`;
    if (code === RTR_ERROR.noData && this.#awaited === 'response') {
      this.#awaited = 'nothing';
      this.#events.onNoData(said);
      return;
    }
    const lower = Math.min(pduVersion(pdu, start), this.#version - 1);
    if (code === RTR_ERROR.unsupportedVersion && !this.#negotiated && lower >= this.#minVersion) {
      this.#end({ kind: 'other-version', version: lower });
    } else this.#end({ kind: 'told', text: said });
  }

  #outOfOrder(pdu: Uint8Array, start: number, end: number): void {
    const text = `${pduName(pduType(pdu, start))} out of order`;
    this.#refuse({ code: RTR_ERROR.corruptData, text }, pdu.slice(start, end));
  }
}
