// What a user may write for a peer, a peer group and a range of dynamic peers. All settings are optional here:
// groups are merged first (peer-groups.ts), defaults come after (peer-settings.ts). The `default` beside each key is
// for readers of the JSON Schema.

import { z } from 'zod';
import { CEASE } from '../bgp/wire/error-codes.ts';
import { FAMILIES } from '../bgp/wire/families.ts';
import { REQUIRABLE_KINDS, WITHHOLDABLE_KINDS } from '../bgp/wire/negotiate.ts';
import { ROLE, type Role } from '../bgp/wire/session-context.ts';
import { LINK_LOCAL_FORMATS } from './model.ts';
import { bfdSchema } from './schema-bfd.ts';
import { dampingSchema } from './schema-damping.ts';
import { limitsSchema } from './schema-limits.ts';
import { passwordSchema } from './schema-password.ts';
import { policySchema } from './schema-policy.ts';
import { gracefulRestartSchema } from './schema-restart.ts';
import { rpkiActionSchema } from './schema-rpki.ts';
import { attachmentSchema } from './schema-tables.ts';
import { authenticationSchema } from './schema-tcp-ao.ts';
import {
  addressSchema,
  asnSchema,
  flag,
  holdTimeSchema,
  interfacePatternsSchema,
  interfaceSchema,
  peerAsnSchema,
  portSchema,
  prefixSchema,
  quadSchema,
  seconds,
  text,
  versionSchema,
} from './values.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const LARGEST_UINT32 = 0xffff_ffff;

/** Subcodes of Cease by name (RFC 4486). */
export const CEASES = {
  unspecific: 0,
  'maximum-prefixes': CEASE.maximumPrefixes,
  'administrative-shutdown': CEASE.administrativeShutdown,
  'peer-deconfigured': CEASE.peerDeconfigured,
  'administrative-reset': CEASE.administrativeReset,
  'connection-rejected': CEASE.connectionRejected,
  'other-configuration-change': CEASE.otherConfigurationChange,
  'collision-resolution': CEASE.collisionResolution,
  'out-of-resources': CEASE.outOfResources,
} as const;
export const CEASE_NAMES = Object.keys(CEASES) as (keyof typeof CEASES)[];

const familyNames = FAMILIES.map((family) => family.name);
const roleNames = Object.keys(ROLE) as Role[];

const nameSchema = text((value) =>
  /^[\p{L}\p{N}][\p{L}\p{N}._:%@/-]{0,63}$/u.test(value)
    ? undefined
    : {
        message: 'this is not a usable name',
        hint: 'letters, digits and . _ : % @ / - (up to 64, no spaces)',
      },
);

