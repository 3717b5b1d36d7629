import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Capability, describeCapability } from '../../../src/bgp/wire/capabilities.ts';
import { lastCapability } from '../../../src/bgp/wire/negotiate.ts';
import { decodeOpen, encodeOpen, myAsField, type OpenMessage, openAs } from '../../../src/bgp/wire/open.ts';
import { hex, message, notificationOf, toHexString } from '../../support/wire.ts';

const decode = (bytes: Uint8Array) => decodeOpen(bytes, 0, bytes.length);
/** An OPEN of AS 65001, hold time 90, identifier 10.1.0.1, with what follows them. */
const open = (parameters: string) => message(1, hex(`04 fde9 005a 0a010001 ${parameters}`));
const failure = (bytes: Uint8Array) => notificationOf(() => decode(bytes));

const FULL: OpenMessage = {
  myAs: 23456,
  holdTime: 90,
  id: 0x0a010001,
  capabilities: [
    { kind: 'multiprotocol', afi: 1, safi: 1 },
    { kind: 'multiprotocol', afi: 2, safi: 1 },
    { kind: 'route-refresh' },
    { kind: 'extended-next-hop', entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
    { kind: 'extended-message' },
    { kind: 'role', value: 3 },
    {
      kind: 'graceful-restart',
      restarting: true,
      notification: true,
      restartTime: 120,
      families: [{ afi: 1, safi: 1, forwarding: true }],
    },
    { kind: 'four-octet-as', as: 4200000000 },
    { kind: 'add-path', entries: [{ afi: 1, safi: 1, mode: 3 }] },
    { kind: 'enhanced-route-refresh' },
    {
      kind: 'long-lived-graceful-restart',
      families: [{ afi: 1, safi: 1, forwarding: false, staleTime: 86400 }],
    },
    { kind: 'fqdn', hostname: 'rr1', domain: 'lab' },
    { kind: 'software-version', version: 'godwit/1' },
    { kind: 'unknown', code: 200, value: Uint8Array.of(1, 2), malformed: false },
  ],
};

const FULL_BYTES = `
  ffffffffffffffffffffffffffffffff 0072 01 # header
  04 # version
  5ba0 # AS_TRANS
  005a # hold time
  0a010001 # identifier
  55 # optional parameters
  02 53 # capabilities
  01 04 00010001 # multiprotocol IPv4 unicast
  01 04 00020001 # multiprotocol IPv6 unicast
  02 00 # route refresh
  05 06 0001 0001 0002 # extended next hop
  06 00 # extended message
  09 01 03 # role: customer
  40 06 c078 0001 01 80 # graceful restart: R, N, 120 s, IPv4 unicast with F
  41 04 fa56ea00 # 4-octet AS
  45 04 0001 01 03 # ADD-PATH: both
  46 00 # enhanced route refresh
  47 07 0001 01 00 015180 # LLGR, 86400 s
  49 08 03 727231 03 6c6162 # FQDN
  4b 09 08 676f647769742f31 # software version
  c8 02 0102 # unknown`;

test('an OPEN with every capability, both ways', () => {
  expect(toHexString(encodeOpen(FULL))).toBe(toHexString(hex(FULL_BYTES)));
  expect(decode(hex(FULL_BYTES))).toEqual(FULL);
});

test('capabilities as a person reads them', () => {
  expect(FULL.capabilities.map(describeCapability)).toEqual([
    'multiprotocol ipv4-unicast',
    'multiprotocol ipv6-unicast',
    'route refresh',
    'extended next hop ipv4-unicast over IPv6',
    'extended message',
    'role customer',
    'graceful restart 120 s, restarting, notification, ipv4-unicast (forwarding)',
    '4-octet AS 4200000000',
    'ADD-PATH ipv4-unicast send and receive',
    'enhanced route refresh',
    'long-lived graceful restart ipv4-unicast 86400 s',
    'FQDN rr1.lab',
    'software version godwit/1',
    'capability 200 (0102)',
  ]);
  const malformed = decode(open('07 02 05 4b 03 15 6060')).capabilities;
  expect(malformed.map(describeCapability)).toEqual(['software version (156060), malformed']);
});

describe('errors', () => {
  test('4271-6.2-1 another version is 2/1 with the one spoken here', () => {
    for (const version of ['03', '05']) {
      expect(failure(message(1, hex(`${version} fde9 005a 0a010001 00`)))).toEqual({
        error: '2/1',
        data: '0004',
      });
    }
  });

  test('4271-6.2-5 an unrecognised parameter is 2/4, the deprecated authentication too', () => {
    expect(failure(open('03 63 01 78'))?.error).toBe('2/4');
    expect(failure(open('06 01 04 41555448'))?.error).toBe('2/4');
  });

  test('4271-6.2-6 a length that overruns is 2/0', () => {
    expect(failure(open('14 02 06 01 04 00010001'))?.error).toBe('2/0'); // all parameters
    expect(failure(open('06 02 05 01 02 0001'))?.error).toBe('2/0'); // one parameter
    expect(failure(open('06 02 04 01 09 0001'))?.error).toBe('2/0'); // a capability
    expect(failure(open('01 02'))?.error).toBe('2/0'); // a parameter without a length
    expect(failure(open('00 00'))?.error).toBe('2/0'); // octets after the parameters
    expect(failure(message(1, hex('04 fde9 005a')))?.error).toBe('2/0');
  });

  test('5492-3-1 an unknown capability is kept and no error', () => {
    expect(decode(open('07 02 05 c8 03 616263')).capabilities).toEqual([
      { kind: 'unknown', code: 200, value: hex('616263'), malformed: false },
    ]);
  });

  test('5492-4-2 a malformed capability is kept as such, and the next one still read', () => {
    const { capabilities } = decode(open('08 02 06 40 00 01 02 0001'));
    expect(capabilities.map((c) => c.kind)).toEqual(['unknown', 'unknown']);
    const next = decode(open('0a 02 08 40 00 01 04 00010001')).capabilities;
    expect(next[1]).toEqual({ kind: 'multiprotocol', afi: 1, safi: 1 });
  });

  test('6793-3-2 capability 65 with a length other than 4 is 2/0, because UPDATEs would be misread', () => {
    expect(failure(open('06 02 04 41 02 0000'))?.error).toBe('2/0');
    expect(failure(open('09 02 07 41 05 0000fde900'))?.error).toBe('2/0');
    expect(failure(open('07 02 05 45 03 000101'))?.error).toBe('2/0'); // ADD-PATH likewise
  });

  test('nothing but NotificationError, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (body) => {
        const bytes = message(1, body);
        notificationOf(() => decode(bytes));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat(127), fc.nat(255), (at, octet) => {
        const bytes = hex(FULL_BYTES);
        bytes[Math.max(19, at % bytes.length)] = octet;
        notificationOf(() => decode(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parameters', () => {
  test('5492-3-3 no parameter at all', () => {
    expect(decode(open('00'))).toEqual({ myAs: 65001, holdTime: 90, id: 0x0a010001, capabilities: [] });
    expect(toHexString(encodeOpen({ ...FULL, myAs: 65001, capabilities: [] })).slice(38)).toBe(
      '04fde9005a0a01000100',
    );
  });

  test('5492-4-1 capabilities over several parameters and repeated ones', () => {
    const spread = decode(open('10 02 06 01 04 00010001 02 06 01 04 00010001'));
    expect(spread.capabilities).toHaveLength(2);
  });

  test('9072-2-1 more than 255 octets go out in the extended form', () => {
    const many = Array.from({ length: 60 }, (_, i): Capability => {
      return { kind: 'unknown', code: 200, value: Uint8Array.of(i, i), malformed: false };
    });
    const long = { ...FULL, capabilities: [...many, ...many] };
    const bytes = encodeOpen(long);
    expect(toHexString(bytes.subarray(28, 35))).toBe('ffff01e30201e0');
    expect(decode(bytes)).toEqual(long);
    // 63 capabilities of 4 octets are 252, with the parameter's header 254: the base form holds them.
    const base = encodeOpen({ ...FULL, capabilities: [...many, ...many.slice(0, 3)] });
    expect(toHexString(base.subarray(28, 31))).toBe('fe02fc');
  });

  test('9072-2-2 the extended form is taken with any non-zero length octet', () => {
    for (const octet of ['ff', '14', '01']) {
      expect(decode(open(`${octet} ff 0009 02 0006 01 04 00010001`)).capabilities).toHaveLength(1);
    }
    expect(failure(open('ff ff 0005 02 0006 01 04 00010001'))?.error).toBe('2/0');
    expect(failure(open('ff'))?.error).toBe('2/0');
  });

  test('9072-3-1 type 255 in any other place is unrecognised', () => {
    expect(failure(open('06 02 02 02 00 ff 00'))?.error).toBe('2/4');
    expect(failure(open('ff ff 0003 ff 0000'))?.error).toBe('2/4');
  });
});

describe('AS numbers', () => {
  test('6793-3-1 the My AS field is 23456 for an AS over 65535', () => {
    expect(myAsField(65535)).toBe(65535);
    expect(myAsField(65536)).toBe(23456);
  });

  test("6793-4.1-1 the capability's AS replaces the field's", () => {
    expect(openAs(FULL)).toBe(4200000000);
    expect(openAs({ ...FULL, capabilities: [] })).toBe(23456);
  });
});

test('4724-3-1 of several graceful restart capabilities the last one counts', () => {
  const bytes = open('0a 02 08 40 02 0078 40 02 8010');
  expect(lastCapability(decode(bytes), 'graceful-restart')).toMatchObject({
    restartTime: 16,
    restarting: true,
  });
  expect(lastCapability(decode(bytes), 'fqdn')).toBeUndefined();
});

test('names that no capability has room for are cut, and the OPEN is one', () => {
  const capabilities: Capability[] = [
    { kind: 'fqdn', hostname: 'ü'.repeat(200), domain: 'b'.repeat(300) },
    { kind: 'software-version', version: 'v'.repeat(300) },
  ];
  expect(decode(encodeOpen({ ...FULL, capabilities })).capabilities).toEqual([
    { kind: 'fqdn', hostname: 'ü'.repeat(31), domain: 'b'.repeat(190) },
    { kind: 'software-version', version: 'v'.repeat(254) },
  ]);
});

const u8 = fc.nat(255);
const u16 = fc.nat(0xffff);
const word = fc.string({ unit: fc.constantFrom(...'abcdefgh-.1'), maxLength: 20 });
const afiSafi = { afi: u16, safi: u8 };
const capability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ kind: fc.constant('multiprotocol' as const), ...afiSafi }),
  fc.record({
    kind: fc.constant('extended-next-hop' as const),
    entries: fc.array(fc.record({ afi: u16, safi: u16, nextHopAfi: u16 }), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('role' as const), value: u8 }),
  fc.record({ kind: fc.constant('four-octet-as' as const), as: fc.nat(0xffffffff) }),
  fc.record({
    kind: fc.constant('add-path' as const),
    entries: fc.array(fc.record({ ...afiSafi, mode: u8 }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('graceful-restart' as const),
    restarting: fc.boolean(),
    notification: fc.boolean(),
    restartTime: fc.nat(4095),
    families: fc.array(fc.record({ ...afiSafi, forwarding: fc.boolean() }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('long-lived-graceful-restart' as const),
    families: fc.array(fc.record({ ...afiSafi, forwarding: fc.boolean(), staleTime: fc.nat(0xffffff) }), {
      maxLength: 4,
    }),
  }),
  fc.record({ kind: fc.constant('fqdn' as const), hostname: word, domain: word }),
  fc.record({ kind: fc.constant('software-version' as const), version: word }),
  fc.constantFrom(
    { kind: 'route-refresh' as const },
    { kind: 'extended-message' as const },
    { kind: 'enhanced-route-refresh' as const },
  ),
  fc.record({
    kind: fc.constant('unknown' as const),
    code: fc.integer({ min: 200, max: 255 }),
    value: fc.uint8Array({ maxLength: 40 }),
    malformed: fc.constant(false),
  }),
);

test('any OPEN comes back as sent, in the base form or the extended one', () => {
  fc.assert(
    fc.property(
      fc.record({
        myAs: u16,
        holdTime: u16,
        id: fc.nat(0xffffffff),
        capabilities: fc.array(capability, { maxLength: 20 }),
      }),
      (sent) => {
        expect(decode(encodeOpen(sent))).toEqual(sent);
        for (const one of sent.capabilities) expect(describeCapability(one)).not.toBe('');
      },
    ),
  );
});
