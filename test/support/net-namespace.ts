// A network namespace for one test, and sockets inside it without leaving this process: a socket belongs to the
// namespace its thread was in when it was made, so the transport steps in for exactly that call.

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import type { Transport } from '../../src/bgp/session/transport.ts';

const CLONE_NEWNET = 0x40000000;

export class NetNamespace {
  readonly name: string;
  readonly #setns = koffi.load(null).func('int setns(int, int)');

  /** Needs root. The loopback is up and has the given addresses besides its own. */
  constructor(name: string, addresses: readonly string[]) {
    this.name = name;
    // What a killed run left behind under the same name.
    spawnSync('ip', ['netns', 'delete', name]);
    execFileSync('ip', ['netns', 'add', name]);
    this.run('ip', 'link', 'set', 'lo', 'up');
    for (const address of addresses) this.run('ip', 'address', 'add', address, 'dev', 'lo');
  }

  run(command: string, ...args: string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, command, ...args], { encoding: 'utf8' });
  }

  /** Calls `fn` with this thread inside the namespace. */
  inside<T>(fn: () => T): T {
    const leave = this.enter();
    try {
      return fn();
    } finally {
      leave();
    }
  }

  /** Puts this thread into the namespace until the returned function is called. */
  enter(): () => void {
    const home = openSync('/proc/thread-self/ns/net', 'r');
    const there = openSync(`/run/netns/${this.name}`, 'r');
    this.#enter(there);
    closeSync(there);
    return () => {
      this.#enter(home);
      closeSync(home);
    };
  }

  #enter(fd: number): void {
    if (this.#setns(fd, CLONE_NEWNET) !== 0) throw new Error(`setns: errno ${koffi.errno()}`);
  }

  /** A transport whose sockets are made in this namespace. */
  transport(outer: Transport): Transport {
    return {
      connect: (options, handlers) => this.inside(() => outer.connect(options, handlers)),
      listen: (options, handlers) => this.inside(() => outer.listen(options, handlers)),
    };
  }

  remove(): void {
    execFileSync('ip', ['netns', 'delete', this.name]);
  }
}
