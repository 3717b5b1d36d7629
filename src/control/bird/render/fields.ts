// The one shape of `Name:   value` lines, and timers.

import type { TimerView } from '../../../speaker/api/protocols.ts';

const MILLI_DIGITS = 3;

/** Columns in which the values of a section stand. */
export const COLUMN = { protocol: 18, bgp: 22, channel: 20, channel1: 18, rpki: 20 } as const;

/** `column`: where the value begins, with a space before it at the least. */
export function field(indent: number, name: string, value: string, column: number): string {
  const label = `${' '.repeat(indent)}${name}:`;
  return `${label.padEnd(Math.max(column, label.length + 1))}${value}`;
}

/** `172.730/240`; in 1.6 whole seconds. */
export function timer({ left, of }: TimerView, dialect: '1.6' | '2.x'): string {
  const shown = Math.max(0, left);
  return `${dialect === '1.6' ? Math.ceil(shown) : shown.toFixed(MILLI_DIGITS)}/${of}`;
}
