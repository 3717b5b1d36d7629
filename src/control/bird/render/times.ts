// Moments as BIRD writes them: formats of strftime with fractions of a second, chosen by what the moment belongs to.
// Times that are further back than a format's limit are shown by its other form.

import { formatTime } from '../../../lib/time-format.ts';
import type { ConfigurationView, TimeFormatView } from '../../../speaker/api/tables.ts';

export type TimeUse = 'route' | 'protocol' | 'base' | 'log';

/** Seconds: a time of day says which day for so long. */
const SHORT_LIMIT = 20 * 3600;
const MS_PER_SECOND = 1000;
const LONG = { seconds: '%F %T', milliseconds: '%F %T.%3f' } as const;
const SHORT = { seconds: '%T', milliseconds: '%T.%3f' } as const;

/** Formats of one configuration at one moment. */
export class TimeWriter {
  readonly #now: number;
  readonly #formats: Readonly<Record<TimeUse, TimeFormatView>>;
  /** Routes come in crowds: many have the time of the one before. */
  #last = { use: '', ms: Number.NaN, text: '' };

  constructor(
    now: number,
    precision: 'seconds' | 'milliseconds',
    configured: ConfigurationView['timeFormats'],
  ) {
    this.#now = now;
    const long = { format: LONG[precision] };
    const short = { format: SHORT[precision], limit: SHORT_LIMIT, older: '%F' };
    this.#formats = { route: short, protocol: short, base: long, log: long, ...configured };
  }

  /** `ms`: wall-clock milliseconds. */
  write(use: TimeUse, ms: number): string {
    if (this.#last.ms !== ms || this.#last.use !== use) this.#last = { use, ms, text: this.#format(use, ms) };
    return this.#last.text;
  }

  #format(use: TimeUse, ms: number): string {
    const { format, limit, older } = this.#formats[use];
    const old = limit !== undefined && older !== undefined && this.#now - ms >= limit * MS_PER_SECOND;
    return formatTime(old ? older : format, ms);
  }
}
