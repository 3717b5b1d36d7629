// What a daemon wants of libc and Node does not have: syslog(3), and keeping some capabilities while the user changes.
// koffi is loaded when one of them is really needed.

import { readFileSync } from 'node:fs';

/** capabilities(7): ports below 1024, routes and links, raw sockets. */
const CAPABILITIES = [10, 12, 13] as const;
const CAPABILITY_VERSION_3 = 0x20080522;
const PR_SET_KEEPCAPS = 8;
/** syslog.h */
const LOG_PID = 1;

export type WriteSyslog = (priority: number, text: string) => void;

/** Opens the system's log under a name. Rejects where koffi or libc cannot be loaded. */
export async function openSyslog(name: string, facility: number): Promise<WriteSyslog> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load('libc.so.6');
  const open = libc.func('void openlog(void *ident, int option, int facility)');
  const write = libc.func('void syslog(int priority, const char *format, ...)');
  // openlog keeps the pointer: the octets stay where they are as long as the process lives.
  const length = Buffer.byteLength(name) + 1;
  const ident = koffi.alloc('char', length);
  koffi.encode(ident, koffi.array('char', length), name);
  open(ident, LOG_PID, facility);
  return (priority, text) => void write(priority, '%s', 'str', text);
}

/** The user or group cannot be taken. */
export class PrivilegeError extends Error {
  override readonly name = 'PrivilegeError';
}

/**
 * Becomes another user and group for good, with no more than what a router needs. To be called before any thread is
 * started: threads inherit what is left. Throws PrivilegeError with a sentence.
 */
export async function dropPrivileges(user: string | undefined, group: string | undefined): Promise<void> {
  const gid = group === undefined ? undefined : lookUp('/etc/group', 'group', group);
  const uid = user === undefined ? undefined : lookUp('/etc/passwd', 'user', user);
  const { setgid, setgroups, setuid } = process;
  if (setgid === undefined || setgroups === undefined || setuid === undefined) {
    throw new PrivilegeError('this system has no users to change to');
  }
  if (uid === undefined) {
    if (gid !== undefined) setgid(gid);
    return;
  }
  const { default: koffi } = await import('koffi');
  const libc = koffi.load('libc.so.6');
  const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
  const capset = libc.func('int capset(const void *header, const void *data)');
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) !== 0) throw new PrivilegeError('capabilities cannot be kept');
  setgroups(gid === undefined ? [] : [gid]);
  if (gid !== undefined) setgid(gid);
  setuid(uid);
  const mask = CAPABILITIES.reduce((bits, capability) => bits | (1 << capability), 0);
  // cap_user_header_t, and two cap_user_data_t: effective, permitted and inheritable.
  const header = Uint32Array.of(CAPABILITY_VERSION_3, 0);
  if (capset(header, Uint32Array.of(mask, mask, 0, 0, 0, 0)) !== 0) {
    throw new PrivilegeError('capabilities cannot be kept: was it started by root?');
  }
}

/** The number of a name, or a number as it is. */
function lookUp(file: string, kind: 'user' | 'group', name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [known, , id] = line.split(':');
    if (known === name && id !== undefined) return Number(id);
  }
  throw new PrivilegeError(`Cannot find ${kind} '${name}'`);
}
