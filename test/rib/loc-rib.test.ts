import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import type { RibPeer } from '../../src/rib/rib-peer.ts';
import { exportOptions, identity, importOptions, octets, RibLab } from './lab.ts';

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

describe('a prefix with one path or none', () => {
  const PREFIX = '192.0.2.0/24';

  function setup() {
    const lab = new RibLab();
    const { rib } = lab;
    const add = (name: string, id: number): RibPeer =>
      rib.addPeer(identity({ name, routerId: id, address: octets(`203.0.113.${id}`) }), importOptions());
    const table = rib.families[IPV4_UNICAST.id]!;
    return { lab, rib, table, locRib: table.locRib, one: add('one', 1), two: add('two', 2) };
  }

  it('is decided as it changes, and advertised once for all that happened to it', () => {
    const { lab, rib, locRib, table, one } = setup();
    const to = rib.addPeer(identity({ name: 'to' }), importOptions());
    const sink = lab.join(to, exportOptions());
    lab.settle();
    sink.log.length = 0;
    lab.announce(one, [PREFIX], { asPath: '1' });
    expect([locRib.size, locRib.bestPeer(1), locRib.dirtyCount]).toEqual([1, one.id, 0]);
    lab.withdraw(one, [PREFIX]);
    expect([locRib.size, locRib.bestPeer(1), locRib.dirtyCount]).toEqual([0, 0, 0]);
    lab.announce(one, [PREFIX], { asPath: '1' });
    lab.announce(one, [PREFIX], { asPath: '1 2' });
    expect(locRib.bestAttr(1)).toBe(table.paths.attrPost(locRib.bestRow(1)));
    lab.settle();
    expect(sink.log).toEqual([`+${PREFIX}`]);
  });

  it('waits with a second path, and until that has been decided, however many are left then', () => {
    const { lab, locRib, one, two } = setup();
    lab.announce(two, [PREFIX], { asPath: '1' });
    lab.announce(one, [PREFIX], { asPath: '1' });
    expect([locRib.bestPeer(1), locRib.dirtyCount]).toEqual([two.id, 1]);
    lab.withdraw(two, [PREFIX]);
    expect([locRib.bestPeer(1), locRib.dirtyCount]).toEqual([two.id, 1]);
    lab.settle();
    expect([locRib.bestPeer(1), locRib.dirtyCount]).toEqual([one.id, 0]);
  });

  it('waits where somebody wants to be told in the stage, as long as he listens', () => {
    const { lab, locRib, one } = setup();
    const told: boolean[] = [];
    const unlisten = locRib.addListener((_, bestChanged) => told.push(bestChanged));
    locRib.addListener(() => {}, 'anytime');
    lab.announce(one, [PREFIX], { asPath: '1' });
    expect([locRib.size, locRib.dirtyCount, told]).toEqual([0, 1, []]);
    lab.settle();
    expect([locRib.size, locRib.dirtyCount, told]).toEqual([1, 0, [true]]);
    unlisten();
    lab.withdraw(one, [PREFIX]);
    expect([locRib.size, locRib.dirtyCount, told]).toEqual([0, 0, [true]]);
  });

  it('waits while its family is deferred, also in a table that came meanwhile', () => {
    const { lab, rib, locRib, one } = setup();
    rib.defer(IPV4_UNICAST.id);
    const late = rib.addTable(IPV4_UNICAST);
    lab.announce(one, [PREFIX], { asPath: '1' });
    expect([locRib.size, locRib.dirtyCount, late.locRib.deferred]).toEqual([0, 1, true]);
    rib.release(IPV4_UNICAST.id);
    lab.settle();
    expect([locRib.size, late.locRib.deferred]).toEqual([1, false]);
    lab.withdraw(one, [PREFIX]);
    expect([locRib.size, locRib.dirtyCount]).toEqual([0, 0]);
  });
});
