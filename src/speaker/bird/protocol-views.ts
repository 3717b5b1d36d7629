// All protocols as BIRD's users see them: those of the configuration in its order, each peer of a range behind it.

import type { ChannelName, ChannelOptions } from '../../config/bird/config.ts';
import type { Config, Policy } from '../../config/model.ts';
import { ACCEPT_ALL, policyFor } from '../../config/policies.ts';
import type { IpVersion } from '../../lib/ip.ts';
import { DEFAULT_PREFERENCE } from '../../rib/route-extras.ts';
import type {
  BgpView,
  BmpProtocolView,
  ChannelRoutes,
  ChannelView,
  ProtocolState,
  ProtocolView,
  RpkiView,
} from '../api/protocols.ts';
import type { LocalOrigin } from '../local-routes.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { Speaker } from '../speaker.ts';
import { bgpChannels, bgpView, isFlushed, peerState, rangeView } from './bgp-view.ts';
import { bmpView, stationState } from './bmp-view.ts';
import {
  channelTable,
  type DeclaredProtocol,
  declaredProtocols,
  tablesOfProtocol,
  unicastChannels,
} from './declared.ts';
import { filterText } from './filter-text.ts';
import { localCounts } from './local-counts.ts';
import { pipeChannelView, pipeTables } from './pipe-view.ts';
import type { ProtocolStates } from './protocol-states.ts';
import { RPKI_PREFERENCE } from './roa-answer.ts';
import { aspasOf, roasOf } from './roas.ts';
import { cacheState, rpkiView } from './rpki-view.ts';
import { traitsOf } from './traits.ts';

export class ProtocolViews {
  readonly #speaker: Speaker;
  readonly #states: ProtocolStates;

  constructor(speaker: Speaker, states: ProtocolStates) {
    this.#speaker = speaker;
    this.#states = states;
  }

