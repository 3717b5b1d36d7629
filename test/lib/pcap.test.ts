// Capture files: what is read back is what was said, and every octet of a small one is known.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/lib/ip.ts';
import { PcapWriter, type TcpConversation } from '../../src/lib/pcap.ts';
import { tcpStreams } from '../support/pcap.ts';

const end = (address: string, port: number) => ({ address: parseAddress(address)!.bytes, port });
const V4: TcpConversation = { id: 1, client: end('10.0.0.1', 40000), server: end('10.0.0.2', 179) };
const V6: TcpConversation = { id: 2, client: end('2001:db8::1', 179), server: end('2001:db8::2', 1790) };

const join = (parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((each) => [...each]));

describe('a capture file', () => {
  it('golden octets of one message', () => {
    const writer = new PcapWriter();
    const file = join([
      writer.header(),
      writer.message(V4, true, Uint8Array.of(1, 2, 3), 1_700_000_000_123.5),
    ]);
    const hex = Buffer.from(file).toString('hex');
    expect(hex.slice(0, 48)).toBe(`a1b2c3d4000200040000000000000000${'00040000'}${'00000065'}`);
    // Moment, lengths; IPv4 with its checksum; ports, sequence 0, SYN.
    expect(hex.slice(48, 48 + 112)).toBe(
      `6553f100${'0001e26c'}${'00000028'}${'00000028'}` +
        `45000028000140004006${'26cd'}0a0000010a000002` +
        `9c4000b3${'00000000'}${'00000000'}5002ffff${'feec'}0000`,
    );
    expect(file.length).toBe(24 + 3 * (16 + 40) + 16 + 43);
    expect(hex.endsWith(`9c4000b3${'00000001'}${'00000001'}5018fffffacf0000010203`)).toBe(true);
  });

  it('any conversation reads back, in both directions and IP versions', () => {
    const said = fc.array(
      fc.record({
        v6: fc.boolean(),
        byClient: fc.boolean(),
        octets: fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 100 }),
          fc
            .integer({ min: 30_000, max: 70_000 })
            .map((length) => new Uint8Array(length).fill(length & 0xff)),
        ),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(said, (all) => {
        const writer = new PcapWriter();
        const parts = [writer.header()];
        const expected = new Map<string, number[]>();
        for (const { v6, byClient, octets } of all) {
          const conversation = v6 ? V6 : V4;
          parts.push(writer.message(conversation, byClient, octets, 5000));
          const from = (byClient ? conversation.client : conversation.server).port;
          const key = `${v6} ${from}`;
          const before = expected.get(key) ?? [];
          for (const octet of octets) before.push(octet);
          expected.set(key, before);
        }
        const streams = tcpStreams(join(parts)).filter(({ bytes }) => bytes.length > 0);
        expect(streams).toHaveLength(expected.size);
        for (const { fromPort, toPort, bytes, gap, fromStart } of streams) {
          const v6 = fromPort === 1790 || toPort === 1790;
          expect([gap, fromStart]).toEqual([false, true]);
          expect(Buffer.compare(bytes, Buffer.from(expected.get(`${v6} ${fromPort}`)!))).toBe(0);
        }
      }),
      { numRuns: 30 },
    );
  });
});
