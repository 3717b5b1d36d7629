import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DECISION_ACTIONS,
  diffConfig,
  KERNEL_ACTIONS,
  type PeerChange,
  ROUTER_ACTIONS,
} from '../../src/config/diff.ts';
import { type Config, type PeerConfig, type PeerSettings, Secret } from '../../src/config/model.ts';
import { type ChangeAction, PEER_KEYS, type PeerKey, peerKeys } from '../../src/config/peer-changes.ts';
import { config, LONG_LIVED } from './support.ts';

const TEXT = `router: { asn: 64512, id: 10.99.0.1 }
kernel: { install: true }
peers:
  - { name: a, address: 10.1.1.1, asn: 64512 }
  - { name: b, address: 10.1.1.2, asn: 1, import: accept, export: accept, password: one }
dynamicPeers: [{ name: nodes, prefix: 10.2.0.0/16, asn: internal }]
networks: [10.0.0.0/8]
`;
const base = config(TEXT);

function withPeer(change: Partial<PeerConfig>): Config {
  const [first, ...rest] = base.peers;
  if (first === undefined) throw new Error('no peer');
  return { ...base, peers: [{ ...first, ...change }, ...rest] };
}

/** One other value for each setting of peer a. */
const OTHER: { [K in Exclude<keyof PeerSettings, 'timers'>]: PeerSettings[K] } = {
  asn: 'internal',
  localAs: 7,
  confederation: { id: 64500, memberAs: 64512, inside: false },
  localAddress: '10.1.1.9',
  interface: 'eth1',
  port: 1179,
  localPort: 1180,
  enabled: false,
  description: 'other',
  passive: true,
  families: ['ipv4-unicast', 'ipv6-unicast'],
  password: new Secret('two'),
  tcpAo: [{ sendId: 1, receiveId: 1, algorithm: 'hmac-sha1', secret: new Secret('four'), use: 'normal' }],
  multihop: 3,
  ttlSecurity: 1,
  import: 'reject',
  export: 'reject',
  routeReflectorClient: true,
  clusterId: '1.1.1.1',
  clientToClient: false,
  routeServerClient: true,
  evaluateAll: true,
  nextHop: 'self',
  nextHopAddress: { ipv4: '10.1.1.9', ipv6: undefined },
  localFirst: true,
  onlink: true,
  throughPeer: true,
  linkLocalNextHop: 'single',
  removePrivateAs: true,
  asOverride: true,
  allowOwnAs: 1,
  allowAsSets: true,
  enforceFirstAs: false,
  allowLocalPref: true,
  allowMed: true,
  addPath: { receive: true, send: 'none' },
  extendedNextHop: true,
  extendedMessages: false,
  gracefulRestart: { mode: 'off', restartTime: 120, notification: false, longLived: LONG_LIVED },
  role: 'peer',
  roleStrict: true,
  routerId: '10.9.9.9',
  freeBind: true,
  hostname: false,
  disableAfter: { error: true, cease: 'any' },
  withheld: ['route-refresh'],
  required: { capabilities: ['fqdn'], families: [], addPath: [], extendedNextHop: [] },
  aigp: false,
  sendCommunities: false,
  interpretCommunities: false,
  limits: {
    received: { 'ipv4-unicast': { routes: 9, action: 'restart' } },
    accepted: { 'ipv4-unicast': { routes: 8, action: 'block' } },
    exported: { 'ipv4-unicast': { routes: 7, action: 'warn' } },
    asPathLength: 50,
    communities: 60,
  },
  gracefulShutdown: true,
  damping: {
    families: ['ipv4-unicast'],
    halfLife: 900,
    suppress: 6000,
    reuse: 750,
    maxSuppressTime: 3600,
    testOnly: false,
  },
  fastFallover: false,
  bfd: {
    minTx: 300,
    minRx: 300,
    idleTx: 1000,
    multiplier: 3,
    multihop: false,
    passive: false,
    auth: { type: 'sha1', keys: [{ id: 1, password: new Secret('three') }] },
  },
  preference: 150,
  tables: { ipv4: 'blue' },
  igpTables: { ipv6: 'blue' },
};

