// Constants where the configuration itself needs them: `hold time HOLD;`, `neighbor PEER as (BASE + 1);`. Numbers,
// addresses, prefixes, strings and truth values; whatever else `define` can hold is the filter language's.

import { formatAddress, maskBytes } from '../../lib/ip.ts';
import type { BinaryOperator, Expression } from '../../policy/ast.ts';
import type { Span } from '../../policy/source.ts';

export type Constant =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  /** `span`: where its text stands, which may turn out to be a password. */
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | { readonly kind: 'ip'; readonly bytes: Uint8Array }
  | { readonly kind: 'prefix'; readonly bytes: Uint8Array; readonly length: number }
  /** A value of the filter language. */
  | { readonly kind: 'other' };

const OTHER: Constant = { kind: 'other' };

/** The value of an expression over constants; `other` where only the filter language could tell. */
export function evaluate(expression: Expression, lookup: (name: string) => Constant | undefined): Constant {
  switch (expression.kind) {
    case 'number':
      return { kind: 'int', value: expression.value };
    case 'bool':
      return { kind: 'bool', value: expression.value };
    case 'string':
      return { kind: 'string', value: expression.value, span: expression.span };
    case 'ip':
      return { kind: 'ip', bytes: expression.bytes };
    case 'prefix':
      return { kind: 'prefix', bytes: expression.bytes, length: expression.length };
    case 'name':
      return lookup(expression.name) ?? OTHER;
    case 'unary': {
      const operand = evaluate(expression.operand, lookup);
      return expression.operator === '!' && operand.kind === 'bool'
        ? { kind: 'bool', value: !operand.value }
        : OTHER;
    }
    case 'binary': {
      const left = evaluate(expression.left, lookup);
      const right = evaluate(expression.right, lookup);
      return left.kind === 'int' && right.kind === 'int'
        ? arithmetic(expression.operator, left.value, right.value)
        : OTHER;
    }
    case 'method': {
      const object = evaluate(expression.object, lookup);
      const args = (expression.args ?? []).map((arg) => evaluate(arg, lookup));
      return method(object, expression.method.name, args);
    }
    default:
      return OTHER;
  }
}

function arithmetic(operator: BinaryOperator, a: number, b: number): Constant {
  switch (operator) {
    case '+':
      return { kind: 'int', value: (a + b) >>> 0 };
    case '-':
      return { kind: 'int', value: (a - b) >>> 0 };
    case '*':
      return { kind: 'int', value: Math.imul(a, b) >>> 0 };
    case '/':
      return b === 0 ? OTHER : { kind: 'int', value: Math.floor(a / b) };
    case '=':
      return { kind: 'bool', value: a === b };
    case '!=':
      return { kind: 'bool', value: a !== b };
    case '<':
      return { kind: 'bool', value: a < b };
    case '>':
      return { kind: 'bool', value: a > b };
    case '<=':
      return { kind: 'bool', value: a <= b };
    case '>=':
      return { kind: 'bool', value: a >= b };
    default:
      return OTHER;
  }
}

function method(object: Constant, name: string, args: readonly Constant[]): Constant {
  if (object.kind === 'prefix' && name === 'ip') return { kind: 'ip', bytes: object.bytes };
  if (object.kind === 'prefix' && name === 'len') return { kind: 'int', value: object.length };
  const length = args[0];
  if (object.kind === 'ip' && name === 'mask' && length?.kind === 'int') {
    return { kind: 'ip', bytes: maskBytes(object.bytes, length.value) };
  }
  return OTHER;
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
