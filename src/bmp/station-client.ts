// One station over time: connections come and go, an attempt follows a failed one after a pause that doubles (RFC 7854
// §3.2), an Initiation is the first thing said and a Termination the last. A station that takes less than it is told is
// let go at its limit, and told everything anew later. What is said between is the speaker's.

import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { encodeMessage, textOf } from './message.ts';
import { INFORMATION, TERMINATION_REASON } from './protocol.ts';

export interface StationSocketEvents {
  onOpen(): void;
  /** What a station says means nothing (RFC 7854 §3.2). */
  onData(buffer: Uint8Array, length: number): void;
  /** All that was written is with the system. */
  onDrain(): void;
  /** It is gone, or never came up; not called after close(). */
  onClose(reason: string): void;
}

export interface StationSocket {
  write(bytes: Uint8Array): void;
  /** Octets that the system has yet to take. */
  readonly queuedBytes: number;
  /** Closes once what was written has left, as far as that takes no time. */
  close(): void;
}

export interface StationSettings {
  readonly systemName: string;
  readonly systemDescription: string;
  /** Octets that may wait for the station. */
  readonly bufferLimit: number;
}

export interface StationDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly dial: (events: StationSocketEvents) => StationSocket;
  /** The Initiation is sent: now comes everything else. */
  readonly onUp: () => void;
  /** Nothing can be sent any more. */
  readonly onDown: () => void;
  /** Nothing waits for the station. */
  readonly onDrain: () => void;
  /** Something that `status` shows is another. */
  readonly onChange: () => void;
}

export type StationState = 'Down' | 'Connect' | 'Established' | 'Idle';

export interface StationStatus {
  readonly state: StationState;
  /** What ended the last connection or attempt; undefined while all is well. */
  readonly problem: string | undefined;
  /** Wall-clock milliseconds of the last change of state. */
  readonly since: number;
  /** Milliseconds until the next attempt. */
  readonly retryIn: number | undefined;
  /** Octets that wait, were sent over this connection, and over all. */
  readonly queued: number;
  readonly sessionOctets: number;
  readonly totalOctets: number;
  /** Connections that came up, and those that ended at the limit. */
  readonly connections: number;
  readonly overflows: number;
}

/** RFC 7854 §3.2 */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 720_000;
/** Above it nothing is made for the station that can wait, where the limit leaves so much. */
const ENOUGH_OCTETS = 1 << 18;

export class StationClient {
  readonly #settings: StationSettings;
  readonly #dependencies: StationDependencies;
  #state: StationState = 'Down';
  #since: number;
  #openedAt = 0;
  #socket: StationSocket | undefined;
  #retry: Timer | undefined;
  #retryAt = 0;
  #pause = FIRST_PAUSE_MS;
  #problem: string | undefined;
  #sessionOctets = 0;
  #totalOctets = 0;
  #connections = 0;
  #overflows = 0;

  constructor(settings: StationSettings, dependencies: StationDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#since = dependencies.clock.wallTime();
  }

  get status(): StationStatus {
    const { clock } = this.#dependencies;
    return {
      state: this.#state,
      problem: this.#problem,
      since: this.#since,
      retryIn: this.#retry === undefined ? undefined : Math.max(0, this.#retryAt - clock.now()),
      queued: this.#socket?.queuedBytes ?? 0,
      sessionOctets: this.#sessionOctets,
      totalOctets: this.#totalOctets,
      connections: this.#connections,
      overflows: this.#overflows,
    };
  }

  get established(): boolean {
    return this.#state === 'Established';
  }

  /** Whether the station takes what it is sent; what can wait should wait where it does not. */
  get hasRoom(): boolean {
    const enough = Math.min(ENOUGH_OCTETS, this.#settings.bufferLimit / 2);
    return this.established && (this.#socket?.queuedBytes ?? 0) < enough;
  }

  start(): void {
    if (this.#state === 'Down') this.#connect();
  }

  /** Ends with a Termination; does nothing where it does not run. */
  stop(): void {
    if (this.#state === 'Down') return;
    this.#retry?.cancel();
    this.#retry = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (this.established) socket?.write(termination(TERMINATION_REASON.administrative, []));
    socket?.close();
    this.#problem = undefined;
    this.#leave('Down');
  }

  /** Whole messages; they must not change any more. May end the connection. */
  send(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (!this.established || socket === undefined) return;
    this.#sessionOctets += bytes.length;
    this.#totalOctets += bytes.length;
    socket.write(bytes);
    const { bufferLimit } = this.#settings;
    if (socket.queuedBytes <= bufferLimit) return;
    this.#overflows++;
    socket.close();
    this.#lose(`the station takes too little: more than ${bufferLimit} octets wait for it`);
  }

  #connect(): void {
    this.#enter('Connect');
    const socket = this.#dependencies.dial({
      onOpen: () => this.#open(),
      onData: () => {},
      onDrain: () => {
        if (this.established) this.#dependencies.onDrain();
      },
      onClose: (reason) => this.#lose(reason),
    });
    this.#socket = socket;
  }

  #open(): void {
    const { systemName, systemDescription } = this.#settings;
    this.#connections++;
    this.#openedAt = this.#dependencies.clock.now();
    this.#sessionOctets = 0;
    this.#problem = undefined;
    this.#enter('Established');
    this.#dependencies.log.info({}, 'the station is connected');
    this.send(
      encodeMessage({
        kind: 'initiation',
        information: [
          textOf(INFORMATION.sysDescr, systemDescription),
          textOf(INFORMATION.sysName, systemName),
        ],
      }),
    );
    this.#dependencies.onUp();
  }

  #lose(reason: string): void {
    const { clock, log } = this.#dependencies;
    const wasEstablished = this.established;
    this.#socket = undefined;
    this.#problem = reason;
    // RFC 7854 §3.2: whoever accepts and hangs up at once is not dialled in a loop either.
    const lasted = wasEstablished && clock.now() - this.#openedAt > FIRST_PAUSE_MS;
    if (lasted) this.#pause = FIRST_PAUSE_MS;
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    log.warn({ retryMs: pause }, `no connection to the station: ${reason}`);
    this.#retryAt = clock.now() + pause;
    this.#retry = clock.setTimer(pause, () => {
      this.#retry = undefined;
      this.#connect();
    });
    this.#leave('Idle');
  }

  #leave(state: StationState): void {
    const wasEstablished = this.established;
    this.#enter(state);
    if (wasEstablished) this.#dependencies.onDown();
  }

  #enter(state: StationState): void {
    this.#state = state;
    this.#since = this.#dependencies.clock.wallTime();
    this.#dependencies.onChange();
  }
}

function termination(reason: number, texts: readonly string[]): Uint8Array {
  return encodeMessage({ kind: 'termination', reason, texts });
}
