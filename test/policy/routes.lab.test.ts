// The same configuration in BIRD's language under the real BIRD and under godwit, each between the same three scripted
// peers: routes with random attributes go through random import and export filters, and what comes out on the other side
// must be the same, attribute for attribute. Set BIRD_1_6 to the path of a 1.6 daemon to compare that dialect too.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpTransport } from '../../src/bgp/session/tcp-transport.ts';
import { FILE_SYSTEM, loadBird } from '../../src/config/bird/load.ts';
import { silentLogger } from '../../src/lib/log.ts';
import type { Dialect } from '../../src/policy/lexer.ts';
import { createSpeaker } from '../../src/speaker/main.ts';
import { RawPeer, type ReceivedRoute } from '../support/raw-peer.ts';
import { type BirdProgram, birdsToCompare } from './bird.ts';
import { type GeneratedRoute, generator } from './statements.ts';

const OWN_AS = 65000;
const SENDER = { address: '127.77.1.1', as: 65001 };
const EXTERNAL = { address: '127.77.1.2', as: 65002 };
const INTERNAL = { address: '127.77.1.3', as: OWN_AS };
const BIRD = '127.77.0.1';
const GODWIT = '127.77.0.2';
const CASES = 250;
const ROUTES_PER_CASE = 3;
const PATIENCE_MS = 20_000;
/** Nothing more has come for so long. */
const QUIET_MS = 500;
/** Announced last; every filter accepts it. */
const LAST = '10.255.255.0/24';

interface Case {
  readonly number: number;
  readonly import: string;
  readonly external: string;
  readonly internal: string;
  readonly routes: readonly GeneratedRoute[];
}

function casesOf(seed: number, dialect: Dialect): Case[] {
  const make = generator(seed, dialect);
  return Array.from({ length: CASES }, (_, number) => ({
    number,
    import: make.body('import'),
    external: make.body('export'),
    internal: make.body('export'),
    routes: Array.from({ length: ROUTES_PER_CASE }, (_, i) =>
      make.route(`10.${number}.${i}.${i === 2 ? '128/25' : '0/24'}`),
    ),
  }));
}

/** All cases in one configuration, told apart by the second octet of their prefixes. */
function configOf(cases: readonly Case[], dialect: Dialect, own: string): string {
  const filter = (name: string, part: 'import' | 'external' | 'internal') => {
    const bodies = cases.map((each) => `if net ~ 10.${each.number}.0.0/16 then { ${each[part]} }`);
    return `filter ${name} {\nif net = ${LAST} then accept;\n${bodies.join('\n')}\nreject;\n}`;
  };
  const two = dialect === '2.x';
  const peer = (name: string, { address, as }: typeof SENDER, policies: string) => `
protocol bgp ${name} {
  ${two ? `local ${own} as ${OWN_AS}; strict bind;` : `local as ${OWN_AS}; source address ${own};`}
  neighbor ${address} as ${as}; multihop; passive;
  ${two ? `ipv4 { ${policies} };` : policies}
}`;
  return `router id 192.0.2.99;
${two ? '' : `listen bgp address ${own} port 179;`}
protocol device { }
${filter('taken', 'import')}
${filter('outside', 'external')}
${filter('inside', 'internal')}
${peer('p1', SENDER, 'import filter taken; export none;')}
${peer('p2', EXTERNAL, 'import none; export filter outside;')}
${peer('p3', INTERNAL, 'import none; export filter inside;')}
`;
}

