// What a user may write for caches of RPKI data, and what peers are to make of it.

import { z } from 'zod';
import { RPKI_INTERVALS, RPKI_MAX_VERSION, RPKI_PORT } from './rpki.ts';
import { passwordSchema } from './schema-password.ts';
import { addressSchema, portSchema, text } from './values.ts';

const MOST_PREFERENCE = 255;
const HOST = /^[\p{L}\p{N}]([\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u;

const interval = (which: keyof typeof RPKI_INTERVALS, description: string) => {
  const { least, most, usual } = RPKI_INTERVALS[which];
  const ending = `; what the cache asks for unless given, ${usual} where it asks for nothing.`;
  return z.int().min(least).max(most).describe(`${description}${ending}`).optional();
};
const version = (description: string, fallback: number) =>
  z.int().min(0).max(RPKI_MAX_VERSION).meta({ description, default: fallback }).optional();

const hostSchema = z.union(
  [
    addressSchema,
    text((value) =>
      HOST.test(value)
        ? undefined
        : {
            message: 'this is neither an address nor a host name',
            hint: 'examples: 192.0.2.1, rtr.example.net',
          },
    ),
  ],
  { error: 'expected an address or a host name' },
);

const rpkiCacheSchema = z.union(
  [
    hostSchema,
    z.strictObject({
      host: hostSchema.describe('Address or name of the cache.'),
      port: portSchema.meta({ description: 'TCP port.', default: RPKI_PORT }).optional(),
      name: z
        .string()
        .min(1)
        .max(64)
        .describe('Shown as a protocol; rpki1, rpki2, ... unless given.')
        .optional(),
      preference: z
        .int()
        .min(0)
        .max(MOST_PREFERENCE)
        .meta({
          description: 'The lower, the more preferred; caches of one preference are asked together.',
          default: 0,
        })
        .optional(),
      localAddress: addressSchema.describe('Source address of the connection.').optional(),
      password: passwordSchema.describe('TCP-MD5 key: a text, { file: PATH } or { env: NAME }.').optional(),
      refresh: interval('refresh', 'Seconds between queries'),
      retry: interval('retry', 'Seconds until a failed query or connection is tried again'),
      expire: interval('expire', 'Seconds that records of a lost cache count'),
      minVersion: version('Lowest version of the protocol (0: RFC 6810, 1: RFC 8210, 2: 8210bis).', 0),
      maxVersion: version('Highest version of the protocol.', RPKI_MAX_VERSION),
      ignoreMaxLength: z
        .boolean()
        .meta({ description: 'Longest lengths of ROAs do not count.', default: false })
        .optional(),
      enabled: z.boolean().meta({ description: 'Ask the cache at all.', default: true }).optional(),
    }),
  ],
  { error: 'expected an address, a host name or { host, port, ... }' },
);

export const rpkiSchema = z.strictObject({
  caches: z
    .array(rpkiCacheSchema)
    .min(1)
    .describe('Caches to ask; filters find what they say in the tables rpki and aspa.'),
});

export type RpkiInput = z.infer<typeof rpkiSchema>;

/** Of a peer. */
export const rpkiActionSchema = z.enum(['reject-invalid', 'tag']);
export type RpkiAction = z.infer<typeof rpkiActionSchema>;
