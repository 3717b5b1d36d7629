// Whose is an accepted connection? Static peers by remote address (and zone, and local address), several peers of
// one address told apart by port, dynamic peers by prefix with a limit. It also says which keys (TCP-MD5, TCP-AO)
// a listener needs. The sockets are listener.ts's.

import { bytesEqual } from '../../lib/bytes.ts';
import { formatAddress, type IpBytes, isLinkLocal, type Prefix, prefixContains } from '../../lib/ip.ts';
import { mayBeSame } from '../../lib/optional.ts';
import type { Peer } from './peer.ts';
import { type Authentication, type Endpoint, isAuthenticated } from './transport.ts';

/** Peers that are made when they call. */
export interface DynamicRange extends Authentication {
  readonly name: string;
  readonly prefix: Prefix;
  /** Whether link-local addresses are taken from a link; from all unless given. */
  readonly takesFrom?: ((link: string) => boolean) | undefined;
  /** Most peers of this range at a time. */
  readonly limit: number;
  /** Makes the peer, passive and started; undefined refuses it. */
  admit(remote: Endpoint): Peer | undefined;
}

export type Lookup =
  | {
      readonly peer: Peer /** It was made just now, and is nobody before its OPEN. */;
      readonly admitted?: boolean;
    }
  /** For the log. */
  | { readonly refused: string };

export class PeerDirectory {
  readonly #byAddress = new Map<string, Peer[]>();
  /** Where each peer is filed; its options may have changed since. */
  readonly #addressOf = new Map<Peer, IpBytes>();
  readonly #ranges: DynamicRange[] = [];
  /** Members by the range's name, which a changed range keeps. */
  readonly #members = new Map<string, Set<Peer>>();
  readonly #rangeOf = new Map<Peer, string>();

  add(peer: Peer): void {
    if (this.#addressOf.has(peer)) return;
    const { bytes } = peer.options.remoteAddress;
    const key = formatAddress(bytes);
    this.#addressOf.set(peer, bytes);
    const peers = this.#byAddress.get(key);
    if (peers === undefined) this.#byAddress.set(key, [peer]);
    else peers.push(peer);
  }

  remove(peer: Peer): void {
    const address = this.#addressOf.get(peer);
    if (address === undefined) return;
    this.#addressOf.delete(peer);
    const key = formatAddress(address);
    const rest = this.#byAddress.get(key)?.filter((other) => other !== peer) ?? [];
    if (rest.length === 0) this.#byAddress.delete(key);
    else this.#byAddress.set(key, rest);
    const range = this.#rangeOf.get(peer);
    if (range === undefined) return;
    this.#rangeOf.delete(peer);
    this.#members.get(range)?.delete(peer);
  }

  /** Files a peer anew whose options have changed; a dynamic one stays a member of its range. */
  refresh(peer: Peer): void {
    const range = this.#rangeOf.get(peer);
    this.remove(peer);
    this.add(peer);
    if (range !== undefined) this.#join(range, peer);
  }

  #join(range: string, peer: Peer): void {
    this.#rangeOf.set(peer, range);
    const members = this.#members.get(range) ?? new Set();
    this.#members.set(range, members.add(peer));
  }

  addRange(range: DynamicRange): void {
    this.#ranges.push(range);
    // The longest prefix is asked first; of those as long as each other, the one that came first.
    this.#ranges.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /** Of prefixes as long as each other the range that is named first is asked first. */
  orderRanges(names: readonly string[]): void {
    const places = new Map(names.map((name, place) => [name, place]));
    const placeOf = ({ name }: DynamicRange) => places.get(name) ?? names.length;
    this.#ranges.sort((a, b) => b.prefix.length - a.prefix.length || placeOf(a) - placeOf(b));
  }

  /** Peers already admitted stay. */
  removeRange(range: DynamicRange): void {
    const at = this.#ranges.indexOf(range);
    if (at >= 0) this.#ranges.splice(at, 1);
  }

  /** Peers of a range that are there now; those that are administratively down only keep their address out. */
  population(range: DynamicRange): number {
    let count = 0;
    for (const peer of this.#members.get(range.name) ?? []) if (peer.adminUp) count++;
    return count;
  }

  /** Peers that are configured for this address, or were admitted from it. */
  peersAt(address: IpBytes): number {
    return this.#byAddress.get(formatAddress(address))?.length ?? 0;
  }

  find(local: Endpoint, remote: Endpoint): Lookup {
    const known = this.#byAddress.get(formatAddress(remote.address)) ?? [];
    const candidates = known.filter((peer) => suits(peer, local, remote));
    const peer = choose(candidates, remote);
    return peer === undefined ? this.#admit(remote) : { peer };
  }

  #admit(remote: Endpoint): Lookup {
    const range = this.#ranges.find(
      (each) => prefixContains(each.prefix, remote.address) && takesFrom(each, remote.zone),
    );
    if (range === undefined) return { refused: 'no such peer is configured' };
    if (this.population(range) >= range.limit) {
      return { refused: `${range.name} has its ${range.limit} peers already` };
    }
    const peer = range.admit(remote);
    if (peer === undefined) return { refused: `${range.name} does not admit it` };
    this.add(peer);
    this.#join(range.name, peer);
    return { peer, admitted: true };
  }

