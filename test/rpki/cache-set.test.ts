import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/lib/log.ts';
import { CacheClient } from '../../src/rpki/cache-client.ts';
import { type CacheMember, CacheSet } from '../../src/rpki/cache-set.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { CacheEnd, cacheResponse, endOfData } from '../support/rtr-cache.ts';

const seconds = (count: number) => ({ seconds: count, keep: true });

/** Caches by preference; each knows the connections that were made to it. */
function rig(...preferences: number[]) {
  const clock = new SimClock();
  const set = new CacheSet();
  const caches = preferences.map((preference) => {
    const ends: CacheEnd[] = [];
    const client: CacheClient = new CacheClient(
      {
        intervals: { refresh: seconds(100), retry: seconds(20), expire: seconds(600) },
        minVersion: 1,
        maxVersion: 1,
      },
      {
        clock,
        log: silentLogger,
        dial: (events) => {
          ends.push(new CacheEnd(events));
          return ends.at(-1)!;
        },
        apply: (_update, done) => done(undefined),
        onChange: () => set.review(),
      },
    );
    const member: CacheMember = { client, preference, enabled: true };
    return {
      client,
      member,
      sync: () => {
        ends.at(-1)?.events.onOpen();
        ends.at(-1)?.say(cacheResponse(1, 7), endOfData(1, 7, 1));
      },
      lose: () => ends.at(-1)?.events.onClose('gone'),
    };
  });
  for (const { member } of caches) set.add(member);
  return { clock, set, caches, running: () => caches.map(({ client }) => client.running) };
}

describe('several caches (8210-10-1)', () => {
  it('of one preference are all asked', () => {
    const { running } = rig(1, 1);
    expect(running()).toEqual([true, true]);
  });

  it('are asked in turn where a better one has nothing, and let go when it has', () => {
    const { caches, running } = rig(2, 1);
    const [second, first] = caches;
    // In any order of the configuration.
    expect(running()[1]).toBe(true);
    first?.lose();
    expect(running()).toEqual([true, true]);
    second?.sync();
    expect(second?.client.status.hasData).toBe(true);
    first?.client.refreshNow();
    first?.sync();
    expect(running()).toEqual([false, true]);
  });

  it('keep what a lost one has said until another is in sync', () => {
    const { caches, running } = rig(1, 2);
    const [first, second] = caches;
    first?.sync();
    expect(running()).toEqual([true, false]);
    first?.lose();
    expect(running()).toEqual([true, true]);
    expect(first?.client.status.hasData).toBe(true);
    second?.sync();
    expect(first?.client.status.hasData).toBe(true);
  });

  it('leave out the ones that are switched off or gone', () => {
    const { set, caches, running } = rig(1, 2);
    caches[0]!.member.enabled = false;
    set.review();
    expect(running()).toEqual([false, true]);
    set.remove(caches[1]!.member);
    expect(running()).toEqual([false, false]);
  });
});
