import { describe, expect, it } from 'vitest';
import { type DownFacts, downReason, restartAfter } from '../../../src/bgp/session/down-reason.ts';
import { TransportError } from '../../../src/bgp/session/transport.ts';
import { encodeShutdownText } from '../../../src/bgp/wire/notification.ts';

const none = new Uint8Array(0);

function cease(subcode: number, data: Uint8Array = none) {
  return { code: 6, subcode, data };
}

describe('one line that says why', () => {
  it.each<[string, DownFacts]>([
    [
      'ended by the peer; received Cease/Administrative Shutdown: "maintenance" (6/2); in Established',
      {
        cause: 'notification-received',
        state: 'Established',
        received: cease(2, encodeShutdownText('maintenance')),
      },
    ],
    [
      'protocol error of the peer (AS 65000 instead of 65001); sent OPEN Message Error/Bad Peer AS (2/2); in OpenSent',
      {
        cause: 'notification-sent',
        state: 'OpenSent',
        sent: { code: 2, subcode: 2, data: none },
        detail: 'AS 65000 instead of 65001',
      },
    ],
    [
      'cannot connect; ETIMEDOUT, no answer: wrong address, a firewall, or a different TCP-MD5 password; in Connect',
      { cause: 'connect-failed', state: 'Connect', transport: new TransportError('ETIMEDOUT', 'x') },
    ],
    [
      'connection lost; the peer closed it without a NOTIFICATION; in Established',
      { cause: 'connection-lost', state: 'Established' },
    ],
    [
      'cannot connect; bind: what the system said; in Connect',
      {
        cause: 'connect-failed',
        state: 'Connect',
        transport: new TransportError('EWHATEVER', 'bind: what the system said'),
      },
    ],
  ])('%s', (sentence, facts) => {
    expect(downReason(facts).sentence).toBe(sentence);
  });
});

describe('how to go on', () => {
  const restart = (facts: Partial<DownFacts> & Pick<DownFacts, 'cause'>) =>
    restartAfter(downReason({ state: 'Established', ...facts }));

  it('4486-4-5: damped after a Cease that asks for peace, soon after a reset', () => {
    const received = (subcode: number) =>
      restart({ cause: 'notification-received', received: cease(subcode) });
    expect([1, 2, 3, 5, 8].map(received)).toEqual(Array(5).fill('damped'));
    expect([4, 6, 7, 9, 10].map(received)).toEqual(Array(5).fill('soon'));
  });

  it('waits in Idle after a breach of the protocol, whoever found it', () => {
    const update = { code: 3, subcode: 1, data: none };
    expect(restart({ cause: 'notification-sent', sent: update })).toBe('idle');
    expect(restart({ cause: 'notification-received', received: update })).toBe('idle');
    expect(restart({ cause: 'internal-error' })).toBe('idle');
    expect(restart({ cause: 'automatic-stop', sent: cease(1) })).toBe('idle');
  });

  it('listens on after silence and broken connections', () => {
    expect(restart({ cause: 'hold-timer' })).toBe('damped');
    expect(restart({ cause: 'send-hold-timer' })).toBe('damped');
    expect(restart({ cause: 'notification-received', received: { code: 4, subcode: 0, data: none } })).toBe(
      'damped',
    );
    expect(restart({ cause: 'automatic-stop', sent: cease(10) })).toBe('damped');
    expect(restart({ cause: 'connection-lost' })).toBe('lost');
    expect(restart({ cause: 'connection-lost', state: 'OpenSent' })).toBe('retry');
    expect(restart({ cause: 'connect-failed', state: 'Connect' })).toBe('retry');
    expect(restart({ cause: 'link-down' })).toBe('retry');
  });
});