  /** The prefix whose key a peer may have, as it is filed. */
  prefixOf(peer: Peer): Prefix | undefined {
    const address = this.#addressOf.get(peer);
    return address && hostPrefix(address);
  }

  /**
   * The key of a prefix on a socket that is bound to a link, or to none; of several the latest peer's counts, and a peer's
   * before a range's. Whom it has on other links alone may come over this one, too, where it is a VRF.
   */
  key(prefix: Prefix, link: string | undefined): Authentication | undefined {
    const isHost = prefix.length === prefix.bytes.length * 8;
    const filed = isHost ? (this.#byAddress.get(formatAddress(prefix.bytes)) ?? []) : [];
    // A dynamic peer's connection has its range's key.
    const peers = filed.filter((peer) => !this.#rangeOf.has(peer));
    const ranges = this.#ranges.filter((range) => samePrefix(range.prefix, prefix));
    const zone = isLinkLocal(prefix.bytes) ? link : undefined;
    const near = {
      peers: peers.filter((peer) => isReachedOver(peer, zone)),
      ranges: ranges.filter((range) => takesFrom(range, zone)),
    };
    const callers = near.peers.length + near.ranges.length > 0 ? near : { peers, ranges };
    const peer = callers.peers.findLast(({ options }) => isAuthenticated(options));
    return peer?.options ?? callers.ranges.findLast(isAuthenticated);
  }

  get rangePrefixes(): Prefix[] {
    return this.#ranges.map(({ prefix }) => prefix);
  }

  /** Every prefix that may have a key. */
  get prefixes(): Prefix[] {
    return [...this.rangePrefixes, ...[...this.#addressOf.values()].map(hostPrefix)];
  }
}

function hostPrefix(bytes: IpBytes): Prefix {
  return { bytes, length: bytes.length * 8 };
}

function samePrefix(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && bytesEqual(a.bytes, b.bytes);
}

/** `zone`: of a link-local address; undefined where there is none, or where it is not known. */
function isReachedOver(
  { options: { remoteAddress, interface: link } }: Peer,
  zone: string | undefined,
): boolean {
  return mayBeSame(remoteAddress.zone ?? link, zone);
}

function takesFrom(range: DynamicRange, zone: string | undefined): boolean {
  return range.takesFrom === undefined || zone === undefined || range.takesFrom(zone);
}

/** Whether a connection between these ends may be a peer's that is at the remote address. */
export function suits(peer: Peer, local: Endpoint, remote: Endpoint): boolean {
  const { localAddress } = peer.options;
  if (!isReachedOver(peer, remote.zone)) return false;
  return localAddress === undefined || formatAddress(localAddress) === formatAddress(local.address);
}

/** Several peers on one address: the one that dials from its port, else who waits to be called, else the first. */
function choose(candidates: readonly Peer[], remote: Endpoint): Peer | undefined {
  const preferences: readonly ((peer: Peer) => boolean)[] = [
    (peer) => peer.options.remotePort === remote.port,
    (peer) => peer.adminUp,
    (peer) => peer.state !== 'Established',
    (peer) => peer.options.passive,
  ];
  let left = candidates;
  for (const preferred of preferences) {
    const better = left.filter(preferred);
    if (better.length > 0) left = better;
  }
  return left[0];
}
