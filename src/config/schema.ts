// What a user may write in a configuration file, section by section: types, ranges, short forms, descriptions. The
// JSON Schema for editors is made from this (json-schema.ts). Meaning and defaults are build.ts's.

import { z } from 'zod';
import { IP_VERSIONS } from '../lib/ip.ts';
import { bfdSessionsSchema } from './schema-bfd.ts';
import { bmpSchema } from './schema-bmp.ts';
import { controlSchema, processSchema } from './schema-control.ts';
import { crashSchema, journalSchema, watchdogSchema } from './schema-diagnosis.ts';
import { mrtSchema } from './schema-mrt.ts';
import { dynamicPeersSchema, peerGroupSchema, peerSchema } from './schema-peer.ts';
import { definitionsSchema, filtersSchema, policySchema, testsSchema } from './schema-policy.ts';
import { rpkiSchema } from './schema-rpki.ts';
import { pipeSchema, tableNameSchema } from './schema-tables.ts';
import {
  addressSchema,
  asnSchema,
  communitySchema,
  endpointSchema,
  flag,
  interfacePatternsSchema,
  interfaceSchema,
  portSchema,
  prefixSchema,
  quadSchema,
  seconds,
  versionSchema,
} from './values.ts';

const LARGEST_UINT32 = 0xffff_ffff;
const LARGEST_UINT8 = 0xff;
/** What a route may have in the kernel without next-hop objects. */
const MOST_NEXT_HOPS = 256;
const DAY = 86_400;

/** rtnetlink(7) and /etc/iproute2/rt_protos. */
export const ROUTE_PROTOCOLS: Readonly<Record<string, number>> = {
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  bird: 12,
  dhcp: 16,
  keepalived: 18,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
};
/** /etc/iproute2/rt_tables */
export const ROUTE_TABLES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };

const protocolSchema = z.union([z.int().min(1).max(LARGEST_UINT8), z.enum(Object.keys(ROUTE_PROTOCOLS))], {
  error: `expected a number from 1 to 255 or ${Object.keys(ROUTE_PROTOCOLS).join(', ')}`,
});
const tableSchema = z.union([z.int().min(1).max(LARGEST_UINT32), z.enum(Object.keys(ROUTE_TABLES))], {
  error: 'expected a table number, or main, default, local',
});

const LONGEST_WAIT = 3600;
const LONGEST_DRAIN = 3600;
/** Seconds. */
export const RESTART_WAIT = 240;
/** Traffic has gone when the slowest of the neighbours has chosen again, and programmed that. */
export const DRAIN_TIME = 30;

export const routerSchema = z.strictObject({
  asn: asnSchema.describe('Own AS number.'),
  confederation: z
    .strictObject({
      id: asnSchema.describe('AS of the confederation, shown to peers outside in the place of asn.'),
      members: z
        .array(asnSchema)
        .describe('ASes of the other members; peers of these are inside the confederation.'),
    })
    .describe('The confederation that the own AS is a member of (RFC 5065).')
    .optional(),
  id: quadSchema
    .describe('BGP Identifier, a dotted quad; an IPv4 address of this host unless given.')
    .optional(),
  clusterId: quadSchema.describe('Cluster id of this reflector (RFC 4456); the id unless given.').optional(),
  hostname: z
    .string()
    .min(1)
    .max(255)
    .describe('Shown by status and to peers; the name of this host unless given.')
    .optional(),
  restart: z
    .strictObject({
      recover: z
        .enum(['auto', 'always', 'never'])
        .meta({
          description:
            'Whether a start counts as a restart; auto: where the kernel has own routes of a run before.',
          default: 'auto',
        })
        .optional(),
      wait: z
        .int()
        .min(1)
        .max(LONGEST_WAIT)
        .meta({ description: 'Seconds until routes are chosen, whoever is missing.', default: RESTART_WAIT })
        .optional(),
      onStop: z
        .enum(['cease', 'drain', 'silent'])
        .meta({
          description:
            'drain: a stop asks peers to send traffic elsewhere, waits and then ends sessions; silent: it says nothing to peers and leaves kernel routes, for a restart.',
          default: 'cease',
        })
        .optional(),
      drainTime: z
        .int()
        .min(1)
        .max(LONGEST_DRAIN)
        .meta({ description: 'Seconds that a stop waits, with onStop: drain.', default: DRAIN_TIME })
        .optional(),
    })
    .refine(({ onStop, drainTime }) => drainTime === undefined || onStop === 'drain', {
      error: 'drainTime is for onStop: drain',
      path: ['drainTime'],
    })
    .describe('Own restarts (RFC 4724), for peers with gracefulRestart: full.')
    .optional(),
});

export const listenSchema = z.union(
  [
    endpointSchema(false),
    z.strictObject({
      address: addressSchema.describe('Own address, or 0.0.0.0 or :: for all of a version.'),
      port: portSchema.meta({ description: 'TCP port.', default: 179 }).optional(),
      interface: interfaceSchema.describe('Interface the listener is bound to.').optional(),
      freeBind: z
        .boolean()
        .meta({ description: 'Listen before this machine has the address.', default: false })
        .optional(),
    }),
  ],
  { error: 'expected an address or { address, port, interface, freeBind }' },
);

