// TCP-AO (RFC 5925) as a user may give it for a peer. tcp-ao.ts makes keys of it.

import { z } from 'zod';
import { TCP_AO_ALGORITHMS } from './model.ts';
import { passwordSchema } from './schema-password.ts';

const LARGEST_OCTET = 0xff;
/** More than a rollover needs. */
const MOST_KEYS = 16;

const id = (what: string) => z.int().min(0).max(LARGEST_OCTET).describe(what).optional();

const keySchema = z.strictObject({
  id: id('Id of the key in both directions, 0 to 255.'),
  sendId: id('Id of the key in what is sent, where the two differ.'),
  receiveId: id('Id of the key in what is received, where the two differ.'),
  algorithm: z
    .enum(TCP_AO_ALGORITHMS)
    .meta({ description: 'How segments are signed.', default: 'hmac-sha1' })
    .optional(),
  password: passwordSchema.describe('The key: a text, { file: PATH } or { env: NAME }.'),
  preferred: z
    .boolean()
    .meta({ description: 'The key that the peer is asked to sign with.', default: false })
    .optional(),
  deprecated: z
    .boolean()
    .meta({ description: 'Still accepted, but never asked for.', default: false })
    .optional(),
});

export const authenticationSchema = z.union(
  [
    z.strictObject({
      type: z.literal('ao').describe('ao: TCP-AO, with keys that may be exchanged under a session.'),
      keys: z.array(keySchema).min(1).max(MOST_KEYS).describe('Keys, at least one of them not deprecated.'),
    }),
    z.literal(false),
  ],
  { error: 'expected { type: ao, keys: [...] }, or false for none' },
);

export type AuthenticationInput = z.infer<typeof authenticationSchema>;
