// The protocols that godwit reads, one row each: which dialect has it, its options and its channels. What must hold
// when its block has ended is checks.ts's.

import type { Dialect } from '../../policy/lexer.ts';
import { BFD_OPTIONS } from './bfd.ts';
import { BGP_OPTIONS } from './bgp.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { ChannelName, CommonOptions, ProtocolKind } from './config.ts';
import { DEVICE_OPTIONS, DIRECT_OPTIONS, KERNEL_OPTIONS } from './kernel.ts';
import { OptionTable, option, toggle } from './options.ts';
import { BMP_OPTIONS, MRT_OPTIONS, PIPE_OPTIONS, RPKI_OPTIONS } from './others.ts';
import type {
  BfdOptions,
  BmpOptions,
  DeviceOptions,
  DirectOptions,
  KernelOptions,
  MrtOptions,
  PipeOptions,
  RpkiOptions,
  StaticOptions,
} from './protocol-options.ts';
import { STATIC_OPTIONS } from './static.ts';
import { DEBUG_FLAGS, MRTDUMP_FLAGS } from './trace-flags.ts';

/** Of every protocol. */
export const COMMON_OPTIONS = new OptionTable<CommonOptions>([
  toggle('disabled', (disabled) => ({ disabled })),
  option('debug', (reader) => ({ debug: reader.flags(DEBUG_FLAGS, true) })),
  option('mrtdump', (reader) => ({ mrtdump: reader.flags(MRTDUMP_FLAGS, true) })),
  option('router id', (reader) => ({ routerId: reader.routerId() })),
  option('hostname', (reader) => ({ hostname: reader.text('the name of the host') }), '2.x'),
  option('description', (reader) => ({ description: reader.text('the description') })),
  option('restart time', (reader) => ({ restartTime: reader.time('restart time') }), '2.x'),
  option(
    'thread group',
    (reader) => ({ threadGroup: reader.tokens.expectSymbol('the name of the group').text }),
    '2.x',
  ),
  option('vrf', (reader) => ({
    vrf:
      reader.dialect === '2.x' && reader.tokens.takeWord('default')
        ? 'default'
        : { name: reader.text('the name of the VRF') },
  })),
]);

export interface OptionsByKind {
  readonly bgp: BgpOptions;
  readonly kernel: KernelOptions;
  readonly device: DeviceOptions;
  readonly direct: DirectOptions;
  readonly static: StaticOptions;
  readonly pipe: PipeOptions;
  readonly bfd: BfdOptions;
  readonly mrt: MrtOptions;
  readonly bmp: BmpOptions;
  readonly rpki: RpkiOptions;
}

export interface KindRow<Options> {
  readonly only: Dialect | undefined;
  readonly options: OptionTable<Options>;
  /** What a block without statements says. */
  readonly empty: () => Options;
  /** For templates whose lists grow in place. */
  readonly copy: (options: Options) => Options;
  /** Which channels it can have in 2.x. `itself`: it has a channel's statements without a channel. */
  readonly channels: readonly ChannelName[] | 'itself';
}

const same = <T>(options: T): T => options;
const UNICAST = ['ipv4', 'ipv6', 'ipv6 sadr'] as const;

export const KINDS: { readonly [K in ProtocolKind]: KindRow<OptionsByKind[K]> } = {
  bgp: {
    only: undefined,
    options: BGP_OPTIONS,
    empty: () => ({}),
    copy: same,
    channels: [
      'ipv4',
      'ipv6',
      'ipv4 multicast',
      'ipv6 multicast',
      'ipv4 mpls',
      'ipv6 mpls',
      'vpn4 mpls',
      'vpn6 mpls',
      'vpn4 multicast',
      'vpn6 multicast',
      'flow4',
      'flow6',
      'evpn',
      'mpls',
    ],
  },
  kernel: {
    only: undefined,
    options: KERNEL_OPTIONS,
    empty: () => ({}),
    copy: same,
    channels: [...UNICAST, 'mpls'],
  },
  device: {
    only: undefined,
    options: DEVICE_OPTIONS,
    empty: () => ({ interfaces: [], primary: [] }),
    copy: same,
    channels: [],
  },
  direct: {
    only: undefined,
    options: DIRECT_OPTIONS,
    empty: () => ({ interfaces: [] }),
    copy: same,
    channels: UNICAST,
  },
  static: {
    only: undefined,
    options: STATIC_OPTIONS,
    empty: () => ({ routes: [], igpTables: [] }),
    copy: (options) => ({ ...options, routes: [...options.routes] }),
    channels: [...UNICAST, 'vpn4', 'vpn6', 'roa4', 'roa6', 'flow4', 'flow6', 'mpls', 'eth', 'aspa'],
  },
  pipe: { only: undefined, options: PIPE_OPTIONS, empty: () => ({}), copy: same, channels: 'itself' },
  bfd: {
    only: undefined,
    options: BFD_OPTIONS,
    empty: () => ({ interfaces: [], neighbors: [] }),
    copy: same,
    channels: [],
  },
  mrt: { only: undefined, options: MRT_OPTIONS, empty: () => ({}), copy: same, channels: [] },
  bmp: { only: '2.x', options: BMP_OPTIONS, empty: () => ({}), copy: same, channels: [] },
  rpki: {
    only: '2.x',
    options: RPKI_OPTIONS,
    empty: () => ({}),
    copy: same,
    channels: ['roa4', 'roa6', 'aspa'],
  },
};

/** Protocols that BIRD has and godwit does not; their blocks are passed over. */
export const SKIPPED_KINDS: Readonly<Record<Dialect, readonly string[]>> = {
  '1.6': ['ospf', 'rip', 'radv'],
  '2.x': ['ospf', 'rip', 'babel', 'radv', 'perf', 'l3vpn', 'aggregator', 'bridge', 'evpn'],
};
