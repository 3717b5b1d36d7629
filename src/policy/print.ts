// A tree back to text: one form for each tree, whatever the text it came from looked like. Parsing it again gives a tree
// of that very text; equal texts are equal filters.

import { toHex } from '../lib/bytes.ts';
import { formatAddress } from '../lib/ip.ts';
import { toBytes } from '../lib/prefix-trie.ts';
import type {
  BinaryOperator,
  Bounds,
  Definition,
  Expression,
  FilterDefinition,
  MaskItem,
  Name,
  SetItem,
  Statement,
  Variable,
} from './ast.ts';
import type { NetExpression } from './ast-net.ts';
import { formatValue } from './format.ts';
import { flowText } from './parse-net.ts';
import { lengthsOf, type PrefixPatterns } from './prefix-patterns.ts';
import { Octets } from './values.ts';

const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  '&&': 1,
  '||': 1,
  '=': 2,
  '!=': 2,
  '<': 2,
  '>': 2,
  '<=': 2,
  '>=': 2,
  '~': 2,
  '!~': 2,
  '+': 3,
  '-': 3,
  '++': 3,
  '*': 4,
  '/': 4,
};
const COMPARISON = 2;
const UNARY = 5;
const PRIMARY = 6;

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return String(expression.value);
    case 'bool':
      return String(expression.value);
    case 'string':
      return `"${expression.value}"`;
    case 'ip':
      return formatAddress(expression.bytes);
    case 'rd':
      return formatValue(new Octets('rd', expression.bytes));
    case 'mac':
      return formatValue(new Octets('mac', expression.bytes));
    case 'bytes':
      return `hex:${toHex(expression.bytes)}`;
    case 'prefix':
      return `${formatAddress(expression.bytes)}/${expression.length}`;
    case 'net':
      return printNet(expression);
    case 'flow':
      return flowText(expression);
    case 'name':
      return printName(expression);
    case 'pair':
      return `(${printExpression(expression.high)}, ${printExpression(expression.low)})`;
    case 'lc':
      return `(${expression.parts.map(printExpression).join(', ')})`;
    case 'ec':
      return printEc(
        expression.which,
        expression.subtype,
        printExpression(expression.key),
        printExpression(expression.value),
      );
    case 'set':
      return `[${expression.items.map(printSetItem).join(', ')}]`;
    case 'mask':
      return `[= ${expression.items.map((item) => `${printMaskItem(item)} `).join('')}=]`;
    case 'empty':
      return EMPTY_WORDS[expression.of];
    case 'unary':
      return `!${printAt(expression.operand, UNARY)}`;
    case 'binary': {
      const level = PRECEDENCE[expression.operator];
      // Comparisons do not chain; the others lean left.
      const bare = printAt(expression.left, level === COMPARISON ? level + 1 : level);
      // An address in front of `/` would be a prefix.
      const left = expression.operator === '/' && endsInAddress(expression.left) ? `(${bare})` : bare;
      return `${left} ${expression.operator} ${printAt(expression.right, level + 1)}`;
    }
    case 'call':
      return `${printName(expression.callee)}(${expression.args.map(printExpression).join(', ')})`;
    case 'method': {
      const object = printAt(expression.object, PRIMARY);
      const args =
        expression.args === undefined ? '' : `(${expression.args.map(printExpression).join(', ')})`;
      // `1.len` would be no number and `1.2.3.4.len` no address.
      const dotted = /[0-9]$/.test(object) || expression.object.kind === 'bytes' ? `(${object})` : object;
      return `${dotted}.${printName(expression.method)}${args}`;
    }
  }
}

function printNet({ of, bytes, length, rd, maxLength, asn, source, label }: NetExpression): string {
  const prefix = `${formatAddress(bytes)}/${length}`;
  if (of === 'mpls') return `mpls ${label}`;
  if (rd !== undefined) return `${formatValue(new Octets('rd', rd))} ${prefix}`;
  return source === undefined
    ? `${prefix} max ${maxLength} as ${asn}`
    : `${prefix} from ${printExpression(source)}`;
}

const EMPTY_WORDS = {
  bgppath: '+empty+',
  clist: '-empty-',
  eclist: '--empty--',
  lclist: '---empty---',
} as const;

function endsInAddress(expression: Expression): boolean {
  if (expression.kind === 'binary') return endsInAddress(expression.right);
  return expression.kind === 'unary' ? endsInAddress(expression.operand) : expression.kind === 'ip';
}

function levelOf(expression: Expression): number {
  if (expression.kind === 'binary') return PRECEDENCE[expression.operator];
  return expression.kind === 'unary' ? UNARY : PRIMARY;
}

function printAt(expression: Expression, level: number): string {
  const text = printExpression(expression);
  return levelOf(expression) < level ? `(${text})` : text;
}

function printName(name: Name): string {
  return name.quoted ? `'${name.name}'` : name.name;
}

function printEc(which: string, subtype: Expression | undefined, key: string, value: string): string {
  return `(${which}${subtype === undefined ? '' : ` ${printExpression(subtype)}`}, ${key}, ${value})`;
}

function printBounds(bounds: Bounds): string {
  if (bounds.kind === 'any') return '*';
  if (bounds.kind === 'value') return printExpression(bounds.value);
  return `${printExpression(bounds.from)}..${printExpression(bounds.to)}`;
}

