// Attribute sets as integers. The canonical bytes of a set (ascending types, 4-octet ASes, no NEXT_HOP, no MP_*)
// and its next hop are interned together to one attrId, reference-counted; equal ids mean equal routes. A set that nobody
// refers to stays until there are many such and others come: a peer that flaps finds its sets again. What the
// decision and the export rules read stands in columns, derived once when a set is new; nobody parses bytes later
// but show commands and rewriting.

import { asPathLength, firstAs } from '../bgp/wire/as-path.ts';
import { aigpMetric } from '../bgp/wire/attribute-values.ts';
import { ATTRIBUTE, FLAG } from '../bgp/wire/iana.ts';
import { type Octets, readUint32, viewOf } from '../lib/bytes.ts';
import { growInt32, growUint8, growUint16, growUint32, moved } from '../lib/columns.ts';
import { fits, HashSlots, isTaken } from '../lib/hash-slots.ts';
import { ATTR_FLAG, communityFlags } from './attr-flags.ts';
import { hashOctets } from './attr-hash.ts';
import { BlockArena } from './block-arena.ts';
import type { NextHopTable } from './next-hops.ts';
import { ExtrasTable, NO_EXTRAS, needsNoNextHop } from './route-extras.ts';

export { ATTR_FLAG } from './attr-flags.ts';

const INITIAL_SETS = 1 << 18;
const INITIAL_SLOTS = 1 << 12;
/** Sets that nobody refers to are swept when they are more than these and so many times the others. */
const SWEEP_MIN = 1 << 10;
const SWEEP_RATIO = 1;
/** The same when the arena would have to grow for another set. */
const SWEEP_RATIO_FULL = 1 / 4;
/** Or when they take so many octets: a peer may send sets of 64 KiB. */
const SWEEP_OCTETS = 1 << 25;
/** Room in the arena for each set at the start. */
const OCTETS_PER_SET = 64;
/** Of a set in all columns, and its place in the hash table, which is half full. */
const COLUMN_OCTETS = 55;
/** Spreads the extras' ids over the hash. */
const EXTRAS_FACTOR = 0x85ebca6b;

export class AttrStore implements Octets {
  readonly nextHops: NextHopTable;
  readonly extrasTable = new ExtrasTable();
  #defaultLocalPref: number;
  #defaultMed = 0;
  readonly #rows: number;
  #arena: BlockArena;
  #offset: Uint32Array<ArrayBuffer>;
  #length: Uint32Array<ArrayBuffer>;
  #hashes: Int32Array<ArrayBuffer>;
  #refs: Uint32Array<ArrayBuffer>;
  readonly #slots = new HashSlots(INITIAL_SLOTS);
  /** Sets in the table that somebody refers to, and that nobody does. */
  #size = 0;
  #idle = 0;
  #idleOctets = 0;
  #limit = 1;
  /** Free ids, linked through `#hashes`, the lowest first after a sweep. */
  #free = 0;

  // What the decision reads, by attrId.
  nextHop: Int32Array<ArrayBuffer>;
  /** LOCAL_PREF, or the default where there is none. */
  localPref: Uint32Array<ArrayBuffer>;
  /** MULTI_EXIT_DISC, or the default where there is none: 0 (RFC 4271 §9.1.2.2 c) unless configured. */
  med: Uint32Array<ArrayBuffer>;
  origin: Uint8Array<ArrayBuffer>;
  /** ASes in AS_PATH; an AS_SET counts 1, confederation segments 0. */
  asLength: Uint16Array<ArrayBuffer>;
  /** First AS of the path, confederation segments passed over; 0 where it is empty or begins with a set. */
  neighborAs: Uint32Array<ArrayBuffer>;
  originatorId: Uint32Array<ArrayBuffer>;
  clusterLength: Uint16Array<ArrayBuffer>;
  flags: Uint16Array<ArrayBuffer>;
  /** Ids in `extrasTable`. */
  extras: Int32Array<ArrayBuffer>;
  /** Sets in the table with LLGR_STALE: where there is none, no route is the last resort (RFC 9494 §4.4). */
  staleSets = 0;

