import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../src/lib/ip.ts';
import { RoaTable } from '../../src/policy/roa-table.ts';
import { ROA } from '../../src/policy/route-access.ts';
import { PrefixValue } from '../../src/policy/values.ts';

interface Roa {
  readonly bits: string;
  readonly more: number;
  readonly asn: number;
}

function prefix(text: string): PrefixValue {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return new PrefixValue(parsed.bytes, parsed.length);
}

/** 0 and 1 of a prefix as its value; the rest is zero. */
function ofBits(bits: string, octets: 4 | 16): PrefixValue {
  const bytes = new Uint8Array(octets);
  for (let i = 0; i < bits.length; i++) if (bits[i] === '1') bytes[i >> 3]! |= 0x80 >> (i & 7);
  return new PrefixValue(bytes, bits.length);
}

function tableOf(...roas: readonly [string, number, number][]): RoaTable {
  const table = new RoaTable();
  for (const [net, maxLength, asn] of roas) table.add(prefix(net), maxLength, asn);
  return table;
}

describe('a ROA table', () => {
  it('knows a route only where one of its prefixes covers it', () => {
    const table = tableOf(['10.0.0.0/8', 16, 65001], ['2001:db8::/32', 48, 65001]);
    expect(table.check(prefix('11.0.0.0/8'), 65001)).toBe(ROA.unknown);
    expect(table.check(prefix('0.0.0.0/0'), 65001)).toBe(ROA.unknown);
    expect(table.check(prefix('2001:db9::/32'), 65001)).toBe(ROA.unknown);
    expect(table.check(prefix('2001:db8:1::/48'), 65001)).toBe(ROA.valid);
    expect(table.check(prefix('2001:db8:1::/49'), 65001)).toBe(ROA.invalid);
  });

  it('wants the AS and no longer prefix than authorized (6811-2-1)', () => {
    const table = tableOf(['10.0.0.0/8', 16, 65001]);
    expect(table.check(prefix('10.0.0.0/8'), 65001)).toBe(ROA.valid);
    expect(table.check(prefix('10.1.0.0/16'), 65001)).toBe(ROA.valid);
    expect(table.check(prefix('10.1.0.0/17'), 65001)).toBe(ROA.invalid);
    expect(table.check(prefix('10.1.0.0/16'), 65002)).toBe(ROA.invalid);
  });

  it('is content with one of several', () => {
    const table = tableOf(['10.0.0.0/8', 8, 65001], ['10.0.0.0/8', 24, 65002], ['10.1.0.0/16', 16, 65003]);
    expect(table.check(prefix('10.1.0.0/16'), 65003)).toBe(ROA.valid);
    expect(table.check(prefix('10.1.0.0/16'), 65002)).toBe(ROA.valid);
    expect(table.check(prefix('10.1.0.0/16'), 65001)).toBe(ROA.invalid);
    expect(table.check(prefix('10.1.0.0/24'), 65003)).toBe(ROA.invalid);
  });

  it('lets AS 0 authorize nobody (6811-2-1)', () => {
    const table = tableOf(['10.0.0.0/8', 8, 0]);
    expect(table.check(prefix('10.0.0.0/8'), 0)).toBe(ROA.invalid);
  });

  it('says what reading all of them says', () => {
    // Few bits, so that prefixes meet.
    const bits = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 6 });
    const asn = fc.integer({ min: 0, max: 3 });
    const roa = fc.record<Roa>({ bits, more: fc.integer({ min: 0, max: 4 }), asn });
    fc.assert(
      fc.property(fc.constantFrom(4, 16), fc.array(roa), bits, asn, (octets, roas, net, origin) => {
        const table = new RoaTable();
        for (const each of roas) table.add(ofBits(each.bits, octets), each.bits.length + each.more, each.asn);
        const covering = roas.filter((each) => net.startsWith(each.bits));
        const valid = covering.some(
          (each) => each.asn === origin && origin !== 0 && net.length <= each.bits.length + each.more,
        );
        const wanted = covering.length === 0 ? ROA.unknown : valid ? ROA.valid : ROA.invalid;
        expect(table.check(ofBits(net, octets), origin)).toBe(wanted);
      }),
    );
  });
});