function otherPeer(key: PeerKey): Partial<PeerConfig> {
  const [first] = base.peers;
  if (key.startsWith('timers.')) return { timers: { ...first!.timers, [key.slice('timers.'.length)]: 7 } };
  if (key.startsWith('limits.')) {
    const name = key.slice('limits.'.length) as keyof typeof OTHER.limits;
    return { limits: { ...first!.limits, [name]: OTHER.limits[name] } };
  }
  return { [key]: OTHER[key as keyof typeof OTHER] };
}

/** The actions a change asks for, read back from the plan. */
function actionsOf(change: PeerChange | undefined): ChangeAction[] {
  if (change === undefined) return [];
  const { reset, softIn, softOut, admin } = change;
  const actions: ChangeAction[] = [];
  if (reset.length > 0) actions.push('reset');
  if (softIn) actions.push('soft-in');
  if (softOut) actions.push('soft-out');
  if (admin !== undefined) actions.push('admin');
  return actions.length === 0 ? ['live'] : actions;
}

describe('a peer setting', () => {
  it.each(peerKeys())('%s asks for exactly what its row says', (key) => {
    const plan = diffConfig(base, withPeer(otherPeer(key)));
    const [change, ...others] = plan.peers.changed;
    expect(others).toEqual([]);
    expect(change?.keys).toEqual([key]);
    expect(actionsOf(change)).toEqual(PEER_KEYS[key].actions);
    expect(plan.sentences).toHaveLength(1);
    expect(plan.sentences[0]).toContain(`peer a: ${PEER_KEYS[key].name} `);
    expect(plan).toMatchObject({
      router: undefined,
      kernel: undefined,
      networks: { added: [], removed: [], changed: [] },
    });
  });

  it('has the row it should have', () => {
    const names = (action: ChangeAction): string[] =>
      peerKeys()
        .filter((key) => PEER_KEYS[key].actions.includes(action))
        .map((key) => PEER_KEYS[key].name)
        .sort();
    expect(names('reset')).toEqual(
      'addPath aigp allowAsSets allowLocalPref asn clientToClient clusterId confederation extendedMessages extendedNextHop families gateway gracefulRestart holdTime igpTable interface localAddress localAs localFirst localPort multihop onlink port require role roleStrict routeReflectorClient routerId table ttlSecurity withhold'.split(
        ' ',
      ),
    );
    expect(names('soft-in')).toEqual([
      'allowOwnAs',
      'enforceFirstAs',
      'gracefulShutdown',
      'import',
      'limits.accepted',
      'limits.asPathLength',
      'limits.communities',
      'limits.received',
      'preference',
    ]);
    expect(names('soft-out')).toEqual(
      'allowMed asOverride evaluateAll export interpretCommunities limits.exported linkLocalNextHop nextHop nextHopAddress removePrivateAs routeServerClient sendCommunities'.split(
        ' ',
      ),
    );
    expect(names('admin')).toEqual(['enabled']);
    expect(names('live')).toEqual(
      'authentication bfd connectDelayTime connectRetryTime damping delayOpenTime description disableAfter errorForgetTime errorWaitMax errorWaitMin fastFallover freeBind hostname keepaliveTime minHoldTime minKeepaliveTime openHoldTime passive password sendHoldTime'.split(
        ' ',
      ),
    );
  });

  it('of a dynamic range is treated alike', () => {
    const [range] = base.dynamicPeers;
    const plan = diffConfig(base, { ...base, dynamicPeers: [{ ...range!, export: 'reject', limit: 7 }] });
    expect(plan.dynamicPeers.changed).toMatchObject([
      { keys: ['export'], softOut: true, softIn: false, reset: [], limit: true, prefix: false },
    ]);
    expect(plan.sentences).toEqual([
      'dynamic range nodes: limit 100 -> 7, export accept -> reject; export done again, session kept',
    ]);
  });

  it('that resets makes softer ones moot', () => {
    const plan = diffConfig(base, withPeer({ port: 1179, import: 'reject', export: 'reject' }));
    expect(plan.peers.changed).toMatchObject([{ reset: ['port'], softIn: false, softOut: false }]);
    expect(plan.sentences).toEqual([
      'peer a: port 179 -> 1179, import accept -> reject, export accept -> reject; session reset',
    ]);
  });

  it('may be a new address under the old name', () => {
    const plan = diffConfig(base, withPeer({ address: '10.1.1.77' }));
    expect(plan.peers).toMatchObject({ added: [], removed: [], changed: [{ reset: ['address'] }] });
    expect(plan.sentences).toEqual(['peer a: address 10.1.1.1 -> 10.1.1.77; session reset']);
  });
});

