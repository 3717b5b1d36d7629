// SpeakerApi over the running speaker: views made on demand and the commands. Everything that control/ serves goes
// through here.

import type { ListenerSet } from '../bgp/session/listener.ts';
import { CEASE } from '../bgp/wire/error-codes.ts';
import { IP_VERSIONS } from '../lib/ip.ts';
import { wanted } from './api/journal.ts';
import type { ConnectionsView } from './api/peer-parts.ts';
import type { KernelRouteView, SpeakerApi, StatusView } from './api.ts';
import { CommandError } from './api.ts';
import { createBirdApi } from './bird/api.ts';
import { mainTable } from './bird/declared.ts';
import { drain, drainSentence } from './draining.ts';
import { impactOf } from './impact.ts';
import { type ConfigLoader, type OnApplied, Reconfiguration } from './reconfiguration.ts';
import { refreshPeer } from './refresh.ts';
import type { Speaker } from './speaker.ts';
import type { TableRoom } from './table-room.ts';
import { bfdViews } from './views/bfd-view.ts';
import { bmpStationView } from './views/bmp-view.ts';
import { clearDamping, dampedRoutes } from './views/damping-view.ts';
import { explainPrefix } from './views/explain.ts';
import { attributeSetViews, groupViews } from './views/group-view.ts';
import { explainKernel, kernelRouteViews, kernelStatus } from './views/kernel-view.ts';
import { messageView } from './views/message-view.ts';
import { peerView } from './views/peer-view.ts';
import { matchesTarget, queryRoutes } from './views/route-query.ts';
import { rpkiViews } from './views/rpki-view.ts';

export interface ApiOptions {
  readonly speaker: Speaker;
  readonly configFile: string | undefined;
  /** `file`: another one than that of the start. */
  readonly loadConfig: ConfigLoader;
  readonly onApplied?: OnApplied | undefined;
  readonly upgrade?: SpeakerApi['upgrade'] | undefined;
}

export function createApi(options: ApiOptions): SpeakerApi {
  const { speaker, configFile, loadConfig, onApplied, upgrade } = options;
  const { rib, registry, watchers, networks } = speaker;
  const reconfiguration = new Reconfiguration(speaker, loadConfig, onApplied);
  const lookup = {
    ribPeerId: (name: string) => {
      // The pseudo peer has rows, too.
      if (name === rib.local.name) return rib.local.id;
      const { established, restarts } = registry.get(name);
      return (established?.ribPeer ?? restarts.waitingPeer)?.id;
    },
    table: (name: string) => tableNamed(speaker, name).place.families,
  };
  return {
    bird: createBirdApi(speaker, reconfiguration, configFile),
    status: () => status(speaker, configFile),
    peers: () => [...registry.values()].map((handle) => peerView(rib, handle)),
    routes: (query) => queryRoutes(rib, query, lookup),
    attributeSets: () => attributeSetViews(rib),
    updateGroups: () => groupViews(rib),
    kernelRoutes: () => allKernelRoutes(speaker),
    bfdSessions: () => bfdViews(speaker.bfd),
    rpkiCaches: () => rpkiViews(speaker.rpki),
    bmpStations: () => speaker.bmp.reports.map(bmpStationView),
    messages: (name) => registry.get(name).peer.tape.messages.map(messageView),
    watchMessages: (name, listener) =>
      registry.get(name).peer.tape.follow((message) => listener(messageView(message))),
    recordMessages: (name, on) => registry.get(name).peer.tape.record(on),
    events: (query) => speaker.diagnosis.journal.entries(query),
    watchEvents: (query, listener) =>
      speaker.diagnosis.journal.follow((entry) => {
        if (wanted(query, entry)) listener(entry);
      }),
    dampedRoutes: (peer) => dampedRoutes(speaker, peer),
    clearDamping: (peer, prefix) => clearDamping(speaker, peer, prefix),
    explain: (prefix, options) => {
      if (options.from !== undefined) lookup.ribPeerId(options.from);
      if (options.to !== undefined) registry.get(options.to);
      const kernel: Parameters<typeof explainPrefix>[0]['kernel'] = (family, prefixId) =>
        speaker.kernel && explainKernel(speaker.kernel, family, prefixId);
      return explainPrefix({ rib, peers: registry.values(), kernel }, prefix, options);
    },
    watchPeers: (listener) => watchers.watchPeers(listener),
    watchRoutes: (query, listener) => watchers.watchRoutes(matchesTarget(query), listener),
    peerUp: (name) => registry.get(name).peer.startByHand(),
    peerDown: (name, reason) => {
      registry.stop(registry.get(name), reason);
    },
    drain: (name, on) => drain(speaker, name, on),
    peerReset: (name, reason) => {
      registry.get(name).peer.reset({ subcode: CEASE.administrativeReset, text: reason });
    },
    peerRefresh: (name, direction) => refresh(speaker, name, direction),
    addNetwork: (network) => networks.add(network),
    deleteNetwork: (prefix) => networks.delete(prefix),
    impact: async (file, limit) => impactOf(speaker, reconfiguration.candidate(file), limit),
    reload: async () => ({ changes: await reconfiguration.reload() }),
    upgrade: async (program) => {
      if (upgrade === undefined)
        throw new CommandError('failed', 'this process cannot become another program');
      if (reconfiguration.undoIn !== undefined) {
        throw new CommandError(
          'failed',
          'a new configuration waits for its confirmation; confirm or undo it first',
        );
      }
      return upgrade(program);
    },
  };
}

