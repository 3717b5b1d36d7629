// One pass over the path attributes of an UPDATE: where each stands, which errors there are and how strong the
// answer to them is (RFC 7606 §3, §4). Generic: what is special about an attribute stands in its row. Positions go
// into columns by type, so that the usual message leaves no object behind.

import { readUint16, toHex } from '../../lib/bytes.ts';
import type { AttributeContext, ErrorAction, Malformation } from './attribute-checks.ts';
import {
  ATTRIBUTE_BY_TYPE,
  type AttributeRow,
  attributeName,
  CANONICAL_FLAGS,
  SCOPE_HOLDS,
} from './attributes.ts';
import { ERROR, UPDATE_ERROR } from './error-codes.ts';
import { ATTRIBUTE, FLAG, LONG_HEADER, SHORT_HEADER } from './iana.ts';
import { NotificationError } from './notification.ts';

/** Something worth a log line, with what was done about it. */
export interface UpdateIssue {
  /** Attribute type; 0 where no attribute is to blame. */
  readonly type: number;
  readonly action: ErrorAction | 'ignored';
  readonly message: string;
}

const TYPE_COUNT = 256;
const CLASS_BITS = FLAG.optional | FLAG.transitive;
const WRONG_FLAGS: Malformation = { message: 'wrong flags', subcode: UPDATE_ERROR.attributeFlags };
const MP_WRONG_FLAGS: Malformation = { message: 'wrong flags', subcode: UPDATE_ERROR.optionalAttribute };
const OVERRUN: Malformation = {
  message: 'overruns the path attributes',
  subcode: UPDATE_ERROR.malformedAttributeList,
  action: 'treat-as-withdraw',
};
const CUT: Malformation = {
  message: 'octets left that are no attribute',
  subcode: UPDATE_ERROR.malformedAttributeList,
  action: 'treat-as-withdraw',
};

export class AttributeScan {
  /** Value ranges and flags by type; good where `has` says so. */
  readonly starts = new Int32Array(TYPE_COUNT);
  readonly ends = new Int32Array(TYPE_COUNT);
  readonly flags = new Uint8Array(TYPE_COUNT);
  /** Types that belong into the canonical set, in the message's order; the first `count`. */
  readonly kept = new Uint8Array(TYPE_COUNT);
  count = 0;
  /** `kept` is in ascending order. */
  ascending = true;
  /** Undefined until something is noticed. */
  issues: UpdateIssue[] | undefined;
  /** The first error that asks for treat-as-withdraw, as the reset that RFC 7606 §5.2 may make of it. */
  fault: NotificationError | undefined;

  readonly #seen = new Uint32Array(TYPE_COUNT);
  readonly #good = new Uint32Array(TYPE_COUNT);
  #round = 0;

  /** Forgets the message before. */
  reset(): void {
    this.#round++;
    if (this.#round > 0xffffffff) {
      this.#seen.fill(0);
      this.#good.fill(0);
      this.#round = 1;
    }
    this.count = 0;
    this.ascending = true;
    this.issues = undefined;
    this.fault = undefined;
  }

  /** The attribute is there and neither discarded nor malformed. */
  has(type: number): boolean {
    return this.#good[type] === this.#round;
  }

  /** The attribute is there, whatever became of it. */
  seen(type: number): boolean {
    return this.#seen[type] === this.#round;
  }

