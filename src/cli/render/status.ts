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
    [
      'Peers',
      [`${formatCount(peers.established)} of ${formatCount(peers.total)} established`, ...awayLines(status)],
    ],
    ['Routes', status.families.map(familyText)],
    [
      'Shared',
      `${plural(status.attributeSets, 'attribute set')}, ${plural(status.updateGroups, 'update group')}`,
    ],
    ['Refused', refusedText(status)],
    ['Kernel', status.kernel === undefined ? undefined : kernelText(status.kernel)],
    [
      'Memory',
      `${formatBytes(memory.rss)} resident; heap ${formatBytes(memory.heapUsed)}, table space ${formatBytes(memory.arrayBuffers)} reserved`,
    ],
  ];
  fields.push(...loopFields(status));
  const head = `${style.bold(`godwit ${status.version}`)} on ${safeText(status.hostname)} is ${state}\n`;
  return head + renderFields(fields, look) + renderProblems(status.problems, look);
}

/** So many are named. */
const MOST_AWAY = 5;

function awayLines({ peers: { away } }: StatusView): string[] {
  if (away.length === 0) return [];
  const more = away.length > MOST_AWAY ? ` and ${formatCount(away.length - MOST_AWAY)} more` : '';
  return [`gone, while their routes wait: ${away.slice(0, MOST_AWAY).join(', ')}${more}`];
}

const MICROS_PER_MS = 1000;
/** Stages that took less than this share of the time are left out. */
const SHOWN_SHARE = 0.01;

function loopFields({ loop, stages, causes }: StatusView): Field[] {
  const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  const total = stages.reduce((sum, stage) => sum + stage.micros, 0);
  const busy = stages.filter(({ micros }) => micros > total * SHOWN_SHARE);
  const ended = causes.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return [
    [
      'Loop lag',
      `half below ${ms(loop.p50)}, 99 % below ${ms(loop.p99)}, at most ${ms(loop.max)} lately, ${ms(loop.longest)} ever`,
    ],
    [
      'Stages',
      busy.map(
        ({ name, micros, runs, longestMicros }) =>
          `${name}: ${ms(micros / MICROS_PER_MS)} in ${plural(runs, 'run')}, at most ${ms(longestMicros / MICROS_PER_MS)}`,
      ),
    ],
    ['Ended', ended.length === 0 ? undefined : ended.map(({ code, count }) => `${code} ${count}`).join(', ')],
  ];
}

/** Connections that nobody wanted. */
function refusedText({ connections }: StatusView): string | undefined {
  const { unknown, rate, halfOpen, noOpen } = connections.refused;
  const named = {
    'of no peer': unknown,
    'too often': rate,
    'too many without OPEN': halfOpen,
    'without OPEN': noOpen,
  };
  const parts = Object.entries(named).filter(([, count]) => count > 0);
  if (parts.length === 0) return undefined;
  return `connections: ${parts.map(([name, count]) => `${count} ${name}`).join(', ')}`;
}

function familyText(row: StatusView['families'][number]): string {
  return `${row.family}: ${plural(row.prefixes, 'prefix', 'prefixes')}, ${plural(row.paths, 'path')}`;
}

function kernelText(kernel: KernelStatusView): string {
  const learned = `${formatCount(kernel.learned)} learned`;
  const tables =
    kernel.ipv6Table === undefined
      ? `table ${kernel.table}`
      : `tables ${kernel.table} and ${kernel.ipv6Table}`;
  if (!kernel.installing) return `${tables}: nothing is installed, ${learned}`;
  return (
    `${tables}: ${formatCount(kernel.installed)} of ${plural(kernel.desired, 'route')} installed, ` +
    `${formatCount(kernel.pending)} pending, ${formatCount(kernel.failed)} failed, ${learned}`
  );
}

function renderProblems(problems: readonly string[], look: Look): string {
  if (problems.length === 0) return '';
  const lines = problems.map((problem) => `  - ${safeText(problem)}\n`);
  return `\n${look.style.bad('Problems')}\n${lines.join('')}`;
}
