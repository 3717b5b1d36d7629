// Extended communities as the language writes them: `(rt, key, value)`. (RFC 4360 §3, RFC 5668 §2.)

import { quadToUint } from '../lib/ip.ts';
import type { EcKind } from './ast.ts';
import { Ec, PolicyRuntimeError, type Value } from './values.ts';

const EC_SUBTYPES = [
  { name: 'rt', subtype: 0x02 },
  { name: 'ro', subtype: 0x03 },
] as const;

const MAX_UINT16 = 0xffff;
const IPV4_LAYOUT = 0x01;
const AS4_LAYOUT = 0x02;

/** `subtype` is the 16-bit type of `unknown`. */
export function makeEc(which: EcKind, subtype: number, key: Value, value: Value): Ec {
  if (typeof value !== 'number')
    throw new PolicyRuntimeError('the value of an extended community must be an int');
  if (which === 'generic') {
    return new Ec(typeof key === 'number' ? key : addressKey(key), value);
  }
  const type = which === 'unknown' ? subtype : EC_SUBTYPES.find((row) => row.name === which)!.subtype;
  if (typeof key === 'number' && key <= MAX_UINT16) return new Ec((type << 16) | key, value);
  const wide = typeof key === 'number' ? key : addressKey(key);
  if (value > MAX_UINT16) {
    throw new PolicyRuntimeError(
      `${value} does not fit the two octets beside a key of four in an extended community`,
    );
  }
  const layout = typeof key === 'number' ? AS4_LAYOUT : IPV4_LAYOUT;
  const full = which === 'unknown' ? type : type | (layout << 8);
  return new Ec((full << 16) | (wide >>> 16), (wide << 16) | value);
}

function addressKey(key: Value): number {
  if (typeof key === 'object' && key.kind === 'quad') return key.value;
  if (typeof key === 'object' && key.kind === 'ip' && key.bytes.length === 4) return quadToUint(key.bytes);
  throw new PolicyRuntimeError('the key of an extended community must be an int or an IPv4 address');
}
