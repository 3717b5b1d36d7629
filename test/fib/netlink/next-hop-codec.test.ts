import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOST_IS_LITTLE_ENDIAN, RTM } from '../../../src/fib/netlink/constants.ts';
import {
  decodeNextHop,
  encodeDelNextHop,
  encodeNewNextHop,
} from '../../../src/fib/netlink/next-hop-codec.ts';
import { viewOf } from '../../../src/lib/bytes.ts';
import { address } from '../../support/mem-kernel.ts';

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.trim().split(/\s+/), (octet) => Number.parseInt(octet, 16));
}

function decode(bytes: Uint8Array) {
  return decodeNextHop(bytes, viewOf(bytes), 0, bytes.length);
}

const HEAD = '00 00 68 00 00 00 07 00 00 00 00 00 00 00';

describe.skipIf(!HOST_IS_LITTLE_ENDIAN)('next-hop objects on the wire', () => {
  it('asks for one, whose number the kernel chooses', () => {
    expect(encodeNewNextHop({ gateway: address('10.0.0.2'), ifindex: 3 }, 12, 9)).toEqual(
      hex(`28 00 00 00 68 00 0d 06 09 00 00 00 00 00 00 00 02 00 0c 00 00 00 00 00
        08 00 05 00 03 00 00 00 08 00 06 00 0a 00 00 02`),
    );
    expect(encodeNewNextHop({ gateway: address('fe80::2'), ifindex: 3, onlink: true }, 12, 9)).toEqual(
      hex(`34 00 00 00 68 00 0d 06 09 00 00 00 00 00 00 00 0a 00 0c 00 04 00 00 00
        08 00 05 00 03 00 00 00 14 00 06 00 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 02`),
    );
  });

  it('deletes one by its number', () => {
    expect(encodeDelNextHop(258, 9)).toEqual(
      hex('20 00 00 00 69 00 05 00 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 08 00 01 00 02 01 00 00'),
    );
  });

  it('reads what the kernel tells', () => {
    const told = hex(`30 00 ${HEAD.slice(0, 5)} ${HEAD.slice(6)} 02 fd 0c 00 04 00 00 00
      08 00 01 00 05 00 00 00 08 00 05 00 03 00 00 00 08 00 06 00 0a 00 00 02`);
    expect(decode(told)).toEqual({
      id: 5,
      protocol: 12,
      hop: { gateway: address('10.0.0.2'), ifindex: 3, onlink: true },
    });
  });

  it('takes a group, a blackhole or what is new for something else', () => {
    const blackhole = hex(`24 00 ${HEAD.slice(0, 5)} ${HEAD.slice(6)} 02 00 04 00 00 00 00 00
      08 00 01 00 05 00 00 00 04 00 04 00`);
    expect(decode(blackhole)).toEqual({ id: 5, protocol: 4, hop: undefined });
    const withMore = hex(`34 00 ${HEAD.slice(0, 5)} ${HEAD.slice(6)} 02 fd 0c 00 00 00 00 00
      08 00 01 00 05 00 00 00 08 00 05 00 03 00 00 00 08 00 06 00 0a 00 00 02 04 00 63 00`);
    expect(decode(withMore)?.hop).toBeUndefined();
    const noNumber = hex(`28 00 ${HEAD.slice(0, 5)} ${HEAD.slice(6)} 02 fd 0c 00 00 00 00 00
      08 00 05 00 03 00 00 00 08 00 06 00 0a 00 00 02`);
    expect(decode(noNumber)).toBeUndefined();
  });

  it('reads back every next hop that it writes', () => {
    const gateway = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(
        gateway,
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.boolean(),
        (octets, ifindex, onlink) => {
          const hop = { gateway: octets, ifindex, ...(onlink ? { onlink } : {}) };
          const asked = encodeNewNextHop(hop, 12, 1);
          // The kernel's answer is the request with a number.
          const answer = Uint8Array.of(...asked, 8, 0, 1, 0, 7, 0, 0, 0);
          viewOf(answer).setUint32(0, answer.length, true);
          expect(decode(answer)).toEqual({ id: 7, protocol: 12, hop });
        },
      ),
    );
  });

  it('reads any octets without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        const bytes = Uint8Array.of(...hex(`ff 00 ${HEAD.slice(0, 5)} ${HEAD.slice(6)}`), ...octets);
        expect(viewOf(bytes).getUint16(4, true)).toBe(RTM.newNextHop);
        decode(bytes);
      }),
    );
  });
});
