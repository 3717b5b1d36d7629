// The input of all micro-benchmarks: a generated full table (real prefixes where a list is at hand) as several peers
// would send it.

import { Framer } from '../../src/bgp/wire/framing.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/bgp/wire/header.ts';
import { UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { LOCAL_AS, peerAddress, peerAs, sessionContext } from '../../src/speaker/bare-speaker.ts';
import { announceStream, type SenderIdentity, withdrawStream } from '../load/stream.ts';
import { fullTable } from '../load/synthetic.ts';
import type { MicroInput } from './types.ts';

export interface InputOptions {
  readonly routes: number;
  readonly seed: number;
  /** A gzipped list of prefixes; generated ones where it is absent. */
  readonly prefixList: string | undefined;
  /** How many peers send the table. */
  readonly peers: number;
  readonly setMembers: number;
}

/** What the whole path alone needs. */
export type ColdOptions = Omit<InputOptions, 'peers' | 'setMembers'>;

const SETS_PER_ROUTE = 0.167;

export function makeInput({ routes, seed, prefixList, peers, setMembers }: InputOptions): MicroInput {
  const table = fullTable({ routes, seed, setsPerRoute: SETS_PER_ROUTE, prefixList });
  const whole = { from: 0, to: table.count };
  const streams = Array.from({ length: peers }, (_, i) => announceStream(table, whole, sender(i)));
  const messages: number[] = [];
  const sets: Uint8Array[] = [];
  const decoder = new UpdateDecoder(sessionContext(0));
  const first = streams[0]!;
  new Framer(MAX_MESSAGE_LENGTH).push(first, first.length, (buffer, start, end) => {
    messages.push(start);
    const { attributes, attributesLength } = decoder.decode(buffer, start, end);
    sets.push(attributes.slice(0, attributesLength));
    return true;
  });
  return {
    table,
    streams,
    withdrawals: withdrawStream(table, whole),
    messages: Uint32Array.from([...messages, first.length]),
    sets,
    setMembers,
  };
}

function sender(number: number): SenderIdentity {
  return { asn: peerAs(number), peerAs: LOCAL_AS, nextHop4: peerAddress(number), nextHop6: undefined };
}

/** Only what the whole path needs: nothing of the hot path has run when this is done. */
export function coldInput({ routes, seed, prefixList }: ColdOptions): Uint8Array {
  const table = fullTable({ routes, seed, setsPerRoute: SETS_PER_ROUTE, prefixList });
  return announceStream(table, { from: 0, to: table.count }, sender(0));
}
