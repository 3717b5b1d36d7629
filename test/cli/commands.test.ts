// Every command over a real socket: what a person reads, what a script reads, and what the speaker was asked to do.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMAND_LIST } from '../../src/control/commands.ts';
import { CommandError } from '../../src/control/protocol.ts';
import { type ControlLab, fakeTerminal, startControlLab } from '../support/control-lab.ts';
import { fakePeer, fakeRoute } from '../support/fake-speaker.ts';

let lab: ControlLab;
beforeEach(async () => {
  lab = await startControlLab();
});
afterEach(() => lab.stop());

const lines = (...text: string[]) => `${text.join('\n')}\n`;
const json = async (...words: string[]) => {
  const { code, out, err } = await lab.godwit([...words, '--json']);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
};
const ndjson = async (...words: string[]) => {
  const { code, out } = await lab.godwit([...words, '--json']);
  expect(code).toBe(0);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
};
const text = async (...words: string[]) => {
  const { code, out, err } = await lab.godwit(words);
  expect([code, err]).toEqual([0, '']);
  return out;
};

describe('status', () => {
  test('for a person', async () => {
    lab.speaker.statusView = { ...lab.speaker.statusView, problems: ['Port 179 of 10.99.0.1 is taken.'] };
    expect(await text('status')).toBe(
      lines(
        'godwit 0.1.0 on rr-1 is running',
        '  Router      id 10.99.0.1, AS 64512',
        '  Started     2026-03-01 09:00:00 (3h00m ago)',
        '  Configured  2026-03-01 11:00:00 (1h00m ago) from /etc/godwit/godwit.yaml',
        '  Peers       1 of 3 established',
        '  Routes      ipv4-unicast: 1,100 prefixes, 1,180 paths',
        '              ipv6-unicast: 1 prefix, 1 path',
        '  Shared      12 attribute sets, 1 update group',
        '  Refused     connections: 3 of no peer, 2 too often, 1 without OPEN',
        '  Kernel      table 254: 1,090 of 1,100 routes installed, 8 pending, 2 failed, 4 learned',
        '  Memory      100.0 MiB resident; heap 30.0 MiB, table space 512.0 KiB reserved',
        '  Loop lag    half below 0.2 ms, 99 % below 4.5 ms, at most 31 ms lately, 120 ms ever',
        '  Stages      decide: 2.5 ms in 10 runs, at most 0.9 ms',
        '              export: 0.1 ms in 4 runs, at most 0.1 ms',
        '  Ended       hold-timer 2',
        '',
        'Problems',
        '  - Port 179 of 10.99.0.1 is taken.',
        '',
        'IPv4 BGP status',
        'PEER ADDRESS  PEER TYPE                  STATE  SINCE       INFO',
        '10.99.0.2     external                   up     10:00:00    Established',
        '10.99.16.7    reflector client, dynamic  down   2026-02-27  switched off',
        '',
        'IPv6 BGP status',
        'PEER ADDRESS  PEER TYPE  STATE  SINCE     INFO',
        'fd99::2       internal   start  11:58:55  Active: hold timer expired (sent 4/0)',
      ),
    );
  });

  test("calls Calico's peers as calicoctl does", async () => {
    lab.speaker.peerViews = ['Mesh_10_0_0_1', 'Global_10_0_0_2', 'Node_10_0_0_3'].map((name) =>
      fakePeer({ name }),
    );
    const out = await text('status');
    expect(out).toContain(
      lines(
        'PEER ADDRESS  PEER TYPE          STATE  SINCE     INFO',
        '10.99.0.2     node-to-node mesh  up     10:00:00  Established',
        '10.99.0.2     global             up     10:00:00  Established',
        '10.99.0.2     node specific      up     10:00:00  Established',
      ),
    );
    expect(out).toContain('IPv6 BGP status\nNo IPv6 peers.\n');
  });

  test('names dynamic peers that are gone while their routes wait', async () => {
    const away = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    lab.speaker.statusView.peers = { total: 3, established: 1, away };
    expect(await text('status')).toContain('gone, while their routes wait: a, b, c, d, e and 2 more\n');
    lab.speaker.statusView.peers.away = [];
    expect(await text('status')).not.toContain('gone');
  });

  test('for a script', async () => {
    const status = await json('status');
    expect(status).toMatchObject({
      state: 'running',
      asn: 64512,
      kernel: { failed: 2 },
      peers: { total: 3 },
    });
    expect(status.peerList.map((peer: { name: string }) => peer.name)).toEqual([
      'tor-a',
      'tor-b',
      '10.99.16.7',
    ]);
  });
});

