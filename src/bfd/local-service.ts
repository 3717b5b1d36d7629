// BfdService in the caller's own thread, on any clock and transport: for a speaker that is simulated as a whole. It has
// no part in a real one, whose packets must not wait for the tables.

import type { Clock, Random, Timer } from '../lib/clock.ts';
import { BfdEngine } from './engine.ts';
import type { BfdImage } from './image.ts';
import type { BfdEvents, BfdService, SessionSpec } from './service.ts';
import type { SessionOptions } from './session.ts';
import type { BfdTransport, Datagram } from './transport.ts';

export interface LocalServiceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Calls the function it gets for every packet that comes. */
  readonly transport: (receive: (datagram: Datagram) => void) => BfdTransport;
  readonly events: BfdEvents;
}

export class LocalBfdService implements BfdService {
  readonly engine: BfdEngine;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor({ clock, random, transport, events }: LocalServiceOptions) {
    this.#clock = clock;
    this.engine = new BfdEngine({
      random,
      transport: transport((datagram) => {
        this.engine.receive(datagram, clock.now());
        this.#arm();
      }),
      onReport: (report) => events.onReport(report, clock.wallTime()),
    });
  }

  add(id: number, spec: SessionSpec, image?: BfdImage): void {
    this.engine.add(id, spec, this.#clock.now(), image);
    this.#arm();
  }

  update(id: number, options: SessionOptions): void {
    this.engine.update(id, options);
    this.#arm();
  }

  remove(id: number): void {
    this.engine.remove(id, this.#clock.now());
    this.#arm();
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.engine.close(this.#clock.now());
  }

  async handOver(): Promise<ReadonlyMap<number, BfdImage>> {
    this.#timer?.cancel();
    return this.engine.images();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { due } = this.engine;
    if (due === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.now();
    this.#timer = this.#clock.setTimer(Math.max(0, due - now), () => {
      this.engine.run(this.#clock.now());
      this.#arm();
    });
  }
}
