// What the bench and the interop labs want of a BGP daemon, whichever it is: an equivalent configuration from one
// description, start and stop in a namespace, and its sessions and routes as plain data.

import { join } from 'node:path';
import type { FilterText } from '../filter-text.ts';
import { run } from '../lab/command.ts';
import type { ManagedProcess } from '../lab/managed-process.ts';
import type { Namespace } from '../lab/namespace.ts';

export type DaemonName = 'godwit' | 'bird' | 'frr' | 'gobgp' | 'openbgpd' | 'exabgp';

export type LabFamily = 'ipv4' | 'ipv6';

export interface PeerSpec {
  /** Letters, digits and underscores. */
  readonly name: string;
  readonly address: string;
  readonly localAddress: string;
  readonly asn: number;
  readonly families: readonly LabFamily[];
  readonly password?: string;
  /** Reflect to and from this iBGP peer as a client (RFC 4456). */
  readonly reflectorClient?: boolean;
  /** Never connect, only accept. */
  readonly passive?: boolean;
  /** The peer is directly connected: refuse packets with a TTL below 255 (RFC 5082). */
  readonly ttlSecurity?: boolean;
  /** Show the own address as next hop also to iBGP peers. */
  readonly nextHopSelf?: boolean;
  /** IP TTL of packets to an eBGP peer behind routers. */
  readonly multihop?: number;
  /** It keeps its routes over this side's restart, and this side goes on forwarding (RFC 4724). */
  readonly gracefulRestart?: boolean;
  /** With graceful restart: for how many seconds, and for how many more as the last resort (RFC 9494). */
  readonly longLived?: { readonly restartTime: number; readonly staleTime: number };
  /** Watch the path with BFD; of BIRD's sessions all have the same options. */
  readonly bfd?: BfdSpec;
}

export interface BfdSpec {
  /** Milliseconds, both ways. */
  readonly interval: number;
  readonly multiplier: number;
  readonly auth?: { readonly type: BfdAuth; readonly keyId: number; readonly password: string };
}

export type BfdAuth = 'simple' | 'md5' | 'meticulous-md5' | 'sha1' | 'meticulous-sha1';

/** Every daemon accepts everything from and announces everything to each peer. */
export interface DaemonSpec {
  readonly asn: number;
  /** Dotted quad. */
  readonly routerId: string;
  readonly peers: readonly PeerSpec[];
  /** Prefixes of both families that the daemon originates. */
  readonly networks: readonly string[];
  readonly clusterId?: string;
  /** `asn` is a member of it (RFC 5065), and so are peers with these. Of BIRD, FRR and godwit. */
  readonly confederation?: { readonly id: number; readonly members: readonly number[] };
  /** What everybody's routes go through, in BIRD's language; of kinds with such a filter language. */
  readonly importFilter?: FilterText;
  /** Program received routes into the kernel of its namespace. */
  readonly kernel: boolean;
}

export interface StartContext {
  readonly namespace: Namespace;
  /** An empty directory of the daemon's own, for configuration, sockets and logs. */
  readonly directory: string;
  readonly spec: DaemonSpec;
  /** Where a daemon that can be profiled puts what it made, at its end. */
  readonly profileDirectory?: string;
}

export interface PeerState {
  readonly address: string;
  readonly established: boolean;
}

export interface RouteState {
  readonly prefix: string;
  readonly best: boolean;
  readonly nextHop: string | undefined;
  /** ASes separated by blanks; empty for own and iBGP-internal routes. */
  readonly asPath: string;
  readonly localPref: number | undefined;
  readonly med: number | undefined;
  readonly communities: readonly string[];
  readonly originatorId: string | undefined;
  readonly clusterList: readonly string[];
}

/** What a work may need and not every daemon has; the middle one: a control socket that the bench speaks. */
export type Ability = 'kernel routes' | 'control protocol' | 'filter language';

/** An open connection to a daemon's control interface. */
export interface StatusConnection {
  /** Asks for the daemon's status and resolves with the answer read; one question at a time. */
  ask(): Promise<unknown>;
  close(): void;
}

/** A running daemon. */
export interface Daemon {
  readonly name: DaemonName;
  /** What it consists of; costs are summed over them. */
  readonly processes: readonly ManagedProcess[];
  peers(): Promise<PeerState[]>;
  /** Every path of its table, best or not. */
  routes(family: LabFamily): Promise<RouteState[]>;
  /** A short question about its state, as its users ask it: through its command line client. */
  askStatus(): Promise<unknown>;
  /** Of kinds with a control protocol. */
  connectStatus?(): Promise<StatusConnection>;
  stop(): Promise<void>;
}

/** `directory`: where its programs are, instead of the installed ones. */
export type DaemonMaker = (directory?: string) => DaemonKind;

export interface DaemonKind {
  readonly name: DaemonName;
  /** Of a release, by its version line. */
  abilities(version: string): readonly Ability[];
  /** First line of its version output; undefined where it is not installed. */
  version(): Promise<string | undefined>;
  /** Writes the configuration and starts; resolves when the daemon answers its control interface. */
  start(context: StartContext): Promise<Daemon>;
}

export function isIpv6(text: string): boolean {
  return text.includes(':');
}

/** How to call a daemon's program: by its name where it is installed, else by its path in `directory`. */
export function programIn(directory: string | undefined, name: string): string {
  return directory === undefined ? name : join(directory, name);
}

/** The first line that a program prints of its version, on whichever output; undefined where it cannot be run. */
export async function versionLine(command: readonly string[]): Promise<string | undefined> {
  const text = await run(['sh', '-c', '"$@" 2>&1', 'sh', ...command]).catch(() => undefined);
  return text?.trim().split('\n')[0];
}

/** Stops processes in the order given. */
export async function stopAll(processes: readonly ManagedProcess[]): Promise<void> {
  for (const process of processes) await process.stop();
}
