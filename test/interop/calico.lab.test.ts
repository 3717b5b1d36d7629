// Two nodes of a Calico cluster with the files that Calico renders (only addresses adapted), with workloads' routes in
// the kernel as Felix makes them: BIRD on both, godwit on one, godwit on both. The kernels must look the same each time:
// blackholes, other nodes' blocks, borrowed and elevated addresses, nothing beneath an aggregate, routes through the
// tunnel device. Then what Calico does with the process: its probes, reloads, and the signals of its supervisor.

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../../bench/lab/command.ts';
import { type BirdKind, type BirdProcess, missingBird } from '../support/lab/bird-process.ts';
import { type Lab, labOfEachTest, type Node } from '../support/lab/lab.ts';
import { labRequirement, skipWithout } from '../support/lab/requirement.ts';

const MESH = new URL('../../../shared/data/calico-golden/v3.32.1/compiled_templates/mesh/', import.meta.url)
  .pathname;
/** rtm_protocol of Felix. */
const FELIX = '80';
const A = '10.192.0.2';
const B = '10.192.0.3';

const createLab = labOfEachTest();

type Files = Readonly<Record<string, string>>;

/** What Calico renders for one node of a mesh of A, B and C. */
async function rendered(name: string): Promise<Files> {
  const names = (await readdir(join(MESH, name))).filter((each) => /^bird(_\w+)?\.cfg$/.test(each));
  return Object.fromEntries(names.map((each) => [each, readFileSync(join(MESH, name, each), 'utf8')]));
}

/** The blocks of the rendered node, and those that the other one shall have. */
const BLOCKS: readonly (readonly [own: string, other: string])[] = [
  ['10.0.0.0/30', '10.3.0.0/30'],
  ['10.1.0.0/24', '10.4.0.0/24'],
  ['10.2.0.1/32', '10.5.0.1/32'],
  ['192.168.221.192/26', '192.168.3.192/26'],
  ['192.168.221.64/26', '192.168.3.64/26'],
];

/** The same files for B: addresses exchanged, blocks of its own, and the active side towards A. */
function forB(files: Files): Files {
  const exchanged = Object.entries(files).map(([name, text]) => {
    const blocks = BLOCKS.reduce((sum, [own, other]) => sum.replaceAll(own, other), text);
    const swapped = blocks.replaceAll(/10([._])192[._]0[._]([23])\b/g, (_all, mark: string, last: string) => {
      return ['10', '192', '0', last === '2' ? '3' : '2'].join(mark);
    });
    // As in the file that Calico renders for B.
    const start = swapped.indexOf('protocol bgp Mesh_10_192_0_2 ');
    if (start < 0) return [name, swapped];
    const end = swapped.indexOf('\nprotocol ', start);
    const block = swapped.slice(start, end).replace(/^\s*passive on;.*\n/m, '');
    return [name, swapped.slice(0, start) + block + swapped.slice(end)];
  });
  return Object.fromEntries(exchanged);
}

/** Stock BIRD 1.6 does not know Calico's attribute. */
function withoutTunnel(files: Files): Files {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, text.replaceAll(/krt_tunnel *= *"\w*"; */g, '')]),
  );
}

async function writeFiles(node: Node, files: Files): Promise<string> {
  const directory = join(node.directory, 'config');
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return join(directory, 'bird.cfg');
}

async function createNodes(): Promise<readonly [Lab, Node, Node]> {
  const specs = [
    { name: 'a', ipv4: A },
    { name: 'b', ipv4: B },
  ];
  const lab = await createLab('calic', specs, { ipv4Network: '10.192.0' });
  const [a, b] = [lab.node(0), lab.node(1)];
  for (const { namespace } of [a, b]) {
    for (const device of ['cali1', 'tunl0']) {
      // This kernel need not have IPIP: for routes any device of the name will do.
      await namespace.ip('link', 'add', device, 'type', 'bridge');
      await namespace.ip('link', 'set', device, 'up');
    }
  }
  await workload(a, '10.1.0.7', 1024);
  await workload(a, '10.1.0.8', 512);
  await workload(a, '192.168.1.9', 1024);
  await workload(b, '10.4.0.7', 1024);
  await workload(b, '192.168.1.10', 512);
  return [lab, a, b];
}

