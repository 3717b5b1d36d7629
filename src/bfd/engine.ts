// All sessions of a system: makes them and their discriminators, finds the session a packet is for (RFC 5880 §6.3 and
// §6.8.6, RFC 5881 §3, RFC 5883 §4.1), calls each when it is due, and tells of what changed. Without timers of its own:
// whoever runs it (worker.ts, or a simulated clock) gives it packets and calls `run` when it says so.

import { bytesEqual } from '../lib/bytes.ts';
import type { Random } from '../lib/clock.ts';
import { mayBeSame } from '../lib/optional.ts';
import { DueHeap } from './due-heap.ts';
import type { BfdImage } from './image.ts';
import { decodePacket, emptyPacket, LONGEST_PACKET } from './packet.ts';
import { DISCARDS, type Discard } from './protocol.ts';
import { pathKey, type SessionReport, type SessionSpec } from './service.ts';
import { Session, type SessionOptions } from './session.ts';
import {
  type BfdTransport,
  BfdTransportError,
  type Datagram,
  type Outlet,
  type SessionPath,
} from './transport.ts';

export interface EngineOptions {
  readonly transport: BfdTransport;
  readonly random: Random;
  /** A session's report differs from the one before. */
  readonly onReport: (report: SessionReport) => void;
}

const MICROS_PER_MS = 1000;
/** Between attempts to open what could not be opened. */
const REOPEN_MS = 1000;
const UINT32 = 2 ** 32;

interface Entry {
  readonly id: number;
  /** Small integer for the heap. */
  readonly slot: number;
  readonly session: Session;
  spec: SessionSpec;
  outlet: Outlet | undefined;
  reopenAt: number;
  /** What cannot be sent or received. */
  trouble: string | undefined;
  /** Why packets were discarded; cleared by one that was not. */
  discard: Discard | undefined;
  /** Where the last packet came from. */
  ifindex: number;
  /** AdminDown until then, and gone. */
  endsAt: number;
  reported: SessionReport | undefined;
}

export class BfdEngine {
  readonly #options: EngineOptions;
  readonly #entries = new Map<number, Entry>();
  /** Sessions that are there, and those that say good-bye. */
  readonly #byDiscriminator = new Map<number, Entry>();
  /** Sessions of a family to a remote address, by kind of path. */
  readonly #byRemote = new Map<string, Entry[]>();
  /** Those that say good-bye. */
  readonly #leaving = new Set<Entry>();
  readonly #bySlot: (Entry | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #due = new DueHeap();
  readonly #packet = emptyPacket();
  readonly #buffer = new Uint8Array(LONGEST_PACKET);
  readonly #view = new DataView(this.#buffer.buffer);
  /** Packets that belong to no session. */
  strangers = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Sessions that are not gone yet. */
  get size(): number {
    return this.#byDiscriminator.size;
  }

  /** Clock milliseconds at which `run` is wanted; Infinity: not before something else happens. */
  get due(): number {
    return this.#due.earliest;
  }

  /** `image`: goes on with a session of another process. */
  add(id: number, spec: SessionSpec, now: number, image?: BfdImage): void {
    this.#hush(spec.path, now);
    const slot = this.#freeSlots.pop() ?? this.#bySlot.length;
    const discriminator = image?.localDiscriminator ?? this.#newDiscriminator();
    const send = (bytes: Uint8Array, length: number): void => this.#send(entry, bytes, length);
    const tools = { random: this.#options.random, send, buffer: this.#buffer, view: this.#view };
    const entry: Entry = {
      id,
      slot,
      session: new Session(discriminator, spec, tools, now),
      spec,
      outlet: undefined,
      reopenAt: Number.NEGATIVE_INFINITY,
      trouble: undefined,
      discard: undefined,
      ifindex: 0,
      endsAt: Number.POSITIVE_INFINITY,
      reported: undefined,
    };
    this.#entries.set(id, entry);
    this.#byDiscriminator.set(discriminator, entry);
    this.#bySlot[slot] = entry;
    const key = pathKey(spec.path);
    this.#byRemote.set(key, [...(this.#byRemote.get(key) ?? []), entry]);
    if (image !== undefined) {
      entry.ifindex = image.ifindex;
      entry.session.goOn(image, now);
    }
    this.#open(entry, now);
    this.#schedule(entry);
  }

  /** Sessions that are Up, by id, for another process to go on with. Nobody is told of the end here. */
  images(): Map<number, BfdImage> {
    const images = new Map<number, BfdImage>();
    for (const { id, session, ifindex } of this.#entries.values()) {
      const { image } = session;
      if (image !== undefined) images.set(id, { ...image, ifindex });
    }
    return images;
  }

  /** Other options for a session; its path stays. */
  update(id: number, options: SessionOptions): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.spec = { ...options, path: entry.spec.path };
    entry.session.configure(entry.spec);
    this.#schedule(entry);
  }

