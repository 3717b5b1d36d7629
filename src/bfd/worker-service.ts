// BfdService as the main thread has it: every call is a message to the thread that keeps the sessions, and what becomes
// of them comes back as one. The thread has a small heap of its own, so that its collections take next to no time.

import { Worker } from 'node:worker_threads';
import { errorText } from '../lib/error-text.ts';
import type { BfdImage } from './image.ts';
import type { BfdEvents, BfdService, SessionSpec } from './service.ts';
import type { SessionOptions } from './session.ts';
import { type Libc, loadLibc } from './udp/libc.ts';
import type { WorkerCommand, WorkerData, WorkerNews } from './worker-protocol.ts';

/** Megabytes. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 } as const;
const EVENTFD_FLAGS = 0o2004000;
/** A number for an eventfd, not zero on any machine. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

/** Thrown where the thread cannot be had; the sentence says what is missing. */
export class BfdUnavailableError extends Error {
  constructor(reason: string) {
    super(`BFD cannot be had: ${reason}`);
    this.name = 'BfdUnavailableError';
  }
}

export class WorkerBfdService implements BfdService {
  readonly #worker: Worker;
  readonly #libc: Libc;
  #wakeFd: number;
  #closing = false;
  readonly #ended: Promise<void>;
  #images: ReadonlyMap<number, BfdImage> = new Map();

  private constructor(worker: Worker, libc: Libc, wakeFd: number, events: BfdEvents) {
    this.#worker = worker;
    this.#libc = libc;
    this.#wakeFd = wakeFd;
    let failure = 'the BFD thread ended';
    worker.on('message', (news: WorkerNews) => {
      if (news.kind === 'images') this.#images = news.images;
      if (news.kind !== 'reports') return;
      for (const report of news.reports) events.onReport(report, news.at);
    });
    worker.on('error', (error) => {
      failure = `the BFD thread failed: ${errorText(error)}`;
    });
    this.#ended = new Promise((resolve) => {
      worker.on('exit', () => {
        libc.close(this.#wakeFd);
        this.#wakeFd = -1;
        resolve();
        if (!this.#closing) events.onFailure(failure);
      });
    });
  }

  /** Starts the thread. Throws BfdUnavailableError. */
  static open(events: BfdEvents): WorkerBfdService {
    const libc = loadLibc();
    if (libc === undefined)
      throw new BfdUnavailableError('it needs Linux with 64 bits and the koffi library');
    const wakeFd = libc.eventfd(0, EVENTFD_FLAGS);
    if (wakeFd < 0) throw new BfdUnavailableError(`eventfd failed with errno ${libc.errno()}`);
    // From the built files the worker is JavaScript, from the sources TypeScript (Node 22.18 and later run it).
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const workerData: WorkerData = { wakeFd };
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData,
      resourceLimits: HEAP,
    });
    return new WorkerBfdService(worker, libc, wakeFd, events);
  }

  add(id: number, spec: SessionSpec, image?: BfdImage): void {
    this.#post({ kind: 'add', id, spec, image });
  }

  update(id: number, options: SessionOptions): void {
    this.#post({ kind: 'update', id, options });
  }

  remove(id: number): void {
    this.#post({ kind: 'remove', id });
  }

  close(): Promise<void> {
    if (!this.#closing) this.#post({ kind: 'close' });
    this.#closing = true;
    return this.#ended;
  }

  async handOver(): Promise<ReadonlyMap<number, BfdImage>> {
    if (!this.#closing) this.#post({ kind: 'handOver' });
    this.#closing = true;
    await this.#ended;
    return this.#images;
  }

  #post(command: WorkerCommand): void {
    if (this.#wakeFd < 0 || this.#closing) return;
    this.#worker.postMessage(command);
    this.#libc.write(this.#wakeFd, ONE, ONE.length);
  }
}
