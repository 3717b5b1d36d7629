// A speaker that only looks like one: fixed views for the control and command line tests, a log of what it was
// asked to do, and hooks to make changes happen. All times are around NOW.

import type { BmpStationView } from '../../src/speaker/api/bmp.ts';
import type { DampedRouteView } from '../../src/speaker/api/damping.ts';
import { type JournalEntry, type JournalQuery, wanted } from '../../src/speaker/api/journal.ts';
import type { MessageView } from '../../src/speaker/api/messages.ts';
import type { RpkiCacheView } from '../../src/speaker/api/rpki.ts';
import type {
  AttributeSetView,
  AttributesView,
  BfdSessionView,
  ExplainView,
  ImpactView,
  KernelRouteView,
  NetworkSpec,
  PeerEvent,
  PeerView,
  ReloadResult,
  RouteEvent,
  RouteQuery,
  RouteView,
  SpeakerApi,
  StatusView,
  UpdateGroupView,
  UpgradeView,
} from '../../src/speaker/api.ts';
import { CommandError } from '../../src/speaker/api.ts';
import { FakeBird } from './fake-bird.ts';

/** 2026-03-01 12:00:00 UTC */
export const NOW = Date.UTC(2026, 2, 1, 12, 0, 0);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 3600 * SECOND;

export function fakeAttributes(overrides: Partial<AttributesView> = {}): AttributesView {
  return {
    origin: 'IGP',
    asPath: '65001 64999',
    med: undefined,
    localPref: 100,
    atomicAggregate: false,
    aggregator: undefined,
    communities: [],
    extendedCommunities: [],
    largeCommunities: [],
    originatorId: undefined,
    clusterList: [],
    aigp: undefined,
    onlyToCustomer: undefined,
    unknown: [],
    ...overrides,
  };
}

export function fakeRoute(overrides: Partial<RouteView> = {}): RouteView {
  return {
    family: 'ipv4-unicast',
    prefix: '10.1.0.0/16',
    pathId: 0,
    peer: 'tor-a',
    peerAddress: '10.99.0.2',
    best: true,
    multipath: false,
    eligible: true,
    reason: 'shortest AS path',
    stale: false,
    since: NOW / SECOND - 90,
    nextHop: '10.99.0.2',
    nextHopReachable: true,
    igpMetric: undefined,
    attributes: fakeAttributes(),
    ...overrides,
  };
}

export function fakePeer(overrides: Partial<PeerView> = {}): PeerView {
  return {
    name: 'tor-a',
    description: undefined,
    kind: 'static',
    address: '10.99.0.2',
    port: 179,
    localAddress: '10.99.0.1',
    localAs: 64512,
    peerAs: 65001,
    peerId: '10.99.0.2',
    type: 'external',
    routeReflectorClient: false,
    adminUp: true,
    state: 'Established',
    since: NOW - 2 * HOUR,
    lastError: undefined,
    lastErrorCode: undefined,
    lastErrorAdvice: undefined,
    lastErrorAt: undefined,
    establishedCount: 1,
    downCount: 0,
    holdTime: 90,
    keepaliveTime: 30,
    localCapabilities: ['multiprotocol ipv4-unicast', '4-octet AS 64512', 'route refresh'],
    peerCapabilities: ['multiprotocol ipv4-unicast', '4-octet AS 65001', 'FQDN leaf-1'],
    messages: {
      received: { open: 1, update: 1200, notification: 0, keepalive: 240, routeRefresh: 0 },
      sent: { open: 1, update: 3, notification: 0, keepalive: 241, routeRefresh: 1 },
      receivedBytes: 98_765,
      sentBytes: 5000,
    },
    families: [
      {
        family: 'ipv4-unicast',
        negotiated: true,
        received: 1200,
        rejected: 20,
        best: 1100,
        advertised: 2,
        endOfRibReceived: true,
        endOfRibSent: true,
        keptFor: undefined,
        stale: 0,
        updateGroup: 1,
        limits: [{ kind: 'received', routes: 1500, action: 'restart', hit: false }],
      },
    ],
    queuedBytes: 0,
    memory: { paths: 48_000, attributes: 9000, queued: 0, socket: 2304 },
    damping: { remembered: 5, suppressed: 2, overflows: 0 },
    congested: false,
    draining: false,
    malformed: undefined,
    nextAttemptIn: undefined,
    ...overrides,
  };
}

