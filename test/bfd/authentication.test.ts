import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuthenticationOptions, Authenticator } from '../../src/bfd/authentication.ts';
import { LONGEST_PACKET } from '../../src/bfd/packet.ts';
import { AUTHENTICATION, type AuthenticationName, type Discard } from '../../src/bfd/protocol.ts';

const HEADER = Buffer.from('20c403180102030405060708000493e0000493e000000000', 'hex');
const MULTIPLIER = 3;
const NAMES = Object.keys(AUTHENTICATION) as AuthenticationName[];
const DIGESTED = NAMES.filter((name) => name !== 'simple');
const METICULOUS = NAMES.filter((name) => name.startsWith('meticulous'));

function options(type: AuthenticationName, secret = 'secret', id = 7): AuthenticationOptions {
  return { type, keys: [{ id, secret: new TextEncoder().encode(secret) }] };
}

/** Starts at sequence number 0, so that the first packet has 1. */
function authenticator(of: AuthenticationOptions): Authenticator {
  return new Authenticator(of, () => 0);
}

function sign(by: Authenticator, differs = true): Uint8Array {
  const bytes = new Uint8Array(LONGEST_PACKET);
  bytes.set(HEADER);
  bytes[3] = HEADER.length + by.octets;
  by.sign(bytes, new DataView(bytes.buffer), differs);
  return bytes.slice(0, bytes[3]);
}

function verify(by: Authenticator, packet: Uint8Array, lead = 0): Discard | undefined {
  const bytes = new Uint8Array(lead + packet.length);
  bytes.set(packet, lead);
  return by.verify(bytes, new DataView(bytes.buffer), lead, packet.length, MULTIPLIER);
}

function withSequence(
  packet: Uint8Array,
  type: AuthenticationName,
  secret: string,
  sequence: number,
): Uint8Array {
  const bytes = packet.slice();
  new DataView(bytes.buffer).setUint32(28, sequence);
  const { digest } = AUTHENTICATION[type];
  bytes.fill(0, 32).set(new TextEncoder().encode(secret), 32);
  bytes.set(createHash(digest!.algorithm).update(bytes).digest(), 32);
  return bytes;
}

describe('golden sections', () => {
  it('simple password (RFC 5880 §4.2)', () => {
    const packet = sign(authenticator(options('simple')));
    expect(Buffer.from(packet).toString('hex', 24)).toBe('010907736563726574');
  });

  it.each([
    ['md5', '0218070000000001', 16],
    ['meticulous-md5', '0318070000000001', 16],
    ['sha1', '041c070000000001', 20],
    ['meticulous-sha1', '051c070000000001', 20],
  ] as const)('%s: the digest over the packet with the key in its place', (type, head, octets) => {
    const packet = Buffer.from(sign(authenticator(options(type))));
    expect(packet.toString('hex', 24, 32)).toBe(head);
    expect(packet).toHaveLength(32 + octets);
    const keyed = Buffer.from(packet);
    keyed.fill(0, 32).write('secret', 32);
    const { algorithm } = AUTHENTICATION[type].digest;
    expect(packet.subarray(32)).toEqual(createHash(algorithm).update(keyed).digest());
    expect(packet.includes('secret')).toBe(false);
  });

  it('meticulous SHA1, octet by octet', () => {
    expect(Buffer.from(sign(authenticator(options('meticulous-sha1')))).toString('hex')).toBe(createGolden());
  });
});

/** Computed apart from the code under test: header with length 52, section head, SHA1 over it with the padded key. */
function createGolden(): string {
  const head = '20c403340102030405060708000493e0000493e000000000051c070000000001';
  const key = '7365637265740000000000000000000000000000';
  return (
    head +
    createHash('sha1')
      .update(Buffer.from(head + key, 'hex'))
      .digest('hex')
  );
}

describe('what passes', () => {
  it.each(NAMES)('%s of the same key, anywhere in a buffer', (type) => {
    const [sender, receiver] = [authenticator(options(type)), authenticator(options(type))];
    for (let i = 0; i < 20; i++) expect(verify(receiver, sign(sender), i)).toBeUndefined();
  });

  it.each(NAMES)('%s: any key that fits', (type) => {
    const { longestKey } = AUTHENTICATION[type];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: longestKey }), fc.nat(255), (secret, id) => {
        const keys = { type, keys: [{ id, secret }] };
        expect(verify(authenticator(keys), sign(authenticator(keys)))).toBeUndefined();
      }),
    );
  });

  it('any of several keys; the first one is sent with', () => {
    const [one, two] = [options('sha1', 'one', 1).keys[0]!, options('sha1', 'two', 2).keys[0]!];
    const both = authenticator({ type: 'sha1', keys: [two, one] });
    expect(verify(both, sign(authenticator({ type: 'sha1', keys: [one] })))).toBeUndefined();
    expect(verify(authenticator({ type: 'sha1', keys: [two] }), sign(both))).toBeUndefined();
  });
});

