import { describe, expect, it } from 'vitest';
import { routeAt } from '../../../src/fib/kernel-view.ts';
import { HOST_IS_LITTLE_ENDIAN, NLMSG } from '../../../src/fib/netlink/constants.ts';
import { decodeAddress, decodeLink } from '../../../src/fib/netlink/link-codec.ts';
import {
  AttributeWriter,
  decodeAnswer,
  encodeDumpRequest,
  forEachMessage,
  type NetlinkAnswer,
} from '../../../src/fib/netlink/messages.ts';
import { RowBuilder } from '../../../src/fib/netlink/row-builder.ts';
import { ROW_CHANGE } from '../../../src/fib/types.ts';
import { viewOf } from '../../../src/lib/bytes.ts';
import { formatAddress, formatPrefix } from '../../../src/lib/ip.ts';

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.trim().split(/\s+/), (octet) => Number.parseInt(octet, 16));
}

function answers(bytes: Uint8Array): { seq: number; answer: NetlinkAnswer }[] {
  const found: { seq: number; answer: NetlinkAnswer }[] = [];
  forEachMessage(viewOf(bytes), bytes.length, (message) => {
    expect([NLMSG.error, NLMSG.done]).toContain(message.type);
    found.push({ seq: message.seq, answer: decodeAnswer(bytes, viewOf(bytes), message) });
  });
  return found;
}

// "Nexthop has invalid gateway" and its zero octet, padded.
const GATEWAY_TEXT = '4e 65 78 74 68 6f 70 20 68 61 73 20 69 6e 76 61 6c 69 64 20 67 61 74 65 77 61 79 00';

