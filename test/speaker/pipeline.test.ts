// How much is read at once: the pipeline with a real RIB, and a session that only remembers whether it may go on.

import { describe, expect, it } from 'vitest';
import { encodeAttributes } from '../../src/bgp/wire/attribute-values.ts';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { Framer } from '../../src/bgp/wire/framing.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/bgp/wire/header.ts';
import { UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { UpdateWriter } from '../../src/bgp/wire/update-writer.ts';
import { octetsOf } from '../../src/lib/bytes.ts';
import { Scheduler } from '../../src/lib/scheduler.ts';
import { Rib } from '../../src/rib/rib.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { madeUpSource, peerAddress, peerAs, sessionContext } from '../../src/speaker/bare-speaker.ts';
import { Pipeline } from '../../src/speaker/pipeline.ts';
import { DECISION, exportOptions, importOptions } from '../rib/lab.ts';

const ROUTES = 60_000;

function table(): Uint8Array {
  const writer = new UpdateWriter({
    family: IPV4_UNICAST,
    as4: true,
    addPath: false,
    messageLimit: MAX_MESSAGE_LENGTH,
    extendedNextHop: false,
  });
  const attributes = encodeAttributes({ asPath: String(peerAs(0)) });
  writer.startAnnounce(octetsOf(attributes), 0, attributes.length, peerAddress(0), 4);
  const words = Int32Array.from({ length: ROUTES }, (_, i) => 0x0a000000 + (i << 8));
  for (let i = 0; i < ROUTES; i++) writer.addPrefix(words, i, 24, 0);
  return writer.detach();
}

function setUp() {
  const clock = new SimClock();
  const turns: (() => void)[] = [];
  const defer = (fn: () => void) => void turns.push(fn);
  const scheduler = new Scheduler(clock, { defer });
  const rib = new Rib(
    { own: { routerId: 1, clusterIds: [1] }, decision: DECISION, defaultLocalPref: 100, rows: 64 },
    { clock, scheduler },
  );
  const pipeline = new Pipeline(rib, clock, defer);
  const peer = (number: number) =>
    rib.addPeer(
      {
        name: `peer ${number}`,
        source: 'external',
        routerId: 2 + number,
        address: peerAddress(number),
        client: false,
        zone: undefined,
      },
      importOptions({ peerAs: peerAs(number) }),
    );
  const session = {
    reading: true,
    pauseReading() {
      this.reading = false;
    },
    resumeReading() {
      this.reading = true;
    },
  };
  const decoder = new UpdateDecoder(sessionContext(0));
  const source = madeUpSource({ session, ribPeer: peer(0), decoder, clock });
  const sink = { send: () => true, congested: false };
  rib.groups[IPV4_UNICAST.id]!.join(exportOptions(), { peer: peer(1), sink });
  const turn = () => {
    for (const next of turns.splice(0)) next();
  };
  /** Delivers messages as long as the session reads; turns go by when it does not. Returns the largest backlog. */
  const deliver = (stream: Uint8Array, whenPaused: () => void): number => {
    let largest = 0;
    new Framer(MAX_MESSAGE_LENGTH).push(stream, stream.length, (buffer, start, end) => {
      if (!session.reading) whenPaused();
      pipeline.receive(source, buffer, start, end);
      largest = Math.max(largest, rib.backlog);
      return true;
    });
    return largest;
  };
  return { rib, session, turn, deliver };
}

describe('reading', () => {
  it('stops while many routes wait to be decided and sent, and goes on when half of them are done', () => {
    const { rib, session, turn, deliver } = setUp();
    const resumedAt: number[] = [];
    const largest = deliver(table(), () => {
      while (!session.reading) turn();
      resumedAt.push(rib.backlog);
    });
    expect(largest).toBeGreaterThanOrEqual(1 << 14);
    // One message more than the limit.
    expect(largest).toBeLessThan((1 << 14) + MAX_MESSAGE_LENGTH);
    expect(resumedAt.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...resumedAt)).toBeLessThan(1 << 13);
    while (!rib.idle) turn();
    expect(rib.families[IPV4_UNICAST.id]!.locRib.size).toBe(ROUTES);
  });

  it('does not stop for routes that wait for others: a restart needs all of them', () => {
    const { rib, session, turn, deliver } = setUp();
    rib.defer(IPV4_UNICAST.id);
    expect(deliver(table(), () => expect(session.reading).toBe(true))).toBe(0);
    rib.release(IPV4_UNICAST.id);
    while (!rib.idle) turn();
    expect(rib.families[IPV4_UNICAST.id]!.locRib.size).toBe(ROUTES);
  });
});
