// The journal in memory and in its file: order, bounds, rotation, disks that fail, and reading it back.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock, Timer } from '../../../src/lib/clock.ts';
import type { LogFields, Logger } from '../../../src/lib/log.ts';
import {
  EVENT_KINDS,
  EVENT_SEVERITIES,
  formatEntryLine,
  type JournalEntry,
  parseEntryLine,
} from '../../../src/speaker/api/journal.ts';
import { FileJournal, type JournalStore } from '../../../src/speaker/journal/file-journal.ts';
import { Journal } from '../../../src/speaker/journal/journal.ts';
import { journalingLog } from '../../../src/speaker/journal/journaling-log.ts';

class HandClock implements Clock {
  time = 0;
  readonly #timers = new Set<{ at: number; fn: () => void }>();
  now = () => this.time;
  wallTime = () => 1_000_000 + this.time;
  setTimer(delayMs: number, fn: () => void): Timer {
    const timer = { at: this.time + delayMs, fn };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
  advance(ms: number): void {
    this.time += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.time) continue;
      this.#timers.delete(timer);
      timer.fn();
    }
  }
  get waiting(): number {
    return this.#timers.size;
  }
}

class MemStore implements JournalStore {
  readonly files = new Map<string, string>();
  broken: string | undefined;
  /** Characters of an append that get through before it fails. */
  partial = 0;
  async open(path: string): Promise<number> {
    if (this.broken !== undefined && this.partial === 0) throw new Error(this.broken);
    return this.files.get(path)?.length ?? 0;
  }
  async append(path: string, text: string): Promise<void> {
    const taken = this.broken === undefined ? text : text.slice(0, this.partial);
    this.files.set(path, (this.files.get(path) ?? '') + taken);
    if (this.broken !== undefined) throw new Error(this.broken);
  }
  appendNow(path: string, text: string): void {
    this.files.set(path, (this.files.get(path) ?? '') + text);
  }
  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.files.get(from) ?? '');
    this.files.delete(from);
  }
}

class Lines implements Logger {
  readonly lines: string[] = [];
  #add(level: string, fields: LogFields, message: string): void {
    this.lines.push(`${level} ${message}${'problem' in fields ? ` (${String(fields['problem'])})` : ''}`);
  }
  debug = (fields: LogFields, message: string) => this.#add('debug', fields, message);
  info = (fields: LogFields, message: string) => this.#add('info', fields, message);
  warn = (fields: LogFields, message: string) => this.#add('warn', fields, message);
  error = (fields: LogFields, message: string) => this.#add('error', fields, message);
  child = () => this;
}

function rig(maxSize = 100_000) {
  const clock = new HandClock();
  const journal = new Journal(clock, 100);
  const store = new MemStore();
  const log = new Lines();
  const file = new FileJournal(journal, { store, clock, log });
  file.use({ file: '/j', maxSize });
  const read = (path = '/j') =>
    (store.files.get(path) ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => parseEntryLine(line)?.sentence);
  return { clock, journal, store, log, file, read };
}

describe('the journal in memory', () => {
  it('keeps the newest, in order, with moments and numbers', () => {
    const clock = new HandClock();
    const journal = new Journal(clock, 3);
    for (const text of ['a', 'b', 'c', 'd', 'e']) {
      clock.advance(10);
      journal.note('started', text, text === 'd' ? 'tor-a' : undefined);
    }
    const all = [...journal.entries({})];
    expect(all.map(({ seq, sentence }) => `${seq} ${sentence}`)).toEqual(['3 c', '4 d', '5 e']);
    expect(all[0]).toMatchObject({ at: 1_000_030, kind: 'daemon', severity: 'info', code: 'started' });
    expect([...journal.entries({ peer: 'tor-a' })].map(({ seq }) => seq)).toEqual([4]);
    expect([...journal.entries({ since: 1_000_041 })].map(({ seq }) => seq)).toEqual([5]);
    expect(journal.count).toBe(5);
  });

  it('any capacities, one after the other: always the newest that fit', () => {
    const steps = fc.array(fc.record({ add: fc.nat(9), capacity: fc.integer({ min: 1, max: 12 }) }));
    fc.assert(
      fc.property(steps, (all) => {
        const journal = new Journal(new HandClock(), 5);
        let model: number[] = [];
        let seq = 0;
        let capacity = 5;
        for (const step of all) {
          for (let i = 0; i < step.add; i++) {
            journal.note('started', 'x');
            model = [...model, ++seq].slice(-capacity);
          }
          capacity = step.capacity;
          journal.resize(capacity);
          model = model.slice(-capacity);
          expect([...journal.entries({})].map((entry) => entry.seq)).toEqual(model);
        }
      }),
    );
  });

  it('tells followers until they stop, and cuts what is too long', () => {
    const journal = new Journal(new HandClock(), 3);
    const heard: number[] = [];
    const stop = journal.follow(({ sentence }) => heard.push(sentence.length));
    journal.note('started', 'x'.repeat(5000));
    stop();
    journal.note('started', 'y');
    expect(heard).toEqual([2000]);
  });
});