  /**
   * Walks `buffer[start, end)`. `classicNlri`: the message has an NLRI field. Throws NotificationError for what RFC
   * 7606 leaves to a session reset: 3/1, 3/2, 3/9.
   */
  scan(
    buffer: Uint8Array,
    start: number,
    end: number,
    context: AttributeContext,
    classicNlri: boolean,
  ): void {
    let position = start;
    let previous = 0;
    let nextHopFault: Malformation | undefined;
    while (position < end) {
      const at = position;
      const flags = buffer[at]!;
      const extended = (flags & FLAG.extendedLength) !== 0;
      // RFC 7606 §4: not even a header is left.
      if (end - at < (extended ? LONG_HEADER : SHORT_HEADER)) {
        this.#raise(undefined, 0, CUT, buffer, at, end);
        break;
      }
      const type = buffer[at + 1]!;
      const valueStart = at + (extended ? LONG_HEADER : SHORT_HEADER);
      const valueEnd = valueStart + (extended ? readUint16(buffer, at + 2) : buffer[at + 2]!);
      // RFC 7606 §4: Total Attribute Length still says where the NLRI begins.
      if (valueEnd > end) {
        this.#raise(undefined, type, OVERRUN, buffer, at, end);
        break;
      }
      position = valueEnd;
      if (this.#seen[type] === this.#round) {
        this.#repeated(type);
        continue;
      }
      this.#seen[type] = this.#round;
      const row = ATTRIBUTE_BY_TYPE[type];
      if (row === undefined) {
        if (!this.#passes(type, flags, buffer, at, valueEnd)) continue;
      } else {
        if (row.scope !== 'any' && !SCOPE_HOLDS[row.scope](context)) {
          this.note(type, 'attribute-discard', 'not for this kind of peer');
          continue;
        }
        if ((flags & CLASS_BITS) !== CANONICAL_FLAGS[type]) {
          const fault = row.onWrongFlags === 'session-reset' ? MP_WRONG_FLAGS : WRONG_FLAGS;
          this.#raise(row, type, { ...fault, action: row.onWrongFlags }, buffer, at, valueEnd);
          continue;
        }
        const fault = row.check(buffer, valueStart, valueEnd, context);
        if (fault !== undefined) {
          // RFC 4760 §3: NEXT_HOP belongs to the NLRI field; beside an MP attribute alone, which may still come, it
          // is ignored. Speakers do send 0.0.0.0 there.
          if (type === ATTRIBUTE.nextHop && !classicNlri) {
            nextHopFault = fault;
            this.starts[type] = at;
            this.ends[type] = valueEnd;
          } else this.#raise(row, type, fault, buffer, at, valueEnd);
          continue;
        }
      }
      this.#good[type] = this.#round;
      this.starts[type] = valueStart;
      this.ends[type] = valueEnd;
      this.flags[type] = flags;
      if (row === undefined || row.home === 'set') {
        if (type < previous) this.ascending = false;
        previous = type;
        this.kept[this.count++] = type;
      }
    }
    const multiprotocol = this.seen(ATTRIBUTE.mpReachNlri) || this.seen(ATTRIBUTE.mpUnreachNlri);
    if (nextHopFault !== undefined && !multiprotocol) {
      const type = ATTRIBUTE.nextHop;
      this.#raise(ATTRIBUTE_BY_TYPE[type], type, nextHopFault, buffer, this.starts[type]!, this.ends[type]!);
    }
  }

  /** Remembers something for the log. */
  note(type: number, action: UpdateIssue['action'], message: string): void {
    this.issues ??= [];
    this.issues.push({ type, action, message: type === 0 ? message : `${attributeName(type)}: ${message}` });
  }

  /** Remembers an error that asks for treat-as-withdraw without one attribute being to blame. */
  withdraw(subcode: number, data: Uint8Array, message: string): void {
    this.note(0, 'treat-as-withdraw', message);
    this.fault ??= new NotificationError(ERROR.update, subcode, data, message);
  }

  /** RFC 7606 §3 (g) */
  #repeated(type: number): void {
    if (type === ATTRIBUTE.mpReachNlri || type === ATTRIBUTE.mpUnreachNlri) {
      throw new NotificationError(
        ERROR.update,
        UPDATE_ERROR.malformedAttributeList,
        undefined,
        `${attributeName(type)} twice`,
      );
    }
    this.note(type, 'attribute-discard', 'repeated');
  }

  /** RFC 4271 §5, §6.3: an unrecognised attribute; true = it is kept. */
  #passes(type: number, flags: number, buffer: Uint8Array, at: number, end: number): boolean {
    if ((flags & FLAG.optional) === 0) {
      throw new NotificationError(
        ERROR.update,
        UPDATE_ERROR.unrecognizedWellKnown,
        buffer.slice(at, end),
        attributeName(type),
      );
    }
    return (flags & FLAG.transitive) !== 0;
  }

  #raise(
    row: AttributeRow | undefined,
    type: number,
    fault: Malformation,
    buffer: Uint8Array,
    at: number,
    end: number,
  ): void {
    const action = fault.action ?? row?.onMalformed ?? 'treat-as-withdraw';
    if (action === 'attribute-discard') {
      this.note(type, action, fault.message);
      return;
    }
    const message = `${type === 0 ? '' : `${attributeName(type)}: `}${fault.message}`;
    // RFC 4271 §6.3: the data is the erroneous attribute: flags, type, length, value.
    const error = new NotificationError(ERROR.update, fault.subcode, buffer.slice(at, end), message);
    if (action === 'session-reset') throw error;
    this.note(type, action, `${fault.message} (${toHex(buffer, at, Math.min(end, at + SHOWN_OCTETS))})`);
    this.fault ??= error;
  }
}

/** Of a malformed attribute the log shows this much. */
const SHOWN_OCTETS = 32;
