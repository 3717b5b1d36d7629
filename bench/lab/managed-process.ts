// A process that the bench or a lab started: its output goes to a file, it is stopped by its id, and its costs are
// read from /proc, children included.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { GivenUp } from './command.ts';

const STOP_TIMEOUT_MS = 10_000;
/** USER_HZ, which Linux fixes at 100 towards user space (times(2), proc(5)). */
const TICKS_PER_SECOND = 100;
const KIB = 1024;

export class ManagedProcess {
  readonly name: string;
  readonly logPath: string;
  /** Milliseconds, as Date.now(). */
  readonly startedAt: number;
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;
  #ended: string | undefined;

  constructor(name: string, command: readonly string[], logPath: string, env: Record<string, string> = {}) {
    this.name = name;
    this.logPath = logPath;
    const log = openSync(logPath, 'a');
    const [program, ...args] = command;
    this.startedAt = Date.now();
    this.#child = spawn(program!, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    closeSync(log);
    this.#exit = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#ended ??= error.message;
        resolve();
      });
      this.#child.on('exit', (code, signal) => {
        this.#ended ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
        resolve();
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.name} did not start: ${this.#ended}`);
    return pid;
  }

  get running(): boolean {
    return this.#ended === undefined;
  }

  /** Throws GivenUp with the end of its output where the process has ended by itself. */
  assertRunning(): void {
    if (this.#ended === undefined) return;
    throw new GivenUp(`${this.name} ended (${this.#ended}):\n${this.logTail()}`);
  }

  logTail(lines = 20): string {
    return readFileSync(this.logPath, 'utf8').split('\n').slice(-lines).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#ended === undefined) this.#child.kill(signal);
  }

  /** Asks the process to end; after 10 s it is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#ended !== undefined) return;
    const children = descendants(this.pid);
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exit;
    clearTimeout(timer);
    for (const pid of children) killLeftover(pid);
  }

  /** SIGKILL, without any chance to clean up. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exit;
  }

  /** Resolves when the process has ended. */
  exited(): Promise<void> {
    return this.#exit;
  }
}

function killLeftover(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

export interface ProcessCost {
  /** Seconds of user and system time, of the processes and of their children that have ended. */
  readonly user: number;
  readonly system: number;
  /** Resident octets now, summed. */
  readonly rss: number;
  /** The highest resident size of each process, summed, in octets. */
  readonly peakRss: number;
}

/** What a set of processes and everything below them has cost so far. */
export function costOf(pids: readonly number[]): ProcessCost {
  const all = new Set(pids.flatMap((pid) => [pid, ...descendants(pid)]));
  let [user, system, rss, peakRss] = [0, 0, 0, 0];
  for (const pid of all) {
    const stat = readProc(pid, 'stat');
    const status = readProc(pid, 'status');
    if (stat === undefined || status === undefined) continue;
    // proc(5): the name in parentheses may hold anything; fields count from behind it.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    user += (fields[11]! + fields[13]!) / TICKS_PER_SECOND;
    system += (fields[12]! + fields[14]!) / TICKS_PER_SECOND;
    rss += kibField(status, 'VmRSS');
    peakRss += kibField(status, 'VmHWM');
  }
  return { user, system, rss, peakRss };
}

function kibField(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status);
  return match === null ? 0 : Number(match[1]) * KIB;
}

/** Process ids below `pid`, at any depth. */
function descendants(pid: number): number[] {
  const out: number[] = [];
  for (const task of readdirOrNone(`/proc/${pid}/task`)) {
    const text = readProc(pid, `task/${task}/children`) ?? '';
    for (const child of text.split(' ').filter((word) => word !== '')) {
      out.push(Number(child), ...descendants(Number(child)));
    }
  }
  return out;
}

/** undefined where the process has ended meanwhile. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function readdirOrNone(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}
