// How a unix socket comes to its path: nobody else's socket is ever taken, one that a dead daemon left behind is. The
// socket is made in a private directory and moved into place with its final mode, so that it is never open to
// more people than it should be, not even for a moment.

import { chmod, chown, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';

/** sun_path of sockaddr_un holds 108 octets, one of them the terminator. */
const MAX_PATH_OCTETS = 107;
const PROBE_TIMEOUT_MS = 2000;
const DIRECTORY_MODE = 0o755;

/** The socket could not be made; the message says why. */
export class SocketError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SocketError';
  }
}

/** ok: somebody answers; else the code of the system's refusal, such as ENOENT, ECONNREFUSED or EACCES. */
export function probeSocket(path: string): Promise<string> {
  return new Promise((settle) => {
    const socket = connect({ path });
    const done = (outcome: string) => {
      socket.destroy();
      settle(outcome);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done('ETIMEDOUT'));
    socket.once('connect', () => done('ok'));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

/** Where a socket is, and whose. */
export interface Place {
  readonly path: string;
  /** File mode. */
  readonly mode: number;
  /** Other owners than this process; -1 leaves one as it is. */
  readonly owners?: { readonly uid: number; readonly gid: number };
}

/** A socket at its place, unless somebody has taken it away. */
export interface Placed {
  readonly isThere: () => Promise<boolean>;
  readonly remove: () => Promise<void>;
}

/** Lets `bind` make a socket at a private path and moves it to its place. Throws SocketError where that cannot be used. */
export async function placeSocket(
  { path, mode, owners = { uid: -1, gid: -1 } }: Place,
  bind: (privatePath: string) => Promise<void>,
): Promise<Placed> {
  const target = resolve(path);
  const directory = dirname(target);
  await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE }).catch((error: unknown) => {
    throw new SocketError(
      `The directory ${directory} of the control socket cannot be made; control.socket, or -s of bird, names another one.`,
      error,
    );
  });
  await refuseForeign(target);
  const workshop = await mkdtemp(join(directory, '.g')).catch((error: unknown) => {
    throw new SocketError(
      `The directory ${directory} of the control socket is not writable; control.socket, or -s of bird, names another one.`,
      error,
    );
  });
  try {
    const temporary = join(workshop, 's');
    const longest = Math.max(Buffer.byteLength(target), Buffer.byteLength(temporary));
    if (longest > MAX_PATH_OCTETS) {
      throw new SocketError(`The path of the control socket is too long for a unix socket: ${target}`);
    }
    await bind(temporary);
    // Before the mode: a new owner takes bits of it away.
    if (owners.uid >= 0 || owners.gid >= 0) await giveTo(temporary, target, owners);
    await chmod(temporary, mode);
    await rename(temporary, target);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  const { ino } = await lstat(target);
  // Another daemon may have put its own in place after ours was removed by hand.
  const isThere = async () => (await lstat(target).catch(() => undefined))?.ino === ino;
  return {
    isThere,
    remove: async () => {
      if (await isThere()) await rm(target, { force: true });
    },
  };
}

async function giveTo(
  socket: string,
  target: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  // A number that is out of range stands for "as it is".
  const asIs = (id: number) => (id < 0 ? NO_ID : id);
  await chown(socket, asIs(uid), asIs(gid)).catch((error: unknown) => {
    const who = [...(uid < 0 ? [] : [`user ${uid}`]), ...(gid < 0 ? [] : [`group ${gid}`])].join(' and ');
    throw new SocketError(
      `The control socket ${target} cannot be given to ${who}: that takes root, or membership in the group.`,
      error,
    );
  });
}

/** chown(2): (uid_t) -1 */
const NO_ID = 0xffff_ffff;

/** Throws SocketError where the path is not free: somebody answers there, or it is no socket. */
export async function refuseForeign(target: string): Promise<void> {
  const found = await lstat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new SocketError(`The control socket ${target} cannot be looked at: ${error.message}`, error);
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new SocketError(
      `${basename(target)} in ${dirname(target)} exists and is no socket; it is left alone.`,
    );
  }
  const outcome = await probeSocket(target);
  if (outcome === 'ok' || outcome === 'ETIMEDOUT' || outcome === 'EAGAIN') {
    throw new SocketError(`Another daemon already answers on ${target}.`);
  }
  if (outcome !== 'ECONNREFUSED' && outcome !== 'ENOENT') {
    throw new SocketError(`The control socket ${target} is in use or not accessible (${outcome}).`);
  }
}
