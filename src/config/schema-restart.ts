// What a user may write for graceful restart towards a peer (RFC 4724, 8538, 9494). The defaults beside the keys are for
// readers of the JSON Schema; they are filled in by peer-settings.ts.

import { z } from 'zod';
import { FAMILIES, type FamilyName } from '../bgp/wire/families.ts';
import { LONGEST_RESTART, LONGEST_STALE_TIME } from './model.ts';
import { seconds } from './values.ts';

const MODES = ['off', 'helper', 'full'] as const;
const familyNames = FAMILIES.map(({ name }): FamilyName => name);
const staleTime = seconds(0, LONGEST_STALE_TIME);
const staleTimes = z.union([staleTime, z.partialRecord(z.enum(familyNames), staleTime)], {
  error: 'expected seconds, or seconds by family',
});

const longLivedSchema = z
  .union(
    [
      z.boolean(),
      z.enum(MODES),
      z.strictObject({
        mode: z.enum(MODES).meta({ description: 'As longLived.', default: 'helper' }).optional(),
        staleTime: staleTimes
          .meta({
            description: 'With full: how long the peer shall keep our routes, in seconds; 0 = not at all.',
            default: 3600,
          })
          .optional(),
        minStaleTime: staleTimes
          .meta({ description: "The peer's routes are kept at least so long, in seconds.", default: 0 })
          .optional(),
        maxStaleTime: staleTimes
          .meta({
            description: "The peer's routes are kept at most so long, in seconds.",
            default: LONGEST_STALE_TIME,
          })
          .optional(),
        partialDeployment: z
          .boolean()
          .meta({
            description:
              'Send stale routes to this iBGP peer even if it does not know LLGR, with NO_EXPORT and LOCAL_PREF 0 (RFC 9494 section 4.6).',
            default: false,
          })
          .optional(),
      }),
    ],
    {
      error:
        'expected helper, full, off or { mode, staleTime, minStaleTime, maxStaleTime, partialDeployment }',
    },
  )
  .meta({
    description:
      'RFC 9494: helper keeps the routes of a peer that is away for as long as it asked, as the last resort; full asks the peer for that, too.',
    default: 'helper',
  });

export const gracefulRestartSchema = z
  .union(
    [
      z.boolean(),
      z.enum(MODES),
      z.strictObject({
        mode: z.enum(MODES).meta({ description: 'As gracefulRestart.', default: 'helper' }).optional(),
        restartTime: seconds(0, LONGEST_RESTART)
          .meta({ description: 'Restart time announced, seconds.', default: 120 })
          .optional(),
        minRestartTime: seconds(0, LONGEST_RESTART)
          .meta({ description: "The peer's routes are kept at least so long, in seconds.", default: 0 })
          .optional(),
        maxRestartTime: seconds(0, LONGEST_RESTART)
          .meta({
            description: "The peer's routes are kept at most so long, in seconds.",
            default: LONGEST_RESTART,
          })
          .optional(),
        families: z
          .array(z.enum(familyNames))
          .describe('With full: whose routes the peer shall keep; all of its families unless given.')
          .optional(),
        notification: z
          .boolean()
          .meta({
            description: 'NOTIFICATIONs and an expired hold timer are no reason to drop routes (RFC 8538).',
            default: false,
          })
          .optional(),
        longLived: longLivedSchema.optional(),
      }),
    ],
    { error: 'expected helper, full, off or { mode, restartTime, families, notification, longLived }' },
  )
  .meta({
    description:
      'RFC 4724: helper keeps the routes of a restarting peer; full lets it keep ours, too; off announces nothing.',
    default: 'helper',
  });

type GracefulRestartInput = z.infer<typeof gracefulRestartSchema>;
export type LongLivedInput = NonNullable<Extract<GracefulRestartInput, object>['longLived']>;
