// Peers and ranges whose keys (TCP-MD5, TCP-AO) the kernel cannot tell apart. A listening socket has one for an address,
// whatever the link: TCP_MD5SIG_FLAG_IFINDEX is for VRFs alone. Only sockets that are bound to an interface each keep
// link-local addresses apart, and one that is bound to a VRF has all of its links. Both front ends warn of it.

import { linkMatcher } from '../lib/interface-patterns.ts';
import { isLinkLocal, type Prefix, parseAddress, parsePrefix, prefixContains } from '../lib/ip.ts';
import type { Config, DynamicPeersConfig, ListenConfig, PeerConfig } from './model.ts';
import { sameValue } from './peer-changes.ts';

type Caller = PeerConfig | DynamicPeersConfig;

export interface KeyClash {
  readonly caller: Caller;
  readonly message: string;
  readonly hint: string;
}

interface Place {
  readonly caller: Caller;
  /** For people. */
  readonly address: string;
  /** As the kernel sees it. */
  readonly prefix: Prefix | undefined;
  readonly isLinkLocal: boolean;
  /** What the listening sockets that it calls on are bound to; none where its link has none of its own. */
  readonly sockets: readonly string[];
}

/** A socket of all links. */
const ALL = '';

type NameOf = (caller: Caller) => string;

/** One a caller: with whom it clashes first, whom messages call as `nameOf` says. */
export function keyClashes(
  { peers, dynamicPeers, listen }: Pick<Config, 'peers' | 'dynamicPeers' | 'listen'>,
  nameOf: NameOf,
): KeyClash[] {
  const links = boundLinks(listen);
  const places = [...peers, ...dynamicPeers].map((caller) => placeOf(caller, links));
  const linksOfCallers = new Set(places.flatMap(({ sockets }) => sockets));
  // It has the keys of all its links, whose names nobody knows here.
  const hasVrf = links?.some((link) => !linksOfCallers.has(link)) ?? false;
  const ranges = places.filter(({ caller }) => 'prefix' in caller && isSigned(caller));
  const byAddress = new Map<string, Place[]>();
  for (const place of places) {
    const group = byAddress.get(place.address);
    if (group === undefined) byAddress.set(place.address, [place]);
    else group.push(place);
  }
  return [...byAddress.values()].flatMap((group) => clashesOf(group, ranges, hasVrf, nameOf));
}

/** Of callers with one address or prefix. */
function clashesOf(
  group: readonly Place[],
  ranges: readonly Place[],
  hasVrf: boolean,
  nameOf: NameOf,
): KeyClash[] {
  const meet = (a: Place, b: Place): boolean =>
    a.sockets.some((socket) => b.sockets.includes(socket)) ||
    (hasVrf && (a.sockets.length === 0 || b.sockets.length === 0));
  return group.flatMap((place, i) => {
    const { caller } = place;
    if (isSigned(caller)) {
      const earlier = group
        .slice(0, i)
        .find((each) => isSigned(each.caller) && !sameKeys(each.caller, caller) && meet(each, place));
      return earlier === undefined ? [] : differ(place, earlier, nameOf);
    }
    if ('prefix' in caller) return [];
    const twin = group.find((each) => isSigned(each.caller) && meet(each, place));
    const other = twin ?? ranges.find((each) => includes(each, place));
    return other === undefined ? [] : lacksKey(caller, other, twin !== undefined, nameOf);
  });
}

function differ({ caller, address, isLinkLocal }: Place, earlier: Place, nameOf: NameOf): KeyClash {
  const arePasswords = (earlier.caller.password && caller.password) !== undefined;
  const [what, wanted] = arePasswords ? ['another password', 'password'] : ['other keys', 'keys'];
  return {
    caller,
    message: `${address} has ${what} at ${nameOf(earlier.caller)}, and the kernel knows one for an address, whatever the link`,
    hint: `give both the same ${wanted}${isLinkLocal ? ', or each link a listening socket of its own' : ''}`,
  };
}

function lacksKey(caller: PeerConfig, other: Place, isSame: boolean, nameOf: NameOf): KeyClash {
  return {
    caller,
    message: `the kernel wants connections from ${caller.address} signed, because those of ${nameOf(other.caller)} are`,
    hint: `give the peer a password, here and at its own end${isSame ? '' : ', or take its address out of the range'}`,
  };
}

/** What the IPv6 sockets are bound to, each to an interface; undefined where one of them is bound to none. */
function boundLinks(listen: readonly ListenConfig[]): readonly string[] | undefined {
  const ipv6 = listen.filter(({ address }) => address.includes(':'));
  const links = ipv6.map((each) => each.interface ?? parseAddress(each.address)?.zone);
  const bound = links.filter((link) => link !== undefined);
  return bound.length === links.length ? bound : undefined;
}

function placeOf(caller: Caller, links: readonly string[] | undefined): Place {
  const isRange = 'prefix' in caller;
  const [address, zone] = isRange ? [caller.prefix, undefined] : splitZone(caller.address);
  const prefix = parsePrefix(isRange ? address : hostPrefix(address));
  const onLink = prefix !== undefined && isLinkLocal(prefix.bytes);
  const isFrom = linkMatcher(isRange ? caller : { interface: zone });
  const sockets = onLink && links !== undefined ? links.filter((link) => isFrom?.(link) !== false) : [ALL];
  return { caller, address, prefix, isLinkLocal: onLink, sockets };
}

function splitZone(text: string): [address: string, zone: string | undefined] {
  const [address = '', zone] = text.split('%');
  return [address, zone];
}

function hostPrefix(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** Also on other links: a range's key is on every socket that no range of the same prefix is nearer to. */
function includes(range: Place, host: Place): boolean {
  if (range.prefix === undefined || host.prefix === undefined) return false;
  return prefixContains(range.prefix, host.prefix.bytes);
}

function isSigned({ password, tcpAo }: Caller): boolean {
  return (password ?? tcpAo) !== undefined;
}

function sameKeys(a: Caller, b: Caller): boolean {
  return sameValue(a.password, b.password) && sameValue(a.tcpAo, b.tcpAo);
}