describe('show peers', () => {
  test('all', async () => {
    expect(await text('show', 'peers')).toBe(
      lines(
        'PEER        ADDRESS        AS  TYPE      STATE          FOR  RECEIVED   BEST  SENT  INFO',
        'tor-a       10.99.0.2   65001  external  Established  2h00m     1,200  1,100     2',
        'tor-b       fd99::2     64512  internal  Active       1m05s         0      0     0  hold timer expired (sent 4/0)',
        '10.99.16.7  10.99.16.7      -  client    down         2d02h         0      0     0  switched off',
      ),
    );
    expect((await json('show', 'peers')).peers).toHaveLength(3);
  });

  test('says that nobody has answered yet, after a while', async () => {
    const waits = { state: 'Connect', lastError: undefined } as const;
    const since = lab.speaker.peerViews[0]!.since;
    lab.speaker.peerViews = [fakePeer({ ...waits, since })];
    expect(await text('show', 'peers')).toContain('no answer so far');
    lab.speaker.peerViews = [fakePeer({ ...waits, since: Number.MAX_SAFE_INTEGER })];
    expect(await text('show', 'peers')).not.toContain('no answer so far');
  });

  test('says that a session carries nothing', async () => {
    const [peer] = lab.speaker.peerViews;
    const families = peer!.families.map((each) => ({ ...each, negotiated: false }));
    lab.speaker.peerViews = [fakePeer({ families })];
    expect(await text('show', 'peers')).toContain('no address family in common');
  });

  test('says that a peer is drained', async () => {
    const [peer] = lab.speaker.peerViews;
    lab.speaker.peerViews = [fakePeer({ draining: true })];
    expect(await text('show', 'peers')).toMatch(/Established .* drained$/m);
    expect(await text('show', 'peers', peer!.name)).toContain(`${peer!.name}: Established, drained\n`);
    expect(await text('status')).toContain('Established, drained');
  });

  test('are shown by the word in the singular, too', async () => {
    expect(await text('show', 'peer', 'tor-a')).toBe(await text('show', 'peers', 'tor-a'));
  });

  test('says when a peer is tried again', async () => {
    lab.speaker.peerViews = [fakePeer({ state: 'Idle', nextAttemptIn: 42_000 })];
    expect(await text('show', 'peers', 'tor-a')).toMatch(/^ {2}Next try +in 42s$/m);
  });

  test('says that the routes of a lost session wait for it', async () => {
    const families = fakePeer().families.map((family) => ({ ...family, keptFor: 42_000 }));
    lab.speaker.peerViews = [fakePeer({ state: 'Active', lastError: 'connection lost', families })];
    expect(await text('show', 'peers', 'tor-a')).toMatch(
      /^ {2}Routes wait +ipv4-unicast [\d,]+ for 42s more$/m,
    );
    expect(await text('show', 'peers')).toContain('its routes wait for it; connection lost');
  });

  test('says that a limit was hit', async () => {
    const limit = { kind: 'received', routes: 50, action: 'block', hit: true } as const;
    const families = fakePeer().families.map((family) => ({ ...family, limits: [limit] }));
    lab.speaker.peerViews = [fakePeer({ families })];
    expect(await text('show', 'peers')).toContain('limit of received routes was hit');
    expect(await text('show', 'peers', 'tor-a')).toContain('of 50, block, HIT');
  });

  test('says that a peer sends malformed UPDATEs', async () => {
    lab.speaker.peerViews = [fakePeer({ malformed: { count: 1200, last: 'ORIGIN: 7 is no origin' } })];
    expect(await text('show', 'peers')).toContain('1,200 malformed UPDATEs');
    expect(await text('show', 'peers', 'tor-a')).toContain(
      lines(
        '  Malformed      1,200 UPDATEs; the last: ORIGIN: 7 is no origin',
        '                 godwit show messages tor-a',
      ),
    );
  });

  test('shows what each side says of a capability beside each other', async () => {
    const long = 'long-lived graceful restart';
    lab.speaker.peerViews = [
      fakePeer({ localCapabilities: [long], peerCapabilities: [`${long} ipv4-unicast 60 s`] }),
    ];
    expect(await text('show', 'peers', 'tor-a')).toContain(`${long}, peer ipv4-unicast 60 s\n`);
    lab.speaker.peerViews = [
      fakePeer({ localCapabilities: [`${long} ipv4-unicast 60 s`], peerCapabilities: [long] }),
    ];
    expect(await text('show', 'peers', 'tor-a')).toContain(`${long} ipv4-unicast 60 s, peer no family\n`);
  });

  test('none', async () => {
    lab.speaker.peerViews = [];
    expect(await text('show', 'peers')).toBe('There are no peers.\n');
    expect(await json('show', 'peers')).toEqual({ peers: [] });
  });

  test('one in detail, by name and by address', async () => {
    const detail = lines(
      'tor-a: Established',
      '  Description    rack 1',
      '  Address        10.99.0.2 port 179',
      '  Local address  10.99.0.1',
      '  AS             65001, local 64512, external',
      '  Router id      10.99.0.2',
      '  Since          2026-03-01 10:00:00 (2h00m)',
      '  Sessions       1 established, 0 lost',
      '  Timers         hold 90 s, keepalive 30 s',
      '  Received       1 OPEN, 1,200 UPDATE, 240 KEEPALIVE, 0 ROUTE-REFRESH, 0 NOTIFICATION; 96.5 KiB',
      '  Sent           1 OPEN, 3 UPDATE, 241 KEEPALIVE, 1 ROUTE-REFRESH, 0 NOTIFICATION; 4.9 KiB',
      '  Queue          0 B',
      '  Memory         about 57.9 KiB: paths 46.9 KiB, attributes 8.8 KiB, queued 0 B, socket 2.3 KiB',
      '  Limits         ipv4-unicast received 1,200 of 1,500, restart',
      '  Capabilities   multiprotocol ipv4-unicast',
      '                 4-octet AS 64512, peer 65001',
      '                 route refresh (local only)',
      '                 FQDN leaf-1 (peer only)',
      '  FAMILY        NEGOTIATED  RECEIVED  REJECTED   BEST  STALE  SENT  END-OF-RIB  GROUP',
      '  ipv4-unicast  yes            1,200        20  1,100      0     2  both            1',
    );
    expect(await text('show', 'peers', 'tor-a')).toBe(detail);
    expect(await text('show', 'peers', '10.99.0.2')).toBe(detail);
    expect((await json('show', 'peers', 'tor-a')).peers).toMatchObject([{ name: 'tor-a' }]);
  });

  test('one that is down', async () => {
    expect(await text('show', 'peers', 'tor-b')).toBe(
      lines(
        'tor-b: Active',
        '  Address     fd99::2 port 179',
        '  AS          64512, local 64512, internal',
        '  Since       2026-03-01 11:58:55 (1m05s)',
        '  Sessions    3 established, 3 lost',
        '  Last error  hold timer expired (sent 4/0)',
        '              cause: hold-timer',
        '              to do: check the path',
        '              at 2026-03-01 11:58:55 (1m05s ago)',
        '  Received    0 OPEN, 0 UPDATE, 0 KEEPALIVE, 0 ROUTE-REFRESH, 0 NOTIFICATION; 0 B',
        '  Sent        0 OPEN, 0 UPDATE, 0 KEEPALIVE, 0 ROUTE-REFRESH, 0 NOTIFICATION; 0 B',
        '  Queue       0 B',
        '  Memory      about 57.9 KiB: paths 46.9 KiB, attributes 8.8 KiB, queued 0 B, socket 2.3 KiB',
      ),
    );
  });

  test('one that does not exist', async () => {
    expect(await lab.godwit(['show', 'peers', 'nope'])).toEqual({
      code: 1,
      out: '',
      err: 'godwit: There is no peer "nope".\n',
    });
  });
});

