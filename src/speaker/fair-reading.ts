// How much is read, and from whom. Sockets deliver as long as there is something to read; the other stages want their
// share of the turn. And where several peers have much to say, the one that has taken more of the recent time than the
// others waits for them: a peer that floods pays with its own delay, and a table that somebody sends at last comes as
// if it were alone.

import type { Session } from '../bgp/session/events.ts';
import type { Clock } from '../lib/clock.ts';

/** Reading from a peer stops for the rest of the turn after so many milliseconds of updates. */
const READ_BUDGET_MS = 5;
/**
 * Prefixes that wait for their decision or advertisement: above this nothing more is read, until half of them are
 * done. A route that comes while somebody sends a full table waits behind so many and not behind the table.
 */
const BACKLOG_LIMIT = 1 << 14;
/**
 * So many milliseconds more a peer may have had than another before it waits: peers that send the same table at once
 * stay side by side, and each prefix is decided once for all of them.
 */
const LEAD_MS = 400;
/** What a peer has had counts half after so long. */
const HALF_LIFE_MS = 10_000;
/** Nobody waits longer for the others than this, and then has a turn. */
const PATIENCE_MS = 50;
/** Prefixes, and UPDATEs, between two looks at the clock: a look at each UPDATE costs more than what it tells. */
const WORK_PER_LOOK = 64;
/** So many octets of a message are as much work as a prefix. */
const OCTETS_PER_PREFIX = 1 << 8;
/** Who takes less of a turn has little to say, and is waited for by nobody. */
const MUCH_MS = 1;

/** What can stop and go on reading. */
export type Readable = Pick<Session, 'pauseReading' | 'resumeReading'>;

/** What a peer has had. */
interface Account {
  readonly session: Readable;
  /** Milliseconds, as much as still counts at `countedAt`. */
  spent: number;
  countedAt: number;
  /** Milliseconds of this turn. */
  turn: number;
  pausedAt: number | undefined;
}

export class FairReading {
  readonly #clock: Clock;
  readonly #defer: (fn: () => void) => void;
  readonly #backlog: () => number;
  readonly #accounts = new WeakMap<Readable, Account>();
  /** Those that had a part of this turn. */
  readonly #active = new Set<Account>();
  readonly #paused = new Set<Account>();
  #current: Account | undefined;
  #turnStart: number | undefined;
  #isDeferred = false;
  #lastAt = 0;
  /** Prefixes and UPDATEs since the last look at the clock. */
  #unseen = 0;
  /** Whoever is paused stays so. */
  #holds = false;

  /** `defer` calls back in the next turn of the loop; `backlog`: prefixes that wait for the stages. */
  constructor(clock: Clock, defer: (fn: () => void) => void, backlog: () => number) {
    this.#clock = clock;
    this.#defer = defer;
    this.#backlog = backlog;
  }

  /** Nothing has been taken in this turn of the loop yet. */
  get atTurnStart(): boolean {
    return this.#turnStart === undefined;
  }

  /** An UPDATE of the session with so many prefixes, and octets in all, has been taken. */
  note(session: Readable, prefixes: number, octets: number): void {
    this.#unseen += prefixes + 1 + Math.floor(octets / OCTETS_PER_PREFIX);
    const goesOn = this.#turnStart !== undefined && this.#current?.session === session;
    if (goesOn && this.#unseen < WORK_PER_LOOK) return;
    this.#unseen = 0;
    this.#look(session, this.#clock.now());
  }

  #look(session: Readable, now: number): void {
    if (this.#turnStart === undefined) {
      this.#turnStart = now;
      this.#lastAt = now;
      this.#waitForTurn();
    }
    if (this.#current?.session !== session) this.#current = this.#accountOf(session, now);
    const account = this.#current;
    account.turn += now - this.#lastAt;
    this.#lastAt = now;
    if (account.pausedAt !== undefined) return;
    if (now - this.#turnStart < READ_BUDGET_MS && this.#backlog() < BACKLOG_LIMIT) return;
    this.#pause(account, now);
  }

  /** Nobody's reading goes on before `release`. */
  hold(): void {
    this.#holds = true;
  }

  release(): void {
    this.#holds = false;
    this.#beginTurn();
  }

  /** Once a turn: whoever was active in it is known only once. */
  #waitForTurn(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#defer(this.#nextTurn);
  }

  readonly #nextTurn = (): void => {
    this.#isDeferred = false;
    this.#beginTurn();
  };

  #accountOf(session: Readable, now: number): Account {
    let account = this.#accounts.get(session);
    if (account === undefined) {
      account = { session, spent: 0, countedAt: now, turn: 0, pausedAt: undefined };
      this.#accounts.set(session, account);
    }
    this.#active.add(account);
    return account;
  }

  #pause(account: Account, now: number): void {
    account.pausedAt = now;
    this.#paused.add(account);
    account.session.pauseReading();
  }

  #beginTurn(): void {
    const now = this.#clock.now();
    this.#turnStart = undefined;
    this.#current = undefined;
    const least = this.#settle(now);
    if (this.#paused.size === 0 || this.#holds) return;
    if (this.#backlog() < BACKLOG_LIMIT / 2) this.#resume(now, least);
    if (this.#paused.size > 0) this.#waitForTurn();
  }

  /** Counts the turn, and pauses who has had too much of late; returns the least that anybody has had who wants more. */
  #settle(now: number): number {
    const wanting = new Set(this.#paused);
    for (const account of this.#active) {
      account.spent += account.turn;
      if (account.turn >= MUCH_MS) wanting.add(account);
      account.turn = 0;
    }
    this.#active.clear();
    let least = Number.POSITIVE_INFINITY;
    for (const account of wanting) {
      account.spent *= 0.5 ** ((now - account.countedAt) / HALF_LIFE_MS);
      account.countedAt = now;
      least = Math.min(least, account.spent);
    }
    for (const account of wanting) {
      if (account.pausedAt === undefined && account.spent > least + LEAD_MS) this.#pause(account, now);
    }
    return least;
  }

  #resume(now: number, least: number): void {
    for (const account of [...this.#paused]) {
      const { spent, pausedAt = now } = account;
      if (spent > least + LEAD_MS && now - pausedAt < PATIENCE_MS) continue;
      this.#paused.delete(account);
      account.pausedAt = undefined;
      account.session.resumeReading();
    }
  }
}