describe('a setting of several parts', () => {
  const told = (more: string) =>
    diffConfig(base, config(TEXT.replace('asn: 64512 }', `asn: 64512, ${more} }`))).sentences;

  it('is told by what changed of it', () => {
    expect(told('gracefulRestart: full')).toEqual([
      'peer a: gracefulRestart mode helper -> full; session reset',
    ]);
    expect(told('gracefulRestart: { longLived: { staleTime: { ipv4-unicast: 60 } } }')).toEqual([
      'peer a: gracefulRestart longLived staleTime ipv4-unicast 3600 -> 60; session reset',
    ]);
    expect(told('addPath: { send: 2 }')).toEqual(['peer a: addPath send none -> 2; session reset']);
  });

  it('is told as a whole where there was none', () => {
    expect(told('bfd: { interval: 100 }')).toEqual([
      'peer a: bfd none -> minTx 100, minRx 100, idleTx 1000, multiplier 3, multihop on, passive off; session kept',
    ]);
  });
});

describe('passwords', () => {
  const withPassword = (password: string): Config => config(TEXT.replace('one', password));

  it('change without a reset and without being told', () => {
    expect(diffConfig(base, withPassword('one')).sentences).toEqual([]);
    const plan = diffConfig(base, withPassword('Xq7-hunter2'));
    expect(plan.peers.changed).toMatchObject([
      { keys: ['password'], reset: [], softIn: false, softOut: false },
    ]);
    expect(plan.sentences).toEqual(['peer b: password changed; session kept']);
    expect(JSON.stringify(plan)).not.toContain('hunter2');
    expect(diffConfig(base, config(TEXT.replace(', password: one', ''))).sentences).toEqual([
      'peer b: password removed; session kept',
    ]);
  });
});

describe('control', () => {
  it('tells a port that waits for the next start from who may use what there is', () => {
    const with_ = (control: string) => config(TEXT + control);
    const port = with_('control: { tcp: { listen: "127.0.0.1:8180" } }\n');
    expect(diffConfig(base, port).sentences).toEqual([
      'control port: off -> 127.0.0.1 port 8180 in the clear; at the next start',
    ]);
    expect(diffConfig(base, with_('control: { allow: [root] }\n')).sentences).toEqual([
      'control: who may use it, or how, changed',
    ]);
    const bird = with_('control: { bird: { socket: /run/b.ctl } }\n');
    const bird1 = with_('control: { bird: { socket: /run/b.ctl, style: bird1 } }\n');
    expect(diffConfig(base, bird).sentences).toEqual([
      "BIRD's control socket: none -> /run/b.ctl (style auto); at the next start",
    ]);
    expect(diffConfig(bird, bird1).sentences).toEqual([
      "BIRD's control socket: /run/b.ctl (style auto) -> /run/b.ctl (style bird1); at the next start",
    ]);
  });
});

describe('lists', () => {
  it('tell what came and what went', () => {
    const after = config(`router: { asn: 64512, id: 10.99.0.1 }
kernel: { install: true }
listen: [10.1.1.9]
peers:
  - { name: b, address: 10.1.1.2, asn: 1, import: accept, export: accept, password: one }
  - { name: c, address: 10.1.1.3, port: 1179, asn: 64512, enabled: false }
networks: [{ prefix: 10.0.0.0/8, type: blackhole, med: 5 }, 11.0.0.0/8]
redistribute: connected
http: "127.0.0.1:8179"
control: false
process: { user: godwit, watchFiles: 60 }
log: debug
`);
    expect(diffConfig(base, after).sentences).toEqual([
      'listener 0.0.0.0 port 179 closed',
      'listener :: port 179 closed',
      'listener 10.1.1.9 port 179 opened',
      'peer a removed',
      'peer c added (10.1.1.3 port 1179, AS 64512)',
      'dynamic range nodes removed; its sessions end',
      'network 11.0.0.0/8 announced',
      'network 10.0.0.0/8: type none -> blackhole, med none -> 5',
      'connected routes are redistributed',
      'control socket: /run/godwit/godwit.sock -> none; at the next start',
      'process: user none -> godwit, watchFiles 10 -> 60; at the next start',
      'http: off -> 127.0.0.1 port 8179; at the next start',
      'log: info, auto -> debug, auto',
    ]);
    const back = diffConfig(after, base).sentences;
    expect(back).toContain('network 11.0.0.0/8 withdrawn');
    expect(back).toContain('connected routes are no longer redistributed');
    expect(back).toContain('dynamic range nodes added (10.2.0.0/16, AS internal)');
    const process = { user: undefined, group: undefined, watchFiles: 0 };
    expect(diffConfig(base, { ...base, process }).sentences).toEqual(['process: watchFiles 10 -> 0']);
  });

  it('do not care for order', () => {
    const turned = { ...base, peers: [...base.peers].reverse(), listen: [...base.listen].reverse() };
    expect(diffConfig(base, turned).sentences).toEqual([]);
  });
});