describe('show routes', () => {
  test('as a table', async () => {
    expect(await text('show', 'routes')).toBe(
      lines(
        '    PREFIX               NEXT HOP                 PEER   LOCPREF  MED    AGE  AS PATH',
        '>   10.1.0.0/16          10.99.0.2                tor-a      100    -  1m30s  65001 64999 i',
        '*   10.1.0.0/16          10.99.0.3                tor-b      100   50  1m30s  65002 65003 64999 i',
        'xS  192.0.2.0/24 (id 7)  10.99.0.2 (unreachable)  tor-b        -    -  1m30s  65001 64999 ?',
        '>   2001:db8::/32        ::                       local      100    -  1m30s  i',
      ),
    );
  });

  test('with everything below each path', async () => {
    expect(await text('show', 'routes', '--all', '--peer', 'tor-b')).toBe(
      lines(
        '* 10.1.0.0/16 from tor-b (fd99::2), 1m30s old',
        '    Reason       longer AS path',
        '    Next hop     10.99.0.3',
        '    Origin       IGP',
        '    AS path      65002 65003 64999',
        '    MED          50',
        '    Local pref   100',
        '    Communities  65002:100 no-export',
        'xS 192.0.2.0/24 (id 7) from tor-b (10.99.0.2), 1m30s old',
        '    Reason        own AS in the path (stale)',
        '    Next hop      10.99.0.2 (unreachable), metric 20',
        '    Origin        INCOMPLETE',
        '    AS path       65001 64999',
        '    Originator    10.99.0.9',
        '    Cluster list  10.99.0.1 10.99.0.8',
        '    Unknown       128 (partial, transitive): 0a0b',
      ),
    );
  });

  test('passes every condition on', async () => {
    lab.speaker.routeViews = [fakeRoute()];
    await text('show', 'routes', '10.1.0.0/16', '--longer', '--best', '--peer', 'tor-a', '--family', 'ipv4');
    await text('show', 'routes', '--advertised-to', 'fd99::2');
    await lab.godwit(['show', 'routes', '--rejected', '--before-policy']);
    expect(lab.speaker.queries).toEqual([
      { prefix: '10.1.0.0/16', longer: true, bestOnly: true, receivedFrom: 'tor-a', family: 'ipv4-unicast' },
      { advertisedTo: 'tor-b' },
      { rejectedOnly: true, beforePolicy: true },
    ]);
  });

  test('for a script, one a line', async () => {
    const routes = await ndjson('show', 'routes', '--rejected');
    expect(routes).toMatchObject([
      {
        prefix: '192.0.2.0/24',
        pathId: 7,
        eligible: false,
        attributes: { clusterList: ['10.99.0.1', '10.99.0.8'] },
      },
    ]);
    expect(routes[0]).not.toHaveProperty('attributes.localPref');
  });

  test('nothing of that prefix is a failure, nothing at all is not', async () => {
    expect(await lab.godwit(['show', 'routes', '10.9.0.0/16'])).toEqual({
      code: 1,
      out: '',
      err: 'godwit: There are no such routes.\n',
    });
    lab.speaker.routeViews = [];
    expect(await text('show', 'routes', '--best')).toBe('There are no such routes.\n');
    expect(await lab.godwit(['show', 'routes', '--json'])).toEqual({ code: 0, out: '', err: '' });
  });

  test('on a terminal fits its width, and ends with a legend', async () => {
    lab.speaker.routeViews = [
      fakeRoute({ attributes: { ...fakeRoute().attributes, asPath: Array(40).fill('65001').join(' ') } }),
    ];
    const { out } = await lab.godwit(['show', 'routes'], fakeTerminal({ columns: 80 }));
    expect(out).toBe(
      lines(
        '   PREFIX       NEXT HOP   PEER   LOCPREF  MED    AGE  AS PATH',
        '>  10.1.0.0/16  10.99.0.2  tor-a      100    -  1m30s  65001 65001 65001 65001 …',
        '> best  = multipath  * eligible  x not eligible  S stale',
      ),
    );
  });
});

