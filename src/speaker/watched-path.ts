// One path that BFD watches: between which addresses, who wants it watched, and how. Peers that lean on it come and go;
// bfd-sessions.ts has them all.

import type { SessionReport, SessionSpec } from '../bfd/service.ts';
import type { BfdConfig, BfdSessionConfig } from '../config/model.ts';
import { bytesEqual } from '../lib/bytes.ts';
import { type IpAddress, parseAddress } from '../lib/ip.ts';
import { mayBeSame } from '../lib/optional.ts';
import type { PeerHandle } from './peer-registry.ts';

/** One watched path. */
export interface WatchedPath {
  /** Both of the session that watches it, which may give way to one between ends that say more. */
  id: number;
  ends: PathEnds;
  /** In the order in which they came. */
  readonly members: Map<PeerHandle, Wish>;
  /** What the configuration wants watched, whoever leans on it, by key. */
  readonly configured: Map<string, Wish>;
  spec: SessionSpec;
  report: SessionReport | undefined;
  /** Wall-clock milliseconds. */
  since: number;
  upCount: number;
  downCount: number;
}

/** What makes a path another one. */
export interface PathEnds {
  readonly address: IpAddress;
  readonly local: string | undefined;
  readonly link: string | undefined;
  readonly multihop: boolean;
}

/** What somebody wants of a path, between ends that may say less than those of others. */
export interface Wish {
  readonly ends: PathEnds;
  readonly config: BfdConfig;
}

const MICROS_PER_MS = 1000;

export function endsOf({ address, settings }: PeerHandle, { multihop }: BfdConfig): PathEnds {
  const link = multihop ? undefined : (settings.interface ?? address.zone);
  return { address, local: settings.localAddress, link, multihop };
}

export function configuredEnds({
  name,
  address,
  localAddress,
  interface: link,
  bfd,
}: BfdSessionConfig): PathEnds {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new RangeError(`BFD session ${name} has no address`);
  const { multihop } = bfd;
  return {
    address: parsed,
    local: localAddress,
    link: multihop ? undefined : (link ?? parsed.zone),
    multihop,
  };
}

/** What tells ends apart. */
export function pathKey({ address, local, link, multihop }: PathEnds): string {
  return `${multihop} ${address.bytes.join('.')} ${link ?? '*'} ${local ?? '*'}`;
}

/**
 * Ends of one hop may be of one path, which has one session (RFC 5882 §4.4): the first packets say nothing of which one they
 * are for, so that two of them would take each other down.
 */
export function samePath(a: PathEnds, b: PathEnds): boolean {
  if (a.multihop || b.multihop || !bytesEqual(a.address.bytes, b.address.bytes)) return false;
  return mayBeSame(a.link, b.link) && mayBeSame(a.local, b.local);
}

/** A path that one wants, and nobody watches yet. `since`: wall-clock milliseconds. */
export function newPath(id: number, { ends, config }: Wish, since: number): WatchedPath {
  return {
    id,
    ends,
    members: new Map(),
    configured: new Map(),
    spec: { ...sessionOptions(config), path: sessionPath(ends) },
    report: undefined,
    since,
    upCount: 0,
    downCount: 0,
  };
}

/** All that is said of them. */
export function wantedEnds(path: WatchedPath): PathEnds {
  const all = wishesOf(path).map(({ ends }) => ends);
  const [first] = all;
  if (first === undefined) throw new RangeError('somebody wants a watched path');
  return {
    ...first,
    local: all.find(({ local }) => local !== undefined)?.local,
    link: all.find(({ link }) => link !== undefined)?.link,
  };
}

/** RFC 5882 §4.1: the parameters with the shortest detection time; the key of who has one. */
export function wantedOptions(path: WatchedPath): Omit<SessionSpec, 'path'> {
  const time = ({ minRx, multiplier }: BfdConfig): number => minRx * multiplier;
  const all = wishesOf(path).map(({ config }) => config);
  const shortest = all.reduce((best, config) => (time(config) < time(best) ? config : best));
  return sessionOptions({ ...shortest, auth: shortest.auth ?? all.find(({ auth }) => auth)?.auth });
}

/** Where packets of a session between these ends go. */
export function sessionPath({ address, local, link, multihop }: PathEnds): SessionSpec['path'] {
  return {
    remote: address.bytes,
    local: local === undefined ? undefined : parseAddress(local)?.bytes,
    interface: link,
    multihop,
  };
}

/** Peers first. */
function wishesOf({ members, configured }: WatchedPath): Wish[] {
  return [...members.values(), ...configured.values()];
}

function sessionOptions(config: BfdConfig): Omit<SessionSpec, 'path'> {
  const { auth } = config;
  const keys = auth?.keys.map(({ id, password }) => ({
    id,
    secret: password.octets(),
  }));
  return {
    desiredMinTx: Math.round(config.minTx * MICROS_PER_MS),
    requiredMinRx: Math.round(config.minRx * MICROS_PER_MS),
    idleTx: Math.round(config.idleTx * MICROS_PER_MS),
    detectMultiplier: config.multiplier,
    passive: config.passive,
    authentication: auth === undefined || keys === undefined ? undefined : { type: auth.type, keys },
  };
}

export function namesOf({ members }: WatchedPath): string[] {
  return [...members.keys()].map(({ name }) => name);
}
