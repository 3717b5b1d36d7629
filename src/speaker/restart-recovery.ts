// This speaker's own restart (RFC 4724 §4.1): peers that help keep its routes meanwhile and the kernel forwards on what
// the run before left there. No route is chosen until the peers have sent theirs again, so that nobody sees a half-full
// table; then routes and End-of-RIB go out. Whom it does not wait for: a peer that restarts too, one that will send no
// End-of-RIB, and one that shows no sign of life, because it would hold up everybody else.

import { FAMILIES, type Family } from '../bgp/wire/families.ts';
import type { Config, PeerSettings } from '../config/model.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { formatAddress, type IpAddress } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import type { Rib } from '../rib/rib.ts';
import type { KernelSync } from './kernel-sync.ts';
import type { PeerHandle } from './peer-registry.ts';
import type { TableRoom } from './table-room.ts';

const MS_PER_SECOND = 1000;
/**
 * A peer that this side dials, and that is alive, has answered by then. Also one that the kernel calls unreachable may be
 * there a moment later, when links and neighbours have been found again, and the kernel forwards meanwhile.
 */
export const CONTACT_LIMIT_MS = 20_000;
/**
 * How often it is looked whether somebody is still waited for. What ends a wait is not only what sessions tell: limits
 * pass, attempts fail, links go, and peers are removed or switched off.
 */
const REVIEW_MS = 1000;

export interface RecoveryTools {
  readonly rib: Rib;
  readonly clock: Clock;
  readonly log: Logger;
  readonly peers: () => Iterable<PeerHandle>;
  readonly kernel: () => Pick<KernelSync, 'resolve'> | undefined;
  /** Routes may be chosen in all families. */
  readonly onEnd: () => void;
}

/** Whether a start is a restart to peers. The kernels of the tables have been scanned. */
export function isRestart(config: Config, rooms: Iterable<Pick<TableRoom, 'kernel'>>): boolean {
  const { recover } = config.router.restart;
  if (recover !== 'auto') return recover === 'always';
  const asked = [...config.peers, ...config.dynamicPeers].some(
    ({ gracefulRestart }) => gracefulRestart.mode === 'full',
  );
  return asked && [...rooms].some(({ kernel }) => kernel?.hasOrphans === true);
}

/** What an OPEN of this side says of restarts. */
export interface RestartFlags {
  readonly restarting: boolean;
  readonly forwarding: readonly Family[];
}

interface Underway {
  /** Clock.now() */
  readonly begun: number;
  readonly waitMs: number;
  readonly ranges: boolean;
  timer: Timer;
  /** Families whose routes are not chosen yet. */
  readonly families: Set<Family>;
}

export class RestartRecovery {
  readonly #tools: RecoveryTools;
  #underway: Underway | undefined;
  /** Addresses that this run has had sessions with. */
  readonly #met = new Set<string>();

  constructor(tools: RecoveryTools) {
    this.#tools = tools;
  }

  get active(): boolean {
    return this.#underway !== undefined;
  }

  /** Peers that are waited for, and milliseconds that are left and were given; undefined where nothing is waited for. */
  get view(): { waitingFor: number; leftMs: number; waitMs: number } | undefined {
    const underway = this.#underway;
    if (underway === undefined) return undefined;
    const { begun, waitMs, families } = underway;
    const waitingFor = [...this.#tools.peers()].filter((handle) =>
      [...families].some((family) => this.#isAwaited(underway, handle, family)),
    ).length;
    return { waitingFor, leftMs: Math.max(0, begun + waitMs - this.#tools.clock.now()), waitMs };
  }

  /** For people, while it lasts. */
  get sentence(): string | undefined {
    const { view } = this;
    if (view === undefined) return undefined;
    const { waitingFor, leftMs, waitMs } = view;
    if (waitingFor === 0 && this.#underway?.ranges) {
      // Its time runs from the beginning, as that of the whole wait does.
      const seconds = Math.ceil((leftMs - waitMs + CONTACT_LIMIT_MS) / MS_PER_SECOND);
      return `recovering from a restart: no route is chosen for ${Math.max(0, seconds)} s, in which peers of dynamic ranges may come`;
    }
    const seconds = Math.ceil(leftMs / MS_PER_SECOND);
    const peers = waitingFor === 1 ? '1 peer has' : `${waitingFor} peers have`;
    return `recovering from a restart: ${peers} not sent all their routes; no route is chosen before, or in ${seconds} s`;
  }

  /** Holds back the choice of routes. Called before peers are started. */
  begin(config: Config): void {
    const { rib, clock, log } = this.#tools;
    const { wait } = config.router.restart;
    const settings = [...config.peers, ...config.dynamicPeers].filter((each) => restarts(each));
    const waitMs = wait * MS_PER_SECOND;
    this.#underway = {
      begun: clock.now(),
      waitMs,
      ranges: config.dynamicPeers.some((each) => restarts(each)),
      timer: this.#nextReview(),
      families: new Set(FAMILIES),
    };
    for (const { id } of FAMILIES) rib.defer(id);
    log.info(
      { peers: settings.length, wait },
      'restarted: routes are chosen when the peers have sent theirs',
    );
  }

  #nextReview(): Timer {
    return this.#tools.clock.setTimer(REVIEW_MS, () => {
      if (this.#underway !== undefined) this.#underway.timer = this.#nextReview();
      this.review();
    });
  }

