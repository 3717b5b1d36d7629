// A RIB on a clock and a scheduler that move only when told, peers whose sinks decode what they are sent, and
// short ways to say prefixes, attributes and options.

import {
  type AttributeValues,
  decodeAttributes,
  encodeAttributes,
} from '../../src/bgp/wire/attribute-values.ts';
import { type Family, IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { NlriBatch } from '../../src/bgp/wire/nlri-batch.ts';
import { UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import type { Clock, Timer } from '../../src/lib/clock.ts';
import { formatAddress, parseAddress, parsePrefix, quadToUint } from '../../src/lib/ip.ts';
import { Scheduler } from '../../src/lib/scheduler.ts';
import { announce, withdraw } from '../../src/rib/adj-rib-in.ts';
import type { DecisionOptions } from '../../src/rib/decision.ts';
import type { ExportOptions } from '../../src/rib/export-options.ts';
import type { ExportSink } from '../../src/rib/lane.ts';
import { MAIN_DOMAIN, type NextHopLead } from '../../src/rib/next-hops.ts';
import { Rib } from '../../src/rib/rib.ts';
import type { ImportOptions, RibPeer, RibPeerIdentity } from '../../src/rib/rib-peer.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { sessionContext } from '../support/wire.ts';

export const OWN_AS = 65000;
export const OWN_ID = 0x0a0000fe;

export const DECISION: DecisionOptions = {
  alwaysCompareMed: false,
  preferOldest: false,
  multipathRelax: false,
  ignoreAsPathLength: false,
  ignoreIgpMetric: false,
  ignoreRouterId: false,
  aigp: false,
  multipathLimit: 1,
};

export function importOptions(overrides: Partial<ImportOptions> = {}): ImportOptions {
  return {
    ownAses: Uint32Array.of(OWN_AS),
    allowOwnAs: 0,
    enforceFirstAs: false,
    peerAs: 65001,
    role: undefined,
    gracefulShutdown: true,
    draining: false,
    ownAddresses: [],
    clusterId: OWN_ID,
    policy: 'accept',
    ...overrides,
  };
}

export function exportOptions(overrides: Partial<ExportOptions> = {}): ExportOptions {
  return {
    family: IPV4_UNICAST,
    peerType: 'external',
    policy: 'accept',
    localAs: OWN_AS,
    overrideAs: 0,
    removePrivateAs: false,
    client: false,
    clusterId: OWN_ID,
    shunnedCluster: 0,
    clientToClient: true,
    routeServerClient: false,
    nextHop: 'auto',
    ownNextHop: octets('10.0.0.254'),
    defaultLocalPref: 100,
    renewsOwn: false,
    sendsOwnMed: true,
    role: undefined,
    aigp: false,
    sendCommunities: true,
    draining: false,
    staleRoutes: 'withhold',
    as4: true,
    addPath: 'none',
    messageLimit: 4096,
    extendedNextHop: false,
    ...overrides,
  };
}

export function identity(overrides: Partial<RibPeerIdentity> = {}): RibPeerIdentity {
  return {
    name: 'peer',
    source: 'external',
    routerId: 1,
    address: octets('192.0.2.1'),
    client: false,
    zone: undefined,
    ...overrides,
  };
}

/** Octets of an address. */
export function octets(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address.bytes;
}

export function quad(text: string): number {
  return quadToUint(octets(text));
}

/** Prefixes, each `10.0.0.0/8` or `10.0.0.0/8#7` with a path identifier. */
export function batchOf(family: Family, prefixes: readonly string[]): NlriBatch {
  const batch = new NlriBatch(family, Math.max(1, prefixes.length));
  for (const text of prefixes) {
    const [prefixText = '', pathId = '0'] = text.split('#');
    const prefix = parsePrefix(prefixText);
    if (prefix === undefined) throw new Error(`no prefix: ${text}`);
    const view = new DataView(prefix.bytes.buffer);
    for (let i = 0; i < family.words; i++) {
      batch.words[batch.count * family.words + i] = view.getInt32(i * 4);
    }
    batch.lengths[batch.count] = prefix.length;
    batch.pathIds[batch.count] = Number(pathId);
    batch.count++;
  }
  return batch;
}

/** A simulated clock whose every reading may take time, so that slices end in the middle of work. */
export class TickingClock implements Clock {
  readonly #sim: SimClock;
  readonly #tick: number;
  #ticked = 0;

  constructor(sim: SimClock, tick: number) {
    this.#sim = sim;
    this.#tick = tick;
  }

  now(): number {
    this.#ticked += this.#tick;
    return this.#sim.now() + this.#ticked;
  }

  wallTime(): number {
    return this.#sim.wallTime();
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    return this.#sim.setTimer(delayMs, fn);
  }
}

export interface LabOptions {
  readonly decision?: Partial<DecisionOptions>;
  readonly exportChunk?: number;
  /** Milliseconds of a slice; 10 unless given. */
  readonly sliceMs?: number;
  /** Milliseconds that a look at the clock takes. */
  readonly tick?: number;
  /** Room in each table at the start; that of a full table unless given. */
  readonly rows?: number;
}

export class RibLab {
  readonly sim = new SimClock();
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly rib: Rib;
  readonly #turns: (() => void)[] = [];

  constructor(options: LabOptions = {}) {
    this.clock = new TickingClock(this.sim, options.tick ?? 0);
    this.scheduler = new Scheduler(this.clock, {
      sliceMs: options.sliceMs ?? 10,
      defer: (fn) => this.#turns.push(fn),
    });
    this.rib = new Rib(
      {
        own: { routerId: OWN_ID, clusterIds: [OWN_ID] },
        decision: { ...DECISION, ...options.decision },
        defaultLocalPref: 100,
        exportChunk: options.exportChunk ?? 8192,
        // Few, so that tables grow, and that a thousand labs cost little.
        rows: options.rows ?? 16,
      },
      { clock: this.clock, scheduler: this.scheduler },
    );
  }

  /** Runs at most `limit` rounds of the scheduler; returns how many there were. */
  turns(limit: number): number {
    for (let i = 0; i < limit; i++) {
      const turn = this.#turns.shift();
      if (turn === undefined) return i;
      turn();
    }
    return limit;
  }

  /** Runs until nobody asks for a turn. */
  settle(): void {
    const limit = 100_000;
    if (this.turns(limit) === limit) throw new Error('the stages never come to rest');
  }

  /** Lets time pass, with all the turns that timers ask for. */
  advance(ms: number): void {
    this.settle();
    this.sim.advance(ms);
    this.settle();
  }

  announce(
    peer: RibPeer,
    prefixes: readonly string[],
    values: Partial<AttributeValues>,
    nextHop = '192.0.2.1',
    family: Family = IPV4_UNICAST,
    lead: NextHopLead = 'global',
    fallback?: Uint8Array,
  ): void {
    const { attrs, nextHops, checks } = this.rib;
    const wire = octets(nextHop);
    const hop = nextHops.intern(wire, wire.length, undefined, MAIN_DOMAIN, lead, fallback);
    const bytes = encodeAttributes(values);
    const attrIn = attrs.intern(bytes, 0, bytes.length, hop);
    const result = checks.evaluate(peer, attrIn);
    const now = Math.floor(this.sim.wallTime() / 1000);
    announce(this.rib.homeOf(peer, family.id), peer, batchOf(family, prefixes), attrIn, result, now);
    if (result.attrPost !== 0) attrs.release(result.attrPost);
    attrs.release(attrIn);
    nextHops.release(hop);
  }

  withdraw(peer: RibPeer, prefixes: readonly string[], family: Family = IPV4_UNICAST): void {
    withdraw(this.rib.homeOf(peer, family.id), peer, batchOf(family, prefixes));
  }

  join(peer: RibPeer, options: ExportOptions): FakeSink {
    const sink = new FakeSink(options);
    const groups = this.rib.groups[peer.home[options.family.id]!]!;
    groups.join(options, { peer, sink });
    sink.lagging = () => groups.groupOf(peer.id)?.lagging().includes(peer) ?? false;
    return sink;
  }
}

/** A route as a receiver knows it: next hop and attributes, as text. */
export function routeText(nextHop: string, attributes: Partial<AttributeValues>): string {
  const bytes = encodeAttributes(attributes);
  return `${nextHop} ${JSON.stringify(decodeAttributes(bytes))}`;
}

/** A receiver of messages: decodes them into a table, and notes what a neat sender would not do. */
export class FakeSink implements ExportSink {
  congested = false;
  /** `prefix` or `prefix#pathId` -> routeText */
  readonly table = new Map<string, string>();
  endOfRibs = 0;
  messages = 0;
  octets = 0;
  /** Other messages than UPDATE, with the number of UPDATEs before them. */
  readonly others: { type: number; subtype: number; after: number }[] = [];
  /** Routes in the order in which they came: `+prefix`, `-prefix`, `EoR`. */
  readonly log: string[] = [];
  /** Faults of the sender. */
  readonly untidy: string[] = [];
  /** Whether the member is out of its group's pace just now. */
  lagging: () => boolean = () => false;
  readonly #decoder: UpdateDecoder;

  constructor(options: ExportOptions) {
    const { family } = options;
    const all = 1 << family.id;
    this.#decoder = new UpdateDecoder(
      sessionContext({
        peerType: options.peerType === 'internal' ? 'internal' : 'external',
        families: [family],
        as4: options.as4,
        addPathReceive: options.addPath === 'none' ? 0 : all,
        extendedNextHop: options.extendedNextHop ? all : 0,
      }),
      {
        aigp: options.aigp,
        acceptAsSets: true,
        confederationPeer: options.peerType === 'confederation',
      },
    );
  }

  send(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) {
      this.octets += chunk.length;
      for (let at = 0; at < chunk.length; ) {
        const end = at + ((chunk[at + 16]! << 8) | chunk[at + 17]!);
        if (end > chunk.length) throw new Error('a message is cut in two');
        this.#message(chunk, at, end);
        at = end;
      }
    }
    return !this.congested;
  }

  #message(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start + 18] !== 2) {
      this.others.push({ type: bytes[start + 18]!, subtype: bytes[start + 21]!, after: this.messages });
      return;
    }
    this.messages++;
    const update = this.#decoder.decode(bytes, start, end);
    if (update.issues.length > 0 || update.treatAsWithdraw) throw new Error('an UPDATE with faults');
    if (update.endOfRib !== undefined) {
      this.endOfRibs++;
      this.log.push('EoR');
    }
    const inSync = !this.lagging();
    for (const batch of update.withdrawn) {
      for (const key of keysOf(batch)) {
        this.log.push(`-${key}`);
        if (!this.table.delete(key) && inSync) this.untidy.push(`withdrawal of ${key}, which it never had`);
      }
    }
    for (const batch of update.announced) {
      const hop = formatAddress(batch.nextHop.subarray(0, Math.min(16, batch.nextHopLength)));
      const values = decodeAttributes(update.attributes, 0, update.attributesLength);
      const text = `${hop} ${JSON.stringify(values)}`;
      for (const key of keysOf(batch)) {
        this.log.push(`+${key}`);
        if (this.table.get(key) === text && inSync) this.untidy.push(`${key} again, unchanged`);
        this.table.set(key, text);
      }
    }
  }
}

function keysOf(batch: NlriBatch): string[] {
  const keys: string[] = [];
  const { words } = batch.family;
  for (let i = 0; i < batch.count; i++) {
    const bytes = new Uint8Array(words * 4);
    const view = new DataView(bytes.buffer);
    for (let word = 0; word < words; word++) view.setInt32(word * 4, batch.words[i * words + word]!);
    const text = `${formatAddress(bytes)}/${batch.lengths[i]}`;
    keys.push(batch.pathIds[i] === 0 ? text : `${text}#${batch.pathIds[i]}`);
  }
  return keys;
}
