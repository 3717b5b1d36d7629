// Static routes, what the kernel is given of several paths, and questions after routes, in the very words of BIRD 2.0.12 and
// 1.6.8, which were asked the same in a namespace with these links.

import { describe, expect, it } from 'vitest';
import { Talk } from '../../control/bird/talk.ts';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { type BirdLab, birdLab, FROM, OWN, TO } from '../bird-lab.ts';

const PEERS = [
  `protocol bgp a { local ${OWN} as 65001; neighbor ${FROM} as 65002;`,
  `protocol bgp b { local ${OWN} as 65001; neighbor ${TO} as 65003;`,
] as const;
const AWAY = `protocol bgp c { local ${OWN} as 65001; neighbor 10.0.0.77 as 65077;`;
const FILES = {
  '2.x': `router id ${OWN}; ipv4 table t2; protocol device {} protocol direct { ipv4; }
protocol kernel k { merge paths on; ipv4 { import none; export all; }; }
protocol static s1 { ipv4;
  route 172.20.0.0/16 via 10.0.0.7 { bgp_path.prepend(7); bgp_next_hop = 10.0.0.55; bgp_community.add((5,6)); krt_prefsrc = ${OWN}; };
  route 172.21.0.0/16 via "eth1";
  route 172.22.0.0/16 via 10.0.0.8 weight 3 via "eth1" weight 2 via 10.0.0.7;
  route 172.23.0.0/16 prohibit;
  route 172.24.0.0/16 via 10.99.0.1;
  route 172.25.0.0/16 via 10.78.1.1%eth1 onlink;
  route 172.26.0.0/16 recursive 172.20.1.1;
  route 172.27.0.0/16 via "nodev";
  route 172.28.0.0/16 via 10.0.0.7 via 10.99.0.1;
}
${PEERS.map((peer) => `${peer} ipv4 { import all; export none; }; }`).join('\n')}`,
  '1.6': `router id ${OWN}; protocol device {} protocol direct {}
protocol kernel k { merge paths on; import none; export all; }
protocol static s1 {
  route 172.20.0.0/16 via 10.0.0.7 { bgp_community.add((5,6)); bgp_med = 9; };
  route 172.21.0.0/16 via "eth1";
  route 172.22.0.0/16 multipath via 10.0.0.8 weight 3 via 10.0.0.7;
  route 172.23.0.0/16 prohibit;
  route 172.24.0.0/16 via 10.99.0.1;
  route 172.27.0.0/16 via "nodev";
  route 172.28.0.0/16 multipath via 10.0.0.7 via 10.99.0.1;
  route 172.29.0.0/16 multipath via 10.99.0.2 via 10.99.0.1;
}
protocol static s2 { route 172.31.0.0/16 blackhole { bgp_local_pref = 300; bgp_path.prepend(7); }; }
${[...PEERS, AWAY].map((peer) => `${peer} import all; export none; }`).join('\n')}`,
} as const;
const NETWORK = '203.0.113.0/24';

