// What must hold when a protocol's block has ended: BIRD refuses a file for each of these, and so does godwit. Where
// the dialects differ it is said.

import { isLinkLocal, parseAddress } from '../../lib/ip.ts';
import { LONGEST_RESTART, LONGEST_STALE_TIME } from '../model/stability.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { NetType, Protocol, ProtocolConfig } from './config.ts';
import { DEFAULT_TIMERS } from './defaults.ts';
import type { ConfigReader } from './reader.ts';
import { aoComplaint } from './to-model-ao.ts';

type Complain = (message: string, hint?: string) => void;

/** Checks one protocol. Templates of some kinds may be incomplete, those of others BIRD wants whole. */
export function checkProtocol(reader: ConfigReader, protocol: ProtocolConfig, template: boolean): void {
  check(reader, protocol, template, (message, hint) => {
    reader.diagnostics.error(protocol.span, `${protocol.name}: ${message}`, hint);
  });
}

function check(reader: ConfigReader, protocol: ProtocolConfig, template: boolean, complain: Complain): void {
  switch (protocol.kind) {
    case 'bgp':
      if (!template) checkBgp(reader, protocol, complain);
      return;
    case 'kernel':
      if (!template || protocol.channels.size > 0) checkOneChannel(reader, protocol, complain);
      return;
    case 'static':
      checkOneChannel(reader, protocol, complain);
      checkRoutes(reader, protocol, complain);
      return;
    case 'pipe':
      if (!template || reader.dialect === '2.x') checkPipe(reader, protocol, complain);
      return;
    case 'mrt':
      if (reader.dialect === '2.x' && protocol.options.table === undefined) complain('table is missing');
      if (protocol.options.filename === undefined) complain('filename is missing');
      if (!protocol.options.period) complain('period is missing', 'add period SECONDS;');
      return;
    case 'rpki':
      if (protocol.channels.size === 0) complain('a channel is missing', 'add roa4; or roa6;');
      if (!template && protocol.options.remote === undefined)
        complain('the cache is missing', 'add remote ADDRESS;');
      return;
    case 'bmp':
      if (!template && protocol.options.stationAddress === undefined) {
        complain('the station is missing', 'add station address ip ADDRESS port N;');
      }
      return;
    default:
      return;
  }
}

function checkOneChannel(
  reader: ConfigReader,
  protocol: Protocol<'kernel' | 'static', unknown>,
  complain: Complain,
): void {
  if (reader.dialect === '1.6') return;
  if (protocol.channels.size === 0) complain('a channel is missing', 'add ipv4; or ipv6;');
  // Later versions have labels beside routes.
  const routed = [...protocol.channels.keys()].filter((name) => name !== 'mpls');
  if (routed.length > 1) {
    complain(`protocol ${protocol.kind} has one channel`, 'write a second protocol for the other family');
  }
}

/** A route's kind is its channel's. */
function checkRoutes(
  reader: ConfigReader,
  protocol: Extract<ProtocolConfig, { kind: 'static' }>,
  complain: Complain,
): void {
  const names = [...protocol.channels.keys()];
  const channel = names.find((name) => name !== 'mpls') ?? names[0];
  if (reader.dialect === '1.6' || channel === undefined) return;
  for (const route of protocol.options.routes) {
    const type = routeType(route.net.type, route.target.kind);
    const wanted: string = channel;
    if (type !== wanted) {
      reader.diagnostics.error(route.span, `the route ${route.net.text} is ${type}, the channel ${wanted}`);
    }
  }
  if (channel === 'aspa' && protocol.options.routes.some((route) => route.target.kind !== 'aspa')) {
    complain('routes of an aspa channel have providers');
  }
}

function routeType(type: NetType, target: string): NetType {
  if (target !== 'roa') return type;
  return type === 'ipv4' ? 'roa4' : 'roa6';
}

function checkPipe(
  reader: ConfigReader,
  protocol: Extract<ProtocolConfig, { kind: 'pipe' }>,
  complain: Complain,
): void {
  const channel = [...protocol.channels.values()][0];
  const table = channel?.table ?? (reader.dialect === '1.6' ? 'master' : undefined);
  const { peerTable } = protocol.options;
  if (channel?.importKeepFiltered === true) complain('a pipe keeps no filtered routes');
  if (channel?.receiveLimit !== undefined && channel.receiveLimit !== 'off') {
    complain('a pipe has no receive limit', 'limit what is imported: import limit N;');
  }
  if (table === undefined) complain('table is missing');
  if (peerTable === undefined) complain('peer table is missing');
  if (table === undefined || peerTable === undefined) return;
  if (table === peerTable) complain('table and peer table are the same');
  const types = [table, peerTable].map((name) => reader.tables.get(name)?.type);
  if (types[0] !== types[1]) complain(`table holds ${types[0]} and peer table ${types[1]}`);
}

