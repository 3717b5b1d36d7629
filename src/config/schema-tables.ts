// Names of routing tables, who is attached to them, and pipes between them, as the user writes them.

import { z } from 'zod';
import { policySchema } from './schema-policy.ts';
import { text } from './values.ts';

const NAME = /^[A-Za-z_][\w-]*$/;

/** `main` is a name, too. */
export const tableNameSchema = text((value) =>
  NAME.test(value)
    ? undefined
    : {
        message: 'this cannot be the name of a table',
        hint: 'letters, digits, _ and -, beginning with a letter',
      },
);

export const pipeSchema = z.strictObject({
  name: tableNameSchema.describe('Shown as a protocol; FROM-TO unless given.').optional(),
  from: tableNameSchema.describe('A table, or main.'),
  to: tableNameSchema.describe('Another one.'),
  forward: policySchema
    .meta({
      description: 'Which routes go this way: accept, reject, a filter or its text.',
      default: 'accept',
    })
    .optional(),
  back: policySchema.meta({ description: 'Which routes go the other way.', default: 'reject' }).optional(),
});

/** Of a peer: one table, or one for each IP version. */
export const attachmentSchema = z.union(
  [
    tableNameSchema,
    z.strictObject({
      ipv4: tableNameSchema.describe('Of IPv4 routes.').optional(),
      ipv6: tableNameSchema.describe('Of IPv6 routes.').optional(),
    }),
  ],
  { error: 'expected the name of a table, or { ipv4, ipv6 }' },
);

export type PipeInput = z.infer<typeof pipeSchema>;
