// What a process that was another program before a live upgrade finds: the state in a file in memory, and the sockets
// that it names, open. Both are named by one variable of the environment, which nobody else gets to see.

import { closeSync, fstatSync, readSync } from 'node:fs';
import type { SpeakerState } from '../../speaker/main.ts';
import { loadExecLibrary } from './native.ts';
import { HANDOVER_VARIABLE } from './words.ts';

export interface Inheritance {
  /** Of the speaker whose configuration file has this name, once; undefined where the state cannot be read. */
  take(name: string): SpeakerState | undefined;
  /** Why it cannot. */
  readonly problem: string | undefined;
}

export function handoverVariable(state: number, sockets: readonly number[]): string {
  return `${state}:${sockets.join(',')}`;
}

/** Undefined for a process that was started as usual. To be called once, before anything else is opened. */
export async function takeInheritance(env: NodeJS.ProcessEnv): Promise<Inheritance | undefined> {
  const found = /^(\d+):([\d,]*)$/.exec(env[HANDOVER_VARIABLE] ?? '');
  delete env[HANDOVER_VARIABLE];
  if (found === null) return undefined;
  const sockets = found[2] === '' ? [] : found[2]!.split(',').map(Number);
  const library = loadExecLibrary();
  for (const descriptor of sockets) library?.keepOpen(descriptor, false);
  try {
    const { decodeStates } = await import('../../speaker/main.ts');
    const states = new Map(decodeStates(readWhole(Number(found[1]))));
    const take = (name: string): SpeakerState | undefined => {
      const state = states.get(name);
      // It is large, and of use once.
      states.delete(name);
      return state;
    };
    return { take, problem: undefined };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Nobody can go on with the sessions: their other sides must see that.
    for (const descriptor of sockets) closeSync(descriptor);
    return { take: () => undefined, problem: error.message };
  } finally {
    closeSync(Number(found[1]));
  }
}

/** From the beginning, wherever the descriptor stands. */
export function readWhole(descriptor: number): Uint8Array {
  const octets = new Uint8Array(fstatSync(descriptor).size);
  for (let at = 0; at < octets.length; ) {
    const read = readSync(descriptor, octets, at, octets.length - at, at);
    if (read === 0) throw new Error('the state is cut off');
    at += read;
  }
  return octets;
}
