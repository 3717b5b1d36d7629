import { describe, expect, test } from 'vitest';
import { encodeAttributes } from '../../../src/bgp/wire/attribute-set.ts';
import { type Family, IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { Framer } from '../../../src/bgp/wire/framing.ts';
import { type DecodeOptions, UpdateDecoder } from '../../../src/bgp/wire/update-decoder.ts';
import { type EncodeContext, UpdateWriter } from '../../../src/bgp/wire/update-writer.ts';
import { octetsOf } from '../../../src/lib/bytes.ts';
import { giveMemoryBack } from '../../../src/lib/idle-memory.ts';
import { parsePrefix } from '../../../src/lib/ip.ts';
import { type Decoded, describeUpdate } from '../../support/decoded.ts';
import { hex, sessionContext, toHexString } from '../../support/wire.ts';

const SET = encodeAttributes({ asPath: '65001', med: 5 });
const V4_HOP = hex('0a01fffe');
const V6_HOP = hex('20010db8000000000000000000000001');
const V6_PAIR = hex('20010db8000000000000000000000001 fe800000000000000000000000000001');

function writer(overrides: Partial<EncodeContext> = {}): UpdateWriter {
  return new UpdateWriter({
    family: IPV4_UNICAST,
    as4: true,
    addPath: false,
    messageLimit: 4096,
    extendedNextHop: false,
    ...overrides,
  });
}

/** A prefix as the writer takes it. */
function add(to: UpdateWriter, family: Family, text: string, pathId = 0): boolean {
  const prefix = parsePrefix(text)!;
  const words = new Int32Array(family.words * 2);
  const view = new DataView(prefix.bytes.buffer, prefix.bytes.byteOffset);
  for (let i = 0; i < family.words; i++) words[family.words + i] = view.getInt32(i * 4);
  return to.addPrefix(words, family.words, prefix.length, pathId);
}

function written(from: UpdateWriter): string {
  from.finish();
  return toHexString(from.bytes.subarray(0, from.length));
}

function decodeAll(bytes: Uint8Array, context = {}, options: DecodeOptions = {}): Decoded[] {
  const session = sessionContext({ peerType: 'internal', ...context });
  const decoder = new UpdateDecoder(session, options);
  const all: Decoded[] = [];
  new Framer(session.receiveLimit).push(bytes, bytes.length, (buffer, start, end) => {
    all.push(describeUpdate(decoder.decode(buffer, start, end)));
    return true;
  });
  return all;
}

describe('golden octets', () => {
  test('IPv4 with an IPv4 next hop: NEXT_HOP in its place, classic NLRI', () => {
    const out = writer();
    out.startAnnounce(octetsOf(SET), 0, SET.length, V4_HOP, 4);
    add(out, IPV4_UNICAST, '203.0.113.0/24');
    add(out, IPV4_UNICAST, '172.16.0.0/12');
    add(out, IPV4_UNICAST, '0.0.0.0/0');
    expect(written(out)).toBe(
      toHexString(
        hex(`
        ffffffffffffffffffffffffffffffff 003a 02 # header
        0000 # no withdrawn routes
        001b # path attributes
        40 01 01 00 # ORIGIN IGP
        40 02 06 02 01 0000fde9 # AS_PATH 65001
        40 03 04 0a01fffe # NEXT_HOP
        80 04 04 00000005 # MULTI_EXIT_DISC
        18 cb0071 0c ac10 00 # NLRI`),
      ),
    );
    expect(out.messages).toBe(1);
  });

  test('7606-5.1-1 IPv6: MP_REACH_NLRI first, reserved octet 0 (4760-3-3), no NEXT_HOP (4760-3-2)', () => {
    const out = writer({ family: IPV6_UNICAST });
    out.startAnnounce(octetsOf(SET), 0, SET.length, V6_PAIR, 32);
    add(out, IPV6_UNICAST, '2001:db8:1::/48');
    expect(written(out)).toBe(
      toHexString(
        hex(`
        ffffffffffffffffffffffffffffffff 005b 02 # header
        0000 0044 # lengths
        90 0e 002c 0002 01 # MP_REACH_NLRI, IPv6 unicast
        20 20010db8000000000000000000000001 fe800000000000000000000000000001 # next hop
        00 # reserved
        30 20010db80001 # NLRI
        40 01 01 00 40 02 06 02 01 0000fde9 80 04 04 00000005 # the set`),
      ),
    );
  });

  test('a set behind MP_REACH_NLRI is the one it was, whatever its buffer is used for before the message is closed', () => {
    const set = SET.slice();
    const out = writer({ family: IPV6_UNICAST });
    out.startAnnounce(octetsOf(set), 0, set.length, V6_HOP, 16);
    add(out, IPV6_UNICAST, '2001:db8:1::/48');
    set.fill(0);
    const sent = written(out);
    expect(sent.endsWith(toHexString(SET))).toBe(true);
  });

  test('withdrawals', () => {
    const out = writer();
    out.startWithdraw();
    add(out, IPV4_UNICAST, '203.0.113.0/24');
    expect(written(out).slice(32)).toBe('001b02 0004 18cb0071 0000'.replaceAll(' ', ''));
    const six = writer({ family: IPV6_UNICAST });
    six.startWithdraw();
    add(six, IPV6_UNICAST, '2001:db8::/33');
    expect(written(six).slice(32)).toBe(
      '002402 0000 000d 900f0009 0002 01 21 20010db800'.replaceAll(' ', ''),
    );
  });

  test('4724-4-1 End-of-RIB: an empty UPDATE, or an empty MP_UNREACH_NLRI', () => {
    const out = writer();
    out.endOfRib();
    expect(written(out).slice(32)).toBe('00170200000000');
    const six = writer({ family: IPV6_UNICAST });
    six.endOfRib();
    expect(written(six).slice(32)).toBe('001e0200000007900f0003000201');
    expect(decodeAll(six.detach())[0]?.endOfRib).toBe('ipv6-unicast');
    expect(decodeAll(out.detach())[0]?.endOfRib).toBe('ipv4-unicast');
  });

  test('8950-4-1 IPv4 prefixes with an IPv6 next hop go into MP_REACH_NLRI, where agreed', () => {
    const out = writer({ extendedNextHop: true });
    out.startAnnounce(octetsOf(SET), 0, SET.length, V6_HOP, 16);
    add(out, IPV4_UNICAST, '203.0.113.0/24');
    expect(written(out).slice(46, 104)).toBe(
      '900e0019 0001 01 10 20010db8000000000000000000000001 00 18cb0071'.replaceAll(' ', ''),
    );
    expect(decodeAll(out.detach(), { extendedNextHop: 1 })[0]).toMatchObject({
      announced: ['203.0.113.0/24'],
      nextHops: ['2001:db8::1'],
    });
    const plain = writer();
    expect(() => plain.startAnnounce(octetsOf(SET), 0, SET.length, V6_HOP, 16)).toThrow(RangeError);
    expect(() =>
      writer({ family: IPV6_UNICAST }).startAnnounce(octetsOf(SET), 0, SET.length, V4_HOP, 4),
    ).toThrow(RangeError);
  });

  test('7911-3-1 a path identifier before every prefix, announced or withdrawn', () => {
    const out = writer({ addPath: true });
    out.startAnnounce(octetsOf(SET), 0, SET.length, V4_HOP, 4);
    add(out, IPV4_UNICAST, '10.0.0.0/8', 7);
    out.startWithdraw();
    add(out, IPV4_UNICAST, '10.0.0.0/8', 0xffffffff);
    const decoded = decodeAll(out.detach(), { addPathReceive: 1 });
    expect(decoded.map((one) => one.announced)).toEqual([['10.0.0.0/8 #7'], []]);
    expect(decoded.map((one) => one.withdrawn)).toEqual([[], ['10.0.0.0/8 #4294967295']]);
  });
});

describe('old speakers', () => {
  test('6793-4.2.2-1, 6793-4.2.2-2 narrowed ASes, AS4_PATH and AS4_AGGREGATOR where needed, in order', () => {
    const set = encodeAttributes({
      asPath: '65001 70000',
      aggregator: '70000 10.0.0.1',
      communities: ['1:2'],
      largeCommunities: ['1:2:3'],
    });
    const out = writer({ as4: false });
    out.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
    add(out, IPV4_UNICAST, '203.0.113.0/24');
    expect(written(out).slice(46)).toBe(
      toHexString(
        hex(`
        40 01 01 00 # ORIGIN
        40 02 06 02 02 fde9 5ba0 # AS_PATH with AS_TRANS
        40 03 04 0a01fffe # NEXT_HOP
        c0 07 06 5ba0 0a000001 # AGGREGATOR
        c0 08 04 00010002 # COMMUNITIES
        c0 11 0a 02 02 0000fde9 00011170 # AS4_PATH
        c0 12 08 00011170 0a000001 # AS4_AGGREGATOR
        c0 20 0c 00000001 00000002 00000003 # LARGE_COMMUNITIES
        18 cb0071`),
      ),
    );
    expect(decodeAll(out.detach(), { as4: false })[0]?.set).toBe(toHexString(set));
  });

  test('nothing of it where two octets do', () => {
    const set = encodeAttributes({ asPath: '65001', aggregator: '65001 10.0.0.1' });
    const out = writer({ as4: false });
    out.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
    add(out, IPV4_UNICAST, '203.0.113.0/24');
    const text = written(out);
    expect(text).not.toContain('c011');
    expect(text).not.toContain('c012');
    expect(decodeAll(out.detach(), { as4: false })[0]?.set).toBe(toHexString(set));
  });

  test('an empty path keeps NEXT_HOP and AS4_* in their places', () => {
    const set = encodeAttributes({ asPath: '', aggregator: '70000 10.0.0.1' });
    const out = writer({ as4: false });
    out.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
    add(out, IPV4_UNICAST, '203.0.113.0/24');
    expect(decodeAll(out.detach(), { as4: false })[0]).toMatchObject({
      set: toHexString(set),
      withdraw: false,
    });
  });
});

describe('message limits', () => {
  const prefix = (i: number) => `10.${i >> 8}.${i & 255}.0/24`;

  test('prefixes are spread over full messages, none over the limit', () => {
    const cases = [
      { messageLimit: 4096, family: IPV4_UNICAST, count: 1200 },
      { messageLimit: 4096, family: IPV6_UNICAST, count: 800 },
      { messageLimit: 65535, family: IPV6_UNICAST, count: 6500 },
    ];
    for (const { messageLimit, family, count } of cases) {
      const out = writer({ messageLimit, family, addPath: true });
      const hop = family === IPV4_UNICAST ? V4_HOP : V6_HOP;
      const text = (i: number) =>
        family === IPV4_UNICAST ? prefix(i) : `2001:db8:${(i + 1).toString(16)}::/48`;
      const texts = Array.from({ length: count }, (_, i) => `${text(i)} #${i + 1}`);
      out.startAnnounce(octetsOf(SET), 0, SET.length, hop, hop.length);
      for (let i = 0; i < count; i++) expect(add(out, family, text(i), i + 1)).toBe(true);
      out.startWithdraw();
      for (let i = 0; i < count; i++) add(out, family, text(i), i + 1);
      out.finish();
      const { messages } = out;
      const decoded = decodeAll(out.detach(), { addPathReceive: 3, receiveLimit: messageLimit });
      expect(decoded.flatMap((one) => one.announced)).toEqual(texts);
      expect(decoded.flatMap((one) => one.withdrawn)).toEqual(texts);
      expect(decoded.length).toBe(messages);
      expect(messages).toBeGreaterThan(3);
      const size = family === IPV4_UNICAST ? 8 : 11;
      expect(messages).toBeLessThanOrEqual(2 * Math.ceil((count * size) / (messageLimit - 120)));
    }
  });

  test('a message may be exactly as long as the limit', () => {
    for (let limit = 60; limit < 70; limit++) {
      const out = writer({ messageLimit: limit });
      out.startAnnounce(octetsOf(SET), 0, SET.length, V4_HOP, 4);
      for (let i = 0; i < 20; i++) expect(add(out, IPV4_UNICAST, prefix(i))).toBe(true);
      const lengths: number[] = [];
      const bytes = out.detach();
      new Framer().push(bytes, bytes.length, (_buffer, start, end) => lengths.push(end - start) > 0);
      // 50 octets without prefixes, 4 octets each.
      expect(Math.max(...lengths)).toBe(50 + Math.floor((limit - 50) / 4) * 4);
    }
  });

  test('8654-4-3 attributes that may be discarded go when that makes the message fit', () => {
    const communities = Array.from({ length: 1009 }, (_, i) => `1:${i}`);
    const set = encodeAttributes({
      asPath: '65001',
      communities,
      atomicAggregate: true,
      aggregator: '1 10.0.0.1',
    });
    const out = writer();
    out.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
    expect(add(out, IPV4_UNICAST, '203.0.113.0/24')).toBe(true);
    const [decoded] = decodeAll(out.detach());
    expect(decoded?.attributes.communities).toHaveLength(1009);
    expect(decoded?.attributes.aggregator).toBeUndefined();
    expect(decoded?.attributes.atomicAggregate).toBe(false);
  });

  test('4271-9.2-3 a set that leaves no room is not sent: the caller hears of each prefix', () => {
    const communities = Array.from({ length: 1100 }, (_, i) => `1:${i}`);
    const set = encodeAttributes({ asPath: '65001', communities });
    const out = writer();
    out.startAnnounce(octetsOf(SET), 0, SET.length, V4_HOP, 4);
    expect(add(out, IPV4_UNICAST, '10.0.0.0/8')).toBe(true);
    out.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
    expect(add(out, IPV4_UNICAST, '203.0.113.0/24')).toBe(false);
    expect(add(out, IPV4_UNICAST, '198.51.100.0/24')).toBe(false);
    expect(out.skipped).toBe(2);
    out.startWithdraw();
    add(out, IPV4_UNICAST, '203.0.113.0/24');
    const decoded = decodeAll(out.detach());
    expect(decoded.map((one) => one.announced)).toEqual([['10.0.0.0/8'], []]);
    expect(decoded.map((one) => one.withdrawn)).toEqual([[], ['203.0.113.0/24']]);
    const long = writer({ messageLimit: 65535 });
    long.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
    expect(add(long, IPV4_UNICAST, '203.0.113.0/24')).toBe(true);
  });
});

test('a set with an attribute that has outgrown its length is never sent, nor what seems to stand behind it', () => {
  const path = new Uint8Array(65_544);
  // Whoever believes the length meets an AGGREGATOR of 65,520 octets there, which a route does without.
  path.set([0xd0, 7, 0xff, 0xf0], 8);
  const set = Uint8Array.from([0x40, 1, 1, 0, 0x50, 2, path.length >> 8, path.length & 255, ...path]);
  const out = writer({ messageLimit: 65535 });
  out.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
  expect(add(out, IPV4_UNICAST, '10.0.0.0/8')).toBe(false);
});

describe('the buffer', () => {
  test('detach hands out octets that nobody writes to again, small or large', () => {
    for (const count of [1, 9000]) {
      const out = writer();
      out.startAnnounce(octetsOf(SET), 0, SET.length, V4_HOP, 4);
      for (let i = 0; i < count; i++) add(out, IPV4_UNICAST, `10.${(i >> 8) & 255}.${i & 255}.0/24`);
      const first = out.detach();
      const copy = first.slice();
      expect([out.length, out.messages]).toEqual([0, 0]);
      out.startWithdraw();
      for (let i = 0; i < count; i++) add(out, IPV4_UNICAST, `11.${(i >> 8) & 255}.${i & 255}.0/24`);
      const second = out.detach();
      expect(first).toEqual(copy);
      expect(decodeAll(second).flatMap((one) => one.withdrawn)).toHaveLength(count);
    }
  });

  test('what was announced may go when it has been handed out', async () => {
    const out = writer();
    const announce = () => {
      const set = SET.slice();
      out.startAnnounce(octetsOf(set), 0, set.length, V4_HOP, 4);
      add(out, IPV4_UNICAST, '10.0.0.0/8');
      out.detach();
      return new WeakRef(set.buffer);
    };
    const memory = announce();
    await new Promise((resolve) => setImmediate(resolve));
    giveMemoryBack();
    expect(memory.deref()).toBeUndefined();
  });

  test('sections without prefixes leave nothing behind', () => {
    const out = writer();
    out.startAnnounce(octetsOf(SET), 0, SET.length, V4_HOP, 4);
    out.startWithdraw();
    out.finish();
    expect([out.length, out.messages]).toEqual([0, 0]);
    expect(out.detach()).toHaveLength(0);
  });

  test('a prefix without a section is a mistake of the caller', () => {
    expect(() => add(writer(), IPV4_UNICAST, '10.0.0.0/8')).toThrow('without startAnnounce');
  });
});
