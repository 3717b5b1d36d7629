// Networks that are no plain prefixes -> constants. What their values mean to operators is operators.ts's.

import type { Expression } from './ast.ts';
import type { FlowComponent, FlowExpression, FlowValue, NetExpression } from './ast-net.ts';
import { compileTerm } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { formatValue } from './format.ts';
import { flowText } from './parse-net.ts';
import { NetValue, Octets, PrefixValue, type Value } from './values.ts';

export function compileNet(compiler: Compiler, expression: NetExpression): Term {
  const { of, bytes, length, span, rd, maxLength, asn, label, source } = expression;
  const prefix = new PrefixValue(bytes, length);
  const from = source === undefined ? undefined : new PrefixValue(source.bytes, source.length);
  const shown = formatValue(prefix);
  const distinguisher = rd === undefined ? undefined : new Octets('rd', rd);
  const text =
    distinguisher !== undefined
      ? `${formatValue(distinguisher)} ${shown}`
      : from !== undefined
        ? `${shown} from ${formatValue(from)}`
        : label !== undefined
          ? `${label}`
          : `${shown}-${maxLength} AS${asn}`;
  const parts = { rd: distinguisher, maxLength, asn, source: from };
  return compiler.constant(new NetValue(of, prefix, text, parts), 'prefix', span);
}

const OCTETS = { flow4: 4, flow6: 16 } as const;

/** What a flow says is checked; nothing here follows it. */
export function compileFlow(compiler: Compiler, expression: FlowExpression): Term {
  const { of, components, span } = expression;
  const any = new PrefixValue(new Uint8Array(OCTETS[of]), 0);
  const prefixes: Record<string, PrefixValue> = {};
  for (const component of components) {
    const prefix = checkComponent(compiler, of, component);
    if (prefix !== undefined) prefixes[component.name] ??= prefix;
  }
  const parts = { source: prefixes['src'] ?? any };
  const value = new NetValue(of, prefixes['dst'] ?? any, flowText(expression), parts);
  return compiler.constant(value, 'prefix', span);
}

function checkComponent(
  compiler: Compiler,
  of: 'flow4' | 'flow6',
  { name, prefix, offset, values, flags, most, span }: FlowComponent,
): PrefixValue | undefined {
  const { diagnostics } = compiler;
  if (name === 'label' && of === 'flow4') diagnostics.error(span, 'flows of IPv4 have no label');
  // RFC 8956 §3.6: IPv6 has no such bit.
  if (of === 'flow6' && flags?.includes('dont_fragment'))
    diagnostics.error(span, 'flows of IPv6 have no dont_fragment');
  for (const value of values ?? []) checkValue(compiler, name, value, most);
  if (prefix === undefined) return undefined;
  const found = constantOf(compiler, prefix, 'prefix');
  if (found === undefined) return undefined;
  if (typeof found !== 'object' || found.kind !== 'prefix' || found.bytes.length !== OCTETS[of]) {
    diagnostics.error(prefix.span, `${name} of ${of} is an ${of === 'flow4' ? 'IPv4' : 'IPv6'} prefix`);
    return undefined;
  }
  if (offset === undefined) return found;
  if (of === 'flow4') diagnostics.error(span, 'prefixes of IPv4 have no offset');
  else if (offset > found.length) {
    diagnostics.error(span, `the offset is beyond the ${found.length} bits of the prefix`);
  }
  return found;
}

/** RFC 8955 §4.2.2.9: 12 bits of TCP's header. */
const MAX_MASK = 0xfff;

function checkValue(
  compiler: Compiler,
  name: string,
  { value, mask, negated }: FlowValue,
  most: number | undefined,
): void {
  const { diagnostics } = compiler;
  const number = constantOf(compiler, value, 'int');
  if (typeof number !== 'number') return;
  if (most !== undefined && number > most) diagnostics.error(value.span, `${name} is 0 to ${most}`);
  if (mask === undefined) return;
  const bits = constantOf(compiler, mask, 'int');
  if (typeof bits !== 'number') return;
  if (bits > MAX_MASK) diagnostics.error(mask.span, `the mask of ${name} is 0 to 0x${MAX_MASK.toString(16)}`);
  else if ((number & ~bits) !== 0) diagnostics.error(value.span, `${name} has bits that its mask has not`);
  else if (negated && number !== 0 && number !== bits)
    diagnostics.error(value.span, "after '!' all bits of the mask are set, or none");
}

function constantOf(compiler: Compiler, expression: Expression, type: 'int' | 'prefix'): Value {
  const term = compileTerm(compiler, expression);
  compiler.want(term, type, 'this part of a flow');
  if (term.constant !== undefined) return term.constant.value;
  if (term.type !== 'unknown') compiler.diagnostics.error(term.span, 'a flow is made of constants');
  return undefined;
}
