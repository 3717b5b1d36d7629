import { describe, expect, test } from 'vitest';
import { ATTRIBUTE_BY_TYPE, ATTRIBUTES, attributeName } from '../../../src/bgp/wire/attributes.ts';
import type { SessionContext } from '../../../src/bgp/wire/session-context.ts';
import type { DecodeOptions } from '../../../src/bgp/wire/update-decoder.ts';
import { decodeUpdate } from '../../support/decoded.ts';
import { attribute, INTERNAL, notificationOf, update } from '../../support/wire.ts';

const BASE: Readonly<Record<number, string>> = {
  1: '400101 00',
  2: '400206 0201 0000fde9',
  3: '400304 0a01fffe',
};

type Outcome = 'ok' | 'discard' | 'withdraw' | string;

/** What becomes of 203.0.113.0/24 announced with the usual attributes and this one. */
function outcome(
  flags: number,
  type: number,
  value: string,
  context: Partial<SessionContext> = {},
  options: DecodeOptions = {},
): Outcome {
  const others = Object.entries(BASE).filter(([other]) => Number(other) !== type);
  const attributes = `${others.map(([, text]) => text).join(' ')} ${attribute(flags, type, value)}`;
  let result: Outcome = 'ok';
  const error = notificationOf(() => {
    const decoded = decodeUpdate(update({ attributes, nlri: '18cb0071' }), context, options);
    if (decoded.withdraw) result = 'withdraw';
    else if (decoded.issues.includes(`${type} attribute-discard`)) result = 'discard';
    else expect(decoded.issues).toEqual([]);
  });
  return error === undefined ? result : error.error;
}

const OLD: Partial<SessionContext> = { as4: false };

describe('the table', () => {
  test('rows are in ascending order, each type once', () => {
    const types = ATTRIBUTES.map((row) => row.type);
    expect(types).toEqual([...new Set(types)].sort((a, b) => a - b));
    for (const row of ATTRIBUTES) expect(ATTRIBUTE_BY_TYPE[row.type]).toBe(row);
    expect(ATTRIBUTE_BY_TYPE).toHaveLength(256);
  });

  test('names', () => {
    expect(attributeName(2)).toBe('AS_PATH');
    expect(attributeName(128)).toBe('ATTR_SET');
    expect(attributeName(250)).toBe('attribute 250');
  });

  test('7606-3-1 a wrong Optional or Transitive bit is treat-as-withdraw unless the row says otherwise', () => {
    const good: Readonly<Record<number, string>> = {
      1: '00',
      2: '0201 0000fde9',
      3: '0a01fffe',
      4: '00000001',
      5: '00000064',
      6: '',
      7: '0000fde9 0a000001',
      8: '00010002',
      9: '01020304',
      10: '01020304',
      14: '0001 01 04 0a000001 00 18c63364',
      15: '000101 18c63364',
      16: '0002fde900000001',
      22: '00 00 000000',
      23: '0001 0000',
      25: `0002 ${'20'.repeat(16)} 0001`,
      26: '01 000b 0000000000000001',
      32: '0000fde9 00000001 00000002',
      35: '0000fde9',
      40: '01 0007 00 0000 00000001',
    };
    const bitsOf = {
      'well-known mandatory': 0x40,
      'well-known discretionary': 0x40,
      'optional transitive': 0xc0,
      'optional non-transitive': 0x80,
    };
    const answers = {
      'treat-as-withdraw': 'withdraw',
      'attribute-discard': 'discard',
      'session-reset': '3/9',
    };
    for (const row of ATTRIBUTES) {
      // AS4_PATH and AS4_AGGREGATOR need a session of their own: as4.test.ts.
      if (row.scope === 'two-octet-as') continue;
      for (const bits of [0x00, 0x40, 0x80, 0xc0]) {
        const result = outcome(bits, row.type, good[row.type]!, INTERNAL, { aigp: true });
        const wanted = bits === bitsOf[row.class] ? 'ok' : answers[row.onWrongFlags];
        expect([row.name, bits, result]).toEqual([row.name, bits, wanted]);
      }
    }
  });

  test('7606-4-2 length 0 is a syntax error except for AS_PATH and ATOMIC_AGGREGATE', () => {
    for (const row of ATTRIBUTES) {
      if (row.scope === 'two-octet-as') continue;
      const flags = row.class.startsWith('well-known')
        ? 0x40
        : row.class.endsWith('non-transitive')
          ? 0x80
          : 0xc0;
      const result = outcome(flags, row.type, '', INTERNAL, { aigp: true });
      if (row.name === 'AS_PATH' || row.name === 'ATOMIC_AGGREGATE') expect(result).toBe('ok');
      else expect([row.name, result]).not.toEqual([row.name, 'ok']);
    }
  });
});

