import { describe, expect, test } from 'vitest';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { DecodeScratch, UpdateDecoder } from '../../../src/bgp/wire/update-decoder.ts';
import { decodeUpdate, describeUpdate } from '../../support/decoded.ts';
import {
  attribute,
  hex,
  INTERNAL,
  message,
  notificationOf,
  sessionContext,
  update,
} from '../../support/wire.ts';

const ORIGIN = '400101 00';
const AS_PATH = '400206 0201 0000fde9';
const NEXT_HOP = '400304 0a01fffe';
const BASE = `${ORIGIN} ${AS_PATH} ${NEXT_HOP}`;
const NLRI = '18cb0071';
const V6_NEXT_HOP = '20010db8000000000000000000000001';
/** MP_REACH_NLRI of 2001:db8:1::/48. */
const MP_REACH = attribute(0x80, 14, `0002 01 10 ${V6_NEXT_HOP} 00 30 20010db80001`);
const MP_UNREACH = attribute(0x80, 15, '0002 01 30 20010db80002');
const CANONICAL_BASE = '4001010040020602010000fde9';

const failure = (bytes: Uint8Array, ...rest: [Parameters<typeof decodeUpdate>[1]?]) =>
  notificationOf(() => decodeUpdate(bytes, ...rest));

describe('the fields', () => {
  test('an UPDATE with all of them', () => {
    const decoded = decodeUpdate(
      hex(`
        ffffffffffffffffffffffffffffffff 0037 02 # header
        0004 18 c63364 # withdrawn: 198.51.100.0/24
        0014 # path attributes
        40 01 01 00 # ORIGIN IGP
        40 02 06 02 01 0000fde9 # AS_PATH 65001
        40 03 04 0a01fffe # NEXT_HOP 10.1.255.254
        18 cb0071 # 203.0.113.0/24
        10 ac10 00 # 172.16.0.0/16, the default route`),
    );
    expect(decoded).toMatchObject({
      announced: ['203.0.113.0/24', '172.16.0.0/16', '0.0.0.0/0'],
      withdrawn: ['198.51.100.0/24'],
      nextHops: ['10.1.255.254'],
      set: CANONICAL_BASE,
      withdraw: false,
      endOfRib: undefined,
      issues: [],
    });
  });

  test('4271-4.3-1 trailing bits of a prefix are ignored', () => {
    expect(decodeUpdate(update({ attributes: BASE, nlri: '08 0a' })).announced).toEqual(['10.0.0.0/8']);
    expect(decodeUpdate(update({ attributes: BASE, nlri: '14 cb007f' })).announced).toEqual([
      '203.0.112.0/20',
    ]);
    expect(decodeUpdate(update({ withdrawn: '09 0aff' })).withdrawn).toEqual(['10.128.0.0/9']);
    const v6 = attribute(0x80, 14, `0002 01 10 ${V6_NEXT_HOP} 00 21 20010db8ff 00`);
    expect(decodeUpdate(update({ attributes: `${v6} ${BASE}` })).announced).toEqual([
      '2001:db8:8000::/33',
      '::/0',
    ]);
  });

  test('4271-4.3-2 low flag bits are ignored, extended length counts for short values too', () => {
    const odd = `4f0101 00 5f02 0006 0201 0000fde9 ${NEXT_HOP}`;
    expect(decodeUpdate(update({ attributes: odd, nlri: NLRI })).set).toBe(CANONICAL_BASE);
  });

  test('4271-4.3-3 a prefix in both fields is in both batches', () => {
    const decoded = decodeUpdate(update({ withdrawn: NLRI, attributes: BASE, nlri: NLRI }));
    expect(decoded.withdrawn).toEqual(decoded.announced);
  });

  test('4271-4.3-4 withdrawals alone need no attributes, attributes need no NLRI', () => {
    expect(decodeUpdate(update({ withdrawn: NLRI }))).toMatchObject({
      withdrawn: ['203.0.113.0/24'],
      withdraw: false,
      endOfRib: undefined,
    });
    expect(decodeUpdate(update({ attributes: BASE }))).toMatchObject({ announced: [], withdraw: false });
    expect(decodeUpdate(update({ attributes: ORIGIN })).issues).toEqual([]);
  });

  test('4760-4-1 MP_UNREACH_NLRI alone', () => {
    expect(decodeUpdate(update({ attributes: MP_UNREACH })).withdrawn).toEqual(['2001:db8:2::/48']);
  });

  test('7606-5.1-2 all four kinds of prefixes at once, MP attributes anywhere', () => {
    for (const attributes of [`${MP_REACH} ${BASE} ${MP_UNREACH}`, `${BASE} ${MP_UNREACH} ${MP_REACH}`]) {
      const decoded = decodeUpdate(update({ withdrawn: '10c633', attributes, nlri: NLRI }));
      expect(decoded.announced).toEqual(['2001:db8:1::/48', '203.0.113.0/24']);
      expect(decoded.withdrawn).toEqual(['198.51.0.0/16', '2001:db8:2::/48']);
      expect(decoded.nextHops).toEqual(['2001:db8::1', '10.1.255.254']);
    }
  });

  test('4271-5-3 attributes in any order give the same set', () => {
    const med = attribute(0x80, 4, '00000005');
    const one = decodeUpdate(update({ attributes: `${BASE} ${med}`, nlri: NLRI }));
    const other = decodeUpdate(update({ attributes: `${med} ${NEXT_HOP} ${AS_PATH} ${ORIGIN}`, nlri: NLRI }));
    expect(other.set).toBe(`${CANONICAL_BASE}80040400000005`);
    expect(other.set).toBe(one.set);
  });

  test('4271-6.3-4 multicast and class E prefixes are ignored and noted', () => {
    const decoded = decodeUpdate(update({ attributes: BASE, nlri: `18e00102 ${NLRI} 18f00102` }));
    expect(decoded.announced).toEqual(['203.0.113.0/24']);
    expect(decoded.messages).toEqual(['2 prefixes that are not unicast']);
    const v6 = attribute(0x80, 14, `0002 01 10 ${V6_NEXT_HOP} 00 10ff02 07fe`);
    expect(decodeUpdate(update({ attributes: `${v6} ${BASE}` })).announced).toEqual(['fe00::/7']);
  });

  test('the result is the same object each time, and nothing of the message before is left in it', () => {
    const decoder = new UpdateDecoder(sessionContext(), {}, new DecodeScratch());
    const full = update({ withdrawn: NLRI, attributes: `${MP_REACH} ${BASE}`, nlri: NLRI });
    const first = decoder.decode(full, 0, full.length);
    const bad = update({ attributes: `${BASE} 4005`, nlri: NLRI });
    expect(decoder.decode(bad, 0, bad.length)).toBe(first);
    expect(first.issues).toHaveLength(1);
    const empty = update();
    expect(describeUpdate(decoder.decode(empty, 0, empty.length))).toMatchObject({
      announced: [],
      withdrawn: [],
      nextHops: [],
      set: '',
      withdraw: false,
      endOfRib: 'ipv4-unicast',
      issues: [],
    });
  });

  test('a message in the middle of a buffer', () => {
    const bytes = update({ attributes: BASE, nlri: NLRI });
    const buffer = new Uint8Array(bytes.length + 20).fill(0xaa);
    buffer.set(bytes, 10);
    const decoded = new UpdateDecoder(sessionContext()).decode(buffer, 10, 10 + bytes.length);
    expect(describeUpdate(decoded).announced).toEqual(['203.0.113.0/24']);
  });
});

