// Functions and filters out of whole BIRD configurations, without reading the rest of them.

import type { Definition, FilterUse } from '../../src/policy/ast.ts';
import { Diagnostics } from '../../src/policy/diagnostics.ts';
import { type Dialect, tokenize } from '../../src/policy/lexer.ts';
import { parseDefine, parseFilter, parseFilterUse, parseFunction } from '../../src/policy/parser.ts';
import { Source } from '../../src/policy/source.ts';
import { SyntaxStop, TokenReader } from '../../src/policy/token-reader.ts';

export interface PolicyParts {
  readonly definitions: Definition[];
  readonly uses: FilterUse[];
  readonly diagnostics: Diagnostics;
}

/** Reads what a configuration holds of the filter language. */
export function policyParts(name: string, text: string, dialect: Dialect, into?: PolicyParts): PolicyParts {
  const parts = into ?? { definitions: [], uses: [], diagnostics: new Diagnostics() };
  const reader = new TokenReader(
    tokenize(new Source(name, text), dialect, parts.diagnostics),
    dialect,
    parts.diagnostics,
  );
  while (!reader.atEnd) {
    try {
      if (reader.isWord('function')) parts.definitions.push(parseFunction(reader));
      else if (reader.isWord('define')) parts.definitions.push(parseDefine(reader));
      else if (reader.isWord('import') || reader.isWord('export')) {
        reader.next();
        if (
          reader.isWord('filter') ||
          reader.isWord('where') ||
          reader.isWord('all') ||
          reader.isWord('none')
        ) {
          parts.uses.push(parseFilterUse(reader));
        }
      } else if (reader.isWord('filter')) parts.definitions.push(parseFilter(reader));
      else reader.next();
    } catch (stop) {
      if (!(stop instanceof SyntaxStop)) throw stop;
      reader.recover();
    }
  }
  return parts;
}