describe('a line of the file', () => {
  it('any entry survives', () => {
    const entry: fc.Arbitrary<JournalEntry> = fc.record({
      seq: fc.nat(),
      at: fc.nat(),
      kind: fc.constantFrom(...EVENT_KINDS),
      severity: fc.constantFrom(...EVENT_SEVERITIES),
      code: fc.string(),
      peer: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      sentence: fc.string({ unit: 'binary' }),
      advice: fc.option(fc.string(), { nil: undefined }),
    });
    fc.assert(
      fc.property(entry, (each) => {
        const line = formatEntryLine(each);
        expect(line.slice(0, -1)).not.toContain('\n');
        expect(parseEntryLine(line.slice(0, -1))).toEqual(each);
      }),
    );
  });

  it('what is no entry is none, and nothing throws', () => {
    const good = formatEntryLine({
      seq: 1,
      at: 2,
      kind: 'bfd',
      severity: 'info',
      code: 'c',
      peer: undefined,
      sentence: 's',
      advice: undefined,
    });
    for (let cut = 0; cut < good.length - 1; cut++)
      expect(parseEntryLine(good.slice(0, cut))).toBeUndefined();
    fc.assert(fc.property(fc.json(), (text) => void parseEntryLine(text)));
    expect(parseEntryLine(good.replace('"bfd"', '"x"'))).toBeUndefined();
    expect(parseEntryLine(good.replace('"at":2', '"at":"2"'))).toBeUndefined();
  });
});

