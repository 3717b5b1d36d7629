import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FSM_EVENT_NAMES, fsmStep } from '../../../src/bgp/session/fsm.ts';
import {
  FSM_STATES,
  type FsmContext,
  type FsmEvent,
  type FsmEventName,
  type FsmState,
  type FsmStep,
} from '../../../src/bgp/session/fsm-events.ts';

const NOTIFICATION = { code: 6, subcode: 99, data: new Uint8Array(0) };

function event(name: FsmEventName): FsmEvent {
  return { name, notification: NOTIFICATION, holdTime: 90 } as FsmEvent;
}

function context(changes: Partial<FsmContext> = {}): FsmContext {
  return {
    delayOpen: false,
    delayOpenTimerRunning: false,
    dials: true,
    sendNotificationWithoutOpen: false,
    collisionDetectEstablishedState: false,
    ...changes,
  };
}

function step(state: FsmState, name: FsmEventName, changes: Partial<FsmContext> = {}): FsmStep {
  return fsmStep(state, event(name), context(changes));
}

function names(result: FsmStep): string[] {
  return result.actions.map((action) => action.do);
}

function sent(result: FsmStep): string | undefined {
  for (const action of result.actions) {
    if (action.do !== 'sendNotification') continue;
    const { code, subcode, data } = action.notification;
    return `${code}/${subcode}${data.length > 0 ? ` ${[...data].join()}` : ''}`;
  }
  return undefined;
}

// One line an event: what RFC 4271 §8.2.2 says for Idle, Connect, Active, OpenSent, OpenConfirm, Established.
// I C A S O E = next state, `.` = stays; after the letter the NOTIFICATION: x = the event's own, else code/subcode.
const EXPECTED = `
ManualStart                                                           C    .    .    .        .        .
ManualStop                                                            .    I    I    Ix       Ix       Ix
AutomaticStart                                                        C    .    .    .        .        .
ManualStart_with_PassiveTcpEstablishment                              A    .    .    .        .        .
AutomaticStart_with_PassiveTcpEstablishment                           A    .    .    .        .        .
AutomaticStart_with_DampPeerOscillations                              .    .    .    .        .        .
AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment  A    .    .    .        .        .
AutomaticStop                                                         .    I    I    Ix       Ix       Ix
ConnectRetryTimer_Expires                                             .    .    C    I5/0     I5/0     I5/0
HoldTimer_Expires                                                     .    I    I    I4/0     I4/0     I4/0
KeepaliveTimer_Expires                                                .    I    I    I5/0     .        .
DelayOpenTimer_Expires                                                .    S    S    I5/0     I5/0     I5/0
IdleHoldTimer_Expires                                                 C    I    I    I5/0     I5/0     I5/0
TcpConnection_Valid                                                   .    .    .    .        .        .
Tcp_CR_Invalid                                                        .    .    .    .        .        .
Tcp_CR_Acked                                                          .    S    S    .        .        .
TcpConnectionConfirmed                                                .    S    S    .        .        .
TcpConnectionFails                                                    .    I    I    A        I        I
BGPOpen                                                               .    I    I    O        I5/2:1   I5/3:1
BGPOpen_with_DelayOpenTimer_running                                   .    O    O    I5/1:1   I5/2:1   I5/3:1
BGPHeaderErr                                                          .    I    I    Ix       Ix       Ix
BGPOpenMsgErr                                                         .    I    I    Ix       Ix       Ix
OpenCollisionDump                                                     .    I    I    Ix       Ix       .
NotifMsgVerErr                                                        .    I    I    I        I        I
NotifMsg                                                              .    I    I    I        I        I
KeepAliveMsg                                                          .    I    I    I5/1:4   E        .
UpdateMsg                                                             .    I    I    I5/1:2   I5/2:2   .
UpdateMsgErr                                                          .    I    I    I5/1:2   I5/2:2   Ix
RouteRefreshMsg                                                       .    I    I    I5/1:5   I5/2:5   .
SendHoldTimer_Expires                                                 .    I    I    I8/0     I8/0     I8/0
`;

const LETTER: Record<string, FsmState> = {
  I: 'Idle',
  C: 'Connect',
  A: 'Active',
  S: 'OpenSent',
  O: 'OpenConfirm',
  E: 'Established',
};

interface Cell {
  readonly state: FsmState;
  readonly name: FsmEventName;
  readonly to: FsmState;
  readonly notification: string | undefined;
}

const CELLS: Cell[] = EXPECTED.trim()
  .split('\n')
  .flatMap((line) => {
    const [name, ...cells] = line.trim().split(/\s+/);
    return cells.map((cell, i) => {
      const state = FSM_STATES[i]!;
      const to = cell.startsWith('.') ? state : LETTER[cell[0]!]!;
      const said = cell.slice(1).replace(':', ' ');
      const notification = said === '' ? undefined : said === 'x' ? '6/99' : said;
      return { state, name: name as FsmEventName, to, notification };
    });
  });