function* allKernelRoutes({ rooms }: Speaker): Iterable<KernelRouteView> {
  for (const { kernel, place, config } of rooms.values()) {
    if (kernel !== undefined) yield* kernelRouteViews(place.families, kernel, config.kernel);
  }
}

/** `main`, or a further one. Throws CommandError. */
function tableNamed({ rooms, written }: Speaker, name: string): TableRoom {
  const isMain = name === 'main' || IP_VERSIONS.some((version) => mainTable(written, version) === name);
  const room = isMain ? rooms.main : rooms.get(name);
  if (room !== undefined) return room;
  const names = ['main', ...[...rooms.further].map((each) => each.name)];
  throw new CommandError('not-found', `there is no table "${name}"; there are ${names.join(', ')}`);
}

function status(speaker: Speaker, configFile: string | undefined): StatusView {
  const { rib, registry, config, parts, kernel, listeners } = speaker;
  const memory = process.memoryUsage();
  const handles = [...registry.values()];
  return {
    version: parts.version,
    hostname: config.router.hostname,
    routerId: config.router.id,
    asn: config.router.asn,
    startedAt: speaker.startedAt,
    reconfiguredAt: speaker.reconfiguredAt,
    configFile,
    state: speaker.state,
    problems: [
      ...listeners.problems,
      ...[
        ...[...speaker.rooms.values()].map((room) => room.kernel?.problem),
        speaker.bfd.problem,
        speaker.recovery.sentence,
        speaker.upgradeProblem,
        drainSentence(handles),
        ...speaker.rpki.problems,
        ...speaker.bmp.problems,
      ].filter((each) => each !== undefined),
    ],
    families: rib.families.map((family) => ({
      family: family.family.name,
      prefixes: family.locRib.size,
      paths: family.paths.size,
    })),
    attributeSets: rib.attrs.size,
    updateGroups: rib.groups.reduce((sum, groups) => sum + [...groups.values()].length, 0),
    connections: connectionsView(listeners),
    peers: {
      total: handles.length,
      established: handles.filter((handle) => handle.established !== undefined).length,
      away: [...speaker.dynamic.away().keys()],
    },
    kernel: kernel && kernelStatus(kernel, config.kernel),
    memory: { rss: memory.rss, heapUsed: memory.heapUsed, arrayBuffers: memory.arrayBuffers },
    stages: parts.scheduler.stats().map((stage) => ({ ...stage })),
    loop: { ...speaker.diagnosis.lag },
    causes: speaker.diagnosis.sessions.causes,
    events: speaker.diagnosis.journal.count,
  };
}

function refresh(speaker: Speaker, name: string, direction: 'in' | 'out' | 'both'): void {
  const { registry } = speaker;
  const handle = registry.get(name);
  if (handle.established === undefined) {
    throw new CommandError('failed', `${name} has no session to refresh: it is ${handle.peer.state}`);
  }
  refreshPeer(registry, handle, direction);
}

function connectionsView({ connections }: ListenerSet): ConnectionsView {
  const { accepted, refused, halfOpen } = connections;
  const { unknown, rate } = refused;
  return {
    accepted,
    refused: { unknown, rate, halfOpen: refused['half-open'], noOpen: refused['no-open'] },
    halfOpen,
  };
}
