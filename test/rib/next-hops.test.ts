import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAIN_DOMAIN, NextHopTable } from '../../src/rib/next-hops.ts';
import { octets } from './lab.ts';

const wires = ['192.0.2.1', '192.0.2.2', '2001:db8::1', 'fe80::1', 'fe80::2'].map(octets);
const pair = Uint8Array.of(...octets('2001:db8::1'), ...octets('fe80::1'));
const nextHop = fc.record({
  wire: fc.constantFrom(...wires, pair),
  zone: fc.constantFrom(undefined, 'eth0', 'eth1', ''),
  lead: fc.constantFrom('global' as const, 'link-local' as const, 'onlink' as const),
  fallback: fc.constantFrom(undefined, ...wires.slice(0, 3)),
});

describe('NextHopTable', () => {
  it('does what a Map with counted references does, and tells of first and last uses', () => {
    const step = fc.record({ nextHop, release: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 60 }), (steps, trackFrom) => {
        const table = new NextHopTable();
        const model = new Map<string, { id: number; refs: number }>();
        const told = new Set<number>();
        for (const [i, { nextHop: each, release }] of steps.entries()) {
          if (i === trackFrom) {
            table.track({
              onAdded: ({ id }) => expect(told.has(id) || told.add(id) !== told).toBe(false),
              onRemoved: ({ id }) => expect(told.delete(id)).toBe(true),
            });
          }
          const text = `${each.wire.join()} ${each.zone} ${each.lead} ${each.fallback?.join()}`;
          const known = model.get(text);
          if (release) {
            if (known === undefined) continue;
            table.release(known.id);
            if (--known.refs === 0) model.delete(text);
          } else {
            const buffer = new Uint8Array(40);
            buffer.set(each.wire);
            const id = table.intern(
              buffer,
              each.wire.length,
              each.zone,
              MAIN_DOMAIN,
              each.lead,
              each.fallback,
            );
            if (known === undefined) {
              expect([...model.values()].some((entry) => entry.id === id)).toBe(false);
              expect([table.reachable[id], table.metric[id]]).toEqual([1, 0]);
              table.setState(id, false, 77);
            } else expect(id).toBe(known.id);
            const entry = known ?? { id, refs: 0 };
            entry.refs++;
            model.set(text, entry);
          }
        }
        expect([...table.values()].map(({ id }) => id).sort()).toEqual(
          [...model.values()].map(({ id }) => id).sort(),
        );
        if (trackFrom < steps.length) {
          expect([...told].sort()).toEqual([...model.values()].map(({ id }) => id).sort());
        }
        for (const [text, { id }] of model) {
          const { wire, zone, lead, fallback } = table.get(id);
          expect(`${wire.join()} ${zone} ${lead} ${fallback?.join()}`).toBe(text);
        }
      }),
    );
  });

  it('keeps what came on the wire and says which address counts', () => {
    const table = new NextHopTable();
    const of = (...texts: string[]) => {
      const wire = Uint8Array.from(texts.flatMap((text) => [...octets(text)]));
      const { address, linkLocal, ...rest } = table.get(table.intern(wire, wire.length, 'eth0'));
      expect([...rest.wire]).toEqual([...wire]);
      return [[...address], linkLocal === undefined ? undefined : [...linkLocal]];
    };
    const global = [...octets('2001:db8::1')];
    const local = [...octets('fe80::1')];
    expect(of('2001:db8::1')).toEqual([global, undefined]);
    expect(of('2001:db8::1', 'fe80::1')).toEqual([global, local]);
    expect(of('::', 'fe80::1')).toEqual([local, local]);
    expect(of('fe80::1')).toEqual([local, local]);
  });

  it('does not take a next hop that is gone for the last one used', () => {
    const table = new NextHopTable();
    const first = table.intern(wires[0]!, 4, undefined);
    table.setState(first, false, 9);
    table.release(first);
    const second = table.intern(wires[0]!, 4, undefined);
    expect(table.get(second).wire).toEqual(wires[0]);
    expect([table.reachable[second], table.metric[second]]).toEqual([1, 0]);
  });

  it('says whether a state is a change', () => {
    const table = new NextHopTable();
    const id = table.intern(wires[0]!, 4, undefined);
    expect(table.setState(id, true, 0)).toBe(false);
    expect(table.setState(id, true, 5)).toBe(true);
    expect(table.setState(id, false, 5)).toBe(true);
    expect(table.setState(id, false, 5)).toBe(false);
  });

  it('tells a tracker of what is there already, and knows no next hop that is gone', () => {
    const table = new NextHopTable();
    const id = table.intern(wires[0]!, 4, undefined);
    const added: number[] = [];
    table.track({ onAdded: (each) => added.push(each.id), onRemoved: () => {} });
    expect(added).toEqual([id]);
    table.release(id);
    expect(() => table.get(id)).toThrow(RangeError);
  });
});
