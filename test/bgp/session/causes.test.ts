// The table of causes: every end of a session has exactly one, whatever happened, and the particulars stand in the
// sentence.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAUSE_TABLE } from '../../../src/bgp/session/cause-table.ts';
import { causeCodes, causeOf } from '../../../src/bgp/session/causes.ts';
import { type DownCause, type DownFacts, downReason } from '../../../src/bgp/session/down-reason.ts';
import { FSM_STATES } from '../../../src/bgp/session/fsm-events.ts';
import { TransportError } from '../../../src/bgp/session/transport.ts';
import { encodeHardReset } from '../../../src/bgp/wire/notification.ts';

const none: Uint8Array = new Uint8Array(0);
const message = (code: number, subcode: number, data = none) => ({ code, subcode, data });
const failed = (code: string): TransportError => new TransportError(code, code);

const EVERY_CAUSE = Object.keys({
  'admin-stop': 0,
  'admin-reset': 0,
  'automatic-stop': 0,
  'hold-timer': 0,
  'send-hold-timer': 0,
  'notification-sent': 0,
  'notification-received': 0,
  collision: 0,
  'peer-restarted': 0,
  'connect-failed': 0,
  'connection-lost': 0,
  'link-down': 0,
  fsm: 0,
  'internal-error': 0,
} satisfies Record<DownCause, number>) as DownCause[];

const base = { state: 'Established' } as const;

