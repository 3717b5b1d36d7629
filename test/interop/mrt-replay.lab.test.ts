// Every MRT file of the shared data, played into godwit over TCP as one external peer, leaves the set of prefixes that
// bgpdump's decode leaves when its lines are followed in order. AS_SETs are allowed for it, as an operator of a
// collector would (RFC 9774 withdraws them); routes with AS 0 in their path are withdrawals in any case (RFC 7607).

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { GodwitDaemon } from '../../bench/daemons/godwit.ts';
import { startGodwit } from '../../bench/daemons/godwit.ts';
import { run, waitFor } from '../../bench/lab/command.ts';
import { formatPrefix, parsePrefix } from '../../src/lib/ip.ts';
import type { PeerView, RouteView, StatusView } from '../../src/speaker/api.ts';
import { createLab, explainFailure, type Lab } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const ROOT = join(import.meta.dirname, '../..');
const DATA = join(ROOT, '../shared/data/mrt');
const PLAYER = join(ROOT, 'dist/bench/play-mrt.js');
/** In nobody's path: routes with the own AS in them would be loops. */
const OWN_AS = 4_200_009_001;
const PLAYER_AS = 4_200_009_002;
/** Raw messages, and messages of ADD-PATH sessions under the plain subtype, which bgpdump misreads. */
const LEFT_OUT = /\.bgp-updates\.gz$|^bird6?_bgp$/;

/** An NLRI field that ends in the middle of a prefix: a speaker must not take any of it (RFC 7606 §5.3). */
const MALFORMED = 'updates.nlri_mask_trailing_bits.gz';
/** AS 0, in a set, too. */
const WITHDRAWING_PATH = /(^|[ {,(])0([ },)]|$)/;

const files = existsSync(DATA)
  ? readdirSync(DATA, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('test_expect'))
      .filter((entry) => !/\.(conf|rst)$/.test(entry.name) && !LEFT_OUT.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  : [];

/** What is announced in the end, by bgpdump's word. */
async function expectedPrefixes(path: string): Promise<Set<string>> {
  const out = new Set<string>();
  let last = '';
  let canonical = '';
  for (const line of (await run(['bgpdump', '-m', path], { timeoutMs: 60_000 })).split('\n')) {
    const columns = line.split('|');
    const kind = columns[2];
    if (kind !== 'A' && kind !== 'B' && kind !== 'W') continue;
    const prefix = columns[5]!;
    if (prefix !== last) {
      canonical = formatPrefix(parsePrefix(prefix, true)!);
      last = prefix;
    }
    const asPath = columns[columns[0]!.endsWith('_AP') ? 7 : 6];
    if (kind === 'W' || WITHDRAWING_PATH.test(asPath ?? '')) out.delete(canonical);
    else out.add(canonical);
  }
  return out;
}

let lab: Lab | undefined;
let ours: GodwitDaemon | undefined;
const { skip } = await labRequirement(['godwit']);
const skipped = skip || files.length === 0 || !existsSync(PLAYER);

beforeAll(async () => {
  if (skipped) return;
  lab = await createLab('mrt', ['own', 'player']);
  const [own, player] = [lab.node(0), lab.node(1)];
  const socket = join(own.directory, 'godwit.sock');
  const config = join(own.directory, 'godwit.yaml');
  await writeFile(
    config,
    JSON.stringify({
      router: { asn: OWN_AS, id: own.ipv4 },
      kernel: { install: false },
      peers: [
        {
          name: 'player',
          address: player.ipv4,
          asn: PLAYER_AS,
          passive: true,
          families: ['ipv4-unicast', 'ipv6-unicast'],
          import: 'accept',
          export: 'reject',
          allowAsSets: true,
        },
      ],
      control: { socket },
    }),
  );
  ours = lab.adopt(await startGodwit(own, config, socket));
});

afterEach(({ task }) => explainFailure(task, lab));
afterAll(() => lab?.remove());

/** Starts the player; resolves once it has sent everything. */
function play(path: string): Promise<ChildProcess> {
  const player = lab!.node(1);
  const addresses = ['--target', lab!.node(0).ipv4, '--local', player.ipv4, '--next-hop6', player.ipv6];
  const ases = ['--asn', String(PLAYER_AS), '--peer-as', String(OWN_AS)];
  const [program, ...args] = player.namespace.wrap([process.execPath, PLAYER, path, ...addresses, ...ases]);
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    const events: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      events.push(line);
      const { event } = JSON.parse(line);
      if (event === 'sent') resolve(child);
      if (event === 'down') reject(new Error(`the session went down: ${events.join(' ')}`));
    });
    child.on('exit', (code) => reject(new Error(`the player ended with code ${code}: ${events.join(' ')}`)));
  });
}

/** The tables have come to rest: two looks in a row see the same counters. */
async function settled(daemon: GodwitDaemon): Promise<void> {
  let last = '';
  await waitFor(
    'the replay is processed',
    async () => {
      const [peer] = await daemon.list<PeerView>('show', 'peers');
      const now = JSON.stringify([
        peer?.messages.received.update,
        peer?.families.map((family) => family.received),
      ]);
      const same = now === last;
      last = now;
      return same;
    },
    60_000,
    500,
  );
}

async function routeCount(daemon: GodwitDaemon): Promise<number> {
  const status: StatusView = JSON.parse(await daemon.cli('status', '--json'));
  return status.families.reduce((sum, family) => sum + family.paths, 0);
}

describe('an MRT file played as a peer', () => {
  test.skipIf(skipped).each(files.map((path) => [basename(path), path] as const))(
    '%s',
    async (_, path) => {
      const expected = basename(path) === MALFORMED ? new Set<string>() : await expectedPrefixes(path);
      const child = await play(path);
      await settled(ours!);
      const prefixes = (await ours!.list<RouteView>('show', 'routes')).map(({ prefix }) => prefix);
      child.kill('SIGTERM');
      await waitFor('the tables are empty again', async () => (await routeCount(ours!)) === 0);

      const got = new Set(prefixes);
      expect({
        missing: [...expected].filter((prefix) => !got.has(prefix)).slice(0, 5),
        extra: prefixes.filter((prefix) => !expected.has(prefix)).slice(0, 5),
        count: got.size,
      }).toEqual({ missing: [], extra: [], count: expected.size });
    },
    180_000,
  );
});
