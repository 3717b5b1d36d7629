// The one table of commands behind the gRPC service and the command line: a row says what a command is called, what
// it takes, and what it does to the speaker. A face only carries requests and replies. What the speaker itself
// would refuse (an unknown peer, a bad prefix) it refuses; rows check only what must not reach it.

import type { SpeakerApi } from '../speaker/api.ts';
import type { ArgumentSpec } from './arguments.ts';
import * as args from './arguments.ts';
import { clearDamping, showDamped } from './damping-commands.ts';
import { events, showMessages, watchEvents, watchMessages } from './diagnosis-commands.ts';
import { reload, upgrade } from './process-commands.ts';
import type {
  AttributeSetView,
  BfdSessionsReply,
  BmpStationsReply,
  DeleteNetworkRequest,
  DrainRequest,
  ExplainRequest,
  Explanation,
  ImpactRequest,
  ImpactView,
  KernelRouteView,
  NetworkSpec,
  Nothing,
  PeerActionRequest,
  PeerChange,
  PeersReply,
  PeersRequest,
  RouteChange,
  RoutesRequest,
  RouteView,
  RpkiCachesReply,
  StatusView,
  UpdateGroupsReply,
  WatchPeersRequest,
  WatchRoutesRequest,
} from './protocol.ts';
import { checkPeerAction, checkPrefix, findPeers, peerNameOf, routeQuery, watchQuery } from './requests.ts';

interface CommandBase {
  /** As the command line says it; words are nested subcommands. */
  readonly name: string;
  /** Method of the gRPC service. */
  readonly method: string;
  readonly help: string;
  readonly args: readonly ArgumentSpec[];
}

/** One request, one reply. */
export interface UnaryCommand<Request extends object, Reply extends object> extends CommandBase {
  readonly kind: 'unary';
  run(api: SpeakerApi, request: Request): Reply | Promise<Reply>;
}

/** A list that may be long: it is sent in batches, each in the field `batch` of a message. */
export interface ListCommand<Request extends object, Item extends object> extends CommandBase {
  readonly kind: 'list';
  readonly batch: string;
  /** May yield undefined while it finds nothing, to be interrupted there. */
  run(api: SpeakerApi, request: Request): Iterable<Item | undefined>;
}

/** Changes until the client goes away. */
export interface WatchCommand<Request extends object, Event extends object> extends CommandBase {
  readonly kind: 'watch';
  /** Of unread events with the same key only the newest is kept. */
  keyOf(event: Event): string;
  /** Octets that a waiting event holds, where events are large. */
  sizeOf?(event: Event): number;
  /** Returns the function that ends the watch. */
  run(api: SpeakerApi, request: Request, listener: (event: Event) => void): () => void;
}

export type Command =
  | UnaryCommand<object, object>
  | ListCommand<object, object>
  | WatchCommand<object, object>;

const status: UnaryCommand<Nothing, StatusView> = {
  name: 'status',
  method: 'GetStatus',
  kind: 'unary',
  help: 'what the daemon is doing, and its peers',
  args: [],
  run: (api) => api.status(),
};

const showPeers: UnaryCommand<PeersRequest, PeersReply> = {
  name: 'show peers',
  method: 'ListPeers',
  kind: 'unary',
  help: 'all peers, or everything about one of them',
  args: [{ ...args.peerName, required: false, help: 'name or address of one peer: show its details' }],
  run: (api, request) => ({ peers: findPeers(api.peers(), request.name) }),
};

const showRoutes: ListCommand<RoutesRequest, RouteView> = {
  name: 'show routes',
  method: 'ListRoutes',
  kind: 'list',
  batch: 'routes',
  help: 'routes received, originated and learned, or what a peer is sent',
  args: [
    { ...args.prefix, required: false, help: 'a prefix, or an address for its longest match' },
    args.longer,
    args.option('table', '--table', 'TABLE', 'of this routing table; of the main one unless given'),
    args.option('receivedFrom', '--peer', 'PEER', 'only paths from this peer', 'peer'),
    args.option('advertisedTo', '--advertised-to', 'PEER', 'what this peer is sent', 'peer'),
    args.flag('bestOnly', '--best', 'only best paths'),
    args.flag('rejectedOnly', '--rejected', 'only paths that policy or a check rejected'),
    args.flag('beforePolicy', '--before-policy', 'attributes as received, before import policy'),
    args.family,
  ],
  run: (api, request) => api.routes(routeQuery(api, request)),
};

