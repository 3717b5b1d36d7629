// Filters of a BIRD configuration -> policies of the model: of BGP peers by channel, of the kernel, direct and static
// protocols by family. What is no more than accept or reject becomes that; everything else is the compiled filter.

import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';
import type { FilterUse } from '../../policy/ast.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import type { FamilyPolicy, LocalPolicies, Policy } from '../model.ts';
import { policyOf, samePolicy } from '../policies.ts';
import type { BirdConfig, ChannelOptions, ProtocolConfig } from './config.ts';
import type { Unsaid } from './unsaid.ts';

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
export function localPolicies(config: BirdConfig, program: PolicyProgram, unsaid: Unsaid): LocalPolicies {
  const enabled = config.protocols.filter((protocol) => protocol.common.disabled !== true);
  const of = (kind: ProtocolConfig['kind'], direction: Direction): Policy => {
    const protocols = enabled.filter((protocol) => protocol.kind === kind);
    return policyOf(
      familyPolicy(config, protocols, 'ipv4', direction, program, unsaid),
      familyPolicy(config, protocols, 'ipv6', direction, program, unsaid),
    );
  };
  const learned = of('kernel', 'import');
  return {
    networks: of('static', 'import'),
    kernel: learned,
    static: learned,
    connected: of('direct', 'import'),
    install: of('kernel', 'export'),
  };
}

/** What protocols of one kind say of a family; nothing passes where none of them has it. */
function familyPolicy(
  config: BirdConfig,
  protocols: readonly ProtocolConfig[],
  version: IpVersion,
  direction: Direction,
  program: PolicyProgram,
  unsaid: Unsaid,
): FamilyPolicy {
  let found: FamilyPolicy | undefined;
  for (const protocol of protocols) {
    const channel = protocol.channels.get(version) ?? impliedChannel(config, protocol, version);
    if (channel === undefined) continue;
    const policy = filterPolicy(channel[direction], direction, program);
    if (found !== undefined && !samePolicy(found, policy)) {
      const sentence = `${direction} differs between ${protocol.kind} protocols; the first counts`;
      unsaid.say(sentence, channel.span, protocol.name);
    }
    found ??= policy;
  }
  return found ?? 'reject';
}

/** A 1.6 protocol has its daemon's family, also where nothing is said of it. */
export function impliedChannel(
  config: BirdConfig,
  protocol: ProtocolConfig,
  version: IpVersion,
): ChannelOptions | undefined {
  return config.family === version ? { span: protocol.span } : undefined;
}
