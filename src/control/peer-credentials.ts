// Who is at the other end of a unix socket: the user and groups that the process had when it connected, as the kernel
// says (SO_PEERCRED and SO_PEERGROUPS of socket(7)). Node has no call for it; libc is asked through koffi.

import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import { requireKoffi } from '../lib/koffi.ts';
import { descriptorOf } from '../lib/socket-handle.ts';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
/** struct ucred: pid, uid, gid. */
const UCRED = { size: 12, uidAt: 4, gidAt: 8 } as const;
const GROUP_OCTETS = 4;
/** Most groups of a process on Linux, NGROUPS_MAX. */
const MOST_GROUPS = 65_536;
const LITTLE_ENDIAN = endianness() === 'LE';

export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  /** The primary one and the others. */
  readonly groups: readonly number[];
}

/** Asks for the credentials of a connection; undefined where it is gone by now. */
export type AskCredentials = (connection: Socket) => Credentials | undefined;

/** Undefined where nobody can be asked: on another system, or without koffi. */
export function loadCredentials(): AskCredentials | undefined {
  if (process.platform !== 'linux') return undefined;
  const koffi = requireKoffi();
  if (koffi === undefined) return undefined;
  const getsockopt = koffi.load(null).func('int getsockopt(int, int, int, void *, void *)');
  const ask = (fd: number, name: number, room: number): DataView | undefined => {
    const value = new Uint8Array(room);
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, room, LITTLE_ENDIAN);
    const result: unknown = getsockopt(fd, SOL_SOCKET, name, value, new Uint8Array(length.buffer));
    return result === 0 ? new DataView(value.buffer, 0, length.getUint32(0, LITTLE_ENDIAN)) : undefined;
  };
  return (connection) => {
    const fd = descriptorOf(connection);
    const ucred = fd === undefined ? undefined : ask(fd, SO_PEERCRED, UCRED.size);
    if (fd === undefined || ucred === undefined) return undefined;
    const others = ask(fd, SO_PEERGROUPS, MOST_GROUPS * GROUP_OCTETS);
    const groups = new Set([ucred.getUint32(UCRED.gidAt, LITTLE_ENDIAN)]);
    for (let at = 0; others !== undefined && at < others.byteLength; at += GROUP_OCTETS) {
      groups.add(others.getUint32(at, LITTLE_ENDIAN));
    }
    return {
      pid: ucred.getInt32(0, LITTLE_ENDIAN),
      uid: ucred.getUint32(UCRED.uidAt, LITTLE_ENDIAN),
      groups: [...groups],
    };
  };
}
