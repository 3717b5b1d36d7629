// Filters of a BIRD configuration -> policies of the model: of BGP peers by channel, of the kernel, direct and static
// protocols by family. What is no more than accept or reject becomes that; everything else is the compiled filter.

import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';
import type { FilterUse } from '../../policy/ast.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import type { FamilyPolicy, LocalPolicies, Policy } from '../model.ts';
import { policyFor, policyOf, samePolicy } from '../policies.ts';
import type { BirdConfig, ChannelOptions, ProtocolConfig } from './config.ts';

type Direction = 'import' | 'export';

/** The policy that a use of a filter stands for; BIRD imports everything and exports nothing where nothing is said. */
export function filterPolicy(
  use: FilterUse | undefined,
  direction: Direction,
  program: PolicyProgram,
): FamilyPolicy {
  if (use === undefined) return direction === 'import' ? 'accept' : 'reject';
  const filter = program.use(use);
  // Its mistake is reported: nothing runs.
  return filter === undefined ? 'reject' : (filter.trivial ?? filter);
}

/** Both families of one protocol; the channels of a BGP peer have a policy each. */
export function channelPolicy(
  channels: ReadonlyMap<string, ChannelOptions>,
  direction: Direction,
  program: PolicyProgram,
): Policy {
  const found = IP_VERSIONS.flatMap((version) => {
    const channel = channels.get(version);
    return channel === undefined ? [] : [filterPolicy(channel[direction], direction, program)];
  });
  const [first = 'reject', second = first] = found;
  return policyOf(first, second);
}

/** Import of the kernel, direct and static protocols, and export to the kernel. */
export function localPolicies(config: BirdConfig, program: PolicyProgram): LocalPolicies {
  const enabled = config.protocols.filter((protocol) => protocol.common.disabled !== true);
  /** Of the first protocol of a family; nothing passes where none of them has it. */
  const of = (
    protocols: readonly ProtocolConfig[],
    direction: Direction,
    others: Policy = 'reject',
  ): Policy => {
    const [ipv4, ipv6] = IP_VERSIONS.map((version) => {
      return familyPolicy(config, protocols, version, direction, program) ?? policyFor(others, version);
    });
    return policyOf(ipv4!, ipv6!);
  };
  const ofKind = (kind: ProtocolConfig['kind']) => enabled.filter((protocol) => protocol.kind === kind);
  const learned = of(ofKind('kernel'), 'import');
  const networks = of(ofKind('static'), 'import');
  const connected = of(ofKind('direct'), 'import');
  const different = (kind: ProtocolConfig['kind'], first: Policy): [string, Policy][] =>
    ofKind(kind)
      .map((protocol): [string, Policy] => [protocol.name, of([protocol], 'import', first)])
      .filter(([, policy]) => !samePolicy(policy, first));
  const protocols = [...different('static', networks), ...different('direct', connected)];
  return {
    networks,
    kernel: learned,
    static: learned,
    connected,
    ...(protocols.length > 0 && { protocols: Object.fromEntries(protocols) }),
    install: of(ofKind('kernel'), 'export'),
  };
}

/** What the first of some protocols that has a family says of it. */
function familyPolicy(
  config: BirdConfig,
  protocols: readonly ProtocolConfig[],
  version: IpVersion,
  direction: Direction,
  program: PolicyProgram,
): FamilyPolicy | undefined {
  for (const protocol of protocols) {
    const channel = protocol.channels.get(version) ?? impliedChannel(config, protocol, version);
    if (channel !== undefined) return filterPolicy(channel[direction], direction, program);
  }
  return undefined;
}

/** A 1.6 protocol has its daemon's family, also where nothing is said of it. */
export function impliedChannel(
  config: BirdConfig,
  protocol: ProtocolConfig,
  version: IpVersion,
): ChannelOptions | undefined {
  return config.family === version ? { span: protocol.span } : undefined;
}