describe('RFC 7606 §7', () => {
  test('7606-7.1-1 ORIGIN', () => {
    for (const value of ['00', '01', '02']) expect(outcome(0x40, 1, value)).toBe('ok');
    for (const value of ['03', 'ff', '', '0000']) expect(outcome(0x40, 1, value)).toBe('withdraw');
  });

  test('7606-7.2-1 AS_PATH: unknown segment type, overrun, a single octet left, a segment without ASes', () => {
    const bad = ['0501 0000fde9', '0001 0000fde9', '0202 0000fde9', '0201 0000fde9 02', '0200', '0201 0000'];
    for (const value of bad) expect(outcome(0x40, 2, value)).toBe('withdraw');
    expect(outcome(0x40, 2, '')).toBe('ok');
    expect(outcome(0x40, 2, '0202 0000fde9 0000fbf4 0201 0000fbf5')).toBe('ok');
    expect(outcome(0x40, 2, '0201 fde9', OLD)).toBe('ok');
    expect(outcome(0x40, 2, '0202 fde9', OLD)).toBe('withdraw');
  });

  test('7606-7.2-2 the first AS must be the peer where that is asked for', () => {
    const first = { enforceFirstAs: true };
    expect(outcome(0x40, 2, '0201 0000fde7')).toBe('ok');
    expect(outcome(0x40, 2, '0201 0000fde7', {}, first)).toBe('withdraw');
    expect(outcome(0x40, 2, '', {}, first)).toBe('withdraw');
    expect(outcome(0x40, 2, '0202 0000fde9 0000fde7', {}, first)).toBe('ok');
    expect(outcome(0x40, 2, '0201 0000fde7', INTERNAL, first)).toBe('ok');
    expect(outcome(0x40, 2, '0201 5ba0', { ...OLD, peerAs: 4200000000 }, first)).toBe('ok');
  });

  test('7606-7.3-1 NEXT_HOP: length, and RFC 4271 §6.3: a host address', () => {
    expect(outcome(0x40, 3, '0a000001')).toBe('ok');
    for (const value of ['', '0a0000', '0a00000100', '00000000', 'e0000001', 'ffffffff']) {
      expect(outcome(0x40, 3, value)).toBe('withdraw');
    }
  });

  test('7606-7.4-1 MULTI_EXIT_DISC', () => {
    expect(outcome(0x80, 4, '00000000')).toBe('ok');
    for (const value of ['', '000000', '0000000000']) expect(outcome(0x80, 4, value)).toBe('withdraw');
  });

  test('7606-7.5-1 LOCAL_PREF: discarded from outside whatever it is, checked from inside', () => {
    for (const value of ['00000064', '', '0000']) expect(outcome(0x40, 5, value)).toBe('discard');
    expect(outcome(0x40, 5, '00000064', INTERNAL)).toBe('ok');
    for (const value of ['', '0000', '0000000000'])
      expect(outcome(0x40, 5, value, INTERNAL)).toBe('withdraw');
  });

  test('4271-5.1.5-2 LOCAL_PREF of a confederation peer is kept', () => {
    const inside = { confederationPeer: true };
    expect(outcome(0x40, 5, '00000064', { ...INTERNAL }, inside)).toBe('ok');
  });

  test('LOCAL_PREF of an external peer is kept, and checked, where it is wanted', () => {
    const wanted = { allowLocalPref: true };
    expect(outcome(0x40, 5, '00000064', {}, wanted)).toBe('ok');
    expect(outcome(0x40, 5, '0000', {}, wanted)).toBe('withdraw');
  });

  test('7606-7.6-1 ATOMIC_AGGREGATE', () => {
    expect(outcome(0x40, 6, '')).toBe('ok');
    expect(outcome(0x40, 6, '00')).toBe('discard');
  });

  test('7606-7.7-1 AGGREGATOR', () => {
    expect(outcome(0xc0, 7, '0000fde9 0a000001')).toBe('ok');
    expect(outcome(0xc0, 7, 'fde9 0a000001')).toBe('discard');
    const context = { ...OLD };
    const path = (value: string) =>
      decodeUpdate(
        update({
          attributes: `400101 00 400204 0201 fde9 400304 0a01fffe ${attribute(0xc0, 7, value)}`,
          nlri: '18cb0071',
        }),
        context,
      );
    expect(path('fde9 0a000001').attributes.aggregator).toBe('65001 10.0.0.1');
    expect(path('0000fde9 0a000001').issues).toEqual(['7 attribute-discard']);
  });

  test('7606-7.8-1 COMMUNITIES', () => {
    expect(outcome(0xc0, 8, '00010002 ffffff01')).toBe('ok');
    for (const value of ['', '0001', '0001000200']) expect(outcome(0xc0, 8, value)).toBe('withdraw');
  });

  test('7606-7.9-1 ORIGINATOR_ID', () => {
    for (const value of ['01020304', '', '01']) expect(outcome(0x80, 9, value)).toBe('discard');
    expect(outcome(0x80, 9, '01020304', INTERNAL)).toBe('ok');
    for (const value of ['', '010203', '0102030405'])
      expect(outcome(0x80, 9, value, INTERNAL)).toBe('withdraw');
  });

  test('7606-7.10-1 CLUSTER_LIST', () => {
    for (const value of ['01020304', '', '01']) expect(outcome(0x80, 10, value)).toBe('discard');
    expect(outcome(0x80, 10, '01020304 05060708', INTERNAL)).toBe('ok');
    for (const value of ['', '010203', '0102030405'])
      expect(outcome(0x80, 10, value, INTERNAL)).toBe('withdraw');
  });

  test('7606-7.14-1 EXTENDED COMMUNITIES: length; an unknown type is no error', () => {
    expect(outcome(0xc0, 16, 'ffff000000000000')).toBe('ok');
    for (const value of ['', '0002', '0002fde90000000100']) expect(outcome(0xc0, 16, value)).toBe('withdraw');
  });

  test('7606-7.15-1 IPV6 EXTENDED COMMUNITIES: length; an unknown type is no error', () => {
    expect(outcome(0xc0, 25, 'ff'.repeat(20))).toBe('ok');
    for (const value of ['', 'ff'.repeat(19), 'ff'.repeat(21)])
      expect(outcome(0xc0, 25, value)).toBe('withdraw');
  });

  test('7606-7.13-1, 7606-7.16-1 attributes 24 and 128 are not implemented: carried as unrecognised', () => {
    expect(outcome(0x80, 24, '00')).toBe('ok');
    expect(outcome(0xc0, 128, '')).toBe('ok');
  });
});

