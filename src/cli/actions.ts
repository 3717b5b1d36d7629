// What the command line does with each row of the command table: call the daemon, and show the reply as a person
// or a script wants it. One entry a command; a command without an entry does not compile.

import { resolve } from 'node:path';
import { COMMANDS, type ListCommand, type UnaryCommand, type WatchCommand } from '../control/commands.ts';
import type { ControlClient } from '../control/grpc/client.ts';
import type {
  ImpactRequest,
  MessagesRequest,
  PeerActionRequest,
  PeersRequest,
  WatchMessagesRequest,
} from '../control/protocol.ts';
import { CAPTURE, CAPTURE_OPTIONS, capture } from './capture.ts';
import { eventsAction } from './events.ts';
import { EXIT, ExitError } from './exit-codes.ts';
import { renderBfdSessions } from './render/bfd.ts';
import { renderBmpStations } from './render/bmp.ts';
import { renderPeerChange, renderRouteChange } from './render/changes.ts';
import { dampedTable } from './render/damped.ts';
import { renderEvent } from './render/events.ts';
import { renderExplanation } from './render/explain.ts';
import { renderImpact } from './render/impact.ts';
import { renderNodeStatus, renderPeer, renderPeers } from './render/peers.ts';
import { routeBlocks, routeTable } from './render/routes.ts';
import { renderRpkiCaches } from './render/rpki.ts';
import { renderStatus } from './render/status.ts';
import { type Look, lookOf, safeText } from './render/style.ts';
import { attributeTable, kernelTable, renderGroups } from './render/tables.ts';
import { plural } from './render/units.ts';
import type { Terminal } from './terminal.ts';
import { upgradeAction } from './upgrade/action.ts';

export interface Shell {
  readonly terminal: Terminal;
  readonly client: ControlClient;
  readonly json: boolean;
  /** `--all`: everything below each line. */
  readonly all: boolean;
  /** Values of the action's own options. */
  readonly extras: Readonly<Record<string, unknown>>;
}

export interface Action<Request extends object = object> {
  /** Options of the command line alone, as commander writes them, with their help. */
  readonly options?: readonly (readonly [flags: string, help: string])[];
  /** Does it without a daemon where the options say so; false = ask the daemon. */
  offline?(
    terminal: Terminal,
    request: Request,
    json: boolean,
    extras: Readonly<Record<string, unknown>>,
  ): Promise<boolean>;
  run(shell: Shell, request: Request): Promise<void>;
}

interface ItemList<Item> {
  add(item: Item): string;
  end(): string;
}

/** Characters that are collected before they are written. */
const CHUNK = 16_384;