async function start(
  dialect: keyof typeof FILES,
  text: string = FILES[dialect],
): Promise<(command: string) => Promise<string[]>> {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN}/24`, 'eth1 192.168.1.1/24');
  const made: BirdLab = await birdLab(lab, text, [NETWORK], async () => kernel);
  made.to.announce([NETWORK], { asPath: '65003' });
  await lab.run(1000);
  const style = dialect === '1.6' ? 'bird1' : 'bird2';
  const talk = new Talk({ api: made.api, style, clock: lab.clock, pass: () => lab.settle() });
  return async (command) => {
    const lines = await talk.ask(command);
    return lines.map((line) => line.replace(/\d\d:\d\d:\d\d(\.\d+)?/, 'TIME'));
  };
}

describe('show static', () => {
  it('says how routes are written, and which next hops are dormant', async () => {
    const ask = await start('2.x');
    expect(await ask('show static')).toEqual([
      '1009-172.20.0.0/16',
      ' \tvia 10.0.0.7',
      ' 172.21.0.0/16',
      ' \tdev eth1',
      ' 172.22.0.0/16',
      ' \tvia 10.0.0.8',
      ' \tdev eth1',
      ' \tvia 10.0.0.7',
      ' 172.23.0.0/16\tprohibited',
      ' 172.24.0.0/16',
      ' \tvia 10.99.0.1 (dormant)',
      ' 172.25.0.0/16',
      ' \tvia 10.78.1.1%eth1 onlink',
      ' 172.26.0.0/16\trecursive 172.20.1.1',
      ' 172.27.0.0/16',
      ' \tdev nodev (dormant)',
      ' 172.28.0.0/16',
      ' \tvia 10.0.0.7',
      ' \tvia 10.99.0.1 (dormant)',
      '0000 ',
    ]);
  });

  it('has what is off only where that is asked for', async () => {
    const off = '9001 There is no Static protocol running';
    const two = await start('2.x', FILES['2.x'].replace('s1 { ipv4;', 's1 { disabled; ipv4;'));
    expect(await two('show static')).toEqual([off]);
    const shown = await two('show static s1');
    expect(shown.slice(0, 2)).toEqual(['1009-172.20.0.0/16', ' \tvia 10.0.0.7 (dormant)']);
    expect(shown).toContain(' 172.23.0.0/16\tprohibited');
    const one = await start('1.6');
    await one('disable s1');
    expect(await one('show static')).toEqual(['1009-172.31.0.0/16 blackhole', '0000 ']);
    await one('disable s2');
    expect(await one('show static')).toEqual([off]);
    expect(await one('show static s2')).toEqual(['1009-172.31.0.0/16 blackhole (dormant)', '0000 ']);
    expect((await one('show static s1'))[0]).toBe('1009-172.20.0.0/16 via 10.0.0.7 (dormant)');
  });

  it('has device routes last in 1.6, and one protocol only', async () => {
    const ask = await start('1.6');
    expect(await ask('show static')).toEqual(['9001 There are multiple Static protocols running']);
    expect(await ask('show static s1')).toEqual([
      '1009-172.20.0.0/16 via 10.0.0.7',
      ' 172.22.0.0/16 multipath',
      ' \tvia 10.0.0.8 weight 3',
      ' \tvia 10.0.0.7 weight 1',
      ' 172.23.0.0/16 prohibited',
      ' 172.24.0.0/16 via 10.99.0.1 (dormant)',
      ' 172.28.0.0/16 multipath',
      ' \tvia 10.0.0.7 weight 1',
      ' \tvia 10.99.0.1 weight 1 (dormant)',
      ' 172.29.0.0/16 multipath (dormant)',
      ' \tvia 10.99.0.2 weight 1 (dormant)',
      ' \tvia 10.99.0.1 weight 1 (dormant)',
      ' 172.21.0.0/16 dev eth1',
      ' 172.27.0.0/16 dev nodev (dormant)',
      '0000 ',
    ]);
  });
});

describe('show route all', () => {
  it('has the attributes that a static route was given', async () => {
    const two = await start('2.x');
    expect(await two('show route 172.20.0.0/16 all')).toEqual([
      '1007-Table master4:',
      ' 172.20.0.0/16        unicast [s1 TIME] * (200)',
      ' \tvia 10.0.0.7 on eth0',
      '1008-\tType: static univ',
      '1012-\tBGP.as_path: 7',
      ' \tBGP.next_hop: 10.0.0.55',
      ' \tBGP.community: (5,6)',
      ` \tKernel.prefsrc: ${OWN}`,
      '0000 ',
    ]);
    const one = await start('1.6');
    expect(await one('show route 172.20.0.0/16 all')).toEqual([
      '1007-172.20.0.0/16      via 10.0.0.7 on eth0 [s1 TIME] * (200)',
      '1008-\tType: static unicast univ',
      '1012-\tBGP.med: 9',
      ' \tBGP.community: (5,6)',
      '0000 ',
    ]);
  });

  it('has a word for static routes through a device in 1.6', async () => {
    const ask = await start('1.6');
    expect(await ask('show route 172.21.0.0/16 all')).toContain('1008-\tType: static-device unicast univ');
    expect(await ask('show route 172.22.0.0/16 all')).toContain('1008-\tType: static unicast univ');
  });
});

describe('the metric of a next hop', () => {
  it('is shown by 1.6 where the next hop is looked up', async () => {
    const route = `1007-${NETWORK}     via ${FROM} on eth0 [a TIME] *`;
    expect((await (await start('1.6'))(`show route ${NETWORK}`))[0]).toBe(`${route} (100) [AS65002i]`);
    const away = FILES['1.6'].replace('as 65002;', 'as 65002; multihop;');
    expect((await (await start('1.6', away))(`show route ${NETWORK}`))[0]).toBe(
      `${route} (100/0) [AS65002i]`,
    );
  });
});

describe('a list that a filter has emptied', () => {
  const emptied = `filter emptied {
    bgp_community.add((1,2)); bgp_community.empty;
    bgp_ext_community.add((rt,1,2)); bgp_ext_community.delete([(rt,1,*)]);
    bgp_large_community.add((1,2,3)); bgp_large_community.empty; bgp_large_community.add((4,5,6));
    accept;
  }`;
  const lists = [
    ' \tBGP.community: ',
    ' \tBGP.ext_community: ',
    ' \tBGP.large_community: (4, 5, 6)',
    '0000 ',
  ];

  it.each(['2.x', '1.6'] as const)('is shown as such by %s', async (dialect) => {
    const text = FILES[dialect]
      .replace('protocol device {}', `${emptied} protocol device {}`)
      .replace('import all; export none;', 'import filter emptied; export none;')
      .replace(
        '172.23.0.0/16 prohibit;',
        '172.23.0.0/16 prohibit { bgp_community.add((1,2)); bgp_community.empty; };',
      );
    const ask = await start(dialect, text);
    expect((await ask(`show route ${NETWORK} all where proto = "a"`)).slice(-4)).toEqual(lists);
    expect((await ask('show route 172.23.0.0/16 all')).slice(-2)).toEqual([
      '1012-\tBGP.community: ',
      '0000 ',
    ]);
  });
});

describe('show route export of a kernel protocol', () => {
  it('shows several paths as the one route that they become', async () => {
    const two = await start('2.x');
    expect(await two(`show route ${NETWORK} export k`)).toEqual([
      '1007-Table master4:',
      ` ${NETWORK}       unicast [a TIME] * (100) [AS65002i]`,
      ` \tvia ${FROM} on eth0 weight 1`,
      ` \tvia ${TO} on eth0 weight 1`,
      '0000 ',
    ]);
    expect(await two(`show route ${NETWORK} preexport k`)).toHaveLength(4);
    const one = await start('1.6');
    expect(await one(`show route ${NETWORK} export k`)).toEqual([
      `1007-${NETWORK}     multipath [a TIME] (100) [AS65002i]`,
      ` \tvia ${FROM} on eth0 weight 1`,
      ` \tvia ${TO} on eth0 weight 1`,
      '0000 ',
    ]);
  });

  it('has the prefixes of interfaces that its filter takes', async () => {
    const text = FILES['2.x'].replace('export all; }; }', 'export where source != RTS_DEVICE; }; }');
    const ask = await start('2.x', text);
    expect(await ask('show route 192.168.1.0/24 export k')).toEqual(['0000 ']);
    expect(await ask('show route 192.168.1.0/24 noexport k')).toHaveLength(4);
    expect(await ask('show route 192.168.1.0/24 preexport k')).toHaveLength(4);
  });

  it('is empty while it is off, where a table or channel is named', async () => {
    const ask = await start('2.x');
    await ask('disable k');
    expect(await ask('show route export k')).toEqual(['9001 No valid tables']);
    for (const quiet of [
      'table master4 export k',
      'export k.ipv4',
      'export s1.ipv4',
      'table all noexport k',
    ]) {
      expect(await ask(`show route ${quiet}`), quiet).toEqual(['0000 ']);
    }
    expect(await ask('show route export k table master4')).toEqual(['1007-Table master4:', '0000 ']);
    expect(await ask('show route export k table t2')).toEqual(['9001 No export channel for table t2']);
    expect(await ask('show route table all export k count')).toEqual([
      '1007-0 of 11 routes for 10 networks in table master4',
      '0000 ',
    ]);
  });

  it('has the prefixes of interfaces in 2.x only', async () => {
    expect(await (await start('2.x'))('show route 192.168.1.0/24 export k')).toHaveLength(4);
    expect(await (await start('1.6'))('show route 192.168.1.0/24 export k')).toEqual(['0000 ']);
  });
});

describe('show route for one prefix', () => {
  it.each([
    ['2.x', 'Network not found'],
    ['1.6', 'Network not in table'],
  ] as const)('says of a network that nothing fits, or that there is none: %s', async (dialect, missing) => {
    const ask = await start(dialect);
    for (const known of ['172.23.0.0/16 count', 'for 172.23.1.1 count', '172.23.0.0/16 where false']) {
      expect(await ask(`show route ${known}`), known).toEqual(['0000 ']);
    }
    for (const unknown of ['10.99.0.0/24', '10.99.0.0/24 count', 'for 9.9.9.9 stats']) {
      expect(await ask(`show route ${unknown}`), unknown).toEqual([`8001 ${missing}`]);
    }
  });

  it('counts nothing beside its route', async () => {
    const ask = await start('2.x');
    expect(await ask('show route 172.23.0.0/16 stats')).toEqual(await ask('show route 172.23.0.0/16'));
  });
});

describe('show route', () => {
  it('counts of each network the best route where only that is asked for', async () => {
    const ask = await start('2.x');
    expect(await ask('show route protocol b count')).toEqual([
      '1007-1 of 11 routes for 10 networks in table master4',
      '0000 ',
    ]);
    expect(await ask('show route table master4 primary count')).toEqual([
      '1007-10 of 10 routes for 10 networks in table master4',
      '0000 ',
    ]);
  });

  it.each([
    ['show route where true where true', '9001 Filter specified twice'],
    ['show route filter nosuch', '9001 syntax error, unexpected CF_SYM_UNDEFINED'],
    ['show route filter s1', '9001 Filter name required'],
    ['show route export k table t2', '9001 No export channel for table t2'],
    ['show route table t2 export k', '9001 No valid tables'],
    ['show route protocol device1', '9001 No valid tables'],
    ['show route for 999.1.1.1', '9001 Invalid IPv4 address 999.1.1.1'],
  ])('%s', async (command, complaint) => {
    expect(await (await start('2.x'))(command)).toEqual([complaint]);
  });

  it('knows where static routes lead', async () => {
    const ask = await start('2.x');
    const nets = async (where: string) => {
      const lines = await ask(`show route protocol s1 where ${where}`);
      return lines.flatMap((line) => /^ (\S+\/\d+) /.exec(line)?.[1] ?? []).sort();
    };
    expect(await nets('ifname = "eth1"')).toEqual(['172.21.0.0/16', '172.25.0.0/16']);
    const eth0 = ['172.20.0.0/16', '172.22.0.0/16', '172.26.0.0/16', '172.28.0.0/16'];
    expect(await nets('ifname = "eth0"')).toEqual(eth0);
    expect(await nets('gw = 10.0.0.7')).toEqual(eth0.filter((net) => net !== '172.22.0.0/16'));
    // Of several the heaviest.
    expect(await nets('gw = 10.0.0.8')).toEqual(['172.22.0.0/16']);
  });

  it('knows where they lead that a pipe has brought from a table without a kernel table', async () => {
    const more = `protocol static s9 { ipv4 { table t2; }; route 172.30.0.0/16 blackhole; route 172.31.0.0/16 via 10.0.0.7; }
