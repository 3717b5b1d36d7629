import { describe, expect, it } from 'vitest';
import { Pager } from '../../../src/cli/bird/pager.ts';

const MORE = '--More--';
const ERASE = '\r\u001b[K';

/** What a screen of 4 rows and 10 columns gets, with these keys pressed when asked. */
async function paged(text: string, keys: readonly string[]): Promise<string[]> {
  const written: string[] = [];
  const left = [...keys];
  const raw: boolean[] = [];
  const input = {
    setRawMode: (on: boolean) => void raw.push(on),
    once: (_event: 'data', listener: (data: Buffer) => void) => {
      const key = left.shift();
      if (key === undefined) throw new Error('nobody expected a question');
      queueMicrotask(() => listener(Buffer.from(key)));
    },
    resume: () => {},
    pause: () => {},
  };
  const output = { rows: 4, columns: 10, write: (piece: string) => void written.push(piece) };
  const pager = new Pager(input, output);
  pager.begin();
  await pager.write(text);
  expect(left).toEqual([]);
  expect(raw.filter((on) => on).length).toBe(raw.filter((on) => !on).length);
  return written;
}

describe('the pager', () => {
  it('asks nothing where all fits', async () => {
    expect(await paged('a\nb\nc\n', [])).toEqual(['a\n', 'b\n', 'c\n']);
  });

  it('shows another screen at a space', async () => {
    expect(await paged('1\n2\n3\n4\n5\n6\n', [' '])).toEqual([
      ...['1\n', '2\n', '3\n', MORE, ERASE, '4\n', '5\n', '6\n'],
    ]);
  });

  it('shows another line at Enter', async () => {
    expect(await paged('1\n2\n3\n4\n5\n', ['\r', '\r'])).toEqual([
      ...['1\n', '2\n', '3\n', MORE, ERASE, '4\n', MORE, ERASE, '5\n'],
    ]);
  });

  it('throws the rest away at q, until the next command', async () => {
    expect(await paged('1\n2\n3\n4\n5\n', ['q'])).toEqual(['1\n', '2\n', '3\n', MORE, ERASE]);
  });

  it('counts lines that are too long as what they take', async () => {
    expect(await paged(`${'x'.repeat(25)}\ny\n`, [' '])).toEqual([`${'x'.repeat(25)}\n`, MORE, ERASE, 'y\n']);
  });
});