function jsonDocument(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function unary<Q extends object, R extends object>(
  command: UnaryCommand<Q, R>,
  render: (reply: R, look: Look, request: Q) => string,
): Action<Q> {
  return {
    async run({ terminal, client, json }, request) {
      const reply = await client.unary(command, request);
      await terminal.write(json ? jsonDocument(reply) : render(reply, lookOf(terminal), request));
    },
  };
}

function list<Q extends object, I extends object>(
  command: ListCommand<Q, I>,
  things: string,
  layout: (look: Look, all: boolean) => ItemList<I>,
): Action<Q> {
  return {
    async run({ terminal, client, json, all }, request) {
      const lines = json ? jsonLines : layout(lookOf(terminal), all);
      let text = '';
      let count = 0;
      for await (const item of client.list(command, request)) {
        count++;
        text += lines.add(item);
        if (text.length < CHUNK) continue;
        await terminal.write(text);
        text = '';
      }
      if (count > 0) return terminal.write(text + lines.end());
      const none =
        Object.keys(request).length === 0 ? `There are no ${things}.` : `There are no such ${things}.`;
      if ('prefix' in request) throw new ExitError(EXIT.failed, none);
      if (!json) await terminal.write(`${none}\n`);
    },
  };
}

const jsonLines: ItemList<object> = { add: (item) => `${JSON.stringify(item)}\n`, end: () => '' };

function watch<Q extends object, E extends object>(
  command: WatchCommand<Q, E>,
  render: (event: E, look: Look) => string,
): Action<Q> {
  return {
    async run({ terminal, client, json }, request) {
      for await (const event of client.watch(command, request, terminal.interrupted)) {
        await terminal.write(json ? jsonLines.add(event) : render(event, lookOf(terminal)));
      }
    },
  };
}

/** Beside the summary, `status` shows every peer, which is a second call. */
const statusAction: Action = {
  async run({ terminal, client, json }) {
    const status = await client.unary(COMMANDS.status, {});
    const { peers } = await client.unary(COMMANDS.showPeers, {});
    if (json) return terminal.write(jsonDocument({ ...status, peerList: peers }));
    const look = lookOf(terminal);
    await terminal.write(`${renderStatus(status, look)}\n${renderNodeStatus(peers, look)}`);
  },
};

function peersText(reply: { peers: Parameters<typeof renderPeers>[0] }, look: Look, request: PeersRequest) {
  if (request.name === undefined) return renderPeers(reply.peers, look);
  return reply.peers.map((peer) => renderPeer(peer, look)).join('\n');
}

const PEER_DONE = {
  up: 'is switched on',
  down: 'is switched off',
  reset: 'is reset',
  refresh: 'is being refreshed',
  drain: 'is being drained',
  undrain: 'is no longer drained',
  record: 'has every message recorded',
  unrecord: 'has only notable messages recorded',
} as const;

const actOnPeer = unary(
  COMMANDS.peer,
  (_reply, _look, { name, action = 'up' }) => `Peer ${safeText(name)} ${PEER_DONE[action]}.\n`,
);

const peerAction: Action<PeerActionRequest> = {
  options: CAPTURE_OPTIONS,
  run: (shell, request) => {
    const action: string | undefined = request.action;
    return action === CAPTURE ? capture(shell, request) : actOnPeer.run(shell, request);
  },
};

const showMessagesAction: Action<MessagesRequest> = { run: (shell, request) => capture(shell, request) };

const watchMessagesAction: Action<WatchMessagesRequest> = {
  run: (shell, request) =>
    capture({ ...shell, extras: { follow: true } }, { includeCurrent: false, ...request }),
};

/** The daemon has another working directory. */
const impactAction: Action<ImpactRequest> = {
  run: (shell, { file, ...rest }) =>
    unary(COMMANDS.impact, renderImpact).run(shell, {
      ...rest,
      ...(file !== undefined && { file: resolve(file) }),
    }),
};

export const ACTIONS: Record<keyof typeof COMMANDS, Action> = {
  status: statusAction,
  showPeers: unary(COMMANDS.showPeers, peersText),
  showRoutes: list(COMMANDS.showRoutes, 'routes', (look, all) =>
    all ? routeBlocks(look) : routeTable(look),
  ),
  showAttributes: list(COMMANDS.showAttributes, 'attribute sets', (look) => attributeTable(look)),
  showKernel: list(COMMANDS.showKernel, 'kernel routes', (look) => kernelTable(look)),
  showBfd: unary(COMMANDS.showBfd, (reply, look) => renderBfdSessions(reply.sessions, look)),
  showRpki: unary(COMMANDS.showRpki, (reply, look) => renderRpkiCaches(reply.caches, look)),
  showBmp: unary(COMMANDS.showBmp, (reply, look) => renderBmpStations(reply.stations, look)),
  showDamped: list(COMMANDS.showDamped, 'routes that have flapped', (look) => dampedTable(look)),
  showGroups: unary(COMMANDS.showGroups, (reply, look) => renderGroups(reply.groups, look)),
  explain: unary(COMMANDS.explain, renderExplanation),
  watchPeers: watch(COMMANDS.watchPeers, renderPeerChange),
  watchRoutes: watch(COMMANDS.watchRoutes, renderRouteChange),
  events: eventsAction,
  watchEvents: watch(COMMANDS.watchEvents, renderEvent),
  showMessages: showMessagesAction,
  watchMessages: watchMessagesAction,
  peer: peerAction,
  drain: unary(COMMANDS.drain, (_reply, _look, { undo }) =>
    undo === true
      ? 'Routes are as good as before.\n'
      : 'Peers are told to send traffic elsewhere. Give them a moment, then stop the daemon.\n',
  ),
  clearDamping: unary(COMMANDS.clearDamping, ({ routes }) =>
    routes === 0 ? 'No route had flapped.\n' : `${plural(routes, 'route')} forgotten.\n`,
  ),
  networkAdd: unary(COMMANDS.networkAdd, (_reply, _look, { prefix }) => `${prefix} is originated.\n`),
  networkDelete: unary(
    COMMANDS.networkDelete,
    (_reply, _look, { prefix }) => `${prefix} is no longer originated.\n`,
  ),
  impact: impactAction,
  upgrade: upgradeAction,
  reload: unary(COMMANDS.reload, ({ changes }) =>
    changes.length === 0
      ? 'The configuration was read again; nothing changed.\n'
      : `The configuration was applied:\n${changes.map((change) => `  - ${safeText(change)}\n`).join('')}`,
  ),
};
