// Events of the journal, for a person: when, what, and below it what to do.

import type { JournalEntry } from '../../control/protocol.ts';
import { type Look, type Paint, safeText } from './style.ts';
import { formatMoment } from './units.ts';

const ADVICE_INDENT = ' '.repeat(21);

/** One event. */
export function renderEvent(entry: JournalEntry, look: Look): string {
  const { style } = look;
  const paint: Record<JournalEntry['severity'], Paint> = {
    info: style.good,
    warning: style.warn,
    error: style.bad,
  };
  const head = `${style.dim(formatMoment(entry.at))}  ${paint[entry.severity](entry.code)}`;
  const advice =
    entry.advice === undefined || entry.severity === 'info'
      ? ''
      : `${ADVICE_INDENT}${style.dim(`to do: ${safeText(entry.advice)}`)}\n`;
  return `${head}  ${safeText(entry.sentence)}\n${advice}`;
}