const showAttributes: ListCommand<Nothing, AttributeSetView> = {
  name: 'show attributes',
  method: 'ListAttributeSets',
  kind: 'list',
  batch: 'attributeSets',
  help: 'the distinct attribute sets and how many paths share each',
  args: [],
  run: (api) => api.attributeSets(),
};

const showKernel: ListCommand<Nothing, KernelRouteView> = {
  name: 'show kernel',
  method: 'ListKernelRoutes',
  kind: 'list',
  batch: 'routes',
  help: 'routes programmed into the kernel and learned from it',
  args: [],
  run: (api) => api.kernelRoutes(),
};

const showGroups: UnaryCommand<Nothing, UpdateGroupsReply> = {
  name: 'show groups',
  method: 'ListUpdateGroups',
  kind: 'unary',
  help: 'update groups: peers that are sent the same bytes',
  args: [],
  run: (api) => ({ groups: api.updateGroups() }),
};

const showBfd: UnaryCommand<Nothing, BfdSessionsReply> = {
  name: 'show bfd',
  method: 'ListBfdSessions',
  kind: 'unary',
  help: 'BFD sessions: the paths to peers that are watched',
  args: [],
  run: (api) => ({ sessions: api.bfdSessions() }),
};

const explain: UnaryCommand<ExplainRequest, Explanation> = {
  name: 'explain',
  method: 'Explain',
  kind: 'unary',
  help: 'why a prefix is routed and advertised as it is',
  args: [
    { ...args.prefix, help: 'a prefix, or an address for its longest match' },
    args.option('from', '--from', 'PEER', 'only the paths from this peer', 'peer'),
    args.option('to', '--to', 'PEER', 'only the export to this peer', 'peer'),
  ],
  run(api, request) {
    checkPrefix(request.prefix, 'prefix or address');
    const view = api.explain(request.prefix, {
      ...(request.from !== undefined && { from: peerNameOf(api, request.from) }),
      ...(request.to !== undefined && { to: peerNameOf(api, request.to) }),
    });
    const paths = view.paths.map(({ rank, step, importFilter, ...route }) => ({
      rank,
      step,
      route,
      ...(importFilter !== undefined && { importFilter }),
    }));
    return { ...view, paths };
  },
};

const watchPeers: WatchCommand<WatchPeersRequest, PeerChange> = {
  name: 'watch peers',
  method: 'WatchPeers',
  kind: 'watch',
  help: 'a line for every change of a peer, until interrupted',
  args: [args.flag('includeCurrent', '--current', 'show every peer as it is now first')],
  keyOf: (event) => event.peer.name,
  run(api, request, listener) {
    const stop = api.watchPeers(({ peer }) => listener({ peer }));
    if (request.includeCurrent === true) for (const peer of api.peers()) listener({ peer });
    return stop;
  },
};

const watchRoutes: WatchCommand<WatchRoutesRequest, RouteChange> = {
  name: 'watch routes',
  method: 'WatchRoutes',
  kind: 'watch',
  help: 'a line for every change of a best path, until interrupted',
  args: [
    { ...args.prefix, required: false, help: 'only this prefix; an address for its longest match' },
    args.longer,
    args.family,
  ],
  keyOf: (event) => `${event.family} ${event.prefix}`,
  run: (api, request, listener) =>
    api.watchRoutes(watchQuery(request), ({ family, prefix, best }) => listener({ family, prefix, best })),
};

