import { expect, test } from 'vitest';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import {
  decodeRouteRefresh,
  encodeRouteRefresh,
  REFRESH_SUBTYPE,
} from '../../../src/bgp/wire/route-refresh.ts';
import { hex, message, notificationOf, sessionContext, toHexString } from '../../support/wire.ts';

const context = sessionContext();
const decode = (bytes: Uint8Array, overrides = {}) =>
  decodeRouteRefresh(bytes, 0, bytes.length, sessionContext(overrides));

test('ROUTE-REFRESH, both ways', () => {
  const bytes = hex(`
    ffffffffffffffffffffffffffffffff 0017 05 # header
    0002 # AFI: IPv6
    01 # BoRR
    01 # SAFI: unicast`);
  expect(encodeRouteRefresh(IPV6_UNICAST, REFRESH_SUBTYPE.begin)).toEqual(bytes);
  expect(decodeRouteRefresh(bytes, 0, bytes.length, context)).toEqual({ family: IPV6_UNICAST, subtype: 1 });
  expect(toHexString(encodeRouteRefresh(IPV4_UNICAST).subarray(19))).toBe('00010001');
});

test('2918-4-1 a family that was not negotiated is ignored', () => {
  expect(decode(message(5, hex('0019 00 46')))).toEqual({ ignored: 'afi 25 safi 70 was not negotiated' });
  expect(decode(encodeRouteRefresh(IPV6_UNICAST), { families: [IPV4_UNICAST] })).toEqual({
    ignored: 'afi 2 safi 1 was not negotiated',
  });
});

test('2918-4-3 a longer request is taken as one, a shorter one is 1/2', () => {
  expect(decode(message(5, hex('0001 00 01 00')))).toEqual({ family: IPV4_UNICAST, subtype: 0 });
  expect(notificationOf(() => decode(message(5, hex('0001 00'))))).toEqual({ error: '1/2', data: '0016' });
  expect(notificationOf(() => decode(message(5, hex(''))))).toEqual({ error: '1/2', data: '0013' });
});

test('7313-5-1 BoRR and EoRR of a wrong length are 7/1 with the whole message', () => {
  for (const body of ['0001 01 01 00', '0001 02 01 00', '0001 01']) {
    const bytes = message(5, hex(body));
    expect(notificationOf(() => decode(bytes))).toEqual({ error: '7/1', data: toHexString(bytes) });
  }
});

test('7313-5-2 an unknown subtype is ignored', () => {
  expect(decode(message(5, hex('0001 4d 01')))).toEqual({ ignored: 'subtype 77' });
  expect(decode(message(5, hex('0001 ff 01')))).toEqual({ ignored: 'subtype 255' });
});

test('without capability 70 the subtype is a reserved octet', () => {
  const plain = { enhancedRouteRefresh: false };
  expect(decode(message(5, hex('0001 4d 01')), plain)).toEqual({ family: IPV4_UNICAST, subtype: 0 });
  expect(decode(message(5, hex('0001 01 01')), plain)).toEqual({ family: IPV4_UNICAST, subtype: 0 });
});
