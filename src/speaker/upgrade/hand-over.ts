// The old program's side of a live upgrade (state.ts): brings the speaker to rest without anybody noticing, takes its
// picture, and lets it go on where nothing came of it.

import { FAMILIES } from '../../bgp/wire/families.ts';
import { diffConfig } from '../../config/diff.ts';
import type { PeerSettings } from '../../config/model.ts';
import { sleep, within } from '../../lib/clock.ts';
import { captureRib } from '../../rib/handover/capture.ts';
import type { RibPeer } from '../../rib/rib-peer.ts';
import { CommandError, ConfigurationError } from '../api.ts';
import type { Away } from '../dynamic-peers.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { ConfigLoader } from '../reconfiguration.ts';
import type { Speaker } from '../speaker.ts';
import { captureTables } from './further-tables.ts';
import {
  type HandedAway,
  type HandedPeer,
  type HandedRibPeer,
  PLAIN_FORMAT,
  type SpeakerState,
  STATE_FORMAT,
} from './state.ts';

/** Tables that have not come to rest by then will not do so soon; hold timers are not far. */
const REST_LIMIT_MS = 15_000;
/** Members that cannot be sent everything by then take along what they miss. */
const LAG_LIMIT_MS = 1000;
/** A disk that has not taken the journal by then is not waited for. */
const JOURNAL_LIMIT_MS = 1000;
const POLL_MS = 10;

export class HandOver {
  readonly #speaker: Speaker;
  readonly #loadConfig: ConfigLoader;
  #begun = 0;
  #stopIsNear = false;

  constructor(speaker: Speaker, loadConfig: ConfigLoader) {
    this.#speaker = speaker;
    this.#loadConfig = loadConfig;
  }

  /** From now on it is refused, also where one is under way: the other program would not know that it is to stop. */
  refuseBeforeStop(): void {
    this.#stopIsNear = true;
  }

  /** Throws CommandError where this is no time for it. */
  check(): void {
    this.#checkTime();
    this.#checkConfig();
  }

  #checkTime(): void {
    const { state, recovery } = this.#speaker;
    if (state !== 'running') throw new CommandError('failed', `godwit is ${state}`);
    if (this.#stopIsNear) throw new CommandError('failed', 'godwit is about to stop');
    if (recovery.active) {
      throw new CommandError(
        'failed',
        'godwit is still recovering from a restart; try again when that is over',
      );
    }
  }

