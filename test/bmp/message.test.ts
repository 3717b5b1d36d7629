import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeNotification } from '../../src/bgp/wire/notification.ts';
import { encodeOpen } from '../../src/bgp/wire/open.ts';
import {
  BmpError,
  type BmpMessage,
  decodeMessage,
  decodeMessages,
  encodeMessage,
  informationOctets,
  messageLength,
  type PeerHeader,
  ROUTE_HEADER_OCTETS,
  routeHeader,
  setRouteHeader,
  textOf,
} from '../../src/bmp/message.ts';
import {
  INFORMATION,
  PEER_DOWN_REASON,
  PEER_FLAG,
  PEER_TYPE,
  STATISTIC,
  TERMINATION_REASON,
} from '../../src/bmp/protocol.ts';

type Made = Exclude<BmpMessage, { kind: 'unknown' }>;

const ZERO = new Uint8Array(8);
const IPV4_PEER: PeerHeader = {
  type: PEER_TYPE.global,
  flags: 0,
  distinguisher: ZERO,
  address: Uint8Array.of(192, 0, 2, 7),
  asn: 65002,
  bgpId: 0x0a000002,
  seconds: 0x65000000,
  micros: 5,
};
const IPV6_PEER: PeerHeader = {
  ...IPV4_PEER,
  address: Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7),
};
const LOC_RIB: PeerHeader = { ...IPV4_PEER, type: PEER_TYPE.locRib, flags: 0x80, address: new Uint8Array(4) };

const IPV4_HEADER = `0000 ${'00'.repeat(8)} ${'00'.repeat(12)} c0000207 0000fdea 0a000002 65000000 00000005`;
const IPV6_HEADER = `0080 ${'00'.repeat(8)} 20010db8${'00'.repeat(11)}07 0000fdea 0a000002 65000000 00000005`;
const LOC_RIB_HEADER = `0380 ${'00'.repeat(8)} ${'00'.repeat(16)} 0000fdea 0a000002 65000000 00000005`;

const OPEN = encodeOpen({ myAs: 65002, holdTime: 90, id: 0x0a000002, capabilities: [] });
const OTHER_OPEN = encodeOpen({
  myAs: 65001,
  holdTime: 180,
  id: 0x0a000001,
  capabilities: [{ kind: 'four-octet-as', as: 65001 }],
});
const NOTIFICATION = encodeNotification(6, 2);
const MARKER = 'ff'.repeat(16);
const OPEN_HEX = `${MARKER} 001d 01 04 fdea 005a 0a000002 00`;
const OTHER_OPEN_HEX = `${MARKER} 0025 01 04 fde9 00b4 0a000001 08 0206 4104 0000fde9`;

