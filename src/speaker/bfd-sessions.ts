// Which paths BFD watches, by the wish of which peers or of the configuration alone, and what a peer's BGP session does when
// its path fails. RFC 5882: one session a path, however many peers lean on it (§4.4); AdminDown on either side is no failure
// (§4.2); a BGP session is not held up by BFD that has not come up (§4.1: the peer may not speak it). RFC 9384: Cease/10.
// Nor is the loss of BFD itself, of its thread, the failure of a path: whatever leans on one that worked stays.

import type { BfdImage } from '../bfd/image.ts';
import { diagnosticText } from '../bfd/protocol.ts';
import type { BfdEvents, BfdService, SessionReport } from '../bfd/service.ts';
import { CEASE } from '../bgp/wire/error-codes.ts';
import type { BfdSessionConfig } from '../config/model.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { formatAddress } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import { mayBeSame } from '../lib/optional.ts';
import { CommandError } from './api.ts';
import { type HandedPath, HandedPaths } from './handed-paths.ts';
import type { Journal } from './journal/journal.ts';
import { fellWithPath, leansOnPath } from './path-failure.ts';
import type { PeerHandle } from './peer-registry.ts';
import {
  configuredEnds,
  endsOf,
  namesOf,
  newPath,
  pathKey,
  sessionPath,
  type WatchedPath,
  type Wish,
  wantedEnds,
  wantedOptions,
} from './watched-path.ts';
import { WatchedPaths } from './watched-paths.ts';

export interface BfdSessionsParts {
  /** Undefined where there is no BFD; throws BfdUnavailableError. */
  readonly openBfd: ((events: BfdEvents) => BfdService) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal?: Journal;
  /** `sees` may have another answer for an address. */
  readonly onPath: (remote: Uint8Array) => void;
}

/** Between the end of a service and the next one. */
const REOPEN_MS = 5000;
/** What a new service may take for sessions that are Up on the other side; some packets while Down, one a second each. */
const TRUST_MS = 10_000;
/** While a process gives way to another one. */
const SLOW_TX_MICROS = 10_000_000;
const SLOW_DOWN_LIMIT_MS = 5000;
const SLOW_DOWN_POLL_MS = 10;

export class BfdSessions {
  readonly #parts: BfdSessionsParts;
  readonly #paths = new WatchedPaths();
  readonly #pathOf = new Map<PeerHandle, WatchedPath>();
  /** By the key of a configured session. */
  readonly #configured = new Map<string, WatchedPath>();
  #service: BfdService | undefined;
  #nextId = 1;
  #closed = false;
  /** By id: sessions that another service shall go on with. */
  #images: ReadonlyMap<number, BfdImage> | undefined;
  /** What another process has watched. */
  readonly #handed = new HandedPaths();
  /** Paths that were watched, and worked, before this process. */
  readonly #goingOn = new Set<number>();
  /** Paths that worked when BFD was lost. They do until it is back and has had time to find out. */
  readonly #trusted = new Set<number>();
  /** What was told last. */
  #told: string | undefined;
  /** A sentence about why nothing is watched. */
  problem: string | undefined;

  constructor(parts: BfdSessionsParts) {
    this.#parts = parts;
  }

  paths(): IterableIterator<WatchedPath> {
    return this.#paths.values();
  }