  /** The new program reads the file: it must find there what the sessions live by. */
  #checkConfig(): void {
    const read = this.#loadConfig();
    if (!read.ok) {
      throw new ConfigurationError(read.issues.filter(({ severity }) => severity === 'error'));
    }
    if (diffConfig(this.#speaker.written, read.config).sentences.length === 0) return;
    throw new CommandError(
      'failed',
      'the configuration file is not what is in force: reload it first (godwit reload), then upgrade',
    );
  }

  /** Reading stops, and what was read is worked off. Rejects with CommandError; `resume` then lets all go on. */
  async prepare(): Promise<void> {
    const { registry, bfd, parts } = this.#speaker;
    this.#begun = parts.clock.now();
    this.#speaker.upgradeProblem = undefined;
    registry.handover.hold(registry.values());
    await bfd.slowDown();
    await this.#untilAtRest();
    const lagLimit = parts.clock.now() + LAG_LIMIT_MS;
    while (this.#someLag && parts.clock.now() < lagLimit) await this.#moment();
    await this.#untilAtRest();
  }

  /** The last step that takes time. `resume` takes it back. */
  async handOverPaths(): Promise<void> {
    // The other program was asked meanwhile, and may have taken its time.
    this.#begun = this.#speaker.parts.clock.now();
    await this.#speaker.bfd.handOver();
    // What is on its way to the disk would be cut off.
    await within(this.#speaker.parts.clock, JOURNAL_LIMIT_MS, this.#speaker.diagnosis.flush());
    await this.#untilAtRest();
  }

  /** For the very end: what the journal's file still lacks, before it returns. */
  flushNow(): void {
    const { diagnosis, parts } = this.#speaker;
    try {
      diagnosis.flushNow();
    } catch (error) {
      parts.log.warn({ error }, 'the journal lacks its last events');
    }
  }

  /** The picture as it is now. Nothing may be sent, received or computed between this and the end of the process. */
  capture(): SpeakerState {
    const { rib, registry, dynamic, listeners, bfd, networks, protocols, parts, reconfiguredAt } =
      this.#speaker;
    const { rooms, rpki, diagnosis, tracer } = this.#speaker;
    this.#checkTime();
    const tables = captureTables(this.#speaker);
    return {
      format: tables === undefined ? PLAIN_FORMAT : STATE_FORMAT,
      version: parts.version,
      listeners: listeners.handOver(),
      peers: [...registry.values()].map(handedPeer),
      away: [...dynamic.away()].flatMap(([name, away]) => handedAway(this.#speaker, name, away)),
      memberNames: dynamic.memberNames,
      rib: captureRib(
        rib,
        [...rooms.further].flatMap(({ place }) => place.families),
      ),
      ...(tables !== undefined && { tables }),
      bfd: bfd.images(),
      networks: networks.addedByCommand(),
      protocols: protocols.image,
      traces: tracer.image,
      validation: { caches: rpki.images },
      diagnosis: diagnosis.image,
      drainsAll: registry.drainsAll,
      reconfiguredAt,
    };
  }

  /** Everything goes on here; `why` is shown until the next try. */
  resume(why: string): void {
    this.#speaker.upgradeProblem = why;
    this.#speaker.bfd.goOn();
    const { registry } = this.#speaker;
    registry.handover.release(registry.values());
  }

  get #someLag(): boolean {
    return this.#speaker.rib.groups.some((groups) =>
      [...groups.values()].some(({ lanes }) => lanes.length > 0),
    );
  }

  async #untilAtRest(): Promise<void> {
    const { rib, parts } = this.#speaker;
    while (!rib.idle) {
      if (parts.clock.now() - this.#begun > REST_LIMIT_MS) {
        throw new CommandError(
          'failed',
          'the tables do not come to rest; try again when there is less to do',
        );
      }
      await this.#moment();
    }
  }

  #moment(): Promise<void> {
    return sleep(this.#speaker.parts.clock, POLL_MS);
  }
}

function handedPeer(handle: PeerHandle): HandedPeer {
  const { name, range, draining, peer, established, restarts, damper, settings } = handle;
  const image = peer.handOver();
  const names = (ids: ReadonlySet<number>) =>
    FAMILIES.filter(({ id }) => ids.has(id)).map((family) => family.name);
  // Without its connection a session is over.
  const session = image.session === undefined ? undefined : established;
  const ribPeer = session?.ribPeer ?? restarts.waitingPeer;
  return {
    name,
    range,
    draining,
    image,
    ribPeer: ribPeer === undefined ? undefined : handedRibPeer(ribPeer, settings),
    damping: damper?.image ?? [],
    endOfRib: session === undefined ? [] : names(session.endOfRib),
    refreshing: session === undefined ? [] : names(session.refreshing),
    restart: restarts.image,
  };
}

function handedAway({ config }: Speaker, name: string, { range, address, restarts }: Away): HandedAway[] {
  const { waitingPeer, image } = restarts;
  if (waitingPeer === undefined || image === undefined) return [];
  const settings = config.dynamicPeers.find((each) => each.name === range);
  return [{ name, range, address, ribPeer: handedRibPeer(waitingPeer, settings), restart: image }];
}

function handedRibPeer(
  { id, name, source, routerId, address, client, zone, importOptions }: RibPeer,
  settings: PeerSettings | undefined,
): HandedRibPeer {
  const { policy: _, ...options } = importOptions;
  return {
    id,
    identity: { name, source, routerId, address, client, zone },
    tables: settings?.tables,
    igpTables: settings?.igpTables,
    importOptions: options,
  };
}
