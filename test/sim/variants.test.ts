import { expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { seededRandom } from '../../src/sim/random.ts';
import { drawChange } from '../../src/sim/variants.ts';

const ENOUGH = 500;

it('takes no peer away that a range would take for one of its own AS', () => {
  const config: ConfigInput = {
    router: { asn: 64601, id: '10.0.0.5' },
    peers: [
      { address: '10.0.0.1', asn: 64512 },
      { address: '10.0.0.6', asn: 64601 },
    ],
    dynamicPeers: [{ prefix: '10.0.0.0/16', asn: 64601 }],
  };
  const left = Array.from({ length: ENOUGH }, (_, seed) => {
    const { peers } = drawChange(config, config, seededRandom(seed));
    return (peers ?? []).map(({ address }) => address).join(' ');
  });
  expect([...new Set(left)].sort()).toEqual(['10.0.0.1', '10.0.0.1 10.0.0.6']);
});
