// What systemd, or whoever speaks sd_notify(3), is told of the daemon's life, and the sign of life it may want: one
// that the event loop gives, so that a loop that stands still is noticed.

import { type Clock, systemClock, type Timer } from '../lib/clock.ts';
import type { Supervisor } from './daemon.ts';
import { type Notify, openNotify } from './supervisor-socket.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const MICROSECONDS = 1000;
/** sd_watchdog_enabled(3): half of the time that there is. */
const SIGNS_PER_TIME = 2;

export interface SupervisorOptions {
  readonly env: Environment;
  readonly pid: number;
  readonly clock: Clock;
  readonly open: (path: string) => Notify | undefined;
  /** CLOCK_MONOTONIC, microseconds. */
  readonly monotonic: () => bigint;
}

/** Undefined where nobody wants to know. */
export function createSupervisor(options: SupervisorOptions): Supervisor | undefined {
  const { env, pid, clock, open, monotonic } = options;
  const path = env['NOTIFY_SOCKET'];
  const notify = path === undefined || path === '' ? undefined : open(path);
  if (notify === undefined) return undefined;
  const wait = signInterval(env, pid);
  let timer: Timer | undefined;
  const sign = (): void => {
    notify('WATCHDOG=1');
    if (wait !== undefined) timer = clock.setTimer(wait, sign);
  };
  return {
    ready() {
      notify('READY=1');
      if (wait !== undefined && timer === undefined) sign();
    },
    reloading: () => notify(`RELOADING=1\nMONOTONIC_USEC=${monotonic()}`),
    stopping(withinMs) {
      const longer = withinMs === undefined ? '' : `\nEXTEND_TIMEOUT_USEC=${withinMs * MICROSECONDS}`;
      notify(`STOPPING=1${longer}`);
    },
    stop: () => timer?.cancel(),
  };
}

/** Milliseconds between signs; undefined where none are wanted, or another process's. */
function signInterval(env: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: time, WATCHDOG_PID: whose } = env;
  if (whose !== undefined && whose !== '' && whose !== String(pid)) return undefined;
  const microseconds = Number(time);
  if (!Number.isSafeInteger(microseconds) || microseconds <= 0) return undefined;
  return Math.max(1, Math.floor(microseconds / MICROSECONDS / SIGNS_PER_TIME));
}

/** That of this process. */
export function systemSupervisor(env: Environment): Supervisor | undefined {
  return createSupervisor({
    env,
    pid: process.pid,
    clock: systemClock,
    open: openNotify,
    monotonic: () => process.hrtime.bigint() / BigInt(MICROSECONDS),
  });
}
