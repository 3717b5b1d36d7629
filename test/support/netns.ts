// A network namespace of the test's own: the calling thread moves into a new one, and what it starts (sockets, child
// processes, worker threads) lives there too. It is gone when nobody is in it any more.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';

const CLONE_NEWNET = 0x40000000;

/** Why namespaces cannot be made here, or undefined. */
export function whyNoNamespace(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  return undefined;
}

export interface Namespace {
  /** Runs a command inside; returns what it printed. */
  run(command: string): string;
  leave(): void;
}

/** Moves this thread into a new namespace with the loopback interface up. */
export function enterNamespace(): Namespace {
  const libc = koffi.load('libc.so.6');
  const unshare: (flags: number) => number = libc.func('int unshare(int flags)');
  const setns: (fd: number, type: number) => number = libc.func('int setns(int fd, int type)');
  const home = openSync('/proc/thread-self/ns/net', 'r');
  if (unshare(CLONE_NEWNET) !== 0) throw new Error(`unshare failed with errno ${koffi.errno()}`);
  const run = (command: string) => execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
  run('ip link set lo up');
  return {
    run,
    leave() {
      setns(home, CLONE_NEWNET);
      closeSync(home);
    },
  };
}
