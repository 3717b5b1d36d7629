import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/lib/log.ts';
import { CacheClient } from '../../src/rpki/cache-client.ts';
import type { CacheSettings, CacheUpdate, RecordProblem } from '../../src/rpki/cache-types.ts';
import { PDU, RTR_ERROR } from '../../src/rpki/protocol.ts';
import { SimClock } from '../../src/sim/clock.ts';
import {
  aspaOf,
  CacheEnd,
  cacheReset,
  cacheResponse,
  endOfData,
  prefixPdu,
  reportPdu,
  serialNotify,
} from '../support/rtr-cache.ts';

const SETTINGS: CacheSettings = {
  intervals: {
    refresh: { seconds: 100, keep: false },
    retry: { seconds: 20, keep: false },
    expire: { seconds: 1000, keep: false },
  },
  minVersion: 0,
  maxVersion: 2,
};

const VRP = { prefix: [192, 0, 2, 0], bits: 24, maxLength: 24, asn: 65001 };

/** A client, the connections it makes, and the updates it gives. */
class Rig {
  readonly clock = new SimClock();
  readonly ends: CacheEnd[] = [];
  readonly updates: { update: CacheUpdate; done: (problem?: RecordProblem) => void }[] = [];
  readonly client: CacheClient;
  /** Updates count at once. */
  prompt = true;

  constructor(settings: CacheSettings = SETTINGS) {
    this.client = new CacheClient(settings, {
      clock: this.clock,
      log: silentLogger,
      dial: (events) => {
        const end = new CacheEnd(events);
        this.ends.push(end);
        return end;
      },
      apply: (update, done) => {
        this.updates.push({ update, done });
        if (this.prompt) done(undefined);
      },
      onChange: () => undefined,
    });
    this.client.start();
  }

  get end(): CacheEnd {
    return this.ends.at(-1)!;
  }

  get status() {
    return this.client.status;
  }

  seconds(count: number): void {
    this.clock.advance(count * 1000);
  }

  open(): CacheEnd {
    this.end.events.onOpen();
    return this.end;
  }

  /** In sync in this version, with one record. */
  sync(version = 1, session = 7, serial = 1, intervals?: [number, number, number]): CacheEnd {
    const end = this.open();
    end.say(
      cacheResponse(version, session),
      prefixPdu(version, VRP),
      endOfData(version, session, serial, intervals),
    );
    return end;
  }
}

