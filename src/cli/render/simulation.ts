// What came of a simulation, for people: phase by phase, node by node, and what did not hold.

import { faultText } from '../../sim/faults.ts';
import type { NodeSummary, Phase, RunResult } from '../../sim/run.ts';
import { type Look, safeText } from './style.ts';
import { type Column, renderTable } from './table.ts';

const MS_PER_SECOND = 1000;
/** More nodes than this are summed up. */
const MOST_ROWS = 40;
const MOST_BROKEN = 50;

const PHASE_TEXTS: Readonly<Record<Phase['name'], string>> = {
  start: 'all machines start',
  faults: 'faults have had their way',
  recovery: 'everything healed, configurations as at first',
  withdrawal: 'all networks withdrawn',
};

const COLUMNS: readonly Column<NodeSummary>[] = [
  { title: 'NODE', flexible: true, value: ({ name }) => safeText(name) },
  { title: 'AS', align: 'right', value: ({ asn }) => String(asn) },
  {
    title: 'SESSIONS',
    align: 'right',
    value: ({ established, sessions }) => `${established}/${sessions}`,
    paint: ({ established, sessions }, { style }) => (established === sessions ? style.good : style.bad),
  },
  { title: 'PREFIXES', align: 'right', value: ({ prefixes }) => String(prefixes) },
  { title: 'PATHS', align: 'right', value: ({ paths }) => String(paths) },
  {
    title: 'KERNEL',
    align: 'right',
    value: ({ kernelRoutes }) => (kernelRoutes === undefined ? '-' : String(kernelRoutes)),
  },
  { title: 'MESSAGES', align: 'right', value: ({ messages }) => String(messages) },
];

/** A line as soon as a phase is over. */
export function renderPhase({ name, convergedMs, broken }: Phase, { style }: Look): string {
  const when =
    convergedMs === undefined
      ? style.bad('never at rest')
      : `at rest after ${(convergedMs / MS_PER_SECOND).toFixed(1)} s`;
  const holds = broken.length === 0 ? style.good('all holds') : style.bad(`${broken.length} broken`);
  return `${style.bold(name.padEnd(10))}  ${PHASE_TEXTS[name]}: ${when}, ${holds}\n`;
}

/** `again` is the command that plays the same. */
export function renderRun(
  { scenario, nodes, broken, simulatedMs, messages }: RunResult,
  again: string,
  look: Look,
): string {
  const { style } = look;
  const { topology, seed, faults } = scenario;
  const parts = [
    `\n${style.bold(safeText(topology.name))}: ${topology.nodes.length} nodes, seed ${seed}, ${faults.length} faults, `,
    `${(simulatedMs / MS_PER_SECOND).toFixed(0)} simulated seconds, ${messages} messages\n\n`,
  ];
  if (faults.length > 0) parts.push(faults.map((fault) => `  ${faultText(fault)}\n`).join(''), '\n');
  if (nodes.length > 0) {
    parts.push(renderTable(COLUMNS, nodes.slice(0, MOST_ROWS), look));
    if (nodes.length > MOST_ROWS) parts.push(style.dim(`and ${nodes.length - MOST_ROWS} more\n`));
  }
  for (const { name, routes } of nodes) {
    if (routes !== undefined)
      parts.push(`\n${style.bold(safeText(name))}\n`, ...routes.map((text) => `  ${safeText(text)}\n`));
  }
  if (broken.length === 0) return [...parts, `\n${style.good('Everything that must hold did.')}\n`].join('');
  parts.push(`\n${style.bad(`${broken.length} broken:`)}\n`);
  parts.push(...broken.slice(0, MOST_BROKEN).map((text) => `  ${safeText(text)}\n`));
  if (broken.length > MOST_BROKEN) parts.push(style.dim(`  and ${broken.length - MOST_BROKEN} more\n`));
  return [...parts, `\nTo play it again: ${again}\n`].join('');
}
