// Recorded and crafted messages with what the RFCs ask of each: ../shared/data/corpus, skipped where it is absent.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Framer } from '../../../src/bgp/wire/framing.ts';
import { negotiate } from '../../../src/bgp/wire/negotiate.ts';
import {
  decodeNotification,
  formatNotification,
  NotificationError,
} from '../../../src/bgp/wire/notification.ts';
import { decodeOpen } from '../../../src/bgp/wire/open.ts';
import { decodeRouteRefresh } from '../../../src/bgp/wire/route-refresh.ts';
import type { SessionContext } from '../../../src/bgp/wire/session-context.ts';
import { type DecodeOptions, UpdateDecoder } from '../../../src/bgp/wire/update-decoder.ts';
import { hex, sessionContext, toHexString } from '../../support/wire.ts';

const CORPUS = new URL('../../../../shared/data/corpus/', import.meta.url);

function load<T>(name: string): T | undefined {
  const file = new URL(name, CORPUS);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

type Notify = [number, number];

interface Expectation {
  action: string;
  notify?: Notify;
  notify_any_of?: Notify[];
  data?: string;
  data_any_of?: string[];
  propagate?: string;
}

/** What this speaker does with a message: the action, and its NOTIFICATION where it sends one. */
interface Outcome {
  action: string;
  notify?: Notify;
  data?: string;
  /** Canonical octets of the announced routes. */
  set?: string;
}

const LOCAL = { myAs: 65000, holdTime: 90, id: 0x0a00000b, capabilities: [] } as const;

function outcomeOf(bytes: Uint8Array, context: SessionContext, options: DecodeOptions = {}): Outcome {
  let outcome: Outcome = { action: 'incomplete' };
  try {
    new Framer(context.receiveLimit).push(bytes, bytes.length, (buffer, start, end, type) => {
      outcome = handle(buffer.subarray(start, end), type, context, options);
      return true;
    });
  } catch (error) {
    if (!(error instanceof NotificationError)) throw error;
    return { action: 'session-reset', notify: [error.code, error.subcode], data: toHexString(error.data) };
  }
  return outcome;
}

function handle(buffer: Uint8Array, type: number, context: SessionContext, options: DecodeOptions): Outcome {
  const [start, end] = [0, buffer.length];
  if (type === 1) {
    const open = decodeOpen(buffer, start, end);
    negotiate({ ...LOCAL, myAs: context.localAs }, open, { peerAs: context.peerAs });
    const malformed = open.capabilities.some((c) => c.kind === 'unknown' && c.malformed);
    return { action: malformed ? 'ignore-capability' : 'accept' };
  }
  if (type === 3) {
    expect(formatNotification(decodeNotification(buffer, start, end))).not.toBe('');
    return { action: 'close-silently' };
  }
  if (type === 5) {
    decodeRouteRefresh(buffer, start, end, context);
    return { action: 'accept' };
  }
  if (type === 4) return { action: 'accept' };
  const update = new UpdateDecoder(context, options).decode(buffer, start, end);
  const set = toHexString(update.attributes.subarray(0, update.attributesLength));
  if (update.treatAsWithdraw) return { action: 'treat-as-withdraw', set };
  const discarded = update.issues.some((issue) => issue.action === 'attribute-discard');
  return { action: discarded ? 'attribute-discard' : 'accept', set };
}

const incidents = load<{ cases: { id: string; stage: string; hex: string; expect: Expectation }[] }>(
  'incidents.json',
);

/** Actions of this layer that fulfil one of the corpus; what the layers above decide counts as accepted here. */
const FULFILS: Readonly<Record<string, readonly string[]>> = {
  accept: ['accept', 'attribute-discard'],
  'accept-or-reset': ['accept'],
  'accept-or-ignore': ['accept'],
  'accept-or-withdraw': ['accept', 'treat-as-withdraw'],
  'loop-ignore': ['accept'],
  ignore: ['accept'],
  'attribute-discard': ['attribute-discard'],
  'treat-as-withdraw': ['treat-as-withdraw'],
  'close-silently': ['close-silently'],
  'ignore-capability-or-reset': ['accept', 'ignore-capability'],
};

/** Where this speaker differs on purpose. */
const INCIDENT_EXCEPTIONS: Readonly<Record<string, string>> = {
  // RFC 9774 is implemented; the corpus names the RFC 4271 outcome.
  'as-set-from-ebgp': 'treat-as-withdraw',
};

/** Decided by the state machine, whatever the message holds. */
const STATE_MACHINE = [
  'open-in-established',
  'update-before-open',
  'keepalive-before-open',
  'rr-before-open',
];

describe.skipIf(incidents === undefined)('incidents (../shared/data/corpus/incidents.json)', () => {
  for (const { id, hex: text, expect: wanted } of incidents?.cases ?? []) {
    if (STATE_MACHINE.includes(id)) continue;
    test(`${id}: ${wanted.action}`, () => {
      const context = sessionContext({ localAs: 65000, peerAs: claimedAs(id) });
      const outcome = outcomeOf(hex(text), context);
      const exception = INCIDENT_EXCEPTIONS[id];
      if (exception !== undefined) {
        expect(outcome.action).toBe(exception);
        return;
      }
      if (outcome.action === 'session-reset') {
        const allowed = wanted.notify === undefined ? (wanted.notify_any_of ?? []) : [wanted.notify];
        expect(allowed).toContainEqual(outcome.notify);
        const data = wanted.data === undefined ? wanted.data_any_of : [wanted.data];
        if (data !== undefined) expect(data).toContain(outcome.data);
        return;
      }
      expect(FULFILS[wanted.action] ?? []).toContain(outcome.action);
      checkPropagation(wanted.propagate, outcome.set ?? '');
    });
  }
});

/** The AS the crafted session was configured with. */
function claimedAs(id: string): number {
  return id.startsWith('CVE-2022') ? 0xdead : 65001;
}

/** `attr 242 kept, Partial set`, `attr 241 dropped`: what the canonical set must hold. */
function checkPropagation(text: string | undefined, set: string): void {
  const match = /^attr (\d+) (kept|unchanged|dropped)/.exec(text ?? '');
  if (match === null) return;
  const type = Number(match[1]).toString(16).padStart(2, '0');
  const partial = new RegExp(`(e0|f0)${type}`);
  if (match[2] === 'dropped') expect(set).not.toMatch(new RegExp(`[0-9a-f]0${type}01`));
  else expect(set).toMatch(partial);
}

interface Labelled {
  source: string;
  stage: string;
  type: number;
  hex: string;
  context: { as4?: boolean; peer?: string };
  expect: Expectation;
  confidence: string;
}

const labelled = load<Labelled[]>('labelled.json');

/**
 * Labels that the RFCs of today contradict, by the hexadecimal after the marker. Each with what holds instead.
 */
const LABEL_EXCEPTIONS: Readonly<Record<string, { outcome: string; why: string }>> = {
  '001d0104fc0000b4e000000100': { outcome: 'accept', why: 'RFC 6286 §2.1: any non-zero identifier' },
  '0015020000': { outcome: '1/2', why: 'RFC 4271 §6.1: an UPDATE under 23 octets' },
  '00170200020000': { outcome: '3/1', why: 'RFC 7606 §3 (b)' },
  '0021020000000a50110006050100001234': {
    outcome: 'attribute-discard',
    why: 'RFC 6793 §4.1: AS4_PATH between new speakers',
  },
  '0021020000000a50110006020200001234': {
    outcome: 'attribute-discard',
    why: 'RFC 6793 §4.1: AS4_PATH between new speakers',
  },
  '001f0200000008800e050001040000': { outcome: 'accept', why: 'a family that was not negotiated is ignored' },
  '0025020000000ec0010100400304c0a80164400200': {
    outcome: '3/4',
    why: 'RFC 7606 §5.2: no NLRI beside the wrong flags',
  },
  '0020ffffffffffffffffffffffffffff': { outcome: '1/3', why: 'octets for a framer, no message' },
  '001c050005080a10c0a80000': { outcome: 'accept', why: 'RFC 2918: ROUTE-REFRESH is known here' },
  '0049020000003240010100400200400304aaaaaaaa40050400000064800e1a00020104aaaaaaaa0080deadbeefdeadbeefdeadbeefdeadbeef':
    { outcome: '3/9', why: 'RFC 2545 §3: an IPv6 next hop has 16 or 32 octets' },
  '004e0200000037400101014002060101000080a640050400000064900e001f0001041020010db80000000000000000000000010047000050000041040506':
    { outcome: 'accept', why: 'a family that was not negotiated is ignored' },
  '001d0200000006800f03000104': { outcome: 'accept', why: 'a family that was not negotiated is ignored' },
};

/** Flags that RFC 4271 §4.3 does not allow: well-known attributes without the Transitive bit, unknown ones without
 *  the Optional bit. The sources' parsers did not look. */
const WRONG_FLAGS = /^(bio-routing.*TestDecodeUpdateMsg|Exa-Networks.*conf-generic-attribute)/;

/** What was agreed on the session that a message comes from, where it shows in the message's encoding. */
function negotiated(source: string): Partial<SessionContext> {
  if (/PathId|path-information/.test(source)) return { addPathReceive: 1 };
  return /extended-nexthop/.test(source) ? { extendedNextHop: 3 } : {};
}

function labelOutcome(entry: Labelled): Outcome {
  const internal = entry.context.peer !== 'ebgp';
  const bytes = hex(entry.hex);
  const as = entry.type === 1 && bytes.length > 21 ? (bytes[20]! << 8) | bytes[21]! : 65533;
  const context = sessionContext({
    peerType: internal ? 'internal' : 'external',
    localAs: internal ? as : 64999,
    peerAs: as,
    as4: entry.context.as4 ?? true,
    receiveLimit: 65535,
    ...negotiated(entry.source),
  });
  return outcomeOf(bytes, context, { acceptAsSets: true });
}

function shown(outcome: Outcome): string {
  return outcome.notify === undefined ? outcome.action : outcome.notify.join('/');
}

describe.skipIf(labelled === undefined)('labelled messages (../shared/data/corpus/labelled.json)', () => {
  test('session resets, with code, subcode and data', () => {
    let count = 0;
    for (const entry of labelled ?? []) {
      if (entry.expect.action !== 'session-reset') continue;
      count++;
      const outcome = labelOutcome(entry);
      const key = entry.hex.slice(32);
      const exception = LABEL_EXCEPTIONS[key];
      const got = shown(outcome);
      if (exception !== undefined) {
        expect([key, got]).toEqual([key, exception.outcome]);
        continue;
      }
      const allowed = entry.expect.notify === undefined ? entry.expect.notify_any_of! : [entry.expect.notify];
      expect([key, allowed.map((one) => one.join('/'))]).toEqual([key, expect.arrayContaining([got])]);
      if (entry.expect.data !== undefined && entry.expect.data !== '') {
        expect([key, outcome.data]).toEqual([key, entry.expect.data]);
      }
    }
    expect(count).toBeGreaterThan(20);
  });

  test('RFC 7606 outcomes', () => {
    const entries = (labelled ?? []).filter(({ expect: e }) => /withdraw|discard|disable/.test(e.action));
    expect(entries).toHaveLength(5);
    for (const entry of entries) {
      const outcome = labelOutcome(entry);
      const exception = LABEL_EXCEPTIONS[entry.hex.slice(32)];
      if (exception !== undefined) expect(shown(outcome)).toBe(exception.outcome);
      else expect(entry.expect.action).toContain(outcome.action);
    }
  });

  test('messages that parse: no session is reset over them', () => {
    const failures: string[] = [];
    let count = 0;
    for (const entry of labelled ?? []) {
      if (entry.expect.action !== 'parse-ok' && entry.expect.action !== 'decode') continue;
      // Fragments without a header are of no use here.
      if (!entry.hex.startsWith('f'.repeat(32))) continue;
      count++;
      const outcome = labelOutcome(entry);
      const exception = LABEL_EXCEPTIONS[entry.hex.slice(32)];
      if (exception !== undefined) {
        expect(shown(outcome)).toBe(exception.outcome);
        continue;
      }
      if (WRONG_FLAGS.test(entry.source) && /^3\/[24]$/.test(shown(outcome))) continue;
      if (outcome.action === 'session-reset' || outcome.action === 'incomplete') {
        failures.push(
          `${entry.source} ${entry.hex.slice(32, 240)} -> ${outcome.notify?.join('/') ?? outcome.action}`,
        );
      }
    }
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(150);
  });

  test('messages that do not parse: an error or a withdrawal', () => {
    const harmless: string[] = [];
    for (const entry of labelled ?? []) {
      if (entry.expect.action !== 'parse-error') continue;
      const { action } = labelOutcome(entry);
      if (action === 'accept' && LABEL_EXCEPTIONS[entry.hex.slice(32)] === undefined)
        harmless.push(entry.hex.slice(32));
    }
    expect(harmless).toEqual([]);
  });
});
