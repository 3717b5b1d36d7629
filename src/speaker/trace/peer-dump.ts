// What MRT files get of one peer: its messages as they came, and the states that its session went through. Nothing hangs
// on a peer of which no file wants anything.

import type { FsmState } from '../../bgp/session/fsm-events.ts';
import type { TapedMessage } from '../../bgp/session/message-tape.ts';
import { expectedAs } from '../../bgp/session/options.ts';
import { encodeMrtMessage, encodeMrtStateChange, type MrtSession } from '../../bgp/wire/mrt-messages.ts';
import type { Clock } from '../../lib/clock.ts';
import { PEER_STATE_NUMBERS } from '../api/peer-states.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { RecordFile } from './record-file.ts';

const MS_PER_SECOND = 1000;
/** A file, and what it gets. */
export interface DumpTarget {
  readonly file: RecordFile;
  readonly states: boolean;
  readonly messages: boolean;
}

export interface PeerDumpParts {
  readonly clock: Clock;
  /** Index of the interface that has an address; 0 where there is none. */
  readonly ifindexOf: (address: Uint8Array) => number;
}

export class PeerDump {
  readonly #handle: PeerHandle;
  readonly #parts: PeerDumpParts;
  #targets: readonly DumpTarget[] = [];
  #state: FsmState;
  #unfollow: (() => void) | undefined;

  constructor(handle: PeerHandle, parts: PeerDumpParts, isNew: boolean) {
    this.#handle = handle;
    this.#parts = parts;
    this.#state = isNew ? 'Idle' : handle.peer.state;
  }

  /** Writes to these from now on. */
  use(targets: readonly DumpTarget[]): void {
    this.#targets = targets;
    if (targets.some(({ messages }) => messages)) {
      this.#unfollow ??= this.#handle.peer.tape.follow((message) => this.#heard(message));
    } else {
      this.#unfollow?.();
      this.#unfollow = undefined;
    }
  }

  /** The peer's state is another one, perhaps. */
  changed(): void {
    const before = this.#state;
    this.#state = this.#handle.peer.state;
    if (before === this.#state || !this.#targets.some(({ states }) => states)) return;
    const { peer, address } = this.#handle;
    const local = peer.localAddress ?? new Uint8Array(address.bytes.length);
    const session = this.#session(address.bytes, local);
    const numbers = [PEER_STATE_NUMBERS[before], PEER_STATE_NUMBERS[this.#state]] as const;
    const record = encodeMrtStateChange(this.#seconds, session, ...numbers);
    for (const { states, file } of this.#targets) if (states) file.add(record);
  }

  #heard({ sent, octets, connection }: TapedMessage): void {
    if (sent) return;
    const { context } = this.#handle.peer;
    const session = this.#session(connection.remote.address, connection.local.address);
    const form = { as4: context?.as4 ?? false, addPath: (context?.addPathReceive ?? 0) !== 0 };
    const record = encodeMrtMessage(this.#seconds, session, form, octets);
    for (const { messages, file } of this.#targets) if (messages) file.add(record);
  }

  get #seconds(): number {
    return Math.floor(this.#parts.clock.wallTime() / MS_PER_SECOND);
  }

  #session(peerAddress: Uint8Array, localAddress: Uint8Array): MrtSession {
    const { peer } = this.#handle;
    const { context, options } = peer;
    return {
      peerAs: context?.peerAs ?? expectedAs(options) ?? 0,
      localAs: context?.localAs ?? options.localAs,
      ifindex: this.#parts.ifindexOf(localAddress),
      peerAddress,
      localAddress,
    };
  }
}
