// Who `godwit run` is to be: from names of the configuration and the command line to numbers, and what has to be made
// while there is still a right to: directories of sockets that are not there yet.

import { chownSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, type ProcessConfig, socketPaths } from '../config/model.ts';
import { findGroup, findUser } from '../lib/accounts.ts';
import { dropPrivileges, type Identity, PrivilegeError } from './privileges.ts';

/** Of the directory of a socket. */
const DIRECTORY_MODE = 0o755;

/** Throws PrivilegeError where a name is unknown. */
export function identityOf({ user, group }: Pick<ProcessConfig, 'user' | 'group'>): Identity {
  const account = user === undefined ? undefined : findUser(user);
  if (user !== undefined && account === undefined)
    throw new PrivilegeError(`there is no user ${user} on this machine (process.user, or --user)`);
  const gid = group === undefined ? account?.gid : findGroup(group);
  if (group !== undefined && gid === undefined)
    throw new PrivilegeError(`there is no group ${group} on this machine (process.group, or --group)`);
  // A number without a name has a group of the same number, rather than root's.
  const own = account !== undefined && gid === undefined ? account.uid : gid;
  return { uid: account?.uid, gid: own, groups: account?.groups ?? [] };
}

/** Becomes who the configuration says; nothing where it says nothing. Throws PrivilegeError. */
export async function becomeUser(wanted: ProcessConfig, config: Config): Promise<void> {
  if (wanted.user === undefined && wanted.group === undefined) return;
  const identity = identityOf(wanted);
  for (const path of socketPaths(config.control)) makeDirectory(dirname(resolve(path)), identity);
  dropPrivileges(identity);
}

/** What is made is the new user's; what is there is its owner's. */
function makeDirectory(directory: string, { uid, gid }: Identity): void {
  const made = mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  if (made !== undefined && uid !== undefined) chownSync(directory, uid, gid ?? uid);
}
