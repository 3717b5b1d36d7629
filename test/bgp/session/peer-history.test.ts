// What a peer's history writes into the log: each kind of failure once, until the session has been up.

import { describe, expect, it } from 'vitest';
import { downReason } from '../../../src/bgp/session/down-reason.ts';
import { PeerHistory } from '../../../src/bgp/session/peer-history.ts';
import { TransportError } from '../../../src/bgp/session/transport.ts';
import type { Logger } from '../../../src/lib/log.ts';
import { SimClock } from '../../../src/sim/clock.ts';
import { sessionContext } from '../../support/wire.ts';

function bench() {
  const lines: string[] = [];
  const say = (level: string) => (_fields: object, text: string) => void lines.push(`${level} ${text}`);
  const log: Logger = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: () => log,
  };
  const notes: boolean[] = [];
  const history = new PeerHistory(new SimClock(), log, ({ repeated }) => void notes.push(repeated));
  return { history, lines, notes };
}

const base = {
  cause: 'connect-failed',
  state: 'Connect',
  path: { signed: true, ttlSecurity: false },
} as const;
const silent = (signatureDrops: number) => downReason({ ...base, evidence: { signatureDrops } });
const noHost = downReason({ ...base, transport: new TransportError('EHOSTUNREACH', 'x') });
const refused = downReason({ ...base, transport: new TransportError('ECONNREFUSED', 'x') });

describe('a failure that comes again', () => {
  it('is told once, however many segments were dropped', () => {
    const { history, lines, notes } = bench();
    for (const count of [1, 3, 2]) history.down('a', silent(count), false);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['info', 'debug', 'debug']);
    expect(notes).toEqual([false, true, true]);
  });

  it('is told once where it takes turns with another one', () => {
    const { history, notes } = bench();
    for (let i = 0; i < 3; i++) {
      history.down('a', silent(i + 1), false);
      history.down('a', noHost, false);
    }
    expect(notes).toEqual([false, false, true, true, true, true]);
  });

  it('is news after others, and after the session was up', () => {
    const { history, notes } = bench();
    for (const reason of [refused, noHost, silent(1), refused]) history.down('a', reason, false);
    history.up('a', sessionContext());
    history.down('a', refused, false);
    expect(notes).toEqual([false, false, false, false, false, false]);
  });
});