describe('a client', () => {
  it('begins with a Reset Query in its highest version and takes records at End of Data (8210-7-1)', () => {
    const rig = new Rig();
    const end = rig.open();
    expect(end.last).toMatchObject({ version: 2, type: PDU.resetQuery });
    end.say(cacheResponse(2, 7), prefixPdu(2, VRP), aspaOf(65001, [65002]));
    expect(rig.updates).toEqual([]);
    expect(rig.status).toMatchObject({ state: 'Sync-Running', hasData: false });
    end.say(endOfData(2, 7, 41));
    expect(rig.updates).toHaveLength(1);
    const { whole, records } = rig.updates[0]!.update;
    expect([whole, records.ipv4.count, records.aspas.length]).toEqual([true, 1, 1]);
    expect(rig.status).toMatchObject({ state: 'Established', sessionId: 7, serial: 41, hasData: true });
  });

  it('asks for changes when the refresh interval is over, and waits no longer than the cache wants (8210-6-1)', () => {
    const rig = new Rig();
    const end = rig.sync(1, 7, 1, [50, 10, 900]);
    rig.seconds(49);
    expect(end.received).toHaveLength(1);
    rig.seconds(2);
    expect(end.last).toMatchObject({ version: 1, type: PDU.serialQuery, session: 7, serial: 1 });
    end.say(cacheResponse(1, 7), prefixPdu(1, VRP, false), endOfData(1, 7, 2));
    expect(rig.updates[1]?.update.whole).toBe(false);
    expect(rig.status.serial).toBe(2);
  });

  it('insists on its own intervals where it is told to, and on those of RFC 8210 otherwise', () => {
    const keep = { ...SETTINGS.intervals, refresh: { seconds: 30, keep: true } };
    const rig = new Rig({ ...SETTINGS, intervals: keep });
    rig.sync(1, 7, 1, [500, 100_000, 200_000]);
    expect(rig.status.timers.refresh?.of).toBe(30_000);
    expect(rig.status.timers.expire?.of).toBe(172_800_000);
    rig.end.events.onClose('gone');
    rig.end.events.onClose('gone');
    expect(rig.status.timers.retry?.of).toBe(7_200_000);
    const short = new Rig();
    short.sync(1, 7, 1, [50, 10, 1]);
    expect(short.status.timers.expire?.of).toBe(600_000);
  });

  const kept = (seconds: number) => ({ seconds, keep: true });
  it.each([
    ['of the cache', {}, [3600, 600, 600], [300, 300, 600]],
    ['that are just as long', {}, [600, 599, 600], [300, 599, 600]],
    [
      'of a cache whose data the operator lets expire',
      { expire: kept(900) },
      [3600, 800, 7200],
      [450, 800, 900],
    ],
    ['of the operator for a cache of another mind', { refresh: kept(3600) }, [50, 10, 600], [300, 10, 600]],
    // Whoever wants just this gets it.
    [
      'of the operator alone',
      { refresh: kept(700), retry: kept(700), expire: kept(600) },
      [1, 1, 1],
      [700, 700, 600],
    ],
  ] as const)(
    'does not let data expire before it asks again: intervals %s (8210-6-1)',
    (_of, own, wanted, used) => {
      const rig = new Rig({ ...SETTINGS, intervals: { ...SETTINGS.intervals, ...own } });
      rig.sync(1, 7, 1, [...wanted]);
      const { refresh, expire } = rig.status.timers;
      rig.end.events.onClose('gone');
      rig.end.events.onClose('gone');
      const { retry } = rig.status.timers;
      expect([refresh, retry, expire].map((timer) => (timer?.of ?? 0) / 1000)).toEqual([...used]);
      // What the operator insists on is as it was once the cache is of one mind with it.
      rig.seconds(used[1]);
      rig.open().say(cacheResponse(1, 7), endOfData(1, 7, 2, [50, 10, 172_800]));
      expect(rig.status.timers.refresh?.of).toBe(('refresh' in own ? own.refresh.seconds : 50) * 1000);
    },
  );

  it('keeps to the same where a cache of version 0 asks for nothing', () => {
    const rig = new Rig({ ...SETTINGS, intervals: { ...SETTINGS.intervals, expire: kept(100) } });
    rig.sync(0);
    expect(rig.status.timers.refresh?.of).toBe(50_000);
  });

  it('asks at once when the cache has news, but not about what it has', () => {
    const rig = new Rig();
    const end = rig.sync();
    end.say(serialNotify(1, 7, 1));
    expect(end.received).toHaveLength(1);
    end.say(serialNotify(1, 7, 2));
    expect(end.last).toMatchObject({ type: PDU.serialQuery, serial: 1 });
    end.say(serialNotify(1, 7, 3), cacheResponse(1, 7), endOfData(1, 7, 2));
    expect(end.last).toMatchObject({ type: PDU.serialQuery, serial: 2 });
  });

  it('passes over notifications before the version is settled (8210-7-1)', () => {
    const rig = new Rig();
    const end = rig.open();
    end.say(serialNotify(0, 9, 5), serialNotify(5, 9, 5));
    expect(end.closed).toBe(false);
    end.say(cacheResponse(1, 7), endOfData(1, 7, 1));
    expect(rig.status).toMatchObject({ state: 'Established', version: 1 });
  });
});

