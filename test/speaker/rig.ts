// One speaker (AS 65000, 10.0.0.1) with scripted peers around it: most tests of a speaker's behaviour want nothing else.

import type { ConfigInput } from '../../src/config/schema.ts';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import type { MemNetworkOptions } from '../../src/sim/network.ts';
import type { RawPeer, RawPeerOptions } from '../support/raw-peer.ts';
import { SimLab, type SimSpeaker } from '../support/sim-lab.ts';

type PeerInput = NonNullable<ConfigInput['peers']>[number];

export const OWN_AS = 65000;
export const OWN_ADDRESS = '10.0.0.1';
export const OWN_ADDRESS_V6 = '2001:db8::1';
export const OWN_LINK_LOCAL = 'fe80::1';

export interface RigPeer {
  readonly as: number;
  /** What the speaker's configuration says of the peer, beside address, AS and, for eBGP, policy. */
  readonly config?: Partial<PeerInput>;
  readonly raw?: Partial<RawPeerOptions>;
}

export interface Rig {
  readonly lab: SimLab;
  readonly speaker: SimSpeaker;
  /** The scripted peer with this address. */
  peer(address: string): RawPeer;
  /** All peers in the order given. */
  readonly peers: readonly RawPeer[];
}

/** What the speaker's configuration says of a peer. */
export function peerInput(address: string, { as, config }: RigPeer): PeerInput {
  const policy = as === OWN_AS ? {} : ({ import: 'accept', export: 'accept' } as const);
  return { address, asn: as, passive: true, ...policy, ...config };
}

/** The speaker's configuration with these peers. */
export function rigInput(
  peers: Readonly<Record<string, RigPeer>>,
  more: Partial<ConfigInput> = {},
): ConfigInput {
  return {
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    peers: Object.entries(peers).map(([address, peer]) => peerInput(address, peer)),
    ...more,
  };
}

/** Starts the speaker and brings all sessions up; what was heard until then is forgotten. */
export async function rig(
  peers: Readonly<Record<string, RigPeer>>,
  more: Partial<ConfigInput> = {},
  kernel?: MemKernel,
  network: MemNetworkOptions = {},
): Promise<Rig> {
  const lab = new SimLab({ network });
  const speaker = lab.speaker(
    'godwit',
    [OWN_ADDRESS, OWN_ADDRESS_V6, OWN_LINK_LOCAL],
    rigInput(peers, more),
    kernel === undefined ? {} : { kernel },
  );
  await lab.start();
  const raws = Object.entries(peers).map(([address, { as, raw }]) => {
    // Scripted peers send no KEEPALIVEs.
    return lab.raw(address, { as, holdTime: 0, ...raw });
  });
  await lab.connect(speaker, ...raws);
  for (const raw of raws) raw.clear();
  return {
    lab,
    speaker,
    peers: raws,
    peer(address) {
      const found = raws.find((raw) => raw.address === address);
      if (found === undefined) throw new Error(`the rig has no peer ${address}`);
      return found;
    },
  };
}
