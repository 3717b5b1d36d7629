// What a user may write for route flap damping towards a peer (RFC 2439). The suppress threshold is the one that RFC 7196
// recommends; the other defaults are what most implementations have. They are filled in by peer-settings.ts.

import { z } from 'zod';
import { FAMILIES, type FamilyName } from '../bgp/wire/families.ts';
import { seconds } from './values.ts';

/** RFC 7196 §6: penalties go at least so far. */
const HIGHEST_PENALTY = 50_000;
const DAY = 86_400;

export const DAMPING_DEFAULTS = {
  halfLife: 900,
  suppress: 6000,
  reuse: 750,
  maxSuppressTime: 3600,
} as const;

const familyNames = FAMILIES.map(({ name }): FamilyName => name);
const penalty = z.int().min(1).max(HIGHEST_PENALTY);

export const dampingSchema = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        families: z
          .array(z.enum(familyNames))
          .min(1)
          .describe('Families that are damped; all of the peer unless given.')
          .optional(),
        halfLife: seconds(1, DAY)
          .meta({
            description: 'Seconds in which a penalty falls to its half.',
            default: DAMPING_DEFAULTS.halfLife,
          })
          .optional(),
        suppress: penalty
          .meta({
            description:
              'Penalty from which on a route is not used: a withdrawal costs 1000, other attributes 500 (RFC 7196: 6000 at least, 12000 to be careful).',
            default: DAMPING_DEFAULTS.suppress,
          })
          .optional(),
        reuse: penalty
          .meta({
            description: 'Penalty below which it is used again.',
            default: DAMPING_DEFAULTS.reuse,
          })
          .optional(),
        maxSuppressTime: seconds(1, DAY)
          .meta({
            description: 'Seconds that a route stays unused after its last flap, at most.',
            default: DAMPING_DEFAULTS.maxSuppressTime,
          })
          .optional(),
        testOnly: z
          .boolean()
          .meta({ description: 'Count, and suppress nothing.', default: false })
          .optional(),
      }),
    ],
    { error: 'expected true, false or { halfLife, suppress, reuse, maxSuppressTime, families, testOnly }' },
  )
  .meta({
    description:
      'Route flap damping (RFC 2439, 7196): routes of this eBGP peer that flap too often are not used until they are quiet.',
    default: false,
  });

export type DampingInput = z.infer<typeof dampingSchema>;
