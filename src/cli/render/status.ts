// The summary at the top of `godwit status`.

import type { KernelStatusView, StatusView } from '../../control/protocol.ts';
import { type Field, renderFields } from './fields.ts';
import { type Look, safeText } from './style.ts';
import { formatAge, formatBytes, formatCount, formatMoment, plural } from './units.ts';

export function renderStatus(status: StatusView, look: Look): string {
  const { style, now } = look;
  const state = status.state === 'running' ? style.good(status.state) : style.warn(status.state);
  const ago = (moment: number) => `${formatMoment(moment)} (${formatAge(now - moment)} ago)`;
  const from = status.configFile === undefined ? '' : ` from ${status.configFile}`;
  const { memory, peers } = status;
  const fields: Field[] = [
    ['Router', `id ${status.routerId}, AS ${status.asn}`],
    ['Started', ago(status.startedAt)],
    ['Configured', `${ago(status.reconfiguredAt)}${from}`],
    ['Peers', `${formatCount(peers.established)} of ${formatCount(peers.total)} established`],
    ['Routes', status.families.map(familyText)],
    [
      'Shared',
      `${plural(status.attributeSets, 'attribute set')}, ${plural(status.updateGroups, 'update group')}`,
    ],
    ['Kernel', status.kernel === undefined ? undefined : kernelText(status.kernel)],
    [
      'Memory',
      `${formatBytes(memory.rss)} resident; heap ${formatBytes(memory.heapUsed)}, table space ${formatBytes(memory.arrayBuffers)} reserved`,
    ],
  ];
  const head = `${style.bold(`godwit ${status.version}`)} on ${safeText(status.hostname)} is ${state}\n`;
  return head + renderFields(fields, look) + renderProblems(status.problems, look);
}

function familyText(row: StatusView['families'][number]): string {
  return `${row.family}: ${plural(row.prefixes, 'prefix', 'prefixes')}, ${plural(row.paths, 'path')}`;
}

function kernelText(kernel: KernelStatusView): string {
  const learned = `${formatCount(kernel.learned)} learned`;
  if (!kernel.installing) return `table ${kernel.table}: nothing is installed, ${learned}`;
  return (
    `table ${kernel.table}: ${formatCount(kernel.installed)} of ${plural(kernel.desired, 'route')} installed, ` +
    `${formatCount(kernel.pending)} pending, ${formatCount(kernel.failed)} failed, ${learned}`
  );
}

function renderProblems(problems: readonly string[], look: Look): string {
  if (problems.length === 0) return '';
  const lines = problems.map((problem) => `  - ${safeText(problem)}\n`);
  return `\n${look.style.bad('Problems')}\n${lines.join('')}`;
}
