// UPDATEs of a peer that says anything, through the tables and out again: what others are sent is well-formed whatever
// came in, the tables count right, and when the peer has gone nothing of it is left.

import { FAMILIES } from '../../src/bgp/wire/families.ts';
import { Framer } from '../../src/bgp/wire/framing.ts';
import { MESSAGE_TYPE } from '../../src/bgp/wire/iana.ts';
import { NotificationError } from '../../src/bgp/wire/notification.ts';
import { DecodeScratch, UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { Scheduler } from '../../src/lib/scheduler.ts';
import { Rib } from '../../src/rib/rib.ts';
import type { RibPeer } from '../../src/rib/rib-peer.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { EXPORT, madeUpSource } from '../../src/speaker/bare-speaker.ts';
import { Pipeline } from '../../src/speaker/pipeline.ts';
import type { UpdateSource } from '../../src/speaker/update-source.ts';
import { ip } from '../support/raw-peer.ts';
import { sessionContext } from '../support/wire.ts';

const LOCAL_AS = 64_512;
const OWN = ip('10.0.0.1');
const OWN_V6 = ip('2001:db8::1');
const ROWS = 16;
const MOST_PREFIXES = 2000;

export class Relay {
  readonly #clock = new SimClock();
  readonly #rib: Rib;
  readonly #pipeline: Pipeline;
  readonly #as: number | undefined;
  readonly #scratch = new DecodeScratch();
  #peer: RibPeer;
  #source: UpdateSource;

  /** The peer's AS; undefined = an internal peer, a reflector's client. */
  constructor(as: number | undefined) {
    const clock = this.#clock;
    this.#as = as;
    this.#rib = new Rib(
      {
        own: { routerId: 0x0a000001, clusterIds: [0x0a000001] },
        decision: {
          alwaysCompareMed: false,
          preferOldest: false,
          multipathRelax: true,
          ignoreAsPathLength: false,
          ignoreIgpMetric: false,
          ignoreRouterId: false,
          aigp: true,
          multipathLimit: 1,
        },
        defaultLocalPref: 100,
        rows: ROWS,
      },
      { clock, scheduler: new Scheduler(clock, { defer: clock.defer }) },
    );
    this.#pipeline = new Pipeline(this.#rib, clock, clock.defer);
    this.#peer = this.#addPeer();
    this.#source = this.#newSource();
    this.#listen('external', 65_010);
    this.#listen('internal', LOCAL_AS);
  }

  /** Takes octets as one read; returns what came of them. */
  pass(bytes: Uint8Array): string | undefined {
    const { families } = this.#rib;
    try {
      new Framer().push(bytes, bytes.length, (buffer, start, end, type) => {
        if (type === MESSAGE_TYPE.update) this.#pipeline.receive(this.#source, buffer, start, end);
        return true;
      });
    } catch (error) {
      if (!(error instanceof NotificationError)) throw error;
      this.#reset();
      return `${error.code}/${error.subcode}`;
    } finally {
      this.#clock.advance(1);
    }
    if (families.some(({ prefixes }) => prefixes.size > MOST_PREFIXES)) this.#reset();
    return this.#issues;
  }

  /** The peer goes; throws where anything of it stays. */
  end(): void {
    this.#rib.removePeer(this.#peer);
    this.#clock.advance(1000);
    const { families, attrs, nextHops } = this.#rib;
    const left = families.map(({ prefixes, paths }) => prefixes.size + paths.size);
    const more = [attrs.size, [...nextHops.values()].length];
    if ([...left, ...more].some((count) => count > 0))
      throw new Error(`left behind: ${left} paths, ${more} sets`);
  }

  #issues: string | undefined;

  #reset(): void {
    this.end();
    this.#peer = this.#addPeer();
    this.#source = this.#newSource();
  }

  #addPeer(): RibPeer {
    const internal = this.#as === undefined;
    return this.#rib.addPeer(
      {
        name: 'hostile',
        source: internal ? 'internal' : 'external',
        routerId: 0x0a000002,
        address: ip('10.0.0.2'),
        client: internal,
        zone: undefined,
      },
      {
        ownAses: Uint32Array.of(LOCAL_AS),
        allowOwnAs: 0,
        enforceFirstAs: !internal,
        peerAs: this.#as ?? LOCAL_AS,
        role: undefined,
        gracefulShutdown: true,
        draining: false,
        ownAddresses: [OWN, OWN_V6],
        clusterId: 1,
        policy: 'accept',
      },
    );
  }

  #newSource(): UpdateSource {
    const peerType = this.#as === undefined ? 'internal' : 'external';
    const context = sessionContext({ peerType, localAs: LOCAL_AS, peerAs: this.#as ?? LOCAL_AS });
    return madeUpSource({
      ribPeer: this.#peer,
      decoder: new UpdateDecoder(context, {}, this.#scratch),
      clock: this.#clock,
      onIssues: (update) => {
        this.#issues = update.issues.map(({ message }) => message.replace(/\d+/g, '')).join();
      },
    });
  }

  /** A healthy peer that reads every message as a strict speaker does. */
  #listen(peerType: 'external' | 'internal', as: number): void {
    const peer = this.#rib.addPeer(
      {
        name: `healthy ${peerType}`,
        source: peerType,
        routerId: as,
        address: ip('10.0.0.3'),
        client: false,
        zone: undefined,
      },
      { ...this.#peer.importOptions, peerAs: as },
    );
    const context = sessionContext({ peerType, localAs: as, peerAs: LOCAL_AS });
    const decoder = new UpdateDecoder(context, { aigp: true });
    const framer = new Framer();
    const read = (chunk: Uint8Array): void => {
      framer.push(chunk, chunk.length, (buffer, start, end) => {
        const { issues } = decoder.decode(buffer, start, end);
        if (issues.length > 0) {
          const octets = Buffer.from(buffer.subarray(start, end)).toString('hex');
          throw new Error(
            `sent malformed to ${peerType}: ${issues.map(({ message }) => message).join('; ')}: ${octets}`,
          );
        }
        return true;
      });
    };
    for (const family of FAMILIES) {
      const ownNextHop = family.nextHopBytes === 4 ? OWN : OWN_V6;
      const sink = {
        send: (chunks: readonly Uint8Array[]): boolean => {
          for (const chunk of chunks) read(chunk);
          return true;
        },
        congested: false,
      };
      this.#rib.groups[family.id]!.join(
        { ...EXPORT, family, peerType, localAs: LOCAL_AS, ownNextHop, aigp: peerType === 'internal' },
        { peer, sink },
      );
    }
  }
}
