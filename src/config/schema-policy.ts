// What a user may write for policies: filters by name, and where they are used. What a filter's text says is compiled in
// filters.ts.

import { z } from 'zod';

const ERROR = 'expected accept, reject, the name of a filter or its text, or { ipv4, ipv6 }';
const one = z.string().min(1);

export const policySchema = z.union(
  [
    one,
    z.strictObject({
      ipv4: one.describe('For IPv4 routes; nothing passes unless given.').optional(),
      ipv6: one.describe('For IPv6 routes; nothing passes unless given.').optional(),
    }),
  ],
  { error: ERROR },
);

export type PolicyInput = z.infer<typeof policySchema>;

export const definitionsSchema = z
  .string()
  .describe('Constants, functions and attributes for filters, in the language of BIRD 2.x.');

export const testsSchema = z
  .record(z.string(), z.string().min(1))
  .describe(
    'Tests of filters by name, for `godwit test`: route PREFIX { ... }; filter NAME; expect accept where ...;',
  );

export const filtersSchema = z
  .record(z.string(), z.string().min(1))
  .describe('Filters by name: the body of each in the language of BIRD 2.x.');
