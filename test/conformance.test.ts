// Every line of the conformance checklist is either named in the title of a test or listed in RFCs.md with the reason
// why it does not hold, is not tested, or does not apply. The checklist lies beside the project and is not part of it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SELF = fileURLToPath(import.meta.url);
const CHECKLIST = join(ROOT, '../shared/reference/conformance.md');
const ID = /\b(?:\d{4}-(?:\d+(?:\.\d+)*|wk|appE)-\d+)(?!\d)/g;
/** `4271-8.2.2-9, -13, -14`: further lines of the same section. */
const SERIES = /\b(\d{4}-(?:\d+(?:\.\d+)*|wk|appE)-)\d+((?:, -\d+)+)/g;

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function idsIn(text: string): string[] {
  const found: string[] = text.match(ID) ?? [];
  for (const [, section, more] of text.matchAll(SERIES)) {
    for (const number of more!.match(/\d+/g)!) found.push(`${section}${number}`);
  }
  return found;
}

/** Ids in string literals: titles, and tables that titles are made from. Comments prove nothing. */
function idsInTests(): Set<string> {
  const found = new Set<string>();
  for (const file of filesUnder(join(ROOT, 'test'))) {
    if (!file.endsWith('.ts') || file === SELF) continue;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (/^\s*(\/\/|\*|\/\*)/.test(line)) continue;
      for (const literal of line.match(/'(?:[^'\\]|\\.)*'|`[^`]*`|"[^"]*"/g) ?? []) {
        for (const id of idsIn(literal)) found.add(id);
      }
    }
  }
  return found;
}

/** Ids in the second part of RFCs.md; those of the first part are not claims. */
function idsListed(): Set<string> {
  const text = readFileSync(join(ROOT, 'RFCs.md'), 'utf8');
  const [, second] = text.split(/^## What does not hold.*$/m);
  if (second === undefined) throw new Error('RFCs.md has no part on what does not hold');
  return new Set(idsIn(second));
}

function checklistIds(): string[] {
  const lines = readFileSync(CHECKLIST, 'utf8').split('\n');
  return lines.flatMap((line) => /^- (\d{4}-\S+) /.exec(line)?.[1] ?? []);
}

describe('the conformance checklist', () => {
  it('the reader of ids knows series, and does not take a year for one', () => {
    expect(idsIn('4271-8.2.2-9, -13 and 2026-01-x, 1997-wk-1, 4271-appE-2')).toEqual([
      '4271-8.2.2-9',
      '1997-wk-1',
      '4271-appE-2',
      '4271-8.2.2-13',
    ]);
  });

  it.skipIf(!existsSync(CHECKLIST))(
    'every line is tested, or stands in RFCs.md with a reason (skipped without ../shared/reference)',
    () => {
      const tested = idsInTests();
      const listed = idsListed();
      const ids = checklistIds();
      expect(ids.length).toBeGreaterThan(300);
      expect(ids.filter((id) => !tested.has(id) && !listed.has(id))).toEqual([]);
    },
  );

  it.skipIf(!existsSync(CHECKLIST))('RFCs.md lists only lines that exist', () => {
    const ids = new Set(checklistIds());
    expect([...idsListed()].filter((id) => !ids.has(id))).toEqual([]);
  });
});
