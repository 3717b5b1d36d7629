// BFD of a BGP protocol -> the model's: the options of `protocol bfd` for the peer's interface or for multihop, with the
// protocol's own on top, and BIRD's defaults where neither says anything. Without an enabled `protocol bfd` nobody
// serves the request, in BIRD as here.

import type { Span } from '../../policy/source.ts';
import type { BfdAuthConfig, BfdAuthType, BfdConfig } from '../model.ts';
import type { BirdConfig, ProtocolConfig } from './config.ts';
import type { BfdOptions, BfdSettings, InterfacePattern } from './protocol-options.ts';
import type { Unsaid } from './unsaid.ts';

type BgpProtocol = Extract<ProtocolConfig, { kind: 'bgp' }>;

const MICROS_PER_MS = 1000;
/** BIRD's, in milliseconds. */
const DEFAULTS = { minTx: 100, minRx: 10, idleTx: 1000, multiplier: 5 } as const;

const AUTH_TYPES: Readonly<Record<string, BfdAuthType>> = {
  simple: 'simple',
  'keyed md5': 'md5',
  'meticulous keyed md5': 'meticulous-md5',
  'keyed sha1': 'sha1',
  'meticulous keyed sha1': 'meticulous-sha1',
};

/** Undefined where the peer is not watched. `multihop`: it may be behind routers. */
export function bfdOf(
  config: BirdConfig,
  protocol: BgpProtocol,
  multihop: boolean,
  unsaid: Unsaid,
): BfdConfig | undefined {
  const { options, name, span } = protocol;
  const own = options.bfd;
  if (own === undefined || own === false) return undefined;
  const served = config.protocols.find((each) => each.kind === 'bfd' && each.common.disabled !== true);
  if (served?.kind !== 'bfd') {
    unsaid.add('bfd', span, name, 'it needs protocol bfd { }');
    return undefined;
  }
  const common = multihop ? (served.options.multihop ?? {}) : linkSettings(served.options, protocol, unsaid);
  if (own.graceful === true) unsaid.add('bfd graceful', span, name);
  const milliseconds = (key: 'minTxInterval' | 'minRxInterval' | 'idleTxInterval'): number | undefined => {
    // `interval` stands for both directions; what is nearer to the peer wins.
    const both = key === 'idleTxInterval' ? undefined : 'interval';
    const micros = own[key] ?? (both && own[both]) ?? common[key] ?? (both && common[both]);
    return micros === undefined ? undefined : micros / MICROS_PER_MS;
  };
  return {
    minTx: milliseconds('minTxInterval') ?? DEFAULTS.minTx,
    minRx: milliseconds('minRxInterval') ?? DEFAULTS.minRx,
    idleTx: milliseconds('idleTxInterval') ?? DEFAULTS.idleTx,
    multiplier: own.multiplier ?? common.multiplier ?? DEFAULTS.multiplier,
    multihop,
    passive: own.passive ?? common.passive ?? false,
    auth: authOf({ ...common, ...own }, protocol, unsaid),
  };
}

/** Options of the protocol itself that have no place here: sessions that no BGP session asks for, and who may connect. */
export function reportBfd(protocol: Extract<ProtocolConfig, { kind: 'bfd' }>, unsaid: Unsaid): void {
  const { interfaces: _, multihop: __, neighbors, ...others } = protocol.options;
  const spanOf = (key: string): Span => protocol.spans.get(key) ?? protocol.span;
  if (neighbors.length > 0) unsaid.add('neighbor', spanOf('neighbors'), protocol.name);
  unsaid.addOptions(others, new Set(), spanOf, protocol.name);
}

/** The first `interface` whose patterns take the peer's; where that is not known, the first of all. */
function linkSettings(
  { interfaces }: BfdOptions,
  { options, name, span }: BgpProtocol,
  unsaid: Unsaid,
): BfdSettings {
  const link = options.interface ?? options.localInterface;
  if (link !== undefined) {
    return interfaces.find(({ patterns }) => takes(patterns, link))?.settings ?? {};
  }
  const [first] = interfaces;
  const certain = interfaces.length < 2 || first?.patterns.some(({ mask }) => mask === '*') === true;
  if (!certain) {
    unsaid.say(
      'the interface of the peer is not known: the first interface of protocol bfd counts',
      span,
      name,
      'name it with interface "eth0";',
    );
  }
  return first?.settings ?? {};
}

function takes(patterns: readonly InterfacePattern[], link: string): boolean {
  const first = patterns.find(({ mask }) => mask !== undefined && maskMatches(mask, link));
  return first !== undefined && !first.exclude;
}

function maskMatches(mask: string, link: string): boolean {
  const source = [...mask].map((char) =>
    char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[\\^$.|+()[\]{}]/, '\\$&'),
  );
  return new RegExp(`^${source.join('')}$`, 's').test(link);
}

function authOf(
  { authentication, passwords = [] }: BfdSettings,
  { name, span }: BgpProtocol,
  unsaid: Unsaid,
): BfdAuthConfig | undefined {
  const type = authentication === undefined ? undefined : AUTH_TYPES[authentication];
  if (type === undefined) return undefined;
  if (passwords.some(({ options, algorithm }) => options.length > 0 || algorithm !== undefined)) {
    unsaid.add('times and algorithms of BFD passwords', span, name);
  }
  return { type, keys: passwords.map(({ id, secret }, i) => ({ id: id ?? i + 1, password: secret })) };
}
