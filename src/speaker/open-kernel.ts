// Whether and how the kernel is reached, decided before anything starts: with `install` it must be writable, else
// the speaker refuses to run; without it, a kernel that cannot be read only costs next-hop tracking.

import type { Config } from '../config/model.ts';
import { NetlinkKernel } from '../fib/netlink/netlink-kernel.ts';
import { probeKernel } from '../fib/netlink/probe.ts';
import type { Kernel } from '../fib/types.ts';
import type { Logger } from '../lib/log.ts';
import { needsKernel } from './kernel-change.ts';

const BIRD_SETTING = '`export none;` in protocol kernel';

/** Thrown where routes are to be installed and cannot be; the sentence says what is missing and what to do. */
export class KernelUnavailableError extends Error {
  /** `setting`: what makes a route reflector of it, in the words of the configuration's language. */
  constructor(reason: string, setting = 'kernel.install: false') {
    super(`${reason}. Give the process what it needs, or set ${setting} to run as a route reflector`);
    this.name = 'KernelUnavailableError';
  }
}

/** Undefined where the configuration needs nothing of the kernel, or can do without it. */
export async function openKernel(config: Config, log: Logger): Promise<Kernel | undefined> {
  const { install, nextHopTracking } = config.kernel;
  if (!nextHopTracking && !needsKernel(config)) return undefined;
  const probe = await probeKernel({ write: install });
  if (probe.ok) return NetlinkKernel.open();
  if (install) throw new KernelUnavailableError(probe.reason, config.bird && BIRD_SETTING);
  log.warn({ reason: probe.reason }, 'running as a pure route reflector: the kernel cannot be read');
  return undefined;
}
