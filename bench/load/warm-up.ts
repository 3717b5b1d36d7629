// What the load sends looks much like what it will receive: reading some of it beforehand has V8 compile the readers
// before the clock starts, so that it is the daemon that is measured.

import { viewOf } from '../../src/lib/bytes.ts';
import { forEachMessage } from '../mrt/update-message.ts';
import { Sink } from './sink.ts';
import type { UpdateReader } from './update-reader.ts';

/** Some tens of milliseconds. */
const OCTETS = 2_000_000;
/** One hears what the other has heard. */
const RECEIVERS = 2;

/** `count`: routes of the table. */
export function warmUp(reader: UpdateReader, count: number, streams: readonly Uint8Array[]): void {
  const sinks = Array.from(
    { length: RECEIVERS },
    () => new Sink(count, { from: 0, to: count, own: undefined }),
  );
  let left = streams.some((stream) => stream.length > 0) ? OCTETS : 0;
  while (left > 0) {
    for (const stream of streams) {
      forEachMessage(stream.subarray(0, Math.max(0, left)), (message) => {
        const view = viewOf(message);
        for (const sink of sinks) sink.update(reader.read(view, 0, message.length));
      });
      left -= stream.length;
    }
  }
}
