// Live upgrades where filters ask what RPKI caches have said: it goes along, so that no route is judged without it.

import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { RecordBatch } from '../../src/rpki/record-batch.ts';
import { type HandedCache, handedCache, recordsOf } from '../../src/speaker/rpki-image.ts';
import type { SpeakerState } from '../../src/speaker/upgrade/state.ts';
import { ip } from '../support/raw-peer.ts';
import { ServingCache, type WireVrp } from '../support/rtr-cache.ts';
import { SimLab, simKernel } from '../support/sim-lab.ts';

const OWN = '10.0.0.1';
const [FROM, TO, CACHE, SPARE] = ['10.0.0.2', '10.0.0.3', '10.0.0.9', '10.0.0.8'] as const;
const [NET, OTHER] = ['192.0.2.0/24', '198.51.100.0/24'] as const;
/** RFC 8210 §5.3, §5.4 */
const QUERY = { changes: 1, everything: 2 } as const;

const GOOD: WireVrp = { prefix: [192, 0, 2, 0], bits: 24, maxLength: 24, asn: 65002 };
const BAD: WireVrp = { prefix: [198, 51, 100, 0], bits: 24, maxLength: 24, asn: 65009 };
const VALID_ONLY = 'if roa_check(rpki) = ROA_VALID then accept; reject;';

type Imports = NonNullable<ConfigInput['peers']>[number]['import'];

interface Cache {
  readonly host: string;
  readonly name: string;
  readonly preference?: number;
}
const ONE: readonly Cache[] = [{ host: CACHE, name: 'cache' }];

async function scene(imports: Imports = 'accept', caches = ONE) {
  const lab = new SimLab();
  const [from, to] = [lab.raw(FROM, { as: 65002, holdTime: 0 }), lab.raw(TO, { as: 65003, holdTime: 0 })];
  const own = lab.speaker(
    'own',
    [OWN],
    {
      router: { asn: 65000, id: OWN },
      kernel: { install: true, export: VALID_ONLY },
      peers: [
        { name: 'from', address: FROM, asn: 65002, import: imports, export: 'reject', passive: true },
        { name: 'to', address: TO, asn: 65003, import: 'reject', export: VALID_ONLY, passive: true },
      ],
      rpki: { caches: [...caches] },
    },
    { kernel: simKernel(`eth0 ${OWN}/24`) },
  );
  const host = caches.at(-1)!.host;
  const cache = new ServingCache(lab.network.host(ip(host)), ip(host));
  cache.set([GOOD, BAD]);
  await lab.start(1000);
  await lab.connect(own, from, to);
  from.announce([NET, OTHER], { asPath: '65002' });
  await lab.run(5000);
  expect([...to.table.keys()]).toEqual([NET]);
  to.clear();
  cache.queries = [];
  const heard = () => to.heard.filter((line) => line !== 'KEEPALIVE');
  return { lab, own, cache, to, heard };
}

const installed = [`${NET} via ${FROM}`];

