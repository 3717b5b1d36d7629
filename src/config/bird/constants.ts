// Constants where the configuration itself needs them: `hold time HOLD;`, `neighbor PEER as (BASE + 1);`. The filter
// language computes them; numbers, addresses, prefixes, strings and truth values are of use here.

import { formatAddress } from '../../lib/ip.ts';
import type { Span } from '../../policy/source.ts';
import { Ip, PrefixValue, type Value } from '../../policy/values.ts';

export type Constant =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  /** `span`: where its text stands, which may turn out to be a password. */
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | { readonly kind: 'ip'; readonly bytes: Uint8Array }
  | { readonly kind: 'prefix'; readonly bytes: Uint8Array; readonly length: number }
  /** Any other value of the filter language, or none because of a mistake. */
  | { readonly kind: 'other' };

/** A value of the filter language that is written at `span`. */
export function constantOf(value: Value, span: Span): Constant {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'boolean') return { kind: 'bool', value };
  if (typeof value === 'string') return { kind: 'string', value, span };
  if (value instanceof Ip) return { kind: 'ip', bytes: value.bytes };
  if (value instanceof PrefixValue) return { kind: 'prefix', bytes: value.bytes, length: value.length };
  return { kind: 'other' };
}

/** A constant's type as errors name it. */
export function describeConstant(constant: Constant): string {
  switch (constant.kind) {
    case 'int':
      return `the number ${constant.value}`;
    case 'bool':
      return `${constant.value}`;
    case 'string':
      return 'a string';
    case 'ip':
      return `the address ${formatAddress(constant.bytes)}`;
    case 'prefix':
      return `the prefix ${formatAddress(constant.bytes)}/${constant.length}`;
    default:
      return 'a value of the filter language';
  }
}
