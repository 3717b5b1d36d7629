// What is measured and on what: the commit, Node.js, the machine, and how busy others keep it.

import { cpus, release, totalmem } from 'node:os';
import { run } from './lab/command.ts';
import { projectRoot } from './project.ts';

export interface Machine {
  /** With `+` where files of src/ differ from it. */
  readonly commit: string;
  readonly node: string;
  readonly cores: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  /** Release of the kernel. */
  readonly kernel: string;
  /** How many cores were at work for others, just before. */
  readonly busyCores: number;
}

/** More cores at work than these, and somebody else is in the figures. */
const QUIET_CORES = 0.2;
const WATCH_MS = 2000;

/** Takes two seconds, in which the machine is watched. */
export async function describeMachine(): Promise<Machine> {
  const git = (...args: string[]): Promise<string> => run(['git', '-C', projectRoot(), ...args]);
  const commit = await git('rev-parse', '--short', 'HEAD').catch(() => 'unknown');
  const changed = await git('status', '--porcelain', '--untracked-files=no', 'src').catch(() => '');
  return {
    commit: `${commit.trim()}${changed === '' ? '' : '+'}`,
    node: process.version,
    cores: cpus().length,
    cpuModel: cpus()[0]?.model ?? 'CPU',
    memoryBytes: totalmem(),
    kernel: release(),
    busyCores: await busyCores(),
  };
}

export function isQuiet({ busyCores }: Pick<Machine, 'busyCores'>): boolean {
  return busyCores <= QUIET_CORES;
}

/** For people. The load average would still hold the build that comes before. */
export function busyText(machine: Pick<Machine, 'busyCores' | 'cores'>): string {
  const remark = isQuiet(machine) ? '' : ' (not a quiet machine)';
  return `at work for others before the start: ${machine.busyCores.toFixed(2)} of ${machine.cores} cores${remark}`;
}

async function busyCores(): Promise<number> {
  const before = busyMs();
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  return (busyMs() - before) / WATCH_MS;
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