  /** The peer came, went up or down, or has other settings. */
  refresh(handle: PeerHandle): void {
    const { bfd } = handle.settings;
    const wanted = bfd !== undefined && handle.peer.adminUp && !this.#closed;
    const before = this.#pathOf.get(handle);
    if (before === undefined && !wanted) return;
    const wish = wanted ? { ends: endsOf(handle, bfd), config: bfd } : undefined;
    const last = before?.members.get(handle);
    const stays = wish !== undefined && last !== undefined && pathKey(wish.ends) === pathKey(last.ends);
    if (stays && last.config === bfd) return;
    if (before !== undefined && !stays) this.#leave(handle, before);
    if (wish === undefined) return;
    this.#lean(wish, stays ? before : undefined, (path) => {
      path.members.set(handle, wish);
      this.#pathOf.set(handle, path);
    });
  }

  /** Watches these, too, whatever peers do; those of an earlier call that are not among them go. */
  watch(sessions: readonly BfdSessionConfig[]): void {
    if (this.#closed) return;
    const wishes = sessions.map((session) => ({ ends: configuredEnds(session), config: session.bfd }));
    const wanted = new Map(wishes.map((wish) => [pathKey(wish.ends), wish]));
    const changed: Uint8Array[] = [];
    for (const [key, wish] of wanted) {
      if (!this.#configured.has(key)) changed.push(wish.ends.address.bytes);
      this.#lean(wish, this.#configured.get(key), (path) => {
        path.configured.set(key, wish);
        this.#configured.set(key, path);
      });
    }
    // Not earlier: a path that somebody wants in other words is still wanted.
    for (const [key, path] of this.#configured) {
      if (wanted.has(key)) continue;
      this.#configured.delete(key);
      path.configured.delete(key);
      changed.push(path.spec.path.remote);
      this.#left(path);
    }
    for (const remote of changed) this.#parts.onPath(remote);
  }

  /** The peer is no more. */
  remove(handle: PeerHandle): void {
    const path = this.#pathOf.get(handle);
    if (path !== undefined) this.#leave(handle, path);
  }

  /** The other sides are told that this one goes of its own will. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#service?.close();
  }

  /**
   * Agrees with every other side on so few packets that nobody misses those of some seconds. Rejects with CommandError
   * where one does not; `goOn` takes it back.
   */
  async slowDown(): Promise<void> {
    const { clock } = this.#parts;
    const watched = () => [...this.#paths.values()].filter(({ report }) => report?.state === 'Up');
    const isFast = ({ report }: WatchedPath) =>
      report !== undefined && report.transmitInterval > 0 && report.transmitInterval < SLOW_TX_MICROS;
    for (const { id, spec } of watched()) {
      this.#service?.update(id, { ...spec, desiredMinTx: Math.max(spec.desiredMinTx, SLOW_TX_MICROS) });
    }
    const limit = clock.now() + SLOW_DOWN_LIMIT_MS;
    while (watched().some(isFast)) {
      if (clock.now() >= limit) {
        const names = watched().filter(isFast).flatMap(namesOf).join(', ');
        throw new CommandError('failed', `BFD of ${names} does not agree to fewer packets for a while`);
      }
      await sleep(clock, SLOW_DOWN_POLL_MS);
    }
  }

  /** Ends what watches, without a word to the other sides; `goOn` takes it back. */
  async handOver(): Promise<void> {
    this.#images = (await this.#service?.handOver()) ?? new Map();
    this.#service = undefined;
  }

  /** By key: the paths that `handOver` has let go. */
  images(): ReadonlyMap<string, HandedPath> {
    const handed = new Map<string, HandedPath>();
    for (const { id, ends, since, upCount, downCount } of this.#paths.values()) {
      const image = this.#images?.get(id);
      if (image !== undefined) handed.set(pathKey(ends), { image, ends, since, upCount, downCount });
    }
    return handed;
  }

  /** Everything as before `slowDown`. */
  goOn(): void {
    const images = this.#images;
    this.#images = undefined;
    const service = images === undefined ? this.#service : this.#paths.size === 0 ? undefined : this.#open();
    for (const { id, spec } of this.#paths.values()) {
      if (images === undefined) service?.update(id, spec);
      else service?.add(id, spec, images.get(id));
    }
    if (images !== undefined && service !== undefined) this.#limitTrust();
  }

  /** Paths that another process has watched, for when peers ask for them. */
  takeOver(handed: ReadonlyMap<string, HandedPath>): void {
    this.#handed.add(handed);
  }

  /** Everybody has asked who wants to go on with one. */
  tookOver(): void {
    this.#handed.clear();
  }

  /** `before`: where that wish is already; `enter` says on the path who has it. */
  #lean(wish: Wish, before: WatchedPath | undefined, enter: (path: WatchedPath) => void): void {
    const known = before ?? this.#paths.find(wish.ends);
    const path = known ?? newPath(this.#nextId++, wish, this.#parts.clock.wallTime());
    enter(path);
    if (known === undefined) this.#begin(path);
    else this.#settle(path);
  }

  #leave(handle: PeerHandle, path: WatchedPath): void {
    path.members.delete(handle);
    this.#pathOf.delete(handle);
    this.#left(path);
  }

  /** Somebody who wanted the path does so no more. */
  #left(path: WatchedPath): void {
    if (path.members.size > 0 || path.configured.size > 0) this.#settle(path);
    else this.#end(path);
  }

  /** Does what is wanted of a path now. */
  #settle(path: WatchedPath): void {
    if (this.#renew(path)) return;
    path.spec = { ...wantedOptions(path), path: path.spec.path };
    this.#service?.update(path.id, path.spec);
  }

  /** A session that works proves the path, whatever its ends; another one gives way to one between the ends that are wanted. */
  #renew(path: WatchedPath): boolean {
    if (this.#works(path) || pathKey(wantedEnds(path)) === pathKey(path.ends)) return false;
    this.#end(path);
    path.id = this.#nextId++;
    path.report = undefined;
    this.#begin(path);
    return true;
  }

  /** Has it watched; goes on where another process has watched it. */
  #begin(path: WatchedPath): void {
    const service = this.#open();
    path.ends = wantedEnds(path);
    path.spec = { ...wantedOptions(path), path: sessionPath(path.ends) };
    this.#paths.add(path);
    const handed = this.#handed.take(path.ends);
    if (handed !== undefined) {
      (service === undefined ? this.#trusted : this.#goingOn).add(path.id);
      const { since, upCount, downCount } = handed;
      Object.assign(path, { since, upCount, downCount });
    }
    service?.add(path.id, path.spec, handed?.image);
  }

  #end(path: WatchedPath): void {
    this.#paths.delete(path);
    this.#trusted.delete(path.id);
    this.#service?.remove(path.id);
  }

  /** Started with the first path; not while all are on their way to another process. */
  #open(): BfdService | undefined {
    const { openBfd } = this.#parts;
    if (this.#service !== undefined || this.problem !== undefined || this.#images !== undefined) {
      return this.#service;
    }
    try {
      this.#service = openBfd?.({
        onReport: (report, at) => this.#learn(report, at),
        onFailure: (message) => this.#fail(message),
      });
      if (this.#service === undefined) this.problem = 'BFD is configured and cannot be had here';
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.problem = error.message;
    }
    if (this.problem !== undefined) this.#complain('paths to peers are not watched', this.problem);
    return this.#service;
  }

  /** Once, however often it is tried in vain. */
  #complain(sentence: string, problem: string): void {
    if (problem === this.#told) return;
    this.#told = problem;
    this.#parts.log.error({ problem }, sentence);
    this.#parts.journal?.note('bfd-unavailable', `${sentence}: ${problem}`);
  }

  /** Without BFD the peers' own timers watch, and nothing watches gateways. A new service is tried soon. */
  #fail(message: string): void {
    this.problem = message;
    this.#service = undefined;
    for (const path of this.#paths.values()) {
      if (this.#works(path)) this.#trusted.add(path.id);
      path.report = undefined;
    }
    this.#goingOn.clear();
    this.#complain('paths to peers are no longer watched', message);
    this.#reopen();
  }

  #reopen(): void {
    this.#parts.clock.setTimer(REOPEN_MS, () => {
      this.problem = undefined;
      if (this.#closed || this.#images !== undefined || this.#paths.size === 0) {
        this.#told = undefined;
        return;
      }
      const service = this.#open();
      if (service === undefined) {
        this.#reopen();
        return;
      }
      for (const path of this.#paths.values()) service.add(path.id, path.spec);
      this.#limitTrust();
    });
  }

  /** From now on the service has its time to find out. */
  #limitTrust(): void {
    const { clock, onPath } = this.#parts;
    const service = this.#service;
    clock.setTimer(TRUST_MS, () => {
      // It was lost again, and another one shall have its time.
      if (this.#service !== service) return;
      this.#told = undefined;
      const trusted = [...this.#paths.values()].filter(({ id }) => this.#trusted.has(id));
      this.#trusted.clear();
      for (const path of trusted) {
        this.#renew(path);
        onPath(path.spec.path.remote);
      }
    });
  }

  #learn(report: SessionReport, at: number): void {
    const path = this.#paths.get(report.id);
    if (path === undefined) return;
    const worked = this.#works(path);
    const before = path.report?.state ?? (this.#goingOn.delete(path.id) ? 'Up' : 'Down');
    path.report = report;
    if (report.state === 'Up' || report.remoteState === 'AdminDown') this.#trusted.delete(path.id);
    if (report.state !== before) {
      path.since = at;
      if (report.state === 'Up') this.#up(path);
      else if (before === 'Up') this.#down(path, report);
    }
    const { remote } = path.spec.path;
    if (path.configured.size > 0 && this.#works(path) !== worked) this.#parts.onPath(remote);
    // Whoever leant on it may have gone with its session.
    if (this.#paths.get(report.id) === path) this.#renew(path);
  }

  #works({ id, report }: WatchedPath): boolean {
    return this.#trusted.has(id) || (report === undefined ? this.#goingOn.has(id) : report.state === 'Up');
  }

  /** The path to the peer is watched, and works. */
  seesPeer(handle: PeerHandle | undefined): boolean {
    return handle !== undefined && this.#pathOf.get(handle)?.report?.state === 'Up';
  }

  /** A configured session of one hop is up, or was when BFD was lost; on `link`, where both have one. */
  sees(gateway: Uint8Array, link: string | undefined): boolean {
    return this.#paths.towards(gateway).some((path) => {
      const { interface: on, multihop } = path.spec.path;
      if (path.configured.size === 0 || multihop) return false;
      return mayBeSame(link, on) && this.#works(path);
    });
  }

  #up(path: WatchedPath): void {
    path.upCount++;
    const address = formatAddress(path.spec.path.remote);
    this.#tell(path, 'bfd-up', `the path to ${address} works`);
    this.#parts.log.info({ address, peers: namesOf(path) }, 'BFD session up');
    for (const { peer } of path.members.keys()) if (fellWithPath(peer.lastDown)) peer.retryNow();
  }

  #down(path: WatchedPath, report: SessionReport): void {
    path.downCount++;
    const why = diagnosticText(report.localDiagnostic);
    const address = formatAddress(path.spec.path.remote);
    // RFC 5882 §4.2: BFD ends, not the path.
    const administrative = report.state === 'AdminDown' || report.remoteState === 'AdminDown';
    const level = administrative ? 'info' : 'warn';
    this.#parts.log[level]({ address, peers: namesOf(path), why, administrative }, 'BFD session down');
    const words = administrative ? 'one side switched it off' : why;
    this.#tell(path, 'bfd-session-down', `BFD no longer sees ${address}: ${words}`);
    if (administrative) return;
    for (const { peer } of [...path.members.keys()]) {
      if (leansOnPath(peer)) peer.cease({ subcode: CEASE.bfdDown, text: `BFD: ${why}` });
    }
  }

  #tell(path: WatchedPath, code: 'bfd-up' | 'bfd-session-down', sentence: string): void {
    const { journal } = this.#parts;
    if (path.members.size === 0) journal?.note(code, sentence);
    for (const name of namesOf(path)) journal?.note(code, sentence, name);
  }
}