  /** RFC 5880 §6.8.16: AdminDown for a detection time of the other side, then gone. Nothing more is reported of it. */
  remove(id: number, now: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    const key = pathKey(entry.spec.path);
    const others = (this.#byRemote.get(key) ?? []).filter((other) => other !== entry);
    if (others.length === 0) this.#byRemote.delete(key);
    else this.#byRemote.set(key, others);
    entry.session.setEnabled(false);
    const { remoteDiscriminator, timers } = entry.session;
    const lasts = (timers.transmitInterval * entry.spec.detectMultiplier) / MICROS_PER_MS;
    // Nobody to tell.
    entry.endsAt = remoteDiscriminator === 0 ? now : now + lasts;
    this.#leaving.add(entry);
    this.#schedule(entry);
  }

  /** What a session that goes still had to say the other side would take for the word of one that comes on its path. */
  #hush(path: SessionPath, now: number): void {
    for (const entry of this.#leaving) {
      if (!mayBeSamePath(entry.spec.path, path)) continue;
      if (now < entry.endsAt) entry.session.run(now);
      this.#drop(entry);
    }
  }

  receive(datagram: Datagram, now: number): void {
    const packet = this.#packet;
    const malformed = decodePacket(datagram.view, datagram.start, datagram.end, packet);
    if (malformed !== undefined) {
      this.#discard(this.#ofSender(datagram), malformed);
      return;
    }
    const entry =
      packet.yourDiscriminator === 0
        ? this.#ofSender(datagram)
        : this.#byDiscriminator.get(packet.yourDiscriminator);
    if (entry === undefined) {
      this.strangers++;
      return;
    }
    const initial = packet.state === 'Down' || packet.state === 'AdminDown';
    const refused =
      packet.yourDiscriminator === 0 && !initial
        ? 'state'
        : // What may not have one hop alone must not speak for what has (RFC 5881 §5).
          entry.spec.path.multihop !== datagram.multihop
          ? 'path'
          : entry.session.refuses(packet, datagram.bytes, datagram.view, datagram.start);
    if (refused !== undefined) {
      this.#discard(entry, refused);
      return;
    }
    entry.discard = undefined;
    // Packets of a session that is Up may come by several ways; none of that is news.
    if (entry.session.state !== 'Up') entry.ifindex = datagram.ifindex;
    entry.session.receive(packet, now);
    this.#settle(entry, now);
  }

  /** Does what is due; afterwards `due` says when to come again. */
  run(now: number): void {
    while (this.#due.earliest <= now) {
      const entry = this.#bySlot[this.#due.first];
      if (entry === undefined) throw new Error('a slot without a session is due');
      if (now >= entry.endsAt) {
        this.#drop(entry);
        continue;
      }
      if (entry.outlet === undefined && now >= entry.reopenAt) this.#open(entry, now);
      this.#settle(entry, now);
    }
  }

