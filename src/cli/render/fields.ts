// A block of `Label  value` lines, for the details of one thing.

import { type Look, safeText } from './style.ts';

/** Label and values; undefined = leave the line out; a list makes one line each. */
export type Field = readonly [label: string, value: string | readonly string[] | undefined];

/** The lines of a block, indented by `indent` columns, with the values aligned. */
export function renderFields(fields: readonly Field[], look: Look, indent = 2): string {
  const shown = fields.flatMap(([label, value]) => {
    if (value === undefined) return [];
    const values = typeof value === 'string' ? [value] : value;
    return values.map((each, index) => [index === 0 ? label : '', each] as const);
  });
  const width = shown.reduce((widest, [label]) => Math.max(widest, label.length), 0);
  return shown
    .map(([label, value]) => {
      const line = `${' '.repeat(indent)}${look.style.dim(label.padEnd(width))}  ${safeText(value)}`;
      return `${line.trimEnd()}\n`;
    })
    .join('');
}