describe('the file', () => {
  it('is appended to, by more than one run', async () => {
    const { journal, file, store, read } = rig();
    store.files.set('/j', formatEntryLine({ ...[...journal.entries({})][0]!, seq: 1 }));
    store.files.set('/j', '');
    journal.note('started', 'one');
    journal.note('started', 'two');
    await file.flush();
    journal.note('stopping', 'three');
    await file.close();
    expect(read()).toEqual(['one', 'two', 'three']);
  });

  it('does not hold who closes it where the disk hangs', async () => {
    const { journal, file, store, clock } = rig();
    store.append = () => new Promise(() => {});
    journal.note('stopping', 'one');
    const closed = file.close();
    clock.advance(1000);
    await closed;
    expect(clock.waiting).toBe(0);
  });

  it('is rotated before it is too large, and one old file is kept', async () => {
    const { journal, file, store, read } = rig(1000);
    for (let i = 0; i < 30; i++) {
      journal.note('started', `number ${i}`);
      await file.flush();
      expect(store.files.get('/j')!.length).toBeLessThanOrEqual(1000);
    }
    expect([...store.files.keys()].sort()).toEqual(['/j', '/j.1']);
    const last = [...read('/j.1'), ...read()];
    expect(last.at(-1)).toBe('number 29');
    expect(last).toEqual(Array.from({ length: last.length }, (_, i) => `number ${30 - last.length + i}`));
  });

  it('a disk that is full drops events with one warning, and later says how many', async () => {
    const { clock, journal, file, store, log, read } = rig();
    journal.note('started', 'before');
    await file.flush();
    store.broken = 'ENOSPC: no space left on device';
    store.partial = 7;
    for (let i = 0; i < 3; i++) {
      journal.note('started', `lost ${i}`);
      await file.flush();
      clock.advance(5000);
    }
    await file.flush();
    expect(log.lines).toEqual([
      'warn the journal cannot be written: events are dropped (ENOSPC: no space left on device)',
    ]);
    store.broken = undefined;
    clock.advance(5000);
    journal.note('started', 'after');
    await file.flush();
    const sentences = read().filter((sentence) => sentence !== undefined);
    expect(sentences[0]).toBe('before');
    expect(sentences).toContain('after');
    expect(sentences.at(-1)).toMatch(/lacks \d events/);
    expect(log.lines).toHaveLength(2);
    // In memory nothing is missing.
    expect([...journal.entries({})].filter(({ sentence }) => sentence.startsWith('lost'))).toHaveLength(3);
  });

  it('what waits for a disk that hangs is bounded', async () => {
    const clock = new HandClock();
    const journal = new Journal(clock, 10);
    let waiting = 0;
    const never = new Promise<void>(() => {});
    const store: JournalStore = {
      open: async () => 0,
      append: (_path, text) => {
        waiting += text.length;
        return never;
      },
      appendNow: (_path, text) => {
        waiting += text.length;
      },
      rename: () => never,
    };
    const file = new FileJournal(journal, { store, clock, log: new Lines() });
    file.use({ file: '/j', maxSize: 1 << 30 });
    for (let i = 0; i < 5000; i++) journal.note('started', 'x'.repeat(1000));
    await Promise.resolve();
    file.flushNow();
    expect(waiting).toBeLessThan(2.2 * 1024 * 1024);
    expect(waiting).toBeGreaterThan(900_000);
  });

  it('goes where a new configuration says, and nowhere', async () => {
    const { journal, file, store, read } = rig();
    journal.note('started', 'one');
    await file.flush();
    file.use({ file: '/k', maxSize: 1000 });
    journal.note('started', 'two');
    await file.flush();
    file.use({ file: undefined, maxSize: 1000 });
    journal.note('started', 'three');
    await file.flush();
    expect([read(), read('/k'), store.files.size]).toEqual([['one'], ['two'], 2]);
  });

  /** A store whose next call of one kind waits until it is let go. */
  function held(store: MemStore, kind: 'open' | 'append'): { go(): void } {
    let go = (): void => {};
    const promise = new Promise<void>((resolve) => {
      go = resolve;
    });
    const open = store.open.bind(store);
    const append = store.append.bind(store);
    if (kind === 'open')
      store.open = async (path) => {
        store.open = open;
        await promise;
        return open(path);
      };
    else
      store.append = async (path, text) => {
        store.append = append;
        await promise;
        await append(path, text);
      };
    return { go };
  }

  it.each(['open', 'append'] as const)(
    'goes there while the disk is at the old one (%s), and knows the sizes of both',
    async (kind) => {
      const { journal, file, store, read } = rig(1000);
      store.files.set('/k', `${'x'.repeat(899)}\n`);
      const hold = held(store, kind);
      journal.note('started', 'one');
      file.use({ file: '/k', maxSize: 1000 });
      journal.note('started', 'two');
      hold.go();
      for (let i = 0; i < 20; i++) {
        await file.flush();
        journal.note('started', `number ${i}`);
        expect(store.files.get('/k')?.length ?? 0).toBeLessThanOrEqual(1000);
      }
      await file.flush();
      expect(read()).toEqual(['one']);
      expect([...store.files.keys()].sort()).toEqual(['/j', '/k', '/k.1']);
    },
  );

  it('does not begin with the end of a line that another one lacks', async () => {
    const { clock, journal, file, store, read } = rig();
    store.broken = 'ENOSPC: no space left on device';
    store.partial = 7;
    journal.note('started', 'lost');
    await file.flush();
    store.broken = undefined;
    file.use({ file: '/k', maxSize: 100_000 });
    clock.advance(5000);
    journal.note('started', 'one');
    await file.flush();
    expect(store.files.get('/k')).toMatch(/^\{/);
    file.use({ file: '/j', maxSize: 100_000 });
    journal.note('started', 'two');
    await file.flush();
    expect(read().at(-1)).toBe('two');
  });
});

it('warnings and errors of a log become events, their fields do not', () => {
  const journal = new Journal(new HandClock(), 10);
  const lines = new Lines();
  const codes = { warning: 'kernel-notice', error: 'kernel-problem' } as const;
  const log = journalingLog(lines, journal, codes).child({ part: 'fib' });
  log.debug({}, 'a');
  log.info({}, 'b');
  log.warn({ password: 'hunter2', peer: 'tor-a' }, 'c');
  log.error({ error: new Error('ENOBUFS') }, 'd');
  expect(lines.lines).toEqual(['debug a', 'info b', 'warn c', 'error d']);
  expect([...journal.entries({})].map(({ code, sentence, peer }) => `${code} ${sentence} ${peer}`)).toEqual([
    'kernel-notice c tor-a',
    'kernel-problem d: ENOBUFS undefined',
  ]);
});