function printSetItem(item: SetItem): string {
  switch (item.kind) {
    case 'prefix':
      return printPrefix(
        item.bytes,
        item.length,
        ...lengthsOf(item.form, item.length, item.bytes.length * 8),
      );
    case 'prefixes':
      return printPatterns(item.patterns);
    case 'value':
      return printAtom(item.value);
    case 'range':
      return `${printAtom(item.from)}..${printAtom(item.to)}`;
    case 'pair':
      return `(${printBounds(item.high)}, ${printBounds(item.low)})`;
    case 'tuples':
      return `${printExpression(item.from)}..${printExpression(item.to)}`;
    case 'ec':
      return printEc(item.which, item.subtype, printBounds(item.key), printBounds(item.value));
    case 'lc':
      return `(${item.parts.map(printBounds).join(', ')})`;
  }
}

function printPatterns(patterns: PrefixPatterns): string {
  const texts: string[] = [];
  for (let i = 0; i < patterns.count; i++) {
    const bytes = toBytes(patterns.words(i), 0, patterns.stride);
    texts.push(printPrefix(bytes, patterns.length(i), patterns.low(i), patterns.high(i)));
  }
  return texts.join(', ');
}

/** Which of several members are read at once is nothing that the text may show: the same lengths are the same text. */
function printPrefix(bytes: Uint8Array, length: number, low: number, high: number): string {
  const prefix = `${formatAddress(bytes)}/${length}`;
  if (low === length && high === length) return prefix;
  if (low === length && high === bytes.length * 8) return `${prefix}+`;
  return low === 0 && high === length ? `${prefix}-` : `${prefix}{${low},${high}}`;
}

/** A member that is no plain constant needs parentheses. */
function printAtom(expression: Expression): string {
  const text = printExpression(expression);
  switch (expression.kind) {
    case 'number':
    case 'ip':
    case 'rd':
    case 'name':
      return text;
    default:
      return `(${text})`;
  }
}

function printMaskItem(item: MaskItem): string {
  switch (item.kind) {
    case 'one':
      return '?';
    case 'any':
      return '*';
    case 'some':
      return '+';
    case 'set':
      return `[${(item.items ?? []).map(printSetItem).join(', ')}]`;
    case 'range':
      return `${printExpression(item.value!)}..${printExpression(item.to!)}`;
    case 'value': {
      const text = printExpression(item.value!);
      return item.value!.kind === 'number' || item.value!.kind === 'name' ? text : `(${text})`;
    }
  }
}

export function printStatement(statement: Statement): string {
  switch (statement.kind) {
    case 'block':
      return printBody(statement.body);
    case 'if': {
      const condition = `if ${printExpression(statement.condition)} then `;
      if (statement.otherwise === undefined) return condition + printStatement(statement.consequent);
      // An `else` belongs to the nearest `if`.
      const then = endsOpen(statement.consequent)
        ? `{ ${printStatement(statement.consequent)} }`
        : printStatement(statement.consequent);
      return `${condition}${then} else ${printStatement(statement.otherwise)}`;
    }
    case 'case': {
      const arms = statement.arms.map((arm) => {
        const label = arm.items === undefined ? 'else:' : `${arm.items.map(printSetItem).join(', ')}:`;
        return `${label} ${arm.body.map((inner) => `${printStatement(inner)} `).join('')}`;
      });
      return `case ${printExpression(statement.subject)} { ${arms.join('')}}`;
    }
    case 'for': {
      const head = `for ${statement.type} ${printName(statement.variable)}`;
      return `${head} in ${printExpression(statement.subject)} do ${printStatement(statement.body)}`;
    }
    case 'variable': {
      const value = statement.value === undefined ? '' : ` = ${printExpression(statement.value)}`;
      return `${statement.type} ${printName(statement.variable)}${value};`;
    }
    case 'assign':
      return `${printName(statement.target)} = ${printExpression(statement.value)};`;
    case 'unset':
      return `unset(${printName(statement.target)});`;
    case 'return':
      return `return ${printExpression(statement.value)};`;
    case 'verdict':
      return `${statement.verdict}${printValues(statement.message)};`;
    case 'print':
      return `${statement.endsLine ? 'print' : 'printn'}${printValues(statement.values)};`;
    case 'do':
      return `${printExpression(statement.call)};`;
  }
}

/** Whether an `else` behind it would be taken for its own. */
function endsOpen(statement: Statement): boolean {
  if (statement.kind === 'for') return endsOpen(statement.body);
  if (statement.kind !== 'if') return false;
  return statement.otherwise === undefined || endsOpen(statement.otherwise);
}

function printValues(values: readonly Expression[]): string {
  return values.length === 0 ? '' : ` ${values.map(printExpression).join(', ')}`;
}

function printBody(body: readonly Statement[]): string {
  return `{ ${body.map((statement) => `${printStatement(statement)} `).join('')}}`;
}

function printLocals(locals: readonly Variable[]): string {
  return locals.map(({ type, name }) => `${type} ${printName(name)}; `).join('');
}

/** A filter without its name. */
export function printFilterBody(filter: FilterDefinition): string {
  return printLocals(filter.locals) + printBody(filter.body);
}

export function printDefinition(definition: Definition): string {
  const name = printName(definition.name ?? { kind: 'name', name: '', quoted: false, span: definition.span });
  switch (definition.kind) {
    case 'function': {
      const parameters = definition.parameters.map(
        (parameter) => `${parameter.type} ${printName(parameter.name)}`,
      );
      const returns = definition.returns === undefined ? '' : ` -> ${definition.returns}`;
      const locals = printLocals(definition.locals);
      return `function ${name}(${parameters.join('; ')})${returns} ${locals}${printBody(definition.body)}`;
    }
    case 'filter':
      return `filter ${name} ${printFilterBody(definition)}`;
    case 'define':
      return `define ${name} = ${printExpression(definition.value)};`;
    case 'attribute': {
      const bgp = definition.bgp === undefined ? '' : `bgp ${definition.bgp} `;
      return `attribute ${bgp}${definition.type} ${name};`;
    }
  }
}
