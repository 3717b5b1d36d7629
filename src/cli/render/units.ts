// Numbers as people read them: ages, moments, counts and sizes.

const MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const KIBI = 1024;

/** `42s`, `5m07s`, `3h04m`, `2d03h`, `400d`; never negative. */
export function formatAge(ms: number): string {
  const age = Math.max(0, ms);
  const part = (unit: number, below: number) => String(Math.floor((age % below) / unit)).padStart(2, '0');
  if (age < MS.minute) return `${Math.floor(age / MS.second)}s`;
  if (age < MS.hour) return `${Math.floor(age / MS.minute)}m${part(MS.second, MS.minute)}s`;
  if (age < MS.day) return `${Math.floor(age / MS.hour)}h${part(MS.minute, MS.hour)}m`;
  const days = Math.floor(age / MS.day);
  return days < 100 ? `${days}d${part(MS.hour, MS.day)}h` : `${days}d`;
}

const two = (value: number) => String(value).padStart(2, '0');

function formatClock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function formatDay(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `2026-01-31 08:05:00` in the local time zone. */
export function formatMoment(ms: number): string {
  const date = new Date(ms);
  return `${formatDay(date)} ${formatClock(date)}`;
}

/** The time of day within the last day, else the date, as calicoctl shows SINCE. */
export function formatSince(ms: number, now: number): string {
  const date = new Date(ms);
  return now - ms < MS.day ? formatClock(date) : formatDay(date);
}

/** `1,234,567` */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 peer`, `2 peers` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}

/** `512 B`, `1.5 KiB`, `3.2 GiB` */
export function formatBytes(value: number): string {
  if (value < KIBI) return `${value} B`;
  let size = value;
  let unit = '';
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB']) {
    size /= KIBI;
    unit = next;
    if (size < KIBI) break;
  }
  return `${size.toFixed(1)} ${unit}`;
}
