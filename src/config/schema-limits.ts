// What a user may write for the limits of a peer: a number, or numbers for each version and what happens above them.
// peer-limits.ts fills in the rest.

import { z } from 'zod';
import { LIMIT_ACTIONS } from './model/limits.ts';

const LARGEST_UINT32 = 0xffff_ffff;
/** More fits into no message. */
const MOST_ASES = 16_000;
const MOST_COMMUNITIES = 16_000;

const count = z.int().min(1).max(LARGEST_UINT32);

function limitSchema(usual: (typeof LIMIT_ACTIONS)[number]) {
  return z.union(
    [
      count,
      z.strictObject({
        routes: z
          .union(
            [
              count,
              z.strictObject({
                ipv4: count.describe('IPv4 routes; any number unless given.').optional(),
                ipv6: count.describe('IPv6 routes; any number unless given.').optional(),
              }),
            ],
            { error: 'expected a number or { ipv4, ipv6 }' },
          )
          .describe('Most routes of each family.'),
        action: z
          .enum(LIMIT_ACTIONS)
          .meta({
            description:
              'Above it: warn logs it, block takes (or sends) no more, restart ends the session for the error wait, disable for good.',
            default: usual,
          })
          .optional(),
      }),
    ],
    { error: 'expected a number or { routes, action }' },
  );
}

export const limitsSchema = z.strictObject({
  received: limitSchema('restart')
    .describe('Most routes that the peer may announce, a family, whatever becomes of them.')
    .optional(),
  accepted: limitSchema('restart')
    .describe('Most routes of the peer that import accepts, a family; blocked ones count as rejected.')
    .optional(),
  exported: limitSchema('block').describe('Most routes that are sent to the peer, a family.').optional(),
  asPathLength: z
    .int()
    .min(1)
    .max(MOST_ASES)
    .describe('Routes with more ASes in AS_PATH are rejected.')
    .optional(),
  communities: z
    .int()
    .min(0)
    .max(MOST_COMMUNITIES)
    .describe('Routes with more communities (of all kinds together) are rejected.')
    .optional(),
});

export type RouteLimitInput = z.infer<ReturnType<typeof limitSchema>>;