const learnSchema = z.strictObject({
  protocol: protocolSchema
    .describe('Only routes of this kernel route protocol, as `ip route` shows it.')
    .optional(),
  table: tableSchema.describe('Only routes of this table.').optional(),
});

const metricSchema = z.int().min(0).max(LARGEST_UINT32);
const ecmpSchema = z.int().min(1).max(MOST_NEXT_HOPS);
const scanTimeSchema = seconds(0, DAY);

/** What one family has for itself. */
const familyKernelSchema = z
  .strictObject({
    table: tableSchema.describe('Routing table.').optional(),
    metric: metricSchema.describe('Metric of own routes.').optional(),
    ecmp: ecmpSchema.describe('Most next hops of a route.').optional(),
    keepOnStop: z.boolean().describe('Leave own routes in place on a clean stop.').optional(),
    learn: z.array(learnSchema).describe('Foreign routes to learn, and no others.').optional(),
    scanTime: scanTimeSchema.describe('Seconds between full audits; 0 = only when needed.').optional(),
  })
  .describe('What is different for this family.');

export const kernelSchema = z.strictObject({
  install: z
    .boolean()
    .meta({ description: 'Program routes into the kernel; needs CAP_NET_ADMIN.', default: false })
    .optional(),
  table: tableSchema.meta({ description: 'Routing table.', default: 'main' }).optional(),
  metric: metricSchema.meta({ description: 'Metric of own routes.', default: 32 }).optional(),
  ecmp: ecmpSchema.meta({ description: 'Most next hops of a route.', default: 1 }).optional(),
  protocol: protocolSchema
    .meta({ description: 'Route protocol that marks own routes; no other program may use it.', default: 12 })
    .optional(),
  prefSource: z
    .union(
      [
        addressSchema,
        z.strictObject({
          ipv4: versionSchema('ipv4').describe('For IPv4 routes.').optional(),
          ipv6: versionSchema('ipv6').describe('For IPv6 routes.').optional(),
        }),
      ],
      { error: 'expected an address or { ipv4, ipv6 }' },
    )
    .describe('Preferred source address of installed routes.')
    .optional(),
  keepOnStop: z
    .boolean()
    .meta({ description: 'Leave own routes in place on a clean stop.', default: false })
    .optional(),
  learn: z
    .array(learnSchema)
    .describe('Foreign routes to learn; all of them with redistribute: [kernel] unless given.')
    .optional(),
  interfaces: interfacePatternsSchema
    .meta({
      description: 'Interface patterns in order, - excludes; the first that matches decides.',
      default: ['*'],
    })
    .optional(),
  export: policySchema
    .describe('Which routes are installed: accept, reject, a filter or its text; all unless given.')
    .optional(),
  nextHopTracking: z
    .boolean()
    .describe('Follow next hops through the kernel tables; as install unless given.')
    .optional(),
  scanTime: scanTimeSchema
    .meta({ description: 'Seconds between full audits of the kernel; 0 = only when needed.', default: 300 })
    .optional(),
  ipv4: familyKernelSchema.optional(),
  ipv6: familyKernelSchema.optional(),
});

export const networkSchema = z.union(
  [
    prefixSchema,
    z.strictObject({
      prefix: prefixSchema.describe('Prefix that is announced.'),
      type: z
        .enum(['none', 'blackhole', 'unreachable', 'prohibit', 'via'])
        .meta({ description: 'Kernel route that goes with it; via needs the key via.', default: 'none' })
        .optional(),
      via: z
        .union([addressSchema, z.array(addressSchema).min(1)], {
          error: 'expected an address or a list of them',
        })
        .describe('Next hops of a static route.')
        .optional(),
      bfd: flag('A next hop leads there only while BFD (RFC 5880) sees it.', false),
      med: z.int().min(0).max(LARGEST_UINT32).describe('MULTI_EXIT_DISC.').optional(),
      localPref: z.int().min(0).max(LARGEST_UINT32).describe('LOCAL_PREF.').optional(),
      communities: z
        .array(communitySchema)
        .meta({ description: 'Communities a:b, a:b:c or by name.', default: [] })
        .optional(),
    }),
  ],
  { error: 'expected a prefix or { prefix, ... }' },
);

const redistributeSourceSchema = z.enum(['kernel', 'connected', 'static']);
export const redistributeSchema = z.union(
  [
    redistributeSourceSchema,
    z.array(redistributeSourceSchema),
    z.strictObject({
      kernel: policySchema.describe('Which routes of other programs.').optional(),
      connected: policySchema.describe('Which prefixes of interfaces.').optional(),
      static: policySchema.describe('Which static routes of the kernel.').optional(),
    }),
  ],
  { error: 'expected kernel, connected, static, a list of them, or each with a filter' },
);

