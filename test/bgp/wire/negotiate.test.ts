import { describe, expect, test } from 'vitest';
import type { Capability } from '../../../src/bgp/wire/capabilities.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { negotiate, type PeerExpectation, type Requirements } from '../../../src/bgp/wire/negotiate.ts';
import type { OpenMessage } from '../../../src/bgp/wire/open.ts';
import { ROLE, type Role } from '../../../src/bgp/wire/session-context.ts';
import { notificationOf } from '../../support/wire.ts';

const V4: Capability = { kind: 'multiprotocol', afi: 1, safi: 1 };
const V6: Capability = { kind: 'multiprotocol', afi: 2, safi: 1 };
const as4 = (as: number): Capability => ({ kind: 'four-octet-as', as });
const REFRESH: Capability = { kind: 'route-refresh' };
const fqdn = (hostname: string, domain: string): Capability => ({ kind: 'fqdn', hostname, domain });
const role = (value: number): Capability => ({ kind: 'role', value });
const addPath = (mode: number, afi = 1): Capability => ({
  kind: 'add-path',
  entries: [{ afi, safi: 1, mode }],
});

const LOCAL: OpenMessage = { myAs: 65000, holdTime: 90, id: 11, capabilities: [V4, V6, as4(65000)] };
const REMOTE: OpenMessage = { myAs: 65001, holdTime: 90, id: 12, capabilities: [V4, V6, as4(65001)] };
const EXPECTED: PeerExpectation = { peerAs: 65001 };

const session = (
  remote: Partial<OpenMessage> = {},
  expectation: Partial<PeerExpectation> = {},
  local: Partial<OpenMessage> = {},
) => negotiate({ ...LOCAL, ...local }, { ...REMOTE, ...remote }, { ...EXPECTED, ...expectation });
const failure = (...args: Parameters<typeof session>) => notificationOf(() => session(...args));
/** Both sides with these capabilities besides the AS. */
const both = (mine: Capability[], theirs: Capability[]) =>
  session({ capabilities: [...theirs, as4(65001)] }, {}, { capabilities: [...mine, as4(65000)] });

test('two plain OPENs', () => {
  expect(session()).toEqual({
    peerType: 'external',
    localAs: 65000,
    peerAs: 65001,
    localId: 11,
    peerId: 12,
    holdTime: 90,
    families: [IPV4_UNICAST, IPV6_UNICAST],
    as4: true,
    addPathReceive: 0,
    addPathSend: 0,
    extendedNextHop: 0,
    sendLimit: 4096,
    receiveLimit: 4096,
    routeRefresh: false,
    enhancedRouteRefresh: false,
    knowsLongLived: false,
    localRole: undefined,
  });
});

describe('AS', () => {
  test('4271-6.2-2 another AS than configured is 2/2', () => {
    expect(failure({ myAs: 64999, capabilities: [] })?.error).toBe('2/2');
    expect(failure({ capabilities: [as4(64999)] })?.error).toBe('2/2');
    expect(session({ capabilities: [as4(4200000000)] }, { peerAs: undefined }).peerAs).toBe(4200000000);
  });

  test('7607-2-2 AS 0 in the field or in the capability is 2/2, even where any AS will do', () => {
    expect(failure({ myAs: 0 })?.error).toBe('2/2');
    expect(failure({ capabilities: [as4(0)] }, { peerAs: undefined })?.error).toBe('2/2');
    expect(failure({ myAs: 0, capabilities: [] }, { peerAs: undefined })?.error).toBe('2/2');
  });

  test('internal and external', () => {
    expect(session({ capabilities: [as4(65000)] }, { peerAs: 65000 }).peerType).toBe('internal');
    expect(session().peerType).toBe('external');
  });

  test('6793-4.1-2 4-octet ASes only if both sides have the capability', () => {
    expect(session({ capabilities: [V4] }).as4).toBe(false);
    expect(session({}, {}, { capabilities: [V4] }).as4).toBe(false);
    expect(session().as4).toBe(true);
  });
});

describe('identifier', () => {
  test('6286-2.2-1 0, or our own from within the AS, is 2/3', () => {
    expect(failure({ id: 0 })?.error).toBe('2/3');
    expect(failure({ id: 11, capabilities: [as4(65000)] }, { peerAs: 65000 })?.error).toBe('2/3');
  });

  test('6286-2.1-1 any other is good: multicast-looking, or our own from another AS', () => {
    expect(session({ id: 0xe0000001 }).peerId).toBe(0xe0000001);
    expect(session({ id: 11 }).peerId).toBe(11);
  });
});

