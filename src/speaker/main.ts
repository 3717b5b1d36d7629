// A speaker on the real thing: TCP, the system's clock, the kernel through netlink. What cli/ starts.

import { lookup } from 'node:dns/promises';
import { WorkerBfdService } from '../bfd/worker-service.ts';
import { TcpTransport } from '../bgp/session/tcp-transport.ts';
import type { Config } from '../config/model.ts';
import { systemClock, type Timer } from '../lib/clock.ts';
import { giveBackOutgrown, giveMemoryBack, keepLargeBlocksApart, trimMemory } from '../lib/idle-memory.ts';
import type { Logger } from '../lib/log.ts';
import { LoopLag } from '../lib/loop-lag.ts';
import { packageVersion } from '../lib/package-info.ts';
import { Scheduler } from '../lib/scheduler.ts';
import { StageBeat } from '../lib/stage-beat.ts';
import { readTcpDrops } from '../lib/tcp-drops.ts';
import type { SpeakerApi, UpgradeView } from './api.ts';
import { switchedIn } from './bird/protocol-states.ts';
import { reportOf, watchForCrashes } from './crash/crash-watch.ts';
import { crashDirectory } from './crash/report.ts';
import { drainBeforeStop } from './draining.ts';
import { dumpsOnDisk } from './dump-files.ts';
import { journalOnDisk } from './journal/disk.ts';
import { openKernel } from './open-kernel.ts';
import { awaitAddresses, systemAddresses } from './own-addresses.ts';
import type { ConfigLoader, OnApplied } from './reconfiguration.ts';
import { SpareRoom } from './spare-room.ts';
import { Speaker, type SpeakerParts } from './speaker.ts';
import { createApi } from './speaker-api.ts';
import { HandOver } from './upgrade/hand-over.ts';
import type { SpeakerState } from './upgrade/state.ts';
import { TakeOver } from './upgrade/take-over.ts';
import { type Leisure, warmUp } from './warm-up.ts';
import { startGuardThread, Watchdog } from './watchdog/watchdog.ts';

export {
  decodeStates,
  encodeStates,
  type SpeakerState,
  STATE_FORMAT,
  StateError,
} from './upgrade/state.ts';
export type { HandOver };

export interface CreateOptions {
  readonly config: Config;
  readonly configFile: string;
  /** Reads the configuration anew, for a reload. */
  readonly loadConfig: ConfigLoader;
  readonly onApplied?: OnApplied;
  readonly logger: Logger;
  /** Takes lines that debugging asks for; else they go to the log. */
  readonly trace?: (line: string) => void;
  /** What this process goes on with: it was another program before. */
  readonly handed?: SpeakerState | undefined;
  /** Makes the process another program. */
  readonly upgrade?: ((program: string | undefined) => Promise<UpgradeView>) | undefined;
}

export interface RunningSpeaker {
  readonly api: SpeakerApi;
  /** A stop is decided; returns how many milliseconds peers get before it, to send traffic elsewhere (RFC 8326). */
  drainBeforeStop(): number;
  /** A clean stop: sessions end with Cease, kernel routes go or stay as configured. */
  stop(): Promise<void>;
  /** Lets another program go on with it. */
  readonly handOver: HandOver;
}

/** Milliseconds until compiling ahead begins: sockets are open by then, and no session is yet. */
const WARM_UP_AFTER_MS = 150;

/** After that V8 goes on compiling and collecting what it had begun; what it takes for that is free at one of these. */
const TRIM_EVERY_MS = 4000;
const TRIMS = 3;

