// One cache of RPKI data over time: connections come and go, queries are repeated (RFC 8210 §6), and what a lost cache
// has said counts until it expires. The words are conversation.ts's. Who has which record is for `apply` to know, and
// which of several caches is asked for cache-set.ts.

import type {
  CacheCounters,
  CacheDependencies,
  CacheImage,
  CacheSettings,
  CacheSocket,
  CacheState,
  CacheStatus,
  RecordProblem,
} from './cache-types.ts';
import { type Answer, Conversation, type Ending, type Origin } from './conversation.ts';
import { Countdown } from './countdown.ts';
import { type Seconds, secondsOf } from './intervals.ts';
import { errorReport } from './pdu.ts';
import { errorName, RTR_ERROR } from './protocol.ts';
import { aspaPdu, RecordBatch } from './record-batch.ts';

const MS = 1000;
/** A cache that was asked and says nothing for so long is gone, whatever TCP believes. */
const SILENCE_MS = 60_000;

/** A connection with what is said over it. */
interface Line {
  readonly socket: CacheSocket;
  readonly conversation: Conversation;
  /** It can be asked over. */
  open: boolean;
}

/** An update that is being made to count. */
interface Application {
  readonly answer: Answer;
  readonly receivedAt: number;
}

export class CacheClient {
  readonly #dependencies: CacheDependencies;
  #settings: CacheSettings;
  #state: CacheState = 'Down';
  #line: Line | undefined;
  /** To begin the next connection with. */
  #version: number;
  #application: Application | undefined;
  /** The cache is to be asked when the update counts. */
  #askLater = false;
  #origin: Origin | undefined;
  #hasData = false;
  #lastUpdate: number | undefined;
  #problem: string | undefined;
  /** There was an End of Data since the last connection that was made at once: the next loss may be answered at once. */
  #mayHurry = false;
  #seconds: Seconds;
  readonly #refresh: Countdown;
  readonly #retry: Countdown;
  readonly #expire: Countdown;
  readonly #silence: Countdown;
  readonly #counters: CacheCounters = { connections: 0, updates: 0, resets: 0, errors: 0, expirations: 0 };

