// What a speaker keeps for the day something goes wrong: the journal with its file, causes of sessions' ends, how late
// the loop is, and what is known of the way to a peer. Nothing here is on the way of a route.

import type { SessionNote } from '../bgp/session/peer-history.ts';
import type { Config } from '../config/model.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { LagStats, LoopLag } from '../lib/loop-lag.ts';
import type { TcpDrops } from '../lib/tcp-drops.ts';
import { FileJournal, type JournalStore } from './journal/file-journal.ts';
import { Journal, type JournalImage } from './journal/journal.ts';
import { journalingLog, type LogCodes } from './journal/journaling-log.ts';
import { type CountedCause, SessionEvents } from './journal/session-events.ts';
import { type EvidenceSources, PathWitness } from './path-evidence.ts';

/** What comes from the machine; a simulated speaker has none of it. */
export interface DiagnosisParts {
  readonly journalStore?: JournalStore;
  readonly tcpDrops?: () => TcpDrops | undefined;
  readonly loopLag?: LoopLag;
  /** Takes over another configuration of the watchdog. */
  readonly useWatchdog?: (options: Config['diagnosis']['watchdog']) => void;
}

/** Plain data. */
export interface DiagnosisImage {
  readonly journal: JournalImage;
  readonly causes: readonly CountedCause[];
}

/** Parts that report what goes wrong by their log alone. */
const LOG_CODES = {
  listeners: { warning: 'listener-problem', error: 'listener-problem' },
  limits: { warning: 'limit', error: 'limit' },
  restarts: { warning: 'stale-routes-gone', error: 'stale-routes-gone' },
  kernel: { warning: 'kernel-notice', error: 'kernel-problem' },
} as const satisfies Record<string, LogCodes>;

const NO_LAG: LagStats = { p50: 0, p99: 0, max: 0, longest: 0 };

export class Diagnosis {
  readonly journal: Journal;
  readonly sessions: SessionEvents;
  readonly witness: PathWitness;
  readonly #file: FileJournal | undefined;
  readonly #parts: DiagnosisParts;
  readonly #log: Logger;

  constructor(
    config: Config,
    parts: DiagnosisParts,
    tools: { clock: Clock; log: Logger; alive: EvidenceSources['alive'] },
  ) {
    const { journalStore: store, tcpDrops } = parts;
    this.#parts = parts;
    this.#log = tools.log;
    this.journal = new Journal(tools.clock, config.diagnosis.journal.events);
    this.sessions = new SessionEvents(this.journal);
    const { clock, alive } = tools;
    this.witness = new PathWitness({ clock, tcpDrops, alive, loopLagMs: () => this.lag.max });
    this.#file = store && new FileJournal(this.journal, { ...tools, store });
    this.#file?.use(config.diagnosis.journal);
  }

  /** For another process to go on with. */
  get image(): DiagnosisImage {
    return { journal: this.journal.image, causes: this.sessions.causes };
  }

  restore({ journal, causes }: DiagnosisImage): void {
    this.journal.restore(journal);
    this.sessions.restore(causes);
  }

  /** The log of a part whose warnings and errors are events, too. */
  logOf(part: keyof typeof LOG_CODES): Logger {
    return journalingLog(this.#log, this.journal, LOG_CODES[part]);
  }

  get lag(): LagStats {
    return this.#parts.loopLag?.stats ?? NO_LAG;
  }

  /** Another configuration. */
  use(config: Config): void {
    this.journal.resize(config.diagnosis.journal.events);
    this.#file?.use(config.diagnosis.journal);
    this.#parts.useWatchdog?.(config.diagnosis.watchdog);
  }

  /** What became of a peer's session. */
  note(peer: string, note: SessionNote): void {
    this.sessions.note(peer, note);
  }

  /** Waits for what is queued for the file, as long as the disk takes it. */
  async flush(): Promise<void> {
    await this.#file?.flush();
  }

  /** Writes what is queued for the file before it returns; for a process that ends. */
  flushNow(): void {
    this.#file?.flushNow();
  }

  async close(): Promise<void> {
    this.witness.stop();
    await this.#file?.close();
  }
}
