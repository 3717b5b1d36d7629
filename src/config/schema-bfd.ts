// What a user may write for BFD, towards a peer or for itself. The defaults beside the keys are for readers of the JSON
// Schema; they are filled in by build-bfd.ts.

import { z } from 'zod';
import { BFD_KEY_OCTETS, type BfdAuthType } from './model.ts';
import { passwordSchema } from './schema-password.ts';
import { addressSchema, flag, interfaceSchema } from './values.ts';

/** Milliseconds. */
const SHORTEST_INTERVAL = 10;
const LONGEST_INTERVAL = 60_000;
/** RFC 5880 §6.8.3 */
const SHORTEST_IDLE_INTERVAL = 1000;
const LARGEST_OCTET = 255;

const authTypes = Object.keys(BFD_KEY_OCTETS) as BfdAuthType[];
const milliseconds = (least: number) => z.int().min(least).max(LONGEST_INTERVAL);

const options = {
  interval: milliseconds(SHORTEST_INTERVAL)
    .meta({ description: 'Milliseconds between packets, in both directions.', default: 300 })
    .optional(),
  minRx: milliseconds(SHORTEST_INTERVAL)
    .describe('Milliseconds between packets of the peer, at least; as interval unless given.')
    .optional(),
  idleInterval: milliseconds(SHORTEST_IDLE_INTERVAL)
    .meta({ description: 'Milliseconds between packets while the session is not up.', default: 1000 })
    .optional(),
  multiplier: z
    .int()
    .min(1)
    .max(LARGEST_OCTET)
    .meta({ description: 'Packets that the peer must miss in a row.', default: 3 })
    .optional(),
  passive: flag('Say nothing before the peer does.', false),
  verification: z
    .strictObject({
      type: z.enum(authTypes).describe('How packets are authenticated (RFC 5880 §6.7).'),
      keyId: z
        .int()
        .min(0)
        .max(LARGEST_OCTET)
        .meta({ description: 'Id of the key, the same on both sides.', default: 1 })
        .optional(),
      password: passwordSchema.describe('The key: a text, { file: PATH } or { env: NAME }.'),
    })
    .describe('Authentication of packets (RFC 5880 §6.7), the same on both sides; none unless given.')
    .optional(),
};

const peerBfdSchema = z.strictObject({
  ...options,
  multihop: z
    .boolean()
    .describe(
      'Over routers (RFC 5883), else directly connected (RFC 5881). Unless given, as the peer is; iBGP: true.',
    )
    .optional(),
});

export const bfdSchema = z.union([z.boolean(), peerBfdSchema], {
  error: 'expected true, false or { interval, multiplier, ... }',
});

const sessionSchema = z.strictObject({
  address: addressSchema.describe(
    'Address of the other end; a link-local one with its interface: fe80::1%eth0.',
  ),
  localAddress: addressSchema.describe('Source address.').optional(),
  interface: interfaceSchema.describe('The link that the other end is on.').optional(),
  ...options,
  multihop: flag('Over routers (RFC 5883), else directly connected (RFC 5881).', false),
});

export const bfdSessionsSchema = z.strictObject({
  sessions: z.array(sessionSchema).min(1).describe('Paths that are watched without a BGP session.'),
});

export type BfdOptionsInput = z.infer<typeof peerBfdSchema>;
export type BfdSessionsInput = z.infer<typeof bfdSessionsSchema>;
