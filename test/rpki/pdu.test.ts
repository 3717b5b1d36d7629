import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/lib/bytes.ts';
import {
  errorReport,
  intervalsOf,
  PduFramer,
  readErrorReport,
  resetQuery,
  serialOf,
  serialQuery,
  sessionOf,
  shapeProblem,
} from '../../src/rpki/pdu.ts';
import { LONGEST_PDU, RTR_ERROR } from '../../src/rpki/protocol.ts';
import { aspaPdu, RecordBatch } from '../../src/rpki/record-batch.ts';
import { aspaOf, endOfData, oldAspaOf, prefixPdu, reportPdu } from '../support/rtr-cache.ts';

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

function hex(text: string): Uint8Array {
  const bytes = fromHex(text.replaceAll(' ', ''));
  if (bytes === undefined) throw new Error(`${text} are no octets`);
  return bytes;
}

describe('queries', () => {
  it('are the octets of RFC 8210 §5.3 and §5.4', () => {
    expect(toHex(resetQuery(1))).toBe('0102000000000008');
    expect(toHex(serialQuery(2, 0xabcd, 0x01020304))).toBe('0201abcd0000000c01020304');
  });

  it('carry any session and serial', () => {
    fc.assert(
      fc.property(uint16, uint32, (session, serial) => {
        const bytes = serialQuery(1, session, serial);
        expect([sessionOf(bytes, 0), serialOf(bytes, 0)]).toEqual([session, serial]);
        expect(shapeProblem(bytes, 0, 1)).toBeUndefined();
      }),
    );
  });
});

describe('an error report', () => {
  it('quotes the PDU and says why (RFC 8210 §5.11)', () => {
    const bytes = errorReport(1, { code: RTR_ERROR.corruptData, text: 'no' }, resetQuery(1));
    expect(toHex(bytes)).toBe('010a00000000001a 00000008 0102000000000008 00000002 6e6f'.replaceAll(' ', ''));
    expect(readErrorReport(bytes, 0, bytes.length)).toEqual({ code: 0, text: 'no' });
  });

  it('is read whatever it quotes, and shown without escapes', () => {
    fc.assert(
      fc.property(uint16, fc.uint8Array({ maxLength: 600 }), fc.string(), (code, quoted, text) => {
        const bytes = errorReport(1, { code, text }, quoted);
        const read = readErrorReport(bytes, 0, bytes.length);
        expect(read?.code).toBe(code);
        expect(read?.text).not.toMatch(/\p{C}/u);
      }),
    );
    expect(readErrorReport(reportPdu(1, 2, 'a\u001b[1m\nb'), 0, 24)?.text).toBe('a [1m b');
  });

  it('is refused where its lengths do not fit', () => {
    const bytes = hex('010a0000 00000010 000000ff 00000000');
    expect(readErrorReport(bytes, 0, bytes.length)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 64 }), (bytes) => {
        readErrorReport(bytes, 0, bytes.length);
      }),
    );
  });
});

