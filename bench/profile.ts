// V8's CPU profiles (`node --cpu-prof`) to a short list: which functions the time of a phase went to, by themselves.
// Pure but for reading the files. Format: the DevTools protocol's Profiler.Profile; times are microseconds of the
// monotonic clock.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly startTime: number;
  /** Node ids, one a sample. */
  readonly samples: readonly number[];
  /** Since the sample before, or since the start. */
  readonly timeDeltas: readonly number[];
}

/** Microseconds of the monotonic clock, as process.hrtime. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface SelfTime {
  readonly name: string;
  /** File and line, or empty for V8's own. */
  readonly place: string;
  readonly ms: number;
  /** Of the time in the window, idle included. */
  readonly share: number;
}

/** Functions by their own time in the window, most expensive first; waiting is `(idle)`. */
export function selfTimes(profile: CpuProfile, window: Window): SelfTime[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const sums = new Map<string, { name: string; place: string; micros: number }>();
  let at = profile.startTime;
  let total = 0;
  profile.samples.forEach((id, i) => {
    // A sample stands for the time until the next one.
    at += profile.timeDeltas[i] ?? 0;
    const micros = Math.max(0, profile.timeDeltas[i + 1] ?? 0);
    const frame = frames.get(id);
    if (frame === undefined || at < window.from || at >= window.to) return;
    total += micros;
    const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
    const place = frame.url === '' ? '' : `${shortPath(frame.url)}:${frame.lineNumber + 1}`;
    const key = `${name} ${place}`;
    const sum = sums.get(key) ?? { name, place, micros: 0 };
    sum.micros += micros;
    sums.set(key, sum);
  });
  return [...sums.values()]
    .sort((a, b) => b.micros - a.micros)
    .map(({ name, place, micros }) => ({ name, place, ms: micros / 1000, share: micros / total }));
}

/** The last two parts of a path tell files apart. */
function shortPath(url: string): string {
  return url.split('/').slice(-2).join('/');
}

/** What people read. */
export function formatSelfTimes(rows: readonly SelfTime[], limit: number): string {
  return rows
    .slice(0, limit)
    .map(
      ({ name, place, ms, share }) =>
        `${ms.toFixed(0).padStart(7)} ms ${(share * 100).toFixed(1).padStart(5)} %  ${name} ${place}`,
    )
    .join('\n');
}

/** Of every profile in a directory (one a thread); threads that only waited are left out. */
export function topOfProfiles(directory: string, window: Window, limit: number): string {
  const parts: string[] = [];
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'))) {
    const profile: CpuProfile = JSON.parse(readFileSync(join(directory, file), 'utf8'));
    const rows = selfTimes(profile, window);
    if (rows.every(({ name }) => name === '(idle)' || name === '(program)')) continue;
    parts.push(`${basename(file)}\n${formatSelfTimes(rows, limit)}`);
  }
  return parts.join('\n');
}
