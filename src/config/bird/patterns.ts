// Interface patterns: `[-]"mask" [prefix], ...`.

import { formatAddress } from '../../lib/ip.ts';
import type { InterfacePattern } from './protocol-options.ts';
import type { ConfigReader } from './reader.ts';

/** Reads the clauses; `prefixes`: whether the protocol looks at addresses too. */
export function readPatterns(reader: ConfigReader, prefixes: boolean): readonly InterfacePattern[] {
  const { tokens } = reader;
  const patterns: InterfacePattern[] = [];
  do {
    const exclude = tokens.takeOp('-');
    const start = tokens.peek();
    const mask = start.kind === 'string' ? tokens.next().text : undefined;
    // 1.6 has constants of addresses there, 2.x of prefixes as well.
    const isNetwork = reader.dialect === '2.x' && reader.constantNext?.kind === 'prefix';
    const isPrefix = reader.addressFollows || isNetwork;
    const prefix = isPrefix ? readPrefix(reader) : undefined;
    if (mask === undefined && prefix === undefined) {
      const hint = 'for instance "eth*", or -"cali*" to leave out';
      throw tokens.unexpected('the name of an interface in double quotes', undefined, hint);
    }
    if (prefix !== undefined && !prefixes) {
      reader.diagnostics.error(start, 'interfaces are chosen by name here, not by prefix');
    }
    patterns.push({ exclude, mask, prefix });
  } while (tokens.takeOp(','));
  return patterns;
}

/** An address stands for the prefix that has it alone. */
function readPrefix(reader: ConfigReader): string {
  if (!reader.addressFollows || reader.tokens.isOp('/', 1) || reader.tokens.isOp(':', 1)) {
    return reader.prefix().text;
  }
  const bytes = reader.addressBytes('an address');
  return `${formatAddress(bytes)}/${bytes.length * 8}`;
}

/** As interfaceMatcher takes them. */
export function patternTexts(patterns: readonly InterfacePattern[]): readonly string[] {
  return patterns.flatMap(({ exclude, mask, prefix }) => {
    const words = [mask, prefix].filter((each) => each !== undefined);
    return words.length === 0 ? [] : [`${exclude ? '-' : ''}${words.join(' ')}`];
  });
}
