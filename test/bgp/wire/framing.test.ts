import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Framer } from '../../../src/bgp/wire/framing.ts';
import { encodeKeepalive, MAX_EXTENDED_LENGTH } from '../../../src/bgp/wire/header.ts';
import { NotificationError } from '../../../src/bgp/wire/notification.ts';
import { concat, hex, message, notificationOf, toHexString, update } from '../../support/wire.ts';

const MARKER = 'ffffffffffffffffffffffffffffffff';

/** Pushes the chunks; returns the messages in hexadecimal and the error that ended the stream. */
function frame(
  chunks: readonly Uint8Array[],
  limit = 4096,
): { messages: string[]; error: string | undefined } {
  const framer = new Framer(limit);
  const messages: string[] = [];
  try {
    for (const chunk of chunks) {
      framer.push(chunk, chunk.length, (buffer, start, end, type) => {
        expect(buffer[start + 18]).toBe(type);
        messages.push(toHexString(buffer.subarray(start, end)));
        return true;
      });
    }
  } catch (error) {
    if (!(error instanceof NotificationError)) throw error;
    return { messages, error: `${error.code}/${error.subcode} ${toHexString(error.data)}`.trim() };
  }
  return { messages, error: undefined };
}

const STREAM = concat(
  hex(`${MARKER} 001d 01 # OPEN
    04 fde9 005a 0a010001 00`),
  encodeKeepalive(),
  update({ attributes: '40010100 40020602010000fde9 4003040a01fffe', nlri: '18cb0071' }),
  hex(`${MARKER} 0017 05 0001 00 01 # ROUTE-REFRESH`),
  hex(`${MARKER} 0015 03 06 02 # NOTIFICATION`),
);

describe('cutting', () => {
  test('4271-4.1-1 a KEEPALIVE is marker, length, type and nothing else', () => {
    expect(toHexString(encodeKeepalive())).toBe(`${MARKER}001304`);
  });

  test('4271-4.1-2 any split of the stream into two chunks gives the same messages', () => {
    const whole = frame([STREAM]);
    expect(whole.messages.map((text) => text.slice(36, 38))).toEqual(['01', '04', '02', '05', '03']);
    for (let at = 0; at <= STREAM.length; at++) {
      expect(frame([STREAM.subarray(0, at), STREAM.subarray(at)])).toEqual(whole);
    }
  });

  test('4271-4.1-2 any split into many chunks gives the same messages and the same error', () => {
    const tails = [new Uint8Array(0), hex('ff00'), hex(`${MARKER} 0012 04`), hex(`${MARKER} 0013 09`)];
    fc.assert(
      fc.property(
        fc.array(fc.nat(STREAM.length + 24), { maxLength: 12 }),
        fc.constantFrom(...tails),
        (cuts, tail) => {
          const stream = concat(STREAM, tail);
          const points = [0, ...cuts.map((cut) => Math.min(cut, stream.length)), stream.length];
          points.sort((a, b) => a - b);
          const chunks = points.slice(1).map((end, i) => stream.subarray(points[i]!, end));
          expect(frame(chunks)).toEqual(frame([stream]));
        },
      ),
    );
  });

  test('octet by octet, with the chunk buffer reused', () => {
    const framer = new Framer();
    const chunk = new Uint8Array(1);
    const messages: string[] = [];
    for (const octet of STREAM) {
      chunk[0] = octet;
      framer.push(chunk, 1, (buffer, start, end) => {
        messages.push(toHexString(buffer.subarray(start, end)));
        return true;
      });
    }
    expect(messages).toEqual(frame([STREAM]).messages);
    expect(framer.pending).toBe(0);
  });

  test('only `length` octets of the chunk count', () => {
    const chunk = concat(encodeKeepalive(), hex('00'));
    const seen: number[] = [];
    new Framer().push(chunk, 19, (_buffer, _start, end) => seen.push(end) > 0);
    expect(seen).toEqual([19]);
  });

  test('a whole message is passed on where it lies, a cut one from the carry', () => {
    const framer = new Framer();
    const chunk = concat(encodeKeepalive(), encodeKeepalive().subarray(0, 5));
    const buffers: Uint8Array[] = [];
    const take = (buffer: Uint8Array) => buffers.push(buffer) > 0;
    framer.push(chunk, chunk.length, take);
    expect(framer.pending).toBe(5);
    const rest = encodeKeepalive().subarray(5);
    framer.push(rest, rest.length, take);
    expect(buffers[0]).toBe(chunk);
    expect(buffers[1]).not.toBe(rest);
  });

  test('onMessage stops the stream for good', () => {
    for (const at of [STREAM.length, 3]) {
      const framer = new Framer();
      let count = 0;
      const stop = () => {
        count++;
        return false;
      };
      framer.push(STREAM.subarray(0, at), at, stop);
      framer.push(STREAM.subarray(at), STREAM.length - at, stop);
      framer.push(STREAM, STREAM.length, stop);
      expect(count).toBe(1);
    }
  });
});

