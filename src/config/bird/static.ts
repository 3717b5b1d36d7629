// Static routes: where they lead, and what is done to them before import. 1.6 announces `multipath` and knows weights
// and bfd only there; 2.x has them on every next hop, and routes of every kind of table.

import { nearest } from '../../lib/suggest.ts';
import type { FilterUse, Statement } from '../../policy/ast.ts';
import { formatValue } from '../../policy/format.ts';
import { parseAfterPrefix } from '../../policy/parse-net.ts';
import { parseCommands, parsePrimary } from '../../policy/parser.ts';
import type { SyntaxStop } from '../../policy/token-reader.ts';
import { NetValue } from '../../policy/values.ts';
import { OptionTable, option, toggle } from './options.ts';
import type { StaticHop, StaticNet, StaticOptions, StaticRoute, StaticTarget } from './protocol-options.ts';
import type { ConfigReader } from './reader.ts';

const MAX_WEIGHT = 256;
const MAX_LABEL = 0xfffff;

export const STATIC_OPTIONS = new OptionTable<StaticOptions>([
  option('route', (reader, before) => {
    // Tables of many thousand routes are common: the list grows in place, and is copied where a template is.
    before.routes.push(readRoute(reader));
    return {};
  }),
  toggle('check link', (checkLink) => ({ checkLink })),
  option('igp table', (reader, before) => ({
    igpTables: [...before.igpTables, reader.table(['ipv4', 'ipv6']).name],
  })),
]);

function readRoute(reader: ConfigReader): StaticRoute {
  const start = reader.tokens.last;
  const { net, roa } = readNet(reader);
  const target = roa ?? readTarget(reader, net);
  const commands: Statement[] = reader.tokens.isOp('{') ? parseCommands(reader.tokens) : [];
  const span = reader.tokens.spanFrom(start);
  if (commands.length === 0) return { net, span, target, commands };
  const accept: Statement = { kind: 'verdict', verdict: 'accept', message: [], span };
  const filter = { kind: 'filter', locals: [], body: [...commands, accept], span } as const;
  const use: FilterUse = { kind: 'anonymous', filter, span };
  reader.program.use(use);
  return { net, span, target, commands, use };
}

/** A network, and where it is a ROA what it says. */
function readNet(reader: ConfigReader): { net: StaticNet; roa?: StaticTarget } {
  const { tokens } = reader;
  if (reader.dialect === '1.6') return { net: plainNet(reader.prefix('the prefix of the route')) };
  if (tokens.takeWord('aspa')) return { net: { type: 'aspa', text: `${reader.number('the AS number')}` } };
  const other = otherNet(reader);
  if (other !== undefined) {
    const { net, ...roa } = fromValue(other);
    return { net: { ...net, ...labelOf(reader) }, ...roa };
  }
  const start = tokens.peek();
  const isLiteral = reader.literalAddressFollows;
  const { bytes, length, text } = reader.prefix('the prefix of the route');
  if (isLiteral && (tokens.isWord('max') || tokens.isWord('from'))) {
    const span = tokens.spanFrom(start);
    const more = parseAfterPrefix(tokens, { kind: 'prefix', bytes, length, span });
    const value = reader.program.term(more).constant?.value;
    if (value instanceof NetValue) return fromValue(value);
  }
  return { net: { ...plainNet({ bytes, text }), ...labelOf(reader) } };
}

function plainNet({ bytes, text }: { bytes: Uint8Array; text: string }): StaticNet {
  return { type: bytes.length === 4 ? 'ipv4' : 'ipv6', text };
}

/** What begins like no plain prefix, or is the name of a constant that is none. */
function otherNet(reader: ConfigReader): NetValue | undefined {
  const { tokens } = reader;
  const start = tokens.position;
  const token = tokens.peek();
  const isConstant = reader.symbols.get(token.text)?.kind === 'constant';
  const begins = token.kind === 'rd' || (token.kind === 'word' && OTHER_NETS.has(token.text));
  if (!begins && !(isConstant && (token.kind === 'word' || token.kind === 'quoted'))) return undefined;
  const value = reader.program.term(parsePrimary(tokens)).constant?.value;
  if (value instanceof NetValue) return value;
  tokens.rewind(start);
  return undefined;
}

const OTHER_NETS: ReadonlySet<string> = new Set(['flow4', 'flow6', 'mpls']);

function fromValue({ of, prefix, text, parts }: NetValue): { net: StaticNet; roa?: StaticTarget } {
  const { rd, maxLength, asn } = parts;
  if (maxLength === undefined || asn === undefined)
    return { net: { type: of, text, ...(rd === undefined ? {} : { rd: rd.bytes }) } };
  const net = plainNet({ bytes: prefix.bytes, text: formatValue(prefix) });
  return { net, roa: { kind: 'roa', maxLength, asn } };
}

