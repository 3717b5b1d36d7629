// What is fuzzed: each row draws valid input, changes it and hands it to a decoder or parser of the product. What a row
// allows to be thrown is the error that its callers expect; anything else is a finding.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePacket, emptyPacket } from '../../src/bfd/packet.ts';
import { decodeAttributes } from '../../src/bgp/wire/attribute-values.ts';
import { FAMILIES } from '../../src/bgp/wire/families.ts';
import { Framer } from '../../src/bgp/wire/framing.ts';
import { MESSAGE_TYPE } from '../../src/bgp/wire/iana.ts';
import { negotiate } from '../../src/bgp/wire/negotiate.ts';
import {
  decodeNotification,
  decodeShutdownText,
  formatNotification,
  hardResetInner,
  NotificationError,
} from '../../src/bgp/wire/notification.ts';
import { decodeOpen, encodeOpen } from '../../src/bgp/wire/open.ts';
import { decodeRouteRefresh } from '../../src/bgp/wire/route-refresh.ts';
import type { SessionContext } from '../../src/bgp/wire/session-context.ts';
import { DecodeScratch, UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { loadBird } from '../../src/config/bird/load.ts';
import { parseConfig } from '../../src/config/load.ts';
import { CodecFactory } from '../../src/control/grpc/codec.ts';
import { loadSchema } from '../../src/control/grpc/schema.ts';
import { decodeAddress, decodeLink } from '../../src/fib/netlink/link-codec.ts';
import { decodeAnswer, forEachMessage } from '../../src/fib/netlink/messages.ts';
import { decodeNextHop, encodeNewNextHop } from '../../src/fib/netlink/next-hop-codec.ts';
import { decodePath, decodeRoute, newRouteRecord, pathKey } from '../../src/fib/netlink/route-decode.ts';
import { encodeOperation, encodeTarget } from '../../src/fib/netlink/route-encode.ts';
import { viewOf } from '../../src/lib/bytes.ts';
import type { Random } from '../../src/lib/clock.ts';
import { parseAddress, parsePrefix, parseQuad } from '../../src/lib/ip.ts';
import { drawOne, drawTrue } from '../../src/sim/random.ts';
import { SAMPLES } from '../config/bird/samples.ts';
import { lab } from '../policy/harness.ts';
import { hex, sessionContext } from '../support/wire.ts';
import { drawMessage, drawOpen, mutateMessage } from './bgp.ts';
import { drawBytes, mutateBytes, mutateText } from './mutate.ts';
import { Relay } from './relay.ts';
import { hearRtr, rtrStreams } from './rtr.ts';

// Built or not, it runs in the project's folder.
const EXAMPLES = 'examples';
const CORPUS = '../shared/data/corpus';
const POOL = 300;
const AS = 65_001;
const BITS_PER_WORD = 32;
const ALL_FAMILIES = (1 << FAMILIES.length) - 1;

type Input = Uint8Array | string;

export interface Target<T extends Input = Input> {
  readonly name: string;
  /** Inputs to begin with. */
  seeds(random: Random): readonly T[];
  change(random: Random, input: T, other: T): T;
  /** Takes it; returns in few words what came of it, undefined = nothing worth telling. Throws for a finding. */
  run(input: T): string | undefined;
}

const bytesTarget = (
  name: string,
  seeds: (random: Random) => readonly Uint8Array[],
  run: Target<Uint8Array>['run'],
): Target<Uint8Array> => ({
  name,
  seeds,
  change: mutateBytes,
  run,
});

const textTarget = (
  name: string,
  seeds: () => readonly string[],
  run: Target<string>['run'],
): Target<string> => ({
  name,
  seeds,
  change: mutateText,
  run,
});

/** The error's kind where it is one of those that callers expect. */
function expected(run: () => string | undefined, ...kinds: readonly string[]): string | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof NotificationError && kinds.includes('NotificationError')) {
      return `${error.code}/${error.subcode}`;
    }
    if (error instanceof Error && kinds.includes(error.name))
      return error.message.replace(/\d+/g, '').slice(0, 40);
    throw error;
  }
}

