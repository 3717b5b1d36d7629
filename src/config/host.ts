// The facts of the host that a configuration may fall back to, from the operating system.

import { hostname, networkInterfaces } from 'node:os';
import type { HostFacts } from './build.ts';

/** Name and addresses of this host as they are now. */
export function readHostFacts(): HostFacts {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map((each) => each.address),
  );
  return { hostname: hostname(), addresses };
}
