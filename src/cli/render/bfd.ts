// BFD sessions for a person: one line a session, and below it what keeps it from working.

import type { BfdSessionView } from '../../control/protocol.ts';
import type { Look } from './style.ts';
import { type Column, renderTable } from './table.ts';
import { formatSince } from './units.ts';

const columnsAt = (now: number): readonly Column<BfdSessionView>[] => [
  { title: 'ADDRESS', value: (session) => session.address },
  { title: 'INTERFACE', value: (session) => session.interface ?? (session.multihop ? 'multihop' : '-') },
  {
    title: 'STATE',
    value: (session) => session.state,
    paint: (session, { style }) => (session.state === 'Up' ? style.good : style.bad),
  },
  { title: 'SINCE', value: (session) => formatSince(session.since, now) },
  { title: 'INTERVAL', align: 'right', value: (session) => milliseconds(session.interval) },
  { title: 'TIMEOUT', align: 'right', value: (session) => milliseconds(session.timeout) },
  { title: 'PEERS', value: (session) => session.peers.join(' ') },
  { title: 'WHY', flexible: true, value: why },
];

function milliseconds(value: number): string {
  return value === 0 ? '-' : `${Math.round(value)} ms`;
}

/** What is wrong, or why it went down last, as each side says. */
function why(session: BfdSessionView): string {
  if (session.problem !== undefined) return session.problem;
  if (session.state === 'Up') return '';
  const said = session.remoteDiscriminator !== 0 && session.remoteDiagnostic !== NO_DIAGNOSTIC;
  const parts = [
    session.localDiagnostic === NO_DIAGNOSTIC ? undefined : session.localDiagnostic,
    said ? `peer: ${session.remoteDiagnostic}` : undefined,
  ];
  const text = parts.filter((part) => part !== undefined).join('; ');
  if (text !== '' || session.remoteDiscriminator !== 0) return text;
  return `nothing heard: is BFD on there, ${session.multihop ? 'multihop (port 4784)' : 'single-hop (port 3784)'} as here?`;
}

const NO_DIAGNOSTIC = 'No Diagnostic';

export function renderBfdSessions(sessions: readonly BfdSessionView[], look: Look): string {
  if (sessions.length === 0) return 'There are no BFD sessions.\n';
  return renderTable(columnsAt(look.now), sessions, look);
}