describe('what ended a session has a code', () => {
  it.each<[string, Partial<DownFacts> & Pick<DownFacts, 'cause'>]>([
    ['wrong-as', { cause: 'notification-sent', sent: message(2, 2) }],
    ['router-id-clash', { cause: 'notification-sent', sent: message(2, 3) }],
    ['hold-time', { cause: 'notification-sent', sent: message(2, 6) }],
    ['capability', { cause: 'notification-sent', sent: message(2, 7) }],
    ['role', { cause: 'notification-sent', sent: message(2, 11) }],
    ['bad-open', { cause: 'notification-sent', sent: message(2, 1) }],
    ['bad-header', { cause: 'notification-sent', sent: message(1, 1) }],
    ['bad-update', { cause: 'notification-sent', sent: message(3, 11) }],
    ['bad-message', { cause: 'notification-sent', sent: message(7, 1) }],
    ['prefix-limit', { cause: 'automatic-stop', sent: message(6, 1) }],
    ['prefix-limit', { cause: 'automatic-stop', sent: message(6, 9, encodeHardReset(message(6, 1))) }],
    ['bfd-down', { cause: 'automatic-stop', sent: message(6, 10) }],
    ['ended-here', { cause: 'automatic-stop', sent: message(6, 8) }],
    ['admin-down', { cause: 'admin-stop', sent: message(6, 2) }],
    ['admin-down', { cause: 'admin-stop' }],
    ['peer-removed', { cause: 'admin-stop', sent: message(6, 3) }],
    ['admin-reset', { cause: 'admin-reset', sent: message(6, 4) }],
    ['config-changed', { cause: 'admin-reset', sent: message(6, 6) }],
    ['peer-wrong-as', { cause: 'notification-received', received: message(2, 2) }],
    ['peer-admin-down', { cause: 'notification-received', received: message(6, 2) }],
    [
      'peer-admin-down',
      { cause: 'notification-received', received: message(6, 9, encodeHardReset(message(6, 2))) },
    ],
    ['peer-rejected', { cause: 'notification-received', received: message(6, 5) }],
    ['peer-hold-timer', { cause: 'notification-received', received: message(4, 0) }],
    ['peer-notification', { cause: 'notification-received', received: message(6, 99) }],
    ['peer-notification', { cause: 'notification-received' }],
    ['hold-timer', { cause: 'hold-timer' }],
    ['interface-down', { cause: 'link-down' }],
    ['collision', { cause: 'collision' }],
    ['refused', { cause: 'connect-failed', transport: failed('ECONNREFUSED') }],
    ['no-answer', { cause: 'connect-failed' }],
    ['no-answer', { cause: 'connect-failed', transport: failed('ETIMEDOUT') }],
    ['unreachable', { cause: 'connect-failed', transport: failed('EHOSTUNREACH') }],
    ['local-address', { cause: 'connect-failed', transport: failed('EADDRNOTAVAIL') }],
    ['no-descriptors', { cause: 'connect-failed', transport: failed('EMFILE') }],
    ['not-permitted', { cause: 'connect-failed', transport: failed('EPERM') }],
    ['md5-suspected', { cause: 'connect-failed', transport: failed('ENOKEY') }],
    ['connect-failed', { cause: 'connect-failed', transport: failed('EWHATEVER') }],
    ['connection-reset', { cause: 'connection-lost', transport: failed('ECONNRESET') }],
    ['connection-closed', { cause: 'connection-lost' }],
    ['closed-before-open', { cause: 'connection-lost', state: 'OpenSent' }],
  ])('%s', (code, facts) => {
    expect(downReason({ ...base, ...facts }).code).toBe(code);
  });

  it('whatever happened: one code, with words and advice', () => {
    const notification = fc.option(
      fc.record({
        code: fc.integer({ min: 0, max: 255 }),
        subcode: fc.integer({ min: 0, max: 255 }),
        data: fc.uint8Array({ maxLength: 8 }),
      }),
      { nil: undefined },
    );
    const facts = fc.record({
      cause: fc.constantFrom(...EVERY_CAUSE),
      state: fc.constantFrom(...FSM_STATES),
      sent: notification,
      received: notification,
      transport: fc.option(fc.string().map(failed), { nil: undefined }),
      evidence: fc.record({ signatureDrops: fc.nat(), ttlDrops: fc.nat(), alive: fc.constant(undefined) }),
    });
    const codes = new Set<string>(causeCodes());
    fc.assert(
      fc.property(facts, (each) => {
        const { code, means, advice } = causeOf(each);
        expect(codes.has(code)).toBe(true);
        expect(means.length > 5 && advice.length > 5).toBe(true);
      }),
    );
  });

  it('every row can be reached, and codes are words', () => {
    for (const [at, row] of CAUSE_TABLE.entries()) {
      expect(row.code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      const earlier = CAUSE_TABLE.slice(0, at).filter((each) => each.on === row.on);
      // A row without conditions ends its cause.
      const conditions = ['sent', 'received', 'transport', 'states', 'suspect'];
      const open = earlier.filter((each) => !conditions.some((key) => key in each));
      expect(open.map(({ code }) => code)).toEqual([]);
    }
    expect(CAUSE_TABLE.find(({ code }) => code === 'wrong-as')?.advice).toContain('asn');
  });
});

describe('suspicions need evidence', () => {
  const silent = { cause: 'connect-failed', state: 'Connect' } as const;
  const signed = { signed: true, ttlSecurity: false };
  const plain = { signed: false, ttlSecurity: false };

  it('a password and a host that is alive', () => {
    const facts: DownFacts = { ...silent, path: signed, evidence: { alive: 'it answers pings' } };
    const { code, sentence } = downReason(facts);
    expect(code).toBe('md5-suspected');
    expect(sentence).toBe('cannot connect; the host is there: it answers pings; in Connect');
  });

  it('segments that the kernel dropped for their signature, with a password here or without', () => {
    for (const path of [signed, plain]) {
      const { code, sentence } = downReason({ ...silent, path, evidence: { signatureDrops: 3 } });
      expect(code).toBe('md5-suspected');
      expect(sentence).toContain('the kernel dropped 3 segments for their signature');
    }
  });

  it('a peer that connects, and whose OPEN the kernel drops for its TTL', () => {
    const mute = { cause: 'hold-timer', state: 'OpenSent' } as const;
    const path = { signed: false, ttlSecurity: true };
    expect(downReason({ ...mute, path, evidence: { ttlDrops: 2 } }).code).toBe('ttl-suspected');
    // An OPEN that was there before the socket knew of the smallest TTL.
    const halfway = { ...mute, state: 'OpenConfirm' } as const;
    expect(downReason({ ...halfway, path, evidence: { ttlDrops: 2 } }).code).toBe('ttl-suspected');
    expect(downReason({ ...mute, path, evidence: {} }).code).toBe('hold-timer');
    expect(downReason({ ...mute, path: plain, evidence: { ttlDrops: 2 } }).code).toBe('hold-timer');
    const later = { ...mute, state: 'Established', path, evidence: { ttlDrops: 2 } } as const;
    expect(downReason(later).code).toBe('hold-timer');
  });

  it('a peer that falls silent, whose segments the kernel drops for their signature', () => {
    const evidence = { signatureDrops: 3, alive: 'BFD is up' };
    for (const path of [signed, plain]) {
      const { code, sentence } = downReason({ ...base, cause: 'hold-timer', path, evidence });
      expect(code).toBe('md5-suspected');
      expect(sentence).toBe(
        'hold timer expired; the host is there: BFD is up, ' +
          'the kernel dropped 3 segments for their signature; in Established',
      );
    }
    const alive: DownFacts = { ...base, cause: 'hold-timer', path: signed, evidence: { alive: 'BFD is up' } };
    expect(downReason(alive).code).toBe('hold-timer');
  });

  it('the TTL before the signature, where this side signs nothing', () => {
    const evidence = { signatureDrops: 3, ttlDrops: 4 };
    const far = { signed: false, ttlSecurity: true };
    expect(downReason({ ...silent, path: far, evidence }).code).toBe('ttl-suspected');
    expect(downReason({ ...silent, path: { ...far, signed: true }, evidence }).code).toBe('md5-suspected');
    expect(downReason({ ...silent, path: far, evidence: { signatureDrops: 3 } }).code).toBe('md5-suspected');
  });

  it('are none where the system knows better', () => {
    const transport = new TransportError('ENETUNREACH', 'network is unreachable');
    const { code, sentence } = downReason({
      ...silent,
      transport,
      path: plain,
      evidence: { signatureDrops: 1 },
    });
    expect(code).toBe('unreachable');
    expect(sentence).toBe('cannot connect; ENETUNREACH, no route to the peer; in Connect');
  });

  it('without evidence nobody answers, and that is all', () => {
    expect(downReason({ ...silent, path: signed, evidence: {} }).code).toBe('no-answer');
    expect(downReason({ ...silent, path: plain, evidence: { alive: 'BFD is up' } }).code).toBe('no-answer');
    expect(downReason({ ...silent, path: plain, evidence: { ttlDrops: 2 } }).code).toBe('no-answer');
  });

  it('5082-3: a TTL that is too low', () => {
    const path = { signed: false, ttlSecurity: true };
    const { code, sentence } = downReason({ ...silent, path, evidence: { ttlDrops: 2 } });
    expect(code).toBe('ttl-suspected');
    expect(sentence).toContain('the kernel dropped 2 segments for their TTL');
  });
});

describe('a silent end says what was in the queues', () => {
  const queues = {
    queuedBytes: 70_000,
    paused: true,
    lastReceived: 'update',
    receivedAgoMs: 90_100,
    sentAgoMs: 12_000,
  };
  it('and how busy this process was', () => {
    const facts: DownFacts = { ...base, cause: 'hold-timer', queues, evidence: { loopLagMs: 4200 } };
    expect(downReason(facts).sentence).toBe(
      'hold timer expired; last heard update 90.1 s ago, last sent 12.0 s ago, 70000 octets queued, ' +
        'reading was paused here, this process was busy for up to 4.2 s at a time; in Established',
    );
  });

  it('a calm loop is not mentioned', () => {
    const facts: DownFacts = {
      ...base,
      cause: 'hold-timer',
      queues: { ...queues, paused: false, lastReceived: undefined },
      evidence: { loopLagMs: 99 },
    };
    expect(downReason(facts).sentence).toBe(
      'hold timer expired; heard nothing, last sent 12.0 s ago, 70000 octets queued; in Established',
    );
  });
});
