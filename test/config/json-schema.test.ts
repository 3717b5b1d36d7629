import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonSchemaText } from '../../src/config/json-schema.ts';
import { configSchema } from '../../src/config/schema.ts';
import { allKeyPaths, descriptionAt } from '../../src/config/schema-walk.ts';

describe('the JSON Schema', () => {
  it('is the one that is published', () => {
    const committed = readFileSync(join(import.meta.dirname, '../../schema/godwit.schema.json'), 'utf8');
    expect(
      committed,
      'make it with: node dist/src/config/json-schema-main.js schema/godwit.schema.json',
    ).toBe(jsonSchemaText());
  });

  it('has a word about every key', () => {
    const silent = allKeyPaths(configSchema).filter((path) => {
      const steps = path
        .split('.')
        .flatMap((step) => step.split(/(?=\[\])/))
        .map((step) => (step === '[]' ? 0 : step));
      return descriptionAt(configSchema, steps) === undefined;
    });
    expect(silent).toEqual([]);
  });

  it('accepts a reference to the environment where a number is', () => {
    expect(jsonSchemaText()).toContain('"$ref": "#/$defs/environmentReference"');
  });
});
