// The options of BGP, both dialects. What must hold between them is checks.ts's.

import type { Role } from '../../bgp/wire/session-context.ts';
import { LONGEST_RESTART, LONGEST_STALE_TIME } from '../model/stability.ts';
import { bfdSettings } from './bfd.ts';
import type { BgpKey, BgpOptions } from './bgp-options.ts';
import { number, OptionTable, option, readBlock, toggle, unknownOption } from './options.ts';
import { readPatterns } from './patterns.ts';
import type { ConfigReader } from './reader.ts';
import { REQUIRABLE } from './to-model-capabilities.ts';

const MAX_HOPS = 255;
const MAX_TIME = 65535;
const KEEPALIVE = { min: 1, max: MAX_TIME } as const;

/** In the order of their subcodes (RFC 4486). */
export const CEASE_CAUSES = [
  'cease',
  'prefix limit hit',
  'administrative shutdown',
  'peer deconfigured',
  'administrative reset',
  'connection rejected',
  'configuration change',
  'connection collision',
  'out of resources',
] as const;

const ROLES: Readonly<Record<'peer' | 'provider' | 'customer' | 'rs_server' | 'rs_client', Role>> = {
  peer: 'peer',
  provider: 'provider',
  customer: 'customer',
  rs_server: 'rs-server',
  rs_client: 'rs-client',
};

