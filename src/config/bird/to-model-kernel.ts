// Kernel and direct protocols -> the kernel section of the model, with what is different for a family. godwit looks at
// link states in any case, so `check link` asks for nothing more.

import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';
import type { Span } from '../../policy/source.ts';
import type {
  DirectConfig,
  KernelConfig,
  KernelFamilyConfig,
  LearnedAs,
  LocalPolicies,
  Policy,
  RedistributeSource,
} from '../model.ts';
import { kernelLearns, MAIN_KERNEL_TABLE } from '../model.ts';
import { sameValue } from '../peer-changes.ts';
import { policyFor, samePolicy } from '../policies.ts';
import type { BirdConfig, ProtocolConfig } from './config.ts';
import { DEFAULT_METRIC, DEFAULT_SCAN_TIME } from './defaults.ts';
import { patternTexts } from './patterns.ts';
import type { KernelOptions } from './protocol-options.ts';
import { impliedChannel } from './to-model-policy.ts';
import type { Unsaid } from './unsaid.ts';

type Kernel = Extract<ProtocolConfig, { kind: 'kernel' }>;

/** rtm_protocol numbers: BIRD's own, and that of what the kernel makes by itself. */
const ROUTE_PROTOCOL = 12;
const RTPROT_KERNEL = 2;

const KERNEL_HANDLED = new Set([
  'learn',
  'persist',
  'scanTime',
  'table',
  'metric',
  'mergePaths',
  'deviceRoutes',
  'rxBuffer',
  // Own routes that are there at the start are taken over without a gap in any case.
  'gracefulRestart',
]);

/** What notifications have in any case, in octets (src/fib/netlink). */
const NOTIFICATION_BUFFER = 64 * 1024 * 1024;

const NOTHING: ReadonlySet<string> = new Set();

/** Attributes that filters may set without any effect on the kernel's routes. */
export const UNWRITTEN_ATTRIBUTES: readonly string[] = ['krt_source', 'krt_congctl'];

/** What the export filters set and the kernel's routes will not have. */
function reportAttributes(install: Policy, kernels: readonly Kernel[], unsaid: Unsaid): void {
  const [first] = kernels;
  if (first === undefined) return;
  for (const filter of [policyFor(install, 'ipv4'), policyFor(install, 'ipv6')]) {
    if (typeof filter === 'string') continue;
    for (const { name } of filter.facts.writes) {
      if (UNWRITTEN_ATTRIBUTES.includes(name)) unsaid.add(name, first.span, first.name);
    }
  }
}

/** One kernel protocol a family in BIRD, one kernel section here, which says what is different for a family. */
export function kernelOf(config: BirdConfig, policies: LocalPolicies, unsaid: Unsaid): KernelConfig {
  const kernels = config.protocols.filter(
    (each): each is Kernel => each.kind === 'kernel' && each.common.disabled !== true,
  );
  // What nothing can pass is not opened.
  const install = !samePolicy(policies.install, 'reject');
  reportAttributes(policies.install, kernels, unsaid);
  const families = familiesOf(config, kernels);
  const sections = new Map(
    families.map((version) => {
      const own = kernels.find(({ channels }) => channels.has(version) || config.family === version);
      const learning = policyFor(policies.kernel, version) !== 'reject';
      return [version, familySection(config, own?.options ?? {}, learning)];
    }),
  );
  for (const kernel of kernels) {
    const spanOf = (key: string): Span => kernel.spans.get(key) ?? kernel.span;
    unsaid.addOptions(kernel.options, KERNEL_HANDLED, spanOf, kernel.name);
    if ((kernel.options.rxBuffer ?? 0) > NOTIFICATION_BUFFER) {
      const sentence = `netlink rx buffer is ${NOTIFICATION_BUFFER} in any case`;
      unsaid.say(sentence, spanOf('rxBuffer'), kernel.name);
    }
    for (const channel of kernel.channels.values()) {
      const { span, import: _in, export: _out, preference: _kept, table: _attached, ...others } = channel;
      unsaid.addOptions(others, NOTHING, () => span, kernel.name);
    }
  }
  const [first = familySection(config, {}, false), ...others] = sections.values();
  const differing = others.some((section) => !sameValue(section, first));
  return {
    install,
    families,
    ...first,
    ...(differing && Object.fromEntries(sections)),
    protocol: ROUTE_PROTOCOL,
    prefSource: { ipv4: undefined, ipv6: undefined },
    interfaces: ['*'],
    direct: directsOf(config),
    ...(kernels.some(({ options }) => options.deviceRoutes) && { deviceRoutes: true }),
    nextHopTracking: install,
    learnedAs: learnedAs(config, kernels),
  };
}

function familySection(
  { dialect }: BirdConfig,
  { table, metric, mergePaths = 1, persist = false, learn, scanTime }: KernelOptions,
  learning: boolean,
): KernelFamilyConfig {
  return {
    table: table ?? MAIN_KERNEL_TABLE,
    metric: metric ?? (dialect === '1.6' ? 0 : DEFAULT_METRIC),
    ecmp: Math.max(1, mergePaths),
    keepOnStop: persist,
    learn: learning ? learnRules(learn) : [],
    scanTime: scanTime ?? DEFAULT_SCAN_TIME,
  };
}

/** BIRD 1.6 has a daemon a family: the routes of the other one are the other daemon's. */
function familiesOf({ family }: BirdConfig, kernels: readonly Kernel[]): readonly IpVersion[] {
  if (family !== undefined) return [family];
  return IP_VERSIONS.filter((each) => kernels.some(({ channels }) => channels.has(each)));
}

/** What routes of some protocols, of which the first of a family counts, are given. */
function learnedAs(
  config: BirdConfig,
  protocols: readonly ProtocolConfig[],
): Partial<Record<IpVersion, LearnedAs>> {
  const found: Partial<Record<IpVersion, LearnedAs>> = {};
  for (const version of IP_VERSIONS) {
    for (const protocol of protocols) {
      const channel = protocol.channels.get(version) ?? impliedChannel(config, protocol, version);
      if (channel === undefined || found[version] !== undefined) continue;
      const { preference } = channel;
      found[version] = { protocol: protocol.name, ...(preference !== undefined && { preference }) };
    }
  }
  return found;
}

/** `learn` leaves out what the kernel makes by itself, `learn all` does not. */
function learnRules(learn: KernelOptions['learn']): KernelFamilyConfig['learn'] {
  if (learn !== 'on' && learn !== 'all') return [];
  const others = { protocol: undefined, table: undefined };
  return learn === 'all' ? [others, { protocol: RTPROT_KERNEL, table: undefined }] : [others];
}

function directsOf(config: BirdConfig): readonly DirectConfig[] {
  return config.protocols.flatMap((direct): DirectConfig[] => {
    if (direct.kind !== 'direct' || direct.common.disabled) return [];
    const interfaces = patternTexts(direct.options.interfaces.flat());
    return [{ interfaces, as: learnedAs(config, [direct]) }];
  });
}

/** What is announced beside own networks. */
export function redistributed(config: BirdConfig, kernel: KernelConfig): readonly RedistributeSource[] {
  const enabled = config.protocols.filter((protocol) => protocol.common.disabled !== true);
  const sources: RedistributeSource[] = [];
  // BIRD does not tell apart who has put a route into the kernel.
  if (kernelLearns(kernel)) sources.push('kernel', 'static');
  if (enabled.some((each) => each.kind === 'direct')) sources.push('connected');
  return sources;
}
