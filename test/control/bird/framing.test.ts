import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader, MAX_COMMAND } from '../../../src/control/bird/line-reader.ts';
import { asynchronous, type Line, line, ReplyFramer } from '../../../src/control/bird/reply.ts';

/** What a client makes of the wire: lines with their codes, and whether the reply ended with the last one. */
function readReply(wire: string): { lines: Line[]; ends: number[]; asides: string[] } {
  const lines: Line[] = [];
  const ends: number[] = [];
  const asides: string[] = [];
  let code = -1;
  for (const text of wire.split('\n').slice(0, -1)) {
    if (text.startsWith('+')) {
      asides.push(text.slice(1));
      continue;
    }
    if (text.startsWith(' ')) {
      lines.push({ code, text: text.slice(1) });
      continue;
    }
    const match = /^(\d{4})([- ])(.*)$/s.exec(text);
    if (match === null) throw new Error(`no line of a reply: ${JSON.stringify(text)}`);
    code = Number(match[1]);
    if (match[2] === ' ') ends.push(lines.length);
    lines.push({ code, text: match[3]! });
  }
  return { lines, ends, asides };
}

const printable = fc.string({ unit: fc.constantFrom(...' abcXYZ0129-+\t:/.[]*\u00e9') });
const replyLines = fc.array(fc.record({ code: fc.nat({ max: 9999 }), text: printable }), { maxLength: 30 });

function frame(lines: readonly Line[]): string {
  const framer = new ReplyFramer();
  return lines.map((each) => framer.push(each)).join('') + framer.end();
}

describe('a reply', () => {
  it('is read as it was meant, and only its last line ends it', () => {
    fc.assert(
      fc.property(replyLines, (lines) => {
        const { lines: read, ends } = readReply(frame(lines));
        expect(read).toEqual(lines.length === 0 ? [{ code: 0, text: '' }] : lines);
        expect(ends).toEqual([read.length - 1]);
      }),
    );
  });

  it('names a code once in a row, and always in the last line', () => {
    const lines = [line(1007, 'a'), line(1007, 'b'), line(1008, 'c'), line(1007, 'd'), line(1007, 'e')];
    expect(frame(lines)).toBe('1007-a\n b\n1008-c\n1007-d\n1007 e\n');
    expect(frame([line(0, '')])).toBe('0000 \n');
    expect(frame([])).toBe('0000 \n');
  });

  it('stays a line whatever a peer has said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const wire = frame([line(1006, text), line(0, '')]);
        expect(wire.split('\n')).toHaveLength(3);
        expect(asynchronous(text).split('\n')).toHaveLength(2);
      }),
    );
    expect(frame([line(1006, 'a\nb\r\x1b[2J'), line(0, '')])).toBe('1006-a?b??[2J\n0000 \n');
    expect(frame([line(1006, 'x'.repeat(5000)), line(0, '')])).toBe('1006-<line overflow>\n0000 \n');
  });

  it('may be interrupted by asynchronous lines', () => {
    const framer = new ReplyFramer();
    const wire = [
      framer.push(line(1002, 'a')),
      framer.push(line(1002, 'b')),
      asynchronous('peer is up'),
      framer.push(line(0, '')),
      framer.end(),
    ].join('');
    expect(readReply(wire)).toEqual({
      lines: [line(1002, 'a'), line(1002, 'b'), line(0, '')],
      ends: [2],
      asides: ['peer is up'],
    });
  });
});

describe('commands', () => {
  const command = fc.string({ unit: fc.constantFrom(...'show protocols "*"{}0129.:/\t\u00e9') });

  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(command), fc.array(fc.nat({ max: 40 })), (commands, cuts) => {
        const bytes = Buffer.from(commands.map((text) => `${text}\n`).join(''));
        const reader = new LineReader();
        const read: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const { lines, tooLong } = reader.push(bytes.subarray(at, Math.min(bytes.length, at + cut)));
          expect(tooLong).toBe(false);
          read.push(...lines);
          at = Math.min(bytes.length, at + cut);
        }
        expect(read).toEqual(commands);
        expect(reader.end()).toBeUndefined();
      }),
    );
  });

  it('may end in CRLF, and the last one in nothing', () => {
    const reader = new LineReader();
    expect(reader.push(Buffer.from('show status\r\n\r\nshow'))).toEqual({
      lines: ['show status', ''],
      tooLong: false,
    });
    expect(reader.end()).toBe('show');
  });

  it('are at most so long, in one piece or in many', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20 }), fc.integer({ min: 1, max: 7 }), (limit, step) => {
        const reader = new LineReader(limit);
        const fits = Buffer.from(`${'x'.repeat(limit)}\n`);
        expect(reader.push(fits)).toEqual({ lines: ['x'.repeat(limit)], tooLong: false });
        const tooLong: boolean[] = [];
        for (let sent = 0; sent <= limit; sent += step) {
          tooLong.push(reader.push(Buffer.from('y'.repeat(step))).tooLong);
        }
        expect(tooLong.at(-1)).toBe(true);
        expect(tooLong.slice(0, -1)).not.toContain(true);
      }),
    );
    const reader = new LineReader();
    expect(reader.push(Buffer.from(`${'x'.repeat(MAX_COMMAND + 1)}\n`)).tooLong).toBe(true);
  });
});
