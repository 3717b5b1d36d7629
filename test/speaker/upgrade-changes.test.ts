// Live upgrades by which peers become others, as when the file is changed between the last look at it and the step: they
// begin anew as after a reload, and all others notice nothing.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';

type PeerInput = NonNullable<ConfigInput['peers']>[number];
type Name = 'a' | 'b' | 'c';

const OWN = '10.0.0.1';
const [A, B, C] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'] as const;
const P1 = '20.0.0.0/8';
const P2 = '21.0.0.0/8';
const P3 = '22.0.0.0/8';
const open = { import: 'accept', export: 'accept', passive: true } as const;

const PEERS: Readonly<Record<Name, PeerInput>> = {
  a: { name: 'a', address: A, asn: 65001, ...open },
  b: { name: 'b', address: B, asn: 65002, ...open, families: ['ipv4-unicast', 'ipv6-unicast'] },
  c: { name: 'c', address: C, asn: 65000, ...open, routeReflectorClient: true },
};

function config(peers: Partial<Record<Name, PeerInput>>, more: Partial<ConfigInput> = {}): ConfigInput {
  return {
    router: { asn: 65000, id: OWN },
    kernel: { install: true },
    tables: { blue: {} },
    peers: Object.values(peers),
    ...more,
  };
}

interface Scene {
  readonly lab: SimLab;
  readonly own: SimSpeaker;
  readonly peers: Record<Name, RawPeer>;
}

async function scene(input = config(PEERS)): Promise<Scene> {
  const lab = new SimLab();
  const own = lab.speaker('own', [OWN], input, { kernel: simKernel(`eth0 ${OWN}/24`) });
  const peers = {
    a: lab.raw(A, { as: 65001, holdTime: 0 }),
    b: lab.raw(B, { as: 65002, holdTime: 0 }),
    c: lab.raw(C, { as: 65000, holdTime: 0 }),
  };
  await lab.start(1000);
  await lab.connect(own, ...Object.values(peers));
  peers.a.announce([P1]);
  peers.b.announce([P2]);
  peers.c.announce([P3], { asPath: '', localPref: 100 });
  await lab.run(1000);
  for (const peer of Object.values(peers)) peer.clear();
  return { lab, own, peers };
}

/** The other program finds another file than the one that was looked at. */
async function upgradeTo(own: SimSpeaker, input: ConfigInput): Promise<void> {
  await own.upgrade((state) => {
    own.input = input;
    return state;
  });
}

describe('a peer that has become another one begins anew, and nobody else', () => {
  it.each([
    ['no client any more', 'c', { routeReflectorClient: false }],
    ['a client of another cluster', 'c', { clusterId: '10.0.0.9' }],
    ['one of another table', 'b', { table: 'blue' }],
    ['one that is shown another AS', 'b', { localAs: 64999 }],
    ['one of another AS', 'b', { asn: 65009 }],
    ['one that is to have another own address', 'b', { localAddress: '10.0.0.9' }],
    ['one of fewer families', 'b', { families: ['ipv4-unicast'] }],
  ] satisfies [string, 'b' | 'c', Partial<PeerInput>][])('%s', async (_, name, change) => {
    const { lab, own, peers } = await scene();
    const others = (['a', 'b', 'c'] as const).filter((each) => each !== name);
    const after = { ...PEERS, [name]: { ...PEERS[name], ...change } };
    await upgradeTo(own, config(after));
    await lab.run(1000);
    expect(peers[name].heard).toContain('NOTIFICATION 6/6');
    for (const other of others) {
      expect(peers[other].heard.filter((line) => /NOTIFICATION|OPEN|FIN/.test(line))).toEqual([]);
      expect(own.peer(other)).toMatchObject({ state: 'Established', establishedCount: 1 });
    }
    const left = { b: [`${P1} from a`, `${P3} from c`], c: [`${P1} from a`, `${P2} from b`] }[name];
    expect(own.best().sort()).toEqual(left);
    expect(own.best({ table: 'blue' })).toEqual([]);
    expect(peers.a.prefixes()).not.toContain(name === 'b' ? P2 : P3);
    // As it was configured before, it is back as any peer.
    await own.reload(config(PEERS));
    await lab.connect(own, peers[name]);
    peers[name].announce(['23.0.0.0/8'], name === 'b' ? {} : { asPath: '', localPref: 100 });
    await lab.run(1000);
    expect(own.best().sort()).toEqual([...left, `23.0.0.0/8 from ${name}`].sort());
    peers[name].drop();
    await lab.run(1000);
    expect(own.best().sort()).toEqual(left);
    expect(own.log.filter((line) => line.startsWith('error'))).toEqual([]);
    const ribPeers = [...own.speaker.rib.peers.values()].map((peer) => peer.name);
    expect(ribPeers.filter((each) => each !== 'local').sort()).toEqual(others);
  });

  it('one of the same name at another address', async () => {
    const { lab, own, peers } = await scene();
    const { a, b, c } = PEERS;
    await upgradeTo(own, config({ a, b: { ...b, address: '10.0.0.5' }, c }));
    await lab.run(1000);
    expect(peers.b.heard).toContain('NOTIFICATION 6/3');
    expect(own.peer('b').state).not.toBe('Established');
    expect(own.best().sort()).toEqual([`${P1} from a`, `${P3} from c`]);
    expect(peers.a.heard.filter((line) => /NOTIFICATION|OPEN|FIN/.test(line))).toEqual([]);
  });

  it('a member of a range that is configured now', async () => {
    const { a, c, b } = PEERS;
    const range = {
      name: 'range',
      prefix: '10.0.0.3/32',
      asn: 65002,
      import: 'accept',
      export: 'accept',
    } as const;
    const { lab, own, peers } = await scene(config({ a, c }, { dynamicPeers: [range] }));
    expect(own.states()).toContain(`${B} Established`);
    await upgradeTo(own, config({ a, b, c }));
    await lab.run(1000);
    expect(peers.b.heard).toContain('NOTIFICATION 6/3');
    expect(own.best().sort()).toEqual([`${P1} from a`, `${P3} from c`]);
    await lab.connect(own, peers.b);
    await lab.run(1000);
    expect(own.states()).toEqual(['a Established', 'b Established', 'c Established']);
  });
});

it('what else is different in the file costs no session', async () => {
  const { lab, own, peers } = await scene();
  const { a, b, c } = PEERS;
  const other = {
    a: { ...a, import: `if net = 20.0.0.0/8 then reject; accept;`, description: 'filtered' },
    b: { ...b, holdTime: 30, gracefulRestart: false, allowOwnAs: 3 },
    c: { ...c, export: 'reject' as const },
  };
  await upgradeTo(own, config(other, { dynamicPeers: [{ prefix: '10.9.0.0/16', asn: 65009 }] }));
  await lab.run(1000);
  expect(
    Object.values(peers).flatMap(({ heard }) => heard.filter((line) => /NOTI|OPEN|FIN/.test(line))),
  ).toEqual([]);
  expect(own.states()).toEqual(['a Established', 'b Established', 'c Established']);
  expect(own.best().sort()).toEqual([`${P2} from b`, `${P3} from c`]);
  expect(peers.c.prefixes()).toEqual([]);
});
