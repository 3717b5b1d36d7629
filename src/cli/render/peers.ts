// Peers for a person: the table of all, the columns of `calicoctl node status`, and everything about one.

import type { MessageName, PeerFamilyView, PeerView } from '../../control/protocol.ts';
import { type Field, renderFields } from './fields.ts';
import { type Look, type Paint, safeText } from './style.ts';
import { type Column, renderTable } from './table.ts';
import { formatAge, formatBytes, formatCount, formatMoment, formatSince, plural } from './units.ts';

const sum = (peer: PeerView, column: 'received' | 'best' | 'advertised'): string =>
  formatCount(peer.families.reduce((total, family) => total + family[column], 0));

/** Colour of a state: up, on its way, or switched off. */
export function statePaint(peer: PeerView, { style }: Look): Paint {
  if (peer.state === 'Established') return style.good;
  return peer.adminUp ? style.warn : style.dim;
}

function typeText(peer: PeerView): string {
  if (peer.routeReflectorClient) return 'client';
  return peer.type ?? '';
}

function peerColumns(now: number): Column<PeerView>[] {
  return [
    { title: 'PEER', value: (peer) => peer.name },
    { title: 'ADDRESS', value: (peer) => peer.address },
    { title: 'AS', align: 'right', value: (peer) => String(peer.peerAs ?? '-') },
    { title: 'TYPE', value: typeText },
    { title: 'STATE', value: (peer) => (peer.adminUp ? peer.state : 'down'), paint: statePaint },
    { title: 'FOR', align: 'right', value: (peer) => formatAge(now - peer.since) },
    { title: 'RECEIVED', align: 'right', value: (peer) => sum(peer, 'received') },
    { title: 'BEST', align: 'right', value: (peer) => sum(peer, 'best') },
    { title: 'SENT', align: 'right', value: (peer) => sum(peer, 'advertised') },
    { title: 'INFO', flexible: true, value: (peer) => infoText(peer, now) },
  ];
}

/** A dial that was not answered in this time will hardly be: milliseconds. */
const ANSWER_MS = 5000;

function infoText(peer: PeerView, now: number): string {
  if (peer.state === 'Established') {
    if (!peer.families.some(({ negotiated }) => negotiated)) return 'no address family in common';
    const { malformed } = peer;
    const remarks = [
      peer.draining ? 'drained' : '',
      peer.congested ? 'reads slowly' : '',
      malformed === undefined ? '' : plural(malformed.count, 'malformed UPDATE'),
      hitText(peer),
    ];
    return remarks.filter((remark) => remark !== '').join(', ');
  }
  if (!peer.adminUp) return 'switched off';
  const kept = keptLines(peer).length > 0 ? 'its routes wait for it; ' : '';
  if (peer.lastError !== undefined) return `${kept}${peer.lastError}`;
  const silent = peer.state === 'Connect' && now - peer.since > ANSWER_MS;
  return silent ? 'no answer so far: address, firewall or password' : '';
}

/** `limit of received routes was hit` */
function hitText({ families }: PeerView): string {
  const hit = families.flatMap(({ limits }) => limits.filter((limit) => limit.hit).map(({ kind }) => kind));
  return hit.length === 0 ? '' : `limit of ${[...new Set(hit)].join(' and ')} routes was hit`;
}

export function renderPeers(peers: readonly PeerView[], look: Look): string {
  if (peers.length === 0) return 'There are no peers.\n';
  return renderTable(peerColumns(look.now), peers, look);
}

/** Names that Calico's BIRD configuration gives to its peers, and what calicoctl calls them. */
const CALICO_TYPES = [
  ['Mesh_', 'node-to-node mesh'],
  ['Global_', 'global'],
  ['Node_', 'node specific'],
] as const;

function calicoType(peer: PeerView): string {
  const known = CALICO_TYPES.find(([prefix]) => peer.name.startsWith(prefix));
  if (known !== undefined) return known[1];
  const type = peer.routeReflectorClient ? 'reflector client' : (peer.type ?? 'unknown');
  return peer.kind === 'dynamic' ? `${type}, dynamic` : type;
}

function calicoState(peer: PeerView): string {
  if (!peer.adminUp) return 'down';
  return peer.state === 'Established' ? 'up' : 'start';
}