/** Messages with what the RFCs ask of them, recorded and crafted; none where the data is not there. */
export function corpusMessages(): Uint8Array[] {
  return ['labelled.json', 'incidents.json'].flatMap((name) => {
    const file = join(CORPUS, name);
    if (!existsSync(file)) return [];
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const texts = JSON.stringify(data).match(/"hex": ?"([0-9a-f]+)"/g) ?? [];
    return texts.map((text) => hex(text.replace(/^"hex": ?"|"$/g, '')));
  });
}

const LOCAL_OPEN = { myAs: 64_512, holdTime: 90, id: 0x0a000001, capabilities: [] } as const;
const CONTEXT: SessionContext = sessionContext({ localAs: 64_512, peerAs: AS });

function readOpen(bytes: Uint8Array, start: number, end: number): string {
  const open = decodeOpen(bytes, start, end);
  negotiate(LOCAL_OPEN, open, { peerAs: undefined, role: undefined, roleStrict: false });
  // What was understood can be said again.
  encodeOpen(open);
  return open.capabilities.map(({ kind }) => kind).join(' ');
}

function readMessages(bytes: Uint8Array): string {
  const seen: string[] = [];
  new Framer(CONTEXT.receiveLimit).push(bytes, bytes.length, (buffer, start, end, type) => {
    if (type === MESSAGE_TYPE.open) seen.push(readOpen(buffer, start, end));
    else if (type === MESSAGE_TYPE.notification) {
      const notification = decodeNotification(buffer, start, end);
      hardResetInner(notification);
      decodeShutdownText(notification.data);
      seen.push(formatNotification(notification).slice(0, 30));
    } else if (type === MESSAGE_TYPE.routeRefresh) {
      seen.push(JSON.stringify(decodeRouteRefresh(buffer, start, end, CONTEXT)).slice(0, 30));
    }
    return true;
  });
  return seen.join();
}

function netlinkSeeds(): Uint8Array[] {
  const hop = { gateway: Uint8Array.of(10, 0, 0, 1), ifindex: 2 };
  const target = {
    type: 'unicast',
    nextHops: [hop, { ifindex: 3 }],
    table: 254,
    protocol: 12,
    metric: 32,
  } as const;
  const encoded = encodeTarget(target, 4);
  const bytes = new Uint8Array(512);
  const length = encodeOperation(
    bytes,
    viewOf(bytes),
    0,
    encoded,
    1,
    4,
    Int32Array.of(0x0a000000),
    0,
    8,
    1,
    0,
  );
  const message = bytes.slice(0, length);
  const types = [2, 3, 16, 17, 20, 21, 24, 25];
  const typed = types.map((type) => {
    const one = message.slice();
    viewOf(one).setUint16(4, type, true);
    return one;
  });
  return [...typed, encodeNewNextHop(hop, 12, 1)];
}

function readNetlink(bytes: Uint8Array): string {
  const view = viewOf(bytes);
  const record = newRouteRecord();
  const seen: string[] = [];
  forEachMessage(view, bytes.length, (message) => {
    const { type, start, end } = message;
    if (type === 2 || type === 3) seen.push(String(decodeAnswer(bytes, view, message).errno));
    else if (type === 16 || type === 17) seen.push(String(decodeLink(bytes, view, start, end)?.name));
    else if (type === 20 || type === 21) seen.push(String(decodeAddress(bytes, view, start, end)?.scope));
    else if (type === 104 || type === 105) seen.push(String(decodeNextHop(bytes, view, start, end)?.id));
    else if (decodeRoute(view, start, end, record))
      seen.push(pathKey(bytes, record), decodePath(bytes, view, record).type);
  });
  return seen.join().slice(0, 30);
}

const NO_FILES = {
  read: (path: string): string => {
    throw new Error(`${path} is not there`);
  },
  list: (): string[] => [],
};
const HOST = { hostname: 'fuzz', addresses: [] };

