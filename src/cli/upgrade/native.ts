// What becoming another program takes of libc: a file in memory, descriptors that stay open, privileges that stay, and
// execve. koffi is loaded when it is really needed.

import { readFileSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { requireKoffi } from '../../lib/koffi.ts';

/** fcntl.h */
const F_SETFD = 2;
const FD_CLOEXEC = 1;
/** sys/mman.h: not for the programs that are asked beforehand. */
const MFD_CLOEXEC = 1;
/** sys/prctl.h, linux/capability.h */
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITY_VERSION_3 = 0x20080522;
const WORD_BITS = 32;

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
  if (koffi === undefined) return undefined;
  const libc = koffi.load(null);
  const memfdCreate = libc.func('int memfd_create(const char *name, uint32_t flags)');
  const fcntl = libc.func('int fcntl(int fd, int command, int value)');
  const execve = libc.func('int execve(const char *path, const char **argv, const char **env)');
  const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
  const capset = libc.func('int capset(const void *header, const void *data)');
  const check = (result: number, what: string): number => {
    if (result < 0) throw new ExecError(what, koffi.errno());
    return result;
  };
  const useCapabilities = ({ effective, permitted, inheritable, ambient }: Capabilities): void => {
    const sets = [effective, permitted, inheritable];
    const words = (at: number) => sets.map((set) => Number((set >> BigInt(at * WORD_BITS)) & 0xffffffffn));
    // cap_user_header_t, and two cap_user_data_t.
    const header = Uint32Array.of(CAPABILITY_VERSION_3, 0);
    check(capset(header, Uint32Array.of(...words(0), ...words(1))), 'capset');
    check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 'prctl');
    for (let capability = 0; ambient >> BigInt(capability) !== 0n; capability++) {
      if (((ambient >> BigInt(capability)) & 1n) === 0n) continue;
      check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), 'prctl');
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
      return whileKept(capabilities(), () => {
        execve(path, [...argv, null], [...pairs, null]);
        throw new ExecError('execve', koffi.errno());
      });
    },
  };
}

/** Sets of bits, of the main thread. */
interface Capabilities {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

function capabilities(): Capabilities {
  const status = readFileSync('/proc/self/status', 'utf8');
  const set = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return {
    effective: set('CapEff'),
    permitted: set('CapPrm'),
    inheritable: set('CapInh'),
    ambient: set('CapAmb'),
  };
}
