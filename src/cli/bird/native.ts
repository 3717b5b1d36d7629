// What BIRD's face wants of the system and Node does not have: syslog(3), and another user. koffi is loaded when one of
// them is really needed.

import { findGroup, findUser } from '../../lib/accounts.ts';
import { dropPrivileges, PrivilegeError } from '../privileges.ts';

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

/** Becomes BIRD's -u and -g: the groups of the user are not taken, as BIRD does not either. Throws PrivilegeError. */
export function becomeBird(user: string | undefined, group: string | undefined): void {
  const gid = group === undefined ? undefined : findGroup(group);
  if (group !== undefined && gid === undefined) throw new PrivilegeError(`Cannot find group '${group}'`);
  const uid = user === undefined ? undefined : findUser(user)?.uid;
  if (user !== undefined && uid === undefined) throw new PrivilegeError(`Cannot find user '${user}'`);
  dropPrivileges({ uid, gid, groups: gid === undefined ? [] : [gid] });
}
