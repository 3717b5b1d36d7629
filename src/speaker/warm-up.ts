// V8 runs a function slowly until it has seen it run for a while, and the first full table after a start would pay
// for that: about a third of its time. So an idle speaker sends made-up UPDATEs through the same code, into tables of
// its own that nobody sees and that are dropped at the end. It works in short slices, and not at all while there is real
// work. With sessions up it goes on as before: a route may wait for a slice, once in the first second or two; with long
// pauses between slices thousands of routes would meet a slow speaker.
// Compiled code is thrown away again when it meets what it has not seen: two speakers take turns, so that nothing is
// compiled for the tables of one, and these start small, so that growing and sweeping are seen as well. It is thrown away,
// too, when the last object of a kind that it was compiled for is collected: a small speaker stays, made in the end,
// because by then kinds are what they are going to be.

import { AttributeEditor } from '../bgp/wire/attribute-set.ts';
import { IPV4_UNICAST } from '../bgp/wire/families.ts';
import { MAX_MESSAGE_LENGTH } from '../bgp/wire/header.ts';
import { ATTRIBUTE, SEGMENT } from '../bgp/wire/iana.ts';
import { UpdateWriter } from '../bgp/wire/update-writer.ts';
import { octetsOf } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { type BareOptions, BareSpeaker, peerAddress, peerAs } from './bare-speaker.ts';

/** quiet: no routes have come since it was asked last, and none are on their way; over: the speaker stops. */
export type Leisure = 'quiet' | 'busy' | 'over';

export interface WarmUpOptions {
  readonly clock: Clock;
  /** Calls back in the next turn of the loop. */
  readonly defer: (fn: () => void) => void;
  /** `over` ends it. */
  readonly leisure: () => Leisure;
  /** Others than the update groups listen to the tables' decisions, the kernel's routes mostly. */
  readonly othersListen: boolean;
  /** It has ended; what it made can be collected. */
  readonly onEnd: () => void;
}

/** A millisecond or two of work; so few, too, because turns of the loop with little to do are what comes first. */
const UPDATES_PER_SLICE = 4;
/** Between slices: what makes the loop turn is slow at first, too. */
const EMPTY_TURNS = 3;
/** While there is real work. */
const PAUSE_MS = 20;
/** Where it never becomes quiet, real routes have done the work. */
const GIVE_UP_MS = 60_000;
/** Of so many slices one has a second path for its prefixes. */
const SECOND_PATH_EVERY = 4;
const LATE_EVERY = 16;
const PEERS = 3;
/** The number of a route-reflector client. */
const CLIENT = PEERS;
/** Who gets routes from the first on, and who joins when there are some, and walks through them beside its group. */
const EARLY = [0, CLIENT];
const LATE = [1, 2, CLIENT + 1];
/** It announces a part of what the peers do. */
const CLIENT_SHARE = 1 / 4;
const FIRST_ROWS = 64;
/** Of so many times through the prefixes the last one withdraws them. */
const ROUNDS = 3;
const FEW_PREFIXES = 8;
/** More than a message holds; every so many UPDATEs. */
const MAX_PREFIXES = 1200;
const FULL_EVERY = 48;
/** Octets that come at once: fewer than a slice has. */
const READ_SIZE = 500;
const FIRST_AS = 64514;
/** Lifts an AS number above 2^31. */
const BIG_AS_STEP = 50_000;
/** Prefixes come again after so many UPDATEs. */
const PREFIX_CYCLE = 768;
/** Enough for the optimizing compiler to have seen the hot path. Not a time: a machine that is busy would do a part of it. */
const UPDATES = 2 * ROUNDS * PREFIX_CYCLE;
/** Knuth's multiplicative hash: neighbours end up far apart. */
const SPREAD = 0x9e3779b1;
const NEXT_HOP = peerAddress(0);
const NOTHING = new Uint8Array(0);
/** Two ASes. */
const AGGREGATED = Uint8Array.of(SEGMENT.asSet, 2, 0, 0, 252, 1, 0, 0, 252, 2);

/** Returns what has to be kept as long as the compiled code is to be of use. */
export function warmUp({ clock, defer, leisure, othersListen, onEnd }: WarmUpOptions): object {
  const work = new MadeUpWork(clock, othersListen);
  const giveUpAt = clock.now() + GIVE_UP_MS;
  const after = (turns: number): void => defer(turns === 0 ? slice : () => after(turns - 1));
  const slice = (): void => {
    const now = leisure();
    if (work.isDone || clock.now() >= giveUpAt || now === 'over') {
      work.end();
      onEnd();
      return;
    }
    if (now === 'busy') {
      clock.setTimer(PAUSE_MS, slice);
      return;
    }
    work.run();
    after(EMPTY_TURNS);
  };
  defer(slice);
  return work;
}

/** Calls of what is called in one way only are compiled into their caller, for that way. */
const WAYS: readonly Pick<BareOptions, 'defer' | 'handler'>[] = [
  { defer: (turns) => (fn) => void turns.push(fn), handler: (receive) => receive },
  {
    defer: (turns) => (fn) => void turns.splice(turns.length, 0, fn),
    handler: (receive) => (buffer, start, end, type) => receive(buffer, start, end, type),
  },
];

