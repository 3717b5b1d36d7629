// This machine's interfaces with their addresses, as the system lists them. The list takes a file descriptor, and of
// those a process may have none left: then the error says so, in the system's words.

import { networkInterfaces } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { errorText } from './error-text.ts';

export type HostInterfaces = ReturnType<typeof networkInterfaces>;

/** `code`: EMFILE and the like; empty where the system has given none. */
export class HostInterfacesError extends Error {
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(`the addresses of this machine cannot be read: ${code === '' ? errorText(cause) : code}`, {
      cause,
    });
    this.name = 'HostInterfacesError';
    this.code = code;
  }
}

/** By name. Throws HostInterfacesError. `list`: for tests. */
export function readInterfaces(list: () => HostInterfaces = networkInterfaces): HostInterfaces {
  try {
    return list();
  } catch (error) {
    // Here libuv passes on the system's number, which it makes negative everywhere else.
    const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
    throw new HostInterfacesError(errno === 0 ? '' : getSystemErrorName(-Math.abs(errno)), error);
  }
}
