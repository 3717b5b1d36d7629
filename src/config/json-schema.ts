// The JSON Schema of a configuration file, for editors: made from the same schema that checks it. What may come from
// the environment is the one addition: a `${NAME}` is accepted wherever a number, a truth value or a word is.

import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The text of schema/godwit.schema.json. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { type } = jsonSchema;
      const narrow = type === 'integer' || type === 'boolean' || jsonSchema.enum !== undefined;
      if (!narrow) return;
      const { description, default: fallback, ...accepted } = jsonSchema;
      for (const key of Object.keys(accepted)) Reflect.deleteProperty(jsonSchema, key);
      jsonSchema.anyOf = [accepted, { $ref: '#/$defs/environmentReference' }];
    },
  });
  const definitions = {
    environmentReference: {
      type: 'string',
      pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}',
      description: `A value from the environment: \${NAME} or \${NAME:-default}.`,
    },
  };
  return `${JSON.stringify({ ...schema, $defs: definitions }, undefined, 2)}\n`;
}