/** One row a key: everything that peers, groups and dynamic ranges share. */
export const peerSettingsShape = {
  asn: peerAsnSchema.describe('AS of the peer; internal = the own AS, external = any other.').optional(),
  localAs: asnSchema.describe('Another own AS, shown to this eBGP peer instead of router.asn.').optional(),
  routerId: quadSchema
    .describe('Another BGP Identifier, shown to this peer instead of router.id.')
    .optional(),
  hostname: z
    .union([z.string().min(1).max(253), z.literal(false)], { error: 'expected a name, or false for none' })
    .describe('Name shown to this peer (FQDN capability); router.hostname unless given, false = none.')
    .optional(),
  localAddress: addressSchema
    .describe('Own address of the session; the kernel chooses otherwise.')
    .optional(),
  freeBind: flag('Dial from localAddress before this machine has it.', false),
  interface: interfaceSchema
    .describe('Interface the session is bound to; completes a link-local address.')
    .optional(),
  onlink: flag(
    'The peer, and all next hops that it announces, are on the link of the session, whatever prefixes are there.',
    false,
  ),
  port: portSchema.meta({ description: 'TCP port of the peer.', default: 179 }).optional(),
  localPort: portSchema.describe('Own TCP port of connections made to the peer.').optional(),
  enabled: flag('False keeps the session down.', true),
  description: z.string().describe('Shown by status and show peers.').optional(),
  passive: flag('Wait for the peer to connect; always so for dynamic peers.', false),
  families: z
    .array(z.enum(familyNames))
    .min(1)
    .describe('Address families; unless given, unicast of the version of the peer address.')
    .optional(),
  password: passwordSchema
    .describe('TCP MD5 key (RFC 2385): a text, { file: PATH } or { env: NAME }; false = none.')
    .optional(),
  authentication: authenticationSchema
    .describe('TCP-AO (RFC 5925), in the place of password; needs a kernel that has it.')
    .optional(),
  multihop: z
    .union([z.int().min(1).max(255), z.boolean()], {
      error: 'expected an IP TTL from 1 to 255, true or false',
    })
    .describe('eBGP over routers: IP TTL of what is sent; true = 255.')
    .optional(),
  ttlSecurity: z
    .union([z.int().min(1).max(254), z.boolean()], {
      error: 'expected a number of hops from 1 to 254, true or false',
    })
    .describe('GTSM (RFC 5082): the peer is at most so many hops away; true = 1, directly connected.')
    .optional(),
  holdTime: holdTimeSchema
    .meta({ description: 'Hold time offered, in seconds; 0 = never.', default: 90 })
    .optional(),
  keepaliveTime: seconds(1, 0xffff)
    .describe('Seconds between keepalives; a third of the hold time unless given.')
    .optional(),
  minHoldTime: seconds(0, 0xffff)
    .meta({ description: 'A peer that wants a shorter hold time is refused; 0 = any.', default: 0 })
    .optional(),
  minKeepaliveTime: seconds(0, 0xffff)
    .meta({
      description: 'A peer whose hold time needs more frequent keepalives is refused; 0 = any.',
      default: 0,
    })
    .optional(),
  openHoldTime: seconds(0, 0xffff)
    .meta({ description: "Seconds that the peer's OPEN may take; 0 = for ever.", default: 240 })
    .optional(),
  connectRetryTime: seconds(1, HOUR)
    .meta({ description: 'Seconds between connection attempts.', default: 120 })
    .optional(),
  connectDelayTime: seconds(0, HOUR)
    .meta({ description: 'Seconds before the first connection attempt.', default: 5 })
    .optional(),
  delayOpenTime: seconds(0, HOUR)
    .meta({ description: 'DelayOpenTime (RFC 4271 §8.1.1), seconds; 0 = off.', default: 0 })
    .optional(),
  errorWaitMin: seconds(1, HOUR)
    .meta({ description: 'Seconds to wait after the first error; doubles with each.', default: 60 })
    .optional(),
  errorWaitMax: seconds(1, HOUR)
    .meta({ description: 'Longest wait after errors, seconds.', default: 300 })
    .optional(),
  errorForgetTime: seconds(1, 24 * HOUR)
    .meta({ description: 'Seconds without an error after which earlier ones are forgotten.', default: 300 })
    .optional(),
  disableAfter: z
    .array(z.enum(['error', 'cease', ...CEASE_NAMES]))
    .meta({
      description:
        'After what the peer stays down until it is enabled: error = any NOTIFICATION but Cease, sent or received; cease = any Cease received, or those named.',
      default: [],
    })
    .optional(),
  sendHoldTime: seconds(0, 24 * HOUR)
    .describe('Send hold time (RFC 9687), seconds; 0 = off. Unless given, 480 or twice the hold time.')
    .optional(),
  table: attachmentSchema.meta({ description: 'Routing table of its routes.', default: 'main' }).optional(),
  igpTable: attachmentSchema
    .describe('Table whose kernel table its next hops are looked up in; as table unless given.')
    .optional(),
  rpki: rpkiActionSchema
    .describe(
      'What origin validation makes of routes before import: reject-invalid refuses them, tag adds the community of RFC 8097.',
    )
    .optional(),
  import: policySchema
    .describe(
      'Which routes of the peer are taken: accept, reject, a filter or its text. eBGP needs it (RFC 8212); iBGP accepts unless given.',
    )
    .optional(),
  export: policySchema
    .describe(
      'Which routes the peer gets: accept, reject, a filter or its text. eBGP needs it (RFC 8212); iBGP accepts unless given.',
    )
    .optional(),
  routeReflectorClient: flag('The iBGP peer is a client of this reflector (RFC 4456).', false),
  clusterId: quadSchema.describe('Cluster id for this client; router.clusterId unless given.').optional(),
  clientToClient: flag("False: this client's routes do not go to other clients (RFC 4456 §6).", true),
  routeServerClient: flag(
    'Transparent towards this eBGP peer: no own AS, next hop and MED kept (RFC 7947).',
    false,
  ),
  evaluateAll: flag(
    'Where the best route may not go to the peer, the next one that may goes: no path is hidden from a client (RFC 7947 §2.3).',
    false,
  ),
  nextHop: z
    .union([z.enum(['auto', 'self', 'unchanged', 'address']), addressSchema], {
      error: 'expected auto, self, unchanged or an address',
    })
    .meta({
      description: 'Next hop of what is sent: auto (RFC 4271 §5.1.3), self, unchanged, or an address.',
      default: 'auto',
    })
    .optional(),
  nextHopAddress: z
    .strictObject({
      ipv4: versionSchema('ipv4').describe('Next hop for IPv4 routes.').optional(),
      ipv6: versionSchema('ipv6').describe('Next hop for IPv6 routes.').optional(),
    })
    .describe(
      'Next hop for each version, for nextHop: address and where self has no address of that version.',
    )
    .optional(),
  linkLocalNextHop: z
    .enum(LINK_LOCAL_FORMATS)
    .describe(
      'Own next hop on a session between link-local addresses: native = behind ::, single = alone, double = twice; unless given, behind a global address of the interface, or else twice.',
    )
    .optional(),
  removePrivateAs: flag('Take private ASes out of AS_PATH before sending (eBGP).', false),
  asOverride: flag("Replace the peer's AS in AS_PATH by the own one (eBGP).", false),
  allowOwnAs: z
    .int()
    .min(0)
    .max(10)
    .meta({ description: 'How often the own AS may stand in a received AS_PATH.', default: 0 })
    .optional(),
  allowAsSets: flag('Take routes with an AS_SET in their path, which RFC 9774 withdraws.', false),
  allowLocalPref: flag('Take LOCAL_PREF from this eBGP peer and send it, as within an AS.', false),
  allowMed: flag('Send this eBGP peer the MED of other ASes, too.', false),
  enforceFirstAs: z
    .boolean()
    .describe(
      'Require the AS of an eBGP peer first in AS_PATH; true unless the peer is a route server (role: rs-client).',
    )
    .optional(),
  addPath: z
    .union(
      [
        z.boolean(),
        z.strictObject({
          receive: flag('Take several paths a prefix.', false),
          send: z
            .union([z.enum(['none', 'all']), z.int().min(1).max(64)], {
              error: 'expected none, all or a number',
            })
            .meta({
              description:
                'Send none, all, or the best N paths a prefix, less those of the N that are its own or that export rejects.',
              default: 'none',
            })
            .optional(),
        }),
      ],
      { error: 'expected true, false or { receive, send }' },
    )
    .meta({ description: 'ADD-PATH (RFC 7911); true = receive, and send all.', default: false })
    .optional(),
  extendedNextHop: z
    .boolean()
    .describe(
      'IPv6 next hops for IPv4 routes (RFC 8950); true for IPv4 unicast with an IPv6 peer unless given.',
    )
    .optional(),
  extendedMessages: flag('Messages up to 65535 octets (RFC 8654).', true),
  gracefulRestart: gracefulRestartSchema.optional(),
  role: z.enum(roleNames).describe('Own role towards this eBGP peer (RFC 9234).').optional(),
  roleStrict: flag('Refuse a peer that announces no role.', false),
  require: z
    .array(z.enum([...REQUIRABLE_KINDS, 'add-path', 'extended-next-hop', ...familyNames]))
    .meta({
      description:
        'Capabilities and families that the peer must offer, or the session is refused (RFC 5492); add-path in the directions of addPath.',
      default: [],
    })
    .optional(),
  withhold: z
    .union([z.literal('all'), z.array(z.enum(WITHHOLDABLE_KINDS))], {
      error: `expected all or a list of ${WITHHOLDABLE_KINDS.join(', ')}`,
    })
    .meta({
      description:
        'Capabilities that the peer is not offered, for one that does not bear them; all = an OPEN without any (RFC 5492).',
      default: [],
    })
    .optional(),
  aigp: z.boolean().describe('Send and take AIGP (RFC 7311); true for iBGP unless given.').optional(),
  sendCommunities: flag('Send communities of all kinds.', true),
  interpretCommunities: flag(
    'Keep routes with NO_EXPORT, NO_ADVERTISE or NO_EXPORT_SUBCONFED from the peer as RFC 1997 says. false: its export filter decides alone.',
    true,
  ),
  maxPrefixes: z
    .union([z.int().min(1).max(LARGEST_UINT32), z.literal(false)], {
      error: 'expected a number, or false for no limit',
    })
    .describe('Most prefixes taken from the peer, a family; short for limits: { received: N }.')
    .optional(),
  limits: limitsSchema
    .describe('Most routes taken from the peer and sent to it, and how large their attributes may be.')
    .optional(),
  damping: dampingSchema.optional(),
  gracefulShutdown: z
    .boolean()
    .describe(
      'RFC 8326: routes with 65535:0 from this peer get local preference 0; true for eBGP unless given.',
    )
    .optional(),
  fastFallover: flag('End the session of a directly connected eBGP peer when its link goes down.', true),
  bfd: bfdSchema
    .meta({
      description: 'Watch the path to the peer (RFC 5880); the session ends when the path does.',
      default: false,
    })
    .optional(),
};