describe('hold time', () => {
  test('4271-6.2-3 1 and 2 are 2/6', () => {
    expect(failure({ holdTime: 1 })?.error).toBe('2/6');
    expect(failure({ holdTime: 2 })?.error).toBe('2/6');
  });

  test('4271-4.2-2 the smaller one holds, and 0 switches it off', () => {
    expect(session({ holdTime: 3 }).holdTime).toBe(3);
    expect(session({ holdTime: 65535 }).holdTime).toBe(90);
    expect(session({ holdTime: 0 }).holdTime).toBe(0);
    expect(session({}, {}, { holdTime: 0 }).holdTime).toBe(0);
  });
});

describe('families', () => {
  test('4760-8-1 only those that both sides announced', () => {
    expect(session({ capabilities: [V6, as4(65001)] }).families).toEqual([IPV6_UNICAST]);
    expect(session({}, {}, { capabilities: [V4, as4(65000)] }).families).toEqual([IPV4_UNICAST]);
    const other: Capability = { kind: 'multiprotocol', afi: 25, safi: 70 };
    expect(both([V4], [other]).families).toEqual([]);
  });

  test('5492-3-3 no capabilities: IPv4 unicast only, no extension', () => {
    const context = session({ capabilities: [] });
    expect(context.families).toEqual([IPV4_UNICAST]);
    expect(context.as4).toBe(false);
  });
});

describe('extensions', () => {
  test('7911-5-1 several paths: one side sends and the other receives', () => {
    const cases = [
      { mine: 1, theirs: 1, receive: 0, send: 0 },
      { mine: 1, theirs: 2, receive: 1, send: 0 },
      { mine: 2, theirs: 1, receive: 0, send: 1 },
      { mine: 2, theirs: 2, receive: 0, send: 0 },
      { mine: 3, theirs: 3, receive: 1, send: 1 },
      { mine: 3, theirs: 1, receive: 0, send: 1 },
    ];
    for (const { mine, theirs, receive, send } of cases) {
      const context = both([V4, addPath(mine)], [V4, addPath(theirs)]);
      expect([context.addPathReceive, context.addPathSend]).toEqual([receive, send]);
    }
    expect(both([V4, V6, addPath(3, 2)], [V4, V6, addPath(3, 2)]).addPathSend).toBe(2);
    expect(both([V4, addPath(3, 2)], [V4, V6, addPath(3, 2)]).addPathSend).toBe(0);
  });

  test('7911-4-1 a Send/Receive other than 1 to 3 is ignored', () => {
    expect(both([V4, addPath(3)], [V4, addPath(4)]).addPathReceive).toBe(0);
    expect(both([V4, addPath(3)], [V4, addPath(2), addPath(7)]).addPathReceive).toBe(1);
  });

  test('8950-4-1 IPv6 next hops for IPv4 where both announced them', () => {
    const entry: Capability = { kind: 'extended-next-hop', entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }] };
    expect(both([V4, entry], [V4, entry]).extendedNextHop).toBe(1);
    expect(both([V4, entry], [V4]).extendedNextHop).toBe(0);
    expect(both([V4], [V4, entry]).extendedNextHop).toBe(0);
  });

  test('8654-4-2 the limit is what the receiver announced', () => {
    const long: Capability = { kind: 'extended-message' };
    const theirs = both([V4], [V4, long]);
    expect([theirs.sendLimit, theirs.receiveLimit]).toEqual([65535, 4096]);
    const mine = both([V4, long], [V4]);
    expect([mine.sendLimit, mine.receiveLimit]).toEqual([4096, 65535]);
  });

  test('2918-4-2 route refresh, plain and enhanced', () => {
    const plain: Capability = { kind: 'route-refresh' };
    const enhanced: Capability = { kind: 'enhanced-route-refresh' };
    expect(both([V4, plain, enhanced], [V4, plain]).routeRefresh).toBe(true);
    expect(both([V4, plain, enhanced], [V4, plain]).enhancedRouteRefresh).toBe(false);
    expect(both([V4, plain, enhanced], [V4, enhanced]).enhancedRouteRefresh).toBe(true);
    expect(both([V4, plain], [V4]).routeRefresh).toBe(false);
  });
});

