// BFD as the user writes it -> the model.

import { formatAddress, isLinkLocal, parseAddress, versionOf } from '../lib/ip.ts';
import { mayBeSame } from '../lib/optional.ts';
import { checkLocalVersion, wantInterface } from './address-checks.ts';
import type { IssueList } from './issues.ts';
import {
  BFD_KEY_OCTETS,
  type BfdConfig,
  type BfdSessionConfig,
  bfdSessionName,
  type NetworkConfig,
  type PeerConfig,
  type Secret,
} from './model.ts';
import { formatPath, type Path } from './nodes.ts';
import type { BfdOptionsInput, BfdSessionsInput } from './schema-bfd.ts';
import type { SecretReader } from './secrets.ts';
import { canonicalAddress } from './values.ts';

/** Milliseconds. */
const BFD = { interval: 300, idleInterval: 1000, multiplier: 3, keyId: 1 } as const;

/** `multihop`: where nothing is said of it. */
export function bfdConfig(
  options: BfdOptionsInput,
  multihop: boolean,
  password: Secret | undefined,
): BfdConfig {
  const interval = options.interval ?? BFD.interval;
  const { verification: auth } = options;
  return {
    minTx: interval,
    minRx: options.minRx ?? interval,
    idleTx: options.idleInterval ?? BFD.idleInterval,
    multiplier: options.multiplier ?? BFD.multiplier,
    multihop: options.multihop ?? multihop,
    passive: options.passive ?? false,
    auth:
      auth === undefined || password === undefined
        ? undefined
        : { type: auth.type, keys: [{ id: auth.keyId ?? BFD.keyId, password }] },
  };
}

/** What is wrong with the key of `written`, which stands at `path`. */
export function checkBfdKey(
  written: BfdOptionsInput,
  { auth }: BfdConfig,
  path: Path,
  issues: IssueList,
): void {
  const at = [...path, 'verification', 'password'];
  if (written.verification?.password === false) {
    issues.error(at, 'authentication needs a password', 'take verification out for none');
  }
  for (const { password } of auth?.keys ?? []) {
    const most = BFD_KEY_OCTETS[auth!.type];
    if (password.octets().length <= most) continue;
    issues.error(at, `a key for ${auth!.type} has up to ${most} octets`, 'shorten it');
  }
}

/** Where an other end one hop away is; without a link it may be on any. */
interface Place {
  readonly address: string;
  readonly link: string | undefined;
}

function placeOf({ address, interface: link }: Pick<BfdSessionConfig, 'address' | 'interface'>): Place {
  const parsed = parseAddress(address);
  return {
    address: parsed === undefined ? address : formatAddress(parsed.bytes),
    link: link ?? parsed?.zone,
  };
}

/** By place; the first of several. */
class Places<T extends Pick<BfdSessionConfig, 'address' | 'interface'>> {
  readonly #byAddress = new Map<string, T[]>();

  constructor(items: readonly T[]) {
    for (const item of items) this.add(item);
  }

  add(item: T): void {
    const { address } = placeOf(item);
    const others = this.#byAddress.get(address);
    if (others === undefined) this.#byAddress.set(address, [item]);
    else others.push(item);
  }

  /** What may be at the same place. */
  find(item: Pick<BfdSessionConfig, 'address' | 'interface'>): T | undefined {
    const { address, link } = placeOf(item);
    return this.#byAddress.get(address)?.find((other) => mayBeSame(link, placeOf(other).link));
  }
}

/** Sessions with the next hops of networks that want one, where none of the `known` is there. */
export function hopSessions(
  networks: readonly NetworkConfig[],
  known: readonly BfdSessionConfig[],
): BfdSessionConfig[] {
  const places = new Places(known.filter(({ bfd }) => !bfd.multihop));
  const found: BfdSessionConfig[] = [];
  for (const { address, interface: link, bfd } of networks.flatMap(({ hops = [] }) => hops)) {
    if (address === undefined || bfd !== true) continue;
    const ends = { address, localAddress: undefined, interface: link };
    if (places.find(ends) !== undefined) continue;
    const session = { ...ends, name: bfdSessionName(ends), bfd: bfdConfig({}, false, undefined) };
    places.add(session);
    found.push(session);
  }
  return found;
}

/**
 * Sessions of one hop with a peer that is watched itself, made the peer's (RFC 5882 §4.4). Two of them would take each other
 * down: the first packets say nothing of which session they are, so that the peer takes them for one.
 */
export function sharedWithPeers(
  sessions: readonly BfdSessionConfig[],
  peers: readonly PeerConfig[],
): BfdSessionConfig[] {
  const watched = new Places(peers.filter(({ bfd }) => bfd?.multihop === false));
  return sessions.map((session) => {
    const { address, localAddress: own, bfd } = session;
    const peer = bfd.multihop || own !== undefined ? undefined : watched.find(session);
    if (peer?.bfd === undefined) return session;
    const ends = { address, localAddress: peer.localAddress, interface: placeOf(peer).link };
    return { ...ends, name: bfdSessionName(ends), bfd: peer.bfd };
  });
}

export function buildBfdSessions(
  input: BfdSessionsInput | undefined,
  secrets: SecretReader,
  issues: IssueList,
): BfdSessionConfig[] {
  const seen = new Map<string, Path>();
  return (input?.sessions ?? []).map((session, i) => {
    const path: Path = ['bfd', 'sessions', i];
    const address = canonicalAddress(session.address);
    const localAddress =
      session.localAddress === undefined ? undefined : canonicalAddress(session.localAddress);
    const parsed = parseAddress(address);
    const password = secrets.read(session.verification?.password, [...path, 'verification', 'password']);
    const bfd = bfdConfig(session, false, password);
    checkBfdKey(session, bfd, path, issues);
    const link = session.interface ?? parsed?.zone;
    if (parsed !== undefined && isLinkLocal(parsed.bytes) && link === undefined) {
      wantInterface([...path, 'address'], address, issues);
    }
    const own = localAddress === undefined ? undefined : parseAddress(localAddress);
    if (own !== undefined && parsed !== undefined) {
      const at = [...path, 'localAddress'];
      checkLocalVersion(at, versionOf(own.bytes), versionOf(parsed.bytes), issues);
    }
    const name = bfdSessionName({ address, localAddress, interface: link });
    const earlier = seen.get(name);
    if (earlier === undefined) seen.set(name, path);
    else issues.error(path, `the same session as ${formatPath(earlier)}`, 'take one of them out');
    return { name, address, localAddress, interface: link, bfd };
  });
}