  /** `handed`: what another client has left, whose records count already. */
  constructor(settings: CacheSettings, dependencies: CacheDependencies, handed?: CacheImage) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#version = settings.maxVersion;
    this.#seconds = secondsOf(settings);
    const { clock } = dependencies;
    this.#refresh = new Countdown(clock, () => this.#ask());
    this.#retry = new Countdown(clock, () => this.#again());
    this.#expire = new Countdown(clock, () => this.#expired());
    this.#silence = new Countdown(clock, () => this.#lost('the cache does not answer'));
    if (handed !== undefined) this.#takeOver(handed);
  }

  #takeOver({ origin, lastUpdate, expiresAt, seconds, problem }: CacheImage): void {
    this.#origin = origin;
    this.#hasData = true;
    this.#lastUpdate = lastUpdate;
    this.#problem = problem;
    this.#seconds = secondsOf(this.#settings, seconds);
    const ms = this.#seconds.expire * MS;
    this.#expire.start(ms, ms - (expiresAt - this.#dependencies.clock.wallTime()));
  }

  get running(): boolean {
    return this.#state !== 'Down';
  }

  get status(): CacheStatus {
    return {
      state: this.#state,
      version: this.#line?.conversation.version ?? this.#version,
      sessionId: this.#origin?.sessionId,
      serial: this.#origin?.serial,
      lastUpdate: this.#lastUpdate,
      hasData: this.#hasData,
      problem: this.#problem,
      timers: { refresh: this.#refresh.view, retry: this.#retry.view, expire: this.#expire.view },
      counters: this.#counters,
    };
  }

  /** For another client to go on with; undefined where no record counts. */
  get image(): CacheImage | undefined {
    const left = this.#expire.view?.left;
    const lastUpdate = this.#lastUpdate;
    if (!this.#hasData || left === undefined || lastUpdate === undefined) return undefined;
    const expiresAt = this.#dependencies.clock.wallTime() + left;
    return {
      origin: this.#origin,
      lastUpdate,
      expiresAt,
      seconds: { ...this.#seconds },
      problem: this.#problem,
    };
  }

  start(): void {
    if (this.running) return;
    const { minVersion, maxVersion } = this.#settings;
    const spoken = this.#origin?.version ?? maxVersion;
    this.#version = spoken >= minVersion && spoken <= maxVersion ? spoken : maxVersion;
    this.#mayHurry = false;
    this.#connect();
  }

  /** Ends the session and takes its records back. */
  stop(): void {
    if (!this.running) return;
    this.#hangUp();
    this.#retry.stop();
    this.#problem = undefined;
    this.#drop();
    this.#enter('Down');
  }

  /**
   * Other intervals count from the next round on, other versions from the next connection on. Another retry interval
   * counts at once: whoever shortens it waits for that cache.
   */
  useSettings(settings: CacheSettings): void {
    const { seconds, keep } = this.#settings.intervals.retry;
    const { retry } = settings.intervals;
    this.#settings = settings;
    this.#seconds = secondsOf(settings);
    this.#version = settings.maxVersion;
    // Else it stays what the cache has asked for, which may be less.
    if (seconds !== retry.seconds || keep !== retry.keep) this.#retry.change(this.#seconds.retry * MS);
  }

  /** Asks now instead of at the end of an interval. */
  refreshNow(): void {
    if (this.#line === undefined ? this.#retry.running : !this.#line.conversation.waiting) this.#again();
  }

  // ----- the connection

  #connect(): void {
    const { dial } = this.#dependencies;
    const versions = { first: this.#version, min: this.#settings.minVersion };
    this.#retry.stop();
    this.#counters.connections++;
    let line: Line | undefined;
    /** What an earlier connection still has to say interests nobody. */
    const ifCurrent = (fn: () => void): void => {
      if (line !== undefined && this.#line === line) fn();
    };
    const conversation = new Conversation(versions, {
      write: (bytes) => line?.socket.write(bytes),
      onRecords: () => this.#enter('Sync-Running'),
      onAnswer: (answer) => this.#answered(answer),
      onReset: () => this.#cacheReset(),
      onNoData: (text) => this.#noData(text),
      onNotify: (serial) => {
        if (conversation.waiting || this.#application !== undefined) this.#askLater = true;
        else if (serial !== this.#origin?.serial) this.#ask();
      },
      onEnd: (ending) => this.#ended(ending),
    });
    const socket = dial({
      onOpen: () =>
        ifCurrent(() => {
          if (line !== undefined) line.open = true;
          this.#ask();
        }),
      onData: (buffer, length) =>
        ifCurrent(() => {
          if (conversation.waiting) this.#silence.start(SILENCE_MS);
          conversation.receive(buffer, length);
        }),
      onClose: (reason) => ifCurrent(() => this.#closed(reason)),
    });
    line = { socket, conversation, open: false };
    this.#line = line;
    this.#enter('Connecting');
  }

  /** Lets the connection go. */
  #hangUp(): void {
    const line = this.#line;
    this.#line = undefined;
    this.#askLater = false;
    this.#refresh.stop();
    this.#silence.stop();
    if (line?.conversation.negotiated === true) this.#version = line.conversation.version;
    line?.socket.close();
  }

  #closed(reason: string): void {
    const conversation = this.#line?.conversation;
    // RFC 8210 §7: a cache that does not know the version may simply hang up. One that has answered in it knows it.
    const unanswered =
      this.#origin === undefined && conversation?.waiting === true && !conversation.negotiated;
    const { minVersion, maxVersion } = this.#settings;
    if (unanswered && this.#version > minVersion) {
      this.#ended({ kind: 'other-version', version: this.#version - 1 });
      return;
    }
    if (unanswered) this.#version = maxVersion;
    this.#lost(reason);
  }

  /** The connection is gone, or as good as gone. */
  #lost(reason: string): void {
    this.#hangUp();
    this.#fail('Transport-Error', reason);
    this.#connectAgain();
  }

  /** At once where all was well until now, else when the retry interval is over. */
  #connectAgain(): void {
    if (this.#mayHurry) {
      this.#mayHurry = false;
      this.#connect();
    } else this.#retry.start(this.#seconds.retry * MS);
  }

  #fail(state: CacheState, reason: string): void {
    this.#problem = reason;
    this.#counters.errors++;
    this.#dependencies.log.warn({}, `${reason}${this.#hasData ? '; what the cache has said counts on' : ''}`);
    this.#enter(state);
  }

  #ended(ending: Ending): void {
    const line = this.#line;
    if (ending.kind === 'other-version') {
      this.#hangUp();
      this.#version = ending.version;
      this.#origin = undefined;
      this.#connect();
      return;
    }
    const version = line?.conversation.version ?? this.#version;
    if (ending.kind !== 'told' && ending.report !== undefined) {
      line?.socket.write(errorReport(version, ending.report.problem, ending.report.quoted));
    }
    if (line?.conversation.negotiated !== true) this.#version = this.#settings.maxVersion;
    this.#hangUp();
    this.#origin = undefined;
    if (ending.kind === 'session-changed') this.#drop();
    this.#fail('Protocol-Error', ending.text);
    if (ending.kind === 'session-changed') this.#connectAgain();
    else this.#retry.start(this.#seconds.retry * MS);
  }

  // ----- asking

  #again(): void {
    this.#retry.stop();
    if (this.#line === undefined) this.#connect();
    else this.#ask();
  }

  #ask(): void {
    if (this.#line?.open !== true) return;
    const { conversation } = this.#line;
    if (conversation.waiting) return;
    if (this.#application !== undefined) {
      this.#askLater = true;
      return;
    }
    this.#askLater = false;
    this.#refresh.stop();
    this.#retry.stop();
    this.#silence.start(SILENCE_MS);
    conversation.ask(this.#origin);
    this.#enter('Sync-Start');
  }

  #cacheReset(): void {
    this.#counters.resets++;
    this.#origin = undefined;
    this.#enter('Cache-Reset');
    this.#ask();
  }

  /** RFC 8210 §8.4: it is asked for everything until it has something. */
  #noData(text: string): void {
    this.#silence.stop();
    this.#origin = undefined;
    this.#fail('No-Data', text);
    this.#retry.start(this.#seconds.retry * MS);
  }

  // ----- the records

  #answered(answer: Answer): void {
    const { apply, clock } = this.#dependencies;
    const application = { answer, receivedAt: clock.now() };
    this.#silence.stop();
    this.#application = application;
    apply({ whole: answer.whole, records: answer.records }, (problem) => {
      const current = this.#application === application;
      if (current) this.#application = undefined;
      if (!this.running) return;
      // Where it is not the current one, what it brought was taken back meanwhile.
      if (!current) this.#ask();
      else if (problem === undefined) this.#updated(application);
      else this.#contradicted(answer, problem);
    });
  }

  #updated({ answer, receivedAt }: Application): void {
    const { clock, log } = this.#dependencies;
    const { origin, intervals } = answer;
    if (this.#problem !== undefined || !this.#hasData) {
      log.info({}, `in sync: version ${origin.version}, serial ${origin.serial}`);
    }
    this.#origin = origin;
    this.#version = origin.version;
    this.#hasData = true;
    this.#lastUpdate = clock.wallTime();
    this.#counters.updates++;
    if (intervals !== undefined) this.#seconds = secondsOf(this.#settings, intervals);
    // Both count from the End of Data (RFC 8210 §6).
    const passed = clock.now() - receivedAt;
    this.#expire.start(this.#seconds.expire * MS, passed);
    // The connection may have been lost since, and another one be on its way.
    if (this.#line === undefined || this.#line.conversation.waiting) return;
    const askLater = this.#askLater;
    if (this.#state === 'Connecting') {
      if (askLater) this.#ask();
      return;
    }
    this.#problem = undefined;
    this.#mayHurry = true;
    this.#refresh.start(this.#seconds.refresh * MS, passed);
    this.#enter('Established');
    if (askLater) this.#ask();
  }

  /** A record that contradicts others: RFC 8210 §12, codes 6 and 7. */
  #contradicted({ records, origin }: Answer, { kind, family, index }: RecordProblem): void {
    const code = kind === 'unknown' ? RTR_ERROR.unknownRecord : RTR_ERROR.duplicate;
    const quoted =
      family === 'aspa' ? aspaPdu(records.aspas[index]!) : records[family].pdu(index, origin.version);
    const problem = { code, text: kind === 'unknown' ? 'it was not announced' : 'it is announced already' };
    this.#ended({
      kind: 'refused',
      text: `${errorName(code)}: ${problem.text}`,
      report: { problem, quoted },
    });
  }

  #expired(): void {
    this.#counters.expirations++;
    this.#dependencies.log.warn({}, 'what the cache has said has expired and counts no more');
    // Changes to what is gone would count as all that the cache has.
    const overtaken = this.#line?.conversation.awaitsChanges === true;
    if (overtaken) this.#hangUp();
    this.#drop();
    if (overtaken) this.#connect();
    else {
      this.#dependencies.onChange();
      if (!this.#retry.running) this.#ask();
    }
  }

  /** Takes all records back; the next query asks for everything. */
  #drop(): void {
    this.#expire.stop();
    this.#origin = undefined;
    this.#version = this.#settings.maxVersion;
    if (this.#hasData || this.#application !== undefined) {
      this.#application = undefined;
      this.#dependencies.apply({ whole: true, records: new RecordBatch() }, () => undefined);
    }
    this.#hasData = false;
  }

  #enter(state: CacheState): void {
    this.#state = state;
    this.#dependencies.onChange();
  }
}