/** A message and its octets after version and length. */
const GOLDEN: readonly (readonly [title: string, message: Made, hex: string])[] = [
  [
    'Initiation (7854-4.3-1)',
    {
      kind: 'initiation',
      information: [textOf(INFORMATION.sysDescr, 'godwit 1'), textOf(INFORMATION.sysName, 'rr')],
    },
    '04 0001 0008 676f647769742031 0002 0002 7272',
  ],
  [
    'Termination (7854-4.5-1)',
    { kind: 'termination', reason: TERMINATION_REASON.outOfResources, texts: ['full'] },
    '05 0000 0004 66756c6c 0001 0002 0002',
  ],
  [
    'Peer Up of IPv4 (7854-4.10-1, 7854-4.2-1)',
    {
      kind: 'peer-up',
      peer: IPV4_PEER,
      localAddress: Uint8Array.of(192, 0, 2, 1),
      localPort: 179,
      remotePort: 40000,
      sentOpen: OTHER_OPEN,
      receivedOpen: OPEN,
      information: [],
    },
    `03 ${IPV4_HEADER} ${'00'.repeat(12)} c0000201 00b3 9c40 ${OTHER_OPEN_HEX} ${OPEN_HEX}`,
  ],
  [
    'Peer Up of IPv6 (7854-4.10-1, 7854-4.2-1)',
    {
      kind: 'peer-up',
      peer: IPV6_PEER,
      localAddress: IPV6_PEER.address,
      localPort: 179,
      remotePort: 40000,
      sentOpen: OPEN,
      receivedOpen: OTHER_OPEN,
      information: [],
    },
    `03 ${IPV6_HEADER} 20010db8${'00'.repeat(11)}07 00b3 9c40 ${OPEN_HEX} ${OTHER_OPEN_HEX}`,
  ],
  [
    'Peer Up of a Loc-RIB (9069-5.2-1)',
    {
      kind: 'peer-up',
      peer: LOC_RIB,
      localAddress: new Uint8Array(4),
      localPort: 0,
      remotePort: 0,
      sentOpen: OPEN,
      receivedOpen: OPEN,
      information: [textOf(INFORMATION.tableName, 'global')],
    },
    `03 ${LOC_RIB_HEADER} ${'00'.repeat(16)} 0000 0000 ${OPEN_HEX} ${OPEN_HEX} 0003 0006 676c6f62616c`,
  ],
  ...(
    [
      ['sent NOTIFICATION', PEER_DOWN_REASON.localNotification, NOTIFICATION, `01 ${MARKER} 0015 03 06 02`],
      ['event', PEER_DOWN_REASON.localEvent, Uint8Array.of(0, 18), '02 0012'],
      [
        'received NOTIFICATION',
        PEER_DOWN_REASON.remoteNotification,
        NOTIFICATION,
        `03 ${MARKER} 0015 03 06 02`,
      ],
      ['closed connection', PEER_DOWN_REASON.remoteClosed, new Uint8Array(0), '04'],
      ['peer that is not told of any more', PEER_DOWN_REASON.deconfigured, new Uint8Array(0), '05'],
    ] as const
  ).map(([what, reason, data, hex]): readonly [string, Made, string] => [
    `Peer Down for a ${what} (7854-4.9-1)`,
    { kind: 'peer-down', peer: IPV4_PEER, reason, data },
    `02 ${IPV4_HEADER} ${hex}`,
  ]),
  [
    'Peer Down of a Loc-RIB (9069-5.2-1)',
    {
      kind: 'peer-down',
      peer: LOC_RIB,
      reason: PEER_DOWN_REASON.locRib,
      data: informationOctets([textOf(INFORMATION.tableName, 'global')]),
    },
    `02 ${LOC_RIB_HEADER} 06 0003 0006 676c6f62616c`,
  ],
  [
    'Route Monitoring after policy (7854-4.2-1)',
    {
      kind: 'route-monitoring',
      peer: { ...IPV6_PEER, flags: PEER_FLAG.postPolicy },
      update: Uint8Array.of(1, 2, 3),
    },
    `00 ${IPV6_HEADER.replace('0080', '00c0')} 010203`,
  ],
  [
    'Statistics Report',
    {
      kind: 'statistics-report',
      peer: IPV4_PEER,
      statistics: [
        { type: STATISTIC.duplicateAnnouncements.type, value: 7n },
        { type: STATISTIC.adjRibIn.type, value: 0x1_0000_0002n },
        { type: STATISTIC.familyAdjRibIn.type, value: 3n, family: { afi: 2, safi: 1 } },
        { type: 99, octets: Uint8Array.of(1, 2) },
      ],
    },
    `01 ${IPV4_HEADER} 00000004 0001 0004 00000007 0007 0008 0000000100000002 0009 000b 0002 01 0000000000000003 0063 0002 0102`,
  ],
];

function withLength(hex: string): Uint8Array {
  const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const head = Buffer.alloc(5);
  head[0] = 3;
  head.writeUInt32BE(body.length + 5, 1);
  return new Uint8Array(Buffer.concat([head, body]));
}

function decoded(bytes: Uint8Array): BmpMessage {
  return decodeMessage(bytes, 0, bytes.length);
}

