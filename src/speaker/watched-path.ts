// One path that BFD watches: between which addresses, who wants it watched, and how. Peers that lean on it come and go;
// bfd-sessions.ts has them all.

import type { SessionReport, SessionSpec } from '../bfd/service.ts';
import type { BfdConfig, BfdSessionConfig } from '../config/model.ts';
import { type IpAddress, parseAddress } from '../lib/ip.ts';
import type { PeerHandle } from './peer-registry.ts';

/** One watched path. */
export interface WatchedPath {
  readonly id: number;
  readonly key: string;
  /** In the order in which they came. */
  readonly members: Map<PeerHandle, BfdConfig>;
  /** The configuration wants it watched, whoever leans on it. */
  configured: BfdConfig | undefined;
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

/** Whoever wants the same path shares a session. */
export function pathKey({ address, local, link, multihop }: PathEnds): string {
  return `${multihop} ${address.bytes.join('.')} ${link ?? '*'} ${local ?? '*'}`;
}

/** RFC 5882 §4.1: the parameters with the shortest detection time. */
export function shortest({ members, configured }: WatchedPath): BfdConfig {
  const time = ({ minRx, multiplier }: BfdConfig): number => minRx * multiplier;
  const [first, ...others] = [...members.values(), ...(configured === undefined ? [] : [configured])];
  if (first === undefined) throw new RangeError('somebody wants a watched path');
  return others.reduce((best, config) => (time(config) < time(best) ? config : best), first);
}

export function sessionOptions(config: BfdConfig): Omit<SessionSpec, 'path'> {
  const { auth } = config;
  const keys = auth?.keys.map(({ id, password }) => ({
    id,
    secret: new TextEncoder().encode(password.reveal()),
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
