// A speaker on the real thing: TCP, the system's clock, the kernel through netlink. What cli/ starts.

import { lookup } from 'node:dns/promises';
import { WorkerBfdService } from '../bfd/worker-service.ts';
import { TcpTransport } from '../bgp/session/tcp-transport.ts';
import type { Config } from '../config/model.ts';
import { systemClock } from '../lib/clock.ts';
import { giveMemoryBack } from '../lib/idle-memory.ts';
import type { Logger } from '../lib/log.ts';
import { LoopLag } from '../lib/loop-lag.ts';
import { packageVersion } from '../lib/package-info.ts';
import { Scheduler } from '../lib/scheduler.ts';
import { readTcpDrops } from '../lib/tcp-drops.ts';
import type { SpeakerApi } from './api.ts';
import { journalOnDisk } from './journal/disk.ts';
import { openKernel } from './open-kernel.ts';
import { systemAddresses } from './own-addresses.ts';
import type { ConfigLoader } from './reconfiguration.ts';
import { Speaker } from './speaker.ts';
import { createApi } from './speaker-api.ts';
import { type Leisure, warmUp } from './warm-up.ts';

export interface CreateOptions {
  readonly config: Config;
  readonly configFile: string;
  /** Reads the configuration anew, for a reload. */
  readonly loadConfig: ConfigLoader;
  readonly logger: Logger;
}

export interface RunningSpeaker {
  readonly api: SpeakerApi;
  /** A clean stop: sessions end with Cease, kernel routes go or stay as configured. */
  stop(): Promise<void>;
}

/** Milliseconds until compiling ahead begins: sockets are open by then, and no session is yet. */
const WARM_UP_AFTER_MS = 150;

/** Starts a speaker; rejects where the kernel is wanted and cannot be had. */
export async function createSpeaker(options: CreateOptions): Promise<RunningSpeaker> {
  const { config, configFile, loadConfig, logger } = options;
  const loopLag = new LoopLag(systemClock);
  const speaker = new Speaker(config, {
    clock: systemClock,
    scheduler: new Scheduler(systemClock),
    random: Math.random,
    defer: (fn) => void setImmediate(fn),
    transport: new TcpTransport(),
    openKernel: (wanted) => openKernel(wanted, logger),
    addresses: systemAddresses,
    openBfd: (events) => WorkerBfdService.open(events),
    log: logger,
    lookUp: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    version: packageVersion(),
    diagnosis: { journalStore: journalOnDisk, tcpDrops: readTcpDrops, loopLag },
  });
  loopLag.start();
  await speaker.start();
  // What answers people and probes comes up first.
  systemClock.setTimer(WARM_UP_AFTER_MS, () =>
    warmUp({
      clock: systemClock,
      defer: (fn) => void setImmediate(fn),
      leisure: () => leisureOf(speaker),
      onEnd: giveMemoryBack,
    }),
  );
  return {
    api: createApi({ speaker, configFile, loadConfig }),
    stop: async () => {
      await speaker.stop();
      loopLag.stop();
      await speaker.diagnosis.close();
    },
  };
}

function leisureOf({ state, registry, rib }: Speaker): Leisure {
  if (state !== 'running') return 'over';
  if (!registry.anyEstablished) return 'idle';
  return rib.idle ? 'gently' : 'busy';
}
