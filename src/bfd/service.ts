// BFD as its users see it (RFC 5882 §2): sessions are asked for by path and options under a number of the caller's own,
// and what becomes of them is reported. Behind it are a thread (worker-service.ts) or a simulated clock
// (local-service.ts). Everything here can travel in a message.

import type { BfdImage } from './image.ts';
import type { SessionState } from './protocol.ts';
import type { SessionOptions } from './session.ts';
import type { SessionPath } from './transport.ts';

export interface SessionSpec extends SessionOptions {
  readonly path: SessionPath;
}

/** Diagnostics are codes of RFC 5880 §4.1. */
export interface SessionReport {
  readonly id: number;
  readonly state: SessionState;
  readonly remoteState: SessionState;
  readonly localDiagnostic: number;
  readonly remoteDiagnostic: number;
  readonly localDiscriminator: number;
  readonly remoteDiscriminator: number;
  /** Microseconds; 0: no periodic packets. */
  readonly transmitInterval: number;
  /** Microseconds; 0 before the first packet. */
  readonly detectionTime: number;
  /** Interface of the last packet; 0 and undefined before. */
  readonly ifindex: number;
  readonly interface: string | undefined;
  /** What keeps it from working. */
  readonly problem: string | undefined;
}

export interface BfdEvents {
  /** A session is not what it was; `at` are wall-clock milliseconds of the change. */
  onReport(report: SessionReport, at: number): void;
  /** Nothing works any more; the sentence says why. */
  onFailure(message: string): void;
}

export interface BfdService {
  /** `id` must not be in use; `image`: goes on with a session of another process. */
  add(id: number, spec: SessionSpec, image?: BfdImage): void;
  /** Other options for a session that lives on. */
  update(id: number, options: SessionOptions): void;
  /** AdminDown, then gone; no report comes after this. */
  remove(id: number): void;
  /** AdminDown for all, and the end. */
  close(): Promise<void>;
  /** The end, of which nobody is told; the sessions that are Up, by id, for another service to go on with. */
  handOver(): Promise<ReadonlyMap<number, BfdImage>>;
}

/** Sessions with the same key differ by interface or own address alone. */
export function pathKey({ remote, multihop }: Pick<SessionPath, 'remote' | 'multihop'>): string {
  return `${multihop ? 'm' : 's'}${remote.join('.')}`;
}
