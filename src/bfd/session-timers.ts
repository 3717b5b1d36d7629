// The timers of one session as they are agreed on: what each side advertises, what counts meanwhile, and the Poll
// Sequence that stands between (RFC 5880 §6.5, §6.8.2 to §6.8.4). Pure; intervals are microseconds.

import type { TimersImage } from './image.ts';

export interface TimerWishes {
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
}

/** §6.8.1: bfd.RemoteMinRxInterval of a system that has not spoken. */
const UNHEARD_MIN_RX = 1;

export class SessionTimers {
  /** bfd.DesiredMinTxInterval and bfd.RequiredMinRxInterval, as advertised. */
  desiredMinTx: number;
  requiredMinRx: number;
  /** What counts while a Poll Sequence has yet to tell the other side. */
  #txInUse: number;
  #rxInUse: number;
  #remoteMinRx = UNHEARD_MIN_RX;
  #remoteDesiredMinTx = 0;
  #remoteMultiplier = 0;
  /** A Poll Sequence is being sent. */
  polling = false;
  /** Wishes that came while polling: one sequence must not answer for two changes (§6.8.3). */
  #waiting: TimerWishes | undefined;

  constructor({ desiredMinTx, requiredMinRx }: TimerWishes) {
    this.desiredMinTx = desiredMinTx;
    this.requiredMinRx = requiredMinRx;
    this.#txInUse = desiredMinTx;
    this.#rxInUse = requiredMinRx;
  }

  get image(): TimersImage {
    return {
      desiredMinTx: this.desiredMinTx,
      requiredMinRx: this.requiredMinRx,
      remoteMinRx: this.#remoteMinRx,
      remoteDesiredMinTx: this.#remoteDesiredMinTx,
      remoteMultiplier: this.#remoteMultiplier,
    };
  }

  /** What both sides have said to each other in another process. */
  goOn(image: TimersImage): void {
    this.desiredMinTx = image.desiredMinTx;
    this.requiredMinRx = image.requiredMinRx;
    this.#settle();
    this.heard(image.remoteMultiplier, image.remoteDesiredMinTx, image.remoteMinRx);
  }

  /** Agreed interval of own packets, before jitter; 0: the other side wants none. */
  get transmitInterval(): number {
    return this.#remoteMinRx === 0 ? 0 : Math.max(this.#txInUse, this.#remoteMinRx);
  }

  /** §6.8.4; 0 before the first packet. */
  get detectionTime(): number {
    return this.#remoteMultiplier * Math.max(this.#rxInUse, this.#remoteDesiredMinTx);
  }

  /** The other side's packet says this of its timers. */
  heard(multiplier: number, desiredMinTx: number, requiredMinRx: number): void {
    this.#remoteMultiplier = multiplier;
    this.#remoteDesiredMinTx = desiredMinTx;
    this.#remoteMinRx = requiredMinRx;
  }

  /** §6.8.18: after a silence nothing it said binds any more. */
  forgetRemote(): void {
    this.#remoteMinRx = UNHEARD_MIN_RX;
  }

  /**
   * Own wishes from now on; true where something is advertised anew. `up`: slower sending and faster receiving wait
   * for the end of the Poll Sequence. `heard`: there is somebody to poll.
   */
  wish(wishes: TimerWishes, up: boolean, heard: boolean): boolean {
    this.#waiting = undefined;
    const { desiredMinTx, requiredMinRx } = wishes;
    if (desiredMinTx === this.desiredMinTx && requiredMinRx === this.requiredMinRx) {
      if (!up) this.#settle();
      return false;
    }
    if (up && this.polling) {
      this.#waiting = wishes;
      return false;
    }
    this.desiredMinTx = desiredMinTx;
    this.requiredMinRx = requiredMinRx;
    if (!up || desiredMinTx < this.#txInUse) this.#txInUse = desiredMinTx;
    if (!up || requiredMinRx > this.#rxInUse) this.#rxInUse = requiredMinRx;
    this.polling = heard;
    if (!heard) this.#settle();
    return true;
  }

  /**
   * A packet with (`final`) or without the Final bit came; true where something is advertised anew. Waiting wishes are
   * told after a packet without it (§6.8.3, third choice).
   */
  answered(final: boolean, up: boolean): boolean {
    if (final && this.polling) {
      this.polling = false;
      this.#settle();
      return false;
    }
    if (this.polling || final || this.#waiting === undefined) return false;
    return this.wish(this.#waiting, up, true);
  }

  /** Nobody answers any more. */
  stopPolling(): void {
    this.polling = false;
    this.#settle();
  }

  #settle(): void {
    this.#txInUse = this.desiredMinTx;
    this.#rxInUse = this.requiredMinRx;
  }
}
