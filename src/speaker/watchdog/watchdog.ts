// What happens when the event loop is stuck. A warning needs no other thread: it is given when the loop turns again,
// with the stage that took the longest. A timeout does: guard-worker.ts ends a process whose loop does not turn again.

import { Worker } from 'node:worker_threads';
import type { DiagnosisConfig } from '../../config/diagnosis-defaults.ts';
import type { Logger } from '../../lib/log.ts';
import type { Scheduler } from '../../lib/scheduler.ts';
import type { StageBeat } from '../../lib/stage-beat.ts';
import type { JournalEntry } from '../api/journal.ts';
import type { Journal } from '../journal/journal.ts';
import type { GuardData, GuardMessage, ReportDraft } from './guard-protocol.ts';

/** A thread that watches. */
export interface Guard {
  send(message: GuardMessage): void;
  stop(): void;
}

export interface WatchdogParts {
  readonly scheduler: Pick<Scheduler, 'takeSlowest'>;
  readonly journal: Journal;
  readonly log: Logger;
  readonly beat: StageBeat;
  readonly directory: () => string;
  readonly draft: () => ReportDraft;
  readonly startGuard: (data: GuardData, failed: (error: Error) => void) => Guard;
}

const MS_PER_SECOND = 1000;
const MICROS_PER_SECOND = 1_000_000;
/** Ticks of the loop's lag between two drafts of the report: half a minute. */
const TICKS_PER_DRAFT = 600;
/** Megabytes. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 } as const;

export class Watchdog {
  readonly #parts: WatchdogParts;
  #options: DiagnosisConfig['watchdog'] = { warning: 0, timeout: 0 };
  /** Where the guard writes its report. */
  #directory: string | undefined;
  #guard: Guard | undefined;
  #unfollow: () => void = () => {};
  #ticks = 0;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  /** Takes over what a configuration says. */
  use(options: DiagnosisConfig['watchdog']): void {
    const directory = this.#parts.directory();
    const moved = options.timeout !== this.#options.timeout || directory !== this.#directory;
    this.#options = options;
    this.#directory = directory;
    if (!moved) return;
    this.stop();
    this.#options = options;
    if (options.timeout > 0) this.#start(options.timeout * MS_PER_SECOND, directory);
  }

  /** The loop turns, so late. */
  tick(lagMs: number): void {
    const { beat, scheduler } = this.#parts;
    beat.beat();
    const slowest = scheduler.takeSlowest();
    const { warning } = this.#options;
    if (warning > 0 && lagMs >= warning * MS_PER_SECOND) this.#warn(lagMs, slowest);
    if (this.#guard === undefined || ++this.#ticks < TICKS_PER_DRAFT) return;
    this.#ticks = 0;
    this.#guard.send({ kind: 'draft', draft: this.#parts.draft() });
  }

  stop(): void {
    this.#unfollow();
    this.#guard?.stop();
    this.#guard = undefined;
    this.#options = { ...this.#options, timeout: 0 };
  }

  #warn(lagMs: number, slowest: { name: string; micros: number } | undefined): void {
    const seconds = (lagMs / MS_PER_SECOND).toFixed(1);
    const ran =
      slowest === undefined
        ? 'no stage ran'
        : `the longest stage was ${slowest.name} with ${(slowest.micros / MICROS_PER_SECOND).toFixed(1)} s`;
    const sentence = `the event loop did not turn for ${seconds} s; ${ran}`;
    this.#parts.log.warn({ lagMs }, sentence);
    this.#parts.journal.note('loop-stuck', sentence);
  }

  #start(timeoutMs: number, directory: string): void {
    const { beat, draft, startGuard, journal, log } = this.#parts;
    const data = { beat: beat.buffer, timeoutMs, directory, draft: draft() };
    this.#guard = startGuard(data, (error) => {
      this.#guard = undefined;
      log.error({ error }, 'the watchdog ended: a stuck process will not be');
    });
    this.#unfollow = journal.follow((entry: JournalEntry) => this.#guard?.send({ kind: 'event', entry }));
  }
}

/** The guard as a thread. */
export function startGuardThread(workerData: GuardData, failed: (error: Error) => void): Guard {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./guard-worker.${extension}`, import.meta.url), {
    workerData,
    resourceLimits: HEAP,
  });
  // It must not keep a process alive that has nothing else to do.
  worker.unref();
  worker.on('error', (error) => failed(error instanceof Error ? error : new Error(String(error))));
  return {
    send: (message) => worker.postMessage(message),
    stop: () => void worker.terminate(),
  };
}