/** A pod's route as Felix programs it. */
function workload({ namespace }: Node, address: string, metric: number): Promise<unknown> {
  return namespace.ip('route', 'add', `${address}/32`, 'dev', 'cali1', 'proto', FELIX, 'metric', `${metric}`);
}

async function start(lab: Lab, kind: BirdKind, node: Node, files: Files): Promise<BirdProcess> {
  const config = await writeFiles(node, kind === 'bird1' ? withoutTunnel(files) : files);
  return lab.birdWith(kind, node, config, ['-d']).ready();
}

/** Routes of BIRD's protocol number, as `ip route` shows them, sorted. */
async function programmed(node: Node): Promise<string[]> {
  const routes = await node.namespace.ipJson('-4', 'route', 'show', 'proto', 'bird');
  return routes
    .map((route) => {
      const { type, dst, gateway, dev, metric, flags } = route as Record<string, string>;
      return [
        type,
        dst,
        gateway && `via ${gateway}`,
        dev && `dev ${dev}`,
        metric && `metric ${metric}`,
        ...(flags ?? []),
      ]
        .filter(Boolean)
        .join(' ');
    })
    .sort();
}

async function bothHave(
  nodes: readonly [Node, Node],
  expected: readonly (readonly string[])[],
): Promise<void> {
  await waitFor('the kernels are as expected', async () => {
    const found = await Promise.all(nodes.map(programmed));
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(JSON.stringify(found, null, 1));
    return true;
  });
}

const onLab = (prefix: string, via: string, metric = 1024) =>
  `${prefix} via ${via} dev lab0 metric ${metric}`;
const blackholes = (side: 0 | 1) =>
  BLOCKS.map((pair) => pair[side])
    .filter((block) => !block.endsWith('/32'))
    .map((block) => `blackhole ${block}`);

const KERNELS = [
  [
    ...blackholes(0),
    onLab('10.3.0.0/30', B),
    onLab('10.4.0.0/24', B),
    onLab('192.168.3.64/26', B),
    onLab('192.168.3.192/26', B),
    onLab('192.168.1.10', B, 512),
  ].sort(),
  [
    ...blackholes(1),
    onLab('10.0.0.0/30', A),
    onLab('10.1.0.0/24', A),
    onLab('10.1.0.8', A, 512),
    onLab('192.168.221.64/26', A),
    onLab('192.168.221.192/26', A),
    onLab('192.168.1.9', A),
  ].sort(),
];