describe('5880-6.8.6-1: what does not pass', () => {
  it.each(NAMES)('%s: another type', (type) => {
    const other = type === 'md5' ? 'sha1' : 'md5';
    expect(verify(authenticator(options(type)), sign(authenticator(options(other))))).toBe(
      'authentication-type',
    );
  });

  it.each(NAMES)('%s: an unknown key id', (type) => {
    const packet = sign(authenticator(options(type, 'secret', 8)));
    expect(verify(authenticator(options(type)), packet)).toBe('authentication-key');
  });

  it.each(NAMES)('%s: another key', (type) => {
    const packet = sign(authenticator(options(type, 'SECRET')));
    expect(verify(authenticator(options(type)), packet)).toBe('authentication-digest');
  });

  it.each(NAMES)('%s: a section of another length', (type) => {
    const packet = sign(authenticator(options(type)));
    packet[25]! -= 1;
    expect(verify(authenticator(options(type)), packet)).toBe('authentication-length');
    const shorter = sign(authenticator(options(type))).slice(0, -1);
    shorter[25]! -= 1;
    expect(verify(authenticator(options(type)), shorter)).toBe('authentication-length');
    const head = sign(authenticator(options(type))).slice(0, 26);
    head[25] = 2;
    expect(verify(authenticator(options(type)), head)).toBe('authentication-length');
  });

  it.each(DIGESTED)('%s: any octet changed', (type) => {
    const packet = sign(authenticator(options(type)));
    fc.assert(
      fc.property(fc.nat(packet.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        // The reserved octet is under the digest, too.
        const bytes = packet.slice();
        bytes[at]! ^= change;
        expect(verify(authenticator(options(type)), bytes)).toBeDefined();
      }),
    );
  });
});

describe('sequence numbers (RFC 5880 §6.7.3)', () => {
  it.each(DIGESTED)('%s: the same again, and up to 3 x Detect Mult ahead', (type) => {
    const receiver = authenticator(options(type));
    const packet = sign(authenticator(options(type)));
    const numbered = (sequence: number) => withSequence(packet, type, 'secret', sequence);
    expect(verify(receiver, numbered(100))).toBeUndefined();
    const again = METICULOUS.includes(type) ? 'authentication-sequence' : undefined;
    expect(verify(receiver, numbered(100))).toBe(again);
    expect(verify(receiver, numbered(99))).toBe('authentication-sequence');
    expect(verify(receiver, numbered(110))).toBe('authentication-sequence');
    expect(verify(receiver, numbered(109))).toBeUndefined();
    expect(verify(receiver, numbered(100))).toBe('authentication-sequence');
  });

  it.each(DIGESTED)('%s: the circle closes at 2^32', (type) => {
    const receiver = authenticator(options(type));
    const packet = sign(authenticator(options(type)));
    expect(verify(receiver, withSequence(packet, type, 'secret', 0xffff_ffff))).toBeUndefined();
    expect(verify(receiver, withSequence(packet, type, 'secret', 3))).toBeUndefined();
    const last = new Authenticator(options(type), () => 1 - 2 ** -32);
    expect(Buffer.from(sign(last)).readUInt32BE(28)).toBe(0);
  });

  it.each(DIGESTED)('%s: a forged number shuts nobody out', (type) => {
    const receiver = authenticator(options(type));
    const sender = authenticator(options(type));
    const forged = withSequence(sign(sender), type, 'wrong', 5000);
    expect(verify(receiver, forged)).toBe('authentication-digest');
    expect(verify(receiver, sign(sender))).toBeUndefined();
  });

  it.each(DIGESTED)('%s: forgotten, any number is the first', (type) => {
    const receiver = authenticator(options(type));
    const packet = sign(authenticator(options(type)));
    expect(verify(receiver, withSequence(packet, type, 'secret', 5000))).toBeUndefined();
    receiver.forgetSequence();
    expect(verify(receiver, withSequence(packet, type, 'secret', 1))).toBeUndefined();
  });

  it('meticulous ones grow with every packet, others with what differs', () => {
    const numbers = (type: AuthenticationName) => {
      const sender = authenticator(options(type));
      return [true, false, false, true].map((differs) => Buffer.from(sign(sender, differs)).readUInt32BE(28));
    };
    expect(numbers('meticulous-sha1')).toEqual([1, 2, 3, 4]);
    expect(numbers('sha1')).toEqual([1, 1, 1, 2]);
  });
});

describe('keys', () => {
  it.each(NAMES)('%s: too long, empty, none', (type) => {
    const { longestKey } = AUTHENTICATION[type];
    expect(() => authenticator(options(type, 'x'.repeat(longestKey + 1)))).toThrow(
      `1 to ${longestKey} octets`,
    );
    expect(() => authenticator(options(type, ''))).toThrow(RangeError);
    expect(() => authenticator({ type, keys: [] })).toThrow('authentication needs a key');
  });
});
