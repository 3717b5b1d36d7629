// One BFD session (RFC 5880 §6.8): the state machine with its variables, the packets it sends and when, and what a
// received packet does to it. It does no I/O and has no timer: the engine gives it packets and the time, and asks when
// it wants to be called next. Demand mode is answered and never asked for; Echo is neither sent nor offered.

import type { Random } from '../lib/clock.ts';
import { type AuthenticationOptions, Authenticator } from './authentication.ts';
import { RECEIVED, type SessionEvent, sessionStep } from './fsm.ts';
import type { BfdImage } from './image.ts';
import { type ControlPacket, emptyPacket, encodePacket, HEADER_OCTETS } from './packet.ts';
import { type AuthenticationName, DIAGNOSTIC, type Discard, type SessionState } from './protocol.ts';
import { SessionTimers, type TimerWishes } from './session-timers.ts';

export interface SessionOptions {
  /** Microseconds: while Up. */
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
  /** Microseconds between packets while not Up; at least a second is waited in any case. */
  readonly idleTx: number;
  /** 1 to 255. */
  readonly detectMultiplier: number;
  /** Silent until the other side is heard (RFC 5880 §6.1). */
  readonly passive: boolean;
  readonly authentication: AuthenticationOptions | undefined;
}

export interface SessionTools {
  readonly random: Random;
  /** Sends the first `length` octets; the buffer is used again after the call. */
  readonly send: (bytes: Uint8Array, length: number) => void;
  /** Where packets are made; shared by all sessions. */
  readonly buffer: Uint8Array;
  readonly view: DataView;
}

const MICROS_PER_MS = 1000;
/** §6.8.3: the least Desired Min TX Interval while not Up. */
const SLOW_TX = 1_000_000;
/** §6.8.7: 75 to 100 % of the interval, and 75 to 90 % with a multiplier of one. */
const JITTER = { least: 0.75, span: 0.25, spanOfOne: 0.15 } as const;

/** How long nothing was heard, in detection times. */
const SILENCE = { none: 0, one: 1, two: 2 } as const;

export class Session {
  readonly localDiscriminator: number;
  state: SessionState = 'Down';
  remoteState: SessionState = 'Down';
  remoteDiscriminator = 0;
  localDiagnostic: number = DIAGNOSTIC.none;
  remoteDiagnostic: number = DIAGNOSTIC.none;
  readonly timers: SessionTimers;
  #options: SessionOptions;
  readonly #tools: SessionTools;
  readonly #packet: ControlPacket = emptyPacket();
  #authenticator: Authenticator | undefined;
  #remoteDemand = false;
  /** Clock milliseconds. */
  #lastTx: number;
  #lastRx = Number.POSITIVE_INFINITY;
  #silence: number = SILENCE.none;
  #jitter: number;
  /** Contents differ from what was sent last: the next packet does not wait for its time (§6.8.7). */
  #urgent = false;
  #differs = true;

