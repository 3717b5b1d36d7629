// BIRD's process in a lab, as a supervisor starts it: the real `bird` of 1.6 or 2.x, or godwit under the same name and
// with the same words. What it is asked over its socket is asked with birdcl, godwit's or the real one.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, waitFor } from '../../../bench/lab/command.ts';
import { ManagedProcess } from '../../../bench/lab/managed-process.ts';
import { projectRoot } from '../../../bench/project.ts';
import type { Node } from './lab.ts';

export type BirdKind = 'godwit' | 'bird1' | 'bird2';

const SBIN = 'usr/sbin';

/** The directory of BIRD 1.6, whose daemon BIRD_1_6 names. */
function bird16(): string | undefined {
  const { BIRD_1_6: daemon } = process.env;
  return daemon !== undefined && existsSync(daemon) ? dirname(daemon) : undefined;
}

/** The words that start a program of BIRD's, or undefined where it is not there. */
export function birdCommand(kind: BirdKind, program: 'bird' | 'birdc' | 'birdcl'): string[] | undefined {
  if (kind === 'godwit') return [process.execPath, join(projectRoot(), 'bin', 'godwit.js'), program];
  if (kind === 'bird2') return existsSync(join('/', SBIN, program)) ? [join('/', SBIN, program)] : undefined;
  const place = bird16();
  // The package has no birdcl: birdc does the same where no terminal is.
  return place === undefined ? undefined : [join(place, program === 'birdcl' ? 'birdc' : program)];
}

/** A real BIRD that is not there, for people. */
export function missingBird(kind: Exclude<BirdKind, 'godwit'>): string | undefined {
  if (birdCommand(kind, 'bird') !== undefined) return undefined;
  return kind === 'bird1' ? 'BIRD 1.6 (BIRD_1_6)' : 'BIRD 2 (package bird2)';
}

export class BirdProcess {
  readonly kind: BirdKind;
  readonly socket: string;
  readonly pidFile: string;
  readonly process: ManagedProcess;
  readonly #node: Node;

  constructor(kind: BirdKind, node: Node, words: readonly string[], config: string) {
    const command = birdCommand(kind, 'bird');
    if (command === undefined) throw new Error(`${kind} is not installed`);
    this.kind = kind;
    this.#node = node;
    this.socket = join(node.directory, 'bird.ctl');
    this.pidFile = join(node.directory, 'bird.pid');
    const all = [...command, '-s', this.socket, '-P', this.pidFile, '-c', config, ...words];
    this.process = new ManagedProcess(kind, node.namespace.wrap(all), join(node.directory, 'bird.log'));
  }

  /** One command by godwit's birdcl (or another one); without the greeting. */
  async ask(command: string, client: BirdKind = 'godwit'): Promise<string> {
    const words = birdCommand(client, 'birdcl');
    if (words === undefined) throw new Error(`${client} is not installed`);
    const text = await run([...words, '-s', this.socket, ...command.split(' ')]);
    return text.slice(text.indexOf('\n') + 1);
  }

  /** Waits until it answers. */
  async ready(): Promise<this> {
    await waitFor(`${this.kind} answers in ${this.#node.name}`, async () => {
      this.process.assertRunning();
      return (await this.ask('show status')).includes('Daemon is up and running');
    });
    return this;
  }

  /** Waits until a session is Established. */
  async established(name: string): Promise<void> {
    await waitFor(
      `${name} of ${this.#node.name} is Established`,
      async () => {
        this.process.assertRunning();
        const protocols = await this.ask('show protocols');
        if (!new RegExp(`^${name} .* Established`, 'm').test(protocols)) throw new Error(protocols);
        return true;
      },
      30_000,
      250,
    );
  }
}