describe('the state table of RFC 4271 8.2.2', () => {
  it('is covered by the expectations, cell by cell', () => {
    expect(CELLS).toHaveLength(FSM_STATES.length * FSM_EVENT_NAMES.length);
    expect(new Set(CELLS.map((cell) => cell.name))).toEqual(new Set(FSM_EVENT_NAMES));
  });

  it.each(CELLS)('4271-8.2.2: $state + $name -> $to, NOTIFICATION $notification', (cell) => {
    const result = step(cell.state, cell.name);
    expect(result.to).toBe(cell.to);
    expect(sent(result)).toBe(cell.notification);
  });

  it.each(CELLS.filter((cell) => cell.state !== 'Idle' && cell.to === 'Idle'))(
    '4271-8.2.2: $state + $name leaves nothing behind',
    (cell) => {
      const result = names(step(cell.state, cell.name));
      expect(result).toEqual(expect.arrayContaining(['stopTimers', 'releaseResources', 'dropTcp']));
      // The NOTIFICATION goes out before TCP is dropped.
      if (result.includes('sendNotification')) {
        expect(result.indexOf('sendNotification')).toBeLessThan(result.indexOf('dropTcp'));
      }
      expect(result.includes('deleteRoutes')).toBe(cell.state === 'Established');
    },
  );
});

describe('what a transition does', () => {
  it('4271-8.2.2-1: start events are ignored outside Idle, stop events and connections in it', () => {
    for (const name of FSM_EVENT_NAMES.filter((n) => n.includes('Start'))) {
      for (const state of FSM_STATES.slice(1)) expect(names(step(state, name))).toEqual([]);
    }
    expect(names(step('Idle', 'ManualStop'))).toEqual([]);
    expect(names(step('Idle', 'AutomaticStop'))).toEqual([]);
    expect(names(step('Idle', 'TcpConnectionConfirmed'))).toEqual(['rejectTcp']);
  });

  it('4271-8.2.2-2: a start dials with the ConnectRetryTimer, a passive start listens', () => {
    const start = step('Idle', 'ManualStart');
    expect(names(start)).toEqual(['resetConnectRetryCounter', 'startConnectRetryTimer', 'initiateTcp']);
    const passive = step('Idle', 'ManualStart_with_PassiveTcpEstablishment');
    expect(names(passive)).toEqual(['resetConnectRetryCounter', 'startConnectRetryTimer']);
  });

  it('4271-8.2.2-2: a peer that must not dial never has a ConnectRetryTimer', () => {
    for (const state of FSM_STATES) {
      for (const name of FSM_EVENT_NAMES) {
        if (state === 'Connect') continue;
        const result = step(state, name, { dials: false });
        expect(names(result)).not.toContain('startConnectRetryTimer');
        expect(names(result)).not.toContain('initiateTcp');
        expect(result.to).not.toBe('Connect');
      }
    }
  });

  it('4271-8.2.2-3: TCP up without DelayOpen sends OPEN and starts the large hold timer', () => {
    for (const state of ['Connect', 'Active'] as const) {
      expect(names(step(state, 'Tcp_CR_Acked'))).toEqual([
        'stopConnectRetryTimer',
        'sendOpen',
        'startLargeHoldTimer',
      ]);
    }
  });

  it('4271-8.2.2-4: DelayOpen waits, and an OPEN meanwhile is answered with OPEN and KEEPALIVE', () => {
    for (const state of ['Connect', 'Active'] as const) {
      const waiting = step(state, 'TcpConnectionConfirmed', { delayOpen: true });
      expect(waiting.to).toBe(state);
      expect(names(waiting)).toEqual(['stopConnectRetryTimer', 'startDelayOpenTimer']);
      const opened = step(state, 'BGPOpen_with_DelayOpenTimer_running', { delayOpenTimerRunning: true });
      expect(names(opened)).toEqual([
        'stopConnectRetryTimer',
        'stopDelayOpenTimer',
        'sendOpen',
        'sendKeepalive',
        'startNegotiatedTimers',
      ]);
    }
  });

  it('4271-8.2.2-5: ConnectRetry expiry redials', () => {
    expect(names(step('Connect', 'ConnectRetryTimer_Expires'))).toEqual([
      'dropTcp',
      'stopDelayOpenTimer',
      'startConnectRetryTimer',
      'initiateTcp',
    ]);
    expect(names(step('Active', 'ConnectRetryTimer_Expires'))).toEqual([
      'startConnectRetryTimer',
      'initiateTcp',
    ]);
  });

  it('4271-8.2.2-6: a TCP failure while the DelayOpenTimer runs goes to Active', () => {
    const result = step('Connect', 'TcpConnectionFails', { delayOpenTimerRunning: true });
    expect(result.to).toBe('Active');
    expect(names(result)).toEqual(['stopDelayOpenTimer', 'dropTcp', 'startConnectRetryTimer']);
    expect(names(step('OpenSent', 'TcpConnectionFails'))).toEqual([
      'stopTimers',
      'releaseResources',
      'dropTcp',
      'startConnectRetryTimer',
    ]);
  });

  it('4271-8.2.2-7: an early error is silent unless SendNOTIFICATIONwithoutOPEN', () => {
    for (const state of ['Connect', 'Active'] as const) {
      for (const name of ['BGPHeaderErr', 'BGPOpenMsgErr'] as const) {
        expect(sent(step(state, name))).toBeUndefined();
        expect(sent(step(state, name, { sendNotificationWithoutOpen: true }))).toBe('6/99');
      }
    }
    const stop = { delayOpenTimerRunning: true, sendNotificationWithoutOpen: true };
    expect(sent(step('Active', 'ManualStop', stop))).toBe('6/99');
  });

  it('4271-8.2.2-8: ManualStop resets the retry counter', () => {
    for (const state of FSM_STATES.slice(1)) {
      expect(names(step(state, 'ManualStop'))).toContain('resetConnectRetryCounter');
    }
  });

  it('4271-8.2.2-11: a NOTIFICATION counts as a failed attempt, except 2/1 after our OPEN', () => {
    const counts = (state: FsmState, name: FsmEventName, changes: Partial<FsmContext> = {}) =>
      names(step(state, name, changes)).includes('incrementConnectRetryCounter');
    for (const state of FSM_STATES.slice(1)) expect(counts(state, 'NotifMsg')).toBe(true);
    expect(counts('OpenSent', 'NotifMsgVerErr')).toBe(false);
    expect(counts('OpenConfirm', 'NotifMsgVerErr')).toBe(false);
    expect(counts('Connect', 'NotifMsgVerErr')).toBe(true);
    expect(counts('Connect', 'NotifMsgVerErr', { delayOpenTimerRunning: true })).toBe(false);
  });

  it('4271-8.2.2-12: from OpenSent on a second connection is tracked', () => {
    for (const state of ['OpenSent', 'OpenConfirm', 'Established'] as const) {
      expect(names(step(state, 'TcpConnectionConfirmed'))).toEqual(['trackTcp']);
    }
  });

  it('4271-8.2.2-9, -13, -14, -15: OPEN, KEEPALIVE, keepalive timer and UPDATE', () => {
    expect(step('OpenSent', 'BGPOpen').actions.at(-1)).toEqual({ do: 'startNegotiatedTimers', holdTime: 90 });
    expect(names(step('OpenSent', 'BGPOpen'))).toContain('sendKeepalive');
    expect(names(step('OpenConfirm', 'KeepAliveMsg'))).toEqual(['restartHoldTimer', 'establish']);
    for (const state of ['OpenConfirm', 'Established'] as const) {
      expect(names(step(state, 'KeepaliveTimer_Expires'))).toEqual([
        'sendKeepalive',
        'restartKeepaliveTimer',
      ]);
    }
    expect(names(step('Established', 'UpdateMsg'))).toEqual(['restartHoldTimer', 'processUpdate']);
    expect(names(step('Established', 'KeepAliveMsg'))).toEqual(['restartHoldTimer']);
  });

  it('4271-6.8-3: an Established session loses a collision only where configured', () => {
    expect(step('Established', 'OpenCollisionDump').to).toBe('Established');
    const changes = { collisionDetectEstablishedState: true };
    expect(step('Established', 'OpenCollisionDump', changes).to).toBe('Idle');
  });

  it('damping: event 6 waits in Idle, event 7 listens meanwhile, event 13 ends the wait', () => {
    expect(names(step('Idle', 'AutomaticStart_with_DampPeerOscillations'))).toEqual(['startIdleHoldTimer']);
    const passive = 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment';
    expect(names(step('Idle', passive))).toEqual(['startConnectRetryTimer']);
    expect(names(step('Idle', 'IdleHoldTimer_Expires'))).toEqual(['startConnectRetryTimer', 'initiateTcp']);
    expect(step('Idle', 'IdleHoldTimer_Expires', { dials: false }).to).toBe('Active');
  });
});