describe('End-of-RIB', () => {
  test('4724-4-1 an empty UPDATE, or an empty MP_UNREACH_NLRI and nothing else', () => {
    expect(decodeUpdate(update()).endOfRib).toBe('ipv4-unicast');
    expect(decodeUpdate(update({ attributes: '800f03 000201' })).endOfRib).toBe('ipv6-unicast');
    expect(decodeUpdate(update({ attributes: '900f0003 000201' })).endOfRib).toBe('ipv6-unicast');
    expect(decodeUpdate(update({ attributes: '800f03 000101' })).endOfRib).toBe('ipv4-unicast');
  });

  test('not with anything beside it, nor for a family that was not negotiated', () => {
    expect(decodeUpdate(update({ attributes: `${ORIGIN} 800f03 000201` })).endOfRib).toBeUndefined();
    expect(decodeUpdate(update({ attributes: `800f03 000201 ${ORIGIN}` })).endOfRib).toBeUndefined();
    expect(decodeUpdate(update({ withdrawn: NLRI, attributes: '800f03 000201' })).endOfRib).toBeUndefined();
    expect(decodeUpdate(update({ attributes: MP_UNREACH })).endOfRib).toBeUndefined();
    expect(decodeUpdate(update({ attributes: '800f03 001946' })).endOfRib).toBeUndefined();
    expect(decodeUpdate(update(), { families: [IPV6_UNICAST] }).endOfRib).toBeUndefined();
  });
});

