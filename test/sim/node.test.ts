// A machine whose processes come and go.

import { expect, it } from 'vitest';
import { World } from '../../src/sim/world.ts';

it('a process that was killed while it started is not in the way of the next one', async () => {
  const world = new World();
  const own = world.node('own', ['10.0.0.1'], {
    router: { asn: 64512, id: '10.0.0.1' },
    peers: [{ address: '10.0.0.2', asn: 64512, connectDelayTime: 0 }],
  });
  const other = world.node('other', ['10.0.0.2'], {
    router: { asn: 64512, id: '10.0.0.2' },
    peers: [{ address: '10.0.0.1', asn: 64512, passive: true }],
  });
  other.start();
  await world.settle();
  own.start();
  // What follows the promises of the start comes after this.
  own.kill();
  await world.settle();
  own.renew();
  own.start();
  await world.run(1000);
  expect(own.log.filter((line) => line.startsWith('error'))).toEqual([]);
  expect(own.states()).toEqual(['10.0.0.2 Established']);
});
