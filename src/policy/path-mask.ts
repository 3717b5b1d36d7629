// Path masks as small automata that run over the octets of an AS_PATH without building anything. A state is a
// position in the mask; the states reached so far are bits of one integer, or flags of an array for masks of more
// than 30 items. An AS_SET counts as one AS that is any of its members.

import { SEGMENT_HEADER } from '../bgp/wire/as-path.ts';
import { SEGMENT } from '../bgp/wire/iana.ts';
import { readUint32 } from '../lib/bytes.ts';
import type { RangeSet } from './sets.ts';

/** What one item of a mask matches. */
export type MaskStep =
  | { readonly kind: 'one' | 'any' }
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'set'; readonly set: RangeSet | undefined };

const AS_BYTES = 4;
const MAX_BITS = 30;

export class PathMask {
  readonly kind = 'bgpmask';
  readonly steps: readonly MaskStep[];
  /** Whether the step may match again and again: it was followed by `+`. */
  readonly repeats: readonly boolean[];
  /** As the language writes it. */
  readonly text: string;
  readonly #states: Uint8Array | undefined;
  readonly #next: Uint8Array | undefined;

  constructor(steps: readonly MaskStep[], repeats: readonly boolean[], text: string) {
    this.steps = steps;
    this.repeats = repeats;
    this.text = text;
    if (steps.length > MAX_BITS) {
      this.#states = new Uint8Array(steps.length + 1);
      this.#next = new Uint8Array(steps.length + 1);
    }
  }

  /** Whether the well-formed AS_PATH in `bytes[start, end)` matches as a whole. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#states === undefined
      ? this.#matchBits(bytes, start, end)
      : this.#matchFlags(bytes, start, end, this.#states, this.#next!);
  }

  #matchBits(bytes: Uint8Array, start: number, end: number): boolean {
    let states = this.#closeBits(1);
    for (let at = start; at + SEGMENT_HEADER <= end; ) {
      const first = at + SEGMENT_HEADER;
      const next = first + bytes[at + 1]! * AS_BYTES;
      if (isSetSegment(bytes[at]!)) {
        if (next > first) states = this.#stepBits(states, bytes, first, next);
      } else {
        for (let as = first; as < next && states !== 0; as += AS_BYTES) {
          states = this.#stepBits(states, bytes, as, as + AS_BYTES);
        }
      }
      if (states === 0) return false;
      at = next;
    }
    return ((states >>> this.steps.length) & 1) !== 0;
  }

  /** The states after one AS, which is any of those in `bytes[from, to)`. */
  #stepBits(states: number, bytes: Uint8Array, from: number, to: number): number {
    let out = 0;
    for (let i = 0; i < this.steps.length; i++) {
      if (((states >>> i) & 1) === 0 || !matchesAny(this.steps[i]!, bytes, from, to)) continue;
      if (this.steps[i]!.kind === 'any') out |= 1 << i;
      else out |= this.repeats[i] ? 3 << i : 2 << i;
    }
    return this.#closeBits(out);
  }

  /** With what `*` may pass over. */
  #closeBits(states: number): number {
    let out = states;
    for (let i = 0; i < this.steps.length; i++) {
      if (((out >>> i) & 1) !== 0 && this.steps[i]!.kind === 'any') out |= 2 << i;
    }
    return out;
  }

  #matchFlags(bytes: Uint8Array, start: number, end: number, states: Uint8Array, next: Uint8Array): boolean {
    let now = states;
    let then = next;
    now.fill(0);
    now[0] = 1;
    this.#closeFlags(now);
    for (let at = start; at + SEGMENT_HEADER <= end; ) {
      const first = at + SEGMENT_HEADER;
      const after = first + bytes[at + 1]! * AS_BYTES;
      const width = isSetSegment(bytes[at]!) ? after - first : AS_BYTES;
      for (let as = first; as < after; as += width) {
        then.fill(0);
        for (const [i, step] of this.steps.entries()) {
          if (now[i] === 0 || !matchesAny(step, bytes, as, as + width)) continue;
          if (step.kind === 'any' || this.repeats[i]) then[i] = 1;
          if (step.kind !== 'any') then[i + 1] = 1;
        }
        this.#closeFlags(then);
        [now, then] = [then, now];
      }
      at = after;
    }
    return now[this.steps.length] === 1;
  }

  #closeFlags(states: Uint8Array): void {
    for (const [i, step] of this.steps.entries()) {
      if (states[i] === 1 && step.kind === 'any') states[i + 1] = 1;
    }
  }
}

function isSetSegment(type: number): boolean {
  return type === SEGMENT.asSet || type === SEGMENT.confedSet;
}

function matchesAny(step: MaskStep, bytes: Uint8Array, from: number, to: number): boolean {
  switch (step.kind) {
    case 'one':
    case 'any':
      return true;
    case 'range':
      for (let at = from; at < to; at += AS_BYTES) {
        const as = readUint32(bytes, at);
        if (as >= step.low && as <= step.high) return true;
      }
      return false;
    case 'set':
      if (step.set === undefined) return false;
      for (let at = from; at < to; at += AS_BYTES) if (step.set.has(readUint32(bytes, at))) return true;
      return false;
  }
}
