// What a cache client is given and what it tells: its settings, the connection it works on, who takes its records, and
// what can be said of it at any time. Nothing here knows where tables are or what TCP is.

import type { Clock } from '../lib/clock.ts';
import type { IpVersion } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import type { Origin } from './conversation.ts';
import type { IntervalName } from './protocol.ts';
import type { RecordBatch } from './record-batch.ts';

/** Seconds. `keep`: whatever the cache says. */
export interface IntervalSetting {
  readonly seconds: number;
  readonly keep: boolean;
}

export interface CacheSettings {
  readonly intervals: Readonly<Record<IntervalName, IntervalSetting>>;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface CacheSocketEvents {
  onOpen(): void;
  /** `buffer[0, length)` is valid only during the call. */
  onData(buffer: Uint8Array, length: number): void;
  /** It is gone, or never came up; not called after close(). */
  onClose(reason: string): void;
}

export interface CacheSocket {
  /** In the order of the calls. */
  write(bytes: Uint8Array): void;
  /** Closes once what was written has left. */
  close(): void;
}

/** One update of a cache's records. */
export interface CacheUpdate {
  /** The records are all that the cache has; else they are changes. */
  readonly whole: boolean;
  readonly records: RecordBatch;
}

/** A record that contradicts those before it. */
export interface RecordProblem {
  readonly kind: 'unknown' | 'duplicate';
  readonly family: IpVersion | 'aspa';
  /** Its place in the batch. */
  readonly index: number;
}

export interface CacheDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly dial: (events: CacheSocketEvents) => CacheSocket;
  /** Makes an update count, all of it at once, or nothing of it and says why not. `done` may be called later. */
  readonly apply: (update: CacheUpdate, done: (problem: RecordProblem | undefined) => void) => void;
  /** Something that `status` shows is another. */
  readonly onChange: () => void;
}

/** Where another client goes on with what a cache has said (speaker/upgrade). */
export interface CacheImage {
  /** What to ask for changes since; undefined where everything has to be asked for. */
  readonly origin: Origin | undefined;
  /** Wall-clock milliseconds. */
  readonly lastUpdate: number;
  readonly expiresAt: number;
  /** Seconds, as agreed with the cache. */
  readonly seconds: Readonly<Record<IntervalName, number>>;
  readonly problem: string | undefined;
}

export type CacheState =
  | 'Down'
  | 'Connecting'
  | 'Sync-Start'
  | 'Sync-Running'
  | 'Established'
  | 'Cache-Reset'
  | 'No-Data'
  | 'Transport-Error'
  | 'Protocol-Error';

/** Milliseconds. */
export interface CountdownView {
  readonly left: number;
  readonly of: number;
}

export interface CacheStatus {
  readonly state: CacheState;
  readonly version: number;
  readonly sessionId: number | undefined;
  readonly serial: number | undefined;
  /** Wall-clock milliseconds of the last End of Data. */
  readonly lastUpdate: number | undefined;
  /** It has records that count. */
  readonly hasData: boolean;
  /** What went wrong last since the last End of Data; undefined while all is well. */
  readonly problem: string | undefined;
  readonly timers: Readonly<Record<IntervalName, CountdownView | undefined>>;
  readonly counters: Readonly<CacheCounters>;
}

export interface CacheCounters {
  connections: number;
  /** Updates that came to their End of Data and count. */
  updates: number;
  resets: number;
  errors: number;
  expirations: number;
}
