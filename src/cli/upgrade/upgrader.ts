// `godwit upgrade` in the daemon: the steps of a live upgrade (speaker/upgrade/state.ts) for all speakers of the
// process together, and the way back from each of them. The last step is taken a moment after the command was
// answered, because behind it nobody is left to answer.

import { closeSync, ftruncateSync, realpathSync, statSync, writeSync } from 'node:fs';
import { CommandError, type UpgradeView } from '../../control/protocol.ts';
import { errorText } from '../../lib/error-text.ts';
import type { Logger } from '../../lib/log.ts';
import { packageVersion } from '../../lib/package-info.ts';
import {
  type CreateOptions,
  encodeStates,
  type RunningSpeaker,
  type SpeakerState,
} from '../../speaker/main.ts';
import { handoverVariable, type Inheritance } from './inherited.ts';
import { type ExecLibrary, loadExecLibrary } from './native.ts';
import { ask } from './rehearsal.ts';
import { HANDOVER_VARIABLE, REHEARSAL } from './words.ts';

/** For the answer to be on its way. */
const ANSWER_MS = 100;
const STANDARD_STREAMS = [0, 1, 2] as const;
const ROOT = 0;
/** Of a file's mode: group and all. */
const WRITABLE_BY_OTHERS = 0o022;
/** Of npm packages (semver.org). */
const VERSION = /^\d+\.\d+\.\d+([-+][\w.+-]+)?$/;
/** Of what another program says instead. */
const LONGEST_QUOTE = 60;

/** How this process was started, and is to be started again. */
export interface Invocation {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv0: string;
  /** The script as it was named: what a symbolic link leads to may have changed. */
  readonly script: string;
  /** The words for the same script, and for another one, whose name tells nothing. */
  readonly words: readonly string[];
  readonly wordsElsewhere: readonly string[];
  /** Command lines that show whether a program takes the configuration. */
  readonly checks: readonly (readonly string[])[];
}

interface Participant {
  readonly name: string;
  readonly handOver: RunningSpeaker['handOver'];
  readonly logger: Logger;
}

export class Upgrader {
  readonly #invocation: Invocation;
  readonly #env: NodeJS.ProcessEnv;
  readonly #flush: () => void;
  readonly #participants: Participant[] = [];
  readonly #load: () => ExecLibrary | undefined;
  #busy = false;
  /** Those that must be told when nothing comes of it. */
  readonly #begun = new Set<Participant>();
  /** The file in memory, while there is one. */
  #state: number | undefined;

  /** `flush` writes what the log still has. */
  constructor(
    invocation: Invocation,
    env: NodeJS.ProcessEnv,
    flush: () => void,
    load: () => ExecLibrary | undefined = loadExecLibrary,
  ) {
    this.#load = load;
    this.#invocation = invocation;
    this.#env = env;
    this.#flush = flush;
  }

  /** A speaker of this process, which goes on with what was inherited and can be upgraded. */
  async createSpeaker(
    create: (options: CreateOptions) => Promise<RunningSpeaker>,
    options: CreateOptions,
    inherited: Inheritance | undefined,
  ): Promise<RunningSpeaker> {
    const { configFile: name, logger } = options;
    if (inherited?.problem !== undefined) {
      logger.error({ error: inherited.problem }, 'upgraded, but the sessions are lost: they start anew');
    }
    const upgrade = (program: string | undefined) => this.upgrade(program);
    const handed = inherited?.take(name);
    const running = await create({ ...options, handed, upgrade }).catch((error: unknown) => {
      if (handed !== undefined) this.#startAnew(logger, error);
      throw error;
    });
    this.#participants.push({ name, handOver: running.handOver, logger });
    return running;
  }

