// Runs a plan: brings every session up, then phase by phase sends what is prepared and watches the sinks until each has
// what it expects. Time is taken from the first octet sent to the read that completed the last sink, or to the count
// that found the daemon's kernel complete, if the plan asks for that.

import type { Clock, Timer } from '../../src/lib/clock.ts';
import { parseQuad } from '../../src/lib/ip.ts';
import { AttributeHasher } from './attribute-hash.ts';
import { KernelTable } from './kernel-table.ts';
import {
  isComplete,
  keptNextHops,
  type Member,
  missingRoutes,
  rangeOf,
  streamsOf,
  totalsOf,
} from './members.ts';
import type { KernelResult, LoadEvent, LoadPlan, PhaseName, PhaseResult, SessionPlan } from './plan.ts';
import type { RouteTable } from './route-table.ts';
import { LoadSession, sharedReadBuffer } from './session.ts';
import { appendSingles, makeSingles, type Singles } from './singles.ts';
import { Sink } from './sink.ts';
import type { RouteRange } from './stream.ts';
import { Expectation, UpdateReader } from './update-reader.ts';
import { warmUp } from './warm-up.ts';

const MICROS = 1e6;
/** Some daemons listen with a short queue; whom it has no room for would try again after seconds, then minutes. */
const START_BURST = 4;
const START_PAUSE_MS = 4;
/** Who comes back is refused for as long as the daemon thinks it should wait. */
const RETURN_RETRY_MS = 100;
/** Who has sent nothing for so long in the middle of a phase will not send the rest, either. */
const STALLED_MS = 45_000;

export class Load {
  readonly #plan: LoadPlan;
  readonly #clock: Clock;
  readonly #emit: (event: LoadEvent) => void;
  readonly #table: RouteTable;
  readonly #members: Member[] = [];
  readonly #kernel: KernelTable | undefined;
  #kernelBefore = 0;
  readonly #singles: Singles;
  readonly #ranges: readonly (RouteRange | undefined)[];
  /** Of the member that flaps. */
  readonly #flapping: RouteRange | undefined;
  readonly #expectation: Expectation;
  readonly #reader: UpdateReader;
  readonly #readBuffer = sharedReadBuffer();
  #failure: string | undefined;
  #firstEstablishedAt: number | undefined;
  #receivedOctets = 0;
  #lastUpdateAt = 0;
  #sawUpdate = false;
  #lingered = false;
  /** Set while something is waited for; called after each read and each change of a session. */
  #check: () => void = () => {};