function checkBgp(
  reader: ConfigReader,
  protocol: Extract<ProtocolConfig, { kind: 'bgp' }>,
  complain: Complain,
): void {
  const { options } = protocol;
  const two = reader.dialect === '2.x';
  if (!options.localAs) complain('the local AS is missing', 'add local as N;');
  const peer = options.peerAddress === undefined ? undefined : parseAddress(options.peerAddress)?.bytes;
  const address = peer?.some((octet) => octet !== 0) === true || peer?.length === 4;
  if (!address && options.peerRange === undefined) {
    complain("the peer's address is missing", 'add neighbor ADDRESS as N;');
  }
  if (!options.peerAs && options.peerType === undefined) {
    complain(
      "the peer's AS is missing",
      two ? 'add neighbor as N, internal or external' : 'add as N to neighbor',
    );
  }
  const keys = aoComplaint(options);
  if (keys !== undefined) complain(keys.message, keys.hint);
  const internal = isInternal(options);
  if (options.peerType === 'external' && options.peerAs && options.peerAs === options.localAs) {
    complain('an external peer has another AS');
  }
  if (options.peerType === 'internal' && options.peerAs && options.peerAs !== options.localAs) {
    complain('an internal peer has the same AS');
  }
  if (internal && options.rsClient) complain('a route server client is an external peer');
  if (!internal && options.rrClient) complain('a route reflector client is an internal peer');
  if (internal && options.enforceFirstAs) complain('enforce first as needs an external peer');
  const linkLocal = peer !== undefined && isLinkLocal(peer);
  const multihop = isMultihop(options);
  checkReach(protocol, { multihop, linkLocal }, complain);
  if (two) {
    checkTimes(options, complain);
    checkRestartTimes(protocol, complain);
    checkRoles(options, internal, complain);
    // Members of one confederation are of one mind (RFC 5065).
    checkPolicies(protocol, internal || options.confederationMember === true, complain);
  }
  checkCapabilities(options, complain);
  checkTables(reader, protocol, multihop, complain);
}

/** Whether the peer is in the own AS, as far as the file says. */
export function isInternal(options: BgpOptions): boolean {
  if (options.peerAs) return options.peerAs === options.localAs;
  return options.peerType === 'internal';
}

/** iBGP crosses routers unless it says `direct`. */
export function isMultihop(options: BgpOptions): boolean {
  return options.multihop === undefined ? isInternal(options) : options.multihop > 0;
}

const MAX_AS2 = 65535;

function checkCapabilities(options: BgpOptions, complain: Complain): void {
  const off = options.enableAs4 === false ? 'enable as4 off' : 'capabilities off';
  const isOff = options.enableAs4 === false || options.capabilities === false;
  const as = (isInternal(options) ? options.localAs : options.peerAs) ?? 0;
  if (isOff && as > MAX_AS2) complain(`AS ${as} needs 4 octets`, `leave out ${off}`);
  if ((options.longLivedGracefulRestart ?? 'off') !== 'off' && options.gracefulRestart === 'off') {
    complain('long lived graceful restart needs graceful restart');
  }
}

function checkReach(
  protocol: Extract<ProtocolConfig, { kind: 'bgp' }>,
  { multihop, linkLocal }: { readonly multihop: boolean; readonly linkLocal: boolean },
  complain: Complain,
): void {
  const { options } = protocol;
  const named = options.interface !== undefined || options.localInterface !== undefined;
  const bound = named || options.interfaceRange !== undefined;
  if (multihop && options.checkLink) complain('check link needs a direct peer', 'add direct;');
  if (multihop && bound) {
    complain('an interface needs a direct peer', 'add direct; or leave out the interface');
  }
  if (multihop && options.bfd && options.localAddress === undefined) {
    complain('BFD with a multihop peer needs the local address', 'add source address ADDRESS;');
  }
  if (options.onlink && !bound && !options.passive && options.peerRange === undefined) {
    complain('an onlink peer that is dialled needs its interface', 'add interface "eth0";');
  }
  if (linkLocal && multihop) complain('a link-local peer is never multihop', 'add direct;');
  if (linkLocal && !named) {
    complain('a link-local address needs its interface', `write neighbor ${options.peerAddress}%eth0`);
  }
  if (options.interfaceRange !== undefined) {
    if (named) complain('interface and interface range exclude each other', 'leave out one of them');
    if (!options.strictBind) complain('interface range needs strict bind', 'add strict bind;');
  } else if (options.strictBind && options.localAddress === undefined) {
    complain('strict bind needs the local address', 'add local ADDRESS;');
  }
  if (options.confederationMember && !options.confederation) {
    complain('a confederation member needs the confederation', 'add confederation N;');
  }
  const gateways = [...protocol.channels.values()].some((channel) => channel.gateway === 'direct');
  if (multihop && gateways)
    complain('gateway direct needs a direct peer', 'add direct; or gateway recursive;');
}

