// Kernel protocols beside the real BIRD: the same file in two machines, one with BIRD and one with godwit. What the kernels
// hold must be the same, also after a reload, while a protocol is off, and when the daemons have stopped.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, waitFor } from '../../bench/lab/command.ts';
import { type BirdProcess, missingBird } from '../support/lab/bird-process.ts';
import { LAB_DEVICE, labOfEachTest, type Node } from '../support/lab/lab.ts';
import { labRequirement, skipWithout } from '../support/lab/requirement.ts';

const createLab = labOfEachTest();

/** Both machines have these addresses, each on a link of its own that nobody else is on. */
const OWN4 = '10.55.0.1';
const OWN6 = 'fd55::1';

interface Machine {
  readonly node: Node;
  readonly daemon: BirdProcess;
}

async function ip(node: Node, ...words: string[]): Promise<string> {
  return run(node.namespace.wrap(['ip', ...words]));
}

async function addLink(node: Node): Promise<void> {
  await ip(node, 'link', 'add', 'k0', 'type', 'veth', 'peer', 'name', 'k1');
  for (const link of ['k0', 'k1']) await ip(node, 'link', 'set', link, 'up');
  for (const address of [`${OWN4}/24`, '10.54.0.9/24', '10.54.0.2/24']) {
    await ip(node, 'address', 'add', address, 'dev', 'k0');
  }
  await ip(node, 'address', 'add', `${OWN6}/64`, 'dev', 'k0', 'nodad');
}

/** All routes of BIRD's, as `ip` shows them. */
async function ownRoutes(node: Node): Promise<string[]> {
  const texts = await Promise.all(
    ['-4', '-6'].map((family) => ip(node, '-d', family, 'route', 'show', 'table', 'all', 'proto', 'bird')),
  );
  return texts
    .join('')
    .replaceAll('\n\t', ' ')
    .split('\n')
    .map((line) => line.trim().replaceAll(/ +/g, ' '))
    .filter((line) => line !== '')
    .sort();
}

/** Both kernels come to hold the same, so many routes; returns them. */
async function alike(machines: readonly Machine[], count: number): Promise<string[]> {
  const [ours, theirs] = machines.map(({ node }) => node);
  await waitFor('the kernels hold the same', async () => {
    const [mine, its] = [await ownRoutes(ours!), await ownRoutes(theirs!)];
    if (mine.join() === its.join() && its.length === count) return true;
    throw new Error(`godwit:\n${mine.join('\n')}\nBIRD:\n${its.join('\n')}`);
  });
  return ownRoutes(ours!);
}