const FILTERS = [
  'function f(int a; ip b) -> bool { if a > 3 && b ~ 10.0.0.0/8 then return true; else return false; }',
  'filter g { if net ~ [10.0.0.0/8+, 2001:db8::/32{33,48}] then { bgp_path.prepend(65000); accept; } reject; }',
  'filter h { bgp_community.add((65000, 1)); bgp_large_community.delete([(1, *, *)]); print "a", bgp_med; accept "x"; }',
  'define X = [1..5, 7]; filter i { case bgp_med { 1: accept; 2..5: reject; else: bgp_local_pref = 300; } accept; }',
  'function s(lclist l; pair p) { for int i in bgp_path do { if i = 3 then break; } return filter(l, [(1, 2, 3)]); }',
];

function grpcTargets(): Target<Uint8Array> {
  const { root } = loadSchema();
  const factory = new CodecFactory();
  const names = ['RoutesRequest', 'ExplainRequest', 'PeerActionRequest', 'NetworkSpec', 'PeersRequest'];
  const codecs = names.flatMap((name) => {
    try {
      return [factory.codec(root.lookupType(`godwit.v1.${name}`))];
    } catch {
      return [];
    }
  });
  const requests = [{ prefix: '10.0.0.0/8', longer: true }, { name: 'a', action: 'up' }, {}];
  return bytesTarget(
    'gRPC requests',
    () => codecs.flatMap((codec) => requests.map((request) => new Uint8Array(codec.encode(request)))),
    (input) =>
      // The gRPC library answers what its deserialiser throws with INTERNAL.
      expected(
        () => codecs.map((codec) => Object.keys(codec.decode(input)).join()).join(' '),
        'RangeError',
        'TypeError',
        'Error',
      ),
  );
}

export function allTargets(): readonly Target[] {
  const targets = [
    bytesTarget(
      'messages',
      (random) => [...corpusMessages(), ...Array.from({ length: POOL }, () => drawMessage(random, AS))],
      (input) => expected(() => readMessages(input), 'NotificationError'),
    ),
    {
      ...bytesTarget(
        'OPEN',
        (random) => Array.from({ length: POOL }, () => drawOpen(random, AS, 0x0a000002)),
        (input) => expected(() => readMessages(input), 'NotificationError'),
      ),
      change: mutateMessage,
    },
    decodeTarget(),
    relayTarget('UPDATE, external', AS),
    relayTarget('UPDATE, internal', undefined),
    textTarget('YAML configuration', yamlSeeds, (text) => {
      const result = parseConfig(text, 'godwit.yaml', {}, NO_FILES.read, HOST);
      return result.ok ? 'ok' : result.issues[0]?.message.replace(/".*?"|\d+/g, '').slice(0, 40);
    }),
    textTarget(
      'BIRD configuration',
      () => SAMPLES.map(({ text }) => text),
      (text) => {
        const result = loadBird(text, 'bird.conf', NO_FILES, HOST);
        return result.ok ? 'ok' : result.issues[0]?.message.replace(/".*?"|\d+/g, '').slice(0, 40);
      },
    ),
    textTarget(
      'filters',
      () => FILTERS,
      (text) => {
        const { diagnostics } = lab(text);
        return diagnostics.hasErrors ? 'errors' : 'ok';
      },
    ),
    bytesTarget('netlink', netlinkSeeds, readNetlink),
    bytesTarget(
      'BFD packets',
      (random) => Array.from({ length: 20 }, () => drawBytes(random, 60)),
      (input) => decodePacket(viewOf(input), 0, input.length, emptyPacket()),
    ),
    bytesTarget('words of RPKI caches', rtrStreams, hearRtr),
    grpcTargets(),
    textTarget(
      'addresses',
      () => ['10.0.0.0/8', '2001:db8::1%eth0', '::ffff:1.2.3.4', '10.0.0.1', '0.0.0.0/0'],
      (text) =>
        [parseAddress(text), parsePrefix(text), parsePrefix(text, true), parseQuad(text)]
          .map((each) => typeof each)
          .join(),
    ),
  ];
  return targets as unknown as readonly Target[];
}

