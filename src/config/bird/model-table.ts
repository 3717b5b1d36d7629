// What the model calls a table of BIRD's.

import type { BirdConfig } from './config.ts';

/** The name of a table in the model: '' for the first one of its family. */
export function modelTable({ tables }: BirdConfig, name: string): string {
  const type = tables.get(name)?.type;
  for (const table of tables.values()) if (table.type === type) return table.name === name ? '' : name;
  return name;
}
