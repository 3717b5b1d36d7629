// The thread that keeps the sessions. It has no event loop while it works: it waits in ppoll for packets, for a message
// of the main thread or for the next session that is due, reads everything that has arrived, and only then looks at the
// time. So a thread that was held up counts the packets that came meanwhile, and declares nobody dead who spoke.

import { getRandomValues } from 'node:crypto';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Clock, type Random, systemClock } from '../lib/clock.ts';
import { BfdEngine } from './engine.ts';
import type { SessionReport } from './service.ts';
import { LITTLE_ENDIAN, type Libc, loadLibc, POLLFD_OCTETS, POLLIN, setWord } from './udp/libc.ts';
import { UdpTransport } from './udp/udp-transport.ts';
import type { WorkerCommand, WorkerData, WorkerNews } from './worker-protocol.ts';

/** At least so often the thread can be seen to live, and a process that ends need not wait longer for it. */
const LONGEST_WAIT_MS = 250;
/** Woken again so soon, the thread waits a while whatever comes; a packet may be late by that much. */
const RUSH_MS = 0.5;
const GATHER_MS = 1;
const NANOS_PER_MS = 1e6;
const MS_PER_SECOND = 1000;
/** SCHED_RR with SCHED_RESET_ON_FORK, and the lowest of its priorities. */
const REAL_TIME = { policy: 0x4000_0002, priority: 1 } as const;
const NICE = -15;
const RANDOM_POOL = 256;
const UINT32 = 2 ** 32;

class Keeper {
  readonly #libc: Libc;
  readonly #clock: Clock;
  readonly #port: MessagePort;
  readonly #wakeFd: number;
  readonly #transport: UdpTransport;
  readonly #engine: BfdEngine;
  readonly #reports: SessionReport[] = [];
  readonly #timeout = new Uint8Array(16);
  readonly #timeoutView = new DataView(this.#timeout.buffer);
  #polled = new Uint8Array(0);
  #open = true;
  /** Clock milliseconds. */
  #lastWake = 0;

  constructor(libc: Libc, port: MessagePort, wakeFd: number, clock: Clock) {
    this.#libc = libc;
    this.#clock = clock;
    this.#port = port;
    this.#wakeFd = wakeFd;
    this.#transport = new UdpTransport(libc, () => this.#listDescriptors());
    this.#engine = new BfdEngine({
      transport: this.#transport,
      random: poolOfRandom(),
      onReport: (report) => this.#reports.push(report),
    });
    this.#listDescriptors();
  }

  /** Until the main thread closes it. */
  run(): void {
    const receive = (datagram: Parameters<BfdEngine['receive']>[0]): void =>
      this.#engine.receive(datagram, this.#clock.now());
    while (this.#open) {
      this.#wait(this.#engine.due - this.#clock.now());
      // Taken before the sockets are read: until then everybody is heard, wherever the thread is held up.
      const now = this.#clock.now();
      this.#transport.drain(receive);
      this.#obey();
      // What goes on elsewhere must not be spoken for here.
      if (this.#open) this.#engine.run(now);
      this.#tell();
    }
    this.#transport.close();
    this.#post({ kind: 'closed' });
    this.#port.close();
  }

  #wait(ms: number): void {
    // In a rush packets are gathered: many with one system call cost little more than one.
    const woke = this.#clock.now();
    const rush = woke - this.#lastWake < RUSH_MS;
    this.#lastWake = woke;
    const wait = rush ? GATHER_MS : Math.min(LONGEST_WAIT_MS, Math.max(0, ms));
    setWord(this.#timeoutView, 0, Math.floor(wait / MS_PER_SECOND));
    setWord(this.#timeoutView, 8, Math.floor((wait % MS_PER_SECOND) * NANOS_PER_MS));
    // Whatever it says: the sockets are read anyway.
    const watched = rush ? 1 : this.#polled.length / POLLFD_OCTETS;
    this.#libc.ppoll(this.#polled, watched, this.#timeout, null);
  }

  #listDescriptors(): void {
    const descriptors = [this.#wakeFd, ...this.#transport.descriptors];
    this.#polled = new Uint8Array(descriptors.length * POLLFD_OCTETS);
    const view = new DataView(this.#polled.buffer);
    for (const [i, fd] of descriptors.entries()) {
      view.setInt32(i * POLLFD_OCTETS, fd, LITTLE_ENDIAN);
      view.setInt16(i * POLLFD_OCTETS + 4, POLLIN, LITTLE_ENDIAN);
    }
  }

  /** revents of the first descriptor. */
  get #woken(): boolean {
    return this.#polled[6] !== 0 || this.#polled[7] !== 0;
  }

  #obey(): void {
    if (!this.#woken) return;
    this.#libc.read(this.#wakeFd, this.#timeout, 8);
    for (;;) {
      const received: { message: WorkerCommand } | undefined = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      this.#carryOut(received.message);
    }
  }

  #carryOut(command: WorkerCommand): void {
    const now = this.#clock.now();
    switch (command.kind) {
      case 'add':
        this.#engine.add(command.id, command.spec, now, command.image);
        return;
      case 'update':
        this.#engine.update(command.id, command.options);
        return;
      case 'remove':
        this.#engine.remove(command.id, now);
        return;
      case 'close':
        this.#engine.close(now);
        this.#open = false;
        return;
      case 'handOver':
        this.#post({ kind: 'images', images: this.#engine.images() });
        this.#open = false;
        return;
    }
  }

  #tell(): void {
    if (this.#reports.length === 0) return;
    this.#post({ kind: 'reports', reports: this.#reports, at: this.#clock.wallTime() });
    this.#reports.length = 0;
  }

  #post(news: WorkerNews): void {
    this.#port.postMessage(news);
  }
}

/**
 * This thread before all others: by the real-time scheduler where that is allowed, else by its priority. It works some
 * microseconds at a time. Without the privilege everything stays as it is.
 */
function hurry(libc: Libc): void {
  const parameters = new Uint8Array(4);
  new DataView(parameters.buffer).setInt32(0, REAL_TIME.priority, LITTLE_ENDIAN);
  if (libc.schedSetscheduler(0, REAL_TIME.policy, parameters) < 0) libc.setpriority(0, 0, NICE);
}

/** Numbers that nobody can guess (RFC 5880 §6.8.1), without a call into the library for each. */
function poolOfRandom(): Random {
  const pool = new Uint32Array(RANDOM_POOL);
  let next = RANDOM_POOL;
  return () => {
    if (next === RANDOM_POOL) {
      getRandomValues(pool);
      next = 0;
    }
    return pool[next++]! / UINT32;
  };
}

if (parentPort === null) throw new Error('the BFD worker runs as a worker thread only');
const libc = loadLibc();
if (libc === undefined) throw new Error('the BFD worker needs Linux and the koffi library');
hurry(libc);
const data: WorkerData = workerData;
new Keeper(libc, parentPort, data.wakeFd, systemClock).run();