const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };

/** An external peer that is up, an internal one over IPv6 that failed, and a client that was switched off. */
export function fakePeers(): PeerView[] {
  const silent = { received: NO_MESSAGES, sent: NO_MESSAGES, receivedBytes: 0, sentBytes: 0 };
  const down = {
    peerId: undefined,
    localAddress: undefined,
    holdTime: undefined,
    keepaliveTime: undefined,
    localCapabilities: [],
    peerCapabilities: [],
    families: [],
    messages: silent,
  };
  return [
    fakePeer({ description: 'rack 1' }),
    fakePeer({
      ...down,
      name: 'tor-b',
      address: 'fd99::2',
      peerAs: 64512,
      type: 'internal',
      state: 'Active',
      since: NOW - 65 * SECOND,
      lastError: 'hold timer expired (sent 4/0)',
      lastErrorCode: 'hold-timer',
      lastErrorAdvice: 'check the path',
      lastErrorAt: NOW - 65 * SECOND,
      establishedCount: 3,
      downCount: 3,
    }),
    fakePeer({
      ...down,
      name: '10.99.16.7',
      kind: 'dynamic',
      address: '10.99.16.7',
      peerAs: undefined,
      type: 'internal',
      routeReflectorClient: true,
      adminUp: false,
      state: 'Idle',
      since: NOW - 50 * HOUR,
    }),
  ];
}

export function fakeStatus(overrides: Partial<StatusView> = {}): StatusView {
  return {
    version: '0.1.0',
    hostname: 'rr-1',
    routerId: '10.99.0.1',
    asn: 64512,
    startedAt: NOW - 3 * HOUR,
    reconfiguredAt: NOW - HOUR,
    configFile: '/etc/godwit/godwit.yaml',
    state: 'running',
    problems: [],
    connections: { accepted: 5, refused: { unknown: 3, rate: 2, halfOpen: 0, noOpen: 1 }, halfOpen: 1 },
    families: [
      { family: 'ipv4-unicast', prefixes: 1100, paths: 1180 },
      { family: 'ipv6-unicast', prefixes: 1, paths: 1 },
    ],
    attributeSets: 12,
    updateGroups: 1,
    peers: { total: 3, established: 1, away: [] },
    kernel: {
      installing: true,
      table: 254,
      ipv6Table: undefined,
      desired: 1100,
      installed: 1090,
      pending: 8,
      failed: 2,
      learned: 4,
      lastScanAt: NOW - 10 * SECOND,
    },
    memory: { rss: 100 * 1024 * 1024, heapUsed: 30 * 1024 * 1024, arrayBuffers: 512 * 1024 },
    stages: [
      { name: 'decide', runs: 10, micros: 2500.5, longestMicros: 900.25 },
      { name: 'export', runs: 4, micros: 100, longestMicros: 50 },
    ],
    loop: { p50: 0.2, p99: 4.5, max: 30.5, longest: 120 },
    causes: [
      { code: 'hold-timer', count: 2 },
      { code: 'wrong-as', count: 0 },
    ],
    events: 7,
    ...overrides,
  };
}

export function fakeEvent(overrides: Partial<JournalEntry> = {}): JournalEntry {
  return {
    seq: 1,
    at: NOW - MINUTE,
    kind: 'session',
    severity: 'warning',
    code: 'hold-timer',
    peer: 'tor-b',
    sentence: 'session with tor-b is down: hold timer expired',
    advice: 'check the path',
    ...overrides,
  };
}

function fakeRoutes(): RouteView[] {
  return [
    fakeRoute(),
    fakeRoute({
      peer: 'tor-b',
      peerAddress: 'fd99::2',
      best: false,
      eligible: true,
      reason: 'longer AS path',
      nextHop: '10.99.0.3',
      attributes: fakeAttributes({
        asPath: '65002 65003 64999',
        med: 50,
        communities: ['65002:100', 'no-export'],
      }),
    }),
    fakeRoute({
      prefix: '192.0.2.0/24',
      peer: 'tor-b',
      best: false,
      eligible: false,
      stale: true,
      reason: 'own AS in the path',
      nextHopReachable: false,
      igpMetric: 20,
      pathId: 7,
      attributes: fakeAttributes({
        origin: 'INCOMPLETE',
        localPref: undefined,
        originatorId: '10.99.0.9',
        clusterList: ['10.99.0.1', '10.99.0.8'],
        unknown: ['128 (partial, transitive): 0a0b'],
      }),
    }),
    fakeRoute({
      family: 'ipv6-unicast',
      prefix: '2001:db8::/32',
      peer: 'local',
      peerAddress: undefined,
      nextHop: '::',
      reason: 'only path',
      attributes: fakeAttributes({ asPath: '' }),
    }),
  ];
}

