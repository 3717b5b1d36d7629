// A password as a user may give it: the text itself, or where it is to be found. secrets.ts reads it.

import { z } from 'zod';

/** RFC 2385: what the kernel takes, TCP_MD5SIG_MAXKEYLEN. */
export const LONGEST_PASSWORD = 80;

export const passwordSchema = z.union(
  [
    z.string(),
    z.literal(false),
    z.strictObject({
      file: z
        .string()
        .min(1)
        .describe('Path of a file that holds the password; a final newline is left out.')
        .optional(),
      env: z
        .string()
        .regex(/^[A-Za-z_]\w*$/, { error: 'expected the name of a variable: letters, digits and _' })
        .describe('Name of an environment variable.')
        .optional(),
      value: z.string().describe('The password itself.').optional(),
    }),
  ],
  { error: 'expected a text, { file: PATH } or { env: NAME }' },
);
