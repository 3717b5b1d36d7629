// Becoming another user for good, with what a router needs and nothing else: ports below 1024, routes and links, raw
// sockets.
//
// A Linux thread has capabilities of its own. libc's setuid tells all threads of the process; the rest (capset, the
// bounding set, no_new_privs) is said to the calling one alone, and inherited by those that it starts. So this comes
// before any worker. Threads that Node has started by then (V8's and libuv's pools) lose every capability with their
// user: they keep none, and only work for this one.

import { readFileSync } from 'node:fs';
import { requireKoffi } from '../lib/koffi.ts';

/** capabilities(7) */
const CAP = { netBindService: 10, netAdmin: 12, netRaw: 13 } as const;
/** The bits of what is kept. */
export const KEPT: readonly number[] = Object.values(CAP);
const CAPABILITY_VERSION_3 = 0x20080522;
/** prctl(2) */
const PR = {
  setKeepCaps: 8,
  capBsetRead: 23,
  capBsetDrop: 24,
  setNoNewPrivs: 38,
  capAmbient: 47,
} as const;
const AMBIENT_CLEAR_ALL = 4;
const SETPCAP = 8;
const ROOT = 0;
const HEX = 16;

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
  const koffi = requireKoffi();
  if (koffi === undefined) throw new PrivilegeError('dropping privileges needs the koffi library');
  const libc = koffi.load(null);
  const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
  const capset = libc.func('int capset(const void *header, const void *data)');
  const call = (option: number, a: number, b = 0): number => prctl(option, a, b, 0, 0);
  const permitted = permittedCapabilities();
  const kept = KEPT.filter((capability) => has(permitted, capability));
  if (geteuid() === uid) takeGroups({ gid, groups });
  else {
    if (geteuid() !== ROOT) throw new PrivilegeError('only root can become another user');
    // Without CAP_SETPCAP, as in some containers, the set stays: nothing that follows has a way to make use of it.
    if (has(permitted, SETPCAP)) dropBoundingSet(call);
    if (call(PR.setKeepCaps, 1) !== 0) throw new PrivilegeError('capabilities cannot be kept');
    attempt('the user cannot be taken', () => {
      setgroups([...groups]);
      if (gid !== undefined) setgid(gid);
      setuid(uid);
    });
  }
  const mask = kept.reduce((bits, capability) => bits | (1 << capability), 0);
  // cap_user_header_t, and two cap_user_data_t: effective, permitted and inheritable.
  const header = Uint32Array.of(CAPABILITY_VERSION_3, 0);
  if (capset(header, Uint32Array.of(mask, mask, 0, 0, 0, 0)) !== 0) {
    throw new PrivilegeError('capabilities cannot be kept: was it started by root?');
  }
  // Programs that it starts have nothing; a new version that takes over is given what it needs by the old one.
  call(PR.capAmbient, AMBIENT_CLEAR_ALL);
  if (call(PR.setNoNewPrivs, 1) !== 0) throw new PrivilegeError('new privileges cannot be ruled out');
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
    const reason = error instanceof Error ? error.message : String(error);
    throw new PrivilegeError(
      `the group cannot be taken: ${difference} (${reason}): start it with these, or as root`,
    );
  }
}

function listOf(groups: ReadonlySet<number>): string {
  return [...groups].sort((a, b) => a - b).join(', ');
}

function dropBoundingSet(call: (option: number, a: number) => number): void {
  for (let capability = 0; call(PR.capBsetRead, capability) >= 0; capability++) {
    if (!KEPT.includes(capability)) call(PR.capBsetDrop, capability);
  }
}

/** As /proc says; nothing where there is no such thing. */
function permittedCapabilities(): bigint {
  const status = readFileSync('/proc/self/status', 'utf8');
  const [, mask = '0'] = /^CapPrm:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return BigInt(`0x${mask.padStart(HEX, '0')}`);
}

function has(mask: bigint, capability: number): boolean {
  return ((mask >> BigInt(capability)) & 1n) === 1n;
}

function attempt(failure: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw new PrivilegeError(`${failure}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
