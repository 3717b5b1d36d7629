// Colours, and text that is safe to show. Names, descriptions and shutdown reasons come from other people's
// routers: what would steer the terminal is written out instead of obeyed.

import type { Terminal } from '../terminal.ts';

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
}

export type Paint = (text: string) => string;

/** How a result is to be shown to a person. */
export interface Look {
  readonly style: Style;
  /** Columns to stay within; undefined = as wide as it gets. */
  readonly width: number | undefined;
  /** Wall-clock milliseconds, for ages. */
  readonly now: number;
}

const ESCAPE = '\u001b[';
const paint =
  (code: number): Paint =>
  (text) =>
    text === '' ? text : `${ESCAPE}${code}m${text}${ESCAPE}0m`;

const plain: Paint = (text) => text;
const PLAIN: Style = { bold: plain, dim: plain, good: plain, warn: plain, bad: plain };
const COLORS: Style = { bold: paint(1), dim: paint(2), good: paint(32), warn: paint(33), bad: paint(31) };

export function styleFor(color: boolean): Style {
  return color ? COLORS : PLAIN;
}

/** What a terminal can show. */
export function lookOf({ now, columns, color }: Pick<Terminal, 'now' | 'columns' | 'color'>): Look {
  return { now: now(), width: columns, style: styleFor(color) };
}

/** Control characters as `\x1b`, and the ones that reverse the direction of text as `\u202e`. */
export function safeText(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
