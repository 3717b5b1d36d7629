// Runs a plan: brings every session up, then phase by phase sends the prepared streams and watches the sinks until each
// has what it expects. Time is taken from the first octet sent to the read that completed the last sink, or to the count
// that found the daemon's kernel complete, if the plan asks for that.

import type { Clock, Timer } from '../../src/lib/clock.ts';
import { parseAddress, parseQuad, quadToUint } from '../../src/lib/ip.ts';
import { AttributeHasher } from './attribute-hash.ts';
import { KernelTable } from './kernel-table.ts';
import type {
  KernelResult,
  LoadEvent,
  LoadPlan,
  PhaseName,
  PhaseResult,
  ProbePlan,
  SessionPlan,
} from './plan.ts';
import { Probes } from './probes.ts';
import { prefixText } from './replay.ts';
import type { RouteTable } from './route-table.ts';
import { LoadSession, sharedReadBuffer } from './session.ts';
import { Expectation, Sink } from './sink.ts';
import { announceStream, type RouteRange, type SenderIdentity, withdrawStream } from './stream.ts';
import { appendTable, blockTable } from './synthetic.ts';

const MISSING_SHOWN = 5;
const MICROS = 1e6;
/** Some daemons listen with a short queue; whom it has no room for would try again after seconds, then minutes. */
const START_BURST = 4;
const START_PAUSE_MS = 4;

interface Member {
  readonly plan: SessionPlan;
  readonly session: LoadSession;
  readonly range: RouteRange | undefined;
  readonly sink: Sink | undefined;
  readonly streams: Readonly<Record<'announce' | 'withdraw', Uint8Array>> | undefined;
  complete: boolean;
}

export class Load {
  readonly #plan: LoadPlan;
  readonly #clock: Clock;
  readonly #emit: (event: LoadEvent) => void;
  readonly #table: RouteTable;
  /** Routes of the table that are no probes. */
  readonly #routes: number;
  readonly #members: Member[] = [];
  readonly #kernel: KernelTable | undefined;
  #kernelBefore = 0;
  #probes: Probes | undefined;
  readonly #ranges: readonly (RouteRange | undefined)[];
  readonly #expectation: Expectation;
  #failure: string | undefined;
  #receivedOctets = 0;
  #lastUpdateAt = 0;
  #sawUpdate = false;
  /** Set while something is waited for; called after each read and each change of a session. */
  #check: () => void = () => {};

  constructor(plan: LoadPlan, table: RouteTable, clock: Clock, emit: (event: LoadEvent) => void) {
    this.#plan = plan;
    this.#clock = clock;
    this.#emit = emit;
    this.#table = table;
    this.#routes = table.count;
    this.#kernel = plan.kernelTable === undefined ? undefined : new KernelTable(plan.kernelTable, clock);
    this.#ranges = plan.sessions.map((session) => rangeOf(session, this.#routes));
    const singles = blockTable(plan.probes?.count ?? 0);
    appendTable(table, singles);
    const ownAses = [...new Set([plan.target.asn, ...plan.sessions.map((session) => session.asn)])];
    const nextHops = plan.checkNextHop ? this.#nextHops() : undefined;
    this.#expectation = new Expectation(table, new AttributeHasher(ownAses), nextHops);
    this.#prepare();
    if (plan.probes !== undefined) this.#probes = this.#prepareProbes(plan.probes, singles);
  }

  /** The next hop that each route is announced with. */
  #nextHops(): Uint32Array {
    return keptNextHops(this.#plan.sessions, this.#ranges, this.#table.count);
  }

