// The states that a protocol goes through for its users, as lines of the log in BIRD's words and order.

import type { Dialect } from '../../policy/lexer.ts';

/** What BIRD makes of a protocol's state; `down` is also one that is not there. */
export type ToldState = 'down' | 'start' | 'up';

/** BIRD 1.6 feeds a protocol before it is up, and knows no flushing of its own. */
const WAY_UP = { '1.6': ['feed', 'up'], '2.x': ['up'] } as const;
const WAY_DOWN = { '1.6': ['stop', 'down'], '2.x': ['stop', 'flush', 'down'] } as const;

/** Of a change from one to another. */
export function stateLines(before: ToldState, after: ToldState, dialect: Dialect): string[] {
  if (before === after) return [];
  const lines: string[] = [];
  const through = (states: readonly string[]): void => {
    for (const state of states) lines.push(`State changed to ${state}`);
  };
  if (before !== 'down' && after !== 'up') {
    if (after === 'down') lines.push('Shutting down');
    through(WAY_DOWN[dialect]);
  }
  if (after === 'start' || (before === 'down' && after === 'up')) lines.push('Starting');
  if (after === 'start') through(['start']);
  if (after === 'up') through(WAY_UP[dialect]);
  return lines;
}