const running: { stop(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

function startBird(program: BirdProgram, text: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'bird-routes-'));
  writeFileSync(join(folder, 'bird.conf'), text);
  const { stderr, status } = spawnSync(program.path, ['-p', '-c', join(folder, 'bird.conf')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`BIRD refuses what was generated: ${stderr}`);
  const args = ['-f', '-c', join(folder, 'bird.conf'), '-s', join(folder, 'ctl'), '-P', join(folder, 'pid')];
  const daemon: ChildProcess = spawn(program.path, args, { stdio: 'ignore' });
  running.push({
    stop: () => {
      daemon.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

async function startGodwit(text: string, dialect: Dialect): Promise<void> {
  const load = () =>
    loadBird(text, 'bird.conf', FILE_SYSTEM, { hostname: 'lab', addresses: [] }, { dialect });
  const loaded = load();
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join('\n'));
  const speaker = await createSpeaker({
    config: loaded.config,
    configFile: 'bird.conf',
    loadConfig: load,
    logger: silentLogger,
  });
  running.push(speaker);
}

/** What the peers of the speaker at `own` get of the routes. */
async function exchanged(own: string, cases: readonly Case[]): Promise<Map<string, ReceivedRoute>[]> {
  const peers = [SENDER, EXTERNAL, INTERNAL].map(
    ({ address, as }) => new RawPeer(new TcpTransport(), address, { as, holdTime: 0 }),
  );
  const [sender, ...receivers] = peers;
  for (const peer of peers) await establish(peer, own);
  for (const { routes } of cases) {
    for (const { prefix, attributes } of routes) sender!.announce([prefix], attributes, '10.9.9.1');
  }
  sender!.announce([LAST], { asPath: '65001' }, '10.9.9.1');
  const heard = () => receivers.reduce((sum, { messages }) => sum + messages.length, 0);
  const deadline = Date.now() + PATIENCE_MS;
  while (!receivers.every(({ table }) => table.has(LAST)) && Date.now() < deadline) await sleep(QUIET_MS);
  for (let before = -1; before !== heard(); ) {
    before = heard();
    await sleep(QUIET_MS);
  }
  const tables = receivers.map(({ table }) => new Map(table));
  for (const peer of peers) peer.drop();
  return tables;
}

async function establish(peer: RawPeer, own: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    peer.heard.length = 0;
    peer.connect(own);
    for (let i = 0; i < 20; i++) {
      await sleep(25);
      if (peer.heard.includes('KEEPALIVE')) return;
    }
    peer.drop();
  }
  throw new Error(`${peer.address} finds nobody at ${own}: ${peer.heard.join(', ')}`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A received route in words, without what the speakers need not agree in. */
function described(route: ReceivedRoute | undefined, own: string): string {
  if (route === undefined) return 'not sent';
  const { attributes: a, nextHop } = route;
  return [
    nextHop === own ? 'self' : nextHop,
    a.origin,
    `path ${a.asPath}`,
    `med ${a.med}`,
    `local-pref ${a.localPref}`,
    sorted(a.communities),
    sorted(a.largeCommunities),
    sorted(a.extendedCommunities),
  ].join(', ');
}

/** BIRD sorts communities when it sends them. */
function sorted(members: readonly string[]): string {
  return [...members].sort().join(' ');
}

const birds = birdsToCompare();
describe.skipIf(birds.length > 0)('no BIRD is installed', () => {
  it.skip('nothing to compare with', () => undefined);
});

describe.each(birds)('generated routes through generated filters, beside BIRD $dialect', (bird) => {
  it.each([1, 2])('seed %i', async (seed) => {
    const { dialect } = bird;
    const cases = casesOf(seed, dialect);
    startBird(bird, configOf(cases, dialect, BIRD));
    const theirs = await exchanged(BIRD, cases);
    await startGodwit(configOf(cases, dialect, GODWIT), dialect);
    const ours = await exchanged(GODWIT, cases);
    const differing = cases.flatMap((each) =>
      each.routes.flatMap(({ prefix, attributes }) =>
        (['external', 'internal'] as const).flatMap((side, i) => {
          const wanted = described(theirs[i]!.get(prefix), BIRD);
          const found = described(ours[i]!.get(prefix), GODWIT);
          return wanted === found
            ? []
            : [{ prefix, side, wanted, found, import: each.import, export: each[side], attributes }];
        }),
      ),
    );
    expect(differing.slice(0, 3)).toEqual([]);
    // Most routes get through, some do not.
    for (const table of theirs) {
      expect(table.size).toBeGreaterThan(CASES);
      expect(table.size).toBeLessThan(CASES * ROUTES_PER_CASE);
    }
  });
});
