// The topology as a drawing in plain ASCII, from the plan: who is who, who speaks with whom, who announces what.

import { type DemoNode, nodeNamed, type Plan, SERVICE } from './plan.ts';

const BOX = 21;
const GAP = 1;
const MARGIN = 14;
const COLUMNS = 3;
const WIDTH = COLUMNS * BOX + (COLUMNS - 1) * GAP;
const LINK = '---- iBGP ----';

/** Several lines of 79 columns at most. */
export function drawTopology(plan: Plan): string {
  const nodesOf = (role: DemoNode['role']) => plan.nodes.filter((node) => node.role === role);
  const tor = nodeNamed(plan, 'tor');
  const reflectors = beside(
    nodesOf('reflector').map((node) => box([node.name, node.address])),
    (row) => (row === 1 ? LINK : ' '.repeat(LINK.length)),
  );
  const nodes = beside(
    nodesOf('node').map((node) => box([node.name, node.address, ...node.blocks])),
    () => ' '.repeat(GAP),
  );
  const legs = centre(['|', '|', '|'].map((leg) => middle(leg, BOX)).join(' '.repeat(GAP)));
  const reflectorLegs = centre(`|${' '.repeat(BOX + LINK.length - 1)}|`);
  const clusterAs = nodesOf('reflector')[0]?.asn;
  return [
    ...labelled(['', `AS ${clusterAs}`, 'reflectors'], reflectors.map(centre)),
    ...labelled([], [reflectorLegs, rail('iBGP: each node is a client of both'), legs]),
    ...labelled(['', `AS ${clusterAs}`, 'nodes'], nodes),
    ...labelled([], [legs, rail('eBGP'), centre('|')]),
    ...labelled(['', `AS ${tor.asn}`, 'top of rack'], torBox(tor).map(centre)),
    '',
    `  Each node announces ${SERVICE}, too: ${tor.name} has several equal paths to it.`,
    '',
  ].join('\n');
}

function torBox({ name, address, networks }: DemoNode): string[] {
  const prefixes = networks.map(({ prefix }) => prefix);
  const half = Math.ceil(prefixes.length / 2);
  const lines = [prefixes.slice(0, half).join(', '), prefixes.slice(half).join(', ')];
  return box([name, address, ...lines], 2 * BOX);
}

function labelled(labels: readonly string[], lines: readonly string[]): string[] {
  return lines.map((line, i) => `  ${(labels[i] ?? '').padEnd(MARGIN - 2)}${line}`.trimEnd());
}

function box(lines: readonly string[], width = BOX): string[] {
  const edge = `+${'-'.repeat(width - 2)}+`;
  return [edge, ...lines.map((line) => `| ${line.padEnd(width - 4)} |`), edge];
}

/** Boxes of the same height next to each other. */
function beside(boxes: readonly (readonly string[])[], between: (row: number) => string): string[] {
  return (boxes[0] ?? []).map((_, row) => boxes.map((each) => each[row]).join(between(row)));
}

/** A line from the middle of the first column to that of the last, with words in it. */
function rail(words: string): string {
  const end = Math.floor(BOX / 2);
  const dashes = WIDTH - 2 * end - words.length - 4;
  const left = Math.floor(dashes / 2);
  return `${' '.repeat(end)}+${'-'.repeat(left)} ${words} ${'-'.repeat(dashes - left)}+`;
}

function centre(text: string): string {
  return middle(text, WIDTH).trimEnd();
}

function middle(text: string, width: number): string {
  const left = Math.floor((width - text.length) / 2);
  return ' '.repeat(left) + text.padEnd(width - left);
}