describe('BMP messages', () => {
  it.each(GOLDEN)('%s: octets and value', (_title, message, hex) => {
    const bytes = withLength(hex);
    expect(Buffer.from(encodeMessage(message)).toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
    expect(decoded(bytes)).toEqual(message);
  });

  it('are of version 3, have their length, and those of unknown types are passed over (7854-4.1-1)', () => {
    const [, first] = GOLDEN[0]!;
    const bytes = encodeMessage(first);
    expect(messageLength(bytes, 0, bytes.length)).toBe(bytes.length);
    const unknown = Uint8Array.of(3, 0, 0, 0, 7, 200, 1);
    const both = new Uint8Array([...unknown, ...bytes, 3, 0, 0]);
    expect(decodeMessages(both)).toEqual({
      messages: [{ kind: 'unknown', type: 200 }, first],
      octets: unknown.length + bytes.length,
    });
    expect(() => decodeMessages(Uint8Array.of(2, 0, 0, 0, 6, 4))).toThrow(BmpError);
    expect(() => decodeMessages(Uint8Array.of(3, 0, 0, 0, 5, 4))).toThrow(BmpError);
    expect(() => decodeMessages(Uint8Array.of(3, 1, 0, 0, 0, 4))).toThrow(/octets/);
  });

  it('have reserved flags of 0, and those of others mean nothing (7854-4.2-1)', () => {
    const bytes = encodeMessage({ kind: 'route-monitoring', peer: IPV4_PEER, update: new Uint8Array(0) });
    expect(bytes[7]).toBe(0);
    bytes[7] = 0x0f;
    expect(decoded(bytes)).toMatchObject({ peer: { flags: 0 } });
  });

  it('need what their kinds ask for', () => {
    const noName = withLength('04 0001 0001 61');
    expect(() => decoded(noName)).toThrow('an Initiation without information of type 2');
    expect(() => decoded(withLength('05 0000 0001 61'))).toThrow('a Termination without a reason');
    const short = encodeMessage(GOLDEN[2]![1]).slice(0, -1);
    short[4] = short.length;
    expect(() => decoded(short)).toThrow(BmpError);
    expect(() => encodeMessage(statistics([{ type: 98, value: 1n }]))).toThrow(RangeError);
  });

  it('count in 32 bits and gauge in 64', () => {
    const counter = { type: STATISTIC.rejectedByPolicy.type, value: 0x1_0000_0003n };
    const report = decoded(encodeMessage(statistics([counter])));
    expect(report).toMatchObject({ statistics: [{ type: 0, value: 3n }] });
  });

  it('of routes have a head that is made once', () => {
    const peer = { ...IPV6_PEER, micros: 0 };
    const head = routeHeader(peer);
    expect(head).toHaveLength(ROUTE_HEADER_OCTETS);
    const update = Uint8Array.of(9, 8, 7);
    setRouteHeader(head, 0, update.length, 1234);
    const message = decoded(new Uint8Array([...head, ...update]));
    expect(message).toEqual({ kind: 'route-monitoring', peer: { ...peer, seconds: 1234 }, update });
  });

  it('come back as they were, whatever is in them', () => {
    fc.assert(
      fc.property(messages(), (message) => {
        expect(decoded(encodeMessage(message))).toEqual(message);
      }),
    );
  });

  it('that are noise are refused with a BmpError, and nothing else', () => {
    const noise = fc.tuple(fc.nat(7), fc.uint8Array({ maxLength: 120 }));
    fc.assert(
      fc.property(noise, ([type, body]) => {
        const hex = Buffer.from([type, ...body]).toString('hex');
        try {
          decoded(withLength(hex));
        } catch (error) {
          expect(error).toBeInstanceOf(BmpError);
        }
      }),
    );
  });
});

function statistics(list: Extract<Made, { kind: 'statistics-report' }>['statistics']): Made {
  return { kind: 'statistics-report', peer: IPV4_PEER, statistics: list };
}

function octets(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

function messages(): fc.Arbitrary<Made> {
  const word = fc.nat(0xffffffff);
  const address = fc.oneof(octets(4), octets(16));
  const peer = address.chain((bytes) =>
    fc.record<PeerHeader>({
      type: fc.constantFrom(0, 1, 2),
      flags: fc.constantFrom(0, PEER_FLAG.postPolicy, PEER_FLAG.as2, PEER_FLAG.out),
      distinguisher: octets(8),
      address: fc.constant(bytes),
      asn: word,
      bgpId: word,
      seconds: word,
      micros: word,
    }),
  );
  const information = fc.record({ type: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 40 }) });
  const open = fc.record({ myAs: fc.nat(65535), holdTime: fc.nat(65535), id: word }).map((fields) => {
    return encodeOpen({ ...fields, capabilities: [] });
  });
  const family = fc.record({ afi: fc.nat(65535), safi: fc.nat(255) });
  const statistic = fc.oneof(
    fc.record({ type: fc.constantFrom(0, 1, 2), value: fc.bigInt(0n, 0xffffffffn) }),
    fc.record({ type: fc.constantFrom(7, 8), value: fc.bigInt(0n, (1n << 64n) - 1n) }),
    fc.record({ type: fc.constantFrom(9, 10), value: fc.bigInt(0n, (1n << 64n) - 1n), family }),
  );
  return fc.oneof<fc.Arbitrary<Made>[]>(
    fc.record({ kind: fc.constant('route-monitoring'), peer, update: fc.uint8Array({ maxLength: 99 }) }),
    fc.record({ kind: fc.constant('statistics-report'), peer, statistics: fc.array(statistic) }),
    fc.record({
      kind: fc.constant('peer-down'),
      peer,
      reason: fc.nat(255),
      data: fc.uint8Array({ maxLength: 40 }),
    }),
    peer.chain((header) =>
      fc.record<Extract<Made, { kind: 'peer-up' }>>({
        kind: fc.constant('peer-up'),
        peer: fc.constant(header),
        localAddress: octets(header.address.length),
        localPort: fc.nat(65535),
        remotePort: fc.nat(65535),
        sentOpen: open,
        receivedOpen: open,
        information: fc.array(information),
      }),
    ),
    fc.record({
      kind: fc.constant('initiation'),
      information: fc
        .array(information)
        .map((more) => [textOf(INFORMATION.sysDescr, 'd'), textOf(INFORMATION.sysName, 'n'), ...more]),
    }),
    fc.record({
      kind: fc.constant('termination'),
      reason: fc.nat(65535),
      texts: fc.array(fc.string({ unit: 'grapheme' })),
    }),
  );
}
