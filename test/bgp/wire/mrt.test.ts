// Table dumps: octets as BIRD 2 writes them, and everything that is written can be read by the reader of the bench.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordCutter } from '../../../bench/mrt/records.ts';
import { RibDecoder } from '../../../bench/mrt/rib.ts';
import { encodeAttributes } from '../../../src/bgp/wire/attribute-values.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { dumpAttributes, encodePeerIndex, encodeRib } from '../../../src/bgp/wire/mrt.ts';
import { maskBytes } from '../../../src/lib/ip.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const TIME = 0x6b01d9d6;

describe('a table dump', () => {
  it('6396-2-1, 6396-4.3.1-1: names view and peers as BIRD does', () => {
    const peers = [
      { id: 0, address: new Uint8Array(16), asn: 0 },
      { id: 0x0a090002, address: Uint8Array.of(10, 9, 0, 2), asn: 65001 },
    ];
    expect(hex(encodePeerIndex(TIME, 0x0a000005, 'master4', peers))).toBe(
      `6b01d9d6000d0001000000350a00000500076d617374657234000203${'00'.repeat(24)}020a0900020a0900020000fde9`,
    );
  });

  it('has a route with its next hop among the attributes', () => {
    const plain = encodeAttributes({ origin: 'IGP', asPath: '65001', localPref: 100 });
    const attributes = dumpAttributes(plain, 0, plain.length, Uint8Array.of(10, 9, 0, 2));
    const head = { timestamp: TIME, sequence: 2, family: IPV4_UNICAST, addPath: false };
    const route = { peer: 1, since: 0x6b01d9d3, pathId: 0, attributes };
    expect(hex(encodeRib(head, Uint8Array.of(10, 8, 0, 0), 16, [route]))).toBe(
      '6b01d9d6000d00020000002c00000002100a08000100016b01d9d3001b40010100400206020100' +
        '00fde94003040a09000240050400000064',
    );
  });

  it('6396-4.3.4-1: has of MP_REACH_NLRI the next hop only, and none where there is none', () => {
    const plain = encodeAttributes({ origin: 'IGP', asPath: '' });
    expect(hex(dumpAttributes(plain, 0, plain.length, new Uint8Array(4)))).toBe(hex(plain));
    const nextHop = new Uint8Array(32).fill(0xfe);
    expect(hex(dumpAttributes(plain, 0, plain.length, nextHop))).toBe(
      `${hex(plain)}800e2120${'fe'.repeat(32)}`,
    );
  });

  it('8050-4.1-1: can be read again, with and without path identifiers', () => {
    const octets = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
    const route = fc.record({
      peer: fc.nat(2),
      since: fc.nat(0xffff_ffff),
      pathId: fc.nat(0xffff_ffff),
      attributes: fc.uint8Array({ maxLength: 40 }),
    });
    const rib = fc.record({
      v6: fc.boolean(),
      address: octets(16),
      bits: fc.nat(32),
      addPath: fc.boolean(),
      routes: fc.array(route, { maxLength: 4 }),
    });
    const peers = [4, 16, 4].map((size, i) => ({
      id: i,
      address: new Uint8Array(size).fill(i + 1),
      asn: 65000 + i,
    }));
    fc.assert(
      fc.property(fc.array(rib, { maxLength: 5 }), (ribs) => {
        const records = ribs.map(({ v6, address, bits, addPath, routes }, sequence) => {
          const family = v6 ? IPV6_UNICAST : IPV4_UNICAST;
          const prefix = maskBytes(address.slice(0, family.nextHopBytes), bits);
          return encodeRib({ timestamp: TIME, sequence, family, addPath }, prefix, bits, routes);
        });
        const decoder = new RibDecoder();
        const seen: unknown[] = [];
        new RecordCutter().push(
          Uint8Array.from(Buffer.concat([encodePeerIndex(TIME, 7, 'x', peers), ...records])),
          (record) => {
            const known = decoder.tableDumpV2(
              record,
              ({ peer, family, prefix, length, pathId, attributes }) => {
                seen.push([
                  peer.asn,
                  family.name,
                  hex(prefix.subarray(0, family.nextHopBytes)),
                  length,
                  pathId,
                  hex(attributes),
                ]);
              },
            );
            expect(known).toBe(true);
          },
        );
        expect(decoder.peers).toEqual(peers);
        expect(seen).toEqual(
          ribs.flatMap(({ v6, address, bits, addPath, routes }) =>
            routes.map(({ peer, pathId, attributes }) => [
              65000 + peer,
              v6 ? 'ipv6-unicast' : 'ipv4-unicast',
              hex(maskBytes(address.slice(0, v6 ? 16 : 4), bits)),
              bits,
              addPath ? pathId : undefined,
              hex(attributes),
            ]),
          ),
        );
      }),
    );
  });
});
