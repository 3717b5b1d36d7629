// Whether and how the kernel is reached, decided before anything starts: with `install` it must be writable, else
// the speaker refuses to run; without it, a kernel that cannot be read only costs next-hop tracking.

import type { Config } from '../config/model.ts';
import { NetlinkKernel } from '../fib/netlink/netlink-kernel.ts';
import { probeKernel } from '../fib/netlink/probe.ts';
import type { Kernel } from '../fib/types.ts';
import type { Logger } from '../lib/log.ts';

/** Thrown where routes are to be installed and cannot be; the sentence says what is missing and what to do. */
export class KernelUnavailableError extends Error {
  constructor(reason: string) {
    super(
      `${reason}. Give the process what it needs, or set kernel.install: false to run as a route reflector`,
    );
    this.name = 'KernelUnavailableError';
  }
}

/** Undefined where the configuration needs nothing of the kernel, or can do without it. */
export async function openKernel(config: Config, log: Logger): Promise<Kernel | undefined> {
  const { install, learn, nextHopTracking } = config.kernel;
  const wanted = install || nextHopTracking || learn.length > 0 || config.redistribute.length > 0;
  if (!wanted) return undefined;
  const probe = await probeKernel({ write: install });
  if (probe.ok) return NetlinkKernel.open();
  if (install) throw new KernelUnavailableError(probe.reason);
  log.warn({ reason: probe.reason }, 'running as a pure route reflector: the kernel cannot be read');
  return undefined;
}
