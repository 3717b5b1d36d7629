// What a peer is told of routes, as lines of the log: read off the UPDATEs that are sent. What it is not told, and why, is
// withheld-routes.ts's.

import { HEADER_LENGTH } from '../../bgp/wire/header.ts';
import { MESSAGE_TYPE } from '../../bgp/wire/iana.ts';
import { prefixBytes } from '../../bgp/wire/nlri.ts';
import type { NlriBatch } from '../../bgp/wire/nlri-batch.ts';
import { UpdateDecoder } from '../../bgp/wire/update-decoder.ts';
import { formatPrefix } from '../../lib/ip.ts';
import type { Rib } from '../../rib/rib.ts';
import type { RibPeer } from '../../rib/rib-peer.ts';
import type { EstablishedPeer } from '../established-peer.ts';
import { livingBest } from './route-text.ts';
import type { RouteWords } from './route-tracer.ts';

/** Reads the UPDATEs of one session. */
export class SentRoutes {
  readonly #rib: Rib;
  readonly #peer: RibPeer;
  readonly #words: RouteWords;
  readonly #decoder: UpdateDecoder;
  /** What the peer was told of since somebody looks. */
  readonly #told = new Set<string>();

  constructor(rib: Rib, { session, ribPeer }: EstablishedPeer, words: RouteWords) {
    this.#rib = rib;
    this.#peer = ribPeer;
    this.#words = words;
    const { context } = session;
    this.#decoder = new UpdateDecoder(
      { ...context, addPathReceive: context.addPathSend },
      { aigp: true, acceptAsSets: true },
    );
  }

  /** A whole message that was sent. */
  sent(message: Uint8Array): void {
    if (message[HEADER_LENGTH - 1] !== MESSAGE_TYPE.update) return;
    const { withdrawn, announced } = this.#decoder.decode(message, 0, message.length);
    for (const batch of withdrawn) this.#tell(batch, false);
    for (const batch of announced) this.#tell(batch, true);
  }

  #tell(batch: NlriBatch, announced: boolean): void {
    const { family, words, lengths, pathIds, count } = batch;
    const table = this.#rib.homeOf(this.#peer, family.id);
    for (let i = 0; i < count; i++) {
      const prefix = formatPrefix({ bytes: prefixBytes(words, i, family.words), length: lengths[i]! });
      const key = `${prefix} ${pathIds[i]}`;
      const verb = announced ? (this.#told.has(key) ? 'replaced' : 'added') : 'removed';
      if (announced) this.#told.add(key);
      else this.#told.delete(key);
      const prefixId = table.prefixes.find(words, i * family.words, lengths[i]!);
      const best = prefixId === 0 ? 0 : livingBest(table, prefixId);
      const text = best === 0 ? prefix : this.#words.text(table, best);
      this.#words.tell(this.#peer.name, table, 'routes', `< ${verb} ${text}`);
    }
  }
}