/** Starts a speaker; rejects where the kernel is wanted and cannot be had. */
export async function createSpeaker(options: CreateOptions): Promise<RunningSpeaker> {
  keepLargeBlocksApart();
  giveBackOutgrown();
  const { config, configFile, loadConfig, onApplied, logger, trace, handed, upgrade } = options;
  const loopLag = new LoopLag(systemClock);
  const beat = new StageBeat();
  const scheduler = new Scheduler(systemClock, { beat });
  const parts: SpeakerParts = {
    clock: systemClock,
    scheduler,
    random: Math.random,
    defer: (fn) => void setImmediate(fn),
    transport: new TcpTransport(),
    openKernel: (wanted) => openKernel(wanted, logger),
    // Behind a live upgrade there is no way back.
    addresses: handed === undefined ? systemAddresses(logger) : await awaitAddresses(logger, systemClock),
    openBfd: (events) => WorkerBfdService.open(events),
    log: logger,
    ...(trace !== undefined && { trace }),
    lookUp: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    version: packageVersion(),
    dumpStore: dumpsOnDisk,
    diagnosis: {
      journalStore: journalOnDisk,
      tcpDrops: readTcpDrops,
      loopLag,
      useWatchdog: (options) => watchdog.use(options),
    },
  };
  const speaker = new Speaker(config, parts, handed && switchedIn(handed.protocols));
  const api = createApi({ speaker, configFile, loadConfig, onApplied, upgrade });
  const crashes = { speaker, api, configFile, process };
  const unwatch = watchForCrashes(crashes);
  const watchdog = new Watchdog({
    scheduler,
    beat,
    journal: speaker.diagnosis.journal,
    log: logger,
    directory: () => crashDirectory(speaker.config.diagnosis.crash.directory, process.env),
    draft: () => reportOf(crashes, { reason: 'watchdog', sentence: '', stack: undefined }),
    startGuard: startGuardThread,
  });
  loopLag.start((lagMs) => watchdog.tick(lagMs));
  const end = async (): Promise<void> => {
    await speaker.stop();
    loopLag.stop();
    unwatch();
    await speaker.diagnosis.close();
  };
  try {
    if (handed === undefined) await speaker.start();
    else await goOn(speaker, handed);
  } catch (error) {
    // What measures and waits would keep the process alive. The kernel's routes stay for the next attempt.
    speaker.stopsSilently = true;
    await end();
    throw error;
  }
  // Not before: a start may scan a large kernel table.
  watchdog.use(config.diagnosis.watchdog);
  let trims: Timer | undefined;
  const kept: unknown[] = [];
  // What answers people and probes comes up first.
  systemClock.setTimer(WARM_UP_AFTER_MS, () => {
    const warmth = warmUp({
      clock: systemClock,
      defer: (fn) => void setImmediate(fn),
      leisure: leisureOf(speaker),
      othersListen: speaker.rib.all.some(({ locRib }) => locRib.listenerCount > 1),
      onEnd: () => {
        giveMemoryBack();
        trims = trimWhenQuiet(leisureOf(speaker));
      },
    });
    kept.push(warmth);
  });
  const room = new SpareRoom({
    clock: systemClock,
    rib: speaker.rib,
    onCompacted: giveMemoryBack,
  });
  const handOver = new HandOver(speaker, loadConfig);
  return {
    api,
    handOver,
    drainBeforeStop: () => {
      handOver.refuseBeforeStop();
      return drainBeforeStop(speaker);
    },
    stop: async () => {
      kept.length = 0;
      trims?.cancel();
      room.stop();
      watchdog.stop();
      await end();
    },
  };
}

/** Trims so many times, when nobody waits; ends by itself with the speaker. */
function trimWhenQuiet(leisure: () => Leisure): Timer {
  let left = TRIMS;
  let timer: Timer | undefined;
  const next = (): void => {
    if (leisure() === 'over' || left === 0) return;
    timer = systemClock.setTimer(TRIM_EVERY_MS, () => {
      if (leisure() !== 'busy') {
        trimMemory();
        left--;
      }
      next();
    });
  };
  next();
  return { cancel: () => timer?.cancel() };
}

async function goOn(speaker: Speaker, handed: SpeakerState): Promise<void> {
  speaker.reconfiguredAt = handed.reconfiguredAt;
  await speaker.start(new TakeOver(speaker, handed));
}

function leisureOf(speaker: Speaker): () => Leisure {
  const { rib, pipeline } = speaker;
  let seen = 0;
  return () => {
    if (speaker.state !== 'running') return 'over';
    const isQuiet = pipeline.received === seen;
    seen = pipeline.received;
    return rib.idle && isQuiet ? 'quiet' : 'busy';
  };
}
