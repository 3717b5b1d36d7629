import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { CacheEvents } from '../../../src/speaker/journal/cache-events.ts';
import { Journal } from '../../../src/speaker/journal/journal.ts';

function rig(hasData = false) {
  const journal = new Journal(systemClock, 100);
  const events = new CacheEvents(journal, 'routinator', hasData);
  let told = 0;
  return {
    events,
    /** What was written since the last call. */
    news: (): string[] => {
      const all = [...journal.entries({})].map(({ code, sentence }) => `${code} ${sentence}`);
      const fresh = all.slice(told);
      told = all.length;
      return fresh;
    },
  };
}

const AWAY = { state: 'Transport-Error', problem: 'connection refused' } as const;
const WELL = { state: 'Established', problem: undefined, hasData: true } as const;
const SYNCED = 'rpki-cache-synced RPKI cache routinator is in sync';
const LOST = 'rpki-cache-lost RPKI cache routinator: connection refused';

describe('CacheEvents', () => {
  it('say once that a cache is in sync, however often it answers', () => {
    const { events, news } = rig();
    events.review({ state: 'Connecting', problem: undefined, hasData: false });
    expect(news()).toEqual([]);
    events.review(WELL);
    events.review({ ...WELL, state: 'Sync-Start' });
    events.review(WELL);
    expect(news()).toEqual([SYNCED]);
  });

  it('say once that it is lost, however often it is tried, and that it is back', () => {
    const { events, news } = rig();
    events.review(WELL);
    news();
    for (let i = 0; i < 3; i++) {
      events.review({ ...AWAY, hasData: true });
      events.review({ ...AWAY, state: 'Connecting', hasData: true });
    }
    expect(news()).toEqual([`${LOST}; what it has said counts on`]);
    events.review(WELL);
    events.review({ ...AWAY, hasData: true });
    expect(news()).toEqual([SYNCED, `${LOST}; what it has said counts on`]);
  });

  it('say when its records count no more', () => {
    const { events, news } = rig(true);
    events.review({ ...AWAY, hasData: true });
    events.review({ ...AWAY, hasData: false });
    events.review({ ...AWAY, hasData: false });
    expect(news()).toEqual([
      `${LOST}; what it has said counts on`,
      'rpki-data-gone RPKI cache routinator: what it has said counts no more',
    ]);
  });

  it('say nothing of a cache that is stopped', () => {
    const { events, news } = rig();
    events.review(WELL);
    news();
    events.review({ state: 'Down', problem: undefined, hasData: false });
    expect(news()).toEqual([]);
    events.review({ ...AWAY, hasData: false });
    expect(news()).toEqual([LOST]);
  });
});
