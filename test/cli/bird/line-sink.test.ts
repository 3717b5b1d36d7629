import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LineSink } from '../../../src/cli/bird/line-sink.ts';
import { requireKoffi } from '../../../src/lib/koffi.ts';

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
  expect(readFileSync(path, 'utf8')).toBe('... 2 lines were lost\nthree\n');
  for (const each of [file, fd]) closeSync(each);
  rmSync(directory, { recursive: true });
});
