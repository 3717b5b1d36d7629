// The end of a speaker: what a clean stop leaves.

import { expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, type RigPeer, rig, rigInput } from './rig.ts';

const A = '10.0.0.2';
const P1 = '192.0.2.0/24';

it('a stop leaves no timer, and nothing to reload', async () => {
  const restarts: Capability = {
    kind: 'graceful-restart',
    restarting: false,
    notification: false,
    restartTime: 120,
    families: [{ afi: 1, safi: 1, forwarding: true }],
  };
  const peers: Record<string, RigPeer> = { [A]: { as: 65002, raw: { capabilities: [restarts] } } };
  const range = { dynamicPeers: [{ prefix: '10.0.16.0/20', asn: OWN_AS, limit: 5 }] };
  const { lab, speaker, peer } = await rig(
    peers,
    { kernel: { install: true }, ...range },
    simKernel(`eth0 ${OWN_ADDRESS}/20`),
  );
  const member = lab.raw('10.0.16.1', { as: OWN_AS, holdTime: 0, capabilities: [restarts] });
  await lab.connect(speaker, member);
  // Both are waited for.
  for (const raw of [peer(A), member]) {
    raw.announce([P1]);
    await lab.settle();
    raw.drop();
    await lab.settle();
  }
  expect(speaker.routes().map((route) => route.stale)).toEqual([true, true]);
  await speaker.stop();
  await expect(speaker.reload({ router: { asn: OWN_AS, id: OWN_ADDRESS } })).rejects.toThrow(
    'godwit is stopping',
  );
  await lab.run(10_000);
  expect(lab.clock.pending).toBe(0);
});

it('a stop that overtakes a reload has the last word', async () => {
  const kernel = simKernel(`eth0 ${OWN_ADDRESS}/20`);
  const { lab, speaker } = await rig({}, { kernel: { install: true } }, kernel);
  const session = kernel.session.bind(kernel);
  let read = (): void => {};
  kernel.session = () => {
    const user = session();
    const ready = new Promise<void>((resolve) => {
      read = resolve;
    });
    return { ...user, dumpLinks: () => ready.then(() => user.dumpLinks()) };
  };
  const reload = speaker.reload({
    ...rigInput({ [A]: { as: 65002, config: { passive: false } } }, { listen: [`${OWN_ADDRESS}:1179`] }),
    kernel: { install: true, metric: 60 },
    networks: [{ prefix: P1, type: 'blackhole' }],
  });
  const refused = expect(reload).rejects.toThrow('godwit is stopping');
  await lab.settle();
  const stopped = speaker.speaker.stop();
  await lab.run(500);
  read();
  await lab.run(10_000);
  await stopped;
  await refused;
  expect(lab.clock.pending).toBe(0);
  expect(kernel.routes().filter(({ protocol }) => protocol === 12)).toEqual([]);
});
