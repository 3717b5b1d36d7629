// The link of a directly connected peer goes down on the real kernel: the session ends with it and is back with it,
// long before any timer of BGP.

import { describe, expect, test } from 'vitest';
import type { GodwitDaemon } from '../../bench/daemons/godwit.ts';
import type { DaemonSpec } from '../../bench/daemons/types.ts';
import { waitFor } from '../../bench/lab/command.ts';
import type { PeerView } from '../../src/speaker/api.ts';
import { established, hasRoutes, LAB_DEVICE, labOfEachTest, peerTo } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const OWN_AS = 65000;
const PEER_AS = 65001;
const THEIRS = '203.0.113.0/24';
/** Of a hold time of 90 s. */
const SOON_MS = 10_000;

const createLab = labOfEachTest();

describe('fast fall-over', async () => {
  const { skip } = await labRequirement(['godwit', 'bird']);

  test.skipIf(skip)('ends the session with the link, and dials when it is back', async () => {
    const lab = await createLab('ffall', ['own', 'peer']);
    const [own, peer] = [lab.node(0), lab.node(1)];
    const spec: DaemonSpec = {
      asn: OWN_AS,
      routerId: own.ipv4,
      peers: [peerTo(own, peer, PEER_AS, 'ipv4')],
      networks: [],
      kernel: true,
    };
    const ours = (await lab.start('godwit', own, spec)) as GodwitDaemon;
    const theirs = await lab.start('bird', peer, {
      asn: PEER_AS,
      routerId: peer.ipv4,
      peers: [peerTo(peer, own, OWN_AS, 'ipv4')],
      networks: [THEIRS],
      kernel: false,
    });
    await established(ours, theirs);
    await hasRoutes(ours, 'ipv4', [THEIRS]);

    await own.namespace.ip('link', 'set', LAB_DEVICE, 'down');
    const [fallen] = await waitFor(
      'the session falls',
      async () => {
        const peers = await ours.list<PeerView>('show', 'peers');
        return peers[0]?.state !== 'Established' && peers;
      },
      SOON_MS,
    );
    expect(fallen?.lastError).toContain(`the link to the peer is down (${LAB_DEVICE})`);
    await hasRoutes(ours, 'ipv4', []);

    await own.namespace.ip('link', 'set', LAB_DEVICE, 'up');
    await established(ours, theirs);
    await hasRoutes(ours, 'ipv4', [THEIRS]);
  });
});
