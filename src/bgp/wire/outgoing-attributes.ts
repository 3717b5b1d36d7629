// From a canonical set to the path attributes of one kind of session: NEXT_HOP put in where it goes, 2-octet ASes
// and AS4_* for an old speaker (RFC 6793 §4.2.2), and what may go when a message gets too long (RFC 8654 §4). The
// MP attributes are the writer's, because the prefixes stand inside them.

import { copyBytes } from '../../lib/bytes.ts';
import { as4PathFor, narrowAggregator, narrowAsPath, needsAs4Aggregator } from './as4.ts';
import { attributeEnd, valueLength, valueStart } from './attribute-editor.ts';
import { ATTRIBUTE_BY_TYPE, CANONICAL_FLAGS } from './attributes.ts';
import { appendAttribute, MAX_VALUE } from './canonical.ts';
import { ATTRIBUTE, FLAG, LONG_HEADER } from './iana.ts';

/** NEXT_HOP, AS4_AGGREGATOR and three longer headers at most. */
const EXTRA_OCTETS = 64;

/** A reused buffer with the attributes of the announcement under way. */
export class OutgoingAttributes {
  bytes = new Uint8Array(1024);
  length = 0;

  /**
   * Takes the canonical set `set[offset, offset + length)`. `nextHop`: the four octets of NEXT_HOP, or undefined
   * where MP_REACH_NLRI has it. `as4` false: for a speaker without capability 65.
   */
  build(
    set: Uint8Array,
    offset: number,
    length: number,
    nextHop: Uint8Array | undefined,
    as4: boolean,
  ): void {
    // An AS4_PATH is as long as the AS_PATH, which the narrowed one halves.
    this.#reserve(length * 2 + EXTRA_OCTETS);
    if (as4) this.#copy(set, offset, offset + length, nextHop);
    else this.#convert(set, offset, offset + length, nextHop);
  }

  /**
   * RFC 8654 §4: drops the attributes whose error handling is attribute-discard, because a route does without them. None of
   * a set with an attribute that has grown beyond what its length can say: where those behind it begin cannot be told.
   */
  dropDiscardable(): void {
    if (this.length > MAX_VALUE) return;
    let kept = 0;
    for (let at = 0; at < this.length; ) {
      const end = attributeEnd(this.bytes, at);
      const type = this.bytes[at + 1]!;
      // AS4_PATH is the path itself for those behind the old speaker.
      const drop = type !== ATTRIBUTE.as4Path && ATTRIBUTE_BY_TYPE[type]?.onMalformed === 'attribute-discard';
      if (!drop) {
        if (kept !== at) this.bytes.copyWithin(kept, at, end);
        kept += end - at;
      }
      at = end;
    }
    this.length = kept;
  }

  #copy(set: Uint8Array, start: number, end: number, nextHop: Uint8Array | undefined): void {
    if (nextHop === undefined) {
      this.length = copyBytes(this.bytes, 0, set, start, end);
      return;
    }
    let at = start;
    while (at < end && set[at + 1]! < ATTRIBUTE.nextHop) at = attributeEnd(set, at);
    const before = copyBytes(this.bytes, 0, set, start, at);
    this.length = copyBytes(this.bytes, this.#appendNextHop(before, nextHop), set, at, end);
  }

  #appendNextHop(at: number, nextHop: Uint8Array): number {
    return appendAttribute(this.bytes, at, FLAG.transitive, ATTRIBUTE.nextHop, nextHop, 0, nextHop.length);
  }

  #convert(set: Uint8Array, start: number, end: number, nextHop: Uint8Array | undefined): void {
    let length = 0;
    let pending = nextHop;
    let as4Path: Uint8Array | undefined;
    let as4Aggregator: { start: number; end: number } | undefined;
    const appendAs4 = () => {
      length = this.#appendAs4(length, as4Path, set, as4Aggregator);
      as4Path = undefined;
      as4Aggregator = undefined;
    };
    for (let at = start; at < end; at = attributeEnd(set, at)) {
      const type = set[at + 1]!;
      const flags = set[at]! & ~FLAG.extendedLength;
      const from = valueStart(set, at);
      const to = from + valueLength(set, at);
      if (pending !== undefined && type > ATTRIBUTE.nextHop) {
        length = this.#appendNextHop(length, pending);
        pending = undefined;
      }
      if (type > ATTRIBUTE.as4Path) appendAs4();
      let value = set;
      let first = from;
      let last = to;
      if (type === ATTRIBUTE.asPath) {
        value = narrowAsPath(set, from, to);
        first = 0;
        last = value.length;
        as4Path = as4PathFor(set, from, to);
      } else if (type === ATTRIBUTE.aggregator) {
        value = narrowAggregator(set, from);
        first = 0;
        last = value.length;
        if (needsAs4Aggregator(set, from)) as4Aggregator = { start: from, end: to };
      }
      length = appendAttribute(this.bytes, length, flags, type, value, first, last);
    }
    if (pending !== undefined) length = this.#appendNextHop(length, pending);
    appendAs4();
    this.length = length;
  }

  #appendAs4(
    at: number,
    path: Uint8Array | undefined,
    set: Uint8Array,
    aggregator: { start: number; end: number } | undefined,
  ): number {
    let length = at;
    if (path !== undefined) {
      const flags = CANONICAL_FLAGS[ATTRIBUTE.as4Path]!;
      length = appendAttribute(this.bytes, length, flags, ATTRIBUTE.as4Path, path, 0, path.length);
    }
    if (aggregator !== undefined) {
      const flags = CANONICAL_FLAGS[ATTRIBUTE.as4Aggregator]!;
      const { start, end } = aggregator;
      length = appendAttribute(this.bytes, length, flags, ATTRIBUTE.as4Aggregator, set, start, end);
    }
    return length;
  }

  #reserve(capacity: number): void {
    if (capacity > this.bytes.length) this.bytes = new Uint8Array(capacity + LONG_HEADER);
  }
}