export const BGP_OPTIONS = new OptionTable<BgpOptions>([
  option('local', readLocal),
  option('local role', (reader) => ({ role: ROLES[reader.choice('a role', roleNames())] }), '2.x'),
  option('neighbor', readPeer),
  option('interface', (reader) => ({ interface: reader.tokens.expectString('the name of an interface') })),
  option('interface range', (reader) => ({ interfaceRange: readPatterns(reader, false) }), '2.x'),
  toggle('onlink', (onlink) => ({ onlink }), '2.x'),
  option('source address', (reader) => ({ localAddress: reader.address('the source address') })),
  option('dynamic name', (reader) => ({ dynamicName: reader.text('the name') }), '2.x'),
  number('dynamic name digits', (dynamicNameDigits) => ({ dynamicNameDigits }), { max: 10, only: '2.x' }),
  toggle('strict bind', (strictBind) => ({ strictBind }), '2.x'),
  toggle('free bind', (freeBind) => ({ freeBind }), '2.x'),
  option('direct', () => ({ multihop: 0 })),
  option('multihop', (reader) => ({ multihop: readHops(reader) })),
  option('rr client', (reader) => ({ rrClient: clientToggle(reader) })),
  option('rr cluster id', (reader) => ({ rrClusterId: reader.routerId() })),
  option('rs client', (reader) => ({ rsClient: clientToggle(reader) })),
  number('confederation', (confederation) => ({ confederation }), { only: '2.x' }),
  toggle('confederation member', (confederationMember) => ({ confederationMember }), '2.x'),
  option('hold time', (reader) => ({ holdTime: readHoldTime(reader) })),
  number('min hold time', (minHoldTime) => ({ minHoldTime }), { only: '2.x' }),
  number('startup hold time', (startupHoldTime) => ({ startupHoldTime })),
  option('keepalive time', (reader) => ({
    keepaliveTime: reader.dialect === '1.6' ? reader.number('keepalive time') : keepalive(reader),
  })),
  number('min keepalive time', (minKeepaliveTime) => ({ minKeepaliveTime }), { only: '2.x' }),
  number('send hold time', (sendHoldTime) => ({ sendHoldTime }), { only: '2.x' }),
  number('connect delay time', (connectDelayTime) => ({ connectDelayTime })),
  number('start delay time', (connectDelayTime) => ({ connectDelayTime })),
  number('connect retry time', (connectRetryTime) => ({ connectRetryTime })),
  number('error forget time', (errorForgetTime) => ({ errorForgetTime })),
  option('error wait time', (reader) => {
    const errorWaitMin = reader.number('the first wait');
    reader.tokens.expectOp(',', 'between the two times', 'write error wait time 60, 300');
    return { errorWaitMin, errorWaitMax: reader.number('the longest wait') };
  }),
  toggle('disable after error', (disableAfterError) => ({ disableAfterError })),
  option('disable after cease', (reader) => ({
    disableAfterCease: reader.tokens.isOp('{')
      ? reader.flagList(CEASE_CAUSES).map((cause) => CEASE_CAUSES.indexOf(cause))
      : reader.toggle(),
  })),
  toggle('disable rx', (disableRx) => ({ disableRx }), '2.x'),
  toggle('enable route refresh', (enableRouteRefresh) => ({ enableRouteRefresh })),
  toggle(
    'enable enhanced route refresh',
    (enableEnhancedRouteRefresh) => ({ enableEnhancedRouteRefresh }),
    '2.x',
  ),
  toggle('enable as4', (enableAs4) => ({ enableAs4 })),
  toggle('enable extended messages', (enableExtendedMessages) => ({ enableExtendedMessages })),
  ...Object.entries(REQUIRABLE).map(([words, kind]) =>
    option<BgpOptions>(
      `require ${words}`,
      (reader, before) => ({ required: withFlag(before.required, kind, reader.toggle()) }),
      '2.x',
    ),
  ),
  toggle('require roles', (requireRoles) => ({ requireRoles }), '2.x'),
  toggle('advertise hostname', (advertiseHostname) => ({ advertiseHostname }), '2.x'),
  toggle('advertise ipv4', (advertiseIpv4) => ({ advertiseIpv4 }), '1.6'),
  toggle('capabilities', (capabilities) => ({ capabilities })),
  option('authentication', (reader) => ({ authentication: reader.choice('', ['none', 'md5', 'ao']) }), '2.x'),
  option('password', (reader) => ({ password: reader.secret() })),
  option('keys', (reader) => ({ keys: readKeys(reader) }), '2.x'),
  toggle('setkey', (setkey) => ({ setkey })),
  toggle('passive', (passive) => ({ passive })),
  toggle('interpret communities', (interpretCommunities) => ({ interpretCommunities })),
  option('allow local as', (reader) => ({
    allowLocalAs: reader.tokens.isOp(';') ? 'any' : reader.number('the number of own AS numbers'),
  })),
  toggle('allow bgp_local_pref', (allowLocalPref) => ({ allowLocalPref })),
  toggle('allow bgp_med', (allowMed) => ({ allowMed }), '2.x'),
  toggle('allow as sets', (allowAsSets) => ({ allowAsSets }), '2.x'),
  toggle('enforce first as', (enforceFirstAs) => ({ enforceFirstAs }), '2.x'),
  option('graceful restart', (reader) => ({ gracefulRestart: readRestart(reader) })),
  number('graceful restart time', (gracefulRestartTime) => ({ gracefulRestartTime })),
  number('min graceful restart time', (minGracefulRestartTime) => ({ minGracefulRestartTime }), {
    max: LONGEST_RESTART,
    only: '2.x',
  }),
  number('max graceful restart time', (maxGracefulRestartTime) => ({ maxGracefulRestartTime }), {
    max: LONGEST_RESTART,
    only: '2.x',
  }),
  option('long lived graceful restart', (reader) => ({ longLivedGracefulRestart: readRestart(reader) })),
  number('long lived stale time', (longLivedStaleTime) => ({ longLivedStaleTime })),
  number('min long lived stale time', (minLongLivedStaleTime) => ({ minLongLivedStaleTime }), {
    max: LONGEST_STALE_TIME,
    only: '2.x',
  }),
  number('max long lived stale time', (maxLongLivedStaleTime) => ({ maxLongLivedStaleTime }), {
    max: LONGEST_STALE_TIME,
    only: '2.x',
  }),
  toggle('ttl security', (ttlSecurity) => ({ ttlSecurity })),
  toggle('check link', (checkLink) => ({ checkLink })),
  option('bfd', readBfd),
  toggle('path metric', (pathMetric) => ({ pathMetric })),
  toggle('med metric', (medMetric) => ({ medMetric })),
  toggle('igp metric', (igpMetric) => ({ igpMetric })),
  toggle('prefer older', (preferOlder) => ({ preferOlder })),
  toggle('deterministic med', (deterministicMed) => ({ deterministicMed })),
  number('default bgp_med', (defaultMed) => ({ defaultMed })),
  number('default bgp_local_pref', (defaultLocalPref) => ({ defaultLocalPref })),
  number('tx size warning', (txSizeWarning) => ({ txSizeWarning }), { only: '2.x' }),
  number('route limit', (routeLimit) => ({ routeLimit }), { only: '1.6' }),
]);

function roleNames(): readonly (keyof typeof ROLES)[] {
  return ['peer', 'provider', 'customer', 'rs_server', 'rs_client'];
}

/** `local [ADDRESS] [port N] [as N]`; in 1.6 `local [ADDRESS] as N`. */
function readLocal(reader: ConfigReader): Partial<BgpOptions> {
  const { tokens } = reader;
  let found: Partial<BgpOptions> = {};
  if (reader.addressFollows) {
    const { address, zone } = reader.zonedAddress('the local address');
    found = { localAddress: address, ...(zone === undefined ? {} : { localInterface: zone }) };
  }
  if (reader.dialect === '1.6') {
    tokens.expectWord('as', 'and the local AS number');
    return { ...found, localAs: reader.number('the AS number') };
  }
  for (;;) {
    if (tokens.takeWord('as')) found = { ...found, localAs: reader.number('the AS number') };
    else if (tokens.takeWord('port')) found = { ...found, localPort: reader.port() };
    else return found;
  }
}