describe('records', () => {
  it('are read from the octets of RFC 8210 §5.6 and §5.7', () => {
    const batch = new RecordBatch();
    expect(batch.take(hex('01040000 00000014 01181900 c0000200 0000fde9'), 0)).toBeUndefined();
    const ipv6 = '01060000 00000020 00203000 20010db8 00000000 00000000 00000000 ffffffff';
    expect(batch.take(hex(ipv6), 0)).toBeUndefined();
    const { ipv4, ipv6: six } = batch;
    expect([ipv4.bits(0), ipv4.maxLength(0), ipv4.asn(0), ipv4.announces(0)]).toEqual([24, 25, 65001, true]);
    expect(ipv4.words[0]! >>> 0).toBe(0xc0000200);
    expect([six.bits(0), six.maxLength(0), six.asn(0), six.announces(0)]).toEqual([
      32,
      48,
      0xffffffff,
      false,
    ]);
    expect(toHex(six.pdu(0, 1))).toBe(ipv6.replaceAll(' ', ''));
  });

  it('come back as the PDU that they came in, host bits aside', () => {
    const vrp = fc.constantFrom(4, 16).chain((octets) =>
      fc.record({
        prefix: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: octets, maxLength: octets }),
        maxLength: fc.integer({ min: 0, max: octets * 8 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        asn: uint32,
      }),
    );
    fc.assert(
      fc.property(vrp, fc.boolean(), ({ prefix, maxLength, share, asn }, announce) => {
        const bits = Math.floor(maxLength * share);
        const masked = prefix.map((octet, i) => octet & (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))));
        const batch = new RecordBatch();
        expect(batch.take(prefixPdu(1, { prefix, bits, maxLength, asn }, announce), 0)).toBeUndefined();
        const records = prefix.length === 4 ? batch.ipv4 : batch.ipv6;
        const wanted = prefixPdu(1, { prefix: masked, bits, maxLength, asn }, announce);
        expect(toHex(records.pdu(0, 1))).toBe(toHex(wanted));
      }),
    );
  });

  it('are refused with lengths that cannot be', () => {
    const take = (bits: number, maxLength: number) =>
      new RecordBatch().take(prefixPdu(1, { prefix: [10, 0, 0, 0], bits, maxLength, asn: 1 }), 0)?.code;
    expect([take(24, 23), take(24, 33), take(33, 33), take(24, 24)]).toEqual([0, 0, 0, undefined]);
  });

  it('of ASPA come in the form of today and in that of draft 10', () => {
    const batch = new RecordBatch();
    expect(batch.take(hex('020b0100 00000014 0000fde8 0000fde9 0000fdea'), 0)).toBeUndefined();
    expect(batch.take(aspaOf(65000, [], false), 0)).toBeUndefined();
    expect(batch.take(oldAspaOf(65000, [3, 1, 2, 3]), 0)).toBeUndefined();
    expect(batch.take(oldAspaOf(65000, [], false), 0)).toBeUndefined();
    expect(
      batch.aspas.map(({ announce, customer, providers }) => [announce, customer, ...providers]),
    ).toEqual([
      [true, 65000, 65001, 65002],
      [false, 65000],
      [true, 65000, 1, 2, 3],
      [false, 65000],
    ]);
    expect(batch.take(aspaOf(65000, []), 0)?.code).toBe(RTR_ERROR.aspaProviders);
    expect(toHex(aspaPdu(batch.aspas[0]!))).toBe('020b0100000000140000fde80000fde90000fdea');
  });

  it('of ASPA never throw', () => {
    const body = fc.uint8Array({ minLength: 4, maxLength: 40 });
    fc.assert(
      fc.property(uint16, body, (flags, octets) => {
        const length = 8 + octets.length;
        const pdu = Uint8Array.of(2, 11, flags >> 8, flags & 255, 0, 0, 0, length, ...octets);
        new RecordBatch().take(pdu, 0);
      }),
    );
  });
});

describe('the intervals of End of Data', () => {
  it('are there from version 1 on', () => {
    expect(intervalsOf(endOfData(1, 7, 1, [10, 20, 30]), 0)).toEqual({ refresh: 10, retry: 20, expire: 30 });
    expect(intervalsOf(endOfData(0, 7, 1), 0)).toBeUndefined();
    expect(shapeProblem(endOfData(0, 7, 1), 0, 1)?.code).toBe(RTR_ERROR.corruptData);
  });
});

describe('what a version does not have', () => {
  it('is an unsupported PDU (8210-12-1)', () => {
    expect(shapeProblem(aspaOf(1, [2]), 0, 1)?.code).toBe(RTR_ERROR.unsupportedPdu);
    expect(shapeProblem(hex('0109000000000008'), 0, 0)?.code).toBe(RTR_ERROR.unsupportedPdu);
    expect(shapeProblem(hex('0105000000000008'), 0, 1)?.code).toBe(RTR_ERROR.unsupportedPdu);
  });
});

describe('the framer', () => {
  it('gives the same PDUs however the octets arrive', () => {
    const pdus = fc.array(fc.constantFrom(resetQuery(1), endOfData(1, 1, 1), aspaOf(1, [2, 3])));
    fc.assert(
      fc.property(pdus, fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (wanted, sizes) => {
        const stream = Uint8Array.from(wanted.flatMap((each) => [...each]));
        const framer = new PduFramer();
        const found: string[] = [];
        for (let at = 0; at < stream.length; ) {
          const chunk = stream.slice(at, at + sizes.next().value);
          framer.push(chunk, chunk.length, (buffer, start, end) => {
            found.push(toHex(buffer, start, end));
            return true;
          });
          chunk.fill(0xff);
          at += chunk.length;
        }
        expect(found).toEqual(wanted.map((each) => toHex(each)));
      }),
    );
  });

  it('shows an impossible length once and nothing after it', () => {
    for (const length of ['00000007', (LONGEST_PDU + 1).toString(16).padStart(8, '0')]) {
      const framer = new PduFramer();
      const found: string[] = [];
      const visit = (buffer: Uint8Array, start: number, end: number) =>
        found.push(toHex(buffer, start, end)) > 0;
      const bytes = hex(`01020000${length}`);
      framer.push(bytes, bytes.length, visit);
      framer.push(resetQuery(1), 8, visit);
      expect(found).toEqual([toHex(bytes)]);
    }
  });
});
