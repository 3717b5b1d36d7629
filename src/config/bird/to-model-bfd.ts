// BFD of a BGP protocol, and what `protocol bfd` watches by itself -> the model's: the options of `protocol bfd` for the
// other end's interface or for multihop, with the BGP protocol's own on top, and BIRD's defaults where neither says
// anything. Without an enabled `protocol bfd` nobody serves the request, in BIRD as here.

import type { Span } from '../../policy/source.ts';
import {
  type BfdAuthConfig,
  type BfdAuthType,
  type BfdConfig,
  type BfdSessionConfig,
  bfdSessionName,
} from '../model.ts';
import type { BirdConfig, ProtocolConfig } from './config.ts';
import type { BfdOptions, BfdSettings, InterfacePattern } from './protocol-options.ts';
import type { Unsaid } from './unsaid.ts';

type BgpProtocol = Extract<ProtocolConfig, { kind: 'bgp' }>;
type BfdProtocol = Extract<ProtocolConfig, { kind: 'bfd' }>;
/** Whom warnings are about. */
type Owner = Pick<ProtocolConfig, 'name' | 'span'>;

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
  const link = options.interface ?? options.localInterface;
  const common = settingsFor(served.options, { multihop, link }, protocol, unsaid);
  if (own.graceful === true) unsaid.add('bfd graceful', span, name);
  return configOf(own, common, multihop, protocol, unsaid);
}

/** What `protocol bfd` watches for the other end's sake, and for static routes. */
export function bfdSessionsOf(config: BirdConfig, unsaid: Unsaid): BfdSessionConfig[] {
  const protocol = config.protocols.find(
    (each): each is BfdProtocol => each.kind === 'bfd' && each.common.disabled !== true,
  );
  const gateways = config.protocols.flatMap((each) => watchedBy(each, protocol !== undefined, unsaid));
  const found = new Map<string, BfdSessionConfig>();
  if (protocol !== undefined) {
    const ends: BfdOptions['neighbors'] = [...protocol.options.neighbors, ...gateways];
    for (const { address, interface: link, local, multihop = false } of ends) {
      const common = settingsFor(protocol.options, { multihop, link }, protocol, unsaid);
      const bfd = configOf({}, common, multihop, protocol, unsaid);
      const name = bfdSessionName({ address, localAddress: local, interface: link });
      found.set(name, { name, address, localAddress: local, interface: link, bfd });
    }
  }
  return [...found.values()];
}

/** The gateways of a static protocol that want BFD. */
function watchedBy(protocol: ProtocolConfig, served: boolean, unsaid: Unsaid): BfdOptions['neighbors'] {
  if (protocol.kind !== 'static' || protocol.common.disabled === true) return [];
  return protocol.options.routes.flatMap(({ target, span }) => {
    const hops = target.kind === 'via' ? target.hops.filter(({ bfd }) => bfd === true) : [];
    if (hops.length > 0 && !served) {
      unsaid.say(
        'a next hop with bfd is never used without an enabled protocol bfd',
        span,
        protocol.name,
        'add protocol bfd { }',
      );
    }
    return hops.flatMap(({ address, interface: link }) =>
      address === undefined ? [] : [{ address, ...(link !== undefined && { interface: link }) }],
    );
  });
}

function configOf(
  own: BfdSettings,
  common: BfdSettings,
  multihop: boolean,
  owner: Owner,
  unsaid: Unsaid,
): BfdConfig {
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
    auth: authOf({ ...common, ...own }, owner, unsaid),
  };
}

/** Options of the protocol itself that have no place here: who may connect. */
export function reportBfd(protocol: BfdProtocol, unsaid: Unsaid): void {
  const { interfaces: _, multihop: __, neighbors: ___, ...others } = protocol.options;
  const spanOf = (key: string): Span => protocol.spans.get(key) ?? protocol.span;
  unsaid.addOptions(others, new Set(), spanOf, protocol.name);
}

/** Of a single hop the first `interface` whose patterns take the link; where that is not known, the first of all. */
function settingsFor(
  { interfaces, multihop: far = {} }: BfdOptions,
  { multihop, link }: { readonly multihop: boolean; readonly link: string | undefined },
  { name, span, kind }: Pick<ProtocolConfig, 'name' | 'span' | 'kind'>,
  unsaid: Unsaid,
): BfdSettings {
  if (multihop) return far;
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
      kind === 'bgp' ? 'name it with interface "eth0";' : 'name it with dev "eth0"',
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
  { name, span }: Owner,
  unsaid: Unsaid,
): BfdAuthConfig | undefined {
  const type = authentication === undefined ? undefined : AUTH_TYPES[authentication];
  if (type === undefined) return undefined;
  if (passwords.some(({ options, algorithm }) => options.length > 0 || algorithm !== undefined)) {
    unsaid.add('times and algorithms of BFD passwords', span, name);
  }
  return { type, keys: passwords.map(({ id, secret }, i) => ({ id: id ?? i + 1, password: secret })) };
}
