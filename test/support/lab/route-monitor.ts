// What happens to the kernel routes of a node while a test looks elsewhere.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { waitFor } from '../../../bench/lab/command.ts';
import type { Node } from './lab.ts';

const NETLINK_ROUTE = '0';

/** Of addresses, which come whenever a link-local one has been found to be nobody else's. */
const KERNELS_OWN = / proto kernel /;

/**
 * `ip monitor route` in a node: every change that anybody makes but the kernel itself, from the moment that `listening`
 * resolves.
 */
export class RouteMonitor {
  readonly lines: string[] = [];
  readonly #child;

  constructor(node: Node) {
    const [program, ...args] = node.namespace.wrap(['ip', '-o', 'monitor', 'route']);
    this.#child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!KERNELS_OWN.test(line)) this.lines.push(line);
    });
  }

  /** What happens before its socket has joined its groups is not seen. */
  async listening(): Promise<this> {
    await waitFor('the monitor listens', async () => isInGroups(this.#child.pid), undefined, 10);
    return this;
  }

  get deletions(): string[] {
    return this.lines.filter((line) => line.startsWith('Deleted'));
  }

  stop(): void {
    this.#child.kill();
  }
}

/** Whether a process has a socket that is told of routes. */
function isInGroups(pid: number | undefined): boolean {
  const sockets = readFileSync(`/proc/${pid}/net/netlink`, 'utf8').split('\n').slice(1);
  return sockets.some((line) => {
    const [, protocol, port, groups = '0'] = line.trim().split(/\s+/);
    return protocol === NETLINK_ROUTE && port === String(pid) && Number.parseInt(groups, 16) !== 0;
  });
}