  /** Ends everything at once, after a last word (AdminDown) to everybody who is heard. */
  close(now: number): void {
    for (const id of [...this.#entries.keys()]) this.remove(id, now);
    for (const entry of [...this.#byDiscriminator.values()]) {
      entry.session.run(now);
      this.#drop(entry);
    }
  }

  /** The session of an initial packet. */
  #ofSender({ remote, local, multihop, ifindex }: Datagram): Entry | undefined {
    const candidates = this.#byRemote.get(pathKey({ remote, multihop }));
    // RFC 5883 §4.1; on a link the interface is enough where no own address is configured.
    return candidates?.find(({ spec, outlet }) => {
      if (spec.path.local !== undefined && !bytesEqual(spec.path.local, local)) return false;
      return outlet === undefined || outlet.ifindex === undefined || outlet.ifindex === ifindex;
    });
  }

  #discard(entry: Entry | undefined, reason: Discard): void {
    if (entry === undefined) {
      this.strangers++;
      return;
    }
    // While the session stands, somebody else's packets are no problem of it.
    if (entry.session.state !== 'Up') entry.discard = reason;
    // Its time is not looked at: behind this packet there may be one that counts.
    this.#schedule(entry);
  }

  #open(entry: Entry, now: number): void {
    try {
      entry.outlet = this.#options.transport.open(entry.spec.path);
      entry.trouble = undefined;
    } catch (error) {
      if (!(error instanceof BfdTransportError)) throw error;
      entry.trouble = error.message;
      entry.reopenAt = now + REOPEN_MS;
    }
  }

  #send(entry: Entry, bytes: Uint8Array, length: number): void {
    if (entry.outlet === undefined) return;
    entry.trouble = entry.outlet.send(bytes, length);
  }

  #settle(entry: Entry, now: number): void {
    entry.session.run(now);
    this.#schedule(entry);
  }

  /** Puts a session where it belongs among those that wait, and tells what is new of it. */
  #schedule(entry: Entry): void {
    const { session } = entry;
    const reopenAt = entry.outlet === undefined ? entry.reopenAt : Number.POSITIVE_INFINITY;
    this.#due.set(entry.slot, Math.min(session.due, reopenAt, entry.endsAt));
    if (this.#entries.get(entry.id) === entry) this.#report(entry);
  }

  #drop(entry: Entry): void {
    entry.outlet?.close();
    this.#byDiscriminator.delete(entry.session.localDiscriminator);
    this.#leaving.delete(entry);
    this.#due.delete(entry.slot);
    this.#bySlot[entry.slot] = undefined;
    this.#freeSlots.push(entry.slot);
  }

  #report(entry: Entry): void {
    const { session, reported: last } = entry;
    const problem = entry.trouble ?? (entry.discard && DISCARDS[entry.discard]);
    if (
      last !== undefined &&
      last.state === session.state &&
      last.remoteState === session.remoteState &&
      last.localDiagnostic === session.localDiagnostic &&
      last.remoteDiagnostic === session.remoteDiagnostic &&
      last.remoteDiscriminator === session.remoteDiscriminator &&
      last.transmitInterval === session.transmitInterval &&
      last.detectionTime === session.detectionTime &&
      last.ifindex === entry.ifindex &&
      last.problem === problem
    ) {
      return;
    }
    entry.reported = {
      id: entry.id,
      state: session.state,
      remoteState: session.remoteState,
      localDiagnostic: session.localDiagnostic,
      remoteDiagnostic: session.remoteDiagnostic,
      localDiscriminator: session.localDiscriminator,
      remoteDiscriminator: session.remoteDiscriminator,
      transmitInterval: session.transmitInterval,
      detectionTime: session.detectionTime,
      ifindex: entry.ifindex,
      interface: entry.ifindex === 0 ? undefined : this.#options.transport.interfaceName(entry.ifindex),
      problem,
    };
    this.#options.onReport(entry.reported);
  }

  /** §6.8.1: unique, not zero, and random, so that it cannot be guessed. */
  #newDiscriminator(): number {
    for (;;) {
      const value = Math.floor(this.#options.random() * UINT32);
      if (value !== 0 && !this.#byDiscriminator.has(value)) return value;
    }
  }
}

/** To one remote address: what one path leaves open the other may say. */
function mayBeSamePath(a: SessionPath, b: SessionPath): boolean {
  if (pathKey(a) !== pathKey(b)) return false;
  if (a.local !== undefined && b.local !== undefined && !bytesEqual(a.local, b.local)) return false;
  return mayBeSame(a.interface, b.interface);
}
