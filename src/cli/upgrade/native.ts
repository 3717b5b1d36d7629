// What becoming another program takes of libc: a file in memory, descriptors that stay open, privileges that stay, and
// execve. koffi is loaded when it is really needed.

import { getSystemErrorMap } from 'node:util';
import { requireKoffi } from '../../lib/koffi.ts';
import {
  AMBIENT,
  type Capabilities,
  currentCapabilities,
  has,
  loadCapabilityCalls,
  PR,
} from '../capabilities.ts';

/** fcntl.h */
const F_SETFD = 2;
const FD_CLOEXEC = 1;
/** sys/mman.h: not for the programs that are asked beforehand. */
const MFD_CLOEXEC = 1;

export interface ExecLibrary {
  /** A file without a name. Throws ExecError. */
  memoryFile(name: string): number;
  /** Whether a descriptor outlives execve. Throws ExecError. */
  keepOpen(descriptor: number, on: boolean): void;
  /** The process becomes `path`. Returns only where that fails: throws ExecError. */
  execute(path: string, argv: readonly string[], env: Readonly<Record<string, string | undefined>>): never;
}

/** The sentence has the system's name for it. */
export class ExecError extends Error {
  constructor(what: string, errno: number) {
    const [name] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`];
    super(`${what}: ${name}`);
    this.name = 'ExecError';
  }
}

/** Undefined on another system, or without koffi. */
export function loadExecLibrary(): ExecLibrary | undefined {
  const koffi = process.platform === 'linux' ? requireKoffi() : undefined;
  const calls = loadCapabilityCalls();
  if (koffi === undefined || calls === undefined) return undefined;
  const libc = koffi.load(null);
  const memfdCreate = libc.func('int memfd_create(const char *name, uint32_t flags)');
  const fcntl = libc.func('int fcntl(int fd, int command, int value)');
  const execve = libc.func('int execve(const char *path, const char **argv, const char **env)');
  const check = (result: number, what: string): number => {
    if (result < 0) throw new ExecError(what, koffi.errno());
    return result;
  };
  const useCapabilities = ({ ambient, ...sets }: Capabilities): void => {
    check(calls.set(sets), 'capset');
    check(calls.prctl(PR.capAmbient, AMBIENT.clearAll), 'prctl');
    for (let capability = 0; ambient >> BigInt(capability) !== 0n; capability++) {
      if (has(ambient, capability)) check(calls.prctl(PR.capAmbient, AMBIENT.raise, capability), 'prctl');
    }
  };
  /** Whoever is not root loses them otherwise. */
  const whileKept = (held: Capabilities, fn: () => never): never => {
    const { permitted } = held;
    // What cannot be raised again must not be dropped meanwhile.
    const inheritable = permitted | held.inheritable;
    if (process.geteuid?.() === 0 || permitted === 0n) return fn();
    try {
      useCapabilities({ effective: permitted, permitted, inheritable, ambient: permitted });
      return fn();
    } finally {
      // It goes on here, and its children must not get what was meant for one program.
      useCapabilities(held);
    }
  };
  return {
    memoryFile: (name) => check(memfdCreate(name, MFD_CLOEXEC), 'memfd_create'),
    keepOpen: (descriptor, on) => void check(fcntl(descriptor, F_SETFD, on ? 0 : FD_CLOEXEC), 'fcntl'),
    execute(path, argv, env) {
      const pairs = Object.entries(env).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${value}`],
      );
      return whileKept(currentCapabilities(), () => {
        execve(path, [...argv, null], [...pairs, null]);
        throw new ExecError('execve', koffi.errno());
      });
    },
  };
}
