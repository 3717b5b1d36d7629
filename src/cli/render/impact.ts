// What a configuration would change, for a person: its own differences, how many routes of each peer, and the first of
// them.

import type { ImpactView } from '../../control/protocol.ts';
import { type Look, safeText } from './style.ts';
import { plural } from './units.ts';

const SIGNS = { added: '+', removed: '-', modified: '~' } as const;

export function renderImpact({ changes, counts, routes, more }: ImpactView, { style }: Look): string {
  if (changes.length === 0 && counts.length === 0) return 'Nothing would change.\n';
  const lines = [
    style.bold('The configuration would change'),
    ...changes.map((text) => `  ${safeText(text)}`),
  ];
  if (changes.length === 0) lines.push('  nothing');
  lines.push('', style.bold('Routes'));
  if (counts.length === 0) lines.push('  none would change');
  for (const { peer, direction, added, removed, modified } of counts) {
    const parts = [
      added > 0 ? style.good(`${added} added`) : '',
      removed > 0 ? style.warn(`${removed} removed`) : '',
      modified > 0 ? `${modified} modified` : '',
    ].filter((part) => part !== '');
    lines.push(`  ${direction === 'import' ? 'from' : 'to'} ${safeText(peer)}: ${parts.join(', ')}`);
  }
  for (const { peer, direction, prefix, change, detail } of routes) {
    const way = `${direction === 'import' ? 'from' : 'to'} ${safeText(peer)}`;
    const tail = detail === '' ? '' : `: ${safeText(detail)}`;
    lines.push(`    ${SIGNS[change]} ${prefix} ${way}${tail}`);
  }
  if (more > 0) lines.push(`    and ${plural(more, 'more route')}; godwit impact --limit names more`);
  return `${lines.join('\n')}\n`;
}
