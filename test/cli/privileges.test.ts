// Groups of a process that is the wanted user already. Becoming another user is seen in a lab.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GroupSystem, PrivilegeError, takeGroups } from '../../src/cli/privileges.ts';

/** A process with groups, as libc has them. */
function processWith(gid: number, groups: readonly number[], mayChange: boolean) {
  const now = { gid, groups: [...groups] };
  const may = (): void => {
    if (!mayChange) throw new Error('EPERM, Operation not permitted');
  };
  const system: GroupSystem = {
    getegid: () => now.gid,
    getgroups: () => now.groups,
    setgid: (to) => {
      may();
      now.gid = Number(to);
    },
    setgroups: (to) => {
      may();
      now.groups = to.map(Number);
    },
  };
  return { now, system };
}

describe('the groups of a user that the process is already', () => {
  test('are taken where it may', () => {
    const { now, system } = processWith(0, [0, 4], true);
    takeGroups({ gid: 27, groups: [27, 100] }, system);
    expect(now).toEqual({ gid: 27, groups: [27, 100] });
  });

  test.each([
    ['the group', 5, [4], { gid: 27, groups: [4] }, 'it has group 5, and is to have 27'],
    ['one too many', 27, [4, 6], { gid: 27, groups: [4] }, 'it has groups 4, 6, 27, and is to have 4, 27'],
  ])('are an error where they are others and it may not: %s', (_which, gid, groups, wanted, sentence) => {
    const { system } = processWith(gid, groups, false);
    const take = () => takeGroups(wanted, system);
    expect(take).toThrow(PrivilegeError);
    expect(take).toThrow(sentence);
    expect(take).toThrow('start it with these, or as root');
  });

  test('need no right where they are the same, in whatever order', () => {
    const groups = fc.uniqueArray(fc.nat(70_000));
    fc.assert(
      fc.property(fc.nat(70_000), groups, fc.boolean(), (gid, some, listed) => {
        // Some systems list the group among them.
        const had = listed ? [...some, gid, gid] : some;
        const { now, system } = processWith(gid, had, false);
        takeGroups({ gid, groups: [...some].reverse() }, system);
        expect(now).toEqual({ gid, groups: had });
      }),
    );
  });

  test('may be fewer where it may not', () => {
    const { now, system } = processWith(27, [4], false);
    takeGroups({ gid: 27, groups: [4, 100] }, system);
    expect(now).toEqual({ gid: 27, groups: [4] });
  });

  test('are left alone where no group is wanted', () => {
    const { now, system } = processWith(5, [4, 6], true);
    takeGroups({ gid: undefined, groups: [] }, system);
    expect(now).toEqual({ gid: 5, groups: [4, 6] });
  });
});
