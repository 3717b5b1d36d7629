// All functions and filters that Calico renders must be understood without a complaint, and the printer's form of
// them must mean the same.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Definition } from '../../src/policy/ast.ts';
import { formatDiagnostic } from '../../src/policy/diagnostics.ts';
import { printDefinition } from '../../src/policy/print.ts';
import { policyParts } from './golden.ts';
import { lab } from './harness.ts';

const DATA = new URL('../../../shared/data/calico-golden/', import.meta.url).pathname;
const isHere = existsSync(DATA);

function filesNamed(folder: string, name: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => name.test(path))
    .map((path) => join(folder, path));
}

/** What comes before the use of it: the aggregation and pool files are included at the top. */
function withIncludes(path: string): string {
  const text = readFileSync(path, 'utf8');
  return text.replaceAll(/^include "(.*)";$/gm, (_, name: string) => {
    const included = join(dirname(path), name);
    return existsSync(included) ? readFileSync(included, 'utf8') : '';
  });
}

describe.skipIf(!isHere)('Calico files (skipped where ../shared/data/calico-golden is absent)', () => {
  const files = isHere ? filesNamed(DATA, /bird6?\.cfg$/) : [];

  it('finds them', () => expect(files.length).toBeGreaterThan(100));

  it('parses and checks every function, filter and use', () => {
    const problems: string[] = [];
    let uses = 0;
    for (const file of files) {
      const parts = policyParts(file, withIncludes(file), '1.6');
      const { program, diagnostics } = lab('', '1.6');
      for (const definition of parts.definitions) program.add(definition);
      for (const use of parts.uses) if (program.use(use) !== undefined) uses++;
      problems.push(...[...parts.diagnostics.list, ...diagnostics.list].map(formatDiagnostic));
    }
    expect(problems.slice(0, 5)).toEqual([]);
    expect(uses).toBeGreaterThan(files.length);
  });

  it('prints what parses to the same again', () => {
    const seen = new Set<string>();
    for (const file of files) {
      for (const definition of policyParts(file, readFileSync(file, 'utf8'), '1.6').definitions) {
        const text = printDefinition(definition);
        if (seen.has(text)) continue;
        seen.add(text);
        const again: readonly Definition[] = policyParts('printed', text, '1.6').definitions;
        expect(again.map(printDefinition)).toEqual([text]);
      }
    }
    expect(seen.size).toBeGreaterThan(50);
  });
});