describe.skipIf(!HOST_IS_LITTLE_ENDIAN)('netlink messages', () => {
  it('asks for dumps', () => {
    expect(encodeDumpRequest('routes', 4, 7)).toEqual(
      hex('1c 00 00 00 1a 00 01 03 07 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00'),
    );
    expect(encodeDumpRequest('routes', 16, 7)[16]).toBe(10);
    expect(encodeDumpRequest('links', 0, 1)).toHaveLength(32);
    expect(encodeDumpRequest('addresses', 0, 1)).toHaveLength(24);
  });

  it('reads an acknowledgement and a refusal with its explanation', () => {
    const ack =
      '24 00 00 00 02 00 00 01 05 00 00 00 00 00 00 00 00 00 00 00 3c 00 00 00 18 00 05 06 05 00 00 00 00 00 00 00';
    // ENETUNREACH, capped, with NLMSGERR_ATTR_MSG.
    const refusal = `44 00 00 00 02 00 00 03 06 00 00 00 00 00 00 00 9b ff ff ff
      3c 00 00 00 18 00 05 06 06 00 00 00 00 00 00 00 20 00 01 00 ${GATEWAY_TEXT}`;
    expect(answers(hex(`${ack} ${refusal}`))).toEqual([
      { seq: 5, answer: { errno: 0, text: undefined } },
      { seq: 6, answer: { errno: 101, text: 'Nexthop has invalid gateway' } },
    ]);
  });

  it('finds the explanation behind a request that was sent back whole', () => {
    const refusal = `48 00 00 00 02 00 00 02 06 00 00 00 00 00 00 00 9b ff ff ff
      14 00 00 00 18 00 05 06 06 00 00 00 00 00 00 00 02 18 00 00 20 00 01 00 ${GATEWAY_TEXT}`;
    expect(answers(hex(refusal))[0]?.answer).toEqual({ errno: 101, text: 'Nexthop has invalid gateway' });
  });

  it('reads the end of a dump that failed', () => {
    const done = '14 00 00 00 03 00 02 00 09 00 00 00 00 00 00 00 a1 ff ff ff';
    expect(answers(hex(done))).toEqual([{ seq: 9, answer: { errno: 95, text: undefined } }]);
  });

  it('stops at a message that is cut off or too short to be one', () => {
    const seen: number[] = [];
    const bytes = hex(
      '10 00 00 00 03 00 00 00 01 00 00 00 00 00 00 00 20 00 00 00 03 00 00 00 02 00 00 00 00 00 00 00',
    );
    forEachMessage(viewOf(bytes), bytes.length, (message) => seen.push(message.seq));
    const tiny = hex('04 00 00 00 03 00 00 00 01 00 00 00 00 00 00 00');
    forEachMessage(viewOf(tiny), tiny.length, (message) => seen.push(message.seq));
    expect(seen).toEqual([1]);
  });

  it('pads attributes and grows', () => {
    const writer = new AttributeWriter();
    writer.octets(1, Uint8Array.of(1), Uint8Array.of(2, 3));
    writer.uint32(4, 9);
    expect(writer.finish()).toEqual(hex('07 00 01 00 01 02 03 00 08 00 04 00 09 00 00 00'));
    writer.octets(5, new Uint8Array(1000).fill(7));
    expect(writer.finish()).toHaveLength(16 + 1004);
  });

  it('reads links', () => {
    // RTM_NEWLINK: index 3, UP|BROADCAST|RUNNING|MULTICAST|LOWER_UP, IFLA_IFNAME va, IFLA_MTU 1500
    const up = hex(`30 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00
      00 00 01 00 03 00 00 00 43 10 01 00 00 00 00 00 07 00 03 00 76 61 00 00 08 00 04 00 dc 05 00 00`);
    expect(decodeLink(up, viewOf(up), 0, up.length)).toEqual({
      ifindex: 3,
      name: 'va',
      up: true,
      loopback: false,
      mtu: 1500,
      details: {
        adminUp: true,
        linkUp: true,
        broadcast: true,
        multicast: true,
        pointToPoint: false,
        master: undefined,
      },
    });
    const noCarrier = Uint8Array.from(up);
    noCarrier[26] = 0;
    expect(decodeLink(noCarrier, viewOf(noCarrier), 0, up.length)?.up).toBe(false);
    const bridgePort = Uint8Array.from(up);
    bridgePort[16] = 7;
    expect(decodeLink(bridgePort, viewOf(bridgePort), 0, up.length)).toBeUndefined();
  });

  it('reads addresses, with the other end of a point-to-point one', () => {
    const plain = hex(`28 00 00 00 14 00 00 00 00 00 00 00 00 00 00 00 02 18 80 00 03 00 00 00
      08 00 01 00 0a 00 00 01 08 00 02 00 0a 00 00 01`);
    expect(decodeAddress(plain, viewOf(plain), 0, plain.length)).toEqual({
      ifindex: 3,
      address: Uint8Array.of(10, 0, 0, 1),
      prefixLength: 24,
      scope: 0,
    });
    const pointToPoint = Uint8Array.from(plain);
    pointToPoint[31] = 9;
    expect(decodeAddress(pointToPoint, viewOf(pointToPoint), 0, plain.length)).toMatchObject({
      address: Uint8Array.of(10, 0, 0, 1),
      peer: Uint8Array.of(10, 0, 0, 9),
    });
    const ipv6 = hex(`2c 00 00 00 14 00 00 00 00 00 00 00 00 00 00 00 0a 40 80 fd 03 00 00 00
      14 00 01 00 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 05`);
    const decoded = decodeAddress(ipv6, viewOf(ipv6), 0, ipv6.length);
    expect(decoded).toMatchObject({ prefixLength: 64, scope: 253 });
    expect(formatAddress(decoded!.address)).toBe('fe80::5');
    expect(decoded).not.toHaveProperty('peer');
  });

  it('turns notifications into rows, with what they mean', () => {
    const message = (type: string, flags: string, last: string, table = 'fe') =>
      `3c 00 00 00 ${type} 00 ${flags} 00 00 00 00 00 00 00 00 02 18 00 00 ${table} 0c 00 01 00 00 00 00 08 00 01 00
       c0 00 ${last} 00 08 00 06 00 32 00 00 00 08 00 05 00 0a 00 00 02 08 00 04 00 03 00 00 00`;
    const bytes = hex(
      [
        message('18', '00 06', '01'),
        message('18', '00 01', '02'),
        message('19', '00 00', '03'),
        message('18', '00 06', '04', 'ff'),
      ].join(' '),
    );
    const builder = new RowBuilder(4, 16);
    const ipv6 = new RowBuilder(16, 16);
    forEachMessage(viewOf(bytes), bytes.length, (one) => {
      builder.add(bytes, viewOf(bytes), one, false);
      ipv6.add(bytes, viewOf(bytes), one, false);
    });
    expect(ipv6.count).toBe(0);
    const rows = builder.take();
    expect(builder.count).toBe(0);
    expect(rows.count).toBe(3);
    expect([...rows.changes.subarray(0, 3)]).toEqual([
      ROW_CHANGE.added,
      ROW_CHANGE.replaced,
      ROW_CHANGE.deleted,
    ]);
    expect(rows.paths).toHaveLength(1);
    expect([0, 1, 2].map((row) => formatPrefix(routeAt(rows, row).prefix))).toEqual([
      '192.0.1.0/24',
      '192.0.2.0/24',
      '192.0.3.0/24',
    ]);
    expect(routeAt(rows, 0)).toMatchObject({ table: 254, metric: 50, protocol: 12, type: 'unicast' });
  });
});