describe('the other tables', () => {
  test('attribute sets', async () => {
    expect(await text('show', 'attributes')).toBe(
      lines(
        'ID   USES  BYTES  NEXT HOP   ATTRIBUTES',
        ' 1  1,100     24  10.99.0.2  path 65001 64999, IGP, locpref 100',
        ' 2      1     40  10.99.0.3  path (empty), IGP, locpref 100, med 5, communities 65002:100, originator 10.99.0.9',
      ),
    );
    expect(await ndjson('show', 'attributes')).toMatchObject([{ id: 1, references: 1100 }, { id: 2 }]);
  });

  test('the kernel', async () => {
    expect(await text('show', 'kernel')).toBe(
      lines(
        'PREFIX        TYPE       TABLE  METRIC  PROTO  ORIGIN  STATE      NEXT HOPS',
        '10.1.0.0/16   unicast      254      32     12  own     installed  via 10.99.0.2 dev eth0, via 10.99.0.3 dev eth1',
        '192.0.2.0/24  blackhole    254      32     12  own     failed     the kernel said EEXIST',
      ),
    );
    expect(await ndjson('show', 'kernel')).toMatchObject([{ state: 'installed' }, { state: 'failed' }]);
  });

  test('routes that flap, and forgetting that they did', async () => {
    expect(await text('show', 'damped')).toBe(
      lines(
        'PREFIX             PEER   STATE       PENALTY  FLAPS  SINCE     REUSE IN',
        '203.0.113.0/24     tor-a  suppressed    6,500      7  11:00:00    46m46s',
        '203.0.113.0/24 #4  tor-a  used            500      1  11:00:00         -',
      ),
    );
    expect(await ndjson('show', 'damped', '--peer', 'tor-a')).toMatchObject([
      { reuseIn: 2806 },
      { pathId: 4 },
    ]);
    expect(await text('clear', 'damping', '--peer', '10.99.0.2')).toBe('2 routes forgotten.\n');
    expect(await text('clear', 'damping', '203.0.113.0/24')).toBe('No route had flapped.\n');
  });

  test('update groups', async () => {
    expect(await text('show', 'groups')).toBe(
      lines(
        'Group 1, ipv4-unicast: 2 members, 1,102 routes',
        '  Members  tor-a 10.99.16.7',
        '  Lagging  10.99.16.7',
        '  Pending  3 routes',
        '  Built    20.0 KiB',
        '  Key      type = external',
        '           nextHop = auto',
      ),
    );
    expect((await json('show', 'groups')).groups).toMatchObject([{ id: 1, key: { nextHop: 'auto' } }]);
  });

  test('BFD sessions', async () => {
    expect(await text('show', 'bfd')).toBe(
      lines(
        'ADDRESS    INTERFACE  STATE  SINCE     INTERVAL  TIMEOUT  PEERS     WHY',
        '10.99.0.2  eth0       Up     11:00:00    300 ms   900 ms  tor-a',
        'fd99::2    multihop   Down   11:59:57   1000 ms        -  tor-b rr  Control Detection Time Expired',
      ),
    );
    expect((await json('show', 'bfd')).sessions).toMatchObject([{ state: 'Up' }, { state: 'Down' }]);
    const [up] = lab.speaker.bfdSessions();
    const silent = {
      ...up!,
      state: 'Down',
      localDiagnostic: 'No Diagnostic',
      remoteDiscriminator: 0,
    } as const;
    lab.speaker.bfdSessions = () => [silent];
    expect(await text('show', 'bfd')).toContain(
      'tor-a  nothing heard: is BFD on there, single-hop (port 3784)',
    );
  });
});

