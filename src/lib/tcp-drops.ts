// What the kernel's TCP threw away before any program saw it: segments with a wrong signature (RFC 2385, RFC 5925) and
// with a TTL that is too low (RFC 5082). Counters of the whole network namespace, from /proc/net/netstat; a machine
// without that file has none.

import { readFileSync } from 'node:fs';

export interface TcpDrops {
  /** Segments dropped where a signature is expected: it was wrong, or missing. */
  readonly badSignature: number;
  /** Segments dropped because they were signed, where nothing is expected. */
  readonly unexpectedSignature: number;
  /** Segments dropped for their TTL. */
  readonly ttl: number;
}

const NETSTAT = '/proc/self/net/netstat';
const SECTION = 'TcpExt:';
/** Names of the kernel (snmp(7), include/uapi/linux/snmp.h). */
const BAD_COUNTERS: ReadonlySet<string> = new Set([
  'TCPMD5NotFound',
  'TCPMD5Failure',
  'TCPAORequired',
  'TCPAOBad',
  'TCPAOKeyNotFound',
]);
/** A segment with TCP-AO counts as one without a key where there is none at all. */
const UNEXPECTED_COUNTERS: ReadonlySet<string> = new Set(['TCPMD5Unexpected', 'TCPAOKeyNotFound']);
const TTL_COUNTERS: ReadonlySet<string> = new Set(['TCPMinTTLDrop']);

/** The counters as they are now; undefined where the system does not say. */
export function readTcpDrops(): TcpDrops | undefined {
  try {
    return parseTcpDrops(readFileSync(NETSTAT, 'latin1'));
  } catch (error) {
    // No Linux, or no /proc here: there is no evidence then.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/** Reads the text of /proc/net/netstat: pairs of lines, names over values. Counters that it lacks count as 0. */
export function parseTcpDrops(text: string): TcpDrops {
  const rows = text.split('\n').filter((line) => line.startsWith(SECTION));
  const [names = [], values = []] = rows.map((line) => line.slice(SECTION.length).trim().split(/\s+/));
  const sum = (wanted: ReadonlySet<string>): number =>
    names.reduce((total, name, at) => total + (wanted.has(name) ? Number(values[at] ?? 0) : 0), 0);
  return {
    badSignature: sum(BAD_COUNTERS),
    unexpectedSignature: sum(UNEXPECTED_COUNTERS),
    ttl: sum(TTL_COUNTERS),
  };
}
