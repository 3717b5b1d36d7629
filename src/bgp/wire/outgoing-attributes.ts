// From a canonical set to the path attributes of one kind of session: NEXT_HOP put in where it goes, 2-octet ASes
// and AS4_* for an old speaker (RFC 6793 §4.2.2), and what may go when a message gets too long (RFC 8654 §4). The
// MP attributes are the writer's, because the prefixes stand inside them.

import { copyViewed, type Octets, viewOf } from '../../lib/bytes.ts';
import { as4PathFor, narrowAggregator, narrowAsPath, needsAs4Aggregator } from './as4.ts';
import { attributeEnd, valueLength, valueStart } from './attribute-editor.ts';
import { ATTRIBUTE_BY_TYPE, CANONICAL_FLAGS } from './attributes.ts';
import { appendAttribute, MAX_VALUE } from './canonical.ts';
import { ATTRIBUTE, FLAG, LONG_HEADER, SHORT_HEADER } from './iana.ts';

/** NEXT_HOP, AS4_AGGREGATOR and three longer headers at most. */
const EXTRA_OCTETS = 64;

/**
 * The attributes of the announcement under way. In the usual one they are a part of the set, NEXT_HOP and the rest of the
 * set, and are put together where they go, in the message; others wait in a buffer of this object's own.
 */
export class OutgoingAttributes {
  /** Octets that `writeTo` writes. */
  length = 0;
  #bytes = new Uint8Array(1024);
  #view = viewOf(this.#bytes);
  #source = this.#view;
  #start = 0;
  /** Where NEXT_HOP goes, if it is there not yet. */
  #split = 0;
  #end = 0;
  #nextHop: Uint8Array | undefined;

  /**
   * Takes the canonical set `set[offset, offset + length)`. `nextHop`: the four octets of NEXT_HOP, with which the set must
   * stay as it is until the last `writeTo`; undefined where MP_REACH_NLRI has it. `as4` false: for a speaker without
   * capability 65.
   */
  build(set: Octets, offset: number, length: number, nextHop: Uint8Array | undefined, as4: boolean): void {
    const end = offset + length;
    if (!as4) {
      // An AS4_PATH is as long as the AS_PATH, which the narrowed one halves.
      this.#reserve(length * 2 + EXTRA_OCTETS);
      this.#take(this.#convert(set.bytes, offset, end, nextHop));
    } else if (nextHop === undefined) {
      this.#reserve(length);
      this.#take(copyViewed(this.#view, 0, set.view, offset, end));
    } else {
      let split = offset;
      while (split < end && set.bytes[split + 1]! < ATTRIBUTE.nextHop) split = attributeEnd(set.bytes, split);
      this.#source = set.view;
      this.#start = offset;
      this.#split = split;
      this.#end = end;
      this.#nextHop = nextHop;
      this.length = length + SHORT_HEADER + nextHop.length;
    }
  }

  /** Writes them at `target.bytes[at ..]`; returns where they end there. */
  writeTo(target: Octets, at: number): number {
    const { view } = target;
    if (this.#nextHop === undefined) return copyViewed(view, at, this.#source, this.#start, this.#end);
    const before = copyViewed(view, at, this.#source, this.#start, this.#split);
    const behind = appendNextHop(target.bytes, before, this.#nextHop);
    return copyViewed(view, behind, this.#source, this.#split, this.#end);
  }

  /**
   * RFC 8654 §4: drops the attributes whose error handling is attribute-discard, because a route does without them. None of
   * a set with an attribute that has grown beyond what its length can say: where those behind it begin cannot be told.
   */
  dropDiscardable(): void {
    const { length } = this;
    if (length > MAX_VALUE) return;
    if (this.#source !== this.#view) {
      this.#reserve(length);
      this.writeTo({ bytes: this.#bytes, view: this.#view }, 0);
    }
    const bytes = this.#bytes;
    let kept = 0;
    for (let at = 0; at < length; ) {
      const end = attributeEnd(bytes, at);
      const type = bytes[at + 1]!;
      // AS4_PATH is the path itself for those behind the old speaker.
      const drop = type !== ATTRIBUTE.as4Path && ATTRIBUTE_BY_TYPE[type]?.onMalformed === 'attribute-discard';
      if (!drop) {
        if (kept !== at) bytes.copyWithin(kept, at, end);
        kept += end - at;
      }
      at = end;
    }
    this.#take(kept);
  }

  /** Lets the set go: who has its memory may have another one by now. */
  forget(): void {
    this.#take(0);
  }

  /** What is sent are the first octets of the own buffer. */
  #take(length: number): void {
    this.#source = this.#view;
    this.#start = 0;
    this.#end = length;
    this.#nextHop = undefined;
    this.length = length;
  }

  /** Returns how many octets of the own buffer the set takes there. */
  #convert(set: Uint8Array, start: number, end: number, nextHop: Uint8Array | undefined): number {
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
        length = appendNextHop(this.#bytes, length, pending);
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
      length = appendAttribute(this.#bytes, length, flags, type, value, first, last);
    }
    if (pending !== undefined) length = appendNextHop(this.#bytes, length, pending);
    appendAs4();
    return length;
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
      length = appendAttribute(this.#bytes, length, flags, ATTRIBUTE.as4Path, path, 0, path.length);
    }
    if (aggregator !== undefined) {
      const flags = CANONICAL_FLAGS[ATTRIBUTE.as4Aggregator]!;
      const { start, end } = aggregator;
      length = appendAttribute(this.#bytes, length, flags, ATTRIBUTE.as4Aggregator, set, start, end);
    }
    return length;
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(capacity + LONG_HEADER);
    this.#view = viewOf(this.#bytes);
  }
}

function appendNextHop(bytes: Uint8Array, at: number, nextHop: Uint8Array): number {
  return appendAttribute(bytes, at, FLAG.transitive, ATTRIBUTE.nextHop, nextHop, 0, nextHop.length);
}