const groupKey = nameSchema
  .describe('Name of a peer group whose settings are taken; own keys win.')
  .optional();

export const peerGroupSchema = z.strictObject({ group: groupKey, ...peerSettingsShape });

export const peerSchema = z.strictObject({
  name: nameSchema.describe('Unique name; the address unless given.').optional(),
  address: addressSchema.describe('Address of the peer; a link-local one with its interface: fe80::1%eth0.'),
  group: groupKey,
  ...peerSettingsShape,
});

export const dynamicPeersSchema = z.strictObject({
  name: nameSchema
    .describe('Unique name; the prefix unless given, with its interface: fe80::/10%eth0.')
    .optional(),
  prefix: prefixSchema.describe('Whoever connects from here is taken as a peer.'),
  interfaces: interfacePatternsSchema
    .describe('With a link-local prefix, the links to take peers from: patterns in order, - excludes.')
    .optional(),
  limit: z
    .int()
    .min(1)
    .max(100_000)
    .meta({ description: 'Most sessions at a time.', default: 100 })
    .optional(),
  group: groupKey,
  ...peerSettingsShape,
});

export type PeerGroupInput = z.infer<typeof peerGroupSchema>;
export type PeerInput = z.infer<typeof peerSchema>;
export type DynamicPeersInput = z.infer<typeof dynamicPeersSchema>;
/** The settings alone, as they stand before defaults. */
export type SettingsInput = Omit<PeerGroupInput, 'group'>;
export type SettingsKey = keyof typeof peerSettingsShape;
