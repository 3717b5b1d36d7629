import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeNotification,
  decodeShutdownText,
  describeNotification,
  encodeHardReset,
  encodeNotification,
  encodeShutdownText,
  formatNotification,
  hardResetInner,
  NotificationError,
} from '../../../src/bgp/wire/notification.ts';
import { hex, toHexString } from '../../support/wire.ts';

test('a NOTIFICATION, both ways', () => {
  const bytes = hex(`
    ffffffffffffffffffffffffffffffff 0017 03 # header
    02 # OPEN Message Error
    01 # Unsupported Version Number
    0004 # the version spoken here`);
  expect(encodeNotification(2, 1, Uint8Array.of(0, 4))).toEqual(bytes);
  expect(decodeNotification(bytes, 0, bytes.length)).toEqual({
    code: 2,
    subcode: 1,
    data: Uint8Array.of(0, 4),
  });
});

test('4271-6-2 data is empty and the subcode 0 unless given', () => {
  const bytes = encodeNotification(4, 0);
  expect(toHexString(bytes.subarray(16))).toBe('0015030400');
});

test('8654-5-2 a NOTIFICATION stays within 4096 octets', () => {
  expect(encodeNotification(7, 1, new Uint8Array(70000))).toHaveLength(4096);
});

test('4271-6.4-1 unknown codes and any data decode to something that can be logged', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 64 }), (code, subcode, data) => {
      const bytes = encodeNotification(code, subcode, data);
      const decoded = decodeNotification(bytes, 0, bytes.length);
      expect(decoded).toEqual({ code, subcode, data });
      expect(formatNotification(decoded)).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test('names', () => {
  expect(describeNotification(6, 2)).toBe('Cease/Administrative Shutdown');
  expect(describeNotification(4, 0)).toBe('Hold Timer Expired');
  expect(describeNotification(3, 10)).toBe('UPDATE Message Error/Invalid Network Field');
  expect(describeNotification(3, 99)).toBe('UPDATE Message Error/subcode 99');
  expect(describeNotification(8, 0)).toBe('Send Hold Timer Expired');
  expect(describeNotification(200, 1)).toBe('Unknown Error 200/1');
  const error = new NotificationError(5, 1, Uint8Array.of(2), 'UPDATE in OpenSent');
  expect(error.message).toBe(
    'Finite State Machine Error/Receive Unexpected Message in OpenSent State: UPDATE in OpenSent',
  );
  expect(error).toBeInstanceOf(Error);
});

describe('shutdown communication', () => {
  test('9003-2-1 length octet and UTF-8 text', () => {
    expect(encodeShutdownText('bye ☕')).toEqual(hex('07 62796520 e29895'));
    expect(decodeShutdownText(hex('07 62796520 e29895'))).toEqual({ text: 'bye ☕', problem: undefined });
    expect(formatNotification({ code: 6, subcode: 2, data: encodeShutdownText('bye') })).toBe(
      'Cease/Administrative Shutdown: "bye"',
    );
  });

  test('9003-2-1 any text fits: cut at a character to the limit, and what is left is a beginning of it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 400 }),
        fc.constantFrom(128, 255),
        (text, limit) => {
          const data = encodeShutdownText(text, limit);
          expect(data.length).toBeLessThanOrEqual(limit + 1);
          expect(data[0]).toBe(data.length - 1);
          const { text: decoded, problem } = decodeShutdownText(data);
          expect(problem).toBeUndefined();
          expect(text.startsWith(decoded ?? '')).toBe(true);
        },
      ),
    );
    expect(decodeShutdownText(encodeShutdownText('x'.repeat(300))).text).toHaveLength(255);
  });

  test('9003-4-1 bad lengths and bad UTF-8 are reported, not interpreted', () => {
    expect(decodeShutdownText(hex('40616263'))).toEqual({
      text: undefined,
      problem: 'length 64 with 3 octets of text',
    });
    expect(decodeShutdownText(hex('04fffec080'))).toEqual({ text: undefined, problem: 'not UTF-8' });
    expect(decodeShutdownText(hex('0161ffff'))).toEqual({ text: 'a', problem: '2 octets after the text' });
    expect(decodeShutdownText(hex(''))).toEqual({ text: undefined, problem: undefined });
    expect(decodeShutdownText(hex('00'))).toEqual({ text: undefined, problem: undefined });
    expect(formatNotification({ code: 6, subcode: 4, data: hex('04fffec080') })).toBe(
      'Cease/Administrative Reset (shutdown text: not UTF-8)',
    );
  });

  test('control characters of the peer do not reach the log', () => {
    const data = encodeShutdownText('a\u001b[2J\nb\u202e');
    expect(formatNotification({ code: 6, subcode: 2, data })).toBe(
      'Cease/Administrative Shutdown: "a\ufffd[2J\ufffdb\ufffd"',
    );
  });
});

test('8538-3.1-1 a Hard Reset carries the inner code, subcode and data', () => {
  const inner = { code: 6, subcode: 2, data: encodeShutdownText('gone') };
  const data = encodeHardReset(inner);
  expect(data).toEqual(hex('06 02 04 676f6e65'));
  expect(hardResetInner({ code: 6, subcode: 9, data })).toEqual(inner);
  expect(formatNotification({ code: 6, subcode: 9, data })).toBe(
    'Cease/Hard Reset (Cease/Administrative Shutdown: "gone")',
  );
  expect(hardResetInner({ code: 6, subcode: 9, data: hex('06') })).toBeUndefined();
  expect(hardResetInner({ code: 6, subcode: 8, data })).toBeUndefined();
});
