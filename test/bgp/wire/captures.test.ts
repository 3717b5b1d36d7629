// Captured sessions of other speakers: what is well-formed must decode without an error, what is not must end in a
// NOTIFICATION, and the prefixes must be those that tshark sees. ../shared/data/pcap, skipped where it is absent.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Framer } from '../../../src/bgp/wire/framing.ts';
import { negotiate } from '../../../src/bgp/wire/negotiate.ts';
import {
  decodeNotification,
  formatNotification,
  NotificationError,
} from '../../../src/bgp/wire/notification.ts';
import { decodeOpen, type OpenMessage, openAs } from '../../../src/bgp/wire/open.ts';
import { decodeRouteRefresh } from '../../../src/bgp/wire/route-refresh.ts';
import type { SessionContext } from '../../../src/bgp/wire/session-context.ts';
import { UpdateDecoder } from '../../../src/bgp/wire/update-decoder.ts';
import { describeUpdate } from '../../support/decoded.ts';
import { type TcpStream, tcpStreams } from '../../support/pcap.ts';
import { sessionContext } from '../../support/wire.ts';

const ROOT = fileURLToPath(new URL('../../../../shared/data/pcap/', import.meta.url));
const BGP_PORT = 179;

/** Captures made to break decoders, or made by hand with flags that RFC 4760 does not allow (bgp-addpath). */
const CRAFTED = /oobr|malformed|infinite-loop|invalid|bgp-ub|bgp-addpath/;

/** What is rightly treated as withdrawn in a capture. */
const WITHDRAWN: Readonly<Record<string, string>> = {
  // RFC 8205 §4: BGPsec_PATH instead of AS_PATH, with a capability that is not offered here.
  'tcpdump/bgp-bgpsec.pcap': 'AS_PATH is missing',
};

function captures(): string[] {
  if (!existsSync(ROOT)) return [];
  return readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pcap(ng)?$/.test(name))
    .sort();
}

interface Received {
  updates: number;
  messages: number;
  announced: string[];
  withdrawn: string[];
  withdraws: string[];
  error: NotificationError | undefined;
}

function firstOpen(stream: TcpStream): OpenMessage | undefined {
  let open: OpenMessage | undefined;
  try {
    new Framer(65535).push(stream.bytes, stream.bytes.length, (buffer, start, end, type) => {
      if (type === 1) open = decodeOpen(buffer, start, end);
      return false;
    });
  } catch (error) {
    if (!(error instanceof NotificationError)) throw error;
  }
  return open;
}

/** What the two OPENs of a capture agree on, seen by the receiver; a guess where one is missing. */
function contextOf(stream: TcpStream, streams: readonly TcpStream[], as4: boolean): SessionContext {
  const back = streams.find(
    (other) =>
      other.from === stream.to &&
      other.to === stream.from &&
      other.fromPort === stream.toPort &&
      other.toPort === stream.fromPort,
  );
  const remote = firstOpen(stream);
  const local = back === undefined ? undefined : firstOpen(back);
  const guess = sessionContext({ peerType: 'internal', as4, extendedNextHop: 3, receiveLimit: 65535 });
  if (remote === undefined || local === undefined) return guess;
  try {
    return { ...negotiate(local, remote, { peerAs: openAs(remote) }), receiveLimit: 65535 };
  } catch (error) {
    if (!(error instanceof NotificationError)) throw error;
    return guess;
  }
}

function receive(stream: TcpStream, context: SessionContext): Received {
  const decoder = new UpdateDecoder(context, { acceptAsSets: true, aigp: true });
  const received: Received = {
    updates: 0,
    messages: 0,
    announced: [],
    withdrawn: [],
    withdraws: [],
    error: undefined,
  };
  try {
    new Framer(65535).push(stream.bytes, stream.bytes.length, (buffer, start, end, type) => {
      received.messages++;
      if (type === 1) decodeOpen(buffer, start, end);
      if (type === 3) formatNotification(decodeNotification(buffer, start, end));
      if (type === 5) decodeRouteRefresh(buffer, start, end, context);
      if (type !== 2) return true;
      received.updates++;
      const update = describeUpdate(decoder.decode(buffer, start, end));
      received.announced.push(...update.announced);
      received.withdrawn.push(...update.withdrawn);
      if (update.withdraw) received.withdraws.push(...update.messages);
      return true;
    });
  } catch (error) {
    if (!(error instanceof NotificationError)) throw error;
    received.error = error;
  }
  return received;
}

/** Decodes every stream; where no OPEN says how wide ASes are, the width that leaves fewer errors is the right one. */
function receiveAll(name: string): Received[] {
  const streams = tcpStreams(readFileSync(`${ROOT}${name}`));
  return streams
    .filter(
      (stream) => stream.bytes.length > 0 && (stream.fromPort === BGP_PORT || stream.toPort === BGP_PORT),
    )
    .map((stream) => {
      const [wide, narrow] = [true, false].map((as4) => receive(stream, contextOf(stream, streams, as4)));
      return badness(narrow!) < badness(wide!) ? narrow! : wide!;
    });
}

function badness(received: Received): number {
  return (received.error === undefined ? 0 : 1000) + received.withdraws.length;
}

const names = captures();

describe.skipIf(names.length === 0)('captures (../shared/data/pcap)', () => {
  let messages = 0;
  for (const name of names) {
    test(name, () => {
      for (const received of receiveAll(name)) {
        messages += received.messages;
        if (CRAFTED.test(name)) continue;
        expect({ error: received.error?.message, withdraws: received.withdraws }).toEqual({
          error: undefined,
          withdraws: received.withdraws.filter((message) => message === WITHDRAWN[name]),
        });
      }
    });
  }

  test('there was something to decode', () => {
    expect(messages).toBeGreaterThan(500);
  });
});

/** IPv4 prefixes of NLRI fields, without their lengths, as tshark lists them. */
function tsharkPrefixes(name: string): string[] | undefined {
  const fields = ['-Y', 'bgp', '-T', 'fields', '-e', 'bgp.nlri_prefix'];
  const run = spawnSync('tshark', ['-r', `${ROOT}${name}`, ...fields], { encoding: 'utf8' });
  return run.error === undefined && run.status === 0
    ? run.stdout.split(/[\s,]+/).filter((text) => text !== '')
    : undefined;
}

const COMPARED = [
  'netgauze/assets/pcaps/bgp/multiple-sessions/traffic.pcap',
  'tcpdump/bgp-4byte-asn.pcap',
  'tcpdump/bgp-role.pcapng',
].filter((name) => names.includes(name));
const hasTshark = spawnSync('tshark', ['--version']).status === 0;

describe.skipIf(COMPARED.length === 0 || !hasTshark)('the prefixes that tshark sees', () => {
  for (const name of COMPARED) {
    test(name, () => {
      const here = receiveAll(name).flatMap((received) => received.announced);
      const ipv4 = here.filter((text) => !text.includes(':')).map((text) => text.replace(/\/.*/, ''));
      const there = tsharkPrefixes(name);
      expect(ipv4.sort()).toEqual(there?.sort());
      expect(ipv4.length).toBeGreaterThan(5);
    });
  }
});