describe('explain', () => {
  test('for a person', async () => {
    expect(await text('explain', '10.1.0.0/16', '--from', 'tor-a', '--to', 'fd99::2')).toBe(
      lines(
        '10.1.0.0/16: 2 paths',
        '  > 10.1.0.0/16 from tor-a (10.99.0.2), 1m30s old, rank 1 (AS path length)',
        '      Reason      shortest AS path',
        '      Next hop    10.99.0.2',
        '      Origin      IGP',
        '      AS path     65001 64999',
        '      Local pref  100',
        '  * 10.1.0.0/16 from tor-b (fd99::2), 1m30s old, rank 2 (AS path length)',
        '      Reason       longer AS path',
        '      Next hop     10.99.0.3',
        '      Origin       IGP',
        '      AS path      65002 65003 64999',
        '      MED          50',
        '      Local pref   100',
        '      Communities  65002:100 no-export',
        '      import filter tor accepts',
        '        godwit.yaml:7   net.len > 24  -> false',
        '        godwit.yaml:12  accept;',
        '',
        'Advertised',
        '  not advertised to tor-a: it was learned from this peer',
        '      export filter none of it rejects',
        '  advertised to tor-b: export policy accepts it',
        '      Next hop    10.99.0.1',
        '      Origin      IGP',
        '      AS path     65001 64999',
        '      Local pref  100',
        '',
        'Kernel',
        '  Wanted     via 10.99.0.2',
        '  Installed  no route',
        '  Problem    no such device',
      ),
    );
    expect(lab.speaker.calls).toEqual(['explain 10.1.0.0/16 {"from":"tor-a","to":"tor-b"}']);
  });

  test('for a script', async () => {
    expect(await json('explain', '10.1.0.0/16')).toMatchObject({
      paths: [
        { rank: 1, route: { peer: 'tor-a' } },
        {
          rank: 2,
          importFilter: { name: 'tor', accepted: true, steps: [{ text: 'false' }, { text: 'accept' }] },
        },
      ],
      exports: [{ advertised: false }, { advertised: true, nextHop: '10.99.0.1' }],
      kernel: { problem: 'no such device' },
    });
  });

  test('what is not there, and what is no prefix', async () => {
    expect(await lab.godwit(['explain', '10.2.0.0/16'])).toMatchObject({
      code: 1,
      err: 'godwit: There is no route to 10.2.0.0/16.\n',
    });
    expect(await lab.godwit(['explain', 'x'])).toMatchObject({
      code: 1,
      err: 'godwit: "x" is not a prefix or address; write it like 192.0.2.0/24.\n',
    });
  });
});