function stateText({ state, adminUp, draining }: PeerView): string {
  if (!adminUp) return `${state}, switched off`;
  return draining ? `${state}, drained` : state;
}

function calicoInfo(peer: PeerView): string {
  if (!peer.adminUp) return 'switched off';
  const error = peer.state === 'Established' ? undefined : peer.lastError;
  return error === undefined ? stateText(peer) : `${peer.state}: ${error}`;
}

function nodeStatusColumns(look: Look): Column<PeerView>[] {
  return [
    { title: 'PEER ADDRESS', value: (peer) => peer.address },
    { title: 'PEER TYPE', value: calicoType },
    { title: 'STATE', value: calicoState, paint: statePaint },
    { title: 'SINCE', value: (peer) => formatSince(peer.since, look.now) },
    { title: 'INFO', flexible: true, value: calicoInfo },
  ];
}

/** The tables of `calicoctl node status`, one for each IP version. */
export function renderNodeStatus(peers: readonly PeerView[], look: Look): string {
  const sections = [
    { title: 'IPv4 BGP status', peers: peers.filter((peer) => !peer.address.includes(':')) },
    { title: 'IPv6 BGP status', peers: peers.filter((peer) => peer.address.includes(':')) },
  ];
  return sections
    .map(({ title, peers: rows }) => {
      const table =
        rows.length === 0
          ? `No ${title.slice(0, 4)} peers.\n`
          : renderTable(nodeStatusColumns(look), rows, look);
      return `${look.style.bold(title)}\n${table}`;
    })
    .join('\n');
}

const MESSAGE_ROWS: readonly (readonly [MessageName, string])[] = [
  ['open', 'OPEN'],
  ['update', 'UPDATE'],
  ['keepalive', 'KEEPALIVE'],
  ['routeRefresh', 'ROUTE-REFRESH'],
  ['notification', 'NOTIFICATION'],
];

const FAMILY_COLUMNS: readonly Column<PeerFamilyView>[] = [
  { title: '  FAMILY', value: (row) => `  ${row.family}` },
  { title: 'NEGOTIATED', value: (row) => yesNo(row.negotiated) },
  { title: 'RECEIVED', align: 'right', value: (row) => formatCount(row.received) },
  { title: 'REJECTED', align: 'right', value: (row) => formatCount(row.rejected) },
  { title: 'BEST', align: 'right', value: (row) => formatCount(row.best) },
  { title: 'STALE', align: 'right', value: (row) => formatCount(row.stale) },
  { title: 'SENT', align: 'right', value: (row) => formatCount(row.advertised) },
  { title: 'END-OF-RIB', value: endOfRibText },
  { title: 'GROUP', align: 'right', value: (row) => String(row.updateGroup ?? '-') },
];

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function endOfRibText(row: PeerFamilyView): string {
  if (row.endOfRibReceived && row.endOfRibSent) return 'both';
  if (row.endOfRibReceived) return 'received';
  return row.endOfRibSent ? 'sent' : 'none';
}

/** Capabilities whose text ends in a value that each side has of its own. */
const VALUED_CAPABILITY =
  /^(4-octet AS|graceful restart|long-lived graceful restart|FQDN|software version)(?: (.+))?$/;

/** Capabilities one a line, with who announced them or with which value. */
function capabilityLines(peer: PeerView): string[] {
  const sides = new Map<string, { local?: string; remote?: string }>();
  for (const side of ['local', 'remote'] as const) {
    for (const text of side === 'local' ? peer.localCapabilities : peer.peerCapabilities) {
      const [, name = text, value = ''] = VALUED_CAPABILITY.exec(text) ?? [];
      sides.set(name, { ...sides.get(name), [side]: value });
    }
  }
  return [...sides].map(([name, { local, remote }]) => {
    if (local === undefined) return `${name} ${remote}`.trim().concat(' (peer only)');
    if (remote === undefined) return `${name} ${local}`.trim().concat(' (local only)');
    const own = `${name} ${local}`.trim();
    return local === remote ? own : `${own}, peer ${remote || 'no family'}`;
  });
}