  constructor(localDiscriminator: number, options: SessionOptions, tools: SessionTools, now: number) {
    this.localDiscriminator = localDiscriminator;
    this.#options = options;
    this.#tools = tools;
    this.#authenticator = authenticatorOf(options, tools.random);
    this.timers = new SessionTimers(this.#wishes());
    // Sessions that start together do not send together.
    this.#lastTx = now - tools.random() * (this.timers.transmitInterval / MICROS_PER_MS);
    this.#jitter = this.#newJitter();
  }

  /** For another process to go on with; undefined unless Up. */
  get image(): Omit<BfdImage, 'ifindex'> | undefined {
    if (this.state !== 'Up') return undefined;
    return {
      localDiscriminator: this.localDiscriminator,
      remoteDiscriminator: this.remoteDiscriminator,
      remoteDemand: this.#remoteDemand,
      timers: this.timers.image,
      sequence: this.#authenticator?.sequence,
    };
  }

  /** Is Up from the beginning, as it was in another process; the other side is told so at once. */
  goOn(image: BfdImage, now: number): void {
    this.state = 'Up';
    this.remoteState = 'Up';
    this.remoteDiscriminator = image.remoteDiscriminator;
    this.#remoteDemand = image.remoteDemand;
    this.timers.goOn(image.timers);
    if (image.sequence !== undefined) this.#authenticator?.goOn(image.sequence);
    this.#lastRx = now;
    this.#urgent = true;
    this.#applyWishes();
  }

  get options(): SessionOptions {
    return this.#options;
  }

  /** Microseconds between own periodic packets; 0 where there are none. */
  get transmitInterval(): number {
    return this.#transmitsPeriodically ? this.timers.transmitInterval : 0;
  }

  /** Microseconds. */
  get detectionTime(): number {
    return this.timers.detectionTime;
  }

  /** When `run` wants to be called, in clock milliseconds; earlier does no harm. */
  get due(): number {
    return Math.min(this.#transmitDue, this.#silenceDue);
  }

  /** Why a packet of this session must be discarded. `bytes[start, ...)` is the packet that `packet` was read from. */
  refuses(packet: ControlPacket, bytes: Uint8Array, view: DataView, start: number): Discard | undefined {
    if (this.#authenticator === undefined) {
      return packet.authenticated ? 'unexpected-authentication' : undefined;
    }
    if (!packet.authenticated) return 'missing-authentication';
    return this.#authenticator.verify(bytes, view, start, packet.length, packet.detectMultiplier);
  }

  /** §6.8.6 from the point where the packet is known to be this session's. */
  receive(packet: ControlPacket, now: number): void {
    this.#setRemoteDiscriminator(packet.myDiscriminator);
    this.remoteState = packet.state;
    this.remoteDiagnostic = packet.diagnostic;
    this.#remoteDemand = packet.demand;
    this.timers.heard(packet.detectMultiplier, packet.desiredMinTx, packet.requiredMinRx);
    if (this.timers.answered(packet.final, this.state === 'Up')) this.#differs = true;
    this.#lastRx = now;
    this.#silence = SILENCE.none;
    this.#dispatch(RECEIVED[packet.state]);
    // §6.8.7: in any state, whatever else keeps this side silent.
    if (packet.poll) this.#send(true);
  }

  /** Does what is due. */
  run(now: number): void {
    if (now >= this.#silenceDue) this.#silent(now);
    if (now < this.#transmitDue) return;
    this.#lastTx = now;
    this.#jitter = this.#newJitter();
    this.#send(false);
  }

  /** Other options for a living session (§6.8.3, §6.8.10 to §6.8.12). */
  configure(options: SessionOptions): void {
    const before = this.#options;
    this.#options = options;
    this.#configureAuthentication(before.authentication?.type);
    if (options.detectMultiplier !== before.detectMultiplier) this.#contentsChanged();
    this.#applyWishes();
  }

  /** AdminDown, or out of it (§6.8.16). */
  setEnabled(enabled: boolean): void {
    this.#dispatch(enabled ? 'Enable' : 'Disable');
  }

  /** Sequence numbers go on where only keys change, so that the other side follows. */
  #configureAuthentication(before: AuthenticationName | undefined): void {
    const { authentication } = this.#options;
    if (authentication !== undefined && authentication.type === before) {
      this.#authenticator?.useKeys(authentication);
    } else {
      this.#authenticator = authenticatorOf(this.#options, this.#tools.random);
    }
  }

  /** §6.8.7: passive, and the other side is unknown. */
  get #mustBeSilent(): boolean {
    return this.#options.passive && this.remoteDiscriminator === 0;
  }

  get #transmitsPeriodically(): boolean {
    if (this.timers.transmitInterval === 0 || this.#mustBeSilent) return false;
    const demanded = this.#remoteDemand && this.state === 'Up' && this.remoteState === 'Up';
    return !demanded || this.timers.polling;
  }

  get #transmitDue(): number {
    if (this.#urgent && !this.#mustBeSilent) return Number.NEGATIVE_INFINITY;
    if (!this.#transmitsPeriodically) return Number.POSITIVE_INFINITY;
    return this.#lastTx + (this.timers.transmitInterval * this.#jitter) / MICROS_PER_MS;
  }

  get #silenceDue(): number {
    if (this.#silence === SILENCE.two) return Number.POSITIVE_INFINITY;
    return this.#lastRx + ((this.#silence + 1) * this.timers.detectionTime) / MICROS_PER_MS;
  }

  #silent(now: number): void {
    if (this.#silence === SILENCE.none) {
      this.#silence = SILENCE.one;
      this.#dispatch('DetectionTimeExpired');
      this.#setRemoteDiscriminator(0);
      this.remoteState = 'Down';
      this.#remoteDemand = false;
      this.timers.stopPolling();
      this.timers.forgetRemote();
    }
    if (now < this.#silenceDue) return;
    this.#silence = SILENCE.two;
    this.#authenticator?.forgetSequence();
  }

  #dispatch(event: SessionEvent): void {
    const { to, diagnostic } = sessionStep(this.state, event);
    if (diagnostic !== undefined) this.localDiagnostic = diagnostic;
    if (to === this.state) return;
    this.state = to;
    this.#differs = true;
    this.#urgent = true;
    this.#applyWishes();
  }

  /** §6.8.3: slow while not Up. */
  #wishes(): TimerWishes {
    const { desiredMinTx, requiredMinRx, idleTx } = this.#options;
    if (this.state === 'Up') return { desiredMinTx, requiredMinRx };
    return { desiredMinTx: Math.max(SLOW_TX, idleTx, desiredMinTx), requiredMinRx };
  }

  #applyWishes(): void {
    if (this.timers.wish(this.#wishes(), this.state === 'Up', this.remoteDiscriminator !== 0)) {
      this.#differs = true;
    }
  }

  #contentsChanged(): void {
    this.#differs = true;
    // §6.6: towards a system in Demand mode every change is polled for.
    if (this.#remoteDemand && this.state === 'Up') this.timers.polling = true;
  }

  #setRemoteDiscriminator(value: number): void {
    if (value === this.remoteDiscriminator) return;
    this.remoteDiscriminator = value;
    this.#differs = true;
  }

  #newJitter(): number {
    const span = this.#options.detectMultiplier === 1 ? JITTER.spanOfOne : JITTER.span;
    return JITTER.least + span * this.#tools.random();
  }

  #send(final: boolean): void {
    const { buffer, view, send } = this.#tools;
    const packet = this.#packet;
    packet.diagnostic = this.localDiagnostic;
    packet.state = this.state;
    packet.poll = !final && this.timers.polling;
    packet.final = final;
    packet.authenticated = this.#authenticator !== undefined;
    packet.detectMultiplier = this.#options.detectMultiplier;
    packet.length = HEADER_OCTETS + (this.#authenticator?.octets ?? 0);
    packet.myDiscriminator = this.localDiscriminator;
    packet.yourDiscriminator = this.remoteDiscriminator;
    packet.desiredMinTx = this.timers.desiredMinTx;
    packet.requiredMinRx = this.timers.requiredMinRx;
    encodePacket(packet, view, 0);
    this.#authenticator?.sign(buffer, view, this.#differs);
    this.#differs = false;
    this.#urgent = false;
    send(buffer, packet.length);
  }
}

function authenticatorOf({ authentication }: SessionOptions, random: Random): Authenticator | undefined {
  return authentication === undefined ? undefined : new Authenticator(authentication, random);
}