describe('families and next hops', () => {
  test('4760-3-2 NEXT_HOP beside MP_REACH_NLRI alone is ignored, even a bad one', () => {
    const decoded = decodeUpdate(update({ attributes: `${MP_REACH} ${ORIGIN} ${AS_PATH} 400303 0a0100` }));
    expect(decoded).toMatchObject({ announced: ['2001:db8:1::/48'], withdraw: false, set: CANONICAL_BASE });
    const late = decodeUpdate(update({ attributes: `${ORIGIN} ${AS_PATH} 400303 0a0100 ${MP_REACH}` }));
    expect(late.withdraw).toBe(false);
  });

  test('4760-3-3 the reserved octet is ignored', () => {
    const odd = attribute(0x80, 14, `0002 01 10 ${V6_NEXT_HOP} ff 30 20010db80001`);
    expect(decodeUpdate(update({ attributes: `${odd} ${BASE}` })).announced).toEqual(['2001:db8:1::/48']);
  });

  test('4760-8-2 a family that was not negotiated is ignored and noted', () => {
    const evpn = attribute(0x80, 14, '0019 46 04 0a010101 00 0200');
    const decoded = decodeUpdate(update({ attributes: `${evpn} ${BASE}`, nlri: NLRI }));
    expect(decoded.announced).toEqual(['203.0.113.0/24']);
    expect(decoded.messages).toEqual(['MP_REACH_NLRI: afi 25 safi 70 was not negotiated']);
    const only4 = { families: [IPV4_UNICAST] };
    expect(decodeUpdate(update({ attributes: `${MP_REACH} ${BASE} ${MP_UNREACH}` }), only4)).toMatchObject({
      announced: [],
      withdrawn: [],
      issues: ['15 ignored', '14 ignored'],
    });
    const only6 = { families: [IPV6_UNICAST] };
    expect(decodeUpdate(update({ withdrawn: NLRI, attributes: BASE, nlri: NLRI }), only6)).toMatchObject({
      announced: [],
      withdrawn: [],
    });
  });

  test('2545-3-1 an IPv6 next hop has 16 octets, or 32 with the link-local one', () => {
    const both = attribute(0x80, 14, `0002 01 20 ${V6_NEXT_HOP} fe80${'0'.repeat(27)}1 00 00`);
    expect(decodeUpdate(update({ attributes: `${both} ${BASE}` })).nextHops).toEqual(['2001:db8::1 fe80::1']);
    for (const length of [0, 4, 8, 15, 17, 24, 31, 33, 48]) {
      const value = `0002 01 ${length.toString(16).padStart(2, '0')} ${'00'.repeat(length)} 00 00`;
      const bytes = update({ attributes: `${attribute(0x80, 14, value)} ${BASE}` });
      expect(failure(bytes)?.error).toBe('3/9');
    }
  });

  test('8950-3-1 IPv6 next hops of IPv4 prefixes, where negotiated', () => {
    const value = `0001 01 10 ${V6_NEXT_HOP} 00 18cb0071`;
    const bytes = update({ attributes: `${attribute(0x80, 14, value)} ${ORIGIN} ${AS_PATH}` });
    expect(decodeUpdate(bytes, { extendedNextHop: 1 })).toMatchObject({
      announced: ['203.0.113.0/24'],
      nextHops: ['2001:db8::1'],
    });
    // 7606-7.11-1 without the capability that length is not to be expected
    expect(failure(bytes)).toEqual({ error: '3/9', data: attribute(0x80, 14, value) });
    const four = attribute(0x80, 14, '0001 01 04 0a01fffe 00 18cb0071');
    expect(decodeUpdate(update({ attributes: `${four} ${BASE}` })).nextHops).toEqual(['10.1.255.254']);
  });

  test('7911-3-1 path identifiers before every prefix, in the families that have them', () => {
    const context = { addPathReceive: 1 };
    const bytes = update({
      withdrawn: '00000007 18c63364',
      attributes: BASE,
      nlri: '00000001 18cb0071 ffffffff 00',
    });
    expect(decodeUpdate(bytes, context)).toMatchObject({
      announced: ['203.0.113.0/24 #1', '0.0.0.0/0 #4294967295'],
      withdrawn: ['198.51.100.0/24 #7'],
    });
    expect(decodeUpdate(update({ attributes: `${MP_REACH} ${BASE}` }), context).announced).toEqual([
      '2001:db8:1::/48',
    ]);
    const v6 = attribute(0x80, 14, `0002 01 10 ${V6_NEXT_HOP} 00 00000009 30 20010db80001`);
    expect(decodeUpdate(update({ attributes: `${v6} ${BASE}` }), { addPathReceive: 2 }).announced).toEqual([
      '2001:db8:1::/48 #9',
    ]);
    expect(failure(update({ withdrawn: '00000007' }), context)?.error).toBe('3/10');
  });
});