describe('a live upgrade with RPKI caches', () => {
  it('withdraws nothing that a cache has made valid, whether the cache is there or not', async () => {
    const { lab, own, cache, heard } = await scene();
    await own.upgrade();
    expect(own.kernelRoutes()).toEqual(installed);
    await lab.run(5000);
    expect(heard()).toEqual([]);
    expect(cache.queries).toEqual([QUERY.changes]);
    const [before] = own.api.rpkiCaches();
    cache.close();
    await own.upgrade();
    await lab.run(60_000);
    expect([heard(), own.kernelRoutes()]).toEqual([[], installed]);
    // And for no longer than it would have counted without.
    const [after] = own.api.rpkiCaches();
    expect(after).toMatchObject({ state: 'Transport-Error', serial: 1, roas4: 2 });
    expect(before!.expireIn! - after!.expireIn!).toBeGreaterThanOrEqual(60);
    await lab.run(before!.expireIn! * 1000);
    expect(own.kernelRoutes()).toEqual([]);
    expect(heard()).not.toEqual([]);
  });

  it('goes on with what the cache says then', async () => {
    const { lab, own, cache, to } = await scene(VALID_ONLY);
    await own.upgrade();
    await lab.run(1000);
    cache.set([GOOD, { ...BAD, asn: 65002 }]);
    await lab.run(5000);
    expect([...to.table.keys()]).toEqual([NET, OTHER]);
    expect(own.api.rpkiCaches()).toMatchObject([{ resets: 0, errors: 0, roas4: 2 }]);
  });

  it('judges routes by what was said a moment before', async () => {
    const { lab, own, cache, to } = await scene(VALID_ONLY);
    cache.set([GOOD, { ...BAD, asn: 65002 }]);
    await lab.run(500);
    await own.upgrade();
    cache.close();
    await lab.run(5000);
    expect([...to.table.keys()]).toEqual([NET, OTHER]);
  });

  it('keeps what a cache has said that others are preferred to, while they are out of reach', async () => {
    const caches = [
      { host: SPARE, name: 'dead', preference: 0 },
      { host: CACHE, name: 'cache', preference: 1 },
    ];
    const { lab, own, heard } = await scene('accept', caches);
    await own.upgrade();
    await lab.run(60_000);
    expect(heard()).toEqual([]);
    expect(own.api.rpkiCaches()).toMatchObject([{ roas4: 0 }, { state: 'Established', roas4: 2 }]);
  });

  it.each([
    ['of another cache', (cache: HandedCache) => ({ ...cache, asked: { ...cache.asked, host: SPARE } })],
    ['of nobody', (cache: HandedCache) => ({ ...cache, name: 'gone' })],
    // Two of the same kind.
    ['that contradict each other', (cache: HandedCache) => ({ ...cache, ipv4: twice(cache.ipv4) })],
  ])('does not count records %s', async (_of, change) => {
    const { lab, own, cache, to, heard } = await scene();
    const otherwise = ({ validation, ...state }: SpeakerState): SpeakerState => ({
      ...state,
      validation: { caches: validation!.caches.map(change) },
    });
    await own.upgrade(otherwise);
    await lab.run(10_000);
    expect(cache.queries).toEqual([QUERY.everything]);
    // Withdrawn, and announced again.
    expect(heard()).not.toEqual([]);
    expect([...to.table.keys()]).toEqual([NET]);
    expect(own.api.rpkiCaches()).toMatchObject([{ roas4: 2, errors: 0 }]);
  });
});

function twice({ meta, asns, words }: HandedCache['ipv4']): HandedCache['ipv4'] {
  const again = (column: Int32Array<ArrayBuffer>) => Int32Array.from([...column, ...column]);
  return { meta: again(meta), asns: again(asns), words: again(words) };
}

describe('the records of a cache', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const asn = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const record = (stride: 1 | 4) =>
    fc.tuple(
      fc.array(word, { minLength: stride, maxLength: stride }),
      fc.nat(32 * stride),
      fc.nat(32 * stride),
      asn,
    );

  it('are on the other side what they were', () => {
    const config = { name: 'x', host: CACHE, port: 323, tables: {}, ignoreMaxLength: false } as never;
    fc.assert(
      fc.property(
        fc.array(record(1)),
        fc.array(record(4)),
        fc.dictionary(fc.nat(9).map(String), fc.array(asn)),
        (ipv4, ipv6, aspas) => {
          const batch = new RecordBatch();
          for (const [words, bits, most, as] of ipv4) batch.ipv4.announce(words, 0, bits, most, as);
          for (const [words, bits, most, as] of ipv6) batch.ipv6.announce(words, 0, bits, most, as);
          for (const [customer, providers] of Object.entries(aspas)) {
            const record = { announce: true, customer: Number(customer), perVersion: false };
            batch.aspas.push({ ...record, providers: Uint32Array.from(providers) });
          }
          const sent = handedCache(config, {} as never, batch);
          const found = recordsOf(deserialize(serialize(sent)));
          for (const [family, given] of [
            ['ipv4', ipv4],
            ['ipv6', ipv6],
          ] as const) {
            const records = found[family];
            const read = given.map((_, i) => [
              [...records.words.subarray(i * records.stride, (i + 1) * records.stride)],
              records.bits(i),
              records.maxLength(i),
              records.asn(i),
            ]);
            expect(records.count).toBe(given.length);
            expect(read).toEqual(given);
          }
          expect(found.aspas).toEqual(batch.aspas);
        },
      ),
      { numRuns: 50 },
    );
  });
});