/** What may have been agreed with a peer, as far as it changes how UPDATEs are read. */
const AGREED: readonly Partial<SessionContext>[] = [
  { peerType: 'external', peerAs: AS },
  { peerType: 'internal', peerAs: 64_512 },
  { peerType: 'external', peerAs: AS, as4: false },
  { peerType: 'internal', peerAs: 64_512, addPathReceive: ALL_FAMILIES, extendedNextHop: ALL_FAMILIES },
];

/** Decoding alone, which is fast enough for very many. */
function decodeTarget(): Target<Uint8Array> {
  const scratch = new DecodeScratch();
  const decoders = AGREED.map((agreed) => {
    const context = sessionContext({ localAs: 64_512, ...agreed });
    return new UpdateDecoder(context, { aigp: true, enforceFirstAs: true }, scratch);
  });
  return {
    name: 'UPDATE, decoded',
    seeds: (random) => updateSeeds(random, AS),
    change: mutateMessage,
    run(input) {
      // To note where an error was made takes longer than all else; a finding is found again by its input.
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 0;
      try {
        return decoders
          .map((decoder) => expected(() => readUpdate(decoder, input), 'NotificationError'))
          .join();
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
      }
    },
  };
}

/** What is understood is well-formed: nothing points outside, and a set that is to be kept can be read again. */
function readUpdate(decoder: UpdateDecoder, bytes: Uint8Array): string {
  const update = decoder.decode(bytes, 0, bytes.length);
  const { announced, withdrawn, attributes, attributesLength, treatAsWithdraw, issues } = update;
  if (attributesLength > attributes.length) throw new Error('attributes beyond their buffer');
  for (const { count, lengths, family } of [...announced, ...withdrawn]) {
    const longest = family.words * BITS_PER_WORD;
    for (let i = 0; i < count; i++)
      if (lengths[i]! > longest) throw new Error(`a prefix of ${lengths[i]} bits`);
  }
  if (announced.length > 0 && !treatAsWithdraw) decodeAttributes(attributes.subarray(0, attributesLength));
  return `${treatAsWithdraw ? 'w' : 'a'}${issues.length}`;
}

function updateSeeds(random: Random, as: number | undefined): Uint8Array[] {
  return [...corpusMessages(), ...Array.from({ length: POOL }, () => drawMessage(random, as))].filter(
    (bytes) => bytes[18] === MESSAGE_TYPE.update,
  );
}

function relayTarget(name: string, as: number | undefined): Target<Uint8Array> {
  let relay = new Relay(as);
  let count = 0;
  return {
    name,
    seeds: (random) => updateSeeds(random, as),
    change: mutateMessage,
    run(input) {
      if (++count % 20_000 === 0) {
        relay.end();
        relay = new Relay(as);
      }
      return relay.pass(input);
    },
  };
}

function yamlSeeds(): string[] {
  return readdirSync(EXAMPLES)
    .filter((name) => name.endsWith('.yaml') && name !== 'simulation.yaml')
    .map((name) => readFileSync(join(EXAMPLES, name), 'utf8'));
}

/** Draws, changes and runs inputs of one target; what gave something new is changed further. */
export class Fuzzer {
  readonly target: Target;
  readonly #random: Random;
  readonly #pool: Input[];
  readonly #seen = new Set<string>();
  /** The input of the last step. */
  last: Input = '';
  steps = 0;

  constructor(target: Target, random: Random) {
    this.target = target;
    this.#random = random;
    this.#pool = [...target.seeds(random)];
  }

  /** One input; throws what the target throws. */
  step(): void {
    const random = this.#random;
    const input = drawOne(random, this.#pool);
    this.last = drawTrue(random, 0.02)
      ? input
      : this.target.change(random, input, drawOne(random, this.#pool));
    this.steps++;
    const outcome = this.target.run(this.last);
    if (outcome === undefined || this.#seen.size > 2000 || this.#seen.has(outcome)) return;
    this.#seen.add(outcome);
    this.#pool.push(this.last);
  }

  /** The last input, to be run again. */
  get reproduction(): string {
    const { last } = this;
    return typeof last === 'string' ? JSON.stringify(last) : Buffer.from(last).toString('hex');
  }
}
