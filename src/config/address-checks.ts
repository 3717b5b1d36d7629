// What must hold of the addresses of a session, BGP's or one of BFD alone.

import type { IpVersion } from '../lib/ip.ts';
import type { IssueList } from './issues.ts';
import type { Path } from './nodes.ts';

const NAMES: Readonly<Record<IpVersion, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' };

/** The own end must be of the other's version. Returns whether it is. */
export function checkLocalVersion(at: Path, own: IpVersion, wanted: IpVersion, issues: IssueList): boolean {
  if (own === wanted) return true;
  issues.error(
    at,
    `localAddress is ${NAMES[own]}, but the session runs over ${NAMES[wanted]}`,
    `an own ${NAMES[wanted]} address is needed here`,
  );
  return false;
}

/** For a link-local address without one. */
export function wantInterface(at: Path, address: string, issues: IssueList): void {
  issues.error(
    at,
    'a link-local address needs its interface',
    `write ${address}%eth0, with the name of the link`,
  );
}