describe('later attributes', () => {
  test('8092-6-1 LARGE_COMMUNITIES: length; a reserved ASN is no error', () => {
    expect(outcome(0xc0, 32, '000000000000000100000002')).toBe('ok');
    for (const value of ['', '00'.repeat(11), '00'.repeat(13)])
      expect(outcome(0xc0, 32, value)).toBe('withdraw');
  });

  test('8092-3-1 duplicate large communities are removed silently, order kept', () => {
    const one = '0000fde90000000100000002';
    const two = '0000fde90000000100000003';
    const set = (values: string[]) => {
      const attributes = `${Object.values(BASE).join(' ')} ${
        values.length > 21
          ? `d020${(values.length * 12).toString(16).padStart(4, '0')}${values.join('')}`
          : attribute(0xc0, 32, values.join(''))
      }`;
      const decoded = decodeUpdate(update({ attributes, nlri: '18cb0071' }));
      expect(decoded.issues).toEqual([]);
      return decoded.attributes.largeCommunities;
    };
    expect(set([two, one, two, one])).toEqual(['65001:1:3', '65001:1:2']);
    expect(set(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? one : two)))).toEqual([
      '65001:1:2',
      '65001:1:3',
    ]);
  });

  test('7311-3.2-1 AIGP malformed or with the Transitive bit: discarded', () => {
    const on = { aigp: true };
    expect(outcome(0x80, 26, '01000b0000000000000001', {}, on)).toBe('ok');
    expect(outcome(0x80, 26, '02000401 01000b0000000000000001', {}, on)).toBe('ok');
    const bad = ['', '01', '0100', '01000a00000000000001', '01000b00', '010002', '01000bffffffffffffffff'];
    for (const value of bad) expect([value, outcome(0x80, 26, value, {}, on)]).toEqual([value, 'discard']);
    expect(outcome(0xc0, 26, '01000b0000000000000001', {}, on)).toBe('discard');
  });

  test('7311-3.3-1 AIGP is ignored where the session has it off', () => {
    expect(outcome(0x80, 26, '01000b0000000000000001')).toBe('discard');
  });

  test('9234-5-5 OTC', () => {
    expect(outcome(0xc0, 35, '0000fde9')).toBe('ok');
    for (const value of ['', '00fde9', '0000fde900']) expect(outcome(0xc0, 35, value)).toBe('withdraw');
  });

  test('9012-13-1 Tunnel Encapsulation: overruns and no TLV; an unknown type is no error', () => {
    expect(outcome(0xc0, 23, '00ff 0004 0102aabb')).toBe('ok');
    expect(outcome(0xc0, 23, '00ff 0006 800003aabbcc')).toBe('ok');
    expect(outcome(0xc0, 23, '00ff 0000')).toBe('ok');
    const bad = [
      '',
      '00',
      '000d ff01 0000',
      '0001 0001 01',
      '0001 0003 010200',
      '0001 0002 8000',
      '0001 0002 0101',
    ];
    for (const value of bad) expect([value, outcome(0xc0, 23, value)]).toEqual([value, 'withdraw']);
  });

  test('8669-6-1 Prefix-SID malformed: discarded', () => {
    expect(outcome(0xc0, 40, '01 0007 00 0000 00000001')).toBe('ok');
    expect(outcome(0xc0, 40, '09 0000')).toBe('ok');
    for (const value of ['', '0a', '01 00ff 00', '00000000000000000000']) {
      expect(outcome(0xc0, 40, value)).toBe('discard');
    }
  });

  test('9252-7-1 a malformed SRv6 Service TLV: treat-as-withdraw', () => {
    expect(outcome(0xc0, 40, '05 0001 00')).toBe('ok');
    expect(outcome(0xc0, 40, '05 0005 00 01 0001 ff')).toBe('ok');
    for (const value of ['0500', '05 0000', '05 0004 00 01 0001', '06 0003 00 0100', '05 00ff 00']) {
      expect(outcome(0xc0, 40, value)).toBe('withdraw');
    }
  });
});