describe('any sequence of events', () => {
  const anyContext = fc.record({
    delayOpen: fc.boolean(),
    delayOpenTimerRunning: fc.boolean(),
    dials: fc.boolean(),
    sendNotificationWithoutOpen: fc.boolean(),
    collisionDetectEstablishedState: fc.boolean(),
  });

  it('reaches Established only by OPEN, then KEEPALIVE, and leaves it only through deleteRoutes', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...FSM_EVENT_NAMES), anyContext), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (sequence) => {
        let state: FsmState = 'Idle';
        let opened = false;
        for (const [name, ctx] of sequence) {
          const result = fsmStep(state, event(name), ctx);
          const done = names(result);
          if (result.to === 'OpenConfirm' && state !== 'OpenConfirm') opened = true;
          if (result.to === 'Idle') opened = false;
          if (result.to === 'Established' && state !== 'Established') {
            expect(opened && name === 'KeepAliveMsg').toBe(true);
          }
          expect(done.includes('deleteRoutes')).toBe(state === 'Established' && result.to !== 'Established');
          expect(done.filter((action) => action === 'sendNotification').length).toBeLessThan(2);
          // Whatever dials has its ConnectRetryTimer.
          if (done.includes('initiateTcp')) expect(done).toContain('startConnectRetryTimer');
          state = result.to;
        }
      }),
    );
  });
});