export class FakeSpeaker implements SpeakerApi {
  bird = new FakeBird();
  statusView = fakeStatus();
  peerViews = fakePeers();
  routeViews: Iterable<RouteView> = fakeRoutes();
  journal: JournalEntry[] = [fakeEvent()];
  /** What was asked of it, one line each. */
  readonly calls: string[] = [];
  readonly queries: RouteQuery[] = [];
  reloadResult: ReloadResult | Error = { changes: ['peer tor-a: hold time 90 instead of 180'] };
  /** Running watches. */
  messageViews: MessageView[] = [];
  readonly messageListeners = new Set<(message: MessageView) => void>();
  readonly eventListeners = new Set<(entry: JournalEntry) => void>();
  readonly peerListeners = new Set<(event: PeerEvent) => void>();
  readonly routeListeners = new Set<(event: RouteEvent) => void>();

  status(): StatusView {
    return this.statusView;
  }

  peers(): PeerView[] {
    return this.peerViews;
  }

  *routes(query: RouteQuery): Generator<RouteView, void> {
    this.queries.push(query);
    for (const name of [query.receivedFrom, query.advertisedTo]) if (name !== undefined) this.#known(name);
    for (const route of this.routeViews) {
      if (query.family !== undefined && route.family !== query.family) continue;
      if (query.prefix !== undefined && route.prefix !== query.prefix) continue;
      if (query.receivedFrom !== undefined && route.peer !== query.receivedFrom) continue;
      if (query.bestOnly === true && !route.best) continue;
      if (query.rejectedOnly === true && route.eligible) continue;
      yield route;
    }
  }

  *events(query: JournalQuery): Generator<JournalEntry, void> {
    for (const entry of this.journal) if (wanted(query, entry)) yield entry;
  }

  watchEvents(query: JournalQuery, listener: (entry: JournalEntry) => void): () => void {
    const filtered = (entry: JournalEntry) => {
      if (wanted(query, entry)) listener(entry);
    };
    this.eventListeners.add(filtered);
    return () => this.eventListeners.delete(filtered);
  }

  messages(peer: string): MessageView[] {
    this.#known(peer);
    return this.messageViews;
  }

  watchMessages(peer: string, listener: (message: MessageView) => void): () => void {
    this.#known(peer);
    this.messageListeners.add(listener);
    return () => this.messageListeners.delete(listener);
  }

  recordMessages(peer: string, on: boolean): void {
    this.#known(peer);
    this.calls.push(`${on ? 'record' : 'unrecord'} ${peer}`);
  }

  *attributeSets(): Generator<AttributeSetView, void> {
    yield { id: 1, references: 1100, bytes: 24, nextHop: '10.99.0.2', attributes: fakeAttributes() };
    yield {
      id: 2,
      references: 1,
      bytes: 40,
      nextHop: '10.99.0.3',
      attributes: fakeAttributes({
        asPath: '',
        med: 5,
        communities: ['65002:100'],
        originatorId: '10.99.0.9',
      }),
    };
  }

  bmpStations(): BmpStationView[] {
    return [
      {
        name: 'bmp1',
        address: '192.0.2.9',
        port: 11019,
        state: 'Established',
        since: NOW - HOUR,
        routes: ['pre-policy', 'loc-rib'],
        peers: 2,
        waiting: 7,
        queued: 4096,
        bufferLimit: 64 << 20,
        sessionOctets: 1 << 20,
        totalOctets: 5_000_000_000,
        connections: 3,
        overflows: 1,
        retryIn: undefined,
        problem: undefined,
      },
      {
        name: 'bmp2',
        address: '2001:db8::9',
        port: 5000,
        state: 'Idle',
        since: NOW - HOUR,
        routes: [],
        peers: 0,
        waiting: 0,
        queued: 0,
        bufferLimit: 1 << 20,
        sessionOctets: 0,
        totalOctets: 0,
        connections: 0,
        overflows: 0,
        retryIn: 29.5,
        problem: 'connect ECONNREFUSED',
      },
    ];
  }