/** What the top level says of the main table. */
export const tableSectionSchema = z.strictObject({
  families: z
    .array(z.enum(IP_VERSIONS))
    .min(1)
    .meta({ description: 'What it holds.', default: IP_VERSIONS })
    .optional(),
  kernel: kernelSchema.describe('The kernel table that it is written to and learned from.').optional(),
  networks: z.array(networkSchema).meta({ description: 'Own prefixes in it.', default: [] }).optional(),
  redistribute: redistributeSchema.describe('Other routes of this host that come into it.').optional(),
});

export const decisionSchema = z.strictObject({
  alwaysCompareMed: flag('Compare MED between different neighbouring ASes too.', false),
  preferOldest: flag('Keep the current best of two equal eBGP routes (RFC 5004).', false),
  multipathRelax: flag('ECMP over different AS_PATHs of the same length, as BIRD does it.', true),
  ignoreAsPathLength: flag('Leave out the length of AS_PATH.', false),
  ignoreIgpMetric: flag('Leave out the IGP metric of next hops.', false),
  ignoreRouterId: flag('Leave out the router id.', false),
  aigp: flag('Compare AIGP where routes have it (RFC 7311).', true),
  defaultLocalPref: z
    .int()
    .min(0)
    .max(LARGEST_UINT32)
    .meta({ description: 'LOCAL_PREF of routes that have none.', default: 100 })
    .optional(),
  defaultMed: z
    .int()
    .min(0)
    .max(LARGEST_UINT32)
    .meta({ description: 'What a route without MED is compared as.', default: 0 })
    .optional(),
});

export const httpSchema = z.union(
  [
    endpointSchema(true),
    z.strictObject({
      listen: endpointSchema(true).describe('Address and port for metrics, health and the looking glass.'),
      maxPeerSeries: z
        .int()
        .min(0)
        .max(100_000)
        .meta({ description: 'Above so many peers, /metrics has no series for each.', default: 500 })
        .optional(),
    }),
  ],
  { error: 'expected "ADDRESS:PORT" or { listen, maxPeerSeries }' },
);

const levelSchema = z.enum(['debug', 'info', 'warn', 'error']);
export const logSchema = z.union(
  [
    levelSchema,
    z.strictObject({
      level: levelSchema
        .meta({ description: 'Least important level that is written.', default: 'info' })
        .optional(),
      format: z
        .enum(['auto', 'pretty', 'json'])
        .meta({ description: 'auto = pretty on a terminal, JSON elsewhere.', default: 'auto' })
        .optional(),
    }),
  ],
  { error: 'expected debug, info, warn, error or { level, format }' },
);

export const configSchema = z
  .strictObject({
    router: routerSchema.describe('This speaker.'),
    listen: z
      .array(listenSchema)
      .describe('Where sessions are taken; all addresses, port 179, unless given.')
      .optional(),
    kernel: kernelSchema.describe('The Linux kernel; nothing is installed unless asked for.').optional(),
    peerGroups: z.record(z.string(), peerGroupSchema).describe('Presets for peers, by name.').optional(),
    peers: z.array(peerSchema).describe('Configured peers.').optional(),
    dynamicPeers: z
      .array(dynamicPeersSchema)
      .describe('Ranges from which peers may come by themselves.')
      .optional(),
    networks: z.array(networkSchema).describe('Own prefixes to announce.').optional(),
    redistribute: redistributeSchema.describe('Which routes of this host to announce.').optional(),
    tables: z
      .record(tableNameSchema, tableSectionSchema)
      .describe('Routing tables beside the main one, by name.')
      .optional(),
    pipes: z.array(pipeSchema).describe('What tables give each other.').optional(),
    rpki: rpkiSchema.describe('RPKI: what origin validation and path validation lean on.').optional(),
    bmp: bmpSchema.describe('The BGP Monitoring Protocol (RFC 7854).').optional(),
    bfd: bfdSessionsSchema.describe('BFD (RFC 5880) beside that of peers.').optional(),
    definitions: definitionsSchema.optional(),
    filters: filtersSchema.optional(),
    tests: testsSchema.optional(),
    decision: decisionSchema.describe('How the best path is chosen.').optional(),
    control: controlSchema.describe('Control socket of the command line.').optional(),
    process: processSchema.describe('What the daemon is to the system.').optional(),
    http: httpSchema.describe('HTTP for metrics and health; off unless given.').optional(),
    log: logSchema.describe('What is logged.').optional(),
    journal: journalSchema.describe('The journal of events: sessions, configuration, kernel.').optional(),
    watchdog: watchdogSchema.describe('What happens when the event loop is stuck.').optional(),
    crash: crashSchema.describe('What a fault of godwit itself leaves behind.').optional(),
    mrt: mrtSchema.describe('MRT files of messages and states (RFC 6396).').optional(),
  })
  .meta({ title: 'godwit', description: 'Configuration of the BGP speaker godwit' });

export type ConfigInput = z.infer<typeof configSchema>;
export type TableInput = z.infer<typeof tableSectionSchema>;
export type NetworkInput = z.infer<typeof networkSchema>;
export type ListenInput = z.infer<typeof listenSchema>;
