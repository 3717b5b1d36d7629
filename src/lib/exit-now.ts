// The end of a process that does not wait for its threads. process.exit does: for a thread in a system call of the kernel,
// for a write to a disk that hangs and for a name server that is silent, as long as that takes.

import { requireKoffi } from './koffi.ts';

/** Whatever is not written yet is lost. */
export function exitNow(code: number): void {
  requireKoffi()?.load(null).func('void _exit(int)')(code);
  process.kill(process.pid, 'SIGKILL');
}