describe('acting', () => {
  test.each([
    [['peer', 'tor-a', 'up'], 'up tor-a', 'Peer tor-a is switched on.\n'],
    [['peer', '10.99.0.2', 'down', '--reason', 'a b'], 'down tor-a a b', 'Peer 10.99.0.2 is switched off.\n'],
    [['peer', 'tor-a', 'reset'], 'reset tor-a undefined', 'Peer tor-a is reset.\n'],
    [['peer', 'tor-a', 'refresh'], 'refresh tor-a both', 'Peer tor-a is being refreshed.\n'],
    [
      ['peer', 'tor-a', 'refresh', '--direction', 'in'],
      'refresh tor-a in',
      'Peer tor-a is being refreshed.\n',
    ],
    [
      ['network', 'add', '10.5.0.0/16'],
      'add {"prefix":"10.5.0.0/16","via":[],"communities":[]}',
      '10.5.0.0/16 is originated.\n',
    ],
    [
      [
        ...['network', 'add', '10.5.0.0/16', '--via', '10.0.0.1', '--via', '10.0.0.2', '--med', '0'],
        ...['--local-pref', '200', '--community', '1:2', '--community', '64512:1:2'],
      ],
      'add {"prefix":"10.5.0.0/16","via":["10.0.0.1","10.0.0.2"],"med":0,"localPref":200,"communities":["1:2","64512:1:2"]}',
      '10.5.0.0/16 is originated.\n',
    ],
    [
      ['network', 'add', '::/0', '--type', 'blackhole'],
      'add {"prefix":"::/0","type":"blackhole","via":[],"communities":[]}',
      '::/0 is originated.\n',
    ],
    [['network', 'del', '192.0.2.0/24'], 'delete 192.0.2.0/24', '192.0.2.0/24 is no longer originated.\n'],
    [['reload'], 'reload', 'The configuration was applied:\n  - peer tor-a: hold time 90 instead of 180\n'],
  ])('%j', async (words, call, out) => {
    expect(await text(...words)).toBe(out);
    expect(lab.speaker.calls).toEqual([call]);
  });

  test('for a script', async () => {
    expect(await json('peer', 'tor-a', 'up')).toEqual({});
    expect(await json('reload')).toEqual({ changes: ['peer tor-a: hold time 90 instead of 180'] });
  });

  test.each([
    [['peer', 'nope', 'up'], 'There is no peer "nope".'],
    [['network', 'del', '10.0.0.0/8'], '10.0.0.0/8 is not originated here.'],
    [
      ['network', 'add', '10.0.0.1/8'],
      '10.0.0.1/8 has bits set outside its length; 10.0.0.0/8 was probably meant.',
    ],
    [['peer', 'tor-a', 'up', '--reason', 'x'], 'A reason can be given for down and reset, not for up.'],
    [['network', 'add', '203.0.113.0/24'], 'network add failed unexpectedly: the table is on fire'],
  ])('%j fails', async (words, message) => {
    expect(await lab.godwit(words)).toEqual({ code: 1, out: '', err: `godwit: ${message}\n` });
  });

  test('what a configuration would change', async () => {
    const wanted = lines(
      'The configuration would change',
      '  peer tor-a: import accept -> filter short; import done again, session kept',
      '',
      'Routes',
      '  from tor-a: 2 removed, 1 modified',
      '    ~ 10.1.0.0/16 from tor-a: localPref 100 -> 200',
      '    - 10.2.0.0/25 from tor-a',
      '    and 1 more route; godwit impact --limit names more',
    );
    expect(await text('impact', '/etc/next.yaml', '--limit', '7')).toBe(wanted);
    expect(await text('check', '--impact', '/etc/next.yaml')).toBe(wanted);
    expect(lab.speaker.calls).toEqual(['impact /etc/next.yaml 7', 'impact /etc/next.yaml 100']);
    expect(await json('impact')).toMatchObject({
      counts: [{ peer: 'tor-a', direction: 'import', added: 0, removed: 2, modified: 1 }],
      routes: [{ change: 'modified', family: 'ipv4-unicast' }, { change: 'removed' }],
      more: 1,
    });
  });

  test('a reload that changes nothing, and one that is refused', async () => {
    lab.speaker.reloadResult = { changes: [] };
    expect(await text('reload')).toBe('The configuration was read again; nothing changed.\n');
    lab.speaker.reloadResult = new CommandError('failed', 'godwit.yaml:3:5: error: asn: must be a number');
    expect(await lab.godwit(['reload'])).toMatchObject({
      code: 1,
      err: 'godwit: godwit.yaml:3:5: error: asn: must be a number\n',
    });
  });
});

