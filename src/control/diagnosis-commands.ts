// Rows of the command table about what went wrong: the journal's events, and the messages of a peer.

import { systemClock } from '../lib/clock.ts';
import type { ArgumentSpec } from './arguments.ts';
import * as args from './arguments.ts';
import type { ListCommand, WatchCommand } from './commands.ts';
import type {
  EventsRequest,
  JournalEntry,
  MessagesRequest,
  MessageView,
  WatchMessagesRequest,
} from './protocol.ts';
import { eventsQuery, peerNameOf } from './requests.ts';

const eventArguments: readonly ArgumentSpec[] = [
  args.option('peer', '--peer', 'PEER', 'only what is about this peer', 'peer'),
  args.option('since', '--since', 'TIME', 'not older than 90s, 10m, 2h, 1d, or a date'),
];

export const events: ListCommand<EventsRequest, JournalEntry> = {
  name: 'events',
  method: 'ListEvents',
  kind: 'list',
  batch: 'events',
  help: 'what happened: sessions, configuration, kernel, restarts, BFD',
  args: eventArguments,
  run: (api, request) => api.events(eventsQuery(api, request, systemClock.wallTime())),
};

export const watchEvents: WatchCommand<EventsRequest, JournalEntry> = {
  name: 'watch events',
  method: 'WatchEvents',
  kind: 'watch',
  help: 'a line for every event, until interrupted',
  args: eventArguments,
  // Every event counts.
  keyOf: (entry) => String(entry.seq),
  run(api, request, listener) {
    const query = eventsQuery(api, request, systemClock.wallTime());
    if (request.since !== undefined) for (const entry of api.events(query)) listener(entry);
    return api.watchEvents(query, listener);
  },
};

export const showMessages: ListCommand<MessagesRequest, MessageView> = {
  name: 'show messages',
  method: 'ListMessages',
  kind: 'list',
  batch: 'messages',
  help: 'the last messages of a peer, as they were on the wire',
  args: [args.peerName],
  run: (api, request) => api.messages(peerNameOf(api, request.name)),
};

export const watchMessages: WatchCommand<WatchMessagesRequest, MessageView> = {
  name: 'watch messages',
  method: 'WatchMessages',
  kind: 'watch',
  help: 'every message of a peer as it is sent and received, until interrupted',
  args: [args.peerName, args.flag('includeCurrent', '--current', 'show the last messages first')],
  // Every message counts.
  keyOf: ({ seq }) => String(seq),
  sizeOf: ({ octets }) => octets.length,
  run(api, request, listener) {
    const name = peerNameOf(api, request.name);
    if (request.includeCurrent === true) for (const message of api.messages(name)) listener(message);
    return api.watchMessages(name, listener);
  },
};
