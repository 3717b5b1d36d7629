// RouteAccess over canonical attribute sets: path attributes are read from the set's own octets where they stand and
// written through an AttributeEditor that is loaded with the first change. What is not a path attribute lives in
// columns beside: the route's standing values, given by the owner, and a map by name for what filters add.

import {
  AttributeEditor,
  attributeEnd,
  findAttribute,
  valueLength,
  valueStart,
} from '../bgp/wire/attribute-set.ts';
import { ATTRIBUTE } from '../bgp/wire/iana.ts';
import { readUint32 } from '../lib/bytes.ts';
import { EXPLICIT, type ExtraValue, NO_VALUES } from '../rib/route-extras.ts';
import type { RouteAttribute } from './attributes.ts';
import { asQuad } from './quads.ts';
import type { RouteAccess } from './route-access.ts';
import { type RouteFacts, STANDING } from './route-facts.ts';
import { EMPTY, EnumValue, Ip, List, Octets, Quad, type Value } from './values.ts';

export { bgpRouteFacts, type RouteFacts } from './route-facts.ts';

const WORD = 4;
/** What a BIRD route that is not BGP's has not, and every set here has: ORIGIN, which is IGP, and an empty AS_PATH. */
const HIDDEN = { origin: 1, asPath: 2 } as const;
const UNSPECIFIED = new Uint8Array(16);
const UNSPECIFIED_V4 = new Uint8Array(4);
const NO_BYTES = new Uint8Array(0);

/** One object serves any number of routes one after the other: `load`, run filters, look at `changed` and the rest. */
export class AttributeAccess implements RouteAccess {
  netWords: ArrayLike<number> = [0];
  netBits = 0;
  netStride: 1 | 4 = 1;
  /** What `find` found. */
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  readonly #editor = new AttributeEditor();
  /** Codes that were set to the language's own empty lists, which count as undefined in 2.x. */
  readonly #emptied = new Set<number>();
  #source: Uint8Array = NO_BYTES;
  #offset = 0;
  #length = 0;
  #changed = false;
  #facts: RouteFacts | undefined;
  /** Attributes that are neither path attributes nor standing, by name. */
  #extended: ReadonlyMap<string, ExtraValue> = NO_VALUES;
  /** The same, once it is changed. */
  #edited: Map<string, ExtraValue> | undefined;
  #explicit = 0;
  /** Bits of HIDDEN: attributes that filters do not see as long as they are the usual ones. */
  #hidden = 0;
  /** Bits of LIST_BITS: lists that are there without a member, which no octets can say. */
  #hollow = 0;
  /** The same: lists that were set, to whatever. */
  #relisted = 0;

