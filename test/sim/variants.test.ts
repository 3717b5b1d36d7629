import { expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { seededRandom } from '../../src/sim/random.ts';
import { drawChange } from '../../src/sim/variants.ts';

const ENOUGH = 500;
/** Seconds that routes are kept for a peer in simulated networks: the usual restart time. */
const LONGEST_KEPT_S = 120;

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

it('lets who exceeds a limit come back only after its routes are forgotten', () => {
  const config: ConfigInput = {
    router: { asn: 64601, id: '10.0.0.5' },
    peers: [{ address: '10.0.0.1', asn: 64512, errorWaitMin: 2, errorWaitMax: 15 }],
  };
  const limited = Array.from({ length: ENOUGH }, (_, seed) => drawChange(config, config, seededRandom(seed)))
    .flatMap(({ peers = [] }) => peers)
    .filter(({ maxPrefixes }) => typeof maxPrefixes === 'number');
  expect(limited.length).toBeGreaterThan(0);
  for (const { errorWaitMin = 0, errorWaitMax = 0 } of limited) {
    expect(errorWaitMin).toBeGreaterThan(LONGEST_KEPT_S);
    expect(errorWaitMax).toBe(errorWaitMin);
  }
});

it('gives no two machines the same identifier', () => {
  const drawn = (id: string): Set<string | undefined> => {
    const config: ConfigInput = { router: { asn: 64601, id } };
    const draws = Array.from({ length: ENOUGH }, (_, seed) => drawChange(config, config, seededRandom(seed)));
    return new Set(draws.map(({ router }) => router.id));
  };
  const [one, other] = [drawn('10.0.0.5'), drawn('10.0.0.6')];
  expect(one.size).toBeGreaterThan(2);
  expect([...one].filter((id) => other.has(id))).toEqual([]);
});
