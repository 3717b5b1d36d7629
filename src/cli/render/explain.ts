// Why a prefix is routed as it is: the ranked paths with the step that placed each, what every peer is told, and
// what the kernel has.

import type { Explanation, FilterTraceView } from '../../control/protocol.ts';
import { type Field, renderFields } from './fields.ts';
import { attributeFields, renderRouteBlock } from './routes.ts';
import { type Look, safeText } from './style.ts';
import { plural } from './units.ts';

const INDENT = 2;
const TRACE_INDENT = INDENT + 4;

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
  const blocks = paths.map(({ rank, step, route, importFilter }) => {
    const block = renderRouteBlock(route, look, INDENT, `, rank ${rank} (${safeText(step)})`);
    return block + renderTrace('import', importFilter, look);
  });
  return head + blocks.join('');
}

function renderExports({ exports }: Explanation, look: Look): string {
  if (exports.length === 0) return '';
  const { style } = look;
  const entries = exports.map((entry) => {
    const verdict = entry.advertised ? style.good('advertised') : style.warn('not advertised');
    // `advertised: 2 paths` has been said to its colon.
    const reason = safeText(entry.reason).replace(/^advertised(?:: )?/, '');
    const head = `  ${verdict} to ${safeText(entry.peer)}${reason === '' ? '' : `: ${reason}`}\n`;
    const trace = renderTrace('export', entry.exportFilter, look);
    if (entry.attributes === undefined) return head + trace;
    const { attributes, nextHop, paths = [] } = entry;
    // Over gRPC an absent list is an empty one.
    const sent = paths.length > 0 ? paths : [{ nextHop, attributes }];
    const blocks = sent.map((path) => {
      const fields: Field[] = [
        ['Path id', 'pathId' in path ? String(path.pathId) : undefined],
        ['Next hop', path.nextHop],
        ...attributeFields(path.attributes),
      ];
      return renderFields(fields, look, INDENT + 4);
    });
    return head + trace + blocks.join('');
  });
  return `${style.bold('Advertised')}\n${entries.join('')}`;
}

/** What a filter did, step by step. */
function renderTrace(direction: string, trace: FilterTraceView | undefined, look: Look): string {
  if (trace === undefined) return '';
  const { style } = look;
  const verdict = trace.accepted ? style.good('accepts') : style.warn('rejects');
  const head = `${' '.repeat(TRACE_INDENT)}${direction} filter ${safeText(trace.name)} ${verdict}\n`;
  return head + renderSteps(trace.steps, TRACE_INDENT + 2, look);
}

/** A line a step: where, what stands there, what came of it. */
export function renderSteps(
  steps: Readonly<FilterTraceView['steps']>,
  indent: number,
  { style }: Pick<Look, 'style'>,
): string {
  const widest = Math.max(0, ...steps.map(({ place }) => place.length));
  const lines = steps.map(({ place, code, text }) => {
    const at = style.dim(safeText(place).padEnd(widest));
    const told = code === text || code === `${text};` ? '' : style.dim(`  -> ${safeText(text)}`);
    return `${' '.repeat(indent)}${at}  ${safeText(code)}${told}\n`;
  });
  return lines.join('');
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
