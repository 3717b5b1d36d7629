// `godwit events`: from the daemon, until interrupted with --follow; or from a journal's file, which needs no daemon.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { COMMANDS } from '../control/commands.ts';
import type { EventsRequest } from '../control/protocol.ts';
import { sinceMoment } from '../control/requests.ts';
import { errorText } from '../lib/error-text.ts';
import { type JournalEntry, parseEntryLine, wanted } from '../speaker/api/journal.ts';
import type { Action } from './actions.ts';
import { EXIT, ExitError } from './exit-codes.ts';
import { renderEvent } from './render/events.ts';
import { lookOf } from './render/style.ts';
import type { Terminal } from './terminal.ts';

export const eventsAction: Action<EventsRequest> = {
  options: [
    ['--follow', 'go on with events as they happen, until interrupted'],
    ['--file <FILE>', 'read this journal instead of asking the daemon'],
  ],
  async offline(terminal, request, json, { file }) {
    if (typeof file !== 'string') return false;
    await replay(file, terminal, request, json);
    return true;
  },
  async run({ terminal, client, json, extras }, request) {
    const show = writer(terminal, json);
    if (extras['follow'] === true) {
      const events = client.watch(COMMANDS.watchEvents, request, terminal.interrupted);
      for await (const entry of events) await show(entry);
      return;
    }
    let count = 0;
    for await (const entry of client.list(COMMANDS.events, request)) {
      count++;
      await show(entry);
    }
    if (count === 0 && !json) await terminal.write('There are no such events.\n');
  },
};

function writer(terminal: Terminal, json: boolean): (entry: JournalEntry) => Promise<void> {
  const look = lookOf(terminal);
  return (entry) => terminal.write(json ? `${JSON.stringify(entry)}\n` : renderEvent(entry, look));
}

/** Lines that are no entries (a crash may have cut one off) are passed over, and counted at the end. */
async function replay(
  file: string,
  terminal: Terminal,
  request: EventsRequest,
  json: boolean,
): Promise<void> {
  const query = {
    ...(request.peer !== undefined && { peer: request.peer }),
    ...(request.since !== undefined && { since: sinceMoment(request.since, terminal.now()) }),
  };
  const show = writer(terminal, json);
  const input = createReadStream(file, 'utf8');
  const opened = new Promise<void>((resolve, reject) => {
    input.once('open', () => resolve());
    input.once('error', reject);
  });
  await opened.catch((error: unknown) => {
    throw new ExitError(EXIT.failed, `${file} cannot be read: ${errorText(error)}`);
  });
  let bad = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const entry = parseEntryLine(line);
    if (entry === undefined) bad++;
    else if (wanted(query, entry)) await show(entry);
  }
  if (bad > 0) terminal.warn(`godwit: ${bad} lines of ${file} are no events.`);
}
