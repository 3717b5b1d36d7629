// From one configuration to the next, one after the other: reload, the same with a way back (undo by hand, when nobody
// confirms in time, or when peers are lost), and protocols that an operator has switched. What was read is kept apart
// from what is in force, which has what is switched. Reloads keep that with native configurations; with those in
// BIRD's language they put every protocol where its file has it, as BIRD does.

import { diffConfig } from '../config/diff.ts';
import type { LoadResult } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { Timer } from '../lib/clock.ts';
import { CommandError, ConfigurationError } from './api.ts';
import { declaredProtocols } from './bird/declared.ts';
import { effectiveConfig } from './bird/effective.ts';
import type { EventCode } from './journal/event-codes.ts';
import { KernelUnavailableError } from './open-kernel.ts';
import { applyPlan } from './reload.ts';
import type { Speaker } from './speaker.ts';

const MS_PER_SECOND = 1000;

/** Reads a configuration: the one of the start, or another file. */
export type ConfigLoader = (file?: string) => LoadResult;
/** Hears of each configuration that is in force from now on. */
export type OnApplied = (written: Config) => void;

export interface ReconfigureOptions {
  readonly file?: string;
  /** Changed policies count for later routes only. */
  readonly soft?: boolean;
  /** Seconds until it is undone unless confirmed. */
  readonly timeout?: number;
}

interface Pending {
  readonly timer: Timer;
  /** Clock.now() */
  readonly until: number;
  readonly unwatch: () => void;
}

export class Reconfiguration {
  readonly #speaker: Speaker;
  readonly #load: ConfigLoader;
  readonly #onApplied: OnApplied;
  #queue: Promise<unknown> = Promise.resolve();
  /** What was in force before the last change. */
  #previous: Config | undefined;
  #pending: Pending | undefined;

  constructor(speaker: Speaker, load: ConfigLoader, onApplied: OnApplied = () => {}) {
    this.#speaker = speaker;
    this.#load = load;
    this.#onApplied = onApplied;
  }

  /** Seconds until what was applied is undone; undefined where nothing waits for its confirmation. */
  get undoIn(): number | undefined {
    if (this.#pending === undefined) return undefined;
    return Math.max(0, this.#pending.until - this.#speaker.parts.clock.now()) / MS_PER_SECOND;
  }

  /** Sentences of what changed. Rejects with every complaint where the file is bad; nothing has changed then. */
  reload(options: ReconfigureOptions = {}): Promise<string[]> {
    return this.#enqueue(async () => {
      const config = this.#readToUse(options.file);
      const before = this.#speaker.written;
      const established = this.#established();
      const changes = await this.#replace(config, options.soft === true);
      this.#inForce(config);
      this.#note('configuration-applied', changes.length === 0 ? 'nothing changed' : changes.join('; '));
      this.#previous = before;
      this.#endPending();
      if (options.timeout !== undefined) this.#startPending(options.timeout, established);
      return changes;
    });
  }

  /** Reads the file and throws CommandError with every complaint. */
  check(file: string | undefined): void {
    this.#read(file);
  }

  /** False where nothing waits for it. */
  confirm(): boolean {
    const waited = this.#pending !== undefined;
    this.#endPending();
    return waited;
  }

  /** False where there is nothing to go back to. */
  undo(): Promise<boolean> {
    return this.#enqueue(() => this.#goBack());
  }

