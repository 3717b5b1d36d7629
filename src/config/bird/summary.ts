// A BIRD configuration in a line or two, for `godwit check`.

import type { BirdConfig } from './config.ts';

/** The lines, without line ends: dialect, files, protocols, filters. */
export function summarizeBird(config: BirdConfig): string[] {
  const family = config.family === undefined ? '' : `, ${config.family === 'ipv4' ? 'IPv4' : 'IPv6'}`;
  const files = config.files.length === 1 ? '1 file' : `${config.files.length} files`;
  const kinds = new Map<string, number>();
  for (const { kind } of config.protocols) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const protocols = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  const defined = (kind: string): number => config.definitions.filter((each) => each.kind === kind).length;
  return [
    `BIRD ${config.dialect}${family}, ${files}`,
    `protocols: ${protocols === '' ? 'none' : protocols}`,
    `defined: filters ${defined('filter')}, functions ${defined('function')}, constants ${defined('define')}`,
  ];
}
