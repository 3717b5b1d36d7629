// koffi, where it is: the library that calls libc. It has prebuilt parts for some machines only, and whoever wants
// something of libc says what cannot be had without it.

import { createRequire } from 'node:module';

/** Undefined where it is not installed, or has no prebuilt library for this machine. */
export function requireKoffi(): typeof import('koffi') | undefined {
  try {
    return createRequire(import.meta.url)('koffi');
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