describe('sections', () => {
  const ROUTER = {
    asn: 7,
    id: '1.1.1.1',
    clusterId: '2.2.2.2',
    hostname: 'other',
    restart: { recover: 'never', wait: 9, onStop: 'silent' },
  } as const;
  it.each(Object.keys(ROUTER_ACTIONS) as (keyof typeof ROUTER)[])('router.%s', (key) => {
    const plan = diffConfig(base, { ...base, router: { ...base.router, [key]: ROUTER[key] } });
    expect(plan.router).toMatchObject({ keys: [key], actions: [ROUTER_ACTIONS[key]] });
    expect(plan.sentences).toHaveLength(1);
  });

  it('says once that all sessions are reset', () => {
    const router = { ...base.router, id: '1.1.1.1', clusterId: '1.1.1.1' };
    const [sentence] = diffConfig(base, { ...base, router }).sentences;
    expect(sentence).toMatch(/; all sessions are reset$/);
  });

  const KERNEL: Config['kernel'] = {
    install: false,
    table: 100,
    metric: 5,
    ecmp: 8,
    protocol: 99,
    prefSource: { ipv4: '10.1.1.1', ipv6: undefined },
    keepOnStop: true,
    learn: [{ protocol: 80, table: undefined }],
    interfaces: ['eth*'],
    nextHopTracking: false,
    scanTime: 1,
    families: ['ipv6'],
    direct: [{ interfaces: ['*'], as: { ipv4: { protocol: 'direct1' } } }],
    learnedAs: { ipv4: { protocol: 'kernel1', preference: 11 } },
    deviceRoutes: true,
  };
  it.each(Object.keys(KERNEL_ACTIONS) as (keyof typeof KERNEL_ACTIONS)[])('kernel.%s', (key) => {
    const plan = diffConfig(base, { ...base, kernel: { ...base.kernel, [key]: KERNEL[key] } });
    expect(plan.kernel).toMatchObject({
      keys: [key],
      actions: [key === 'install' ? 'stop' : KERNEL_ACTIONS[key]],
    });
    expect(plan.sentences).toHaveLength(1);
  });

  it('name the family that they concern', () => {
    const sentence = (before: Config['kernel'], after: Config['kernel']) =>
      diffConfig({ ...base, kernel: before }, { ...base, kernel: after }).sentences;
    const { kernel } = base;
    const apart = { ...kernel, ipv4: { metric: 6 }, ipv6: { table: 9, metric: 7 } };
    const anew = 'own routes are installed anew, then the old ones removed';
    expect(sentence(kernel, apart)).toEqual([
      `kernel: ipv6 table 254 -> 9, ipv4 metric 32 -> 6, ipv6 metric 32 -> 7; ${anew}`,
    ]);
    expect(sentence(kernel, { ...kernel, ipv4: { metric: 5 }, ipv6: { metric: 5 } })).toEqual([
      `kernel: metric 32 -> 5; ${anew}`,
    ]);
    expect(sentence(apart, { ...apart, ipv6: { ...apart.ipv6, keepOnStop: true } })).toEqual([
      'kernel: ipv6 keepOnStop off -> on; taken over',
    ]);
    // Said another way, it is the same.
    expect(sentence(kernel, { ...kernel, ipv4: { metric: kernel.metric } })).toEqual([]);
  });

  it('have nothing to move in a kernel that nothing is installed into', () => {
    const off = { ...base, kernel: { ...base.kernel, install: false } };
    const plan = diffConfig(off, { ...off, kernel: { ...off.kernel, metric: 5, learn: KERNEL.learn } });
    expect(plan.kernel?.actions).toEqual(['relearn']);
    expect(diffConfig(off, base).kernel?.actions).toEqual(['start']);
    expect(diffConfig(off, base).sentences).toEqual(['kernel: install off -> on; routes are installed']);
  });

  const DECISION = {
    alwaysCompareMed: true,
    preferOldest: true,
    multipathRelax: false,
    ignoreAsPathLength: true,
    ignoreIgpMetric: true,
    ignoreRouterId: true,
    aigp: false,
    defaultLocalPref: 7,
    defaultMed: 7,
  };
  it.each(Object.keys(DECISION_ACTIONS) as (keyof typeof DECISION)[])('decision.%s', (key) => {
    const plan = diffConfig(base, { ...base, decision: { ...base.decision, [key]: DECISION[key] } });
    expect(plan.decision).toMatchObject({ keys: [key], actions: [DECISION_ACTIONS[key]] });
  });
});

