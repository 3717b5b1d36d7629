// Networks that are no plain prefixes, as parts of the tree (2.x).

import type { Expression, PrefixLiteral } from './ast.ts';
import type { Span } from './source.ts';

/** Networks that are not those of IP routes, flows apart: `10:10 10.0.0.0/8`, `10.0.0.0/8 max 24 as 5`, `mpls 100`. */
export interface NetExpression {
  readonly span: Span;
  readonly kind: 'net';
  readonly of: 'vpn4' | 'vpn6' | 'roa4' | 'roa6' | 'ipv6 sadr' | 'mpls';
  readonly bytes: Uint8Array;
  readonly length: number;
  /** 8 octets of RFC 4364 */
  readonly rd?: Uint8Array;
  readonly maxLength?: number;
  readonly asn?: number;
  readonly source?: PrefixLiteral;
  readonly label?: number;
}
/** `flow4 { ... }` */
export interface FlowExpression {
  readonly span: Span;
  readonly kind: 'flow';
  readonly of: 'flow4' | 'flow6';
  readonly components: readonly FlowComponent[];
}
export interface FlowComponent {
  readonly span: Span;
  /** `tcp flags` */
  readonly name: string;
  readonly prefix?: Expression;
  readonly offset?: number;
  readonly values?: readonly FlowValue[];
  /** The greatest value. */
  readonly most?: number;
  /** Of `fragment`. */
  readonly flags?: readonly string[];
}
/** Whatever it is compared by. */
export interface FlowValue {
  readonly value: Expression;
  readonly mask?: Expression;
  readonly negated?: boolean;
}
