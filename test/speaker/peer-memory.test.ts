// What a peer holds of the memory: parts that follow what it announced and was sent, and that sum up over peers.

import { describe, expect, it } from 'vitest';
import { rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';

const prefixes = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `10.${(from + i) >> 8}.${(from + i) & 255}.0/24`);

describe('the memory of a peer', () => {
  it('follows its routes and their attributes', async () => {
    const { lab, speaker, peer } = await rig({ [A]: { as: 65002 }, [B]: { as: 65003 } });
    const memory = (name: string) => speaker.peer(name).memory!;
    expect(memory(A)).toMatchObject({ paths: 0, attributes: 0, socket: 0 });
    peer(A).announce(prefixes(0, 300));
    peer(B).announce(prefixes(300, 100), { communities: ['1:1', '1:2', '1:3'] });
    await lab.settle();
    // Rows of 24 octets, and prefixes.
    expect(memory(A).paths).toBeGreaterThan(300 * 24);
    expect(memory(A).paths).toBeLessThan(300 * 200);
    expect(memory(A).paths / memory(B).paths).toBeCloseTo(3, 1);
    expect(memory(A).attributes + memory(B).attributes).toBeCloseTo(speaker.speaker.rib.attrs.octets, -2);
    peer(A).withdraw(...prefixes(0, 300));
    await lab.settle();
    expect(memory(A)).toMatchObject({ paths: 0, attributes: 0 });
  });

  it('counts what waits for a peer that does not read', async () => {
    const narrow = { windowBytes: 4096 };
    const { lab, speaker, peer } = await rig(
      { [A]: { as: 65002 }, [B]: { as: 65003 } },
      {},
      undefined,
      narrow,
    );
    peer(B).pause();
    peer(A).announce(prefixes(0, 5000));
    await lab.settle();
    expect(speaker.peer(B).memory?.queued).toBe(speaker.peer(B).queuedBytes);
    expect(speaker.peer(B).queuedBytes).toBeGreaterThan(0);
    expect(speaker.peer(A).memory?.queued).toBe(0);
  });

  it('is not known of a peer without a session', async () => {
    const { lab, speaker, peer } = await rig({ [A]: { as: 65002 } });
    peer(A).drop();
    await lab.settle();
    expect(speaker.peer(A).memory).toBeUndefined();
  });
});
