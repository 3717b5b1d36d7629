// Becoming another user for good, with what a router needs and nothing else: ports below 1024, routes and links, raw
// sockets.
//
// A Linux thread has capabilities of its own. libc's setuid tells all threads of the process; the rest (capset, the
// bounding set, no_new_privs) is said to the calling one alone, and inherited by those that it starts. So this comes
// before any worker. Threads that Node has started by then (V8's and libuv's pools) lose every capability with their
// user: they keep none, and only work for this one.

import { errorText } from '../lib/error-text.ts';
import {
  AMBIENT,
  CAP,
  type CapabilityCalls,
  currentCapabilities,
  has,
  loadCapabilityCalls,
  PR,
  setOf,
} from './capabilities.ts';

/** What is kept. */
export const KEPT: readonly number[] = [CAP.netBindService, CAP.netAdmin, CAP.netRaw];
const ROOT = 0;

/** The user or group cannot be taken. */
export class PrivilegeError extends Error {
  override readonly name = 'PrivilegeError';
}

/** Numbers; undefined leaves one as it is. */
export interface Identity {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/**
 * Takes the identity for good, and keeps of its capabilities what a router needs. Throws PrivilegeError with a sentence.
 */
export function dropPrivileges({ uid, gid, groups }: Identity): void {
  const { setgid, setgroups, setuid, geteuid } = process;
  if (setgid === undefined || setgroups === undefined || setuid === undefined || geteuid === undefined) {
    throw new PrivilegeError('this system has no users to change to');
  }
  if (uid === undefined) {
    if (gid !== undefined) attempt('the group cannot be taken', () => setgid(gid));
    return;
  }
  const calls = loadCapabilityCalls();
  if (calls === undefined) throw new PrivilegeError('dropping privileges needs the koffi library');
  const { permitted } = currentCapabilities();
  const kept = setOf(KEPT.filter((capability) => has(permitted, capability)));
  if (geteuid() === uid) takeGroups({ gid, groups });
  else {
    if (geteuid() !== ROOT) throw new PrivilegeError('only root can become another user');
    // Without CAP_SETPCAP, as in some containers, the set stays: nothing that follows has a way to make use of it.
    if (has(permitted, CAP.setPcap)) dropBoundingSet(calls);
    if (calls.prctl(PR.setKeepCaps, 1) !== 0) throw new PrivilegeError('capabilities cannot be kept');
    attempt('the user cannot be taken', () => {
      setgroups([...groups]);
      if (gid !== undefined) setgid(gid);
      setuid(uid);
    });
  }
  if (calls.set({ effective: kept, permitted: kept, inheritable: 0n }) < 0) {
    throw new PrivilegeError('capabilities cannot be kept: was it started by root?');
  }
  // Programs that it starts have nothing; a new version that takes over is given what it needs by the old one.
  calls.prctl(PR.capAmbient, AMBIENT.clearAll);
  if (calls.prctl(PR.setNoNewPrivs, 1) !== 0) throw new PrivilegeError('new privileges cannot be ruled out');
}

/** What of a process is asked about its groups. */
export type GroupSystem = Required<Pick<NodeJS.Process, 'getegid' | 'getgroups' | 'setgid' | 'setgroups'>>;

/**
 * Takes the groups of a user that the process is already; none where no group is wanted. Throws PrivilegeError where it
 * may not, and has another group or one too many: it would have rights that nobody gave it. One too few, as after the
 * user has become a member of another one and a new version takes over, is left at that.
 */
export function takeGroups(
  { gid, groups }: Pick<Identity, 'gid' | 'groups'>,
  system: Partial<GroupSystem> = process,
): void {
  const { getegid, getgroups, setgid, setgroups } = system;
  if (gid === undefined || !getegid || !getgroups || !setgid || !setgroups) return;
  const wanted = new Set([gid, ...groups]);
  const had = new Set([getegid(), ...getgroups()]);
  const same = getegid() === gid;
  const tooMany = [...had].some((each) => !wanted.has(each));
  const tooFew = [...wanted].some((each) => !had.has(each));
  if (same && !tooMany && !tooFew) return;
  try {
    setgroups([...groups]);
    setgid(gid);
  } catch (error) {
    if (same && !tooMany) return;
    const difference = same
      ? `it has groups ${listOf(had)}, and is to have ${listOf(wanted)}`
      : `it has group ${getegid()}, and is to have ${gid}`;
    const reason = errorText(error);
    throw new PrivilegeError(
      `the group cannot be taken: ${difference} (${reason}): start it with these, or as root`,
    );
  }
}

function listOf(groups: ReadonlySet<number>): string {
  return [...groups].sort((a, b) => a - b).join(', ');
}

function dropBoundingSet({ prctl }: CapabilityCalls): void {
  for (let capability = 0; prctl(PR.capBsetRead, capability) >= 0; capability++) {
    if (!KEPT.includes(capability)) prctl(PR.capBsetDrop, capability);
  }
}

function attempt(failure: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw new PrivilegeError(`${failure}: ${errorText(error)}`);
  }
}
