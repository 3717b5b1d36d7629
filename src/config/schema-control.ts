// What a user may write about how the daemon is reached and what it is to the system. Meaning and defaults are
// build-control.ts's.

import { z } from 'zod';
import { DEFAULT_SOCKET } from './model/control.ts';
import { BIRD_STYLES } from './model.ts';
import { endpointSchema, text } from './values.ts';

// 107: sockaddr_un.sun_path with its final zero
const socketPathSchema = z.string().min(1).max(107);
const socketModeSchema = text((value) =>
  /^0?[0-7]{3}$/.test(value)
    ? undefined
    : { message: 'this is not a file mode', hint: 'three octal digits: "0660"' },
)
  .meta({ description: 'File mode of the socket, octal.', default: '0660' })
  .optional();

const NAME = '[A-Za-z0-9_][A-Za-z0-9_.-]*\\$?';
const userName = (what: string) =>
  z.union([z.int().min(0), z.string().regex(new RegExp(`^${NAME}$`))], {
    error: `expected the name or number of a ${what}`,
  });
const memberSchema = z.union([z.int().min(0), z.string().regex(new RegExp(`^@?${NAME}$`))], {
  error: 'expected a user, by name or number, or a group after an @: "@staff"',
});

const flag = (description: string) => z.boolean().meta({ description, default: false }).optional();

/** What unix sockets share. */
const accessShape = {
  mode: socketModeSchema,
  owner: userName('user').describe('User that owns the socket.').optional(),
  group: userName('group').describe('Group of the socket.').optional(),
  restricted: flag('Only commands that change nothing.'),
  allow: z
    .array(memberSchema)
    .describe(
      'Who may use the socket: users, and groups after an @; everybody whom the mode lets unless given. Root may always.',
    )
    .optional(),
  allowChanges: z
    .array(memberSchema)
    .describe('Who may change something over it; everybody who may use it unless given.')
    .optional(),
};

const birdSocketSchema = z.strictObject({
  socket: socketPathSchema.describe('Path of the socket, such as /run/bird/bird.ctl.'),
  style: z
    .enum(BIRD_STYLES)
    .meta({
      description:
        'How replies look; auto: bird1 where the configuration is in the language of 1.6, else bird2.',
      default: 'auto',
    })
    .optional(),
  ...accessShape,
});

const fileSchema = (what: string) => z.string().min(1).describe(`PEM file: ${what}.`);

const tcpSchema = z.strictObject({
  listen: endpointSchema(true).describe('Address and port of the gRPC service.'),
  tls: z
    .strictObject({
      ca: fileSchema('whose certificates clients must have'),
      cert: fileSchema('the certificate of the daemon, and what leads to its authority'),
      // Not `key`: what is under it would be taken for a key itself.
      privateKey: fileSchema('the private key of the certificate'),
    })
    .describe('Mutual TLS; needed unless the address is a loopback one.')
    .optional(),
  insecure: flag('In the clear for everybody who can reach the address, which is no loopback one.'),
  restricted: flag('Only commands that change nothing.'),
});

export const controlSchema = z.union(
  [
    z.literal(false),
    z.strictObject({
      socket: socketPathSchema
        .meta({ description: 'Path of the control socket.', default: DEFAULT_SOCKET })
        .optional(),
      ...accessShape,
      tcp: tcpSchema.describe('The gRPC service over TCP, too.').optional(),
      bird: birdSocketSchema.describe("Socket that speaks BIRD's control protocol, for birdc.").optional(),
    }),
  ],
  { error: 'expected { socket, mode, bird }, or false for no control socket' },
);

const LONGEST_WATCH = 86_400;

export const processSchema = z.strictObject({
  user: userName('user')
    .describe('User to become after the start, with no more capabilities than a router needs.')
    .optional(),
  group: userName('group').describe('Group to become; that of the user unless given.').optional(),
  watchFiles: z
    .int()
    .min(0)
    .max(LONGEST_WATCH)
    .meta({
      description:
        'Seconds between looks at files of passwords and certificates, which are read again when they change; 0 = never.',
      default: 10,
    })
    .optional(),
});

export type ControlInput = z.infer<typeof controlSchema>;
export type ProcessInput = z.infer<typeof processSchema>;
