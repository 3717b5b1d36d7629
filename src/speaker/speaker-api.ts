// SpeakerApi over the running speaker: views made on demand and the commands. Everything that control/ serves goes
// through here.

import { CEASE } from '../bgp/wire/error-codes.ts';
import { diffConfig } from '../config/diff.ts';
import type { LoadResult } from '../config/load.ts';
import type { SpeakerApi, StatusView } from './api.ts';
import { CommandError } from './api.ts';
import { KernelUnavailableError } from './open-kernel.ts';
import { applyPlan } from './reload.ts';
import type { Speaker } from './speaker.ts';
import { explainPrefix } from './views/explain.ts';
import { attributeSetViews, groupViews } from './views/group-view.ts';
import { explainKernel, kernelRouteViews, kernelStatus } from './views/kernel-view.ts';
import { peerView } from './views/peer-view.ts';
import { matchesTarget, queryRoutes } from './views/route-query.ts';

export interface ApiOptions {
  readonly speaker: Speaker;
  readonly configFile: string | undefined;
  readonly loadConfig: () => LoadResult;
}

export function createApi({ speaker, configFile, loadConfig }: ApiOptions): SpeakerApi {
  const { rib, registry, watchers, networks } = speaker;
  let reloads: Promise<void> = Promise.resolve();
  const lookup = {
    ribPeerId: (name: string) => {
      // The pseudo peer has rows, too.
      if (name === rib.local.name) return rib.local.id;
      const { established, restarts } = registry.get(name);
      return (established?.ribPeer ?? restarts.waitingPeer)?.id;
    },
  };
  return {
    status: () => status(speaker, configFile),
    peers: () => [...registry.values()].map((handle) => peerView(rib, handle)),
    routes: (query) => queryRoutes(rib, query, lookup),
    attributeSets: () => attributeSetViews(rib),
    updateGroups: () => groupViews(rib),
    kernelRoutes: () => {
      const { kernel, config } = speaker;
      return kernel === undefined ? [] : kernelRouteViews(rib, kernel, config.kernel.table);
    },
    bfdSessions: () => [],
    explain: (prefix, options) => {
      if (options.from !== undefined) lookup.ribPeerId(options.from);
      if (options.to !== undefined) registry.get(options.to);
      const kernel: Parameters<typeof explainPrefix>[0]['kernel'] = (family, prefixId) =>
        speaker.kernel && explainKernel(speaker.kernel, family, prefixId);
      return explainPrefix({ rib, peers: registry.values(), kernel }, prefix, options);
    },
    watchPeers: (listener) => watchers.watchPeers(listener),
    watchRoutes: (query, listener) => watchers.watchRoutes(matchesTarget(query), listener),
    peerUp: (name) => registry.get(name).peer.start(),
    peerDown: (name, reason) => {
      registry.stop(registry.get(name), reason);
    },
    peerReset: (name, reason) => {
      registry.get(name).peer.reset({ subcode: CEASE.administrativeReset, text: reason });
    },
    peerRefresh: (name, direction) => refresh(speaker, name, direction),
    addNetwork: (network) => networks.add(network),
    deleteNetwork: (prefix) => networks.delete(prefix),
    reload: () => {
      // One after the other: each compares with what the one before has made.
      const next = reloads.then(() => reload(speaker, loadConfig));
      reloads = next.then(ignore, ignore);
      return next.then((changes) => ({ changes }));
    },
  };
}

/** How a reload ends is for its own caller to hear. */
function ignore(): void {}

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
    problems: [...listeners.problems, ...(kernel?.problem === undefined ? [] : [kernel.problem])],
    families: rib.families.map((family) => ({
      family: family.family.name,
      prefixes: family.locRib.size,
      paths: family.paths.size,
    })),
    attributeSets: rib.attrs.size,
    updateGroups: rib.groups.reduce((sum, groups) => sum + [...groups.values()].length, 0),
    peers: {
      total: handles.length,
      established: handles.filter((handle) => handle.established !== undefined).length,
    },
    kernel: kernel && kernelStatus(kernel, config.kernel),
    memory: { rss: memory.rss, heapUsed: memory.heapUsed, arrayBuffers: memory.arrayBuffers },
    stages: parts.scheduler.stats().map((stage) => ({ ...stage })),
  };
}

function refresh(speaker: Speaker, name: string, direction: 'in' | 'out' | 'both'): void {
  const { registry } = speaker;
  const handle = registry.get(name);
  const { established } = handle;
  if (established === undefined) {
    throw new CommandError('failed', `${name} has no session to refresh: it is ${handle.peer.state}`);
  }
  const { session } = established;
  const { families } = session.context;
  if (direction !== 'in') for (const family of families) registry.resend(established, family);
  if (direction === 'out') return;
  const asked = families.filter((family) => session.requestRefresh(family));
  if (asked.length < families.length) registry.refreshIn(handle);
}

/** Throws CommandError with every complaint where the file is bad; nothing has changed then. */
async function reload(speaker: Speaker, loadConfig: () => LoadResult): Promise<string[]> {
  if (speaker.state !== 'running') throw new CommandError('failed', `godwit is ${speaker.state}`);
  const result = loadConfig();
  if (!result.ok) {
    const complaints = result.issues.map(
      ({ file, line, column, message, hint }) =>
        `${file}:${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
    );
    throw new CommandError('invalid', `nothing was changed:\n${complaints.join('\n')}`);
  }
  const plan = diffConfig(speaker.config, result.config);
  try {
    await applyPlan(speaker, plan, result.config);
  } catch (error) {
    if (error instanceof KernelUnavailableError) throw new CommandError('failed', error.message);
    throw error;
  }
  speaker.reconfiguredAt = speaker.parts.clock.wallTime();
  return [...plan.sentences];
}
