// One connection's queue, apart from what is said over it.

import { expect, it } from 'vitest';
import { Connection } from '../../../src/bgp/session/connection.ts';
import { MessageCounters } from '../../../src/bgp/session/counters.ts';
import { MessageTape } from '../../../src/bgp/session/message-tape.ts';
import type { TransportSocket } from '../../../src/bgp/session/transport.ts';
import { giveMemoryBack } from '../../../src/lib/idle-memory.ts';
import { SimClock } from '../../../src/sim/clock.ts';
import { ip } from './harness.ts';

/** More chunks than one write takes. */
const CHUNKS = 600;

it('lets go of what was written while more waits all the time', async () => {
  const clock = new SimClock();
  let taken = () => {};
  const end = { address: ip('10.0.0.1'), port: 179 };
  const socket: TransportSocket = {
    local: end,
    remote: end,
    attach() {},
    configure() {},
    write: (_chunks, done) => {
      taken = done;
    },
    pause() {},
    resume() {},
    end() {},
    destroy() {},
  };
  const handlers = {
    onConnect() {},
    onMessage: () => true,
    onError() {},
    onDrain() {},
    onLost() {},
    onSendStalled() {},
  };
  const connection = new Connection({
    clock,
    counters: new MessageCounters(),
    handlers,
    initiator: 'remote',
    tape: new MessageTape(clock),
    sendHoldMs: 0,
  });
  connection.adopt(socket);
  const written: WeakRef<Uint8Array>[] = [];
  for (let round = 0; round < 20; round++) {
    const chunks = Array.from({ length: CHUNKS }, () => new Uint8Array(23));
    if (round < 10) written.push(...chunks.map((chunk) => new WeakRef(chunk)));
    connection.send(chunks);
    taken();
  }
  expect(connection.queuedBytes).toBeGreaterThan(0);
  await new Promise((resolve) => setImmediate(resolve));
  giveMemoryBack();
  expect(written.filter((chunk) => chunk.deref() !== undefined)).toHaveLength(0);
});