describe('roles', () => {
  const withRoles = (local: Role | undefined, values: number[], roleStrict = false) =>
    failure({ capabilities: [as4(65001), ...values.map(role)] }, { role: local, roleStrict })?.error;

  test('9234-4.2-1 only the pairs of the table go together', () => {
    const pairs: Record<Role, Role> = {
      provider: 'customer',
      customer: 'provider',
      'rs-server': 'rs-client',
      'rs-client': 'rs-server',
      peer: 'peer',
    };
    for (const local of Object.keys(ROLE) as Role[]) {
      for (let value = 0; value < 256; value++) {
        const expected = value === ROLE[pairs[local]] ? undefined : '2/11';
        expect(withRoles(local, [value])).toBe(expected);
      }
    }
  });

  test('9234-4.2-2 without the capability the session proceeds, in strict mode it does not', () => {
    expect(withRoles('customer', [])).toBeUndefined();
    expect(withRoles('customer', [], true)).toBe('2/11');
    expect(withRoles(undefined, [], true)).toBeUndefined();
  });

  test('9234-4.2-3 several different roles are 2/11, several equal ones count once', () => {
    expect(withRoles('customer', [0, 3])).toBe('2/11');
    expect(withRoles(undefined, [0, 3])).toBe('2/11');
    expect(withRoles('customer', [0, 0])).toBeUndefined();
    expect(withRoles(undefined, [99])).toBeUndefined();
  });

  test('9234-4.1-1 within an AS roles play no part', () => {
    const capabilities = [as4(65000), role(0), role(3)];
    expect(failure({ capabilities }, { peerAs: 65000, role: 'peer', roleStrict: true })).toBeUndefined();
    expect(session({}, { role: 'peer' }).localRole).toBe('peer');
  });
});

describe('5492-5-1 what is required', () => {
  const all = { capabilities: [], families: [], addPath: [], extendedNextHop: [] };
  const nextHop: Capability = { kind: 'extended-next-hop', entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }] };
  const llgr: Capability = { kind: 'long-lived-graceful-restart', families: [] };
  const restart: Capability = {
    kind: 'graceful-restart',
    restarting: false,
    notification: false,
    restartTime: 120,
    families: [],
  };
  /** The answer to a peer with these capabilities, `ok` where there is none. */
  const answer = (required: Partial<Requirements>, theirs: Capability[], mine: Capability[] = [V4, V6]) => {
    const found = failure(
      { capabilities: [...theirs, as4(65001)] },
      { required: { ...all, ...required } },
      { capabilities: [...mine, as4(65000)] },
    );
    return found === undefined ? 'ok' : `${found.error} ${found.data}`;
  };

  test.each([
    ['a family', { families: [IPV4_UNICAST, IPV6_UNICAST] }, [V4], [V4, V6], '2/7 010400020001'],
    ['a flag that is announced here', { capabilities: ['route-refresh'] }, [V4], [V4, REFRESH], '2/7 0200'],
    ['a flag that is not', { capabilities: ['extended-message'] }, [V4], [V4], '2/7 0600'],
    ['a name', { capabilities: ['fqdn'] }, [V4], [V4, fqdn('a', 'b')], '2/7 490401610162'],
    ['stale times', { capabilities: ['long-lived-graceful-restart'] }, [V4, llgr], [V4], '2/7 4700'],
    [
      'several paths of one direction',
      { addPath: [IPV4_UNICAST] },
      [V4, addPath(1)],
      [V4, addPath(3)],
      '2/7 450400010103',
    ],
    ['IPv6 next hops', { extendedNextHop: [IPV4_UNICAST] }, [V4], [V4, nextHop], '2/7 0506000100010002'],
  ] as const)('and missing is data of a 2/7: %s', (_, required, theirs, mine, expected) => {
    expect(answer(required, [...theirs], [...mine])).toBe(expected);
  });

  test('and there is enough', () => {
    const kinds = ['route-refresh', 'long-lived-graceful-restart', 'four-octet-as', 'fqdn'] as const;
    const theirs = [V4, V6, REFRESH, llgr, restart, fqdn('', ''), nextHop, addPath(2)];
    const both4 = [IPV4_UNICAST];
    expect(answer({ capabilities: kinds, families: [IPV4_UNICAST, IPV6_UNICAST] }, theirs)).toBe('ok');
    expect(answer({ addPath: both4, extendedNextHop: both4 }, theirs, [V4, addPath(1)])).toBe('ok');
    // Of a family that is not in use, or where nothing is offered here, nothing is wanted.
    expect(answer({ addPath: both4, extendedNextHop: both4 }, [V6], [V4, V6, addPath(3)])).toBe('ok');
    expect(answer({ addPath: both4 }, [V4], [V4])).toBe('ok');
  });

  test('IPv4 unicast goes without saying', () => {
    const required = { ...all, families: [IPV4_UNICAST] };
    expect(failure({ capabilities: [] }, { required, peerAs: undefined })).toBeUndefined();
  });
});