describe('AS numbers', () => {
  test('7607-2-1 AS 0: AS_PATH is treated as withdrawn, AGGREGATOR discarded', () => {
    expect(outcome(0x40, 2, '0203 0000fde9 00000000 0000fbf4')).toBe('withdraw');
    expect(outcome(0x40, 2, '0202 fde9 0000', OLD)).toBe('withdraw');
    expect(outcome(0xc0, 7, '00000000 0a000001')).toBe('discard');
  });

  test('7300-5-1 65535, 4294967295 and AS_TRANS in a path are no error', () => {
    expect(outcome(0x40, 2, '0204 0000fde9 0000ffff ffffffff 00005ba0')).toBe('ok');
  });

  test('9774-3-1 AS_SET and AS_CONFED_SET: treat-as-withdraw, unless they are let pass', () => {
    const set = '0201 0000fde9 0102 0000fbf4 0000fbf5';
    expect(outcome(0x40, 2, set)).toBe('withdraw');
    expect(outcome(0x40, 2, set, {}, { acceptAsSets: true })).toBe('ok');
    const confed = '0301 0000fe4c 0401 0000fe4d';
    const member = { confederationPeer: true };
    expect(outcome(0x40, 2, confed, INTERNAL, member)).toBe('withdraw');
    expect(outcome(0x40, 2, confed, INTERNAL, { ...member, acceptAsSets: true })).toBe('ok');
  });

  test('5065-5-1 confederation segments from a non-member: treat-as-withdraw', () => {
    const value = '0301 0000fe4c 0201 0000fde9';
    expect(outcome(0x40, 2, value)).toBe('withdraw');
    expect(outcome(0x40, 2, value, INTERNAL)).toBe('withdraw');
    expect(outcome(0x40, 2, value, INTERNAL, { confederationPeer: true })).toBe('ok');
  });

  test('5065-5-2 from another member AS a path must start with AS_CONFED_SEQUENCE', () => {
    const member = { confederationPeer: true };
    expect(outcome(0x40, 2, '0301 0000fe4c', {}, member)).toBe('ok');
    expect(outcome(0x40, 2, '0201 0000fde9', {}, member)).toBe('withdraw');
    expect(outcome(0x40, 2, '', {}, member)).toBe('withdraw');
    expect(outcome(0x40, 2, '', INTERNAL, member)).toBe('ok');
  });
});
