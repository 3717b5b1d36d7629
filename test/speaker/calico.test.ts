// A node of a Kubernetes cluster with the very files that Calico renders: what it announces, what it programs and what it
// keeps to itself is decided by their filters.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatAddress, formatPrefix, parsePrefix } from '../../src/lib/ip.ts';
import { SimLab, simKernel } from '../support/sim-lab.ts';

const GOLDEN = new URL('../../../shared/data/calico-golden/v3.32.1/compiled_templates/', import.meta.url)
  .pathname;
const NODE = join(GOLDEN, 'mesh/static-routes/bird.cfg');
const OWN = '10.192.0.2';
const MESH = '10.192.0.3';
const OTHER = '10.192.0.4';
const TUNNEL = 77;
const WORKLOAD = 78;
/** Of routes that the node's agent programs. */
const FELIX = 80;
/** LOCAL_PREF of a route of normal and of elevated priority. */
const NORMAL = 2147483647 - 1024;
const ELEVATED = 2147483647 - 512;

/** The file with what it includes. */
function whole(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/^include "(.*)";$/gm, (_, name: string) =>
    readFileSync(join(dirname(path), name), 'utf8'),
  );
}

async function node() {
  const kernel = simKernel(`eth0 ${OWN}/24`);
  kernel.setLink({ ifindex: TUNNEL, name: 'tunl0', up: true, loopback: false, mtu: 1480 });
  kernel.setLink({ ifindex: WORKLOAD, name: 'cali123', up: true, loopback: false, mtu: 1480 });
  for (const [prefix, metric] of [
    ['192.168.221.65/32', 1024],
    ['192.168.221.66/32', 512],
    ['192.168.77.7/32', 0],
    ['203.0.113.0/24', 0],
  ] as const) {
    kernel.addRoute({
      prefix: parsePrefix(prefix)!,
      table: 254,
      metric,
      protocol: FELIX,
      type: 'unicast',
      nextHops: [{ ifindex: WORKLOAD }],
    });
  }
  const lab = new SimLab();
  const speaker = lab.speaker('node', [OWN], whole(NODE), { kernel });
  await lab.start();
  const peers = [MESH, OTHER].map((address) => lab.raw(address, { as: 64512, holdTime: 0, addPath: 3 }));
  await lab.connect(speaker, ...peers);
  const own = () =>
    kernel
      .routes()
      .filter(({ protocol }) => protocol === 12)
      .map(({ prefix, type, metric, nextHops }) => {
        const hops = nextHops.map(({ gateway, ifindex, onlink }) => {
          return `via ${gateway && formatAddress(gateway)} dev ${ifindex}${onlink === true ? ' onlink' : ''}`;
        });
        return [formatPrefix(prefix), type, ...hops, `metric ${metric}`].join(' ');
      })
      .sort();
  return { lab, speaker, mesh: peers[0]!, other: peers[1]!, own };
}

describe.skipIf(!existsSync(NODE))(
  'a Calico node (skipped where ../shared/data/calico-golden is absent)',
  () => {
    it('announces its blocks, workloads of elevated priority and borrowed addresses, nothing beneath', async () => {
      const { mesh, other, speaker } = await node();
      const sent = [...mesh.table].map(
        ([path, { attributes }]) => `${path.split(' ')[0]} ${attributes.localPref}`,
      );
      expect(sent.sort()).toEqual(
        [
          `10.0.0.0/30 ${NORMAL}`,
          `10.1.0.0/24 ${NORMAL}`,
          // Service addresses, announced but not installed.
          `10.101.0.0/16 ${NORMAL}`,
          `10.101.0.101/32 ${NORMAL}`,
          `80.15.0.0/24 ${NORMAL}`,
          `192.168.221.192/26 ${NORMAL}`,
          `192.168.221.64/26 ${NORMAL}`,
          `192.168.221.66/32 ${ELEVATED}`,
          // No metric is the highest priority.
          '192.168.77.7/32 2147483647',
        ].sort(),
      );
      expect(other.table.size).toBe(mesh.table.size);
      expect(speaker.log.filter((line) => line.startsWith('warn'))).toEqual([]);
    });

    it('programs routes of the pool through the tunnel, with the metric that LOCAL_PREF says', async () => {
      const { lab, mesh, own } = await node();
      const blackholes = ['10.0.0.0/30', '10.1.0.0/24', '192.168.221.192/26', '192.168.221.64/26'].map(
        (prefix) => `${prefix} blackhole metric 0`,
      );
      expect(own()).toEqual([...blackholes].sort());
      mesh.announce(['192.168.50.0/26 #1'], { asPath: '', localPref: NORMAL });
      mesh.announce(['192.168.50.9/32 #1'], { asPath: '', localPref: ELEVATED });
      mesh.announce(['172.20.0.0/16 #1'], { asPath: '', localPref: NORMAL });
      await lab.settle();
      expect(own()).toEqual(
        [
          ...blackholes,
          `172.20.0.0/16 unicast via ${MESH} dev 2 metric 1024`,
          `192.168.50.0/26 unicast via ${MESH} dev ${TUNNEL} onlink metric 1024`,
          `192.168.50.9/32 unicast via ${MESH} dev ${TUNNEL} onlink metric 512`,
        ].sort(),
      );
    });

    it('prefers an elevated route to what it has of its own', async () => {
      const { lab, mesh, speaker } = await node();
      const best = () =>
        speaker.routes({ bestOnly: true, prefix: '192.168.77.7/32' }).map(({ peer }) => peer);
      expect(best()).toEqual(['kernel']);
      mesh.announce(['192.168.77.7/32 #1'], { asPath: '', localPref: NORMAL });
      await lab.settle();
      // BGP 100 beats what is learned from the kernel, 10.
      expect(best()).toEqual(['Mesh_10_192_0_3']);
    });
  },
);
