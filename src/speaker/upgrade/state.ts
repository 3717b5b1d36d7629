// Live upgrade: a running daemon becomes another program, perhaps of another version, with every session, route and
// kernel route as it was.
//
// The process does not change: it executes the new program in its own place (execve, cli/upgrade), so that whoever
// supervises it (systemd, a container's process 1, runit, a PID file) sees nothing. Sockets stay open across it; all
// else goes through a file in memory. What the step has to be safe against is a program that cannot go on, because
// behind it there is no way back. So the program at hand is asked before: whether it starts, takes the configuration,
// and can read a state as it is then. It builds no tables of it, for which there may be no room beside ours. Only then
// the last step is taken; until then any failure means that everything goes on here, and nothing was lost.
//
//   hand-over.ts   the old program: reading stops (peers' data waits in the kernel's buffers), what was read is decided
//                  and advertised, BFD agrees on slow packets; then a picture is taken, in one go
//   state.ts       the picture: connections as descriptors with what was half read or half written; both OPENs; the
//                  Adj-RIB-In of each table row by row with the outcome of import; what each group has been sent, which
//                  its members miss; what RPKI caches have said; what operators have switched; penalties of routes that
//                  flap; the journal in memory and the last messages of each peer
//   take-over.ts   the new program: tables, sessions (with a KEEPALIVE as soon as may be), kernel, listeners, in that order; no
//                  route is chosen before all is there. Best paths, path identifiers and Adj-RIB-Outs are those of the
//                  picture; what is decided anew and comes out differently is an ordinary change
//
// Not taken along: connections that are not Established, which start over; watches and control connections, whose
// clients connect again; counters of updates by family. All routes are judged again when everything is there, in slices:
// import and pipes as after a change of their policy, export as each group walks the tables once, and the filter of the
// kernel. What a version would not judge otherwise changes nothing. What policies ask has to be there before, which is
// why the records of RPKI caches go along, and count before anything else is done.

import { deserialize, serialize } from 'node:v8';
import type { PeerImage } from '../../bgp/session/handover.ts';
import type { TableNames } from '../../config/model.ts';
import { errorText } from '../../lib/error-text.ts';
import type { DampingImage } from '../../rib/damper.ts';
import type { RibImage } from '../../rib/handover/image.ts';
import type { ImportOptions, RibPeerIdentity } from '../../rib/rib-peer.ts';
import type { NetworkSpec } from '../api.ts';
import type { ProtocolsImage } from '../bird/protocol-states.ts';
import type { DiagnosisImage } from '../diagnosis.ts';
import type { HandedPath } from '../handed-paths.ts';
import type { MemberNamesImage } from '../member-names.ts';
import type { RestartImage } from '../restart-image.ts';
import type { ValidationImage } from '../rpki-image.ts';
import type { TracerImage } from '../trace/tracer.ts';
import type { TablesImage } from './further-tables.ts';

/** Raised with every change that an earlier reader would get wrong. */
export const STATE_FORMAT = 2;
/** Without further tables, which readers of this format do not expect. */
export const PLAIN_FORMAT = 1;
const MAGIC = 'godwit live upgrade';

export interface HandedRibPeer {
  /** In the tables of the picture. */
  readonly id: number;
  readonly identity: RibPeerIdentity;
  /** Names of its tables; absent for the main one. */
  readonly tables?: TableNames | undefined;
  readonly igpTables?: TableNames | undefined;
  /** Without the policy, which is configured. */
  readonly importOptions: Omit<ImportOptions, 'policy'>;
}

export interface HandedPeer {
  readonly name: string;
  /** The range that admitted a dynamic peer. */
  readonly range: string | undefined;
  readonly draining: boolean;
  readonly image: PeerImage;
  /** Set where it has routes. */
  readonly ribPeer: HandedRibPeer | undefined;
  /** Of a session: names of families whose End-of-RIB has come, and that are being sent again (RFC 7313). */
  readonly endOfRib: readonly string[];
  readonly refreshing: readonly string[];
  /** Routes that are kept for a peer that restarts. */
  readonly restart: RestartImage | undefined;
  /** What is remembered of routes that flap; absent where versions did not hand it over. */
  readonly damping?: readonly DampingImage[];
}

/** A member of a range that restarts: no peer at present. */
export interface HandedAway {
  readonly name: string;
  readonly range: string;
  readonly address: Uint8Array;
  readonly ribPeer: HandedRibPeer;
  readonly restart: RestartImage;
}

export interface SpeakerState {
  readonly format: number;
  /** Of the program that has written it. */
  readonly version: string;
  readonly listeners: ReadonlyMap<string, number>;
  readonly peers: readonly HandedPeer[];
  readonly away: readonly HandedAway[];
  /** Also of members that are not here; absent in states of versions that handed over those of present ones alone. */
  readonly memberNames?: readonly MemberNamesImage[];
  readonly rib: RibImage;
  /** Absent where there is only the main table. */
  readonly tables?: TablesImage;
  /** By the path's key. */
  readonly bfd: ReadonlyMap<string, HandedPath>;
  /** Own networks that commands have added. */
  readonly networks: readonly NetworkSpec[];
  readonly protocols: ProtocolsImage;
  /** Absent in states of versions that had no such commands. */
  readonly traces?: TracerImage;
  /** Absent in states of versions that asked the caches anew. */
  readonly validation?: ValidationImage;
  /** Absent in states of versions that began anew with it. */
  readonly diagnosis?: DiagnosisImage;
  readonly drainsAll: boolean;
  /** Wall-clock milliseconds. */
  readonly reconfiguredAt: number;
}

/** A state that this program cannot go on with; the sentence says why. */
export class StateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StateError';
  }
}

/** States of all speakers of a process, by name. */
export function encodeStates(states: ReadonlyMap<string, SpeakerState>): Uint8Array {
  return serialize({ magic: MAGIC, states });
}

/** Throws StateError. */
export function decodeStates(octets: Uint8Array): ReadonlyMap<string, SpeakerState> {
  let read: unknown;
  try {
    read = deserialize(octets);
  } catch (error) {
    throw new StateError(`the state cannot be read: ${errorText(error)}`);
  }
  if (!isEnvelope(read)) throw new StateError('the state is not one of a live upgrade');
  const states = new Map<string, SpeakerState>();
  for (const [name, state] of read.states) {
    if (typeof name !== 'string' || !hasFormat(state)) throw new StateError('the state is not of a speaker');
    if (!isState(state)) {
      const read = `${PLAIN_FORMAT} to ${STATE_FORMAT}`;
      throw new StateError(`the state has format ${state.format}, and this version reads ${read}`);
    }
    states.set(name, state);
  }
  return states;
}

function isEnvelope(value: unknown): value is { states: Map<unknown, unknown> } {
  return isObject(value) && value.magic === MAGIC && value.states instanceof Map;
}

function hasFormat(value: unknown): value is { format: number } {
  return isObject(value) && typeof value.format === 'number';
}

/** Written by a program that agrees on the format, so its parts are what their types say. */
function isState(value: { format: number }): value is SpeakerState {
  const { format } = value;
  return format >= PLAIN_FORMAT && format <= STATE_FORMAT && 'rib' in value && 'peers' in value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
