import { execFileSync } from 'node:child_process';
import { closeSync, constants, read as fsRead, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LineSink } from '../../src/cli/line-sink.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { requireKoffi } from '../../src/lib/koffi.ts';

const LINE_LENGTH = 1000;
/** More than the sink keeps. */
const LINES = 6000;

const libc = process.platform === 'linux' ? requireKoffi()?.load(null) : undefined;

test.skipIf(libc === undefined)('a disk that was full is written again when it has room', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-sink-'));
  const path = join(directory, 'log');
  const fd = openSync('/dev/full', 'w');
  const sink = new LineSink(fd);
  for (const line of ['one', 'two']) {
    sink.write(line);
    await new Promise<void>((done) => sink.end(done));
  }
  const file = openSync(path, 'w');
  libc?.func('int dup2(int, int)')(file, fd);
  sink.write('three');
  await new Promise<void>((done) => sink.end(done));
  expect(readFileSync(path, 'utf8')).toBe(
    '... 2 log lines were lost because they could not be written\nthree\n',
  );
  for (const each of [file, fd]) closeSync(each);
  rmSync(directory, { recursive: true });
});

test.skipIf(process.platform !== 'linux')(
  'a pipe that nobody reads costs lines, no memory and no time',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'godwit-sink-'));
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, 'w');
    let now = 0;
    const sink = new LineSink(writer, {
      lossLine: (text) => `<${text}>`,
      clock: { ...systemClock, now: () => now },
    });
    const line = 'x'.repeat(LINE_LENGTH);
    for (let i = 0; i < LINES; i++) sink.write(line);
    now += 10_000;
    expect(sink.flush()).toBe(false);

    const ended = new Promise<void>((done) => sink.end(done));
    let text = '';
    const buffer = Buffer.alloc(1 << 16);
    const read = (): Promise<number> =>
      new Promise((done) =>
        fsRead(reader, buffer, 0, buffer.length, null, (_error, length) => done(length ?? 0)),
      );
    while (!text.endsWith('>\n')) text += buffer.toString('latin1', 0, await read());
    await ended;
    const lines = text.split('\n').slice(0, -1);
    const notice = lines.pop();
    // One is on its way already when the others begin to wait.
    expect(lines).toEqual(Array(lines.length).fill(line));
    expect(lines.length * LINE_LENGTH).toBeLessThan(5 * 2 ** 20);
    expect(notice).toBe(`<${LINES - lines.length} log lines were lost because nobody read them>`);
    expect(sink.flush()).toBe(true);
    for (const each of [reader, writer]) closeSync(each);
    rmSync(directory, { recursive: true });
  },
);
