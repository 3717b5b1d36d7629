// Moments as strftime writes them, with fractions of a second.

const MS_PER_SECOND = 1000;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const SHORT_NAME = 3;
const HOURS_PER_HALF_DAY = 12;
const MS_PER_DAY = 86_400_000;

/** strftime in the local time zone; `%3f` and `%6f` are fractions of a second. Unknown letters stay as they are. */
export function formatTime(format: string, ms: number): string {
  const date = new Date(ms);
  return format.replace(/%(-?)(\d?)([A-Za-z%])/g, (whole, _flag: string, digits: string, letter: string) => {
    if (letter === 'f') return fraction(ms, digits === '' ? 6 : Number(digits));
    return LETTERS[letter]?.(date) ?? whole;
  });
}

function fraction(ms: number, digits: number): string {
  const micros = Math.floor((ms - Math.floor(ms / MS_PER_SECOND) * MS_PER_SECOND) * 1000);
  return String(micros).padStart(6, '0').slice(0, digits);
}

const two = (value: number): string => String(value).padStart(2, '0');

const LETTERS: Readonly<Record<string, (date: Date) => string>> = {
  '%': () => '%',
  a: (date) => DAYS[date.getDay()]!.slice(0, SHORT_NAME),
  A: (date) => DAYS[date.getDay()]!,
  b: (date) => MONTHS[date.getMonth()]!.slice(0, SHORT_NAME),
  B: (date) => MONTHS[date.getMonth()]!,
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2),
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % HOURS_PER_HALF_DAY || HOURS_PER_HALF_DAY),
  j: (date) => String(dayOfYear(date)).padStart(3, '0'),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  n: () => ' ',
  p: (date) => (date.getHours() < HOURS_PER_HALF_DAY ? 'AM' : 'PM'),
  R: (date) => `${two(date.getHours())}:${two(date.getMinutes())}`,
  s: (date) => String(Math.floor(date.getTime() / MS_PER_SECOND)),
  S: (date) => two(date.getSeconds()),
  T: (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  z: (date) => zone(date),
};

function dayOfYear(date: Date): number {
  const begin = Date.UTC(date.getFullYear(), 0, 0);
  return Math.floor((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - begin) / MS_PER_DAY);
}

function zone(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
