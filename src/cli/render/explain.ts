// Why a prefix is routed as it is: the ranked paths with the step that placed each, what every peer is told, and
// what the kernel has.

import type { Explanation } from '../../control/protocol.ts';
import { renderFields } from './fields.ts';
import { attributeFields, renderRouteBlock } from './routes.ts';
import { type Look, safeText } from './style.ts';
import { plural } from './units.ts';

const INDENT = 2;

export function renderExplanation(explanation: Explanation, look: Look): string {
  const parts = [
    renderPaths(explanation, look),
    renderExports(explanation, look),
    renderKernel(explanation, look),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function renderPaths({ prefix, paths }: Explanation, look: Look): string {
  const head = `${look.style.bold(prefix)}: ${plural(paths.length, 'path')}\n`;
  const blocks = paths.map(({ rank, step, route }) =>
    renderRouteBlock(route, look, INDENT, `, rank ${rank} (${safeText(step)})`),
  );
  return head + blocks.join('');
}

function renderExports({ exports }: Explanation, look: Look): string {
  if (exports.length === 0) return '';
  const { style } = look;
  const entries = exports.map((entry) => {
    const verdict = entry.advertised ? style.good('advertised') : style.warn('not advertised');
    const head = `  ${verdict} to ${safeText(entry.peer)}: ${safeText(entry.reason)}\n`;
    if (entry.attributes === undefined) return head;
    return (
      head +
      renderFields([['Next hop', entry.nextHop], ...attributeFields(entry.attributes)], look, INDENT + 4)
    );
  });
  return `${style.bold('Advertised')}\n${entries.join('')}`;
}

function renderKernel({ kernel }: Explanation, look: Look): string {
  if (kernel === undefined) return '';
  const { desired, installed, problem } = kernel;
  return (
    `${look.style.bold('Kernel')}\n` +
    renderFields(
      [
        ['Wanted', desired ?? 'no route'],
        ['Installed', installed ?? 'no route'],
        ['Problem', problem],
      ],
      look,
    )
  );
}
