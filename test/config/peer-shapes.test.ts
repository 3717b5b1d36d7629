// A thousand peers are a thousand objects of some forty fields: of one hidden class, or of one each, at 2 kB.

import { setFlagsFromString } from 'node:v8';
import { expect, it } from 'vitest';
import { model } from './bird/support.ts';
import { config as read } from './support.ts';

setFlagsFromString('--allow-natives-syntax');
const haveSameMap: (a: object, b: object) => boolean = new Function(
  'a',
  'b',
  'return %HaveSameMap(a, b)',
).bind(undefined);
/** Enough for V8 to have settled on what it sees. */
const PEERS = 50;

const numbers = Array.from({ length: PEERS }, (_, i) => i + 1);

function kinds(objects: readonly object[]): number {
  const seen: object[] = [];
  for (const each of objects) if (!seen.some((other) => haveSameMap(other, each))) seen.push(each);
  return seen.length;
}

it('peers of the own language share a hidden class', () => {
  const peers = numbers.map((i) => ({ address: `10.0.1.${i}`, asn: 64512, routeReflectorClient: true }));
  const dynamicPeers = numbers.map((i) => ({ prefix: `10.1.${i}.0/24`, asn: 64512 }));
  const config = read(JSON.stringify({ router: { asn: 64512, id: '10.0.0.1' }, peers, dynamicPeers }));
  expect([kinds(config.peers), kinds(config.dynamicPeers)]).toEqual([1, 1]);
});

it("peers of BIRD's language do", () => {
  const protocols = numbers.map(
    (i) => `protocol bgp p${i} { local as 64512; neighbor 10.0.1.${i} as 64512; ipv4 { export all; }; }`,
  );
  const { config } = model(`router id 10.0.0.1; ${protocols.join('\n')}`);
  expect(config.peers).toHaveLength(PEERS);
  expect(kinds(config.peers)).toBe(1);
});