  /** `rows`: room for sets at the start. */
  constructor(nextHops: NextHopTable, defaultLocalPref = 100, rows = INITIAL_SETS) {
    this.#rows = rows;
    this.#arena = new BlockArena(rows * OCTETS_PER_SET);
    this.#offset = new Uint32Array(rows);
    this.#length = new Uint32Array(rows);
    this.#hashes = new Int32Array(rows);
    this.#refs = new Uint32Array(rows);
    this.nextHop = new Int32Array(rows);
    this.localPref = new Uint32Array(rows);
    this.med = new Uint32Array(rows);
    this.origin = new Uint8Array(rows);
    this.asLength = new Uint16Array(rows);
    this.neighborAs = new Uint32Array(rows);
    this.originatorId = new Uint32Array(rows);
    this.clusterLength = new Uint16Array(rows);
    this.flags = new Uint16Array(rows);
    this.extras = new Int32Array(rows);
    this.nextHops = nextHops;
    this.#defaultLocalPref = defaultLocalPref;
  }

  /** The preference of sets without LOCAL_PREF, those at hand included. */
  useDefaultLocalPref(value: number): void {
    if (value === this.#defaultLocalPref) return;
    this.#defaultLocalPref = value;
    for (let id = 1; id < this.#limit; id++) {
      if ((this.flags[id]! & ATTR_FLAG.localPref) === 0) this.localPref[id] = value;
    }
  }

  /** The same for sets without MULTI_EXIT_DISC. */
  useDefaultMed(value: number): void {
    if (value === this.#defaultMed) return;
    this.#defaultMed = value;
    for (let id = 1; id < this.#limit; id++)
      if ((this.flags[id]! & ATTR_FLAG.med) === 0) this.med[id] = value;
  }

  /** Attribute sets in use. */
  get size(): number {
    return this.#size;
  }

  /** What the sets take, idle ones included. */
  get octets(): number {
    return this.#arena.used + (this.#size + this.#idle) * COLUMN_OCTETS;
  }

  /** Every id in use is in 1..limit-1. */
  get limit(): number {
    return this.#limit;
  }

  /** The arena all sets lie in; see `offset` and `length`. Valid until the next intern. */
  get bytes(): Uint8Array {
    return this.#arena.bytes;
  }

  get view(): DataView {
    return this.#arena.view;
  }

  offset(id: number): number {
    return this.#offset[id]!;
  }

  length(id: number): number {
    return this.#length[id]!;
  }

  references(id: number): number {
    return this.#refs[id]!;
  }

  /** A copy of the canonical bytes, for whoever keeps or changes them. */
  copy(id: number): Uint8Array {
    const offset = this.#offset[id]!;
    return this.#arena.bytes.slice(offset, offset + this.#length[id]!);
  }

  /** The id of canonical bytes plus next hop and extras, held once for the caller, who must `release` it. */
  intern(source: Uint8Array, at: number, length: number, nextHop: number, extras = NO_EXTRAS): number {
    return this.internViewed(viewOf(source), at, length, nextHop, extras);
  }

  /** The same for who has a view of the bytes, as the decoder has: making one takes as long as the rest. */
  internViewed(source: DataView, at: number, length: number, nextHop: number, extras = NO_EXTRAS): number {
    const hash = hashOctets(source, at, length, nextHop ^ Math.imul(extras, EXTRAS_FACTOR));
    const { taken, words, mask, idMask } = this.#slots;
    for (let slot = hash & mask; isTaken(taken, slot); slot = (slot + 1) & mask) {
      const word = words[slot]!;
      if (!fits(word, hash, idMask)) continue;
      const id = word & idMask;
      if (
        this.#hashes[id] === hash &&
        this.nextHop[id] === nextHop &&
        this.extras[id] === extras &&
        this.#length[id] === length &&
        this.#arena.equals(this.#offset[id]!, source, at, length)
      ) {
        if (this.#refs[id] === 0) this.#revive(id);
        else this.#refs[id] = this.#refs[id]! + 1;
        return id;
      }
    }
    const id = this.#add(source, at, length, nextHop, hash, extras);
    this.#slots.insert(hash, id);
    if (this.#slots.isFull(this.#size + this.#idle)) this.#rehash(this.#slots.capacity * 2);
    return id;
  }

  hold(id: number): void {
    this.#refs[id] = this.#refs[id]! + 1;
  }

  release(id: number): void {
    const refs = this.#refs[id]! - 1;
    this.#refs[id] = refs;
    if (refs > 0) return;
    // A next hop may be gone for good: it is not held for a set that only waits to be asked for again. Its id in the set
    // means whatever it means when the set is found again.
    this.nextHops.release(this.nextHop[id]!);
    this.extrasTable.release(this.extras[id]!);
    this.#size--;
    this.#idle++;
    this.#idleOctets += this.#length[id]!;
  }

  #revive(id: number): void {
    this.#refs[id] = 1;
    this.nextHops.hold(this.nextHop[id]!);
    this.extrasTable.hold(this.extras[id]!);
    this.#idle--;
    this.#idleOctets -= this.#length[id]!;
    this.#size++;
    this.#deriveExtras(id);
  }

  #add(source: DataView, at: number, length: number, nextHop: number, hash: number, extras: number): number {
    const many =
      this.#idle > SWEEP_MIN &&
      this.#idle > this.#size * (this.#arena.hasRoom(length) ? SWEEP_RATIO : SWEEP_RATIO_FULL);
    if (many || this.#idleOctets > SWEEP_OCTETS) this.#sweep();
    const id = this.#allocate();
    this.#offset[id] = this.#arena.store(source, at, length);
    this.#length[id] = length;
    this.#hashes[id] = hash;
    this.#refs[id] = 1;
    this.nextHop[id] = nextHop;
    this.nextHops.hold(nextHop);
    if (this.extras[id] !== extras) this.extras[id] = extras;
    this.extrasTable.hold(extras);
    this.#size++;
    this.#derive(id);
    return id;
  }

  #allocate(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.#hashes[free]!;
      return free;
    }
    const id = this.#limit++;
    if (id >= this.#refs.length) this.#grow(id + 1);
    return id;
  }

  /** Takes out every set that nobody refers to. */
  #sweep(): void {
    this.#slots.clearFor(this.#size, INITIAL_SLOTS, this.#limit);
    this.#free = 0;
    for (let id = this.#limit - 1; id > 0; id--) {
      if (this.#refs[id] !== 0) {
        this.#slots.insert(this.#hashes[id]!, id);
        continue;
      }
      if (this.#offset[id] !== 0) {
        this.#arena.free(this.#offset[id]!, this.#length[id]!);
        if ((this.flags[id]! & ATTR_FLAG.llgrStale) !== 0) this.staleSets--;
      }
      this.#offset[id] = 0;
      if (this.#free === 0 && id === this.#limit - 1) this.#limit--;
      else {
        this.#hashes[id] = this.#free;
        this.#free = id;
      }
    }
    this.#idle = 0;
    this.#idleOctets = 0;
  }

  /** Gives back what sets that are gone have left, in the columns and between the octets of others. Ids stay. */
  compact(): void {
    this.#sweep();
    const arena = this.#arena;
    this.#arena = new BlockArena(this.#rows * OCTETS_PER_SET);
    for (let id = 1; id < this.#limit; id++) {
      const offset = this.#offset[id]!;
      if (offset !== 0) this.#offset[id] = this.#arena.store(arena.view, offset, this.#length[id]!);
    }
    const used = this.#limit;
    const room = Math.max(this.#rows, used);
    this.#offset = moved(new Uint32Array(room), this.#offset, used);
    this.#length = moved(new Uint32Array(room), this.#length, used);
    this.#hashes = moved(new Int32Array(room), this.#hashes, used);
    this.#refs = moved(new Uint32Array(room), this.#refs, used);
    this.nextHop = moved(new Int32Array(room), this.nextHop, used);
    this.localPref = moved(new Uint32Array(room), this.localPref, used);
    this.med = moved(new Uint32Array(room), this.med, used);
    this.origin = moved(new Uint8Array(room), this.origin, used);
    this.asLength = moved(new Uint16Array(room), this.asLength, used);
    this.neighborAs = moved(new Uint32Array(room), this.neighborAs, used);
    this.originatorId = moved(new Uint32Array(room), this.originatorId, used);
    this.clusterLength = moved(new Uint16Array(room), this.clusterLength, used);
    this.flags = moved(new Uint16Array(room), this.flags, used);
    this.extras = moved(new Int32Array(room), this.extras, used);
  }

  #rehash(capacity: number): void {
    this.#slots.clear(capacity, this.#limit);
    for (let id = 1; id < this.#limit; id++) {
      // Sets lie behind the arena's first octets; free ids have none.
      if (this.#offset[id] !== 0) this.#slots.insert(this.#hashes[id]!, id);
    }
  }

  #grow(size: number): void {
    this.#offset = growUint32(this.#offset, size);
    this.#length = growUint32(this.#length, size);
    this.#hashes = growInt32(this.#hashes, size);
    this.#refs = growUint32(this.#refs, size);
    this.nextHop = growInt32(this.nextHop, size);
    this.localPref = growUint32(this.localPref, size);
    this.med = growUint32(this.med, size);
    this.origin = growUint8(this.origin, size);
    this.asLength = growUint16(this.asLength, size);
    this.neighborAs = growUint32(this.neighborAs, size);
    this.originatorId = growUint32(this.originatorId, size);
    this.clusterLength = growUint16(this.clusterLength, size);
    this.flags = growUint16(this.flags, size);
    this.extras = growInt32(this.extras, size);
  }

  /** Fills the columns of a new set from its bytes. */
  #derive(id: number): void {
    const bytes = this.#arena.bytes;
    const end = this.#offset[id]! + this.#length[id]!;
    let flags = 0;
    this.localPref[id] = this.#defaultLocalPref;
    this.med[id] = this.#defaultMed;
    this.origin[id] = 0;
    this.asLength[id] = 0;
    this.neighborAs[id] = 0;
    this.originatorId[id] = 0;
    this.clusterLength[id] = 0;
    for (let at = this.#offset[id]!; at < end; ) {
      const extended = (bytes[at]! & FLAG.extendedLength) !== 0;
      const length = extended ? (bytes[at + 2]! << 8) | bytes[at + 3]! : bytes[at + 2]!;
      const value = at + (extended ? 4 : 3);
      switch (bytes[at + 1]) {
        case ATTRIBUTE.origin:
          this.origin[id] = bytes[value]!;
          break;
        case ATTRIBUTE.asPath:
          this.asLength[id] = asPathLength(bytes, value, value + length);
          this.neighborAs[id] = firstAs(bytes, value, value + length);
          break;
        case ATTRIBUTE.multiExitDisc:
          this.med[id] = readUint32(bytes, value);
          flags |= ATTR_FLAG.med;
          break;
        case ATTRIBUTE.localPref:
          this.localPref[id] = readUint32(bytes, value);
          flags |= ATTR_FLAG.localPref;
          break;
        case ATTRIBUTE.communities:
          flags |= communityFlags(bytes, value, value + length);
          break;
        case ATTRIBUTE.originatorId:
          this.originatorId[id] = readUint32(bytes, value);
          flags |= ATTR_FLAG.originatorId;
          break;
        case ATTRIBUTE.clusterList:
          this.clusterLength[id] = length >> 2;
          flags |= ATTR_FLAG.clusterList;
          break;
        case ATTRIBUTE.extendedCommunities:
          for (let i = value; i < value + length; i += 8) {
            if ((bytes[i]! & EXTENDED_NON_TRANSITIVE) !== 0) flags |= ATTR_FLAG.nonTransitiveExtended;
          }
          break;
        case ATTRIBUTE.ipv6ExtendedCommunities:
          for (let i = value; i < value + length; i += 20) {
            if ((bytes[i]! & EXTENDED_NON_TRANSITIVE) !== 0) flags |= ATTR_FLAG.nonTransitiveExtended;
          }
          break;
        case ATTRIBUTE.aigp:
          // RFC 7311 §4.1 counts an attribute "containing an AIGP TLV"; other TLVs may stand in it.
          if (aigpMetric(bytes, value, value + length) !== undefined) flags |= ATTR_FLAG.aigp;
          break;
        case ATTRIBUTE.onlyToCustomer:
          flags |= ATTR_FLAG.onlyToCustomer;
          break;
      }
      at = value + length;
    }
    this.flags[id] = flags;
    if ((flags & ATTR_FLAG.llgrStale) !== 0) this.staleSets++;
    this.#deriveExtras(id);
  }

  /** The one column that comes from the extras. */
  #deriveExtras(id: number): void {
    const extras = this.extras[id]!;
    const flags = this.flags[id]! & ~ATTR_FLAG.settled;
    const settled = extras !== NO_EXTRAS && needsNoNextHop(this.extrasTable.get(extras));
    this.flags[id] = settled ? flags | ATTR_FLAG.settled : flags;
  }
}

/** RFC 4360 §2: the T bit of an extended community's type octet. */
const EXTENDED_NON_TRANSITIVE = 0x40;
