// godwit and every other daemon on one network: eBGP and iBGP, IPv4 (with an MD5 key) and IPv6. Both sides' tables and
// the kernel's are asserted.

import { describe, expect, test } from 'vitest';
import type { DaemonName, DaemonSpec, LabFamily } from '../../bench/daemons/types.ts';
import {
  established,
  gatewaysOf,
  hasRoutes,
  labOfEachTest,
  type Node,
  peerTo,
  waitForKernel,
} from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const OWN_AS = 65000;
const PEER_AS = 65001;
const PASSWORD = 'lab-secret';
const OURS = { ipv4: '198.51.100.0/24', ipv6: '2001:db8:1::/48' };
const THEIRS = { ipv4: '203.0.113.0/24', ipv6: '2001:db8:2::/48' };
const FAMILIES: readonly LabFamily[] = ['ipv4', 'ipv6'];
/** They have no kernel routes: ExaBGP never, the others not without privileges that the lab does not give. */
const INSTALLS: ReadonlySet<DaemonName> = new Set(['bird', 'frr']);

const createLab = labOfEachTest();

interface Side {
  readonly self: Node;
  readonly other: Node;
  readonly asn: number;
  readonly otherAs: number;
  readonly networks: Record<LabFamily, string>;
  readonly kernel: boolean;
}

function spec({ self, other, asn, otherAs, networks, kernel }: Side): DaemonSpec {
  return {
    asn,
    routerId: self.ipv4,
    peers: [
      peerTo(self, other, otherAs, 'ipv4', { password: PASSWORD }),
      peerTo(self, other, otherAs, 'ipv6'),
    ],
    networks: Object.values(networks),
    kernel,
  };
}

const PEERS: readonly DaemonName[] = ['bird', 'frr', 'gobgp', 'openbgpd', 'exabgp'];
const CASES = PEERS.flatMap((kind) => [
  { kind, type: 'eBGP', peerAs: PEER_AS },
  { kind, type: 'iBGP', peerAs: OWN_AS },
]);

describe.each(CASES)('$type with $kind', async ({ kind, type, peerAs }) => {
  const { skip } = await labRequirement(['godwit', kind]);

  test.skipIf(skip)('exchanges routes of both families and installs them', async () => {
    const lab = await createLab(`p${kind.slice(0, 3)}${type[0]}`, ['own', 'peer']);
    const [own, peer] = [lab.node(0), lab.node(1)];
    const ours = await lab.start(
      'godwit',
      own,
      spec({ self: own, other: peer, asn: OWN_AS, otherAs: peerAs, networks: OURS, kernel: true }),
    );
    const theirs = await lab.start(
      kind,
      peer,
      spec({
        self: peer,
        other: own,
        asn: peerAs,
        otherAs: OWN_AS,
        networks: THEIRS,
        kernel: INSTALLS.has(kind),
      }),
    );
    await established(ours, theirs);

    const internal = type === 'iBGP';
    for (const family of FAMILIES) {
      const both = [OURS[family], THEIRS[family]];
      const received = (await hasRoutes(ours, family, both)).get(THEIRS[family])!;
      expect(received).toMatchObject({ asPath: internal ? '' : String(peerAs), nextHop: peer[family] });

      const sent = (await hasRoutes(theirs, family, kind === 'exabgp' ? [OURS[family]] : both)).get(
        OURS[family],
      )!;
      expect(sent).toMatchObject({ asPath: internal ? '' : String(OWN_AS), nextHop: own[family] });
      if (internal) expect([received.localPref, sent.localPref]).toEqual([100, 100]);

      const programmed = await waitForKernel(own, family, THEIRS[family]);
      expect(programmed?.protocol).toBe('bird');
      expect(await gatewaysOf(peer, family)).toContain(programmed?.gateway);
      if (INSTALLS.has(kind)) {
        const installed = await waitForKernel(peer, family, OURS[family]);
        expect(await gatewaysOf(own, family)).toContain(installed?.gateway);
      }
    }
  });
});

describe('a withdrawn route', async () => {
  const { skip } = await labRequirement(['godwit', 'gobgp', 'bird']);

  test.skipIf(skip)('leaves the tables of both neighbours and the kernel', async () => {
    const lab = await createLab('pwdraw', ['first', 'own', 'last']);
    const [first, own, last] = [lab.node(0), lab.node(1), lab.node(2)];
    const source = await lab.start('gobgp', first, {
      asn: PEER_AS,
      routerId: first.ipv4,
      peers: [peerTo(first, own, OWN_AS, 'ipv4')],
      networks: [THEIRS.ipv4],
      kernel: false,
    });
    const ours = await lab.start('godwit', own, {
      asn: OWN_AS,
      routerId: own.ipv4,
      peers: [peerTo(own, first, PEER_AS, 'ipv4'), peerTo(own, last, PEER_AS + 1, 'ipv4')],
      networks: [],
      kernel: true,
    });
    const sink = await lab.start('bird', last, {
      asn: PEER_AS + 1,
      routerId: last.ipv4,
      peers: [peerTo(last, own, OWN_AS, 'ipv4')],
      networks: [],
      kernel: false,
    });
    await established(source, ours, sink);
    const passedOn = (await hasRoutes(sink, 'ipv4', [THEIRS.ipv4])).get(THEIRS.ipv4)!;
    // On a shared network the first router stays the next hop (RFC 4271 §5.1.3).
    expect(passedOn.asPath).toBe(`${OWN_AS} ${PEER_AS}`);
    await waitForKernel(own, 'ipv4', THEIRS.ipv4);

    await first.namespace.run(['gobgp', 'global', 'rib', 'del', THEIRS.ipv4]);
    await hasRoutes(ours, 'ipv4', []);
    await hasRoutes(sink, 'ipv4', []);
    await waitForKernel(own, 'ipv4', THEIRS.ipv4, 'absent');
  });
});
