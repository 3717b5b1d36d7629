// What happens to the kernel routes of a node while a test looks elsewhere.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Node } from './lab.ts';

/** `ip monitor route` in a node: every change that anybody makes, from before the first call of `lines` on. */
export class RouteMonitor {
  readonly lines: string[] = [];
  readonly #child;

  constructor(node: Node) {
    const [program, ...args] = node.namespace.wrap(['ip', '-o', 'monitor', 'route']);
    this.#child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line));
  }

  get deletions(): string[] {
    return this.lines.filter((line) => line.startsWith('Deleted'));
  }

  stop(): void {
    this.#child.kill();
  }
}
