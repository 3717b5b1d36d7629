// What `show protocols` says of a BGP session: the state with the last error, both sides' capabilities, timers. The
// words are BIRD's, which exporters and Calico look for.

import type { Capability } from '../../../bgp/wire/capabilities.ts';
import type { BgpError, BgpView, ProtocolState, ProtocolView } from '../../../speaker/api/protocols.ts';
import { capabilityLines, capabilityWords } from './capabilities.ts';
import { COLUMN, field, timer } from './fields.ts';

const STATE_WIDTH = 14;

const ERROR_PREFIX: Readonly<Record<BgpError['origin'], string>> = {
  here: 'Error: ',
  socket: 'Socket: ',
  received: 'Received: ',
  sent: 'BGP Error: ',
  automatic: 'Automatic shutdown: ',
};

function errorText(error: BgpError | undefined): string {
  return error === undefined ? '' : `${ERROR_PREFIX[error.origin]}${error.text}`;
}

/** The last column of the list. */
export function bgpInfo(bgp: BgpView, state: ProtocolState): string {
  const error = bgp.state === 'Established' ? '' : errorText(bgp.error);
  return state === 'down' ? error : `${bgp.state.padEnd(STATE_WIDTH)}${error}`;
}

export function* bgpLines(protocol: ProtocolView, bgp: BgpView, dialect: '1.6' | '2.x'): Iterable<string> {
  const line = (name: string, value: string): string => field(4, name, value, COLUMN.bgp);
  yield field(2, 'BGP state', bgp.state, COLUMN.bgp);
  if (bgp.peerRange !== undefined) yield line('Neighbor range', bgp.peerRange);
  else yield line('Neighbor address', bgp.peerAddress ?? '');
  yield line('Neighbor AS', `${bgp.peerAs}`);
  if (dialect === '2.x') yield line('Local AS', `${bgp.localAs}`);
  if (bgp.gracefulRestart !== undefined) {
    // 2.x says of each channel which kind it is.
    const kind = bgp.gracefulRestart === 'active' || dialect === '2.x' ? '' : 'long-lived ';
    yield `    Neighbor ${kind}graceful restart active`;
    if (bgp.restartTimer !== undefined) yield line('Restart timer', restartTimer(bgp, dialect));
  }
  if (bgp.state === 'Established') yield* establishedLines(bgp, dialect, line);
  else if (protocol.state !== 'down') {
    if (bgp.connectTimer !== undefined) yield line('Connect delay', timer(bgp.connectTimer, dialect));
    if (bgp.errorTimer !== undefined) yield line('Error wait', timer(bgp.errorTimer, dialect));
  }
  if (bgp.error !== undefined && bgp.state !== 'Established') yield line('Last error', errorText(bgp.error));
}

function restartTimer({ restartTimer: left }: BgpView, dialect: '1.6' | '2.x'): string {
  return left === undefined ? '' : `${timer({ left: left.left, of: 0 }, dialect).split('/')[0]}/-`;
}

function* establishedLines(
  bgp: BgpView,
  dialect: '1.6' | '2.x',
  line: (name: string, value: string) => string,
): Iterable<string> {
  if (bgp.peerId !== undefined) yield line('Neighbor ID', bgp.peerId);
  if (dialect === '2.x') {
    yield* capabilitySection('Local capabilities', bgp.localCapabilities);
    yield* capabilitySection('Neighbor capabilities', bgp.peerCapabilities);
  } else yield line('Neighbor caps', capabilityWords(bgp.peerCapabilities));
  yield line('Session', sessionWords(bgp, dialect).join(' '));
  if (bgp.sourceAddress !== undefined) yield line('Source address', bgp.sourceAddress);
  if (dialect === '1.6' && bgp.routeLimit !== undefined) {
    yield line('Route limit', `${bgp.routeLimit.routes}/${bgp.routeLimit.limit}`);
  }
  if (bgp.holdTimer !== undefined) yield line('Hold timer', timer(bgp.holdTimer, dialect));
  if (bgp.keepaliveTimer !== undefined) yield line('Keepalive timer', timer(bgp.keepaliveTimer, dialect));
  if (bgp.sendHoldTimer !== undefined) yield line('Send hold timer', timer(bgp.sendHoldTimer, dialect));
}

function* capabilitySection(title: string, capabilities: readonly Capability[]): Iterable<string> {
  yield `    ${title}`;
  for (const each of capabilityLines(capabilities)) yield `      ${each}`;
}

function sessionWords(bgp: BgpView, dialect: '1.6' | '2.x'): string[] {
  return [
    bgp.internal ? 'internal' : 'external',
    ...(bgp.multihop ? ['multihop'] : []),
    ...(bgp.role === undefined ? [] : [bgp.role === 'client' ? 'route-reflector' : 'route-server']),
    ...(bgp.as4 ? ['AS4'] : []),
    ...(dialect === '1.6' && bgp.addPathReceive ? ['add-path-rx'] : []),
    ...(dialect === '1.6' && bgp.addPathSend ? ['add-path-tx'] : []),
  ];
}
