import { describe, expect, it } from 'vitest';
import { CEASE, ERROR } from '../../../src/bgp/wire/error-codes.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { writeHeader } from '../../../src/bgp/wire/header.ts';
import { MESSAGE_TYPE } from '../../../src/bgp/wire/iana.ts';
import { encodeNotification } from '../../../src/bgp/wire/notification.ts';
import { encodeOpen } from '../../../src/bgp/wire/open.ts';
import { encodeRouteRefresh, REFRESH_SUBTYPE } from '../../../src/bgp/wire/route-refresh.ts';
import { packetLines } from '../../../src/speaker/trace/packet-lines.ts';

function message(type: number, ...body: number[]): Uint8Array {
  const octets = Uint8Array.of(...new Array<number>(19).fill(0), ...body);
  writeHeader(octets, 0, octets.length, type);
  return octets;
}

const OPEN = encodeOpen({
  myAs: 23456,
  holdTime: 240,
  id: 0x0a00_0001,
  capabilities: [{ kind: 'four-octet-as', as: 4_200_000_000 }],
});
/** MP_UNREACH_NLRI of IPv6 unicast without prefixes (RFC 4724 §2), with a length of one octet and of two. */
const END_V6 = message(MESSAGE_TYPE.update, 0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1);
const END_V6_LONG = message(MESSAGE_TYPE.update, 0, 0, 0, 7, 0x90, 15, 0, 3, 0, 2, 1);
const WITHDRAWAL_V6 = message(MESSAGE_TYPE.update, 0, 0, 0, 7, 0x80, 15, 4, 0, 2, 1, 0);
const WITHDRAWAL_V4 = message(MESSAGE_TYPE.update, 0, 4, 24, 15, 3, 0, 0, 0);
const REFRESH = (subtype: 0 | 1 | 2) => encodeRouteRefresh(IPV4_UNICAST, subtype);

describe('packetLines', () => {
  it.each([
    [
      'OPEN',
      OPEN,
      'OPEN(ver=4,as=4200000000,hold=240,id=0a000001)',
      'OPEN(as=4200000000,hold=240,id=10.0.0.1)',
    ],
    ['KEEPALIVE', message(MESSAGE_TYPE.keepalive), 'KEEPALIVE', 'KEEPALIVE'],
    ['a withdrawal', WITHDRAWAL_V4, 'UPDATE', 'UPDATE'],
    ['a withdrawal of IPv6', WITHDRAWAL_V6, 'UPDATE', 'UPDATE'],
    ['a request', REFRESH(REFRESH_SUBTYPE.request), 'ROUTE-REFRESH', 'ROUTE-REFRESH'],
    ['BoRR', REFRESH(REFRESH_SUBTYPE.begin), 'BEGIN-OF-RR', 'BEGIN-OF-RR'],
    ['EoRR', encodeRouteRefresh(IPV6_UNICAST, REFRESH_SUBTYPE.end), 'END-OF-RR', 'END-OF-RR'],
  ])('names %s', (_name, octets, sent, received) => {
    expect(packetLines(octets, true, '2.x')).toEqual([`Sending ${sent}`]);
    expect(packetLines(octets, false, '2.x')).toEqual([`Got ${received}`]);
  });

  it.each([
    ['of IPv4', message(MESSAGE_TYPE.update, 0, 0, 0, 0)],
    ['of IPv6', END_V6],
    ['with an extended length', END_V6_LONG],
  ])('tells an End-of-RIB %s from other UPDATEs', (_name, octets) => {
    expect(packetLines(octets, true, '2.x')).toEqual(['Sending END-OF-RIB']);
    expect(packetLines(octets, false, '2.x')).toEqual(['Got UPDATE', 'Got END-OF-RIB']);
  });

  it('writes the identifier of a peer as each generation does', () => {
    expect(packetLines(OPEN, false, '1.6')).toEqual(['Got OPEN(as=4200000000,hold=240,id=0a000001)']);
  });

  it('leaves a NOTIFICATION that came to the end of the session', () => {
    const octets = encodeNotification(ERROR.cease, CEASE.administrativeReset);
    expect(packetLines(octets, true, '2.x')).toEqual(['Sending NOTIFICATION(code=6.4)']);
    expect(packetLines(octets, false, '2.x')).toEqual([]);
  });

  it('says what is wrong with an OPEN', () => {
    const [line] = packetLines(message(MESSAGE_TYPE.open, 3, 0, 1, 0, 90, 1, 1, 1, 1, 0), false, '2.x');
    expect(line).toContain('version 3');
  });
});
