import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CollisionInput, resolveCollision } from '../../../src/bgp/session/collision.ts';
import type { FsmState } from '../../../src/bgp/session/fsm-events.ts';

const LOW = 0x0a000001;
const HIGH = 0xc0000001;

function collide(changes: Partial<CollisionInput>) {
  return resolveCollision({
    localId: LOW,
    remoteId: HIGH,
    localAs: 64512,
    remoteAs: 64513,
    existing: { state: 'OpenConfirm', initiator: 'local' },
    fresh: { initiator: 'remote' },
    peerMayRestart: false,
    ...changes,
  });
}

describe('connection collision', () => {
  it('4271-6.8-1: the connection opened by the higher identifier survives, in either order', () => {
    const existing = (initiator: 'local' | 'remote') => ({ state: 'OpenConfirm' as const, initiator });
    expect(collide({})).toBe('existing');
    expect(collide({ existing: existing('remote'), fresh: { initiator: 'local' } })).toBe('fresh');
    expect(collide({ localId: HIGH, remoteId: LOW })).toBe('fresh');
    expect(
      collide({
        localId: HIGH,
        remoteId: LOW,
        existing: existing('remote'),
        fresh: { initiator: 'local' },
      }),
    ).toBe('existing');
  });

  it('4271-6.8-1: identifiers are compared as unsigned numbers', () => {
    expect(collide({ localId: 0xff000001, remoteId: 0x7f000001 })).toBe('fresh');
  });

  it('6286-2.3-1: with equal identifiers the larger AS wins', () => {
    expect(collide({ localId: LOW, remoteId: LOW })).toBe('existing');
    expect(collide({ localId: LOW, remoteId: LOW, localAs: 4200000000 })).toBe('fresh');
  });

  it('4271-6.8-3: Established closes the new connection, 4724: unless the peer may have restarted', () => {
    const existing = { state: 'Established' as const, initiator: 'local' as const };
    expect(collide({ existing })).toBe('fresh');
    expect(collide({ existing, peerMayRestart: true })).toBe('existing');
  });

  it.each(['Idle', 'Connect', 'Active', 'OpenSent'] satisfies FsmState[])(
    '4271-6.8-4: a connection in %s does not collide yet',
    (state) => {
      expect(collide({ existing: { state, initiator: 'local' } })).toBe('none');
    },
  );

  it('both sides close the same connection', () => {
    const identity = fc.record({ id: fc.nat(0xffffffff), as: fc.integer({ min: 1, max: 0xffffffff }) });
    fc.assert(
      fc.property(identity, identity, fc.boolean(), fc.boolean(), (a, b, aHasOwnFirst, bHasOwnFirst) => {
        fc.pre(a.id !== b.id || a.as !== b.as);
        // Two connections: one opened by a, one by b. Each side saw one of them reach OpenConfirm first.
        const closedBy = (self: typeof a, other: typeof a, ownFirst: boolean) => {
          const loser = collide({
            localId: self.id,
            remoteId: other.id,
            localAs: self.as,
            remoteAs: other.as,
            existing: { state: 'OpenConfirm', initiator: ownFirst ? 'local' : 'remote' },
            fresh: { initiator: ownFirst ? 'remote' : 'local' },
          });
          const closesOwn = (loser === 'existing') === ownFirst;
          return closesOwn ? self : other;
        };
        expect(closedBy(a, b, aHasOwnFirst)).toBe(closedBy(b, a, bHasOwnFirst));
      }),
    );
  });
});
