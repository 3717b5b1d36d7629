// The watchdog without a thread: when a loop counts as stuck, what is said, and what the guard is told.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scheduler } from '../../../src/lib/scheduler.ts';
import { StageBeat } from '../../../src/lib/stage-beat.ts';
import { SimClock } from '../../../src/sim/clock.ts';
import { Journal } from '../../../src/speaker/journal/journal.ts';
import type { GuardData, GuardMessage, ReportDraft } from '../../../src/speaker/watchdog/guard-protocol.ts';
import { Stuckness } from '../../../src/speaker/watchdog/stuckness.ts';
import { Watchdog } from '../../../src/speaker/watchdog/watchdog.ts';
import { LineLog } from '../../support/line-log.ts';

describe('a loop is stuck', () => {
  it('when its beats stand still for the limit', () => {
    const stuckness = new Stuckness(4000, 1000);
    const looks = [0, 1000, 2000, 3000, 4000, 5000].map((at) => stuckness.look(at < 1500 ? at : 1500, at));
    // The beat was new at 2000.
    expect(looks).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
    expect(stuckness.look(1500, 6000)).toBe(4000);
  });

  it('not when the machine stood still: the look itself is late then', () => {
    const stuckness = new Stuckness(4000, 1000);
    stuckness.look(1, 0);
    expect(stuckness.look(1, 60_000)).toBeUndefined();
    expect(stuckness.look(1, 61_000)).toBeUndefined();
    expect(stuckness.look(1, 64_000)).toBeUndefined();
    expect(stuckness.look(1, 65_000)).toBeUndefined();
  });

  it('never while it beats more often than the limit, whenever one looks', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(gaps, (all) => {
        const stuckness = new Stuckness(4000, 1000);
        let now = 0;
        for (const [beats, gap] of all.entries()) {
          const until = now + gap;
          for (; now < until; now += 1000) expect(stuckness.look(beats, now)).toBeUndefined();
          now = until;
        }
      }),
    );
  });
});

function rig() {
  const clock = new SimClock();
  const beat = new StageBeat();
  const rounds: (() => void)[] = [];
  const scheduler = new Scheduler(clock, { beat, defer: (fn) => void rounds.push(fn) });
  const journal = new Journal(clock, 10);
  const log = new LineLog();
  const guards: { data: GuardData; messages: GuardMessage[]; stopped: boolean; fail(error: Error): void }[] =
    [];
  const draft = { format: 1, peers: [], events: [] } as unknown as ReportDraft;
  const place = { directory: '/state' };
  const watchdog = new Watchdog({
    scheduler,
    beat,
    journal,
    log,
    directory: () => place.directory,
    draft: () => draft,
    startGuard: (data, fail) => {
      const guard = { data, messages: [] as GuardMessage[], stopped: false, fail };
      guards.push(guard);
      return {
        send: (message) => guard.messages.push(message),
        stop: () => {
          guard.stopped = true;
        },
      };
    },
  });
  const run = () => rounds.shift()?.();
  return { clock, beat, scheduler, journal, log, guards, watchdog, run, place };
}

describe('a warning', () => {
  it('names the stage that took the longest, in the log and in the journal', () => {
    const { clock, scheduler, watchdog, log, journal, run } = rig();
    watchdog.use({ warning: 5, timeout: 0 });
    const stage = (name: string, ms: number) =>
      scheduler.add({
        name,
        run: () => {
          clock.advance(ms);
          return false;
        },
      });
    for (const wake of [stage('decide', 6100), stage('export', 20)]) wake();
    run();
    watchdog.tick(6130);
    watchdog.tick(4999);
    expect(log.lines).toEqual([
      'warn the event loop did not turn for 6.1 s; the longest stage was decide with 6.1 s',
    ]);
    expect([...journal.entries({})].map(({ code, kind }) => `${kind} ${code}`)).toEqual(['loop loop-stuck']);
    watchdog.tick(5000);
    expect(log.lines[1]).toBe('warn the event loop did not turn for 5.0 s; no stage ran');
  });

  it('is none where it is switched off', () => {
    const { watchdog, log } = rig();
    watchdog.use({ warning: 0, timeout: 0 });
    watchdog.tick(1e6);
    expect(log.lines).toEqual([]);
  });
});

describe('a timeout', () => {
  it('has a guard that hears beats and events, and goes with the configuration', () => {
    const { beat, watchdog, guards, journal } = rig();
    watchdog.use({ warning: 5, timeout: 0 });
    expect(guards).toHaveLength(0);
    watchdog.use({ warning: 5, timeout: 30 });
    expect(guards[0]?.data).toMatchObject({ timeoutMs: 30_000, directory: '/state', beat: beat.buffer });
    watchdog.tick(0);
    expect(new StageBeat(guards[0]!.data.beat).beats).toBe(1);
    journal.note('started', 'x');
    for (let i = 0; i < 600; i++) watchdog.tick(0);
    expect(guards[0]?.messages.map(({ kind }) => kind)).toEqual(['event', 'draft']);
    watchdog.use({ warning: 5, timeout: 30 });
    watchdog.use({ warning: 1, timeout: 30 });
    expect(guards).toHaveLength(1);
    watchdog.use({ warning: 5, timeout: 0 });
    expect(guards[0]?.stopped).toBe(true);
    journal.note('started', 'y');
    expect(guards[0]?.messages).toHaveLength(2);
  });

  it('has another guard where reports go elsewhere', () => {
    const { watchdog, guards, place } = rig();
    watchdog.use({ warning: 5, timeout: 30 });
    place.directory = '/elsewhere';
    watchdog.use({ warning: 5, timeout: 30 });
    expect(guards.map(({ data, stopped }) => [data.directory, stopped])).toEqual([
      ['/state', true],
      ['/elsewhere', false],
    ]);
  });

  it('says when the guard is gone', () => {
    const { watchdog, guards, log } = rig();
    watchdog.use({ warning: 5, timeout: 30 });
    guards[0]!.fail(new Error('no memory'));
    watchdog.tick(0);
    expect(log.lines).toEqual(['error the watchdog ended: a stuck process will not be']);
  });
});

describe('what another thread sees of the stages', () => {
  it('is the one that runs, by name', () => {
    const { beat, scheduler, run } = rig();
    const seen: (string | undefined)[] = [];
    const other = new StageBeat(beat.buffer);
    const stage = (name: string) =>
      scheduler.add({
        name,
        run: () => {
          seen.push(other.stage);
          return false;
        },
      });
    for (const wake of [stage('decide'), stage('a name that is longer than there is room for it')]) wake();
    run();
    expect([...seen, other.stage]).toEqual(['decide', 'a name that is longer than ther', undefined]);
  });

  it('is nothing where there are more stages than room', () => {
    const beat = new StageBeat();
    const ids = Array.from({ length: 70 }, (_, i) => beat.register(`s${i}`));
    expect(ids.slice(62)).toEqual([63, 64, 0, 0, 0, 0, 0, 0]);
    beat.mark(64);
    expect(beat.stage).toBe('s63');
  });
});
