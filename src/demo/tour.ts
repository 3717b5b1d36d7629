// What the demonstration shows once all is up: the picture, then commands with what they really print, then what to
// try. The command line's own main() runs here, against the speakers' sockets.

import { EXIT } from '../cli/exit-codes.ts';
import { main as godwit } from '../cli/main.ts';
import { styleFor } from '../cli/render/style.ts';
import type { Terminal } from '../cli/terminal.ts';
import { hasProgram } from './command.ts';
import { hintsFor } from './hints.ts';
import { type Lab, labNode } from './lab.ts';
import { drawTopology } from './picture.ts';

/** Before anything is started, for who waits. */
export function introduction(lab: Lab): string {
  return `${drawTopology(lab.plan)}\n`;
}

/** `program` is how the command line is called from `root`. */
export async function showTour(lab: Lab, terminal: Terminal, program: string): Promise<void> {
  const rr1 = labNode(lab, 'rr1');
  await showCommand(terminal, program, ['status', '-s', rr1.socket]);
  await showCommand(terminal, program, ['show', 'routes', '--best', '-s', rr1.socket]);
  for (const name of ['node1', 'tor']) await showKernel(lab, name, terminal);
}

/** Prints the command and what it prints. */
async function showCommand(terminal: Terminal, program: string, words: readonly string[]): Promise<void> {
  await terminal.write(heading(terminal, `${program} ${words.join(' ')}`));
  const code = await godwit(words, terminal);
  if (code !== EXIT.ok) throw new Error(`"${words.join(' ')}" ended with exit code ${code}`);
  await terminal.write('\n');
}

async function showKernel(lab: Lab, name: string, terminal: Terminal): Promise<void> {
  const { namespaceOf } = lab;
  const title =
    namespaceOf === undefined
      ? heading(terminal, 'ip route', `the simulated kernel of ${name}, as ip would show it`)
      : heading(terminal, `ip -n ${namespaceOf(name)} route`, 'and below it the same for IPv6');
  await terminal.write(`${title}${await lab.routes(labNode(lab, name))}\n`);
}

function heading({ color }: Terminal, command: string, remark?: string): string {
  const style = styleFor(color);
  return `${style.bold(`$ ${command}`)}${remark === undefined ? '' : style.dim(`   # ${remark}`)}\n`;
}

/** The list of things to try, for another terminal. */
export function tryNow(lab: Lab, { color }: Terminal, program: string, root: string): string {
  const style = styleFor(color);
  const hints = hintsFor(lab, { godwit: program, has: hasProgram }).map(({ what, commands }) =>
    [`  ${what}:`, ...commands.map((command) => `    ${style.bold(command)}`), ''].join('\n'),
  );
  return [
    `Now try, in another terminal, after ${style.bold(`cd ${root}`)}`,
    '',
    ...hints,
    `  Configurations (*.yaml), logs and sockets are in ${lab.directory}`,
    '',
    '',
  ].join('\n');
}