protocol pipe pp { table master4; peer table t2; import all; export none; }`;
    const ask = await start('2.x', `${FILES['2.x']}\n${more}`);
    const shown = async (selectors: string) =>
      (await ask(`show route protocol s9 ${selectors}`)).map((line) => line.replace(/ +/g, ' ')).sort();
    expect(await shown('table master4')).toEqual([
      ' \tvia 10.0.0.7 on eth0',
      ' 172.30.0.0/16 blackhole [s9 TIME] * (200)',
      ' 172.31.0.0/16 unicast [s9 TIME] * (200)',
      '0000 ',
      '1007-Table master4:',
    ]);
    expect(await shown('filter { gw = 10.0.0.8; accept; } table master4')).toEqual([
      ' \tvia 10.0.0.8 on eth0',
      ' \tvia 10.0.0.8 on eth0',
      ' 172.30.0.0/16 unicast [s9 TIME] * (200)',
      ' 172.31.0.0/16 unicast [s9 TIME] * (200)',
      '0000 ',
      '1007-Table master4:',
    ]);
  });

  it('finds no path attributes in what is not of BGP', async () => {
    const ask = await start('2.x');
    const count = async (where: string) => (await ask(`show route table master4 where ${where} count`))[0];
    const wanted = (shown: number) => `1007-${shown} of 11 routes for 10 networks in table master4`;
    // What two peers announce, and the one that its block gives a path and a next hop.
    for (const name of ['bgp_path', 'bgp_next_hop']) {
      expect(await count(`defined(${name})`), name).toBe(wanted(3));
    }
    for (const name of ['bgp_origin', 'bgp_local_pref']) {
      expect(await count(`defined(${name})`), name).toBe(wanted(2));
    }
    expect(await count('bgp_path.len = 0')).toBe(wanted(8));
  });

  it('keeps in 1.6 what the block of a static route has done before it failed', async () => {
    const ask = await start('1.6');
    expect(await ask('show route 172.31.0.0/16 all')).toContain('1012-\tBGP.local_pref: 300');
    expect(await ask('show route 172.31.0.0/16 where defined(bgp_path)')).toEqual(['0000 ']);
  });

  it('has other words in 1.6', async () => {
    const ask = await start('1.6');
    expect(await ask('show route export c')).toEqual(['8005 Protocol is down']);
    expect(await ask('show route exported a')).toEqual(['9001 IP address expected']);
    const changed = await ask('show route 172.23.0.0/16 filter { preference = 5; accept; }');
    expect(changed[0]).toBe('1007-172.23.0.0/16      prohibited [s1 TIME] (5)');
  });
});

it("a route's attributes are also those that the configuration has declared", async () => {
  const own = `attribute int mark; attribute clist tags; attribute bgppath seen; attribute eclist left;
protocol static { ipv4 { import filter { mark = 7; tags = add(-empty-, (1,2)); tags = add(tags, (3,4)); seen = prepend(+empty+, 5); left = --empty--; krt_realm = 4; accept; }; };
  route 172.16.0.0/16 blackhole; }\n`;
  const ask = await start('2.x', own + FILES['2.x']);
  expect((await ask('show route 172.16.0.0/16 all')).slice(2, -1)).toEqual([
    '1008-\tType: static univ',
    '1012-\tKernel.realm: 4',
    ' \tmark: 7',
    ' \ttags: (1,2) (3,4)',
    ' \tseen: 5',
    ' \tleft: ',
  ]);
});