  async #goBack(): Promise<boolean> {
    const previous = this.#previous;
    this.#endPending();
    if (previous === undefined) return false;
    const changes = await this.#replace(previous, false);
    this.#previous = undefined;
    this.#inForce(previous);
    this.#note('configuration-undone', ['the configuration before is back', ...changes].join('; '));
    return true;
  }

  /** Switches a protocol that is no peer. Where that cannot be, it stays as it was. */
  switch(name: string, on: boolean): Promise<unknown> {
    return this.#enqueue(async () => {
      const { written, protocols } = this.#speaker;
      const declared = declaredProtocols(written).find((each) => each.name === name);
      // A reload may have come first.
      if (declared === undefined) return;
      protocols.switch(declared, on);
      try {
        await this.#apply(written, false);
      } catch (error) {
        protocols.switch(declared, !on);
        throw error;
      }
    });
  }

  /** Switching a protocol off and on is no new configuration. */
  #inForce(written: Config): void {
    this.#speaker.reconfiguredAt = this.#speaker.parts.clock.wallTime();
    this.#speaker.tracer.use(written);
    this.#onApplied(written);
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    // One after the other: each compares with what the one before has made.
    const next = this.#queue.then(work);
    this.#queue = next.then(ignore, ignore);
    return next;
  }

  /** A configuration that is looked at and not used. Throws ConfigurationError. */
  candidate(file: string | undefined): Config {
    return this.#read(file);
  }

  #readToUse(file: string | undefined): Config {
    try {
      return this.#read(file);
    } catch (error) {
      if (error instanceof ConfigurationError) this.#note('configuration-refused', error.message);
      throw error;
    }
  }

  #note(code: EventCode, sentence: string): void {
    const line = sentence.replaceAll(/:\s*\n\s*/g, ': ').replaceAll(/\s*\n\s*/g, '; ');
    this.#speaker.diagnosis.journal.note(code, line);
  }

  #read(file: string | undefined): Config {
    const result = this.#load(file);
    if (result.ok) return result.config;
    throw new ConfigurationError(result.issues.filter(({ severity }) => severity === 'error'));
  }

  async #replace(written: Config, soft: boolean): Promise<string[]> {
    if (written.bird === undefined) return this.#apply(written, soft);
    const { protocols } = this.#speaker;
    const before = new Map(protocols.switched);
    // What is switched from now on waits for its turn behind this one.
    protocols.switched.clear();
    try {
      const changes = await this.#apply(written, soft);
      for (const { name, disabled } of declaredProtocols(written)) {
        if (!before.has(name)) continue;
        protocols.messages.delete(name);
        protocols.note(name, disabled ? 'down' : 'up');
      }
      return [...changes, ...this.#resetPeers()];
    } catch (error) {
      for (const [name, on] of before) protocols.switched.set(name, on);
      throw error;
    }
  }

  /** Puts every peer where its configuration has it. Sentences of what changed. */
  #resetPeers(): string[] {
    const { registry, protocols } = this.#speaker;
    const changed = [...registry.values()].filter(({ peer, settings }) => peer.adminUp !== settings.enabled);
    return changed.map((handle) => {
      const { enabled } = handle.settings;
      protocols.messages.delete(handle.name);
      if (enabled) handle.peer.start();
      else registry.stop(handle, undefined);
      return `peer ${handle.name}: ${enabled ? 'started' : 'shut down'}, as it is configured`;
    });
  }

  async #apply(written: Config, soft: boolean): Promise<string[]> {
    const speaker = this.#speaker;
    if (speaker.state !== 'running') throw new CommandError('failed', `godwit is ${speaker.state}`);
    const effective = effectiveConfig(written, speaker.protocols.switched);
    const plan = diffConfig(speaker.config, effective);
    const calm = (change: { softIn: boolean; softOut: boolean }) => ({
      ...change,
      softIn: false,
      softOut: false,
    });
    try {
      await applyPlan(
        speaker,
        soft
          ? {
              ...plan,
              peers: {
                ...plan.peers,
                changed: plan.peers.changed.map((each) => ({ ...each, ...calm(each) })),
              },
            }
          : plan,
        effective,
      );
    } catch (error) {
      if (error instanceof KernelUnavailableError) throw new CommandError('failed', error.message);
      throw error;
    }
    speaker.written = written;
    const names = [...declaredProtocols(written), ...speaker.registry.values()].map(({ name }) => name);
    speaker.protocols.useNames(new Set(names));
    speaker.tracer.review();
    return [...plan.sentences];
  }

  #established(): ReadonlySet<string> {
    const handles = [...this.#speaker.registry.values()];
    return new Set(handles.filter(({ established }) => established !== undefined).map(({ name }) => name));
  }

  #startPending(seconds: number, established: ReadonlySet<string>): void {
    const { clock } = this.#speaker.parts;
    const ms = seconds * MS_PER_SECOND;
    const pending: Pending = {
      timer: clock.setTimer(ms, () => this.#rollBack(pending, `nobody confirmed it within ${seconds} s`)),
      until: clock.now() + ms,
      unwatch: this.#speaker.watchers.watchPeers(({ peer }) => {
        if (established.has(peer.name) && this.#isLost(peer.name)) {
          this.#rollBack(pending, `the session with ${peer.name} was lost`);
        }
      }),
    };
    this.#pending = pending;
  }

  /** Its session ended, and not because this side wanted it so. */
  #isLost(name: string): boolean {
    const handle = this.#speaker.registry.find(name);
    if (handle === undefined || handle.established !== undefined || !handle.peer.adminUp) return false;
    const cause = handle.peer.lastDown?.cause;
    return cause !== undefined && cause !== 'admin-stop' && cause !== 'admin-reset' && cause !== 'collision';
  }

  #rollBack(pending: Pending, why: string): void {
    const { log } = this.#speaker.parts;
    const work = this.#enqueue(async () => {
      // What was under way may have been another configuration: that one is not meant.
      if (this.#pending !== pending) return;
      log.warn({}, `the new configuration is undone: ${why}`);
      await this.#goBack();
    });
    work.catch((error: unknown) => log.error({ error }, 'the configuration could not be undone'));
  }

  #endPending(): void {
    this.#pending?.timer.cancel();
    this.#pending?.unwatch();
    this.#pending = undefined;
  }
}

/** How a change ends is for its own caller to hear. */
function ignore(): void {}