describe('versions', () => {
  it('go down to what the cache answers in (8210-7-2)', () => {
    const rig = new Rig();
    rig.sync(0);
    expect(rig.status).toMatchObject({ version: 0, state: 'Established' });
    rig.seconds(101);
    expect(rig.end.last).toMatchObject({ version: 0, type: PDU.serialQuery });
  });

  it('go down by an Error Report, by what it says or by one (8210-7-2)', () => {
    const rig = new Rig();
    rig.open().say(reportPdu(1, RTR_ERROR.unsupportedVersion));
    expect(rig.ends).toHaveLength(2);
    expect(rig.open().last).toMatchObject({ version: 1, type: PDU.resetQuery });
    rig.end.say(reportPdu(1, RTR_ERROR.unsupportedVersion));
    expect(rig.open().last.version).toBe(0);
    rig.end.say(reportPdu(0, RTR_ERROR.unsupportedVersion));
    expect(rig.status.state).toBe('Protocol-Error');
    rig.seconds(20);
    expect(rig.open().last.version).toBe(2);
  });

  it('go down where the cache hangs up, and begin anew when nothing helps (8210-7-2)', () => {
    const rig = new Rig();
    for (const version of [2, 1, 0]) {
      expect(rig.open().last.version).toBe(version);
      rig.end.events.onClose('the cache has closed the connection');
    }
    expect(rig.ends).toHaveLength(3);
    expect(rig.status.state).toBe('Transport-Error');
    rig.seconds(20);
    expect(rig.open().last.version).toBe(2);
  });

  it('stay as they are once settled: another one ends the session with error 8 (8210-7-2)', () => {
    const rig = new Rig();
    const end = rig.sync();
    end.say(serialNotify(2, 7, 2));
    expect(end.last).toMatchObject({
      version: 1,
      type: PDU.errorReport,
      session: RTR_ERROR.unexpectedVersion,
    });
    expect(end.closed).toBe(true);
  });

  it('outside what is allowed are refused', () => {
    const rig = new Rig({ ...SETTINGS, minVersion: 1 });
    const end = rig.open();
    end.say(cacheResponse(0, 7));
    expect(end.last).toMatchObject({ type: PDU.errorReport, session: RTR_ERROR.unsupportedVersion });
  });

  it('have serial numbers of their own: an answer in another one is no answer (8210-5.1-1)', () => {
    const rig = new Rig();
    rig.sync(2);
    rig.end.events.onClose('gone');
    expect(rig.open().last).toMatchObject({ version: 2, type: PDU.serialQuery });
    rig.end.say(cacheResponse(1, 7));
    expect(rig.open().last).toMatchObject({ version: 1, type: PDU.resetQuery });
  });
});

describe('a lost cache', () => {
  it('is dialled again at once, then at the retry interval, and asked for changes', () => {
    const rig = new Rig();
    rig.sync();
    rig.end.events.onClose('gone');
    expect(rig.ends).toHaveLength(2);
    expect(rig.open().last).toMatchObject({ type: PDU.serialQuery, session: 7, serial: 1 });
    rig.end.events.onClose('gone');
    rig.seconds(599);
    const before = rig.ends.length;
    rig.seconds(2);
    expect(rig.ends).toHaveLength(before + 1);
  });

  it('is dialled by a retry interval that changes meanwhile', () => {
    const rig = new Rig();
    rig.end.events.onClose('refused');
    rig.seconds(8);
    const { intervals } = SETTINGS;
    const retryAfter = (seconds: number) =>
      rig.client.useSettings({
        ...SETTINGS,
        intervals: { ...intervals, retry: { seconds, keep: true } },
      });
    retryAfter(12);
    rig.seconds(3);
    const before = rig.ends.length;
    rig.seconds(2);
    expect(rig.ends).toHaveLength(before + 1);
    rig.end.events.onClose('refused');
    rig.seconds(8);
    retryAfter(5);
    rig.seconds(0);
    expect(rig.ends).toHaveLength(before + 2);
  });

  it('is dialled when it has asked for, where something else changes', () => {
    const rig = new Rig();
    rig.sync(1, 7, 1, [50, 10, 600]);
    rig.end.events.onClose('gone');
    rig.end.events.onClose('gone');
    const { intervals } = SETTINGS;
    rig.client.useSettings({
      ...SETTINGS,
      intervals: { ...intervals, refresh: { seconds: 90, keep: true } },
    });
    const before = rig.ends.length;
    rig.seconds(11);
    expect(rig.ends).toHaveLength(before + 1);
  });

  it('counts on until it expires (8210-6-1)', () => {
    const rig = new Rig();
    rig.sync(1, 7, 1, [50, 10, 600]);
    rig.end.events.onClose('gone');
    rig.seconds(590);
    expect(rig.status.hasData).toBe(true);
    rig.seconds(11);
    expect(rig.status).toMatchObject({ hasData: false, sessionId: undefined });
    expect(rig.updates.at(-1)?.update).toMatchObject({ whole: true, records: { count: 0 } });
    rig.end.events.onClose('gone');
    rig.seconds(10);
    expect(rig.open().last.type).toBe(PDU.resetQuery);
  });

  it('that says nothing is given up', () => {
    const rig = new Rig();
    rig.open();
    rig.seconds(61);
    expect(rig.end.closed).toBe(true);
    expect(rig.status).toMatchObject({ state: 'Transport-Error', problem: 'the cache does not answer' });
  });
});