  /** Something became of a peer: goes on where nobody is waited for any more. */
  review(): void {
    const underway = this.#underway;
    if (underway === undefined) return;
    const { rib, log, peers, onEnd } = this.#tools;
    for (const family of underway.families) {
      if ([...peers()].some((handle) => this.#isAwaited(underway, handle, family))) continue;
      if (underway.ranges && !this.#isOver(underway, CONTACT_LIMIT_MS)) continue;
      underway.families.delete(family);
      rib.release(family.id);
    }
    if (underway.families.size > 0) return;
    this.stop();
    log.info({}, 'the restart is over');
    onEnd();
  }

  /** Waits no longer, whatever has come. */
  stop(): void {
    this.#underway?.timer.cancel();
    this.#underway = undefined;
  }

  /** A session of this run came up. */
  met(address: IpAddress): void {
    this.#met.add(formatAddress(address.bytes, address.zone));
  }

  /**
   * RFC 4724 §3, §4.1. The F bit: forwarding goes on as before, which it does after a restart with recovery, and always
   * where only the session was lost.
   */
  flags(address: IpAddress, settings: PeerSettings): RestartFlags {
    const kept = this.active || this.#met.has(formatAddress(address.bytes, address.zone));
    const families = FAMILIES.filter(({ name }) => settings.families.includes(name));
    return { restarting: this.active, forwarding: kept ? families : [] };
  }

  #isAwaited(underway: Underway, handle: PeerHandle, family: Family): boolean {
    const { peer, settings, established, restartOffer } = handle;
    if (!peer.adminUp || !restarts(settings) || this.#isOver(underway, underway.waitMs)) return false;
    if (established !== undefined) {
      if (restartOffer === undefined || restartOffer.restarting) return false;
      const agreed = established.session.context.families.includes(family);
      return agreed && !established.endOfRib.has(family.id);
    }
    if (!settings.families.includes(family.name)) return false;
    if (peer.state === 'OpenSent' || peer.state === 'OpenConfirm') return true;
    const mayDialIn = settings.passive && this.#canReach(handle);
    // One that dials in has until its own timer for this speaker ends.
    const limit = mayDialIn ? patience(settings.gracefulRestart) : CONTACT_LIMIT_MS;
    return !this.#isOver(underway, limit);
  }

  /** False where the kernel has no way to the peer, so that it cannot be at the other end of a connection either. */
  #canReach({ address, settings }: PeerHandle): boolean {
    const kernel = this.#tools.kernel();
    // Other tables have other ways.
    if (kernel === undefined || settings.tables !== undefined) return true;
    return kernel.resolve(address.bytes, address.zone ?? settings.interface).reachable;
  }

  #isOver({ begun }: Underway, limitMs: number): boolean {
    return this.#tools.clock.now() >= begun + limitMs;
  }
}

type Restarting = Pick<Config['peers'][number], 'gracefulRestart'>;

/** It sends End-of-RIB if it agrees to the capability, whichever side restarts. */
function restarts({ gracefulRestart }: Restarting): boolean {
  return gracefulRestart.mode !== 'off';
}

function patience({ restartTime }: Restarting['gracefulRestart']): number {
  return restartTime * MS_PER_SECOND;
}