describe('two nodes of a Calico mesh', async () => {
  const { skip } = await labRequirement(['godwit']);
  const without16 = skipWithout(missingBird('bird1'));
  // A clone has no such data, wherever it is tested.
  const absent = without16 || !existsSync(MESH);
  if (!existsSync(MESH)) process.stderr.write('lab skipped, missing: ../shared/data/calico-golden\n');

  test.skipIf(skip || absent).each<readonly [BirdKind, BirdKind]>([
    ['bird1', 'bird1'],
    ['godwit', 'bird1'],
    ['bird1', 'godwit'],
    ['godwit', 'godwit'],
  ])('%s and %s program the same routes', async (left, right) => {
    const [lab, a, b] = await createNodes();
    const files = await rendered('bgp-export');
    const first = await start(lab, left, a, files);
    const second = await start(lab, right, b, forB(files));
    await Promise.all([first.established('Mesh_10_192_0_3'), second.established('Mesh_10_192_0_2')]);
    await bothHave([a, b], KERNELS);
  });

  test.skipIf(skip || absent)('godwit sends other blocks through the tunnel device', async () => {
    const [lab, a, b] = await createNodes();
    const files = await rendered('ipip-always');
    const first = await start(lab, 'godwit', a, files);
    const second = await start(lab, 'bird1', b, forB(files));
    await Promise.all([first.established('Mesh_10_192_0_3'), second.established('Mesh_10_192_0_2')]);
    await waitFor('the routes lead through tunl0', async () => {
      const routes = await programmed(a);
      if (!routes.includes(`192.168.3.64/26 via ${B} dev tunl0 metric 1024 onlink`))
        throw new Error(routes.join('\n'));
      return true;
    });
    // The device goes, as on a node that changes its encapsulation.
    await a.namespace.ip('link', 'del', 'tunl0');
    await waitFor('the routes lead over the network', async () =>
      (await programmed(a)).includes(onLab('192.168.3.64/26', B)),
    );
  });

  test.skipIf(skip || absent)('the process does what Calico and its supervisor expect', async () => {
    const [lab, a, b] = await createNodes();
    const files = await rendered('bgp-export');
    // Not with -R: C is down, and routes would wait for it as long as its restart may take.
    const daemon = await start(lab, 'godwit', a, files);
    const peer = await start(lab, 'bird1', b, forB(files));
    await Promise.all([daemon.established('Mesh_10_192_0_3'), peer.established('Mesh_10_192_0_2')]);
    await bothHave([a, b], KERNELS);

    // calicoctl looks for argv[0], tests for the name.
    const { pid } = daemon.process;
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]).toBe('bird');
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8').trim()).toBe('bird');
    expect(readFileSync(daemon.pidFile, 'utf8')).toBe(`${pid}\n`);

    // Liveness: birdcl ends well and says BIRD first. Readiness: rows of protocol BGP, Established in the sixth column.
    for (const client of ['godwit', 'bird1', 'bird2'] as const) {
      expect((await daemon.ask('show status', client)).startsWith('BIRD')).toBe(true);
    }
    const [heading, ...rows] = (await daemon.ask('show protocols')).trimEnd().split('\n');
    expect(heading?.trim().split(/\s+/)).toEqual(['name', 'proto', 'table', 'state', 'since', 'info']);
    const peers = rows.map((row) => row.trim().split(/\s+/)).filter(([, kind]) => kind === 'BGP');
    expect(peers.map(([name, , , state, , info]) => [name, state, info])).toEqual([
      ['Mesh_10_192_0_3', 'up', 'Established'],
      ['Mesh_10_192_0_4', 'start', 'Passive'],
    ]);

    // confd changes several files and asks for a reload after each.
    const aggregated = files['bird_aggr.cfg']!.replace(
      'route 10.1.0.0/24 blackhole;',
      'route 10.1.0.0/24 blackhole;\n   route 10.77.0.0/24 blackhole;',
    );
    await writeFiles(a, { ...files, 'bird_aggr.cfg': 'protocol static {' });
    daemon.process.signal('SIGHUP');
    await waitFor('the broken file is refused', async () =>
      /bird_aggr\.cfg:\d+:\d+/.test(daemon.process.logTail(50)),
    );
    await bothHave([a, b], KERNELS);
    await writeFiles(a, { ...files, 'bird_aggr.cfg': aggregated });
    for (let i = 0; i < 5; i++) daemon.process.signal('SIGHUP');
    const [own, other] = KERNELS;
    await bothHave([a, b], [[...own!, 'blackhole 10.77.0.0/24'].sort(), other!]);
    expect(await daemon.ask('show protocols')).toMatch(/Mesh_10_192_0_3 .* Established/);

    // persist: its own routes stay when it ends, and it ends well.
    await daemon.process.stop('SIGTERM');
    expect(() => daemon.process.assertRunning()).toThrow('exit code 0');
    expect(existsSync(daemon.socket)).toBe(false);
    expect(existsSync(daemon.pidFile)).toBe(false);
    expect(await programmed(a)).toContain(onLab('10.4.0.0/24', B));
    await waitFor(
      'the peer has let go',
      async () => !(await programmed(b)).includes(onLab('10.1.0.0/24', A)),
    );
  });
});