  rpkiCaches(): RpkiCacheView[] {
    return [
      {
        name: 'rpki1',
        host: '192.0.2.1',
        port: 323,
        preference: 0,
        state: 'Established',
        version: 1,
        sessionId: 0xffff,
        serial: 0xffff_ffff,
        lastUpdate: NOW - HOUR,
        roas4: 400_000,
        roas6: 100_000,
        aspas: 5,
        refreshIn: 1200.5,
        retryIn: undefined,
        expireIn: 7200,
        connections: 2,
        updates: 11,
        resets: 1,
        errors: 1,
        expirations: 0,
        problem: undefined,
      },
      {
        name: 'rpki2',
        host: '2001:db8::1',
        port: 8282,
        preference: 1,
        state: 'Transport-Error',
        version: 2,
        sessionId: undefined,
        serial: undefined,
        lastUpdate: undefined,
        roas4: 0,
        roas6: 0,
        aspas: 0,
        refreshIn: undefined,
        retryIn: 60,
        expireIn: undefined,
        connections: 5,
        updates: 0,
        resets: 0,
        errors: 5,
        expirations: 0,
        problem: 'connect ECONNREFUSED',
      },
    ];
  }

  *dampedRoutes(peer?: string): Generator<DampedRouteView, void> {
    if (peer !== undefined) this.#known(peer);
    const route = {
      peer: 'tor-a',
      family: 'ipv4-unicast',
      prefix: '203.0.113.0/24',
      pathId: 0,
      suppressed: true,
      penalty: 6500,
      flaps: 7,
      since: NOW - HOUR,
      reuseIn: 2806,
    } as const;
    yield route;
    yield { ...route, pathId: 4, suppressed: false, penalty: 500, flaps: 1, reuseIn: 0 };
  }

  clearDamping(peer?: string, prefix?: string): number {
    this.calls.push(`clear damping ${peer} ${prefix}`);
    return prefix === undefined ? 2 : 0;
  }

  bfdSessions(): BfdSessionView[] {
    const up: BfdSessionView = {
      peers: ['tor-a'],
      address: '10.99.0.2',
      localAddress: '10.99.0.1',
      interface: 'eth0',
      multihop: false,
      state: 'Up',
      remoteState: 'Up',
      since: NOW - HOUR,
      upCount: 2,
      downCount: 1,
      interval: 300,
      timeout: 900,
      multiplier: 3,
      localDiagnostic: 'Control Detection Time Expired',
      remoteDiagnostic: 'No Diagnostic',
      localDiscriminator: 0xffff_fff0,
      remoteDiscriminator: 7,
      passive: false,
      authentication: 'meticulous-sha1',
      problem: undefined,
    };
    return [
      up,
      {
        ...up,
        peers: ['tor-b', 'rr'],
        address: 'fd99::2',
        localAddress: undefined,
        interface: undefined,
        multihop: true,
        state: 'Down',
        remoteState: 'Down',
        since: NOW - 3 * SECOND,
        interval: 1000,
        timeout: 0,
        remoteDiscriminator: 0,
        authentication: undefined,
      },
    ];
  }

  updateGroups(): UpdateGroupView[] {
    return [
      {
        id: 1,
        family: 'ipv4-unicast',
        key: { type: 'external', nextHop: 'auto' },
        members: ['tor-a', '10.99.16.7'],
        lagging: ['10.99.16.7'],
        routes: 1102,
        pending: 3,
        bytesBuilt: 20_480,
      },
    ];
  }

  *kernelRoutes(): Generator<KernelRouteView, void> {
    const base = { table: 254, metric: 32, protocol: 12, problem: undefined };
    yield {
      ...base,
      prefix: '10.1.0.0/16',
      type: 'unicast',
      nextHops: ['via 10.99.0.2 dev eth0', 'via 10.99.0.3 dev eth1'],
      origin: 'own',
      state: 'installed',
    };
    yield {
      ...base,
      prefix: '192.0.2.0/24',
      type: 'blackhole',
      nextHops: [],
      origin: 'own',
      state: 'failed',
      problem: 'the kernel said EEXIST',
    };
  }