describe('watch', () => {
  /** Runs a watch, makes changes once it stands, and ends it when `count` lines were written. */
  async function watch(words: string[], count: number, change: () => void) {
    const terminal = fakeTerminal({
      async write(chunk) {
        terminal.out += chunk;
        if (terminal.out.split('\n').length > count) terminal.interruption.abort();
      },
    });
    const running = lab.godwit(words, terminal);
    while (lab.speaker.peerListeners.size + lab.speaker.routeListeners.size === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    change();
    return running;
  }
  const changePeers = () => {
    for (const listener of lab.speaker.peerListeners) {
      listener({ kind: 'peer', peer: fakePeer() });
      listener({
        kind: 'peer',
        peer: fakePeer({ name: 'b', state: 'Idle', lastError: 'hold timer\u001b[2J' }),
      });
    }
  };
  const changeRoutes = () => {
    for (const listener of lab.speaker.routeListeners) {
      listener({ kind: 'route', family: 'ipv4-unicast', prefix: '10.1.0.0/16', best: fakeRoute() });
      listener({ kind: 'route', family: 'ipv4-unicast', prefix: '10.2.0.0/16', best: undefined });
    }
  };

  test('peers', async () => {
    expect(await watch(['watch', 'peers'], 2, changePeers)).toEqual({
      code: 0,
      err: '',
      out: lines(
        '2026-03-01 12:00:00  tor-a (10.99.0.2) Established',
        '2026-03-01 12:00:00  b (10.99.0.2) Idle: hold timer\\x1b[2J',
      ),
    });
  });

  test('peers, beginning with what is there', async () => {
    const { out } = await watch(['watch', 'peers', '--current'], 3, () => {});
    expect(out).toBe(
      lines(
        '2026-03-01 12:00:00  tor-a (10.99.0.2) Established',
        '2026-03-01 12:00:00  tor-b (fd99::2) Active: hold timer expired (sent 4/0)',
        '2026-03-01 12:00:00  10.99.16.7 Idle, switched off',
      ),
    );
  });

  test('routes', async () => {
    const { out } = await watch(['watch', 'routes', '10.0.0.0/8', '--longer'], 2, changeRoutes);
    expect(out).toBe(
      lines(
        '2026-03-01 12:00:00  + 10.1.0.0/16 via 10.99.0.2 from tor-a, path 65001 64999',
        '2026-03-01 12:00:00  - 10.2.0.0/16',
      ),
    );
    expect(lab.speaker.queries).toEqual([{ prefix: '10.0.0.0/8', longer: true }]);
  });

  test('for a script', async () => {
    const { out } = await watch(['watch', 'routes', '--json'], 2, changeRoutes);
    const [first, second] = out.trimEnd().split('\n');
    expect(JSON.parse(first!)).toMatchObject({ prefix: '10.1.0.0/16', best: { nextHop: '10.99.0.2' } });
    expect(JSON.parse(second!)).toEqual({ family: 'ipv4-unicast', prefix: '10.2.0.0/16' });
  });

  test('an upgrade, which waits for the other program, and one that is refused', async () => {
    const { established } = lab.speaker.statusView.peers;
    expect(await text('upgrade', '--program', '/x')).toBe(
      `Upgraded: 0.1.0 to 0.2.0. 2 sessions went on; ${established} are established.\n`,
    );
    expect(await json('upgrade')).toEqual({ from: '0.1.0', to: '0.2.0', sessions: 2, established });
    expect(lab.speaker.calls).toEqual(['upgrade /x', 'upgrade']);
    expect(await lab.godwit(['upgrade', '--program', '/no'])).toMatchObject({
      code: 1,
      err: 'godwit: the new program is not fit to go on: no\n',
    });
  });
});

test('every command of the table was shown above to exist', async () => {
  for (const command of COMMAND_LIST) {
    const { code, out } = await lab.godwit([...command.name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: godwit ${command.name}`);
    expect(out).toContain(command.help);
  }
});