describe('data that expires', () => {
  /** With a Serial Query under way when its data expires. */
  const overtaken = (...said: Uint8Array[]): { rig: Rig; end: CacheEnd } => {
    const rig = new Rig();
    const end = rig.sync(1, 7, 1, [599, 10, 600]);
    rig.seconds(599);
    expect(end.last.type).toBe(PDU.serialQuery);
    end.say(...said);
    rig.seconds(1);
    expect(rig.status).toMatchObject({ hasData: false, counters: { expirations: 1 } });
    return { rig, end };
  };

  it.each([
    ['asked for', []],
    ['on their way', [cacheResponse(1, 7), prefixPdu(1, VRP)]],
  ])('takes changes that were %s with it: everything is asked for (8210-6-1)', (_when, said) => {
    const { rig, end } = overtaken(...said);
    const { length } = rig.updates;
    if (said.length === 0) end.say(cacheResponse(1, 7));
    end.say(prefixPdu(1, VRP), endOfData(1, 7, 2));
    expect(rig.updates).toHaveLength(length);
    expect(end.closed).toBe(true);
    expect(rig.status).toMatchObject({ state: 'Connecting', hasData: false });
    expect(rig.open().last).toMatchObject({ version: 2, type: PDU.resetQuery });
    rig.end.say(cacheResponse(1, 7), prefixPdu(1, VRP), endOfData(1, 7, 2));
    expect(rig.updates.at(-1)?.update.whole).toBe(true);
  });

  it('does not disturb an answer that brings everything', () => {
    const { rig, end } = overtaken(cacheReset(1));
    expect(end.closed).toBe(false);
    end.say(cacheResponse(1, 7), prefixPdu(1, VRP), endOfData(1, 7, 2));
    expect(rig.updates.at(-1)?.update).toMatchObject({ whole: true, records: { ipv4: { count: 1 } } });
    expect(rig.status).toMatchObject({ hasData: true, serial: 2 });
  });

  it('is asked for at once where nothing else is, and where that waits on no connection', () => {
    const refresh = { seconds: 5000, keep: true };
    const expire = { seconds: 600, keep: true };
    const rig = new Rig({ ...SETTINGS, intervals: { ...SETTINGS.intervals, refresh, expire } });
    const end = rig.sync();
    rig.seconds(600);
    expect(end.last.type).toBe(PDU.resetQuery);
    expect(end.received).toHaveLength(2);
    end.say(cacheResponse(1, 7), prefixPdu(1, VRP), endOfData(1, 7, 2));
    end.events.onClose('gone');
    rig.seconds(600);
    expect(rig.end.received).toHaveLength(0);
    expect(rig.open().last.type).toBe(PDU.resetQuery);
  });

  it('voids changes that have been said and do not count yet', () => {
    const rig = new Rig();
    const end = rig.sync(1, 7, 1, [599, 10, 600]);
    rig.seconds(599);
    rig.prompt = false;
    end.say(cacheResponse(1, 7), endOfData(1, 7, 2));
    rig.seconds(1);
    rig.updates[1]?.done(undefined);
    expect(rig.updates.map(({ update }) => [update.whole, update.records.ipv4.count])).toEqual([
      [true, 1],
      [false, 0],
      [true, 0],
    ]);
    expect(rig.status).toMatchObject({ hasData: false, serial: undefined });
    expect(end.last.type).toBe(PDU.resetQuery);
  });
});