/** `neighbor [ADDRESS | range PREFIX] [port N] [as N] [internal|external]`. */
function readPeer(reader: ConfigReader, before: BgpOptions): Partial<BgpOptions> {
  const { tokens } = reader;
  const start = tokens.peek();
  let found: Partial<BgpOptions> = {};
  if (reader.addressFollows) {
    const { address, zone } = reader.zonedAddress("the peer's address");
    found = { peerAddress: address, ...(zone === undefined ? {} : { interface: zone }) };
  } else if (reader.dialect === '2.x' && tokens.takeWord('range')) {
    found = { peerRange: reader.prefix('the prefix of the peers').text };
  } else if (reader.dialect === '1.6') {
    throw tokens.unexpected("the peer's address");
  }
  if (Object.keys(found).length > 0 && (before.peerAddress ?? before.peerRange) !== undefined) {
    reader.diagnostics.error(
      start,
      'a BGP protocol has one neighbor',
      'write another protocol for the second',
    );
  }
  for (;;) {
    if (tokens.takeWord('as')) found = { ...found, peerAs: reader.number('the AS number') };
    else if (tokens.takeWord('port')) found = { ...found, peerPort: reader.port() };
    else if (reader.dialect === '2.x' && tokens.takeWord('internal'))
      found = { ...found, peerType: 'internal' };
    else if (reader.dialect === '2.x' && tokens.takeWord('external'))
      found = { ...found, peerType: 'external' };
    else return found;
  }
}

/** Without a number: as many hops as BIRD takes, 64. */
function readHops(reader: ConfigReader): number {
  return reader.tokens.isOp(';') ? DEFAULT_HOPS : reader.number('the number of hops', 1, MAX_HOPS);
}

const DEFAULT_HOPS = 64;

/** 1.6 has no switch here. */
function clientToggle(reader: ConfigReader): boolean {
  return reader.dialect === '1.6' ? true : reader.toggle();
}

function readHoldTime(reader: ConfigReader): number {
  const start = reader.tokens.peek();
  const value = reader.number('hold time');
  // RFC 4271 §4.2: zero or at least three seconds.
  if (reader.dialect === '2.x' && value !== 0 && (value < 3 || value > MAX_TIME)) {
    reader.diagnostics.error(start, `hold time is 0 or 3 to ${MAX_TIME}, not ${value}`);
  }
  return value;
}

function keepalive(reader: ConfigReader): number {
  return reader.number('keepalive time', KEEPALIVE.min, KEEPALIVE.max);
}

function readRestart(reader: ConfigReader): 'off' | 'aware' | 'on' {
  if (reader.tokens.takeWord('aware')) return 'aware';
  return reader.toggle() ? 'on' : 'off';
}

function readBfd(reader: ConfigReader): Partial<BgpOptions> {
  if (reader.dialect === '2.x' && reader.tokens.isOp('{')) return { bfd: bfdSettings(reader, 'in bfd') };
  if (reader.tokens.takeWord('graceful')) return { bfd: { graceful: true } };
  return { bfd: reader.toggle() ? {} : false };
}

function withFlag<T extends string>(before: readonly T[] | undefined, flag: T, on: boolean): readonly T[] {
  const others = (before ?? []).filter((each) => each !== flag);
  return on ? [...others, flag] : others;
}

const MAX_KEY_ID = 255;
const ALGORITHMS = [
  'keyed md5',
  'keyed sha1',
  'hmac md5',
  'hmac sha1',
  'hmac sha224',
  'hmac sha256',
  'hmac sha384',
  'hmac sha512',
  'cmac aes128',
] as const;

const KEY_OPTIONS = new OptionTable<BgpKey>([
  number('id', (id) => ({ sendId: id, recvId: id }), { max: MAX_KEY_ID }),
  number('send id', (sendId) => ({ sendId }), { max: MAX_KEY_ID }),
  number('recv id', (recvId) => ({ recvId }), { max: MAX_KEY_ID }),
  option('secret', (reader) => ({ secret: reader.secret('the secret', true) })),
  option('algorithm', (reader) => ({ algorithm: reader.phrase('an algorithm', ALGORITHMS) })),
  toggle('preferred', (preferred) => ({ preferred })),
  toggle('deprecated', (deprecated) => ({ deprecated })),
]);

/** `{ key { id N; secret "x"; }; ... }` */
function readKeys(reader: ConfigReader): readonly BgpKey[] {
  const keys: BgpKey[] = [];
  readBlock(reader, 'in keys', () => {
    reader.tokens.expectWord('key');
    let key: BgpKey = {};
    readBlock(reader, 'in key', () => {
      const row = KEY_OPTIONS.take(reader.tokens);
      if (row === undefined) throw unknownOption(reader.tokens, { where: 'in key', tables: [KEY_OPTIONS] });
      key = { ...key, ...row.read(reader, key) };
    });
    keys.push(key);
  });
  return keys;
}
