// Peers and ranges whose keys (TCP-MD5, TCP-AO) the kernel cannot tell apart. A listening socket has one for an address,
// whatever the link: TCP_MD5SIG_FLAG_IFINDEX is for VRFs alone. Only sockets that are bound to an interface each keep
// link-local addresses apart. Both front ends warn of it.

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
  /** Where it matters to the kernel. */
  readonly link: string | undefined;
}

type NameOf = (caller: Caller) => string;

/** One a caller: with whom it clashes first, whom messages call as `nameOf` says. */
export function keyClashes(
  { peers, dynamicPeers, listen }: Pick<Config, 'peers' | 'dynamicPeers' | 'listen'>,
  nameOf: NameOf,
): KeyClash[] {
  const byLink = keepLinksApart(listen);
  const first = new Map<string, Place>();
  const signed = [...peers, ...dynamicPeers].filter(isSigned).map((caller) => placeOf(caller, byLink));
  const clashes: KeyClash[] = [];
  for (const place of signed) {
    const earlier = first.get(keyOf(place));
    if (earlier === undefined) first.set(keyOf(place), place);
    else if (!sameKeys(earlier.caller, place.caller)) clashes.push(differ(place, earlier, nameOf));
  }
  for (const caller of peers) {
    if (isSigned(caller)) continue;
    const place = placeOf(caller, byLink);
    const twin = first.get(keyOf(place));
    const other = twin ?? signed.find((each) => includes(each, place));
    if (other !== undefined) clashes.push(lacksKey(caller, other, twin !== undefined, nameOf));
  }
  return clashes;
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

function keepLinksApart(listen: readonly ListenConfig[]): boolean {
  const ipv6 = listen.filter(({ address }) => address.includes(':'));
  return ipv6.every((each) => (each.interface ?? parseAddress(each.address)?.zone) !== undefined);
}

function placeOf(caller: Caller, byLink: boolean): Place {
  const isRange = 'prefix' in caller;
  const [address, zone] = isRange ? [caller.prefix, caller.interface] : splitZone(caller.address);
  const prefix = parsePrefix(isRange ? address : hostPrefix(address));
  const onLink = prefix !== undefined && isLinkLocal(prefix.bytes);
  return { caller, address, prefix, isLinkLocal: onLink, link: byLink && onLink ? zone : undefined };
}

function splitZone(text: string): [address: string, zone: string | undefined] {
  const [address = '', zone] = text.split('%');
  return [address, zone];
}

function hostPrefix(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

function keyOf({ address, link }: Place): string {
  return `${address}%${link ?? ''}`;
}

/** Also on other links: a range's key is on every socket that no range of the same prefix is nearer to. */
function includes(range: Place, host: Place): boolean {
  if (!('prefix' in range.caller) || range.prefix === undefined || host.prefix === undefined) return false;
  return prefixContains(range.prefix, host.prefix.bytes);
}

function isSigned({ password, tcpAo }: Caller): boolean {
  return (password ?? tcpAo) !== undefined;
}

function sameKeys(a: Caller, b: Caller): boolean {
  return sameValue(a.password, b.password) && sameValue(a.tcpAo, b.tcpAo);
}
