// What a user may write for stations of the BGP Monitoring Protocol.

import { z } from 'zod';
import { BMP_BUFFER_LIMIT, BMP_STATISTICS, BMP_VIEWS, MEBIBYTE } from './bmp.ts';
import { passwordSchema } from './schema-password.ts';
import { addressSchema, portSchema } from './values.ts';

const LONGEST_INTERVAL = 86_400;
const MOST_MEBIBYTES = 4096;
/** More does not fit into what sysName and sysDescr are. */
const LONGEST_TEXT = 255;

const stationSchema = z.strictObject({
  address: addressSchema.describe('Address of the station.'),
  port: portSchema.describe('TCP port of the station; there is no usual one.'),
  name: z.string().min(1).max(64).describe('Shown as a protocol; bmp1, bmp2, ... unless given.').optional(),
  localAddress: addressSchema.describe('Source address of the connection.').optional(),
  password: passwordSchema.describe('TCP-MD5 key: a text, { file: PATH } or { env: NAME }.').optional(),
  routes: z
    .array(z.enum(BMP_VIEWS))
    .meta({
      description:
        'What the station is told: routes of peers before and after import policy, and the best paths. An empty list: sessions only.',
      default: ['pre-policy'],
    })
    .optional(),
  statistics: z
    .int()
    .min(0)
    .max(LONGEST_INTERVAL)
    .meta({ description: 'Seconds between reports of statistics; 0 for none.', default: BMP_STATISTICS })
    .optional(),
  bufferLimit: z
    .int()
    .min(1)
    .max(MOST_MEBIBYTES)
    .meta({
      description: 'MiB that may wait for the station before the connection is given up and begun anew.',
      default: BMP_BUFFER_LIMIT / MEBIBYTE,
    })
    .optional(),
  systemName: z
    .string()
    .max(LONGEST_TEXT)
    .describe('sysName that the station is told; the host name unless given.')
    .optional(),
  systemDescription: z
    .string()
    .max(LONGEST_TEXT)
    .describe('sysDescr that the station is told; godwit and its version unless given.')
    .optional(),
  enabled: z.boolean().meta({ description: 'Connect to the station at all.', default: true }).optional(),
});

export const bmpSchema = z.strictObject({
  stations: z.array(stationSchema).min(1).describe('Stations that are told of peers and their routes.'),
});

export type BmpInput = z.infer<typeof bmpSchema>;
