import { expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { identity, importOptions, RibLab } from './lab.ts';

it('tells a listener nothing more once another has ended it, and leaves nobody else out', () => {
  const lab = new RibLab();
  const { locRib } = lab.rib.families[IPV4_UNICAST.id]!;
  const source = lab.rib.addPeer(identity({ name: 'source' }), importOptions());
  const told: string[] = [];
  const ends: (() => void)[] = [];
  const listen = (name: string, then = (): void => {}): void => {
    const listener = (): void => {
      told.push(name);
      then();
    };
    ends.push(locRib.addListener(listener));
  };
  listen('first', () => {
    for (const end of ends.splice(0, 2)) end();
    listen('late');
  });
  listen('second');
  listen('third');
  lab.announce(source, ['192.0.2.0/24'], { asPath: '1' });
  lab.settle();
  expect(told).toEqual(['first', 'third']);
  lab.announce(source, ['198.51.100.0/24'], { asPath: '1' });
  lab.settle();
  expect(told).toEqual(['first', 'third', 'third', 'late']);
});