describe('session reset', () => {
  test('4271-6.3-1 lengths that exceed the message are 3/1', () => {
    expect(failure(message(2, hex('00c8 0000')))?.error).toBe('3/1');
    expect(failure(message(2, hex('0001 0000')))?.error).toBe('3/1');
    expect(failure(message(2, hex('0000 0001')))?.error).toBe('3/1');
    expect(failure(message(2, hex('0002 0000 0001')))?.error).toBe('3/1');
  });

  test('4271-6.3-2 an unrecognised attribute without the Optional bit is 3/2, data the attribute', () => {
    const bytes = update({ attributes: `${BASE} 40f001 78`, nlri: NLRI });
    expect(failure(bytes)).toEqual({ error: '3/2', data: '40f00178' });
  });

  test('7606-3-3 MP_REACH_NLRI or MP_UNREACH_NLRI twice is 3/1', () => {
    expect(failure(update({ attributes: `${MP_REACH} ${BASE} ${MP_REACH}` }))?.error).toBe('3/1');
    expect(failure(update({ attributes: `${MP_UNREACH} ${MP_UNREACH}` }))?.error).toBe('3/1');
  });

  test('7606-3-5 the strongest action wins', () => {
    const badOrigin = attribute(0x40, 1, '03');
    const badAggregator = attribute(0xc0, 7, '00000064 00');
    const weak = `${AS_PATH} ${NEXT_HOP} ${badAggregator}`;
    expect(decodeUpdate(update({ attributes: `${badOrigin} ${weak}`, nlri: NLRI }))).toMatchObject({
      withdraw: true,
      issues: ['1 treat-as-withdraw', '7 attribute-discard'],
    });
    expect(failure(update({ attributes: `${badOrigin} ${weak}`, nlri: '21cb007100 00' }))?.error).toBe(
      '3/10',
    );
    expect(failure(update({ attributes: `${badOrigin} ${weak} 40f000`, nlri: NLRI }))?.error).toBe('3/2');
  });

  test('7606-3-6 prefixes that cannot be parsed reset the session, whatever the attributes', () => {
    const bad = update({ attributes: attribute(0x40, 1, '03'), nlri: '18cb00' });
    expect(failure(bad)).toEqual({ error: '3/10', data: '' });
  });

  test('7606-5.2-1 attributes without NLRI and an error stronger than discard', () => {
    expect(failure(update({ attributes: '400101 04' }))).toEqual({ error: '3/6', data: '40010104' });
    expect(failure(update({ attributes: '400100' }))).toEqual({ error: '3/5', data: '400100' });
    expect(failure(update({ attributes: '400304 e0000001' }))).toEqual({
      error: '3/8',
      data: '400304e0000001',
    });
    expect(failure(update({ withdrawn: NLRI, attributes: '4002020200' }))?.error).toBe('3/11');
    expect(failure(update({ attributes: `${MP_UNREACH} 4004` }))?.error).toBe('3/1');
    // A discard is no reason, and reachable NLRI of whatever family makes it a withdrawal.
    expect(decodeUpdate(update({ attributes: attribute(0xc0, 7, '00') })).issues).toEqual([
      '7 attribute-discard',
    ]);
    const evpn = attribute(0x80, 14, '0019 46 04 0a010101 00 0200');
    expect(decodeUpdate(update({ attributes: `${evpn} 400101 04` })).withdraw).toBe(true);
  });

  test('7606-5.3-1 NLRI or Withdrawn Routes with a length over 32 or an overrun are 3/10', () => {
    for (const bad of ['21cb00710000', '18cb00', 'ff', '01', '18cb0071 20cb0071']) {
      expect(failure(update({ attributes: BASE, nlri: bad }))?.error).toBe('3/10');
      expect(failure(update({ withdrawn: bad }))?.error).toBe('3/10');
    }
  });

  test('7606-5.3-2 the same inside MP attributes is 3/9 with the attribute', () => {
    for (const bad of [`81${'20'.repeat(17)}`, '30 20010db8', 'ff']) {
      const reach = attribute(0x80, 14, `0002 01 10 ${V6_NEXT_HOP} 00 ${bad}`);
      expect(failure(update({ attributes: `${reach} ${BASE}` }))).toEqual({ error: '3/9', data: reach });
      const unreach = attribute(0x80, 15, `0002 01 ${bad}`);
      expect(failure(update({ attributes: unreach }))).toEqual({ error: '3/9', data: unreach });
    }
  });

  test('7606-5.3-3 MP attributes too short or with wrong flags are 3/9', () => {
    for (const flags of [0x40, 0xc0, 0x00]) {
      expect(failure(update({ attributes: `${attribute(flags, 15, '000201')}` }))?.error).toBe('3/9');
    }
    for (const value of ['', '0002', '0002 01 00']) {
      expect(failure(update({ attributes: attribute(0x80, 14, value) }))?.error).toBe('3/9');
    }
    for (const value of ['', '00', '0002']) {
      expect(failure(update({ attributes: attribute(0x80, 15, value) }))?.error).toBe('3/9');
    }
    // A next hop that overruns.
    expect(failure(update({ attributes: attribute(0x80, 14, '0002 01 10 20010db8 00000000') }))?.error).toBe(
      '3/9',
    );
  });

  test('an UPDATE too short for its lengths is 1/2 even without the framer', () => {
    expect(failure(message(2, hex('000000')))).toEqual({ error: '1/2', data: '0016' });
  });
});

