import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../src/control/protocol.ts';
import {
  checkPeerAction,
  checkPrefix,
  findPeers,
  peerNameOf,
  routeQuery,
} from '../../src/control/requests.ts';
import { FakeSpeaker, fakePeer, fakePeers } from '../support/fake-speaker.ts';

const fake = new FakeSpeaker();

const refusal = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    if (error instanceof CommandError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
};

describe('prefixes', () => {
  test.each([
    ['10.0.0.0/8', 'prefix', 'accepted'],
    ['::/0', 'prefix', 'accepted'],
    [
      '10.0.0.1/8',
      'prefix',
      'invalid: 10.0.0.1/8 has bits set outside its length; 10.0.0.0/8 was probably meant.',
    ],
    ['10.0.0.1', 'prefix', 'invalid: "10.0.0.1" is not a prefix; write it like 192.0.2.0/24.'],
    ['10.0.0.1', 'prefix or address', 'accepted'],
    ['10.0.0.0/33', 'prefix', 'invalid: "10.0.0.0/33" is not a prefix; write it like 192.0.2.0/24.'],
    ['', 'prefix or address', 'invalid: "" is not a prefix or address; write it like 192.0.2.0/24.'],
  ] as const)('%s as a %s', (text, expected, outcome) => {
    expect(refusal(() => checkPrefix(text, expected))).toBe(outcome);
  });

  test('any text is either accepted or refused with a sentence', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(refusal(() => checkPrefix(text, 'prefix or address'))).toMatch(/^(accepted$|invalid: .+\.$)/s);
      }),
    );
  });
});

describe('peers', () => {
  test('are found by name first, then by address', () => {
    expect(findPeers(fakePeers(), 'tor-b').map((peer) => peer.name)).toEqual(['tor-b']);
    expect(findPeers(fakePeers(), 'fd99::2').map((peer) => peer.name)).toEqual(['tor-b']);
    expect(findPeers(fakePeers(), undefined)).toHaveLength(3);
    expect(refusal(() => findPeers(fakePeers(), 'x'))).toBe('not-found: There is no peer "x".');
  });

  test('are meant by their address too, where that is clear', () => {
    expect(peerNameOf(fake, 'fd99::2')).toBe('tor-b');
    expect(peerNameOf(fake, '10.99.16.7')).toBe('10.99.16.7');
    expect(peerNameOf(fake, '192.0.2.1')).toBe('192.0.2.1');
    expect(peerNameOf(fake, 'nobody')).toBe('nobody');
    const twins = { peers: () => [fakePeer({ name: 'a' }), fakePeer({ name: 'b' })] };
    expect(refusal(() => peerNameOf(twins, '10.99.0.2'))).toBe(
      'invalid: Several peers have the address 10.99.0.2; use a name: a, b.',
    );
  });

  test.each([
    [{ name: 'a', action: 'down', reason: 'x'.repeat(255) }, 'accepted'],
    [
      { name: 'a', action: 'down', reason: 'ä'.repeat(128) },
      'invalid: The reason is longer than 255 octets.',
    ],
    [
      { name: 'a', action: 'up', reason: 'x' },
      'invalid: A reason can be given for down and reset, not for up.',
    ],
    [
      { name: 'a', action: 'reset', direction: 'in' },
      'invalid: A direction can be given for refresh, not for reset.',
    ],
    [
      { name: 'a' },
      'invalid: The action is missing; there are: up, down, reset, refresh, drain, undrain, record, unrecord.',
    ],
    [{ name: '', action: 'up' }, 'invalid: The name of the peer is missing.'],
  ] as const)('action %j', (request, outcome) => {
    expect(refusal(() => checkPeerAction(request))).toBe(outcome);
  });
});

describe('route queries', () => {
  test('leave out what was not asked for', () => {
    expect(routeQuery(fake, { longer: false, bestOnly: false })).toEqual({});
    expect(
      routeQuery(fake, {
        family: 'ipv6-unicast',
        prefix: '::/0',
        longer: true,
        bestOnly: true,
        receivedFrom: 'a',
      }),
    ).toEqual({ family: 'ipv6-unicast', prefix: '::/0', longer: true, bestOnly: true, receivedFrom: 'a' });
  });

  test.each([
    [
      { family: 'l2vpn' },
      'invalid: "l2vpn" is not an address family; there are: ipv4-unicast, ipv6-unicast.',
    ],
    [{ longer: true }, 'invalid: Longer prefixes need a prefix to be inside of.'],
    [{ longer: true, prefix: '10.0.0.1' }, 'invalid: Longer prefixes need a prefix to be inside of.'],
    [
      { bestOnly: true, rejectedOnly: true },
      'invalid: A rejected path is never the best one: ask for one of the two.',
    ],
    [
      { advertisedTo: 'a', beforePolicy: true },
      'invalid: What a peer is sent has no rejected paths and no import policy.',
    ],
  ])('%j is refused', (request, outcome) => {
    expect(refusal(() => routeQuery(fake, request))).toBe(outcome);
  });
});
