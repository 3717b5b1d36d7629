// Which peers' messages and states go into which MRT files: what statements and commands ask for, peer by peer.

import { MRTDUMP_FLAGS, type MrtdumpFlag, mrtdumpOf } from '../../config/bird/trace-flags.ts';
import { bytesEqual } from '../../lib/bytes.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { Speaker } from '../speaker.ts';
import { type DumpTarget, PeerDump } from './peer-dump.ts';
import { RecordFiles } from './record-files.ts';

/** By protocol, what commands have asked for. */
export type MrtdumpCommands = ReadonlyMap<string, ReadonlySet<MrtdumpFlag>>;

export class MessageDumps {
  readonly #speaker: Speaker;
  readonly #writtenName: (name: string) => string;
  /** Undefined where no files are written. */
  readonly #files: RecordFiles | undefined;
  readonly #peers = new Map<PeerHandle, PeerDump>();
  #commanded = new Map<string, ReadonlySet<MrtdumpFlag>>();

  /** `writtenName`: under which name the configuration has a peer. */
  constructor(speaker: Speaker, writtenName: (name: string) => string) {
    this.#speaker = speaker;
    this.#writtenName = writtenName;
    const { clock, log, dumpStore } = speaker.parts;
    const { append, rename } = dumpStore ?? {};
    if (append !== undefined && rename !== undefined) {
      this.#files = new RecordFiles({ store: { append, rename }, clock, log: log.child({ part: 'mrt' }) });
    }
  }

  get commanded(): MrtdumpCommands {
    return this.#commanded;
  }

  /** What commands ask for from the next review on, and nothing else that they asked for before. */
  restore(commanded: MrtdumpCommands): void {
    this.#commanded = new Map(commanded);
  }

  command(names: readonly string[], flags: readonly string[]): void {
    const chosen = new Set(MRTDUMP_FLAGS.filter((flag) => flags.includes(flag)));
    for (const name of names) this.#commanded.set(name, chosen);
    this.review();
  }

  /** What is asked for may be something else. */
  review(): void {
    for (const handle of this.#speaker.registry.values()) this.#follow(handle);
    this.#files?.closeUnused();
  }

  peerChanged(handle: PeerHandle): void {
    (this.#peers.get(handle) ?? this.#follow(handle, true)).changed();
  }

  peerGone(handle: PeerHandle): void {
    const dump = this.#peers.get(handle);
    dump?.changed();
    dump?.use([]);
    this.#peers.delete(handle);
  }

  #follow(handle: PeerHandle, isNew = false): PeerDump {
    const { clock } = this.#speaker.parts;
    const ifindexOf = (address: Uint8Array): number => this.#ifindexOf(address);
    const dump = this.#peers.get(handle) ?? new PeerDump(handle, { clock, ifindexOf }, isNew);
    this.#peers.set(handle, dump);
    dump.use(this.#targetsOf(handle.name));
    return dump;
  }

  #targetsOf(name: string): readonly DumpTarget[] {
    const files = this.#files;
    if (files === undefined) return [];
    const { bird, diagnosis } = this.#speaker.written;
    const written = this.#writtenName(name);
    const path = bird?.globals.mrtdumpFile;
    if (path === undefined) {
      const wanted = diagnosis.messages.filter(
        ({ peers }) => peers === undefined || peers.includes(name) || peers.includes(written),
      );
      return wanted.map(({ file, messages, states, ...limits }) => {
        const inPath = name.replaceAll('%', '%%').replaceAll('/', '_');
        return { file: files.get({ path: file.replaceAll('%N', inPath), ...limits }), messages, states };
      });
    }
    const flags = this.#commanded.get(name) ?? this.#commanded.get(written) ?? mrtdumpOf(bird, written);
    if (flags.size === 0) return [];
    // BIRD takes the name as it is.
    const file = files.get({ path: path.replaceAll('%', '%%') });
    return [{ file, states: flags.has('states'), messages: flags.has('messages') }];
  }

  #ifindexOf(address: Uint8Array): number {
    for (const own of this.#speaker.kernel?.view.addresses ?? []) {
      if (bytesEqual(own.address, address)) return own.ifindex;
    }
    return 0;
  }
}
