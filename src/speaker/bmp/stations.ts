// The stations of the configuration, running: each has a client and, while it is connected, a feed. What they have to send is
// computed in a stage of the speaker's scheduler, little at a time while routes wait to be decided or advertised.

import type { DownReason } from '../../bgp/session/down-reason.ts';
import { StationClient, type StationStatus } from '../../bmp/station-client.ts';
import type { BmpStationConfig } from '../../config/bmp.ts';
import type { Config } from '../../config/model.ts';
import { sameValue } from '../../config/peer-changes.ts';
import type { Timer } from '../../lib/clock.ts';
import { parseQuad } from '../../lib/ip.ts';
import type { ResumableWork } from '../../rib/row-walk.ts';
import { stationState } from '../bird/bmp-view.ts';
import type { PeerHandle } from '../peer-registry.ts';
import { ServerConnection } from '../server-connection.ts';
import type { Speaker } from '../speaker.ts';
import { StationFeed } from './station-feed.ts';
import { TableTaps } from './table-taps.ts';

interface Station {
  readonly config: BmpStationConfig;
  /** What is said of this speaker. */
  readonly identity: Identity;
  readonly client: StationClient;
  feed: StationFeed | undefined;
  statistics: Timer | undefined;
}

interface Identity {
  readonly asn: number;
  readonly routerId: number;
  readonly systemName: string;
  readonly systemDescription: string;
}

export interface StationReport {
  readonly config: BmpStationConfig;
  readonly status: StationStatus;
  /** Peers that it knows of, and prefixes whose changes wait. */
  readonly peers: number;
  readonly waiting: number;
}

const MS_PER_SECOND = 1000;
/** As long as routes wait for a decision or for their advertisement. */
const SMALL_SLICE_MS = 1;

export class BmpStations {
  readonly #speaker: Speaker;
  readonly #taps = new TableTaps();
  readonly #byName = new Map<string, Station>();
  /** What feeds of connections that are gone still hold. */
  readonly #leftovers: ResumableWork[] = [];
  #wake: (() => void) | undefined;

  /** The speaker may be under construction. */
  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** These are the stations from now on; those that have not changed are not disturbed. */
  use(config: Config): void {
    const wanted = new Map(
      (config.bmp ?? []).filter(({ enabled }) => enabled).map((station) => [station.name, station]),
    );
    for (const [name, station] of [...this.#byName]) {
      const after = wanted.get(name);
      const stays =
        after !== undefined &&
        sameValue(station.config, after) &&
        sameValue(station.identity, this.#identity(after, config));
      if (!stays) this.#remove(station);
    }
    for (const station of wanted.values()) {
      if (!this.#byName.has(station.name)) this.#add(station, this.#identity(station, config));
    }
  }

  stop(): void {
    for (const station of [...this.#byName.values()]) this.#remove(station);
  }

  /** A session has come up or, where there is a reason, ended. */
  session(handle: PeerHandle, ended: DownReason | undefined): void {
    for (const { feed } of this.#byName.values()) {
      if (ended === undefined) feed?.peerUp(handle);
      else feed?.peerDown(handle, ended);
    }
  }

  /** Some peer has sent all it has of a family. */
  progress(): void {
    if (this.#byName.size === 0) return;
    for (const handle of this.#speaker.registry.values()) {
      for (const { feed } of this.#byName.values()) feed?.progress(handle);
    }
  }

  /** In the order of the configuration. */
  get reports(): StationReport[] {
    return [...this.#byName.values()].map(reportOf);
  }

  report(name: string): StationReport | undefined {
    const station = this.#byName.get(name);
    return station === undefined ? undefined : reportOf(station);
  }

  /** Sentences about stations that are not connected. */
  get problems(): string[] {
    return this.reports.flatMap(({ config: { name }, status: { problem } }) => {
      return problem === undefined ? [] : `BMP station ${name}: ${problem}.`;
    });
  }

  #identity({ systemName, systemDescription }: BmpStationConfig, { router }: Config): Identity {
    return {
      asn: router.asn,
      routerId: parseQuad(router.id) ?? 0,
      systemName: systemName ?? router.hostname,
      systemDescription: systemDescription ?? `godwit ${this.#speaker.parts.version}`,
    };
  }

  #add(config: BmpStationConfig, identity: Identity): void {
    const { parts, protocols } = this.#speaker;
    const { clock, log, scheduler, transport, lookUp } = parts;
    this.#wake ??= scheduler.add({ name: 'bmp', run: (deadline) => this.#run(deadline) });
    const { name, address: host, bufferLimit } = config;
    const client = new StationClient(
      { ...identity, bufferLimit },
      {
        clock,
        log: log.child({ part: 'bmp', station: name }),
        dial: (events) =>
          new ServerConnection({ ...config, host, what: 'station' }, { clock, transport, lookUp }, events),
        onUp: () => this.#begin(station),
        onDown: () => this.#end(station),
        onDrain: () => this.#wake?.(),
        onChange: () => protocols.note(name, stationState(this.report(name))),
      },
    );
    const station: Station = { config, identity, client, feed: undefined, statistics: undefined };
    this.#byName.set(name, station);
    client.start();
  }

  #remove({ config, client }: Station): void {
    client.stop();
    this.#byName.delete(config.name);
  }

  #begin(station: Station): void {
    const { parts, rib, registry } = this.#speaker;
    const { client, config, identity } = station;
    const feed = new StationFeed(config.views, {
      clock: parts.clock,
      rib,
      taps: this.#taps,
      own: identity,
      send: (messages) => client.send(messages),
      hasRoom: () => client.hasRoom,
      wake: () => this.#wake?.(),
    });
    station.feed = feed;
    feed.begin(registry.values());
    this.#planStatistics(station);
  }

  #end(station: Station): void {
    station.statistics?.cancel();
    if (station.feed === undefined) return;
    this.#leftovers.push(station.feed.end());
    station.feed = undefined;
    this.#wake?.();
  }

  #planStatistics(station: Station): void {
    const { statistics } = station.config;
    if (statistics === 0 || station.feed === undefined) return;
    station.statistics = this.#speaker.parts.clock.setTimer(statistics * MS_PER_SECOND, () => {
      station.feed?.sendStatistics();
      this.#planStatistics(station);
    });
  }

  #run(deadline: number): boolean {
    const { parts, rib } = this.#speaker;
    const { clock } = parts;
    const end = rib.backlog > 0 ? Math.min(deadline, clock.now() + SMALL_SLICE_MS) : deadline;
    const expired = (): boolean => clock.now() >= end;
    for (let work = this.#leftovers[0]; work !== undefined; work = this.#leftovers[0]) {
      if (work.run(expired)) return true;
      this.#leftovers.shift();
    }
    let more = false;
    for (const { feed } of this.#byName.values()) if (feed?.run(expired) === true) more = true;
    return more;
  }
}

function reportOf({ config, client, feed }: Station): StationReport {
  return { config, status: client.status, peers: feed?.peers ?? 0, waiting: feed?.waiting ?? 0 };
}
