import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ControlPacket, decodePacket, emptyPacket, encodePacket } from '../../src/bfd/packet.ts';
import { type Discard, diagnosticText, STATE_NAMES } from '../../src/bfd/protocol.ts';
import { viewOf } from '../../src/lib/bytes.ts';

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function decode(bytes: Uint8Array): ControlPacket | Discard {
  const packet = emptyPacket();
  return decodePacket(viewOf(bytes), 0, bytes.length, packet) ?? packet;
}

function encode(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(24);
  encodePacket(packet, viewOf(bytes), 0);
  return bytes;
}

const PLAIN: ControlPacket = {
  diagnostic: 0,
  state: 'Up',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  authenticated: false,
  demand: false,
  detectMultiplier: 3,
  length: 24,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0xfffefdfc,
  desiredMinTx: 300_000,
  requiredMinRx: 50_000,
  requiredMinEchoRx: 0,
};
const UP = '20 c0 03 18 01020304 fffefdfc 000493e0 0000c350 00000000';

describe('golden packets', () => {
  it.each<[string, ControlPacket, string]>([
    ['Up', PLAIN, UP],
    [
      'the first one of a session, as in RFC 5880 §6.8.7',
      { ...PLAIN, state: 'Down', yourDiscriminator: 0, desiredMinTx: 1_000_000, requiredMinRx: 300_000 },
      '20 40 03 18 01020304 00000000 000f4240 000493e0 00000000',
    ],
    [
      'Down, detection time expired, Poll',
      { ...PLAIN, state: 'Down', diagnostic: 1, poll: true },
      '21 60 03 18 01020304 fffefdfc 000493e0 0000c350 00000000',
    ],
    [
      'Init with all flags but Poll and Multipoint',
      {
        ...PLAIN,
        state: 'Init',
        final: true,
        controlPlaneIndependent: true,
        demand: true,
        requiredMinEchoRx: 50_000,
      },
      '20 9a 03 18 01020304 fffefdfc 000493e0 0000c350 0000c350',
    ],
    [
      'AdminDown, administratively down',
      { ...PLAIN, state: 'AdminDown', diagnostic: 7, detectMultiplier: 255 },
      '27 00 ff 18 01020304 fffefdfc 000493e0 0000c350 00000000',
    ],
  ])('%s', (_name, packet, hex) => {
    expect(Buffer.from(encode(packet)).toString('hex')).toBe(hex.replaceAll(' ', ''));
    expect(decode(bytesOf(hex))).toEqual(packet);
  });

  it('names all diagnostics', () => {
    expect(diagnosticText(0)).toBe('No Diagnostic');
    expect(diagnosticText(8)).toBe('Reverse Concatenated Path Down');
    expect(diagnosticText(31)).toBe('Diagnostic 31');
  });
});

describe('what is discarded before a session is known', () => {
  it.each<[string, string, Discard]>([
    ['version 0', '00 c0 03 18 01020304 fffefdfc 000493e0 0000c350 00000000', 'version'],
    ['version 2', '40 c0 03 18 01020304 fffefdfc 000493e0 0000c350 00000000', 'version'],
    ['nothing', '', 'length'],
    ['three octets', '20 c0 03', 'length'],
    ['a Length below 24', '20 c0 03 17 01020304 fffefdfc 000493e0 0000c350 00000000', 'length'],
    [
      'a Length of 24 with the A bit',
      '20 c4 03 18 01020304 fffefdfc 000493e0 0000c350 00000000 0104',
      'length',
    ],
    ['a Length beyond the payload', '20 c0 03 19 01020304 fffefdfc 000493e0 0000c350 00000000', 'length'],
    ['Detect Mult 0', '20 c0 00 18 01020304 fffefdfc 000493e0 0000c350 00000000', 'detect-multiplier'],
    ['the M bit', '20 c1 03 18 01020304 fffefdfc 000493e0 0000c350 00000000', 'multipoint'],
    ['My Discriminator 0', '20 c0 03 18 00000000 fffefdfc 000493e0 0000c350 00000000', 'my-discriminator'],
    ['all of it, in the order of the RFC', '40 c1 00 00 00000000 00000000', 'version'],
    ['all of it but the version', '20 c1 00 00 00000000 00000000', 'length'],
    [
      'Detect Mult before the M bit',
      '20 c1 00 18 00000000 fffefdfc 000493e0 0000c350 00000000',
      'detect-multiplier',
    ],
    [
      'the M bit before My Discriminator',
      '20 c1 01 18 00000000 fffefdfc 000493e0 0000c350 00000000',
      'multipoint',
    ],
  ])('5880-6.8.6-1: %s', (_name, hex, reason) => {
    expect(decode(bytesOf(hex))).toBe(reason);
  });

  it('octets behind the packet are no fault', () => {
    expect(decode(bytesOf(`${UP} 0000`))).toEqual(PLAIN);
  });
});

describe('properties', () => {
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const packets = fc.record<ControlPacket>({
    diagnostic: fc.integer({ min: 0, max: 31 }),
    state: fc.constantFrom(...STATE_NAMES),
    poll: fc.boolean(),
    final: fc.boolean(),
    controlPlaneIndependent: fc.boolean(),
    authenticated: fc.constant(false),
    demand: fc.boolean(),
    detectMultiplier: fc.integer({ min: 1, max: 255 }),
    length: fc.constant(24),
    myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    yourDiscriminator: uint32,
    desiredMinTx: uint32,
    requiredMinRx: uint32,
    requiredMinEchoRx: uint32,
  });

  it('what is written is read', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        expect(decode(encode(packet))).toEqual(packet);
      }),
    );
  });

  it('any octets are read or refused, and what is read is written alike', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const packet = decode(bytes);
        if (typeof packet === 'string') return;
        expect(encode(packet)).toEqual(bytes.slice(0, 24));
      }),
    );
  });

  it('any octets with a good beginning', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), packets, (tail, packet) => {
        const bytes = encode(packet);
        bytes.set(tail, 4);
        const read = decode(bytes);
        if (typeof read === 'string') expect(read).toBe('my-discriminator');
        else expect(encode(read)).toEqual(bytes);
      }),
    );
  });
});