function labelOf(reader: ConfigReader): { label?: number } {
  return reader.tokens.takeWord('mpls') ? { label: reader.number('the label', 0, MAX_LABEL) } : {};
}

function readTarget(reader: ConfigReader, net: StaticNet): StaticTarget {
  const { tokens } = reader;
  if (net.type === 'flow4' || net.type === 'flow6') return { kind: 'none' };
  for (const kind of ['blackhole', 'unreachable', 'prohibit'] as const)
    if (tokens.takeWord(kind)) return { kind };
  // The words of old: drop is a blackhole, reject unreachable.
  if (tokens.takeWord('drop')) return { kind: 'blackhole' };
  if (tokens.takeWord('reject')) return { kind: 'unreachable' };
  if (tokens.takeWord('recursive')) {
    const address = reader.address('the next hop');
    return reader.dialect === '2.x' && tokens.takeWord('mpls')
      ? { kind: 'recursive', address, mpls: labels(reader) }
      : { kind: 'recursive', address };
  }
  if (reader.dialect === '1.6') {
    if (tokens.takeWord('multipath')) return { kind: 'via', hops: readHops(reader) };
    if (!tokens.takeWord('via')) throw unknownTarget(reader);
    return { kind: 'via', hops: [readGateway(reader)] };
  }
  if (tokens.isWord('via')) return { kind: 'via', hops: readHops(reader) };
  if (net.type === 'aspa') return readAspa(reader);
  throw unknownTarget(reader);
}

function unknownTarget({ tokens }: ConfigReader): SyntaxStop {
  const token = tokens.peek();
  const near = token.kind === 'word' ? nearest(token.text, TARGETS) : undefined;
  const hint = near === undefined ? undefined : `did you mean ${near}?`;
  return tokens.unexpected(
    `${TARGETS.slice(0, -1).join(', ')} or ${TARGETS.at(-1)}`,
    'after the prefix',
    hint,
  );
}

const TARGETS = ['via', 'recursive', 'blackhole', 'unreachable', 'prohibit'] as const;

function readAspa(reader: ConfigReader): StaticTarget {
  if (reader.tokens.takeWord('transit')) return { kind: 'aspa', providers: undefined };
  reader.tokens.expectWord('providers');
  const providers: number[] = [];
  do {
    providers.push(reader.number('the AS number'));
  } while (reader.tokens.takeOp(','));
  return { kind: 'aspa', providers };
}

/** `via A [options] via B ...` */
function readHops(reader: ConfigReader): readonly StaticHop[] {
  const { tokens } = reader;
  if (!tokens.isWord('via')) throw tokens.unexpected('via', 'and a next hop');
  const hops: StaticHop[] = [];
  while (tokens.takeWord('via')) {
    // 1.6 knows no interfaces among several next hops.
    let hop = reader.dialect === '1.6' ? readAddress(reader) : readGateway(reader);
    for (;;) {
      const more = readHopOption(reader, hop);
      if (more === undefined) break;
      hop = more;
    }
    hops.push(hop);
  }
  return hops;
}

/** An address, or an interface in quotes. */
function readGateway(reader: ConfigReader): StaticHop {
  if (!reader.addressFollows)
    return { address: undefined, interface: reader.tokens.expectString('an address or an interface') };
  return readAddress(reader);
}

function readAddress(reader: ConfigReader): StaticHop {
  const { address, zone } = reader.zonedAddress('the next hop');
  return { address, interface: zone };
}

function readHopOption(reader: ConfigReader, hop: StaticHop): StaticHop | undefined {
  const { tokens } = reader;
  if (tokens.takeWord('weight')) return { ...hop, weight: reader.number('the weight', 1, MAX_WEIGHT) };
  if (tokens.takeWord('bfd')) return { ...hop, bfd: reader.toggle() };
  if (reader.dialect === '1.6') return undefined;
  if (tokens.takeWord('onlink')) return { ...hop, onlink: reader.toggle() };
  if (tokens.takeWord('dev')) return { ...hop, interface: reader.text('the name of an interface') };
  if (tokens.takeWord('mpls')) return { ...hop, mpls: labels(reader) };
  return undefined;
}

function labels(reader: ConfigReader): readonly number[] {
  const found: number[] = [];
  do {
    found.push(reader.tokens.expectNumber('the label').number);
  } while (reader.tokens.takeOp('/'));
  return found;
}