  /** The state leads nowhere: the process starts once more, without it, and without the sockets. */
  #startAnew(logger: Logger, error: unknown): void {
    logger.error({ error }, 'upgraded, but the state cannot be gone on with: everything starts anew');
    const { execPath, execArgv, argv0, script, words } = this.#invocation;
    this.#flush();
    this.#load()?.execute(execPath, [argv0, ...execArgv, script, ...words], this.#env);
  }

  /** As SpeakerApi has it. */
  async upgrade(program: string | undefined): Promise<UpgradeView> {
    if (this.#busy) throw new CommandError('failed', 'an upgrade is under way already');
    const library = this.#load();
    if (library === undefined) {
      throw new CommandError('failed', 'a live upgrade needs Linux and the koffi library');
    }
    const script = program ?? this.#invocation.script;
    requireProgram(script, program !== undefined);
    for (const { handOver } of this.#participants) handOver.check();
    this.#busy = true;
    try {
      return await this.#prepare(library, script, program !== undefined);
    } catch (error) {
      this.#takeBack(error);
      throw error;
    }
  }

  async #prepare(library: ExecLibrary, script: string, elsewhere: boolean): Promise<UpgradeView> {
    for (const words of this.#invocation.checks) await this.#ask(script, words, 'ignore');
    for (const participant of this.#participants) {
      this.#begun.add(participant);
      await participant.handOver.prepare();
    }
    const state = library.memoryFile('godwit-upgrade');
    this.#state = state;
    // Nothing else is kept of the picture, which is as large as the tables, while the other program reads it.
    const sessions = sessionsOf(this.#write(state));
    const version = await this.#ask(script, [REHEARSAL], state);
    requireVersion(script, version);
    for (const { logger } of this.#participants) {
      logger.info(
        { from: packageVersion(), to: version, script, sessions },
        'upgrading: another program goes on',
      );
    }
    setTimeout(() => {
      this.#become(library, state, script, elsewhere).catch((error: unknown) => this.#takeBack(error));
    }, ANSWER_MS);
    return { from: packageVersion(), to: version, sessions };
  }

  /** Returns only by an error, with everything as before `handOverPaths`. */
  async #become(library: ExecLibrary, state: number, script: string, elsewhere: boolean): Promise<never> {
    for (const { handOver } of this.#participants) await handOver.handOverPaths();
    // The file may be another one by now, and behind this step nobody is left to refuse it.
    for (const { handOver } of this.#participants) handOver.check();
    // From here on in one go: nothing may happen between the picture and the end.
    const sockets = [...this.#write(state).values()].flatMap(descriptorsOf);
    const kept = [state, ...sockets];
    const { execPath, execArgv, argv0, words, wordsElsewhere } = this.#invocation;
    for (const { handOver } of this.#participants) handOver.flushNow();
    this.#flush();
    try {
      for (const descriptor of [...STANDARD_STREAMS, ...kept]) library.keepOpen(descriptor, true);
      const argv = [argv0, ...execArgv, script, ...(elsewhere ? wordsElsewhere : words)];
      return library.execute(execPath, argv, {
        ...this.#env,
        [HANDOVER_VARIABLE]: handoverVariable(state, sockets),
      });
    } catch (error) {
      // Not the standard streams, which each child has of its own anyway.
      for (const descriptor of kept) library.keepOpen(descriptor, false);
      throw error;
    }
  }

  /** The state of all speakers into the file; returns it. */
  #write(file: number): ReadonlyMap<string, SpeakerState> {
    const states = new Map(this.#participants.map(({ name, handOver }) => [name, handOver.capture()]));
    const octets = encodeStates(states);
    ftruncateSync(file, 0);
    for (let at = 0; at < octets.length; ) at += writeSync(file, octets, at, octets.length - at, at);
    return states;
  }

  /** By its real name, which says nothing of faces. */
  #ask(script: string, words: readonly string[], state: number | 'ignore'): Promise<string> {
    const { execPath, execArgv } = this.#invocation;
    return ask([execPath, ...execArgv, realpathSync(script), ...words], this.#env, state);
  }

  #takeBack(error: unknown): void {
    this.#busy = false;
    if (this.#state !== undefined) closeSync(this.#state);
    this.#state = undefined;
    const why = errorText(error);
    for (const { logger } of this.#participants) {
      logger.error({ error: why }, 'the upgrade did not take place; everything goes on here');
    }
    // The others have never stopped.
    for (const { handOver } of this.#begun) handOver.resume(`the last upgrade did not take place: ${why}`);
    this.#begun.clear();
  }
}

function sessionsOf(states: ReadonlyMap<string, SpeakerState>): number {
  let sessions = 0;
  for (const { peers } of states.values()) {
    for (const { image } of peers) if (image.session !== undefined) sessions++;
  }
  return sessions;
}

function descriptorsOf({ listeners, peers }: SpeakerState): number[] {
  const sessions = peers.flatMap(({ image }) => image.session?.descriptor ?? []);
  return [...listeners.values(), ...sessions];
}

/** Throws CommandError. `elsewhere`: the path is the caller's, who need not be the one that the process runs as. */
function requireProgram(script: string, elsewhere: boolean): void {
  const { isFile, uid, mode } = look(script);
  if (!isFile)
    throw new CommandError('invalid', `${script} is no file; name the new version's bin/godwit.js`);
  const trusted = (uid === ROOT || uid === process.geteuid?.()) && (mode & WRITABLE_BY_OTHERS) === 0;
  if (elsewhere && !trusted) {
    throw new CommandError(
      'invalid',
      `${script} can be changed by others than root and the daemon's user: the daemon does not become that`,
    );
  }
}

/**
 * Throws CommandError. Some other script ends well, too, whatever it is asked, and would take the sessions with it: only
 * godwit answers with its version.
 */
function requireVersion(script: string, answer: string): void {
  if (VERSION.test(answer)) return;
  const said = answer === '' ? 'nothing' : JSON.stringify(answer.slice(0, LONGEST_QUOTE));
  throw new CommandError(
    'invalid',
    `${script} is no godwit that can go on: it says ${said} where its version was asked for; name the new version's bin/godwit.js`,
  );
}

function look(script: string): { isFile: boolean; uid: number; mode: number } {
  try {
    const found = statSync(script);
    return { isFile: found.isFile(), uid: found.uid, mode: found.mode };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError('not-found', `there is no program ${script}: ${error.message}`);
  }
}
