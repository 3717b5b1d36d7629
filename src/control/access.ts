// Who may use a control socket, and who may change something over it. The mode of the socket decides first; the lists
// of the configuration narrow that down by what the kernel says of the other end. Root and the daemon's own user are
// always let in: they could help themselves anyway.

import type { Socket } from 'node:net';
import type { SocketAccess } from '../config/model.ts';
import { findGroup, findUser } from '../lib/accounts.ts';
import type { Logger } from '../lib/log.ts';
import { type AskCredentials, loadCredentials } from './peer-credentials.ts';
import { SocketError } from './unix-socket.ts';

/** all: every command; read: those that change nothing; none: the connection is closed. */
export type Access = 'all' | 'read' | 'none';

const ROOT = 0;

/** Judges connections. */
export interface Doorkeeper {
  /** What a connection may do; one that may do nothing is logged. */
  admit(connection: Socket): Access;
  /** Other lists, for connections from now on; throws SocketError and keeps the old ones where one is wrong. */
  use(access: SocketAccess): void;
}

/** Throws SocketError where the lists name somebody unknown, or nobody can be told from anybody else here. */
export function createDoorkeeper(
  socket: string,
  access: SocketAccess,
  logger: Logger,
  ask: AskCredentials | undefined = loadCredentials(),
): Doorkeeper {
  let rules = rulesOf(socket, access, ask);
  return {
    use: (next) => {
      rules = rulesOf(socket, next, ask);
    },
    admit(connection) {
      const whenAllowed = rules.restricted ? 'read' : 'all';
      const { allow, allowChanges } = rules;
      if (ask === undefined || (allow === undefined && allowChanges === undefined)) return whenAllowed;
      const who = ask(connection);
      if (who === undefined) {
        logger.warn({ socket }, 'a control connection is refused: the kernel does not say whose it is');
        return 'none';
      }
      const own = who.uid === ROOT || who.uid === process.geteuid?.();
      if (own) return whenAllowed;
      const is = (list: Members | undefined): boolean =>
        list === undefined || list.users.has(who.uid) || who.groups.some((group) => list.groups.has(group));
      if (!is(allow)) {
        const { uid, pid } = who;
        logger.warn({ socket, uid, pid }, `a control connection is refused: user ${uid} is not in allow`);
        return 'none';
      }
      return is(allowChanges) ? whenAllowed : 'read';
    },
  };
}

interface Members {
  readonly users: ReadonlySet<number>;
  readonly groups: ReadonlySet<number>;
}

interface Rules {
  readonly restricted: boolean;
  readonly allow: Members | undefined;
  readonly allowChanges: Members | undefined;
}

function rulesOf(socket: string, access: SocketAccess, ask: AskCredentials | undefined): Rules {
  const { allow, allowChanges, restricted = false } = access;
  if ((allow !== undefined || allowChanges !== undefined) && ask === undefined) {
    throw new SocketError(
      `Who uses ${socket} cannot be told here: allow and allowChanges need Linux and the koffi library.`,
    );
  }
  // Who may change something may also look.
  const everybody = allow === undefined ? undefined : [...allow, ...(allowChanges ?? [])];
  return {
    restricted,
    allow: everybody && membersOf(socket, everybody),
    allowChanges: allowChanges && membersOf(socket, allowChanges),
  };
}

/** `name`, `1000`, `@group`, `@27` */
function membersOf(socket: string, entries: readonly string[]): Members {
  const users = new Set<number>();
  const groups = new Set<number>();
  for (const entry of entries) {
    const group = entry.startsWith('@');
    const id = group ? findGroup(entry.slice(1)) : findUser(entry)?.uid;
    if (id === undefined) {
      const kind = group ? 'group' : 'user';
      throw new SocketError(`There is no ${kind} ${entry} on this machine, whom ${socket} is to let in.`);
    }
    (group ? groups : users).add(id);
  }
  return { users, groups };
}

/** Numbers for the owner and the group of a socket; -1 leaves one as it is. Throws SocketError. */
export function ownersOf(socket: string, { owner, group }: SocketAccess): { uid: number; gid: number } {
  const uid = owner === undefined ? -1 : findUser(owner)?.uid;
  const gid = group === undefined ? -1 : findGroup(group);
  if (uid === undefined) throw new SocketError(`There is no user ${owner} on this machine to own ${socket}.`);
  if (gid === undefined)
    throw new SocketError(`There is no group ${group} on this machine for ${socket} to be of.`);
  return { uid, gid };
}