describe('treat-as-withdraw of the whole message', () => {
  test('7606-3-2 ORIGIN, AS_PATH or, for the NLRI field, NEXT_HOP missing', () => {
    const missing = (attributes: string, nlri = NLRI) => decodeUpdate(update({ attributes, nlri }));
    expect(missing(`${AS_PATH} ${NEXT_HOP}`)).toMatchObject({
      withdraw: true,
      messages: ['ORIGIN is missing'],
      announced: ['203.0.113.0/24'],
      set: '',
    });
    expect(missing(`${ORIGIN} ${NEXT_HOP}`).messages).toEqual(['AS_PATH is missing']);
    expect(missing(`${ORIGIN} ${AS_PATH}`).messages).toEqual(['NEXT_HOP is missing']);
    expect(missing('').withdraw).toBe(true);
    expect(missing(`${MP_REACH} ${ORIGIN} ${AS_PATH}`, '').withdraw).toBe(false);
    expect(missing(`${MP_REACH} ${AS_PATH}`, '').withdraw).toBe(true);
    expect(missing(`${MP_REACH} ${ORIGIN} ${AS_PATH}`).withdraw).toBe(true);
  });

  test('7606-4-1 an attribute that overruns, or too few octets left for one; the NLRI is still found', () => {
    for (const rest of ['c008ff 00010002', '4001', '40', '500100', 'd0f000', 'c0ff02 01']) {
      expect(decodeUpdate(update({ attributes: `${BASE} ${rest}`, nlri: NLRI }))).toMatchObject({
        withdraw: true,
        announced: ['203.0.113.0/24'],
      });
    }
  });

  test('7606-2-2 a discarded attribute leaves the rest as it is', () => {
    const decoded = decodeUpdate(
      update({
        attributes: `${BASE} ${attribute(0xc0, 7, '00')} ${attribute(0xc0, 8, '00010002')}`,
        nlri: NLRI,
      }),
    );
    expect(decoded).toMatchObject({
      withdraw: false,
      set: `${CANONICAL_BASE}c0080400010002`,
      issues: ['7 attribute-discard'],
    });
  });

  test('7606-2-1 withdrawals of the message stand beside the announcements to be withdrawn', () => {
    const decoded = decodeUpdate(
      update({ withdrawn: '10c633', attributes: `${MP_REACH} ${attribute(0x40, 1, '03')}`, nlri: NLRI }),
    );
    expect(decoded).toMatchObject({
      withdraw: true,
      announced: ['2001:db8:1::/48', '203.0.113.0/24'],
      withdrawn: ['198.51.0.0/16'],
    });
  });

  test('7606-6-1 the note names the attribute, what is wrong and its octets', () => {
    const decoded = decodeUpdate(
      update({ attributes: `${BASE} ${attribute(0xc0, 8, '000102')}`, nlri: NLRI }),
    );
    expect(decoded.messages).toEqual(['COMMUNITIES: length is not a non-zero multiple of 4 (c00803000102)']);
  });
});

