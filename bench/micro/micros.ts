// The micro-benchmarks: each a row. They call the product's own code and nothing else in the timed part.

import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { Framer } from '../../src/bgp/wire/framing.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/bgp/wire/header.ts';
import { UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { UpdateWriter } from '../../src/bgp/wire/update-writer.ts';
import { encodeOperation, encodeTarget, operationBytes } from '../../src/fib/netlink/route-encode.ts';
import { ROUTE_OPERATION } from '../../src/fib/types.ts';
import { viewOf } from '../../src/lib/bytes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { AttrStore } from '../../src/rib/attr-store.ts';
import { ChangeBatch } from '../../src/rib/change-batch.ts';
import { WITHHELD } from '../../src/rib/distribution.ts';
import { NextHopTable } from '../../src/rib/next-hops.ts';
import { PrefixTable } from '../../src/rib/prefix-table.ts';
import { ExportRewriter } from '../../src/rib/rewrite.ts';
import { BareSpeaker, EXPORT, peerAddress, sessionContext } from '../../src/speaker/bare-speaker.ts';
import { policyCompile, policyFilter, policySet } from './policy.ts';
import type { Micro, MicroInput, MicroRun } from './types.ts';

const READ_SIZE = 1 << 18;
/** As the speaker cuts its work. */
const EXPORT_CHUNK = 8192;
const NETLINK_CHUNK = 1 << 16;
const NETLINK_PROTOCOL = 12;
const MAIN_TABLE = 254;

export const MICROS: readonly Micro[] = [
  { name: 'framing', title: 'cutting messages out of 256 KiB reads', item: 'message', prepare: framing },
  {
    name: 'decode',
    title: 'UPDATE to prefixes and a canonical attribute set',
    item: 'route',
    prepare: decode,
  },
  {
    name: 'intern-new',
    title: 'attribute sets that the store does not know',
    item: 'set',
    prepare: internNew,
  },
  { name: 'intern-known', title: 'attribute sets that it knows', item: 'set', prepare: internKnown },
  { name: 'prefix-insert', title: 'new prefixes into the table', item: 'prefix', prepare: prefixInsert },
  { name: 'prefix-find', title: 'finding them', item: 'prefix', prepare: prefixFind },
  { name: 'decision', title: 'the best of four paths', item: 'prefix', prepare: decision },
  { name: 'rewrite', title: 'attributes on the way to an eBGP peer', item: 'set', prepare: rewrite },
  { name: 'pack', title: 'advertisements to UPDATE messages', item: 'route', prepare: pack },
  { name: 'export', title: 'a whole table to a peer that joins late', item: 'route', prepare: exportTable },
  {
    name: 'policy-set',
    title: 'is a prefix in a set of 100,000, as a filter asks',
    item: 'route',
    prepare: policySet,
  },
  {
    name: 'policy-filter',
    title: 'an import filter with that set that changes two attributes',
    item: 'route',
    prepare: policyFilter,
  },
  {
    name: 'policy-compile',
    title: 'reading and compiling that set',
    item: 'member',
    prepare: policyCompile,
  },
  { name: 'netlink', title: 'RTM_NEWROUTE messages', item: 'route', prepare: netlink },
  {
    name: 'whole-path',
    title: 'octets in, tables, octets out to another peer',
    item: 'route',
    prepare: wholePath,
  },
  { name: 'withdraw-path', title: 'the same for withdrawals', item: 'route', prepare: withdrawPath },
];

function framing({ streams, messages }: MicroInput): MicroRun {
  const stream = streams[0]!;
  const framer = new Framer(MAX_MESSAGE_LENGTH);
  return {
    items: messages.length - 1,
    run: () => {
      let seen = 0;
      for (let at = 0; at < stream.length; at += READ_SIZE) {
        const chunk = stream.subarray(at, at + READ_SIZE);
        framer.push(chunk, chunk.length, () => {
          seen++;
          return true;
        });
      }
      return seen;
    },
  };
}

function decode({ streams, messages, table }: MicroInput): MicroRun {
  const stream = streams[0]!;
  const decoder = new UpdateDecoder(sessionContext(0));
  return {
    items: table.count,
    run: () => {
      let seen = 0;
      for (let i = 0; i + 1 < messages.length; i++) {
        for (const batch of decoder.decode(stream, messages[i]!, messages[i + 1]!).announced)
          seen += batch.count;
      }
      return seen;
    },
  };
}

function emptyStore(): { store: AttrStore; nextHop: number } {
  const nextHops = new NextHopTable();
  const address = peerAddress(0);
  return { store: new AttrStore(nextHops), nextHop: nextHops.intern(address, address.length, undefined) };
}

/** Through views, as they come from the decoder. */
function internAll(store: AttrStore, nextHop: number, sets: readonly DataView[]): number {
  let seen = 0;
  for (const set of sets) if (store.internViewed(set, 0, set.byteLength, nextHop) > 0) seen++;
  return seen;
}

function internNew(input: MicroInput): MicroRun {
  const sets = input.sets.map(viewOf);
  const { store, nextHop } = emptyStore();
  return { items: sets.length, run: () => internAll(store, nextHop, sets) };
}

function internKnown(input: MicroInput): MicroRun {
  const sets = input.sets.map(viewOf);
  const { store, nextHop } = emptyStore();
  internAll(store, nextHop, sets);
  return { items: sets.length, run: () => internAll(store, nextHop, sets) };
}

function insertAll(prefixes: PrefixTable, { table }: MicroInput): number {
  const { words, lengths, count } = table;
  for (let i = 0; i < count; i++) prefixes.hold(prefixes.intern(words, i, lengths[i]!));
  return prefixes.size;
}

function prefixInsert(input: MicroInput): MicroRun {
  const prefixes = new PrefixTable(IPV4_UNICAST);
  return { items: input.table.count, run: () => insertAll(prefixes, input) };
}

function prefixFind(input: MicroInput): MicroRun {
  const prefixes = new PrefixTable(IPV4_UNICAST);
  insertAll(prefixes, input);
  const { words, lengths, count } = input.table;
  return {
    items: count,
    run: () => {
      let seen = 0;
      for (let i = 0; i < count; i++) if (prefixes.find(words, i, lengths[i]!) !== 0) seen++;
      return seen;
    },
  };
}

/** A speaker with the table from each peer, and one more peer without routes. */
function filled(streams: readonly Uint8Array[]): BareSpeaker {
  const speaker = new BareSpeaker(systemClock, { peers: streams.length + 1 });
  streams.forEach((stream, i) => {
    speaker.feed(i, stream);
  });
  return speaker;
}

function decision({ streams, table }: MicroInput): MicroRun {
  const { paths, prefixes, explainer } = filled(streams).rib.families[IPV4_UNICAST.id]!;
  return {
    items: table.count,
    run: () => {
      let seen = 0;
      for (let id = 1; id < prefixes.limit; id++) if (explainer.select(paths.first(id), 0) !== 0) seen++;
      return seen;
    },
  };
}

function rewrite({ streams, sets }: MicroInput): MicroRun {
  const { attrs, peers } = filled(streams.slice(0, 1)).rib;
  const rewriter = new ExportRewriter(EXPORT, attrs, peers);
  const from = firstExternal(peers.values());
  return {
    items: new Set(sets.map((set) => Buffer.from(set).toString('latin1'))).size,
    run: () => {
      let seen = 0;
      for (let id = 1; id < attrs.limit; id++) {
        if (attrs.references(id) === 0 || rewriter.judge(id, from) !== WITHHELD.none) continue;
        if (rewriter.render(id, from).length > 0) seen++;
      }
      return seen;
    },
  };
}

function firstExternal(peers: Iterable<{ readonly id: number; readonly source: string }>): number {
  for (const { id, source } of peers) if (source === 'external') return id;
  throw new Error('no external peer');
}

function pack({ streams, table }: MicroInput): MicroRun {
  const { rib } = filled(streams.slice(0, 1));
  const family = rib.families[IPV4_UNICAST.id]!;
  const { prefixes, locRib } = family;
  const rewriter = new ExportRewriter(EXPORT, rib.attrs, rib.peers);
  const writer = new UpdateWriter({ ...EXPORT, addPath: false });
  const batch = new ChangeBatch(family);
  let octets = 0;
  const flush = (): void => {
    octets += batch.encode(writer, rewriter).bytes.length;
    batch.clear();
  };
  return {
    items: table.count,
    run: () => {
      let seen = 0;
      for (let id = 1; id < prefixes.limit; id++) {
        batch.add(id, 0, locRib.bestAttr(id), locRib.bestPeer(id));
        seen++;
        if (batch.count === EXPORT_CHUNK) flush();
      }
      if (batch.count > 0) flush();
      return octets > 0 ? seen : 0;
    },
  };
}

function exportTable({ streams, table }: MicroInput): MicroRun {
  const speaker = filled(streams.slice(0, 1));
  return {
    items: table.count,
    run: () => {
      speaker.exportTo(1);
      speaker.settle();
      return speaker.sent > table.count ? speaker.routes : 0;
    },
  };
}

function netlink({ table }: MicroInput): MicroRun {
  const bytes = new Uint8Array(NETLINK_CHUNK);
  const view = viewOf(bytes);
  const target = encodeTarget(
    {
      type: 'unicast',
      nextHops: [{ gateway: peerAddress(0), ifindex: 2 }],
      table: MAIN_TABLE,
      protocol: NETLINK_PROTOCOL,
      metric: 50,
    },
    4,
  );
  const size = operationBytes(target, ROUTE_OPERATION.create, 4);
  const { words, lengths, count } = table;
  return {
    items: count,
    run: () => {
      let at = 0;
      for (let i = 0; i < count; i++) {
        if (at + size > NETLINK_CHUNK) at = 0;
        at = encodeOperation(bytes, view, at, target, ROUTE_OPERATION.create, 4, words, i, lengths[i]!, i, 0);
      }
      return at > 0 ? count : 0;
    },
  };
}

function wholePath({ streams, table }: MicroInput): MicroRun {
  return { items: table.count, run: passThrough(streams[0]!) };
}

/** One peer's octets through fresh tables and out to another peer; the function tells how many routes got through. */
export function passThrough(stream: Uint8Array): () => number {
  const speaker = new BareSpeaker(systemClock, { peers: 2 });
  speaker.exportTo(0);
  speaker.exportTo(1);
  return () => {
    speaker.feed(0, stream);
    return speaker.sent > speaker.routes ? speaker.routes : 0;
  };
}

function withdrawPath({ streams, withdrawals, table }: MicroInput): MicroRun {
  const speaker = new BareSpeaker(systemClock, { peers: 2 });
  speaker.exportTo(0);
  speaker.exportTo(1);
  speaker.feed(0, streams[0]!);
  const before = speaker.routes;
  return {
    items: table.count,
    run: () => {
      speaker.feed(0, withdrawals);
      return before - speaker.routes;
    },
  };
}