  /** Encodes all streams and makes sessions and sinks. */
  #prepare(): void {
    const plan = this.#plan;
    const announced = this.#ranges.filter((range) => range !== undefined);
    const to = Math.max(0, ...announced.map((range) => range.to));
    const from = Math.min(to, ...announced.map((range) => range.from));
    const probes = {
      from: this.#routes,
      onArrival: (number: number, right: boolean) => this.#probes?.arrived(number, right),
    };
    const readBuffer = sharedReadBuffer();
    let octets = 0;
    plan.sessions.forEach((session, i) => {
      const range = this.#ranges[i];
      const streams = range === undefined ? undefined : this.#streams(session, range);
      if (streams !== undefined) octets += streams.announce.length;
      const sink =
        session.expect === 'all' ? new Sink(this.#expectation, { from, to, own: range, probes }) : undefined;
      this.#members.push({
        plan: session,
        range,
        sink,
        streams,
        complete: false,
        session: this.#session(session, () => this.#members[i]!, readBuffer),
      });
    });
    const attributeSets = this.#table.pool.count;
    this.#emit({ event: 'prepared', routes: this.#routes, attributeSets, octets });
  }

  #prepareProbes(plan: ProbePlan, singles: RouteTable): Probes {
    const member = this.#members.find((each) => each.plan.role === 'probes');
    if (member === undefined) throw new Error('probes without a session that sends them');
    const sender = this.#sender(member.plan);
    const messages = Array.from({ length: singles.count }, (_, i) =>
      announceStream(singles, { from: i, to: i + 1 }, sender),
    );
    return new Probes(messages, plan, this.#clock, (message) => member.session.send(message, () => {}));
  }

  #sender(session: SessionPlan): SenderIdentity {
    return {
      asn: session.asn,
      peerAs: this.#plan.target.asn,
      nextHop4: parseAddress(session.nextHop ?? session.localAddress)!.bytes,
      nextHop6: session.nextHop6 === undefined ? undefined : parseAddress(session.nextHop6)!.bytes,
    };
  }

  #streams(session: SessionPlan, range: RouteRange): Member['streams'] {
    const sender = this.#sender(session);
    return {
      announce: announceStream(this.#table, range, sender),
      withdraw: this.#plan.phases.includes('withdraw')
        ? withdrawStream(this.#table, range)
        : new Uint8Array(0),
    };
  }

  #session(session: SessionPlan, member: () => Member, readBuffer: Buffer): LoadSession {
    const { target, holdTime } = this.#plan;
    return new LoadSession(
      {
        address: target.address,
        port: target.port,
        localAddress: session.localAddress,
        asn: session.asn,
        id: parseQuad(session.id)!,
        holdTime,
        families: [this.#table.family],
        stall: session.stall === true,
      },
      {
        onEstablished: () => this.#check(),
        onUpdate: (view, start, end) => {
          this.#sawUpdate = true;
          member().sink?.update(view, start, end);
        },
        onReadDone: (octets) => {
          this.#receivedOctets += octets;
          if (!this.#sawUpdate) return;
          this.#sawUpdate = false;
          this.#lastUpdateAt = this.#clock.now();
          this.#check();
        },
        onDown: (reason) => {
          // The daemon may well get tired of who reads nothing.
          if (session.stall === true) return;
          this.#failure ??= `session ${session.localAddress}: ${reason}`;
          this.#check();
        },
      },
      this.#clock,
      readBuffer,
    );
  }

  /** Resolves when every session is Established; rejects with the first session that failed, or at the deadline. */
  async establish(): Promise<void> {
    const start = this.#clock.now();
    for (const [i, { session }] of this.#members.entries()) {
      session.start();
      if (i % START_BURST === START_BURST - 1) {
        await new Promise<void>((resolve) => this.#clock.setTimer(START_PAUSE_MS, resolve));
      }
    }
    await this.#until(() => this.#members.every(({ session }) => session.established));
    const seconds = (this.#clock.now() - start) / 1000;
    this.#emit({ event: 'established', sessions: this.#members.length, seconds });
  }

  /** Runs one phase to its end; an incomplete one is a result, not an error, unless a session went down. */
  async run(phase: PhaseName): Promise<void> {
    const before = this.#totals();
    const receivedBefore = this.#receivedOctets;
    const cpuBefore = process.cpuUsage();
    for (const member of this.#members) member.complete = false;
    this.#kernelBefore = (await this.#kernel?.count()) ?? 0;
    let sentAt = 0;
    let sentOctets = 0;
    const start = this.#clock.now();
    this.#lastUpdateAt = start;
    for (const { session, streams } of phase === 'probe' ? [] : this.#members) {
      if (streams === undefined) continue;
      const stream = streams[phase === 'withdraw' ? 'withdraw' : 'announce'];
      sentOctets += stream.length;
      session.send(stream, () => {
        sentAt = this.#clock.now();
      });
    }
    if (phase === 'probe') this.#probes?.start('after-arrival');
    else if (phase === 'probe-under-load') this.#probes?.start('fixed');
    const arrived = await this.#until(() => this.#isOver(phase)).then(
      () => true,
      (error: unknown) => {
        if (this.#failure !== undefined) throw error;
        return false;
      },
    );
    this.#probes?.stop();
    const kernelAt = arrived ? await this.#kernelReaches(phase, start) : undefined;
    const complete = arrived && (this.#kernel === undefined || kernelAt !== undefined);
    const end = Math.max(this.#lastUpdateAt, kernelAt ?? 0);
    const cpu = process.cpuUsage(cpuBefore);
    this.#emit({ event: 'arrived', phase });
    await this.#quiet();
    const kernel = await this.#kernelResult(phase, start, kernelAt);
    const after = this.#totals();
    const result: PhaseResult = {
      phase,
      complete,
      seconds: (end - start) / 1000,
      sentSeconds: sentAt === 0 ? 0 : (sentAt - start) / 1000,
      expected: after.expected,
      present: after.present,
      wrong: after.wrong + (this.#probes?.wrong ?? 0),
      announced: after.announced - before.announced,
      withdrawn: after.withdrawn - before.withdrawn,
      duplicates: after.duplicates - before.duplicates,
      echoed: after.echoed - before.echoed,
      unexpected: after.unexpected - before.unexpected,
      updates: after.updates - before.updates,
      receivedOctets: this.#receivedOctets - receivedBefore,
      sentOctets,
      loaderCpu: (cpu.user + cpu.system) / MICROS,
      missing: phase === 'withdraw' ? [] : this.#missing(),
      ...(kernel === undefined ? {} : { kernel }),
      ...(phase.startsWith('probe') && this.#probes !== undefined ? { probes: this.#probes.result() } : {}),
    };
    this.#emit({ event: 'phase', result });
  }

  #isOver(phase: PhaseName): boolean {
    const probing = phase === 'probe' || phase === 'probe-under-load';
    if (phase !== 'probe' && !this.#members.every((member) => isComplete(member, phase))) return false;
    if (!probing || this.#probes === undefined) return true;
    // Nothing is under load any more.
    if (phase === 'probe-under-load') this.#probes.stop();
    return this.#probes.done;
  }

  async #kernelReaches(phase: PhaseName, start: number): Promise<number | undefined> {
    if (this.#kernel === undefined) return undefined;
    const more = phase === 'withdraw' ? -this.#routes : this.#routes;
    const deadline = start + this.#plan.timeoutSeconds * 1000;
    return this.#kernel.reaches(this.#kernelBefore + more, deadline);
  }

  async #kernelResult(
    phase: PhaseName,
    start: number,
    completeAt: number | undefined,
  ): Promise<KernelResult | undefined> {
    if (this.#kernel === undefined) return undefined;
    const difference = await this.#kernel.compare(this.#expectation, this.#nextHops());
    const present = this.#routes - difference.missing;
    const seconds = ((completeAt ?? this.#clock.now()) - start) / 1000;
    return phase === 'withdraw'
      ? { seconds, missing: 0, wrong: 0, unexpected: present + difference.unexpected }
      : { seconds, ...difference };
  }

  close(): void {
    for (const { session } of this.#members) session.close();
  }

  #totals(): Omit<Sink['counters'], never> & { expected: number; present: number; wrong: number } {
    const sum = {
      expected: 0,
      present: 0,
      wrong: 0,
      updates: 0,
      announced: 0,
      withdrawn: 0,
      duplicates: 0,
      echoed: 0,
      unexpected: 0,
    };
    for (const { sink } of this.#members) {
      if (sink === undefined) continue;
      sum.expected += sink.expectedCount;
      sum.present += sink.present;
      sum.wrong += sink.wrong;
      sum.updates += sink.counters.updates;
      sum.announced += sink.counters.announced;
      sum.withdrawn += sink.counters.withdrawn;
      sum.duplicates += sink.counters.duplicates;
      sum.echoed += sink.counters.echoed;
      sum.unexpected += sink.counters.unexpected;
    }
    return sum;
  }

  #missing(): string[] {
    const sink = this.#members.find(
      (member) => member.sink !== undefined && member.sink.present < member.sink.expectedCount,
    )?.sink;
    return sink === undefined
      ? []
      : sink.missing(MISSING_SHOWN).map((index) => prefixText(this.#table, index));
  }

  /** Resolves once `condition` holds; rejects when a session is down or the time is over. */
  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let deadline: Timer | undefined;
      const finish = (settle: () => void): void => {
        deadline?.cancel();
        this.#check = () => {};
        settle();
      };
      const check = (): void => {
        if (this.#failure !== undefined) finish(() => reject(new Error(this.#failure)));
        else if (condition()) finish(resolve);
      };
      deadline = this.#clock.setTimer(this.#plan.timeoutSeconds * 1000, () => {
        const { timeoutSeconds } = this.#plan;
        finish(() => reject(new Error(`not reached within ${timeoutSeconds} s`)));
      });
      this.#check = check;
      check();
    });
  }

  /** Resolves when nothing has come for the settling time. */
  async #quiet(): Promise<void> {
    for (;;) {
      const left = this.#lastUpdateAt + this.#plan.settleMs - this.#clock.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => this.#clock.setTimer(left, resolve));
    }
  }
}

/** Keeps the answer: a sink that was complete once is not asked again at every read of the others. */
function isComplete(member: Member, phase: PhaseName): boolean {
  if (member.complete || member.sink === undefined) return true;
  const { sink } = member;
  member.complete = sink.present === (phase === 'withdraw' ? 0 : sink.expectedCount);
  return member.complete;
}

function rangeOf(session: SessionPlan, count: number): RouteRange | undefined {
  if (session.send === undefined) return undefined;
  return { from: session.send.from, to: session.send.to < 0 ? count : session.send.to };
}

function keptNextHops(
  sessions: readonly SessionPlan[],
  ranges: readonly (RouteRange | undefined)[],
  count: number,
): Uint32Array {
  const out = new Uint32Array(count);
  sessions.forEach((session, i) => {
    const range = ranges[i];
    if (range === undefined) return;
    out.fill(quadToUint(parseAddress(session.nextHop ?? session.localAddress)!.bytes), range.from, range.to);
  });
  return out;
}