function checkTimes(options: BgpOptions, complain: Complain): void {
  const hold = options.holdTime ?? DEFAULT_TIMERS.hold;
  if (options.keepaliveTime !== undefined && options.keepaliveTime > hold) {
    complain('keepalive time is longer than hold time');
  }
  if ((options.minHoldTime ?? 0) > hold) {
    complain(`min hold time (${options.minHoldTime}) is longer than hold time (${hold})`);
  }
  const keepalive = options.keepaliveTime ?? Math.floor(hold / DEFAULT_TIMERS.keepalivesPerHold);
  if ((options.minKeepaliveTime ?? 0) > keepalive) {
    complain(`min keepalive time (${options.minKeepaliveTime}) is longer than keepalive time (${keepalive})`);
  }
}

/** How long the peer's routes are kept: at least and at most. */
function checkRestartTimes({ options, channels }: Protocol<'bgp', BgpOptions>, complain: Complain): void {
  const { minGracefulRestartTime: min = 0, maxGracefulRestartTime: max = LONGEST_RESTART } = options;
  if (min > max)
    complain(`min graceful restart time (${min}) is longer than max graceful restart time (${max})`);
  for (const channel of [{}, ...channels.values()]) {
    const { minLongLivedStaleTime = 0, maxLongLivedStaleTime = LONGEST_STALE_TIME } = {
      ...options,
      ...channel,
    };
    if (minLongLivedStaleTime <= maxLongLivedStaleTime) continue;
    complain(
      `min long lived stale time (${minLongLivedStaleTime}) is longer than max long lived stale time (${maxLongLivedStaleTime})`,
    );
    return;
  }
}

function checkRoles(options: BgpOptions, internal: boolean, complain: Complain): void {
  // RFC 9234 §4: roles are of eBGP.
  if (options.role !== undefined && internal) complain('a role is of external peers');
  if (options.requireRoles && options.role === undefined) {
    complain('require roles needs the local role', 'add local role customer;');
  }
}

/** RFC 8212: an external peer's policies are explicit. */
function checkPolicies(
  protocol: Extract<ProtocolConfig, { kind: 'bgp' }>,
  interior: boolean,
  complain: Complain,
): void {
  for (const [name, channel] of protocol.channels) {
    const flow = name === 'flow4' || name === 'flow6';
    if (channel.validate && !flow) complain('validate is of flow channels');
    if (channel.baseTable !== undefined && !flow) complain('base table is of flow channels');
    if (interior || name === 'mpls') continue;
    for (const direction of ['import', 'export'] as const) {
      if (channel[direction] === undefined) {
        complain(
          `channel ${name} of an external peer needs an ${direction} policy`,
          `add ${direction} all, none, filter or where`,
        );
      }
    }
  }
}

function checkTables(
  reader: ConfigReader,
  protocol: Extract<ProtocolConfig, { kind: 'bgp' }>,
  multihop: boolean,
  complain: Complain,
): void {
  for (const [name, channel] of protocol.channels) {
    const table = channel.table ?? defaultTable(reader, name);
    const isSorted = reader.tables.get(table ?? '')?.sorted === true;
    if (channel.secondary && !isSorted) {
      complain('secondary needs a sorted table', `define the table as sorted`);
    }
    const gateway = channel.gateway ?? (multihop ? 'recursive' : 'direct');
    if (isSorted && gateway === 'recursive') {
      complain('the next hops of a sorted table are direct', 'add gateway direct; or leave out sorted');
    }
    if (isSorted && protocol.options.deterministicMed) {
      complain('deterministic med needs a table that is not sorted');
    }
    if (reader.dialect === '1.6') continue;
    if (channel.validate && (name === 'flow4' || name === 'flow6')) {
      const base = channel.baseTable ?? (name === 'flow4' ? 'master4' : 'master6');
      if (reader.tables.get(base)?.trie !== true) {
        complain(`validate needs a trie in table ${base}`, 'define the table with { trie; }');
      }
    }
    const family = name.startsWith('ipv4') ? 'ipv4' : name.startsWith('ipv6') ? 'ipv6' : undefined;
    for (const igp of channel.igpTables ?? []) {
      const type = reader.tables.get(igp)?.type;
      if (family !== undefined && type !== family && !channel.extendedNextHop) {
        complain(`igp table ${igp} holds ${type}, channel ${name} needs ${family}`);
      }
    }
  }
}

function defaultTable(reader: ConfigReader, channel: string): string | undefined {
  if (reader.dialect === '1.6') return 'master';
  return channel.startsWith('ipv6') ? 'master6' : channel.startsWith('ipv4') ? 'master4' : undefined;
}
