// Watched paths as operators see them.

import { diagnosticText } from '../../bfd/protocol.ts';
import { formatAddress } from '../../lib/ip.ts';
import type { BfdSessionView } from '../api.ts';
import type { BfdSessions } from '../bfd-sessions.ts';
import { namesOf, type WatchedPath } from '../watched-path.ts';

const MICROS_PER_MS = 1000;

export function bfdViews(sessions: BfdSessions): BfdSessionView[] {
  return [...sessions.paths()].map((path) => bfdView(path, sessions.problem));
}

function bfdView(path: WatchedPath, problem: string | undefined): BfdSessionView {
  const { report, spec } = path;
  const { local, remote, interface: link, multihop } = spec.path;
  const heard = report !== undefined && report.remoteDiscriminator !== 0;
  return {
    peers: namesOf(path),
    address: formatAddress(remote),
    localAddress: local === undefined ? undefined : formatAddress(local),
    interface: link ?? report?.interface,
    multihop,
    state: report?.state ?? 'Down',
    remoteState: report?.remoteState ?? 'Down',
    since: path.since,
    upCount: path.upCount,
    downCount: path.downCount,
    interval: (report?.transmitInterval ?? 0) / MICROS_PER_MS,
    // What was agreed on with a side that is silent does not count.
    timeout: heard ? report.detectionTime / MICROS_PER_MS : 0,
    multiplier: spec.detectMultiplier,
    localDiagnostic: diagnosticText(report?.localDiagnostic ?? 0),
    remoteDiagnostic: diagnosticText(report?.remoteDiagnostic ?? 0),
    localDiscriminator: report?.localDiscriminator ?? 0,
    remoteDiscriminator: report?.remoteDiscriminator ?? 0,
    passive: spec.passive,
    authentication: spec.authentication?.type,
    problem: problem ?? report?.problem,
  };
}
