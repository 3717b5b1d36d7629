// The machine that the transcripts were recorded on, rebuilt from its configuration: links, a foreign kernel route, and
// three peers with the routes that they announced.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Capability } from '../../../src/bgp/wire/capabilities.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { loadBird } from '../../../src/config/bird/load.ts';
import { FilterEnvironment } from '../../../src/config/filter-environment.ts';
import { formatIssues } from '../../../src/config/issues.ts';
import type { LoadResult } from '../../../src/config/load.ts';
import type { MemKernel } from '../../../src/fib/mem-kernel.ts';
import { bytesEqual } from '../../../src/lib/bytes.ts';
import { parsePrefix } from '../../../src/lib/ip.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { Scheduler } from '../../../src/lib/scheduler.ts';
import type { SpeakerApi } from '../../../src/speaker/api.ts';
import { Speaker } from '../../../src/speaker/speaker.ts';
import { createApi } from '../../../src/speaker/speaker-api.ts';
import { type BfdHost, BfdNetwork, MS } from '../../support/bfd-network.ts';
import { ip, type RawPeer } from '../../support/raw-peer.ts';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { TRANSCRIPTS } from './recorded.ts';

const OWN = ['10.77.0.1', '2001:db8:77::1'];
const FILES = { '1.6': 'dut16.conf', '2.x': 'dut2.conf' } as const;

/** Linux asks three times, a second each. */
const NEIGHBOR_WAIT_MS = 3000;
const MOMENT_MS = 250;
const MOST_WAITED_MS = 20_000;
/** What a command waits for takes time: routes that move, a poll of the kernel. */
const PASS_MS = 5;

export interface Dut {
  readonly lab: SimLab;
  readonly speaker: Speaker;
  readonly api: SpeakerApi;
  readonly peers: readonly RawPeer[];
  pass(): Promise<void>;
}

/** Other files than the configuration itself, for `configure "file"`. */
function contents(path: string, dialect: '1.6' | '2.x'): string {
  if (path === `/etc/bird/${FILES[dialect]}`) {
    return readFileSync(join(TRANSCRIPTS, 'lab', FILES[dialect]), 'utf8');
  }
  if (path === '/etc/bird/bad.conf') return readFileSync(join(TRANSCRIPTS, 'lab', 'bad.conf'), 'utf8');
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' });
}

function loader(dialect: '1.6' | '2.x'): (file?: string) => LoadResult {
  const filters = new FilterEnvironment();
  return (file = `/etc/bird/${FILES[dialect]}`) => {
    const files = { read: (path: string) => contents(path, dialect), list: () => [] };
    let text: string;
    try {
      text = files.read(file);
    } catch {
      const message = 'No such file or directory';
      const issue = { severity: 'error', file, line: 0, column: 0, path: '', message } as const;
      return { ok: false, issues: [{ ...issue, hint: undefined, excerpt: undefined }] };
    }
    const host = { hostname: 'rr1.example.net', addresses: ['10.77.0.1'] };
    const result = loadBird(text, file, files, host, { dialect, policy: filters });
    return result.ok ? { ...result, config: { ...result.config, filters } } : result;
  };
}

function kernel(): MemKernel {
  const made = simKernel(
    'fmv0 10.77.0.1/24 2001:db8:77::1/64',
    'fmd1',
    'fmd0 192.168.82.0/32',
    'calip0',
    'cali0',
  );
  made.addAddress({ ifindex: 1, address: ip('127.0.0.1'), prefixLength: 8, scope: 254 });
  made.addAddress({ ifindex: 1, address: ip('::1'), prefixLength: 128, scope: 254 });
  for (const ifindex of [2, 3, 4, 5, 6]) {
    made.addAddress({ ifindex, address: ip(`fe80::${ifindex}`), prefixLength: 64, scope: 253 });
  }
  const prefix = parsePrefix('192.168.82.5/32');
  if (prefix === undefined) throw new Error('no prefix');
  made.addRoute({
    prefix,
    table: 254,
    metric: 0,
    protocol: 80,
    scope: 253,
    type: 'unicast',
    nextHops: [{ ifindex: 6 }],
  });
  return made;
}

/** The own end of BFD; the other one answers as a BIRD that is told nothing. */
function bfdHost({ clock }: SimLab): BfdHost {
  const network = new BfdNetwork(clock);
  network.interfaceName = () => 'fmv0';
  const peer = network.host('10.77.0.2', 2);
  peer.add(1, '10.77.0.1', { desiredMinTx: 100 * MS, requiredMinRx: 10 * MS, detectMultiplier: 5 });
  return network.host('10.77.0.1');
}

