// What the kernel shows while godwit lives, is tampered with, dies and comes back: a deleted route returns, and neither
// SIGKILL nor the restart takes a route away even for a moment.

import { describe, expect, test } from 'vitest';
import type { DaemonSpec } from '../../bench/daemons/types.ts';
import { waitFor } from '../../bench/lab/command.ts';
import {
  established,
  hasRoutes,
  labOfEachTest,
  type Node,
  peerTo,
  waitForKernel,
} from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const NETWORKS = ['203.0.113.0/24', '198.51.100.0/24'];
const NETWORKS6 = ['2001:db8:2::/48'];

const createLab = labOfEachTest();

function ownSpec(own: Node, peer: Node): DaemonSpec {
  return {
    asn: 65000,
    routerId: own.ipv4,
    peers: [peerTo(own, peer, 65001, 'ipv4'), peerTo(own, peer, 65001, 'ipv6')],
    networks: [],
    kernel: true,
  };
}

function peerSpec(own: Node, peer: Node, networks: readonly string[]): DaemonSpec {
  return {
    asn: 65001,
    routerId: peer.ipv4,
    peers: [peerTo(peer, own, 65000, 'ipv4'), peerTo(peer, own, 65000, 'ipv6')],
    networks,
    kernel: false,
  };
}

describe('kernel routes', async () => {
  const { skip } = await labRequirement(['godwit', 'bird']);

  test.skipIf(skip)('come back when somebody deletes them', async () => {
    const lab = await createLab('kdel', ['own', 'peer']);
    const [own, peer] = [lab.node(0), lab.node(1)];
    const ours = await lab.start('godwit', own, ownSpec(own, peer));
    const theirs = await lab.start('bird', peer, peerSpec(own, peer, [...NETWORKS, ...NETWORKS6]));
    await established(ours, theirs);
    for (const prefix of NETWORKS) {
      await waitForKernel(own, 'ipv4', prefix);
      await own.namespace.ip('route', 'del', prefix, 'proto', 'bird');
      expect(await waitForKernel(own, 'ipv4', prefix)).toMatchObject({
        gateway: peer.ipv4,
        protocol: 'bird',
      });
    }
    await waitForKernel(own, 'ipv6', NETWORKS6[0]!);
    await own.namespace.ip('-6', 'route', 'del', NETWORKS6[0]!, 'proto', 'bird');
    expect(await waitForKernel(own, 'ipv6', NETWORKS6[0]!)).toMatchObject({ gateway: peer.ipv6 });
  });

  test.skipIf(skip)(
    'stay through SIGKILL and restart, and a route that is gone meanwhile is removed',
    async () => {
      const lab = await createLab('kkill', ['own', 'peer']);
      const [own, peer] = [lab.node(0), lab.node(1)];
      const first = await lab.start('godwit', own, ownSpec(own, peer));
      const before = await lab.start('bird', peer, peerSpec(own, peer, [...NETWORKS, ...NETWORKS6]));
      await established(first, before);
      for (const prefix of NETWORKS) await waitForKernel(own, 'ipv4', prefix);
      await waitForKernel(own, 'ipv6', NETWORKS6[0]!);

      const watch = await lab.watch(own);
      const [process] = first.processes;
      await process!.kill();
      for (const prefix of NETWORKS) await waitForKernel(own, 'ipv4', prefix);

      // One of the routes disappears while nobody looks.
      const [kept, gone] = NETWORKS;
      await before.stop();
      const after = await lab.start('bird', peer, peerSpec(own, peer, [kept!, ...NETWORKS6]));
      const second = await lab.start('godwit', own, ownSpec(own, peer));
      await established(second, after);
      await hasRoutes(second, 'ipv4', [kept!]);
      await waitForKernel(own, 'ipv4', gone!, 'absent');
      expect(await waitForKernel(own, 'ipv4', kept!)).toMatchObject({ gateway: peer.ipv4, protocol: 'bird' });
      expect(await waitForKernel(own, 'ipv6', NETWORKS6[0]!)).toMatchObject({ gateway: peer.ipv6 });
      await waitFor('the monitor saw the removal', async () =>
        watch.deletions.some((line) => line.includes(gone!)),
      );
      expect(watch.deletions.filter((line) => !line.includes(gone!.replace('/24', '')))).toEqual([]);
    },
  );

  test.skipIf(skip)('leave the kernel on a clean stop', async () => {
    const lab = await createLab('kstop', ['own', 'peer']);
    const [own, peer] = [lab.node(0), lab.node(1)];
    const ours = await lab.start('godwit', own, ownSpec(own, peer));
    const theirs = await lab.start('bird', peer, peerSpec(own, peer, NETWORKS));
    await established(ours, theirs);
    for (const prefix of NETWORKS) await waitForKernel(own, 'ipv4', prefix);
    await own.namespace.ip('route', 'add', 'blackhole', '192.0.2.0/24', 'proto', 'static');
    await ours.stop();
    for (const prefix of NETWORKS) await waitForKernel(own, 'ipv4', prefix, 'absent');
    expect(await waitForKernel(own, 'ipv4', '192.0.2.0/24')).toMatchObject({ type: 'blackhole' });
  });
});
