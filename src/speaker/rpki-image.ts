// What RPKI caches have said, on its way from one process to another (upgrade/state.ts): the records that count, and where
// the other client goes on asking. Plain data; records are in the columns that an update of a cache has.

import type { RpkiCacheConfig } from '../config/rpki.ts';
import type { CacheImage } from '../rpki/cache-types.ts';
import { type PrefixRecords, RecordBatch } from '../rpki/record-batch.ts';

/** As of PrefixRecords, all announced. */
export interface PrefixImage {
  readonly meta: Int32Array<ArrayBuffer>;
  readonly asns: Int32Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
}

export interface HandedCache {
  readonly name: string;
  /** What it was asked as: another one's records are not this one's. */
  readonly asked: Pick<RpkiCacheConfig, 'host' | 'port' | 'tables' | 'ignoreMaxLength'>;
  readonly client: CacheImage;
  readonly ipv4: PrefixImage;
  readonly ipv6: PrefixImage;
  /** Customer -> providers. */
  readonly aspas: ReadonlyMap<number, Uint32Array>;
}

export interface ValidationImage {
  readonly caches: readonly HandedCache[];
}

export function handedCache(config: RpkiCacheConfig, client: CacheImage, records: RecordBatch): HandedCache {
  const { ipv4, ipv6, aspas } = records;
  return {
    name: config.name,
    asked: askedAs(config),
    client,
    ipv4: prefixImage(ipv4),
    ipv6: prefixImage(ipv6),
    aspas: new Map(aspas.map(({ customer, providers }) => [customer, providers])),
  };
}

export function askedAs({ host, port, tables, ignoreMaxLength }: RpkiCacheConfig): HandedCache['asked'] {
  return { host, port, tables, ignoreMaxLength };
}

/** All that the cache has said. */
export function recordsOf({ ipv4, ipv6, aspas }: HandedCache): RecordBatch {
  const batch = new RecordBatch();
  fill(batch.ipv4, ipv4);
  fill(batch.ipv6, ipv6);
  for (const [customer, providers] of aspas) {
    batch.aspas.push({ announce: true, customer, providers, perVersion: false });
  }
  return batch;
}

function prefixImage({ count, stride, meta, asns, words }: PrefixRecords): PrefixImage {
  return { meta: meta.slice(0, count), asns: asns.slice(0, count), words: words.slice(0, count * stride) };
}

function fill(records: PrefixRecords, { meta, asns, words }: PrefixImage): void {
  records.count = meta.length;
  records.meta = meta;
  records.asns = asns;
  records.words = words;
}