  /** `details`: with routes and counters. */
  all(details: boolean): ProtocolView[] {
    const { written: config, registry } = this.#speaker;
    const members = [...registry.values()].filter(({ range }) => range !== undefined);
    const views: ProtocolView[] = [];
    for (const declared of declaredProtocols(config)) {
      views.push(this.#view(declared, details));
      for (const handle of members) {
        if (declared.range !== undefined && handle.range === declared.range) {
          views.push(this.#peer({ ...declared, name: handle.name, range: undefined }, handle, details));
        }
      }
    }
    return views;
  }

  /** The state of a protocol that is no peer. */
  stateOf(declared: DeclaredProtocol): ProtocolState {
    if (this.#states.isOff(declared)) return 'down';
    if (declared.kind === 'rpki') return cacheState(this.#speaker.rpki.report(declared.name));
    if (declared.kind === 'bmp') return stationState(this.#speaker.bmp.report(declared.name));
    // No route is chosen before peers have sent theirs again.
    if (declared.kind === 'kernel' && this.#speaker.recovery.active) return 'wait';
    return declared.range === undefined ? 'up' : 'start';
  }

  #view(declared: DeclaredProtocol, details: boolean): ProtocolView {
    const { registry } = this.#speaker;
    if (declared.kind === 'bgp') {
      const handle = declared.range === undefined ? registry.find(declared.name) : undefined;
      return handle === undefined ? this.#range(declared, details) : this.#peer(declared, handle, details);
    }
    return {
      ...this.#base(declared),
      channels: this.#channels(declared, details),
      ...this.#particulars(declared),
    };
  }

  #base(declared: DeclaredProtocol, state = this.stateOf(declared)): ProtocolView {
    const { name, kind, description } = declared;
    return {
      name,
      kind,
      state,
      enabled: !this.#states.isOff(declared),
      since: this.#states.note(name, state),
      description,
      message: this.#states.messages.get(name),
      channels: [],
      bgp: undefined,
      pipe: undefined,
      rpki: undefined,
    };
  }

  #peer(declared: DeclaredProtocol, handle: PeerHandle, details: boolean): ProtocolView {
    const { written: config } = this.#speaker;
    const state = peerState(handle, this.#speaker.recovery.active);
    const channels = bgpChannels(this.#speaker, declared, { settings: handle.settings, handle }, details);
    return {
      ...this.#base(declared, state),
      ...(state === 'down' && isFlushed(handle, this.#speaker) && { state: 'flush' }),
      enabled: handle.peer.adminUp,
      bgp: bgpView(handle, routeLimitOf(handle, channels, config), declared),
      channels,
    };
  }

  /** A range, or a peer that the model does not have. */
  #range(declared: DeclaredProtocol, details: boolean): ProtocolView {
    const { written: config } = this.#speaker;
    const base = this.#base(declared);
    const range = config.dynamicPeers.find(({ name }) => name === declared.range);
    if (range === undefined) return { ...base, state: 'down' };
    const bgp = rangeView(range, config);
    const channels = bgpChannels(this.#speaker, declared, { settings: range, handle: undefined }, details);
    return { ...base, bgp: base.state === 'down' ? { ...bgp, state: 'Down' } : bgp, channels };
  }

  #cache({ kind, name }: DeclaredProtocol): RpkiView | undefined {
    if (kind !== 'rpki') return undefined;
    const { rpki, written, parts } = this.#speaker;
    const config = written.rpki?.find((cache) => cache.name === name);
    if (config === undefined) return undefined;
    return rpkiView(config, rpki.report(name)?.status, parts.clock.wallTime());
  }

  #station({ kind, name }: DeclaredProtocol): BmpProtocolView | undefined {
    if (kind !== 'bmp') return undefined;
    const { bmp, written } = this.#speaker;
    const config = written.bmp?.find((station) => station.name === name);
    return config && bmpView(config, bmp.report(name));
  }

  #particulars(declared: DeclaredProtocol): Pick<ProtocolView, 'pipe' | 'rpki' | 'bmp'> {
    const pipe = pipeTables(this.#speaker, declared);
    return {
      pipe: pipe && {
        table: pipe.table,
        peerTable: pipe.peerTable,
        ...(pipe.opaque && { opaque: true }),
      },
      rpki: this.#cache(declared),
      bmp: this.#station(declared),
    };
  }

  #channels(declared: DeclaredProtocol, details: boolean): ChannelView[] {
    const { written: config } = this.#speaker;
    const { written, kind } = declared;
    if (kind === 'device' || kind === 'bmp') return [];
    if (kind === 'rpki' && written === undefined) {
      return RPKI_CHANNELS.map((name) => this.#other(declared, name, undefined));
    }
    const pipe = pipeTables(this.#speaker, declared);
    if (pipe !== undefined) {
      return [pipeChannelView(this.#speaker, declared, pipe, this.stateOf(declared) === 'up')];
    }
    const unicast: ReadonlyMap<IpVersion, ChannelOptions | undefined> =
      written === undefined
        ? new Map([...tablesOfProtocol(declared, config).keys()].map((version) => [version, undefined]))
        : kind === 'kernel' || kind === 'direct' || kind === 'static'
          ? unicastChannels(written, config)
          : new Map();
    const views = [...unicast].map(([version, options]) => {
      return this.#unicast(declared, version, options, details);
    });
    const others = [...(written?.channels ?? [])].filter(([name]) => name !== 'ipv4' && name !== 'ipv6');
    return [...views, ...others.map(([name, options]) => this.#other(declared, name, options))];
  }

  #unicast(
    declared: DeclaredProtocol,
    version: IpVersion,
    options: ChannelOptions | undefined,
    details: boolean,
  ): ChannelView {
    const { written: config, rooms } = this.#speaker;
    const isWritten = declared.written !== undefined;
    const table = declared.table ?? channelTable(config, version, options);
    const room = rooms.shown(config, table, version) ?? rooms.main;
    const { kernel } = room;
    const policies = room.config.localPolicies ?? ACCEPT_ALL;
    const origin = originOf(declared);
    const importPolicy = policyFor(policies[POLICY_OF[origin]], version);
    const exportPolicy: Policy =
      origin === 'kernel' && kernel?.fib !== undefined ? policies.install : 'reject';
    const up = isUp(this.stateOf(declared));
    const counts = details && up ? localCounts(declared, origin, version, room) : undefined;
    return {
      ...EMPTY_CHANNEL,
      name: version,
      table,
      state: up ? 'up' : 'down',
      preference: options?.preference ?? PREFERENCES[origin],
      importFilter: filterText(options?.import, isWritten ? 'accept' : importPolicy, isWritten),
      exportFilter: filterText(
        options?.export,
        isWritten ? 'reject' : policyFor(exportPolicy, version),
        isWritten,
      ),
      routes: counts?.routes,
      stats: counts && statsOf(counts.routes, counts.refused),
    };
  }

  /** A channel whose routes are none that a table here holds, but for ROAs. */
  #other(declared: DeclaredProtocol, name: ChannelName, options: ChannelOptions | undefined): ChannelView {
    const { written: config } = this.#speaker;
    const own = config.rpki?.find((cache) => cache.name === declared.name)?.tables;
    const native = declared.written === undefined && isRpkiChannel(name) ? own?.[name] : undefined;
    const table = native ?? channelTable(config, name, options);
    const up = isUp(this.stateOf(declared));
    const count = this.#entries(declared, name, table);
    const routes = { imported: count, filtered: undefined, exported: 0, preferred: count };
    return {
      ...EMPTY_CHANNEL,
      name,
      table,
      state: up ? 'up' : 'down',
      preference: options?.preference ?? (declared.kind === 'rpki' ? RPKI_PREFERENCE : PREFERENCES.network),
      importFilter: filterText(options?.import, 'accept', true),
      exportFilter: filterText(options?.export, 'reject', true),
      routes: up ? routes : undefined,
      stats: up ? statsOf(routes) : undefined,
    };
  }

  /** Entries of a ROA or ASPA table that a protocol stands for. */
  #entries(declared: DeclaredProtocol, channel: ChannelName, table: string): number {
    const { config, rpki } = this.#speaker;
    if (declared.kind === 'rpki') {
      const counts = rpki.report(declared.name)?.counts;
      return isRpkiChannel(channel) ? (counts?.[channel] ?? 0) : 0;
    }
    const entries = channel === 'aspa' ? aspasOf(config) : roasOf(config);
    let count = 0;
    for (const entry of entries) if (entry.table === table && entry.protocol === declared.name) count++;
    return count;
  }
}

const RPKI_CHANNELS = ['roa4', 'roa6', 'aspa'] as const;

function isRpkiChannel(name: ChannelName): name is (typeof RPKI_CHANNELS)[number] {
  return RPKI_CHANNELS.some((each) => each === name);
}

/** Without channels it is shown with the session. What was refused counts where it is kept. */
function routeLimitOf(
  { settings }: PeerHandle,
  channels: readonly ChannelView[],
  config: Config,
): BgpView['routeLimit'] {
  const family = config.bird?.family;
  if (family === undefined || traitsOf(config).hasChannels) return undefined;
  const limit = settings.limits.accepted[`${family}-unicast`]?.routes;
  if (limit === undefined) return undefined;
  const counts = channels.map(({ routes }) => (routes?.imported ?? 0) + (routes?.filtered ?? 0));
  return { routes: counts.reduce((sum, count) => sum + count, 0), limit };
}

/** It works, though it may wait for others. */
function isUp(state: ProtocolState): boolean {
  return state === 'up' || state === 'wait';
}

function originOf({ kind }: DeclaredProtocol): LocalOrigin {
  if (kind === 'kernel') return 'kernel';
  return kind === 'direct' ? 'connected' : 'network';
}

const POLICY_OF = {
  kernel: 'kernel',
  static: 'kernel',
  connected: 'connected',
  network: 'networks',
} as const;

const PREFERENCES: Readonly<Record<LocalOrigin, number>> = {
  kernel: DEFAULT_PREFERENCE.kernel,
  static: DEFAULT_PREFERENCE.kernel,
  connected: DEFAULT_PREFERENCE.device,
  network: DEFAULT_PREFERENCE.static,
};

const EMPTY_CHANNEL: ChannelView = {
  name: '',
  table: '',
  state: 'down',
  preference: 0,
  importFilter: 'ACCEPT',
  exportFilter: 'REJECT',
  limits: [],
  routes: undefined,
  stats: undefined,
  nextHops: [],
  igpTable: undefined,
  neighborRestart: undefined,
  staleFor: undefined,
};

/** Of routes that come and go without a session: as many changes as there are routes. */
function statsOf({ imported, exported }: ChannelRoutes, filtered = 0): NonNullable<ChannelView['stats']> {
  const none = { received: 0, rejected: 0, filtered: 0, ignored: 0, accepted: 0 };
  return {
    importUpdates: { ...none, received: imported + filtered, filtered, accepted: imported },
    importWithdraws: none,
    exportUpdates: { ...none, received: exported, accepted: exported },
    exportWithdraws: none,
  };
}
