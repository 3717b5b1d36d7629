import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { OutputClosedError, processTerminal, type TerminalProcess } from '../../src/cli/terminal.ts';

function fakeProcess(overrides: Partial<TerminalProcess> & { tty?: boolean; columns?: number } = {}) {
  const signals = new EventEmitter();
  const written: string[] = [];
  let failure: Error | undefined;
  const sink = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      setImmediate(() => done(failure));
    },
  });
  const stdout = Object.assign(sink, {
    isTTY: overrides.tty === true,
    ...(overrides.columns !== undefined && { columns: overrides.columns }),
  });
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      written.push(`err ${chunk}`);
      done();
    },
  });
  const terminal = processTerminal({
    stdout,
    stderr,
    env: {},
    once: (signal, listener) => signals.once(signal, listener),
    ...overrides,
  });
  return {
    terminal,
    signals,
    written,
    stdout,
    fail: (code: string) => {
      failure = Object.assign(new Error(`write ${code}`), { code });
    },
  };
}

test('writing waits for the reader and leaves no listeners behind', async () => {
  const { terminal, written, stdout } = fakeProcess();
  const before = stdout.eventNames().length;
  for (let i = 0; i < 50; i++) await terminal.write(`${i}`);
  expect(written).toHaveLength(50);
  expect(stdout.eventNames()).toHaveLength(before);
  expect(stdout.listenerCount('error')).toBe(1);
  terminal.warn('oops');
  expect(written.at(-1)).toBe('err oops\n');
});

test('a reader that leaves ends the writing and interrupts', async () => {
  const { terminal, fail } = fakeProcess();
  const { interrupted } = terminal;
  fail('EPIPE');
  await expect(terminal.write('x')).rejects.toThrow(OutputClosedError);
  await expect(terminal.write('y')).rejects.toThrow(OutputClosedError);
  expect(interrupted.aborted).toBe(true);
  expect(terminal.interrupted.aborted).toBe(true);
});

test('a disk that is full fails the command: half an output must not pass for a whole one', async () => {
  const { terminal, fail } = fakeProcess();
  const { interrupted } = terminal;
  fail('ENOSPC');
  const failed = { name: 'ExitError', code: EXIT.failed, message: expect.stringContaining('write ENOSPC') };
  await expect(terminal.write('x')).rejects.toMatchObject(failed);
  await expect(terminal.write('y')).rejects.toMatchObject(failed);
  expect(interrupted.aborted).toBe(true);
});

test('signals interrupt only once somebody asked', () => {
  const { terminal, signals } = fakeProcess();
  expect(signals.eventNames()).toEqual([]);
  const { interrupted } = terminal;
  expect(signals.eventNames()).toEqual(['SIGINT', 'SIGTERM']);
  signals.emit('SIGINT');
  expect(interrupted.aborted).toBe(true);
});

test.each([
  ['a pipe', { columns: 100 }, undefined, false],
  ['a terminal', { tty: true, columns: 100 }, 100, true],
  ['a terminal of unknown width', { tty: true }, 80, true],
  ['NO_COLOR', { tty: true, env: { NO_COLOR: '1' } }, 80, false],
  ['an empty NO_COLOR', { tty: true, env: { NO_COLOR: '' } }, 80, true],
  ['a dumb terminal', { tty: true, env: { TERM: 'dumb' } }, 80, false],
] as const)('%s', (_, options, columns, color) => {
  const { terminal } = fakeProcess(options);
  expect([terminal.columns, terminal.color]).toEqual([columns, color]);
});
