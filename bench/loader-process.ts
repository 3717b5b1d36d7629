// The load process as the bench sees it: started in its namespace with a plan, told to go, heard line by line.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Namespace } from './lab/namespace.ts';
import type { LoadEvent } from './load/plan.ts';
import { projectRoot } from './project.ts';

export class LoaderProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(namespace: Namespace, planPath: string) {
    // Built, wherever this runs from: as the daemon that it plays to.
    const main = join(projectRoot(), 'dist/bench/load/main.js');
    const [program, ...args] = namespace.wrap([process.execPath, main, planPath]);
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin?.on('error', () => undefined); // its end is told by its output
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** The next event; undefined at the end. Throws where the load failed. */
  async next(): Promise<LoadEvent | undefined> {
    const { value, done } = await this.#lines.next();
    if (done === true) return undefined;
    const event: LoadEvent = JSON.parse(value);
    if (event.event === 'failed') throw new Error(event.message);
    return event;
  }

  /** The next event of a kind; others are passed over. Throws where the load ends before. */
  async until<K extends LoadEvent['event']>(kind: K): Promise<LoadEvent & { readonly event: K }> {
    for (;;) {
      const event = await this.next();
      if (event === undefined) {
        if (this.#child.exitCode === null) await once(this.#child, 'exit');
        throw new Error(`the load ended with code ${this.#child.exitCode} before it was ${kind}`);
      }
      if (isKind(event, kind)) return event;
    }
  }

  /** Starts the next phase. */
  go(): void {
    this.#child.stdin?.write('go\n');
  }

  /** No phase more: it closes its sessions and ends. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  /** Ends it at once, sessions and all. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function isKind<K extends LoadEvent['event']>(
  event: LoadEvent,
  kind: K,
): event is LoadEvent & { readonly event: K } {
  return event.event === kind;
}
