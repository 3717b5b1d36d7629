// The facts of the host that a configuration may fall back to, from the operating system.

import { hostname } from 'node:os';
import { type HostInterfaces, readInterfaces } from '../lib/host-interfaces.ts';
import { formatPrefix, parsePrefix } from '../lib/ip.ts';
import type { HostFacts } from './build.ts';

/** Name and addresses of this host as they are now. Throws HostInterfacesError. */
export function readHostFacts(): HostFacts {
  const interfaces = readInterfaces();
  const addresses = Object.values(interfaces).flatMap((list) => (list ?? []).map((each) => each.address));
  return { hostname: hostname(), addresses, links: linksOf(interfaces) };
}

/** Of the addresses with one prefix on an interface, all but the first are secondary to Linux. */
function linksOf(interfaces: HostInterfaces): Map<string, string> {
  const links = new Map<string, string>();
  for (const [name, list = []] of Object.entries(interfaces)) {
    const seen = new Set<string>();
    for (const { address, cidr, family } of list) {
      const prefix = family === 'IPv4' && cidr !== null ? parsePrefix(cidr, true) : undefined;
      if (prefix === undefined || seen.has(formatPrefix(prefix))) continue;
      seen.add(formatPrefix(prefix));
      links.set(address, name);
    }
  }
  return links;
}
