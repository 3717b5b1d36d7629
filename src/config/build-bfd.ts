// BFD as the user writes it -> the model.

import { formatAddress, isLinkLocal, parseAddress } from '../lib/ip.ts';
import type { IssueList } from './issues.ts';
import {
  BFD_KEY_OCTETS,
  type BfdConfig,
  type BfdSessionConfig,
  bfdSessionName,
  type NetworkConfig,
  type Secret,
} from './model.ts';
import { formatPath, type Path } from './nodes.ts';
import type { BfdOptionsInput, BfdSessionsInput } from './schema-bfd.ts';
import type { SecretReader } from './secrets.ts';

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
    if (new TextEncoder().encode(password.reveal()).length <= most) continue;
    issues.error(at, `a key for ${auth!.type} has up to ${most} octets`, 'shorten it');
  }
}

/** Sessions with the next hops of networks that want one, where none of the `known` is there. */
export function hopSessions(
  networks: readonly NetworkConfig[],
  known: readonly BfdSessionConfig[],
): BfdSessionConfig[] {
  const placeOf = ({ address, interface: link }: Pick<BfdSessionConfig, 'address' | 'interface'>): string => {
    const parsed = parseAddress(address);
    return parsed === undefined ? address : formatAddress(parsed.bytes, link ?? parsed.zone);
  };
  const places = new Set(known.flatMap((each) => (each.bfd.multihop ? [] : placeOf(each))));
  const found: BfdSessionConfig[] = [];
  for (const { address, interface: link, bfd } of networks.flatMap(({ hops = [] }) => hops)) {
    if (address === undefined || bfd !== true) continue;
    const ends = { address, localAddress: undefined, interface: link };
    const place = placeOf(ends);
    if (places.has(place)) continue;
    places.add(place);
    found.push({ ...ends, name: bfdSessionName(ends), bfd: bfdConfig({}, false, undefined) });
  }
  return found;
}

export function buildBfdSessions(
  input: BfdSessionsInput | undefined,
  secrets: SecretReader,
  issues: IssueList,
): BfdSessionConfig[] {
  const seen = new Map<string, Path>();
  return (input?.sessions ?? []).map((session, i) => {
    const path: Path = ['bfd', 'sessions', i];
    const { address, localAddress } = session;
    const parsed = parseAddress(address);
    const password = secrets.read(session.verification?.password, [...path, 'verification', 'password']);
    const bfd = bfdConfig(session, false, password);
    checkBfdKey(session, bfd, path, issues);
    const link = session.interface ?? parsed?.zone;
    if (parsed !== undefined && isLinkLocal(parsed.bytes) && link === undefined) {
      issues.error(
        [...path, 'address'],
        'a link-local address needs its interface',
        `write ${address}%eth0, with the name of the link`,
      );
    }
    const name = bfdSessionName({ address, localAddress, interface: link });
    const earlier = seen.get(name);
    if (earlier === undefined) seen.set(name, path);
    else issues.error(path, `the same session as ${formatPath(earlier)}`, 'take one of them out');
    return { name, address, localAddress, interface: link, bfd };
  });
}