describe('kernel protocols beside BIRD', async () => {
  const { skip } = await labRequirement(['godwit', 'bird']);
  const without = skip || skipWithout(missingBird('bird2'));

  async function machines(
    name: string,
    config: string,
    real: 'bird1' | 'bird2' = 'bird2',
  ): Promise<Machine[]> {
    const lab = await createLab(name, ['ours', 'theirs']);
    return Promise.all(
      (['godwit', real] as const).map(async (kind, i) => {
        const node = lab.node(i);
        await addLink(node);
        return { node, daemon: await (await lab.bird(kind, node, config)).ready() };
      }),
    );
  }

  const all = async (each: readonly Machine[], command: string): Promise<string[]> =>
    Promise.all(each.map(({ daemon }) => daemon.ask(command)));

  test.skipIf(without)('of two families with tables, metrics and ends of their own', async () => {
    const config = (metric: number) => `router id from -"${LAB_DEVICE}", "k*" 10.54.0.0/16;
protocol device { scan time 1; }
protocol kernel k4 { scan time 1; metric ${metric}; kernel table 100; merge paths on; ipv4 { export all; }; }
protocol kernel k6 { scan time 1; persist; ipv6 { export all; }; }
protocol static s4 { ipv4;
  route 10.1.0.0/16 blackhole; route 10.2.0.0/16 via 10.55.0.2; route 10.3.0.0/16 via 10.55.0.2 via 10.55.0.3;
}
protocol static s6 { ipv6; route 2001:db8:1::/48 blackhole; route 2001:db8:2::/48 via fd55::2; }
`;
    const both = await machines('kfam', config(77));
    const first = await alike(both, 5);
    // Not the lowest address, because that is a secondary one.
    for (const status of await all(both, 'show status')) expect(status).toContain('Router ID is 10.54.0.9\n');
    expect(first.filter((line) => line.includes('table 100 ') && line.includes('metric 77')).length).toBe(3);
    expect(first.filter((line) => line.includes('metric 32')).length).toBe(2);
    // Routes of a protocol that is off go, and those of a persistent one stay.
    for (const [name, left] of [
      ['k4', 2],
      ['k6', 5],
    ] as const) {
      await all(both, `disable ${name}`);
      await alike(both, left);
      await all(both, `enable ${name}`);
      expect(await alike(both, 5)).toEqual(first);
    }
    for (const { node } of both) writeFileSync(join(node.directory, 'bird.conf'), config(78));
    await all(both, 'configure');
    const second = await alike(both, 5);
    expect(second).toEqual(first.map((line) => line.replace('metric 77', 'metric 78')));
    await all(both, 'down');
    const last = await alike(both, 2);
    expect(last).toEqual(second.filter((line) => line.startsWith('2001:') || line.includes(' 2001:')));
  });

  test.skipIf(without)('that give routes what few have', async () => {
    const everything = `krt_window = 100; krt_rtt = 80; krt_rttvar = 40; krt_sstresh = 9; krt_cwnd = 8; krt_advmss = 1300;
      krt_reordering = 4; krt_hoplimit = 33; krt_initcwnd = 11; krt_rto_min = 200; krt_initrwnd = 12; krt_quickack = 1;
      krt_feature_ecn = true; krt_lock_mtu = true; krt_lock_rtt = true; krt_realm = 65543; krt_prefsrc = 10.55.0.1;`;
    const config = (mtu: number) => `router id 10.0.0.1;
log stderr all;
ipv4 table far;
protocol device { scan time 1; }
filter f4 {
  if net = 10.1.0.0/16 then { krt_mtu = ${mtu}; ${everything} }
  if net = 10.2.0.0/16 then { krt_realm = 7; krt_mtu = 70000; krt_advmss = 70000; krt_hoplimit = 300; }
  if net = 10.3.0.0/16 then { krt_mtu = ${mtu}; krt_scope = 254; krt_realm = 3; }
  if net = 10.4.0.0/16 then krt_scope = 200;
  if net = 10.5.0.0/16 then krt_scope = 254;
  if net = 10.6.0.0/16 then { krt_mtu = 0; krt_lock_mtu = true; krt_feature_ecn = false; }
  accept;
}
filter f6 {
  if net = 2001:db8:1::/48 then { krt_mtu = ${mtu}; krt_lock_mtu = true; krt_hoplimit = 300; krt_realm = 7; krt_scope = 200; }
  if net = 2001:db8:2::/48 then { krt_mtu = ${mtu}; krt_quickack = 1; }
  accept;
}
protocol kernel k4 { scan time 1; merge paths on; learn; ipv4 { export filter f4; }; }
protocol kernel k6 { scan time 1; merge paths on; ipv6 { export filter f6; }; }
protocol kernel k { scan time 1; kernel table 100; ipv4 { table far; export all; }; }
protocol pipe p { table master4; peer table far; import none; export where source = RTS_INHERIT; }
protocol static s4 { ipv4;
  route 10.1.0.0/16 via 10.55.0.2; route 10.2.0.0/16 via 10.55.0.2 via 10.55.0.3; route 10.3.0.0/16 blackhole;
  route 10.4.0.0/16 via 10.55.0.2; route 10.5.0.0/16 via "k0"; route 10.6.0.0/16 via "k0"; route 10.7.0.0/16 via "k0";
}
protocol static s6 { ipv6;
  route 2001:db8:1::/48 via fd55::2; route 2001:db8:2::/48 via fd55::2 via fd55::3; route 2001:db8:3::/48 blackhole;
}
`;
    const both = await machines('kattr', config(1400));
    const first = await alike(both, 10);
    expect(first.filter((line) => / mtu (lock )?1400/.test(line)).length).toBe(4);
    for (const { node } of both) writeFileSync(join(node.directory, 'bird.conf'), config(1300));
    await all(both, 'configure');
    expect(await alike(both, 10)).toEqual(
      first.map((line) => line.replace('mtu 1400', 'mtu 1300').replace('lock 1400', 'lock 1300')),
    );
    const foreign = [
      '10.9.0.0/16',
      'via',
      '10.55.0.9',
      'mtu',
      'lock',
      '1234',
      'realm',
      '9',
      'proto',
      'static',
    ];
    for (const { node } of both) await ip(node, 'route', 'add', ...foreign);
    await alike(both, 11);
    const shown = await all(both, 'show route all for 10.9.0.1');
    const attributes = (text: string | undefined) =>
      text?.split('\n').filter((line) => line.includes('Kernel.'));
    expect(attributes(shown[0])).toEqual(attributes(shown[1]));
    expect(attributes(shown[0])?.join()).toMatch(/realm: 9.*lock: mtu.*mtu: 1234/);
    // A gateway whose prefix is gone takes the learned route along, though the kernel still has it.
    const learned = async (wanted: boolean) =>
      waitFor('the learned route follows its gateway', async () =>
        (await all(both, 'show route')).every((text) => text.includes('10.8.0.0/16') === wanted),
      );
    for (const { node } of both)
      await ip(node, 'route', 'add', '10.8.0.0/16', 'via', '10.54.0.77', 'proto', 'static');
    await learned(true);
    for (const { node } of both) await ip(node, 'address', 'del', '10.54.0.9/24', 'dev', 'k0');
    await learned(false);
    for (const { node } of both) expect(await ip(node, 'route')).toContain('10.8.0.0/16');
    for (const { node } of both) await ip(node, 'address', 'add', '10.54.0.9/24', 'dev', 'k0');
    await learned(true);
    // What was written is what is there, scan after scan.
    const log = readFileSync(join(both[0]!.node.directory, 'bird.log'), 'utf8');
    expect(log).toContain('Started');
    expect(log).not.toMatch(/writing them again|refused/);
  });

  const without1 = skip || skipWithout(missingBird('bird1'));
  test.skipIf(without1).each(['on', 'off'])('of 1.6 with device routes %s', async (deviceRoutes) => {
    const config = `router id 10.0.0.1; listen bgp port 179;
protocol device { scan time 1; }
protocol direct { interface "k0"; }
protocol static { route 10.1.0.0/16 via "k0"; }
protocol kernel { scan time 1; kernel table 100; device routes ${deviceRoutes}; export all; }
`;
    const both = await machines(`kdev${deviceRoutes}`, config, 'bird1');
    await alike(both, deviceRoutes === 'on' ? 3 : 1);
    const [mine, its] = await all(both, 'show route export kernel1');
    const prefixes = (text: string | undefined) => text?.match(/^[0-9.]+\/[0-9]+/gm)?.sort();
    expect(prefixes(mine)).toEqual(prefixes(its));
  });
});