const RESTART: Capability = {
  kind: 'graceful-restart',
  restarting: false,
  notification: false,
  restartTime: 120,
  families: [{ ...IPV4_UNICAST, forwarding: false }],
};
const AWARE: Capability = { ...RESTART, families: [] };
const LONG: Capability = {
  kind: 'long-lived-graceful-restart',
  families: [{ ...IPV4_UNICAST, forwarding: false, staleTime: 3600 }],
};
const LONG_AWARE: Capability = { ...LONG, families: [] };
const REFRESH: Capability = { kind: 'enhanced-route-refresh' };

/** `restarted`: it recovers from a restart, and its peers have not yet sent all they have. */
export async function dut(dialect: '1.6' | '2.x', restarted = false): Promise<Dut> {
  const lab = new SimLab();
  const host = lab.network.host(...OWN.map(ip));
  const { clock } = lab;
  // Nobody answers for this address: so long the kernel asks before it gives up.
  const absent = ip('10.77.0.99');
  const wait = (...ends: readonly Uint8Array[]) => ends.some((end) => bytesEqual(end, absent));
  lab.network.weather = { extraDelay: (from, to) => (wait(from, to) ? NEIGHBOR_WAIT_MS / 2 : 0) };
  const load = loader(dialect);
  const first = load();
  if (!first.ok) throw new Error(formatIssues(first.issues, { color: false }));
  const machine = kernel();
  const bfd = bfdHost(lab);
  const { router } = first.config;
  const recover = restarted ? 'always' : 'never';
  const config = { ...first.config, router: { ...router, restart: { ...router.restart, recover } } } as const;
  const speaker = new Speaker(config, {
    clock,
    scheduler: new Scheduler(clock, { defer: clock.defer }),
    random: lab.random,
    defer: clock.defer,
    transport: host,
    openKernel: async () => machine.session(),
    openBfd: (events) => {
      bfd.events = events;
      return bfd.service;
    },
    addresses: () =>
      [...OWN, 'fe80::b8ed:d9ff:fe56:25e2'].map((text) => ({ interface: 'fmv0', bytes: ip(text) })),
    log: silentLogger,
    version: '0.0.0',
  });
  const api = createApi({ speaker, configFile: `/etc/bird/${FILES[dialect]}`, loadConfig: load });
  const started = speaker.start();
  await lab.run(100);
  await started;
  const v4 = { holdTime: 240, families: [IPV4_UNICAST] };
  const p2 = lab.raw('10.77.0.2', { ...v4, as: 64513, addPath: 3, capabilities: [RESTART, REFRESH, LONG] });
  const p3 = lab.raw('10.77.0.3', {
    ...v4,
    as: 64512,
    addPath: 3,
    capabilities: [AWARE, REFRESH, LONG_AWARE],
  });
  const p4 = lab.raw('10.77.0.4', { ...v4, as: 64513, capabilities: [AWARE, REFRESH, LONG_AWARE] });
  const p6 = lab.raw('2001:db8:77::2', {
    as: 64513,
    id: '10.77.0.2',
    families: [IPV6_UNICAST],
    capabilities: [AWARE, REFRESH, LONG_AWARE],
  });
  const peers = dialect === '2.x' ? [p2, p3, p4, p6] : [p2, p3, p4];
  await lab.run(1000);
  for (const peer of peers) peer.connect(peer === p6 ? OWN[1]! : OWN[0]!);
  await lab.run(1000);
  if (!restarted) announce(p2, p3, p4, dialect === '2.x' ? p6 : undefined);
  await lab.run(restarted ? 5000 : 12_000);
  // The moment of the recording.
  const moment = restarted ? 'Active' : 'Connect';
  const dials = () => api.bird.protocols().find(({ name }) => name === 'Node_10_77_0_99')?.bgp?.state;
  for (let waited = 0; dials() !== moment; waited += MOMENT_MS) {
    if (waited > MOST_WAITED_MS) throw new Error(`the absent peer is never in ${moment}`);
    await lab.run(MOMENT_MS);
  }
  return { lab, speaker, api, peers, pass: () => lab.run(PASS_MS) };
}

function announce(p2: RawPeer, p3: RawPeer, p4: RawPeer, p6: RawPeer | undefined): void {
  const communities = ['64513:100'];
  p2.announce(['203.0.113.0/24'], {
    origin: 'INCOMPLETE',
    asPath: '64513',
    communities,
    extendedCommunities: ['rt:64513:77'],
    largeCommunities: ['64513:1:2'],
  });
  p2.announce(['198.51.100.0/24'], { asPath: '64513 65002 65001' });
  p2.announce(['100.64.1.0/26'], { asPath: '64513' });
  p3.announce(['192.168.110.128/26', '203.0.113.0/24'], { asPath: '' });
  p4.announce(['203.0.113.0/24', '100.64.1.0/26'], { asPath: '64513' });
  p6?.announce(['2001:db8:dead::/48'], { asPath: '64513' }, '2001:db8:77::2 fe80::10eb:70ff:fe39:a8e4');
  for (const peer of [p2, p3, p4]) peer.endOfRib(IPV4_UNICAST);
  p6?.endOfRib(IPV6_UNICAST);
}
