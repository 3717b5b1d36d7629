// `godwit events`: what the daemon remembers, what happens next, and a journal's file without a daemon.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatEntryLine } from '../../src/speaker/api/journal.ts';
import { fakeTerminal, startControlLab } from '../support/control-lab.ts';
import { fakeEvent, NOW } from '../support/fake-speaker.ts';

let lab: Awaited<ReturnType<typeof startControlLab>>;
let directory: string;
beforeEach(async () => {
  lab = await startControlLab();
  directory = mkdtempSync(join(tmpdir(), 'godwit-events-'));
});
afterEach(async () => {
  await lab.stop();
  rmSync(directory, { recursive: true, force: true });
});

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

const JOURNAL = [
  fakeEvent({ seq: 1, at: NOW - 3_600_000, sentence: 'an hour ago', severity: 'info', code: 'session-up' }),
  fakeEvent({ seq: 2, sentence: 'a minute ago\u001b[2J' }),
  fakeEvent({
    seq: 3,
    at: NOW,
    peer: 'tor-a',
    kind: 'bfd',
    code: 'bfd-up',
    severity: 'info',
    sentence: 'now',
  }),
];

describe('from the daemon', () => {
  beforeEach(() => {
    lab.speaker.journal = JOURNAL;
  });

  test('for a person: what to do stands below what went wrong', async () => {
    expect(await lab.godwit(['events'])).toEqual({
      code: 0,
      err: '',
      out: lines(
        '2026-03-01 11:00:00  session-up  an hour ago',
        '2026-03-01 11:59:00  hold-timer  a minute ago\\x1b[2J',
        '                     to do: check the path',
        '2026-03-01 12:00:00  bfd-up  now',
      ),
    });
  });

  test('of one peer, by its address, for a script', async () => {
    const { out } = await lab.godwit(['events', '--peer', '10.99.0.2', '--json']);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([expect.objectContaining({ seq: 3, peer: 'tor-a', kind: 'bfd', at: NOW })]);
  });

  test('since a moment; what is no moment is refused', async () => {
    const { out } = await lab.godwit(['events', '--since', '2026-03-01T11:59:30Z']);
    expect(out).toBe(lines('2026-03-01 12:00:00  bfd-up  now'));
    expect(await lab.godwit(['events', '--since', 'soon'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('"soon" is no time: write an age like 90s, 10m'),
    });
  });

  test('nothing', async () => {
    expect((await lab.godwit(['events', '--peer', 'nobody'])).out).toBe('There are no such events.\n');
  });

  test('follows, beginning with the past that was asked for', async () => {
    const terminal = fakeTerminal({
      async write(chunk) {
        terminal.out += chunk;
        if (terminal.out.split('\n').length > 3) terminal.interruption.abort();
      },
    });
    const running = lab.godwit(['events', '--follow', '--since', '2026-03-01T11:59:30Z'], terminal);
    while (lab.speaker.eventListeners.size === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const listener of lab.speaker.eventListeners) {
      listener(fakeEvent({ seq: 4, at: NOW, severity: 'info', sentence: 'four' }));
      // The same again is another event.
      listener(fakeEvent({ seq: 5, at: NOW, severity: 'info', sentence: 'four' }));
    }
    expect(await running).toEqual({
      code: 0,
      err: '',
      out: lines(
        '2026-03-01 12:00:00  bfd-up  now',
        '2026-03-01 12:00:00  hold-timer  four',
        '2026-03-01 12:00:00  hold-timer  four',
      ),
    });
  });
});

describe('from a file', () => {
  /** Nobody is asked: the daemon would remember another event. */
  const replay = async (text: string, ...words: string[]) => {
    const file = join(directory, 'journal.jsonl');
    writeFileSync(file, text);
    return lab.godwit(['events', '--file', file, ...words]);
  };

  test('needs no daemon, and passes over what a crash has cut off', async () => {
    const text = `${JOURNAL.map(formatEntryLine).join('')}\n{"seq":4,"at"`;
    expect(await replay(text, '--since', '10m')).toEqual({
      code: 0,
      err: expect.stringContaining('1 lines of'),
      out: lines(
        '2026-03-01 11:59:00  hold-timer  a minute ago\\x1b[2J',
        '                     to do: check the path',
        '2026-03-01 12:00:00  bfd-up  now',
      ),
    });
  });

  test('of one peer, as JSON', async () => {
    const { out } = await replay(JOURNAL.map(formatEntryLine).join(''), '--peer', 'tor-a', '--json');
    expect(JSON.parse(out)).toMatchObject({ seq: 3, sentence: 'now' });
  });

  test('that is not there', async () => {
    expect(await lab.godwit(['events', '--file', join(directory, 'none')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be read'),
    });
  });
});