function malformedText({ name, malformed }: PeerView): string[] | undefined {
  if (malformed === undefined) return undefined;
  const { count, last } = malformed;
  return [`${plural(count, 'UPDATE')}; the last: ${last}`, `godwit show messages ${name}`];
}

function memoryText({ memory }: PeerView): string | undefined {
  if (memory === undefined) return undefined;
  const { paths, attributes, queued, socket } = memory;
  const total = formatBytes(paths + attributes + queued + socket);
  const parts = Object.entries({ paths, attributes, queued, socket }).map(
    ([name, octets]) => `${name} ${formatBytes(octets)}`,
  );
  return `about ${total}: ${parts.join(', ')}`;
}

/** One a line: `ipv4-unicast 2 for 40s more`. */
function keptLines({ families }: PeerView): string[] {
  return families.flatMap(({ family, received, keptFor }) =>
    keptFor === undefined ? [] : [`${family} ${formatCount(received)} for ${formatAge(keptFor)} more`],
  );
}

/** One a line: `ipv4-unicast received 1200 of 1500, restart`. */
function limitLines(peer: PeerView): string[] {
  return peer.families.flatMap((row) => {
    const counts = {
      received: row.received,
      accepted: row.received - row.rejected,
      exported: row.advertised,
    };
    return row.limits.map(({ kind, routes, action, hit }) => {
      const count = `${formatCount(counts[kind])} of ${formatCount(routes)}`;
      return `${row.family} ${kind} ${count}, ${action}${hit ? ', HIT' : ''}`;
    });
  });
}

/** Everything about one peer. */
export function renderPeer(peer: PeerView, look: Look): string {
  const { style, now } = look;
  const { messages } = peer;
  const count = (side: 'received' | 'sent') =>
    MESSAGE_ROWS.map(([name, label]) => `${formatCount(messages[side][name])} ${label}`).join(', ');
  const fields: Field[] = [
    ['Description', peer.description],
    ['Address', `${peer.address} port ${peer.port}${peer.kind === 'dynamic' ? ', dynamic' : ''}`],
    ['Local address', peer.localAddress],
    [
      'AS',
      `${peer.peerAs ?? 'unknown'}, local ${peer.localAs}${peer.type === undefined ? '' : `, ${peer.type}`}`,
    ],
    ['Router id', peer.peerId],
    ['Reflection', peer.routeReflectorClient ? 'the peer is our client' : undefined],
    ['Since', `${formatMoment(peer.since)} (${formatAge(now - peer.since)})`],
    ['Sessions', `${peer.establishedCount} established, ${peer.downCount} lost`],
    ['Last error', peer.lastError],
    ['', peer.lastErrorCode === undefined ? undefined : `cause: ${peer.lastErrorCode}`],
    ['', peer.lastErrorAdvice === undefined ? undefined : `to do: ${peer.lastErrorAdvice}`],
    [
      '',
      peer.lastErrorAt === undefined
        ? undefined
        : `at ${formatMoment(peer.lastErrorAt)} (${formatAge(now - peer.lastErrorAt)} ago)`,
    ],
    ['Next try', peer.nextAttemptIn === undefined ? undefined : `in ${formatAge(peer.nextAttemptIn)}`],
    ['Routes wait', keptLines(peer)],
    [
      'Timers',
      peer.holdTime === undefined
        ? undefined
        : `hold ${peer.holdTime} s, keepalive ${peer.keepaliveTime ?? 0} s`,
    ],
    ['Received', `${count('received')}; ${formatBytes(messages.receivedBytes)}`],
    ['Sent', `${count('sent')}; ${formatBytes(messages.sentBytes)}`],
    ['Malformed', malformedText(peer)],
    ['Queue', `${formatBytes(peer.queuedBytes)}${peer.congested ? ', the peer reads slowly' : ''}`],
    ['Memory', memoryText(peer)],
    ['Limits', limitLines(peer)],
    ['Capabilities', capabilityLines(peer)],
  ];
  const state = statePaint(peer, look)(stateText(peer));
  const families = peer.families.length === 0 ? '' : renderTable(FAMILY_COLUMNS, peer.families, look);
  return `${style.bold(safeText(peer.name))}: ${state}\n${renderFields(fields, look)}${families}`;
}