  /**
   * Begins with another route: the canonical set `source[offset, offset + length)`, which must not change while
   * filters run, and `facts`, which filters change. `extended` is copied where a filter changes it. `bare`: of what every
   * route is announced with, this one has nothing yet: it is no BGP route.
   */
  load(
    source: Uint8Array,
    offset: number,
    length: number,
    facts: RouteFacts,
    extended: ReadonlyMap<string, ExtraValue> = NO_VALUES,
    hollow = 0,
    bare = false,
  ): this {
    this.#source = source;
    this.#offset = offset;
    this.#length = length;
    this.#changed = false;
    if (this.#emptied.size > 0) this.#emptied.clear();
    this.#facts = facts;
    this.#extended = extended;
    this.#edited = undefined;
    this.#explicit = 0;
    this.#hollow = hollow;
    this.#relisted = 0;
    this.#hidden = bare ? HIDDEN.origin | HIDDEN.asPath : 0;
    return this;
  }

  /** The prefix of the route: big-endian words with host bits zero. */
  setNet(words: ArrayLike<number>, bits: number, stride: 1 | 4): this {
    this.netWords = words;
    this.netBits = bits;
    this.netStride = stride;
    return this;
  }

  /** Whether a path attribute was set or unset. */
  get changed(): boolean {
    return this.#changed;
  }

  get extendedChanged(): boolean {
    return this.#edited !== undefined;
  }

  get extended(): ReadonlyMap<string, ExtraValue> {
    return this.#edited ?? this.#extended;
  }

  /** Bits of EXPLICIT: what the filter has set, be it to the value that was there. */
  get explicit(): number {
    return this.#explicit;
  }

  /** Lists without a member, as `load` takes them; complete after `edited`. */
  get hollow(): number {
    return this.#hollow;
  }

  get facts(): RouteFacts {
    if (this.#facts === undefined) throw new RangeError('no route is loaded');
    return this.#facts;
  }

  /** What an address that is not there reads as. */
  get unspecified(): Uint8Array {
    return this.netStride === 1 ? UNSPECIFIED_V4 : UNSPECIFIED;
  }

  /** The set as filters left it, good until the next load; what was loaded where nothing is `changed`. */
  result(): { readonly bytes: Uint8Array; readonly offset: number; readonly length: number } {
    if (!this.#changed) return { bytes: this.#source, offset: this.#offset, length: this.#length };
    const { bytes, length } = this.edited();
    return { bytes, offset: 0, length };
  }

  /**
   * The same where it is `changed`: `length` octets. Lists that became empty are not in it, for an attribute without
   * members is malformed (RFC 7606 §7.8, §7.10, §7.14).
   */
  edited(): Pick<AttributeEditor, 'bytes' | 'view' | 'length'> {
    if (this.#relisted !== 0) this.#dropEmptyLists();
    return this.#editor;
  }

  #dropEmptyLists(): void {
    for (const [code, bit] of LIST_BITS) {
      const at = this.#editor.find(code);
      if (at < 0 || valueLength(this.#editor.bytes, at) > 0) continue;
      this.#editor.remove(code);
      this.#hollow |= bit;
    }
    this.#relisted = 0;
  }

  find(code: number): boolean {
    const bytes = this.#changed ? this.#editor.bytes : this.#source;
    const offset = this.#changed ? 0 : this.#offset;
    const length = this.#changed ? this.#editor.length : this.#length;
    const at = findAttribute(bytes, offset, length, code);
    if (at < 0) return false;
    this.bytes = bytes;
    this.start = valueStart(bytes, at);
    this.end = this.start + valueLength(bytes, at);
    return this.#hidden === 0 || !this.#isHidden(code);
  }

  /** Of the attribute that was found last. */
  #isHidden(code: number): boolean {
    if (code === ATTRIBUTE.origin && this.#hidden & HIDDEN.origin) return this.bytes[this.start] === 0;
    return code === ATTRIBUTE.asPath && (this.#hidden & HIDDEN.asPath) !== 0 && this.start === this.end;
  }

  /** Whether an own route has this attribute and was given nothing else. */
  hasOnly(code: number): boolean {
    const { bytes, offset, length } = this.result();
    if (this.extended.size > 0 || this.#hollow !== 0) return false;
    for (let at = offset; at < offset + length; at = attributeEnd(bytes, at)) {
      const each = bytes[at + 1]!;
      if (each !== code && this.find(each)) return false;
    }
    return this.find(code);
  }

  get(attribute: RouteAttribute): Value {
    switch (attribute.home) {
      case 'route':
        return STANDING[attribute.name]?.read(this.facts, this);
      case 'path':
        return this.#getPath(attribute);
      default:
        return asValue(this.extended.get(attribute.name));
    }
  }

  set(attribute: RouteAttribute, value: Value): string | undefined {
    switch (attribute.home) {
      case 'route':
        return STANDING[attribute.name]?.write?.(this.facts, value);
      case 'path':
        return this.#setPath(attribute, value);
      default:
        if (value === undefined) return 'an attribute cannot be set to nothing';
        this.#edited ??= new Map(this.#extended);
        this.#edited.set(attribute.name, value);
        return undefined;
    }
  }

  unset(attribute: RouteAttribute): void {
    if (attribute.home === 'extended') {
      if (!this.extended.has(attribute.name)) return;
      this.#edited ??= new Map(this.#extended);
      this.#edited.delete(attribute.name);
      return;
    }
    this.#hollow &= ~(LIST_BITS.get(attribute.code) ?? 0);
    if (attribute.code === ATTRIBUTE.localPref) this.facts.defaultLocalPref = undefined;
    if (attribute.code === ATTRIBUTE.nextHop) this.facts.bgpNextHop = undefined;
    else if (this.find(attribute.code)) this.#edit().remove(attribute.code);
  }

  #edit(): AttributeEditor {
    if (!this.#changed) {
      this.#editor.load(this.#source, this.#offset, this.#length);
      this.#changed = true;
    }
    return this.#editor;
  }

  #getPath(attribute: RouteAttribute): Value {
    if (attribute.code === ATTRIBUTE.nextHop) {
      const nextHop = this.facts.bgpNextHop;
      return nextHop === undefined ? undefined : new Ip(nextHop);
    }
    if (!this.find(attribute.code)) {
      if (attribute.code === ATTRIBUTE.localPref) return this.facts.defaultLocalPref;
      const isHollow = this.#hollow !== 0 && (this.#hollow & (LIST_BITS.get(attribute.code) ?? 0)) !== 0;
      return isHollow ? emptyList(attribute.type) : undefined;
    }
    const { bytes, start, end } = this;
    switch (attribute.type) {
      case 'int':
        return readUint32(bytes, start);
      case 'quad':
        return new Quad(readUint32(bytes, start));
      case 'enum origin':
        return new EnumValue('origin', bytes[start]!);
      case 'bgppath':
      case 'clist':
      case 'eclist':
      case 'lclist':
        if (start === end && this.#emptied.has(attribute.code)) return EMPTY[attribute.type];
        return new List(attribute.type, bytes.slice(start, end));
      default:
        return new Octets('bytestring', bytes.slice(start, end));
    }
  }

  #setPath(attribute: RouteAttribute, value: Value): string | undefined {
    const { code } = attribute;
    if (code === ATTRIBUTE.origin) this.#hidden &= ~HIDDEN.origin;
    if (code === ATTRIBUTE.asPath) this.#hidden &= ~HIDDEN.asPath;
    if (code === ATTRIBUTE.nextHop) {
      if (value instanceof Ip) this.facts.bgpNextHop = value.bytes;
      this.#explicit |= EXPLICIT.nextHop;
      return undefined;
    }
    if (code === ATTRIBUTE.multiExitDisc) this.#explicit |= EXPLICIT.med;
    if (typeof value === 'number') this.#edit().setUint32(code, value);
    else if (value instanceof List) {
      const bit = LIST_BITS.get(code) ?? 0;
      this.#edit().set(code, value.bytes);
      this.#hollow &= ~bit;
      this.#relisted |= bit;
      if (value === EMPTY[value.kind]) this.#emptied.add(code);
      else this.#emptied.delete(code);
    } else if (value instanceof EnumValue) this.#edit().set(code, Uint8Array.of(value.value));
    else if (value instanceof Octets) return this.#setOctets(attribute, value.bytes);
    else {
      const quad = asQuad(value);
      if (quad === undefined) return `'${attribute.name}' cannot be set to this`;
      this.#edit().setUint32(code, quad);
    }
    return undefined;
  }

  /** A byte string is taken as it is, but what the protocol reads must have the length it reads. */
  #setOctets(attribute: RouteAttribute, bytes: Uint8Array): string | undefined {
    const wanted = FIXED_LENGTHS[attribute.code];
    if (wanted !== undefined && bytes.length !== wanted) {
      return `'${attribute.name}' has ${wanted} octets, not ${bytes.length}`;
    }
    this.#edit().set(attribute.code, bytes);
    return undefined;
  }
}

/** What a route keeps of an attribute, as a value of the language. */
export function asValue(value: ExtraValue | undefined): Value {
  if (typeof value !== 'object') return value;
  const known = value instanceof Ip || value instanceof Quad || value instanceof EnumValue;
  return known || value instanceof List || value instanceof Octets ? value : undefined;
}

const FIXED_LENGTHS: Readonly<Record<number, number>> = {
  [ATTRIBUTE.atomicAggregate]: 0,
  [ATTRIBUTE.aggregator]: 2 * WORD,
};

/** Codes of the lists that are in RouteExtras.hollow. */
export function hollowCodes(hollow: number): number[] {
  return [...LIST_BITS].flatMap(([code, bit]) => ((hollow & bit) === 0 ? [] : code));
}

const LIST_BITS: ReadonlyMap<number, number> = new Map([
  [ATTRIBUTE.communities, 1],
  [ATTRIBUTE.extendedCommunities, 2],
  [ATTRIBUTE.largeCommunities, 4],
  [ATTRIBUTE.clusterList, 8],
]);

/** Not the language's own empty list: this one is there. */
function emptyList(type: RouteAttribute['type']): Value {
  return type === 'clist' || type === 'eclist' || type === 'lclist' ? new List(type, NO_BYTES) : undefined;
}
