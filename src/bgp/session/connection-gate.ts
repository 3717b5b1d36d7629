// Who may connect how often. A connection costs this side a socket, a state machine and an OPEN, and whoever opens
// thousands of them must not be paid that: each source has a bucket of tokens, callers that nobody knows share one for
// being answered, and callers that are no peer before they have sent an OPEN are limited in number and time. The
// sockets are listener.ts's; what is said of refusals is refusal-log.ts's.

import type { Clock, Timer } from '../../lib/clock.ts';
import { formatAddress } from '../../lib/ip.ts';
import type { Logger } from '../../lib/log.ts';
import { RefusalLog } from './refusal-log.ts';
import type { Endpoint } from './transport.ts';

/** unknown: no peer is configured for it; rate: too often; half-open: too many without an OPEN; no-open: none came. */
const REFUSAL_CAUSES = ['unknown', 'rate', 'half-open', 'no-open'] as const;
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

export interface GateLimits {
  /** Connections of one source at once, and for each second after; so many for each peer configured there. */
  readonly source: Rate;
  /** Callers without a peer that are told so; others are closed without a word. */
  readonly answers: Rate;
  /** Of these, how many at a time may take their time to go. */
  readonly lingering: number;
  /** Callers at a time that are no peer before their OPEN has come, and milliseconds that it may take. */
  readonly halfOpen: number;
  readonly openWaitMs: number;
}

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A peer retries every few seconds; a restart, a collision and a person at a keyboard make some more. */
export const GATE_LIMITS: GateLimits = {
  source: { burst: 32, perSecond: 4 },
  answers: { burst: 32, perSecond: 8 },
  lingering: 64,
  halfOpen: 256,
  openWaitMs: 30_000,
};

/** Sources that are remembered; a source that was forgotten begins with a full bucket. */
const MAX_SOURCES = 4096;
/** Who has a /64 has all of its addresses. */
const IPV6_SOURCE_OCTETS = 8;
const MS_PER_SECOND = 1000;

export interface ConnectionCounters {
  accepted: number;
  readonly refused: Record<RefusalCause, number>;
}

/** Who may be a peer; a dynamic one's Peer is one. */
export interface Caller {
  /** Undefined before its OPEN. */
  readonly remoteOpen: unknown;
}

interface Bucket {
  tokens: number;
  /** Clock.now() */
  filledAt: number;
}

export class ConnectionGate {
  readonly counters: ConnectionCounters = {
    accepted: 0,
    refused: { unknown: 0, rate: 0, 'half-open': 0, 'no-open': 0 },
  };
  readonly #clock: Clock;
  readonly #limits: GateLimits;
  readonly #log: RefusalLog;
  readonly #sources = new Map<string, Bucket>();
  readonly #answers: Bucket;
  readonly #waiting = new Map<Caller, Timer>();
  #lingering = 0;

  constructor(clock: Clock, log: Logger, limits: GateLimits = GATE_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
    this.#log = new RefusalLog(clock, log);
    this.#answers = { tokens: limits.answers.burst, filledAt: clock.now() };
  }

  /** A connection is there and nothing was made of it yet; `peers` are configured for its address. */
  admits(remote: Endpoint, peers: number): boolean {
    if (this.#take(this.#bucketOf(remote, peers), this.#limits.source, Math.max(1, peers))) return true;
    this.refuse('rate', remote, 'it connects too often');
    return false;
  }

  /** Whether a caller that nobody knows is told so; call the function that comes back when it has gone. */
  answers(): (() => void) | undefined {
    const { lingering, answers } = this.#limits;
    if (this.#lingering >= lingering || !this.#take(this.#answers, answers, 1)) return undefined;
    this.#lingering++;
    return () => this.#lingering--;
  }

  /** Callers that are no peer yet. */
  get halfOpen(): number {
    let count = 0;
    for (const { remoteOpen } of this.#waiting.keys()) if (remoteOpen === undefined) count++;
    return count;
  }

  get halfOpenFull(): boolean {
    return this.halfOpen >= this.#limits.halfOpen;
  }

  /** A caller has come that is no peer before its OPEN: `giveUp` is called where none comes in time. */
  awaitOpen(caller: Caller, giveUp: (seconds: number) => void): void {
    const { openWaitMs } = this.#limits;
    const timer = this.#clock.setTimer(openWaitMs, () => {
      this.#waiting.delete(caller);
      if (caller.remoteOpen === undefined) giveUp(openWaitMs / MS_PER_SECOND);
    });
    this.#waiting.set(caller, timer);
  }

  /** The caller is gone. */
  gone(caller: Caller): void {
    this.#waiting.get(caller)?.cancel();
    this.#waiting.delete(caller);
  }

  refuse(cause: RefusalCause, remote: Endpoint, why: string): void {
    this.counters.refused[cause]++;
    this.#log.note(cause, formatAddress(remote.address, remote.zone), remote.port, why);
  }

  close(): void {
    this.#log.close();
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  #take(bucket: Bucket, { burst, perSecond }: Rate, share: number): boolean {
    const now = this.#clock.now();
    const gained = ((now - bucket.filledAt) / MS_PER_SECOND) * perSecond * share;
    bucket.tokens = Math.min(burst * share, bucket.tokens + gained);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #bucketOf({ address, zone }: Endpoint, peers: number): Bucket {
    const isWide = address.length > IPV6_SOURCE_OCTETS && peers === 0;
    const key = isWide
      ? Buffer.from(address.subarray(0, IPV6_SOURCE_OCTETS)).toString('hex')
      : formatAddress(address, zone);
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    if (this.#sources.size >= MAX_SOURCES) this.#forget();
    const fresh: Bucket = {
      tokens: this.#limits.source.burst * Math.max(1, peers),
      filledAt: this.#clock.now(),
    };
    this.#sources.set(key, fresh);
    return fresh;
  }

  /** Those whose buckets are full by now are as good as new; where there are none, the oldest go. */
  #forget(): void {
    const { burst, perSecond } = this.#limits.source;
    const fullAfterMs = (burst / perSecond) * MS_PER_SECOND;
    const now = this.#clock.now();
    for (const [key, { filledAt }] of this.#sources) {
      if (now - filledAt >= fullAfterMs) this.#sources.delete(key);
    }
    for (const key of this.#sources.keys()) {
      if (this.#sources.size < MAX_SOURCES) return;
      this.#sources.delete(key);
    }
  }
}
