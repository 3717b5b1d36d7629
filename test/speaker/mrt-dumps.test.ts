// Dumps of tables of a running speaker: what is in them, when they are written, and under which names.

import { describe, expect, it } from 'vitest';
import { RecordCutter } from '../../bench/mrt/records.ts';
import { RibDecoder } from '../../bench/mrt/rib.ts';
import type { MrtConfig } from '../../src/config/model.ts';
import { formatPrefix } from '../../src/lib/ip.ts';
import { type DumpStore, MrtDumps } from '../../src/speaker/mrt-dumps.ts';
import { OWN_AS, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const AROUND: Readonly<Record<string, RigPeer>> = {
  [A]: { as: 65002 },
  [B]: { as: OWN_AS, config: { table: 'blue' } },
};

class MemoryStore implements DumpStore {
  readonly files = new Map<string, Uint8Array[]>();
  open = 0;

  async create(path: string) {
    const chunks: Uint8Array[] = [];
    this.files.set(path, chunks);
    this.open++;
    return {
      write: async (bytes: Uint8Array) => void chunks.push(bytes),
      close: async () => void this.open--,
    };
  }

  /** `prefix from AS` of each route. */
  routes(path: string): string[] {
    const decoder = new RibDecoder();
    const found: string[] = [];
    new RecordCutter().push(Buffer.concat(this.files.get(path) ?? []), (record) => {
      decoder.tableDumpV2(record, ({ peer, family, prefix, length }) => {
        const bytes = prefix.slice(0, family.nextHopBytes);
        found.push(`${formatPrefix({ bytes, length })} from ${peer.asn}`);
      });
    });
    return found.sort();
  }
}

async function dumps() {
  const set = await rig(AROUND, {
    tables: { blue: { networks: ['203.0.113.0/24'] } },
    networks: ['198.51.100.0/24'],
  });
  set.peer(A).announce(['192.0.2.0/24']);
  set.peer(B).announce(['192.0.2.0/25']);
  await set.lab.settle();
  const { speaker } = set.speaker;
  const { clock, log } = speaker.parts;
  const store = new MemoryStore();
  const mrt = new MrtDumps(speaker.config, {
    clock,
    log,
    rooms: speaker.rooms,
    policies: speaker.policies,
    store,
  });
  return { ...set, store, mrt };
}

const DAILY: MrtConfig = {
  name: 'm',
  table: 'master4',
  filename: '/d/%N.%s',
  period: 60,
  policy: 'accept',
  addPath: false,
};

describe('a dump of a table', () => {
  it('has the routes of peers, and own ones of nobody', async () => {
    const { store, mrt, lab } = await dumps();
    const written = mrt.dump('*4', '/%N.mrt', () => 'accept');
    const other = mrt.dump('blue', '/%N.mrt', () => 'accept');
    await lab.run(100);
    await Promise.all([written, other]);
    expect(store.routes('/master4.mrt')).toEqual(['192.0.2.0/24 from 65002', '198.51.100.0/24 from 0']);
    expect(store.routes('/blue4.mrt')).toEqual(['192.0.2.0/25 from 65000', '203.0.113.0/24 from 0']);
    expect(store.routes('/blue6.mrt')).toEqual([]);
    expect(store.files.size).toBe(3);
    expect(store.open).toBe(0);
  });

  it('says which table is not there', async () => {
    const { mrt } = await dumps();
    await expect(mrt.dump('red', '/x', () => 'accept')).rejects.toThrow('there is no table red');
  });

  it('is written again and again, as the configuration says', async () => {
    const { store, mrt, lab, speaker } = await dumps();
    const { config } = speaker.speaker;
    mrt.use({ ...config, mrt: [DAILY] });
    await lab.run(150_000);
    expect(store.files.size).toBe(2);
    mrt.use({ ...config, mrt: [{ ...DAILY, policy: 'reject' }] });
    await lab.run(50_000);
    const names = [...store.files.keys()];
    expect(names.map((name) => /^\/d\/master4\.\d+$/.test(name))).toEqual([true, true, true]);
    expect(names.map((name) => store.routes(name).length)).toEqual([2, 2, 0]);
    mrt.use(config);
    await lab.run(200_000);
    expect(store.files.size).toBe(3);
    mrt.stop();
  });
});