  constructor(plan: LoadPlan, table: RouteTable, clock: Clock, emit: (event: LoadEvent) => void) {
    this.#plan = plan;
    this.#clock = clock;
    this.#emit = emit;
    this.#table = table;
    this.#kernel = plan.kernelTable === undefined ? undefined : new KernelTable(plan.kernelTable, clock);
    const singles = appendSingles(plan, table);
    this.#ranges = plan.sessions.map((session) => rangeOf(session, singles.from));
    this.#flapping = this.#ranges[plan.sessions.findIndex(({ role }) => role === 'flapping')];
    const ownAses = [...new Set([plan.target.asn, ...plan.sessions.map((session) => session.asn)])];
    const nextHops = plan.checkNextHop ? this.#nextHops(singles.from) : undefined;
    this.#expectation = new Expectation(table, new AttributeHasher(ownAses), nextHops);
    const receivers = plan.sessions.filter((session) => session.expect !== 'none').length;
    this.#reader = new UpdateReader(this.#expectation, { repeats: receivers > 1 });
    this.#singles = makeSingles(plan, clock, singles, this.#expectation, (session, message) => {
      this.#members[plan.sessions.indexOf(session)]!.session.send(message, () => {});
    });
    this.#prepare();
  }

  /** The next hop that each route is announced with. */
  #nextHops(singles: number): Uint32Array {
    return keptNextHops(this.#plan.sessions, this.#ranges, { count: this.#table.count, singles });
  }

  /** Encodes all streams and makes sessions and sinks. */
  #prepare(): void {
    const plan = this.#plan;
    const announced = this.#ranges.filter((range) => range !== undefined);
    const to = Math.max(0, ...announced.map((range) => range.to)) - refusedOf(plan);
    const from = Math.min(to, ...announced.map((range) => range.from));
    let octets = 0;
    plan.sessions.forEach((session, i) => {
      const range = this.#ranges[i];
      const streams = range === undefined ? undefined : streamsOf(plan, this.#table, session, range);
      if (streams !== undefined) octets += streams.announce.length;
      const singles = { from: this.#singles.from, observer: this.#singles.observer };
      const sink =
        session.expect === 'none'
          ? undefined
          : new Sink(this.#table.count, {
              from,
              to,
              own: range,
              singles: { from: singles.from, observer: singles.observer() },
            });
      this.#members.push({
        plan: session,
        range,
        sink,
        streams,
        complete: false,
        session: this.#session(session, sink, (reason) => {
          // The daemon may well get tired of who reads nothing.
          if (session.stall === true) return;
          this.#failure ??= `session ${session.localAddress}: ${reason}`;
          this.#check();
        }),
      });
    });
    const streams = this.#members.flatMap((member) => member.streams?.announce ?? []);
    warmUp(this.#reader, this.#table.count, streams);
    const attributeSets = this.#table.pool.count;
    this.#emit({ event: 'prepared', routes: this.#singles.from, attributeSets, octets });
  }

  #session(session: SessionPlan, sink: Sink | undefined, onDown: (reason: string) => void): LoadSession {
    const { target, holdTime, connectRetryMs } = this.#plan;
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
        ...(connectRetryMs === undefined ? {} : { connectRetryMs }),
      },
      {
        onEstablished: () => {
          this.#firstEstablishedAt ??= this.#clock.wallTime();
          this.#check();
        },
        onUpdate: (view, start, end) => {
          this.#sawUpdate = true;
          sink?.update(this.#reader.read(view, start, end));
        },
        onReadDone: (octets) => {
          this.#receivedOctets += octets;
          if (!this.#sawUpdate) return;
          this.#sawUpdate = false;
          this.#lastUpdateAt = this.#clock.now();
          this.#check();
        },
        onDown,
      },
      this.#clock,
      this.#readBuffer,
    );
  }

  /** Resolves when every session is Established; rejects with the first session that failed, or at the deadline. */
  async establish(): Promise<void> {
    const start = this.#clock.now();
    const present = this.#members.filter(({ plan }) => plan.role !== 'joiner');
    for (const [i, { session }] of present.entries()) {
      session.start();
      if (i % START_BURST === START_BURST - 1) await this.#sleep(START_PAUSE_MS);
    }
    await this.#until(() => present.every(({ session }) => session.established));
    const seconds = (this.#clock.now() - start) / 1000;
    const firstAt = this.#firstEstablishedAt ?? this.#clock.wallTime();
    this.#emit({ event: 'established', sessions: present.length, seconds, firstAt });
  }

  /** Runs one phase to its end; an incomplete one is a result, not an error, unless a session went down. */
  async run(phase: PhaseName): Promise<void> {
    const before = totalsOf(this.#members, phase, this.#flapping);
    const receivedBefore = this.#receivedOctets;
    for (const member of this.#members) member.complete = false;
    this.#kernelBefore = (await this.#kernel?.count()) ?? 0;
    // Who waits for its daemon to be let in again does not count that as work.
    if (phase === 'up') await this.#comeBack();
    const cpuBefore = process.cpuUsage();
    const start = this.#clock.now();
    this.#lastUpdateAt = start;
    const sending = this.#send(phase);
    const arrived = await this.#until(
      () => this.#isOver(phase),
      phase === 'linger' ? undefined : STALLED_MS,
    ).then(
      () => true,
      (error: unknown) => {
        if (this.#failure !== undefined) throw error;
        return false; // the result tells what is missing
      },
    );
    const tableAt = phase === 'linger' ? this.#clock.now() : this.#lastUpdateAt;
    await this.#stopSingles();
    const kernelAt = arrived ? await this.#kernelReaches(phase, start) : undefined;
    const complete = arrived && (this.#kernel === undefined || kernelAt !== undefined);
    const end = Math.max(tableAt, kernelAt ?? 0);
    const cpu = process.cpuUsage(cpuBefore);
    this.#emit({ event: 'arrived', phase });
    await this.#quiet();
    const kernel = await this.#kernelResult(phase, start, kernelAt);
    const after = totalsOf(this.#members, phase, this.#flapping);
    const { probes, churn } = this.#singles;
    const result: PhaseResult = {
      phase,
      complete,
      seconds: (end - start) / 1000,
      sentSeconds: sending.at === 0 ? 0 : (sending.at - start) / 1000,
      expected: after.expected,
      present: after.present,
      wrong: after.wrong + (probes?.wrong ?? 0),
      announced: after.announced - before.announced,
      withdrawn: after.withdrawn - before.withdrawn,
      duplicates: after.duplicates - before.duplicates,
      echoed: after.echoed - before.echoed,
      unexpected: after.unexpected - before.unexpected,
      updates: after.updates - before.updates,
      receivedOctets: this.#receivedOctets - receivedBefore,
      sentOctets: sending.octets,
      loaderCpu: (cpu.user + cpu.system) / MICROS,
      longestSilence: Math.max(...this.#members.map(({ session }) => session.longestSilence)) / 1000,
      expired: this.#members.filter(({ session }) => session.expired).length,
      missing: phase === 'withdraw' || phase === 'down' ? [] : missingRoutes(this.#members, this.#table),
      ...(kernel === undefined ? {} : { kernel }),
      ...(phase.startsWith('probe') && probes !== undefined ? { probes: probes.result() } : {}),
      ...((phase === 'churn' || phase === 'join') && churn !== undefined ? { churn: churn.result() } : {}),
    };
    this.#emit({ event: 'phase', result });
  }

  /** Starts what the phase is about. The result fills up: the time when the last octet of a stream was taken. */
  #send(phase: PhaseName): { at: number; octets: number } {
    const sending = { at: 0, octets: 0 };
    for (const { session, streams, plan } of this.#members) {
      const stream = streams?.[phase === 'withdraw' ? 'withdraw' : 'announce'];
      if (stream === undefined || !isSent(phase, plan)) continue;
      sending.octets += stream.length;
      session.send(stream, () => {
        sending.at = this.#clock.now();
      });
    }
    const { probes, churn } = this.#singles;
    if (phase === 'probe') probes?.start('after-arrival');
    else if (phase === 'probe-under-load') probes?.start('fixed');
    else if (phase === 'churn') churn?.start();
    else if (phase === 'join') {
      churn?.start();
      for (const { session, plan } of this.#members) if (plan.role === 'joiner') session.start();
    } else if (phase === 'down') {
      for (const { session, plan } of this.#members) if (plan.role === 'flapping') session.abort();
    } else if (phase === 'linger') {
      this.#clock.setTimer((this.#plan.lingerSeconds ?? 0) * 1000, () => {
        this.#lingered = true;
        this.#check();
      });
    }
    return sending;
  }

  #isOver(phase: PhaseName): boolean {
    const { probes, churn } = this.#singles;
    if (phase === 'linger') return this.#lingered;
    if (phase === 'churn') return churn === undefined || churn.done;
    const probing = phase === 'probe' || phase === 'probe-under-load';
    if (phase !== 'probe' && !this.#members.every((member) => isComplete(member, phase, this.#flapping)))
      return false;
    if (!probing || probes === undefined) return true;
    // Nothing is under load any more.
    if (phase === 'probe-under-load') probes.stop();
    return probes.done;
  }

  /** Single routes under way may still arrive; how long the last ones take is in their delays. */
  async #stopSingles(): Promise<void> {
    const { probes, churn } = this.#singles;
    probes?.stop();
    churn?.stop();
    if (churn !== undefined) await this.#until(() => churn.done).catch(() => undefined);
  }

  /** Brings the member that went down up again, with a fresh session each time it is refused. */
  async #comeBack(): Promise<void> {
    const member = this.#members.find(({ plan }) => plan.role === 'flapping');
    if (member === undefined) throw new Error('nobody went down');
    member.sink?.reset();
    const connect = (): void => {
      member.session = this.#session(member.plan, member.sink, (reason) => {
        if (member.session.established) {
          this.#failure ??= `session ${member.plan.localAddress}: ${reason}`;
          this.#check();
        } else this.#clock.setTimer(RETURN_RETRY_MS, connect);
      });
      member.session.start();
    };
    connect();
    await this.#until(() => member.session.established);
  }

  async #kernelReaches(phase: PhaseName, start: number): Promise<number | undefined> {
    if (this.#kernel === undefined) return undefined;
    const routes = this.#singles.from;
    const more = phase === 'withdraw' ? -routes : routes;
    const deadline = start + this.#plan.timeoutSeconds * 1000;
    return this.#kernel.reaches(this.#plan.kernelTarget ?? this.#kernelBefore + more, deadline);
  }

  async #kernelResult(
    phase: PhaseName,
    start: number,
    completeAt: number | undefined,
  ): Promise<KernelResult | undefined> {
    if (this.#kernel === undefined) return undefined;
    const difference = await this.#kernel.compare(this.#expectation, this.#nextHops(this.#singles.from));
    const present = this.#singles.from - difference.missing;
    const seconds = ((completeAt ?? this.#clock.now()) - start) / 1000;
    return phase === 'withdraw'
      ? { seconds, missing: 0, wrong: 0, unexpected: present + difference.unexpected }
      : { seconds, ...difference };
  }

  close(): void {
    for (const { session } of this.#members) session.close();
  }

  /** Resolves once `condition` holds; rejects when a session is down, the time is over, or nothing has come for `stalledMs`. */
  #until(condition: () => boolean, stalledMs = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = this.#clock.now() + this.#plan.timeoutSeconds * 1000;
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
      const wait = (): void => {
        const now = this.#clock.now();
        const left = Math.min(end, this.#lastUpdateAt + stalledMs) - now;
        if (left > 0) deadline = this.#clock.setTimer(left, wait);
        else if (now >= end)
          finish(() => reject(new Error(`not reached within ${this.#plan.timeoutSeconds} s`)));
        else finish(() => reject(new Error(`nothing came for ${stalledMs / 1000} s`)));
      };
      this.#check = check;
      wait();
      check();
    });
  }

  /** Resolves when nothing has come for the settling time. */
  async #quiet(): Promise<void> {
    for (;;) {
      const left = this.#lastUpdateAt + this.#plan.settleMs - this.#clock.now();
      if (left <= 0) return;
      await this.#sleep(left);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(ms, resolve));
  }
}

/** Routes at the table's end that a filter must keep from everybody. */
function refusedOf({ table }: LoadPlan): number {
  return table.kind === 'full' ? (table.refused ?? 0) : 0;
}

/** Whether a member's stream belongs to a phase. */
function isSent(phase: PhaseName, { role }: SessionPlan): boolean {
  if (phase === 'up') return role === 'flapping';
  return phase === 'announce' || phase === 'withdraw' || phase === 'probe-under-load';
}