test('7606-3-4 a repeated attribute: the first is kept, even over a malformed second', () => {
  const decoded = decodeUpdate(
    update({ attributes: `${BASE} 400101 02 400101 07 c0f201 78 c0f201 79`, nlri: NLRI }),
  );
  expect(decoded).toMatchObject({
    withdraw: false,
    set: `${CANONICAL_BASE}e0f20178`,
    issues: ['1 attribute-discard', '1 attribute-discard', '242 attribute-discard'],
  });
  const badFirst = decodeUpdate(update({ attributes: `400101 07 ${BASE}`, nlri: NLRI }));
  expect(badFirst.withdraw).toBe(true);
});

describe('unrecognised attributes', () => {
  const set = (attributes: string) =>
    decodeUpdate(update({ attributes: `${BASE} ${attributes}`, nlri: NLRI })).set;

  test('4271-5-1 optional transitive: kept intact with Partial set', () => {
    expect(set('c0f201 78')).toBe(`${CANONICAL_BASE}e0f20178`);
    expect(set('e0f301 78')).toBe(`${CANONICAL_BASE}e0f30178`);
    expect(set('e0fe00')).toBe(`${CANONICAL_BASE}e0fe00`);
    const long = 'ab'.repeat(300);
    expect(set(`d0f2012c ${long}`)).toBe(`${CANONICAL_BASE}f0f2012c${long}`);
  });

  test('4271-5-2 optional non-transitive: ignored', () => {
    expect(set('80f101 78')).toBe(CANONICAL_BASE);
  });
});

describe('canonical form', () => {
  test('Partial stays on recognised optional transitive attributes and nowhere else', () => {
    const attributes = `${ORIGIN} ${AS_PATH} ${NEXT_HOP} a00404 00000001 e00804 00010002`;
    expect(decodeUpdate(update({ attributes, nlri: NLRI })).set).toBe(
      `${CANONICAL_BASE}80040400000001e0080400010002`,
    );
  });

  test('extended length only where the value needs it', () => {
    const communities = '00010002'.repeat(64);
    const attributes = `${ORIGIN} ${AS_PATH} ${NEXT_HOP} d0080100 ${communities}`;
    expect(decodeUpdate(update({ attributes, nlri: NLRI })).set).toBe(
      `${CANONICAL_BASE}d0080100${communities}`,
    );
  });

  test('from inside the AS everything that belongs into a set is kept', () => {
    const attributes = `${BASE} 400504 00000064 800904 01020304 800a04 05060708`;
    const decoded = decodeUpdate(update({ attributes, nlri: NLRI }), INTERNAL);
    expect(decoded.set).toBe(`${CANONICAL_BASE}400504000000648009040102030480 0a0405060708`.replace(' ', ''));
    expect(decoded.issues).toEqual([]);
  });
});

test('a NEXT_HOP beside MP_UNREACH_NLRI alone says nothing: some speakers send 0.0.0.0 there', () => {
  const attributes = `${ORIGIN} ${AS_PATH} 400304 00000000 ${MP_UNREACH}`;
  expect(decodeUpdate(update({ attributes }))).toMatchObject({
    withdrawn: ['2001:db8:2::/48'],
    withdraw: false,
    issues: [],
  });
});
