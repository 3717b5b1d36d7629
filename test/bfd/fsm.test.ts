import { describe, expect, it } from 'vitest';
import { SESSION_EVENTS, type SessionEvent, sessionStep } from '../../src/bfd/fsm.ts';
import { type SessionState, STATE_NAMES } from '../../src/bfd/protocol.ts';

/** RFC 5880 §6.2 and §6.8.6: received AdminDown, Down, Init, Up, then timer, disable, enable. `3` = diagnostic. */
const TABLE: Readonly<Record<SessionState, readonly string[]>> = {
  AdminDown: ['AdminDown', 'AdminDown', 'AdminDown', 'AdminDown', 'AdminDown', 'AdminDown', 'Down'],
  Down: ['Down', 'Init', 'Up', 'Down', 'Down', 'AdminDown 7', 'Down'],
  Init: ['Down 3', 'Init', 'Up', 'Up', 'Down 1', 'AdminDown 7', 'Init'],
  Up: ['Down 3', 'Down 3', 'Up', 'Up', 'Down 1', 'AdminDown 7', 'Up'],
};
const EVENTS: readonly SessionEvent[] = [
  'ReceivedAdminDown',
  'ReceivedDown',
  'ReceivedInit',
  'ReceivedUp',
  'DetectionTimeExpired',
  'Disable',
  'Enable',
];

describe('the state machine', () => {
  it('has these states and events', () => {
    expect(Object.keys(TABLE).sort()).toEqual([...STATE_NAMES].sort());
    expect([...SESSION_EVENTS].sort()).toEqual([...EVENTS].sort());
  });

  it.each(
    STATE_NAMES.flatMap((state) => EVENTS.map((event, i) => ({ state, event, wanted: TABLE[state][i]! }))),
  )('5880-6.8.6-3: $state, $event -> $wanted', ({ state, event, wanted }) => {
    const { to, diagnostic } = sessionStep(state, event);
    expect(diagnostic === undefined ? to : `${to} ${diagnostic}`).toBe(wanted);
  });
});
