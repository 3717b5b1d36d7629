// A reply on its way to a client: made in slices of a few milliseconds with the rest of the daemon's work between
// them, and only as fast as the client reads, so that a long table costs neither the loop nor memory.

import { type Line, type Reply, ReplyFramer } from './reply.ts';

/** Where text goes: the writable half of a connection. */
export interface Outlet {
  /** Returns false when the next text should wait. */
  write(text: string): boolean;
  onceDrained(resume: () => void): void;
}

export interface ReplyPumpOptions {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs a function in a later turn of the event loop. */
  defer(fn: () => void): void;
  /** Milliseconds of work between two turns. */
  sliceMs: number;
  /** Characters of one write, about. */
  batchSize: number;
}

/**
 * Sends a reply; `done` is called when it is on its way as a whole. Where making it fails, `failure` gives the line
 * that ends what was sent so far. Returns the function that stops it without calling `done`.
 */
export function pumpReply(
  reply: Reply,
  outlet: Outlet,
  options: ReplyPumpOptions,
  handlers: { readonly done: () => void; readonly failure: (error: unknown) => Line },
): () => void {
  const framer = new ReplyFramer();
  const run = { stopped: false };
  const finish = (text: string): void => {
    if (run.stopped) return;
    run.stopped = true;
    outlet.write(text);
    handlers.done();
  };
  const fail = (error: unknown, text = ''): void => {
    const ending = framer.push(handlers.failure(error));
    finish(text + ending + framer.end());
  };
  if (Symbol.asyncIterator in reply) {
    sendSlowly(reply, framer, outlet, run).then(() => finish(framer.end()), fail);
    return () => {
      run.stopped = true;
    };
  }
  const iterator = reply[Symbol.iterator]();
  const slice = (): void => {
    if (run.stopped) return;
    let text = '';
    try {
      const deadline = options.now() + options.sliceMs;
      while (text.length < options.batchSize && options.now() < deadline) {
        const next = iterator.next();
        if (next.done === true) {
          finish(text + framer.end());
          return;
        }
        if (next.value !== undefined) text += framer.push(next.value);
      }
    } catch (error) {
      fail(error, text);
      return;
    }
    if (text === '' || outlet.write(text)) options.defer(slice);
    else outlet.onceDrained(() => options.defer(slice));
  };
  slice();
  return () => {
    if (run.stopped) return;
    run.stopped = true;
    iterator.return?.();
  };
}

/** Replies that wait for something have few lines. */
async function sendSlowly(
  reply: AsyncIterable<Line | undefined>,
  framer: ReplyFramer,
  outlet: Outlet,
  run: { stopped: boolean },
): Promise<void> {
  for await (const next of reply) {
    if (run.stopped) return;
    const text = next === undefined ? '' : framer.push(next);
    if (text !== '' && !outlet.write(text)) {
      await new Promise<void>((resume) => {
        outlet.onceDrained(resume);
      });
    }
  }
}
