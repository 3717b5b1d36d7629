// Users and groups of this machine by name or number, from /etc/passwd and /etc/group. Directories elsewhere (LDAP and
// its like) are not asked: who is only there is written as a number.

import { readFileSync } from 'node:fs';

const PASSWD = '/etc/passwd';
const GROUP = '/etc/group';

export interface Account {
  readonly uid: number;
  /** Undefined where the user is a number that this machine has no name for. */
  readonly gid: number | undefined;
  /** Of the groups that name the user as a member. */
  readonly groups: readonly number[];
}

/** A user by name or number; undefined where there is no such name. */
export function findUser(name: string): Account | undefined {
  const rows = readRows(PASSWD);
  const byNumber = /^\d+$/.test(name);
  const row = rows.find(([known, , uid]) => (byNumber ? uid === name : known === name));
  if (row === undefined) return byNumber ? { uid: Number(name), gid: undefined, groups: [] } : undefined;
  const [known, , uid, gid] = row;
  const member = (members: string | undefined) => known !== undefined && members?.split(',').includes(known);
  const groups = readRows(GROUP).flatMap(([, , id, members]) => (member(members) ? [Number(id)] : []));
  return { uid: Number(uid), gid: Number(gid), groups };
}

/** The number of a group, by name or number; undefined where there is no such name. */
export function findGroup(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const id = readRows(GROUP).find(([known]) => known === name)?.[2];
  return id === undefined ? undefined : Number(id);
}

/** Fields by line; nothing where there is no such file, as in an image without users. */
function readRows(file: string): string[][] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(':')]));
}