describe('header errors', () => {
  test('4271-6.1-1 a marker that is not all ones is 1/1', () => {
    for (let at = 0; at < 16; at++) {
      const bytes = encodeKeepalive();
      bytes[at] = 0xfe;
      expect(frame([bytes]).error).toBe('1/1');
    }
    // As soon as the octet shows, because there may never be a 19th.
    expect(frame([hex('474554')]).error).toBe('1/1');
  });

  test('4271-6.1-2 a length under 19 or over 4096 is 1/2 with the length as data', () => {
    expect(frame([hex(`${MARKER} 0012 04`)]).error).toBe('1/2 0012');
    expect(frame([hex(`${MARKER} 1001 02`)]).error).toBe('1/2 1001');
    expect(frame([hex(`${MARKER} 1000 02`)]).error).toBeUndefined();
  });

  test('4271-6.1-3 a length that the type cannot have is 1/2', () => {
    expect(frame([hex(`${MARKER} 001c 01`)]).error).toBe('1/2 001c');
    expect(frame([hex(`${MARKER} 0016 02`)]).error).toBe('1/2 0016');
    expect(frame([hex(`${MARKER} 0014 04`)]).error).toBe('1/2 0014');
    expect(frame([hex(`${MARKER} 0014 03`)]).error).toBe('1/2 0014');
  });

  test('4271-6.1-4 an unrecognised type is 1/3 with the type as data', () => {
    for (const type of [0, 6, 7, 128, 255]) {
      const byte = type.toString(16).padStart(2, '0');
      expect(frame([hex(`${MARKER} 0013 ${byte}`)]).error).toBe(`1/3 ${byte}`);
    }
  });

  test('a stream with an error takes nothing more', () => {
    const framer = new Framer();
    const bad = hex(`${MARKER} 0013 09`);
    expect(notificationOf(() => framer.push(bad, bad.length, () => true))?.error).toBe('1/3');
    framer.push(encodeKeepalive(), 19, () => {
      throw new Error('a message after the end');
    });
  });

  test('8654-4-1 with the capability messages reach 65535 octets, but OPEN and KEEPALIVE do not', () => {
    const long = message(2, new Uint8Array(MAX_EXTENDED_LENGTH - 19));
    expect(frame([long], MAX_EXTENDED_LENGTH).messages).toHaveLength(1);
    expect(frame([long.subarray(0, 30), long.subarray(30)], MAX_EXTENDED_LENGTH).messages).toHaveLength(1);
    expect(frame([hex(`${MARKER} 1001 01`)], MAX_EXTENDED_LENGTH).error).toBe('1/2 1001');
    expect(frame([hex(`${MARKER} 1001 04`)], MAX_EXTENDED_LENGTH).error).toBe('1/2 1001');
  });

  test('8654-5-1 without the capability a message over 4096 is 1/2', () => {
    expect(frame([message(2, new Uint8Array(4097 - 19))]).error).toBe('1/2 1001');
    const framer = new Framer();
    framer.setLimit(MAX_EXTENDED_LENGTH);
    const long = message(2, new Uint8Array(4097 - 19));
    let count = 0;
    framer.push(long, long.length, () => ++count > 0);
    expect(count).toBe(1);
  });
});
