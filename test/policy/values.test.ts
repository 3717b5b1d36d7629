// Values that the RIB keeps for filters, as they come out of another process.

import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ENUM_NAMES } from '../../src/policy/ast.ts';
import { EnumValue, Ip, List, Octets, Pair, Quad, revived } from '../../src/policy/values.ts';

const octets = fc.uint8Array({ maxLength: 24 });
const kept = fc.oneof(
  octets.map((bytes) => new Ip(bytes)),
  fc.nat().map((value) => new Quad(value)),
  fc.tuple(fc.constantFrom(...ENUM_NAMES), fc.nat()).map(([of, value]) => new EnumValue(of, value)),
  fc
    .tuple(fc.constantFrom('bgppath', 'clist', 'eclist', 'lclist'), octets)
    .map(([kind, bytes]) => new List(kind, bytes)),
  fc
    .tuple(fc.constantFrom('rd', 'mac', 'bytestring'), octets)
    .map(([kind, bytes]) => new Octets(kind, bytes)),
);

it('are of their classes again', () => {
  fc.assert(
    fc.property(kept, (value) => {
      const back = revived(deserialize(serialize(value)));
      expect(back).toStrictEqual(value);
    }),
  );
});

it('are not made of anything else', () => {
  const ip = new Ip(new Uint8Array(4));
  for (const value of [
    { ...ip, bytes: undefined },
    { kind: 'enum', of: 'nothing', value: 1 },
    { kind: 'toString', bytes: new Uint8Array(1) },
    { kind: 'quad', value: '1' },
    { ...new Pair(1) },
  ]) {
    expect(revived(value)).toBeUndefined();
  }
});
