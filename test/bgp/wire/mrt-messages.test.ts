// Records of messages and states: octets as BIRD 2.0.12 writes them, and everything that is written can be read by the
// reader of the bench.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bgp4mpMessage, type Bgp4mpStateChange, decodeBgp4mp } from '../../../bench/mrt/bgp4mp.ts';
import { RecordCutter } from '../../../bench/mrt/records.ts';
import { writeHeader } from '../../../src/bgp/wire/header.ts';
import { MESSAGE_TYPE } from '../../../src/bgp/wire/iana.ts';
import {
  encodeMrtMessage,
  encodeMrtStateChange,
  type MrtSession,
} from '../../../src/bgp/wire/mrt-messages.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const TIME = 0x6b025d00;
const SESSION: MrtSession = {
  peerAs: 65002,
  localAs: 65001,
  ifindex: 2,
  peerAddress: Uint8Array.of(192, 0, 2, 2),
  localAddress: Uint8Array.of(192, 0, 2, 1),
};
const SESSION_HEX = '0000fdea0000fde900020001c0000202c0000201';

function message(...body: number[]): Uint8Array {
  const octets = Uint8Array.of(...new Array<number>(19).fill(0), ...body);
  writeHeader(octets, 0, octets.length, MESSAGE_TYPE.update);
  return octets;
}

describe('records of messages', () => {
  it('6396-4.4.3-1: has a state change as BIRD does', () => {
    expect(hex(encodeMrtStateChange(TIME, SESSION, 2, 4))).toBe(
      `6b025d000010000500000018${SESSION_HEX}00020004`,
    );
  });

  it('6396-4.4.3-1: has a whole message with ASes of 4 octets as BIRD does', () => {
    const end = message(0, 0, 0, 0);
    expect(hex(encodeMrtMessage(TIME, SESSION, { as4: true, addPath: false }, end))).toBe(
      `6b025d00001000040000002b${SESSION_HEX}${'ff'.repeat(16)}00170200000000`,
    );
  });

  it('names an AS that does not fit into 2 octets as OPENs do', () => {
    const session = { ...SESSION, peerAs: 4_200_000_000 };
    const record = encodeMrtMessage(TIME, session, { as4: false, addPath: false }, message(0, 0, 0, 0));
    expect(hex(record).slice(24, 32)).toBe('5ba0fde9');
  });

  it('8050-3-1: tells messages with path identifiers from others, and reads back', () => {
    const as = fc.integer({ min: 1, max: 0xffff });
    const address = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const sessions = fc.constantFrom(4, 16).chain((length) =>
      fc.record({
        peerAs: as,
        localAs: as,
        ifindex: fc.integer({ min: 0, max: 0xffff }),
        peerAddress: address(length),
        localAddress: address(length),
      }),
    );
    const forms = fc.record({ as4: fc.boolean(), addPath: fc.boolean() });
    const states = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(sessions, forms, states, states, fc.uint8Array({ maxLength: 50 }), (...given) => {
        const [session, form, before, after, body] = given;
        const octets = message(...body);
        const seen: Bgp4mpMessage[] = [];
        const changes: Bgp4mpStateChange[] = [];
        const chunk = Buffer.concat([
          encodeMrtMessage(TIME, session, form, octets),
          encodeMrtStateChange(TIME, session, before, after),
        ]);
        new RecordCutter().push(chunk, (record) => {
          decodeBgp4mp(record, {
            onMessage: (each) => seen.push({ ...each, message: each.message.slice() }),
            onStateChange: (each) => changes.push({ ...each }),
          });
        });
        expect(seen).toMatchObject([{ timestamp: TIME, localAs: session.localAs, ...form }]);
        expect(hex(seen[0]!.message)).toBe(hex(octets));
        expect(seen[0]!.peer.asn).toBe(session.peerAs);
        expect(changes).toMatchObject([{ oldState: before, newState: after }]);
      }),
    );
  });
});