/** Pretended table transfers between eBGP peers, and between route-reflector clients. */
class MadeUpWork {
  readonly #clock: Clock;
  readonly #othersListen: boolean;
  #speakers: readonly BareSpeaker[];
  readonly #writer = new UpdateWriter({
    family: IPV4_UNICAST,
    as4: true,
    addPath: false,
    messageLimit: MAX_MESSAGE_LENGTH,
    extendedNextHop: false,
  });
  readonly #editor = new AttributeEditor();
  readonly #words = new Int32Array(MAX_PREFIXES);
  #updates = 0;
  #clientUpdates = 0;
  #slices = 0;

  constructor(clock: Clock, othersListen: boolean) {
    this.#clock = clock;
    this.#othersListen = othersListen;
    this.#speakers = WAYS.map((way) => this.#speaker({ ...way, rows: FIRST_ROWS }));
  }

  get isDone(): boolean {
    return this.#updates >= UPDATES;
  }

  /** The tables go; in their place comes a speaker with few routes. Where little was done, nothing is worth keeping. */
  end(): void {
    this.#speakers = this.isDone ? [this.#speaker({ rows: 1 })] : [];
    this.run();
    this.#joinLate();
  }

  #speaker(options: Omit<BareOptions, 'peers'>): BareSpeaker {
    const speaker = new BareSpeaker(this.#clock, { ...options, peers: PEERS, clients: 2 });
    for (const peer of EARLY) speaker.exportTo(peer);
    // One listener is compiled into the decision, which several that come later would throw away.
    if (this.#othersListen) for (const { locRib } of speaker.rib.families) locRib.addListener(() => {});
    return speaker;
  }

  /** One slice. */
  run(): void {
    const number = this.#slices++;
    for (let i = 0; i < UPDATES_PER_SLICE; i++) this.#writeUpdate(this.#updates++, 0);
    const stream = this.#finish();
    this.#feed(0, stream);
    if (number % SECOND_PATH_EVERY === 0) this.#feed(1, stream);
    for (let i = 0; i < UPDATES_PER_SLICE * CLIENT_SHARE; i++)
      this.#writeUpdate(this.#clientUpdates++, CLIENT);
    this.#feed(CLIENT, this.#finish());
    if (number % LATE_EVERY === 0) this.#joinLate();
  }

  #joinLate(): void {
    for (const speaker of this.#speakers) for (const peer of LATE) speaker.exportTo(peer);
  }

  #finish(): Uint8Array {
    this.#writer.endOfRib();
    return this.#writer.detach();
  }

  /** In pieces that end within messages, as TCP delivers them. */
  #feed(peer: number, stream: Uint8Array): void {
    for (const speaker of this.#speakers) speaker.feed(peer, stream, READ_SIZE);
  }

  /** Announcements with a few withdrawals among them, over prefixes that repeat; in the end all are withdrawn. */
  #writeUpdate(number: number, peer: number): void {
    const count = number % FULL_EVERY === 0 ? MAX_PREFIXES : 1 + (number % FEW_PREFIXES);
    if (number % 16 === 15 || Math.floor(number / PREFIX_CYCLE) % ROUNDS === ROUNDS - 1) {
      this.#writer.startWithdraw();
    } else {
      const attributes = this.#attributes(number, peer === CLIENT);
      this.#writer.startAnnounce(octetsOf(attributes), 0, attributes.length, NEXT_HOP, NEXT_HOP.length);
    }
    for (let i = 0; i < count; i++) {
      const bits = 8 + ((number + i) % 25);
      this.#words[i] =
        Math.imul((number % PREFIX_CYCLE) * (MAX_PREFIXES / FULL_EVERY) + i, SPREAD + peer) &
        (-1 << (32 - bits));
      this.#writer.addPrefix(this.#words, i, bits, 0);
    }
    this.#writer.finish();
  }

  /** As different as in a real table: what the compiler has not seen here it would have to learn later. */
  #attributes(number: number, internal: boolean): Uint8Array {
    const some = (size: number, of: number): Uint8Array => {
      const bytes = new Uint8Array(size * of);
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(number + i, SPREAD) >>> 24;
      return bytes;
    };
    const editor = this.#editor.load(NOTHING, 0, 0);
    editor.set(ATTRIBUTE.origin, Uint8Array.of(number % 3)).set(ATTRIBUTE.asPath, madeUpPath(number));
    if (number % 3 === 0) editor.setUint32(ATTRIBUTE.multiExitDisc, Math.imul(number, SPREAD) >>> 0);
    if (internal) editor.setUint32(ATTRIBUTE.localPref, 100 + (number % 8));
    if (number % 7 === 0) editor.set(ATTRIBUTE.atomicAggregate, some(0, 0));
    if (number % 7 === 1) editor.set(ATTRIBUTE.aggregator, Uint8Array.of(0, 0, 252, 1, 10, 0, 0, 1));
    if (number % 3 !== 1) editor.set(ATTRIBUTE.communities, some(1 + (number % 12), 4));
    if (number % 11 === 0) editor.set(ATTRIBUTE.extendedCommunities, some(1 + (number % 3), 8));
    if (number % 6 === 0) editor.set(ATTRIBUTE.largeCommunities, some(1 + (number % 30), 12));
    return editor.finish();
  }
}

/** One to eight ASes of all sizes, the peer's first; some routes were aggregated on their way. */
function madeUpPath(number: number): Uint8Array {
  const ases = 1 + (number % 8);
  const path = new Uint8Array(2 + 4 * ases + (number % 13 === 0 ? AGGREGATED.length : 0));
  path.set(AGGREGATED.subarray(0, path.length - 2 - 4 * ases), 2 + 4 * ases);
  const view = new DataView(path.buffer);
  path[0] = SEGMENT.asSequence;
  path[1] = ases;
  view.setUint32(2, peerAs(0));
  for (let i = 1; i < ases; i++) {
    const as = FIRST_AS + ((number * i) % 500);
    view.setUint32(2 + 4 * i, i % 4 === 3 ? as * BIG_AS_STEP : as);
  }
  return path;
}