describe('a cache', () => {
  it('without changes to offer is asked for everything (8210-8.3-1)', () => {
    const rig = new Rig();
    const end = rig.sync();
    rig.client.refreshNow();
    end.say(cacheReset(1));
    expect(end.last.type).toBe(PDU.resetQuery);
    end.say(cacheResponse(1, 8), endOfData(1, 8, 5));
    expect(rig.updates.at(-1)?.update.whole).toBe(true);
    expect(rig.status).toMatchObject({ sessionId: 8, serial: 5 });
    expect(rig.status.counters.resets).toBe(1);
  });

  it('without data is asked for everything again and again (8210-8.3-1)', () => {
    const rig = new Rig();
    const end = rig.open();
    end.say(reportPdu(2, RTR_ERROR.noData, 'still reading'));
    expect(rig.status).toMatchObject({
      state: 'No-Data',
      problem: 'the cache says No Data Available: still reading',
    });
    rig.seconds(20);
    expect(end.received.map((bytes) => bytes[1])).toEqual([PDU.resetQuery, PDU.resetQuery]);
    expect(end.closed).toBe(false);
  });

  it.each([
    ['in Cache Response', () => [cacheResponse(1, 8)]],
    ['in End of Data', () => [cacheResponse(1, 7), endOfData(1, 8, 2)]],
    ['in Serial Notify', () => [serialNotify(1, 8, 2)]],
  ])('with another session %s is told error 0, and what it has said is void (8210-5.1-1)', (_where, pdus) => {
    const rig = new Rig();
    const end = rig.sync();
    rig.client.refreshNow();
    end.say(...pdus());
    expect(end.last).toMatchObject({ type: PDU.errorReport, session: RTR_ERROR.corruptData });
    expect(end.closed).toBe(true);
    expect(rig.status.hasData).toBe(false);
    expect(rig.updates.at(-1)?.update).toMatchObject({ whole: true, records: { count: 0 } });
    expect(rig.open().last.type).toBe(PDU.resetQuery);
  });

  it.each([
    ['unknown', RTR_ERROR.unknownRecord],
    ['duplicate', RTR_ERROR.duplicate],
  ] as const)(
    'whose record is %s is told so with the record, and asked for everything later (8210-12-1)',
    (kind, code) => {
      const rig = new Rig();
      const end = rig.sync();
      rig.prompt = false;
      rig.client.refreshNow();
      const record = prefixPdu(1, VRP, kind === 'duplicate');
      end.say(cacheResponse(1, 7), record, endOfData(1, 7, 2));
      rig.updates.at(-1)?.done({ kind, family: 'ipv4', index: 0 });
      expect(end.last).toMatchObject({ type: PDU.errorReport, session: code });
      expect([...end.received.at(-1)!.slice(12, 12 + record.length)]).toEqual([...record]);
      expect(rig.status).toMatchObject({ hasData: true, state: 'Protocol-Error', serial: undefined });
      rig.seconds(600);
      expect(rig.open().last.type).toBe(PDU.resetQuery);
    },
  );

  it('is refused what is out of order or of no known type (8210-12-1)', () => {
    const said = (pdu: Uint8Array) => {
      const rig = new Rig();
      const end = rig.sync();
      end.say(pdu);
      return end.closed ? end.last.session : undefined;
    };
    expect(said(prefixPdu(1, VRP))).toBe(RTR_ERROR.corruptData);
    expect(said(endOfData(1, 7, 2))).toBe(RTR_ERROR.corruptData);
    expect(said(cacheResponse(1, 7))).toBe(RTR_ERROR.corruptData);
    expect(said(cacheReset(1))).toBe(RTR_ERROR.corruptData);
    expect(said(Uint8Array.of(1, 99, 0, 0, 0, 0, 0, 8))).toBe(RTR_ERROR.unsupportedPdu);
    expect(said(Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 8))).toBe(RTR_ERROR.unsupportedPdu);
    expect(said(Uint8Array.of(1, 4, 0, 0, 0, 0, 0, 8))).toBe(RTR_ERROR.corruptData);
  });

  it('is never told of an error in an Error Report', () => {
    const rig = new Rig();
    const end = rig.sync();
    end.say(Uint8Array.of(1, 10, 0, 0, 0, 0, 0, 16, 0, 0, 0, 99, 0, 0, 0, 0));
    expect(end.received).toHaveLength(1);
    expect(end.closed).toBe(true);
  });
});

