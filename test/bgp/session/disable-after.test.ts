import { describe, expect, it } from 'vitest';
import { CEASE, ERROR, FSM_ERROR, OPEN_ERROR } from '../../../src/bgp/wire/error-codes.ts';
import { encodeHardReset, encodeNotification } from '../../../src/bgp/wire/notification.ts';
import { established, type OptionChanges } from './harness.ts';

const NOTHING = new Uint8Array(0);

/** Whether a peer is still up that has received this NOTIFICATION. */
function upAfter(changes: OptionChanges, code: number, subcode: number, data: Uint8Array = NOTHING): boolean {
  const { world, connection, peer } = established(changes);
  connection.send(encodeNotification(code, subcode, data));
  world.clock.advance(10);
  expect(peer.state).not.toBe('Established');
  return peer.adminUp;
}

const ERRORS = { disableAfter: { error: true, cease: [] } } as const;
const CEASES = { disableAfter: { error: false, cease: 'any' } } as const;
const RESET = { disableAfter: { error: false, cease: [CEASE.administrativeReset] } } as const;

describe('a peer stays down', () => {
  it('after an error that is received, where that is wanted', () => {
    expect(upAfter({}, ERROR.update, 1)).toBe(true);
    expect(upAfter(CEASES, ERROR.update, 1)).toBe(true);
    expect(upAfter(ERRORS, ERROR.update, 1)).toBe(false);
    expect(upAfter(ERRORS, ERROR.holdTimer, 0)).toBe(false);
  });

  it('after a Cease that is received, any or a named one', () => {
    expect(upAfter(ERRORS, ERROR.cease, CEASE.administrativeReset)).toBe(true);
    expect(upAfter(CEASES, ERROR.cease, CEASE.administrativeShutdown)).toBe(false);
    expect(upAfter(CEASES, ERROR.cease, 99)).toBe(false);
    expect(upAfter(CEASES, ERROR.cease, CEASE.collisionResolution)).toBe(true);
    expect(upAfter(RESET, ERROR.cease, CEASE.administrativeShutdown)).toBe(true);
    expect(upAfter(RESET, ERROR.cease, CEASE.administrativeReset)).toBe(false);
  });

  it('8538: a Hard Reset counts as what is in it', () => {
    const inner = { code: ERROR.cease, subcode: CEASE.administrativeReset, data: NOTHING };
    expect(upAfter(RESET, ERROR.cease, CEASE.hardReset, encodeHardReset(inner))).toBe(false);
  });

  it('after an error of the peer, and comes back when it is started', () => {
    const { world, connection, peer, events } = established(ERRORS);
    connection.send(Uint8Array.of(...new Uint8Array(16).fill(255), 0, 19, 9));
    world.clock.advance(10);
    expect(connection.heard.join()).toContain('NOTIFICATION 1/3');
    expect([peer.adminUp, peer.state, events.downs.length]).toEqual([false, 'Idle', 1]);
    world.clock.advance(3_600_000);
    expect(peer.state).toBe('Idle');
    peer.start();
    world.clock.advance(10);
    expect(peer.state).not.toBe('Idle');
  });

  it('not after a lost connection', () => {
    const { world, connection, peer } = established({
      disableAfter: { error: true, cease: 'any' },
    });
    connection.socket?.destroy();
    world.clock.advance(10);
    expect([peer.state === 'Established', peer.adminUp]).toEqual([false, true]);
  });

  it('not where capabilities alone are refused: 5492-3 it is tried without', () => {
    expect(upAfter(ERRORS, ERROR.open, OPEN_ERROR.unsupportedParameter)).toBe(true);
    expect(upAfter(ERRORS, ERROR.open, OPEN_ERROR.unsupportedCapability)).toBe(false);
    expect(upAfter(ERRORS, ERROR.fsm, FSM_ERROR.inOpenSent)).toBe(false);
  });
});