describe('any two configurations', () => {
  const change = fc.constantFrom(...peerKeys()).map((key) => otherPeer(key));
  const anyConfig = fc.record({
    changes: fc.array(change, { maxLength: 4 }),
    peers: fc.subarray([0, 1]),
    networks: fc.subarray(['10.0.0.0/8', '11.0.0.0/8', '2001:db8::/32']),
    redistribute: fc.subarray(['kernel', 'connected', 'static'] as const),
  });
  const build = (parts: typeof anyConfig extends fc.Arbitrary<infer T> ? T : never): Config => {
    const changed = withPeer(Object.assign({}, ...parts.changes));
    const [network] = base.networks;
    return {
      ...changed,
      peers: parts.peers.map((i) => changed.peers[i]!),
      networks: parts.networks.map((prefix) => ({ ...network!, prefix })),
      redistribute: parts.redistribute,
    };
  };

  it('differ from themselves in nothing', () => {
    fc.assert(
      fc.property(anyConfig, (parts) => {
        expect(diffConfig(build(parts), build(parts)).sentences).toEqual([]);
      }),
    );
  });

  it('lead from the one list to the other, wherever they differ', () => {
    const list = fc.uniqueArray(fc.record({ octet: fc.nat({ max: 7 }), med: fc.nat({ max: 1 }) }), {
      selector: ({ octet }) => octet,
    });
    const base = build({ changes: [], peers: [], networks: ['10.0.0.0/8'], redistribute: [] });
    const withNetworks = (parts: readonly { octet: number; med: number }[]): Config => ({
      ...base,
      networks: parts.map(({ octet, med }) => ({ ...base.networks[0]!, prefix: `10.${octet}.0.0/16`, med })),
    });
    fc.assert(
      fc.property(list, list, (one, two) => {
        const [before, after] = [withNetworks(one), withNetworks(two)];
        const { added, removed, changed } = diffConfig(before, after).networks;
        const made = new Map(before.networks.map((network) => [network.prefix, network]));
        for (const { prefix } of removed) expect(made.delete(prefix)).toBe(true);
        for (const change of changed) {
          expect(made.get(change.after.prefix)).toEqual(change.before);
          expect(change.before).not.toEqual(change.after);
          made.set(change.after.prefix, change.after);
        }
        for (const network of added) {
          expect(made.has(network.prefix)).toBe(false);
          made.set(network.prefix, network);
        }
        expect(made).toEqual(new Map(after.networks.map((network) => [network.prefix, network])));
      }),
    );
  });

  it('differ both ways in the same things', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (one, two) => {
        const forth = diffConfig(build(one), build(two));
        const back = diffConfig(build(two), build(one));
        expect(back.peers.added.map((each) => each.name)).toEqual(
          forth.peers.removed.map((each) => each.name),
        );
        expect(back.peers.changed.map((each) => each.keys)).toEqual(
          forth.peers.changed.map((each) => each.keys),
        );
        expect(back.networks.added).toEqual(forth.networks.removed);
        expect(back.sentences.length).toBe(forth.sentences.length);
      }),
    );
  });
});