describe('an update that takes its time', () => {
  it('counts though the connection was lost meanwhile, and the next query waits for it', () => {
    const rig = new Rig();
    rig.prompt = false;
    const end = rig.open();
    end.say(cacheResponse(1, 7), prefixPdu(1, VRP), endOfData(1, 7, 3));
    end.events.onClose('gone');
    rig.seconds(20);
    expect(rig.open().received).toHaveLength(0);
    rig.updates[0]?.done(undefined);
    expect(rig.status).toMatchObject({ hasData: true, serial: 3 });
    expect(rig.end.last).toMatchObject({ type: PDU.serialQuery, serial: 3 });
  });

  it('is taken back where the client was stopped meanwhile', () => {
    const rig = new Rig();
    rig.prompt = false;
    rig.open().say(cacheResponse(1, 7), prefixPdu(1, VRP), endOfData(1, 7, 3));
    rig.client.stop();
    expect(rig.updates.map(({ update }) => update.records.count)).toEqual([1, 0]);
    for (const { done } of rig.updates) done(undefined);
    expect(rig.status).toMatchObject({ state: 'Down', hasData: false });
  });
});

describe('whatever the cache says', () => {
  const version = fc.constantFrom(0, 1, 2);
  const pdu = fc.oneof(
    version.map((each) => cacheResponse(each, 7)),
    version.map((each) => endOfData(each, 7, 1)),
    fc.tuple(version, fc.boolean()).map(([each, announce]) => prefixPdu(each, VRP, announce)),
    version.map((each) => cacheReset(each)),
    version.map((each) => serialNotify(each, 7, 2)),
    fc.tuple(version, fc.integer({ min: 0, max: 10 })).map(([each, code]) => reportPdu(each, code)),
    fc.constant(aspaOf(1, [2])),
    fc.uint8Array({ maxLength: 40 }),
  );
  const step = fc.oneof(
    fc.record({ kind: fc.constant('say' as const), pdu }),
    fc.record({ kind: fc.constantFrom('open', 'close', 'wait', 'stop', 'start', 'done') }),
  );

  it('nothing is thrown, at most one connection is open, and it is always clear what happens next', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rig = new Rig();
        rig.prompt = false;
        for (const each of steps) {
          if (each.kind === 'say' && 'pdu' in each) rig.end.say(each.pdu);
          else if (each.kind === 'open') rig.open();
          else if (each.kind === 'close') rig.end.events.onClose('gone');
          else if (each.kind === 'wait') rig.seconds(30);
          else if (each.kind === 'stop') rig.client.stop();
          else if (each.kind === 'start') rig.client.start();
          else rig.updates.shift()?.done(undefined);
          const { state, timers } = rig.status;
          const open = rig.ends.filter(({ closed }) => !closed);
          if (state === 'Down')
            expect(timers).toEqual({ refresh: undefined, retry: undefined, expire: undefined });
          if (state === 'Protocol-Error' || state === 'Transport-Error') expect(timers.retry).toBeDefined();
          expect(open.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