const peer: UnaryCommand<PeerActionRequest, Nothing> = {
  name: 'peer',
  method: 'ActOnPeer',
  kind: 'unary',
  help: 'start, stop, reset, refresh, drain or record one session',
  args: [
    args.peerName,
    args.peerAction,
    args.option('reason', '--reason', 'TEXT', 'tell the peer why (down and reset)'),
    args.refreshDirection,
  ],
  run(api, request) {
    const action = checkPeerAction(request);
    const name = peerNameOf(api, request.name);
    if (action === 'up') api.peerUp(name);
    else if (action === 'down') api.peerDown(name, request.reason);
    else if (action === 'reset') api.peerReset(name, request.reason);
    else if (action === 'record' || action === 'unrecord') api.recordMessages(name, action === 'record');
    else if (action === 'drain' || action === 'undrain') api.drain(name, action === 'drain');
    else api.peerRefresh(name, request.direction ?? 'both');
    return {};
  },
};

const drain: UnaryCommand<DrainRequest, Nothing> = {
  name: 'drain',
  method: 'Drain',
  kind: 'unary',
  help: 'ask all peers to send traffic elsewhere, before maintenance (RFC 8326)',
  args: [args.flag('undo', '--undo', 'back to normal')],
  run(api, request) {
    api.drain(undefined, request.undo !== true);
    return {};
  },
};

const networkAdd: UnaryCommand<NetworkSpec, Nothing> = {
  name: 'network add',
  method: 'AddNetwork',
  kind: 'unary',
  help: 'originate a prefix until the daemon ends',
  args: [
    { ...args.prefix, help: 'the prefix' },
    args.networkType,
    args.list('via', '--via', 'ADDRESS', 'next hop of a static route; may be repeated'),
    args.number('med', '--med', 'multi-exit discriminator'),
    args.number('localPref', '--local-pref', 'local preference'),
    args.list(
      'communities',
      '--community',
      'VALUE',
      'community, such as 64512:100 or 64512:1:2; may be repeated',
    ),
  ],
  run(api, request) {
    checkPrefix(request.prefix, 'prefix');
    api.addNetwork(request);
    return {};
  },
};

const networkDelete: UnaryCommand<DeleteNetworkRequest, Nothing> = {
  name: 'network del',
  method: 'DeleteNetwork',
  kind: 'unary',
  help: 'no longer originate a prefix',
  args: [{ ...args.prefix, help: 'the prefix' }],
  run(api, request) {
    checkPrefix(request.prefix, 'prefix');
    api.deleteNetwork(request.prefix);
    return {};
  },
};

const IMPACT_ROUTES = 100;

const impact: UnaryCommand<ImpactRequest, ImpactView> = {
  name: 'impact',
  method: 'CheckImpact',
  kind: 'unary',
  help: 'what a configuration would change, routes included, before it is applied',
  args: [
    args.file,
    args.number('limit', '--limit', `most routes that are named (default: ${IMPACT_ROUTES})`),
  ],
  run: (api, { file, limit }) => api.impact(file, limit ?? IMPACT_ROUTES),
};

const showRpki: UnaryCommand<Nothing, RpkiCachesReply> = {
  name: 'show rpki',
  method: 'ListRpkiCaches',
  kind: 'unary',
  help: 'RPKI caches: what they have said, and whether they are in sync',
  args: [],
  run: (api) => ({ caches: api.rpkiCaches() }),
};

const showBmp: UnaryCommand<Nothing, BmpStationsReply> = {
  name: 'show bmp',
  method: 'ListBmpStations',
  kind: 'unary',
  help: 'BMP stations: whether they are connected, and what they have yet to be told',
  args: [],
  run: (api) => ({ stations: api.bmpStations() }),
};

/** Every command that the daemon answers. */
export const COMMANDS = {
  status,
  showPeers,
  showRoutes,
  showAttributes,
  showKernel,
  showGroups,
  showBfd,
  showDamped,
  showRpki,
  showBmp,
  explain,
  watchPeers,
  watchRoutes,
  events,
  watchEvents,
  showMessages,
  watchMessages,
  peer,
  drain,
  clearDamping,
  networkAdd,
  networkDelete,
  impact,
  reload,
  upgrade,
} as const;

/** COMMANDS as a list for those who treat them alike. */
export const COMMAND_LIST: readonly Command[] = Object.values(COMMANDS);
