// Who the daemon is to be. That it becomes so is seen in a lab.

import { describe, expect, test } from 'vitest';
import { identityOf } from '../../src/cli/run-as.ts';
import { findGroup, findUser } from '../../src/lib/accounts.ts';

describe('the identity', () => {
  test('is that of a user with its groups', () => {
    expect(identityOf({ user: 'root', group: undefined })).toMatchObject({ uid: 0, gid: 0 });
    expect(identityOf({ user: 'root', group: '27' })).toMatchObject({ uid: 0, gid: 27 });
    // A number without a name is no member of root's group.
    expect(identityOf({ user: '47110', group: undefined })).toEqual({ uid: 47110, gid: 47110, groups: [] });
    expect(identityOf({ user: undefined, group: '5' })).toEqual({ uid: undefined, gid: 5, groups: [] });
  });

  test('has to be known', () => {
    expect(() => identityOf({ user: 'nobody-like-this', group: undefined })).toThrow(
      'there is no user nobody-like-this on this machine (process.user, or --user)',
    );
    expect(() => identityOf({ user: undefined, group: 'no-such-group' })).toThrow(
      'there is no group no-such-group',
    );
  });
});

describe('accounts', () => {
  test('by name and number', () => {
    expect(findUser('root')).toMatchObject({ uid: 0, gid: 0 });
    expect(findUser('0')).toMatchObject({ uid: 0, gid: 0 });
    expect(findGroup('root')).toBe(0);
    expect([findGroup('4711'), findGroup('no-such-group'), findUser('nobody-like-this')]).toEqual([
      4711,
      undefined,
      undefined,
    ]);
  });
});