  explain(prefix: string, options: { from?: string; to?: string }): ExplainView {
    if (prefix !== '10.1.0.0/16') throw new CommandError('not-found', `There is no route to ${prefix}.`);
    this.calls.push(`explain ${prefix} ${JSON.stringify(options)}`);
    const [first, second] = fakeRoutes();
    return {
      prefix,
      paths: [
        { ...first!, rank: 1, step: 'AS path length' },
        {
          ...second!,
          rank: 2,
          step: 'AS path length',
          importFilter: {
            name: 'tor',
            accepted: true,
            steps: [
              { place: 'godwit.yaml:7', code: 'net.len > 24', text: 'false' },
              { place: 'godwit.yaml:12', code: 'accept;', text: 'accept' },
            ],
          },
        },
      ],
      exports: [
        {
          peer: 'tor-a',
          advertised: false,
          reason: 'it was learned from this peer',
          attributes: undefined,
          nextHop: undefined,
          exportFilter: { name: 'none of it', accepted: false, steps: [] },
        },
        {
          peer: 'tor-b',
          advertised: true,
          reason: 'export policy accepts it',
          attributes: fakeAttributes({ localPref: 100 }),
          nextHop: '10.99.0.1',
        },
      ],
      kernel: { desired: 'via 10.99.0.2', installed: undefined, problem: 'no such device' },
    };
  }

  watchPeers(listener: (event: PeerEvent) => void): () => void {
    this.peerListeners.add(listener);
    return () => this.peerListeners.delete(listener);
  }

  watchRoutes(
    query: Pick<RouteQuery, 'family' | 'prefix' | 'longer'>,
    listener: (event: RouteEvent) => void,
  ): () => void {
    this.queries.push(query);
    this.routeListeners.add(listener);
    return () => this.routeListeners.delete(listener);
  }

  peerUp(name: string): void {
    this.calls.push(`up ${this.#known(name)}`);
  }

  peerDown(name: string, reason: string | undefined): void {
    this.calls.push(`down ${this.#known(name)} ${reason}`);
  }

  drain(name: string | undefined, on: boolean): void {
    this.calls.push(`drain ${name === undefined ? 'all' : this.#known(name)} ${on}`);
  }

  peerReset(name: string, reason: string | undefined): void {
    this.calls.push(`reset ${this.#known(name)} ${reason}`);
  }

  peerRefresh(name: string, direction: 'in' | 'out' | 'both'): void {
    this.calls.push(`refresh ${this.#known(name)} ${direction}`);
  }

  addNetwork(network: NetworkSpec): void {
    if (network.prefix === '203.0.113.0/24') throw new Error('the table is on fire');
    this.calls.push(`add ${JSON.stringify(network)}`);
  }

  deleteNetwork(prefix: string): void {
    if (prefix !== '192.0.2.0/24') throw new CommandError('not-found', `${prefix} is not originated here.`);
    this.calls.push(`delete ${prefix}`);
  }

  async impact(file: string | undefined, limit: number): Promise<ImpactView> {
    this.calls.push(`impact ${file} ${limit}`);
    return {
      changes: ['peer tor-a: import accept -> filter short; import done again, session kept'],
      counts: [{ peer: 'tor-a', direction: 'import', added: 0, removed: 2, modified: 1 }],
      routes: [
        {
          peer: 'tor-a',
          direction: 'import',
          family: 'ipv4-unicast',
          prefix: '10.1.0.0/16',
          change: 'modified',
          detail: 'localPref 100 -> 200',
        },
        {
          peer: 'tor-a',
          direction: 'import',
          family: 'ipv4-unicast',
          prefix: '10.2.0.0/25',
          change: 'removed',
          detail: '',
        },
      ],
      more: 1,
    };
  }

  async upgrade(program: string | undefined): Promise<UpgradeView> {
    this.calls.push(`upgrade ${program ?? ''}`.trim());
    if (program === '/no') throw new CommandError('failed', 'the new program is not fit to go on: no');
    this.statusView = { ...this.statusView, version: '0.2.0', startedAt: this.statusView.startedAt + 1 };
    return { from: '0.1.0', to: '0.2.0', sessions: 2 };
  }

  async reload(): Promise<ReloadResult> {
    this.calls.push('reload');
    if (this.reloadResult instanceof Error) throw this.reloadResult;
    return this.reloadResult;
  }

  #known(name: string): string {
    if (!this.peerViews.some((peer) => peer.name === name)) {
      throw new CommandError('not-found', `There is no peer "${name}".`);
    }
    return name;
  }
}
