// Capabilities of a Linux thread (capabilities(7)): which ones it has, as /proc says, and the system's calls that change
// them. Which are kept, and when, is for privileges.ts and, for another program, upgrade/native.ts to say.

import { readFileSync } from 'node:fs';
import { requireKoffi } from '../lib/koffi.ts';

export const CAP = { setPcap: 8, netBindService: 10, netAdmin: 12, netRaw: 13 } as const;

/** prctl(2) */
export const PR = {
  setKeepCaps: 8,
  capBsetRead: 23,
  capBsetDrop: 24,
  setNoNewPrivs: 38,
  capAmbient: 47,
} as const;
export const AMBIENT = { raise: 2, clearAll: 4 } as const;

/** _LINUX_CAPABILITY_VERSION_3: sets of 64 bits. */
const CAPABILITY_VERSION = 0x20080522;
const WORD_BITS = 32;

/** Sets of bits that capset(2) takes. */
export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

export interface Capabilities extends CapabilitySets {
  readonly ambient: bigint;
}

/** Of the calling thread; what comes back is negative where a call fails. */
export interface CapabilityCalls {
  set(sets: CapabilitySets): number;
  prctl(option: number, a: number, b?: number): number;
}

/** Undefined without koffi. */
export function loadCapabilityCalls(): CapabilityCalls | undefined {
  const libc = requireKoffi()?.load(null);
  if (libc === undefined) return undefined;
  const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
  const capset = libc.func('int capset(const void *header, const void *data)');
  return {
    set: ({ effective, permitted, inheritable }) => {
      const words = (at: number): number[] =>
        [effective, permitted, inheritable].map((set) =>
          Number(BigInt.asUintN(WORD_BITS, set >> BigInt(at * WORD_BITS))),
        );
      // cap_user_header_t, and two cap_user_data_t.
      return capset(Uint32Array.of(CAPABILITY_VERSION, 0), Uint32Array.of(...words(0), ...words(1)));
    },
    prctl: (option, a, b = 0) => prctl(option, a, b, 0, 0),
  };
}

/** Those of the main thread. */
export function currentCapabilities(): Capabilities {
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

export function setOf(capabilities: readonly number[]): bigint {
  return capabilities.reduce((set, capability) => set | (1n << BigInt(capability)), 0n);
}

export function has(set: bigint, capability: number): boolean {
  return ((set >> BigInt(capability)) & 1n) === 1n;
}
