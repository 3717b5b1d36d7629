// Origin validation beside BIRD: both ask the same stayrtr, hear the same routes and judge them by the same filter; then
// the cache says something else, goes away and comes back.

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../../bench/lab/command.ts';
import type { ManagedProcess } from '../../bench/lab/managed-process.ts';
import { type BirdProcess, missingBird } from '../support/lab/bird-process.ts';
import { type Lab, labOfEachTest, type Node } from '../support/lab/lab.ts';
import { labRequirement, skipWithout } from '../support/lab/requirement.ts';

const STAYRTR = '/usr/bin/stayrtr';
const PORT = 8282;
const AS = 65001;

interface Roa {
  readonly prefix: string;
  readonly maxLength: number;
  readonly asn: number;
}

const createLab = labOfEachTest();

/** Announced by the AS that everybody peers with. */
const ROUTES = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '203.0.113.128/25'];

const FIRST: readonly Roa[] = [
  { prefix: '192.0.2.0/24', maxLength: 24, asn: AS },
  { prefix: '198.51.100.0/24', maxLength: 24, asn: 65009 },
  { prefix: '203.0.113.0/24', maxLength: 24, asn: AS },
  { prefix: '10.0.0.0/8', maxLength: 16, asn: 0 },
  { prefix: '2001:db8::/32', maxLength: 48, asn: AS },
];
const SECOND: readonly Roa[] = [
  { prefix: '192.0.2.0/24', maxLength: 24, asn: 65009 },
  { prefix: '198.51.100.0/24', maxLength: 24, asn: 65009 },
  { prefix: '198.51.100.0/23', maxLength: 24, asn: AS },
  { prefix: '2001:db8::/32', maxLength: 48, asn: 65009 },
];

const QUESTIONS = [
  ...[
    '192.0.2.0/24',
    '198.51.100.0/24',
    '203.0.113.128/25',
    '203.0.112.0/23',
    '10.1.0.0/16',
    '10.1.0.0/17',
  ].map((net) => `roa_check(r4, ${net}, ${AS})`),
  'roa_check(r4, 10.0.0.0/8, 0)',
  'roa_check(r4, 198.51.100.0/24, 65009)',
  ...['2001:db8::/32', '2001:db8:1::/48', '2001:db8:1::/49', '2001:db9::/32'].map(
    (net) => `roa_check(r6, ${net}, ${AS})`,
  ),
];

/** BIRD judges refused routes again only where it keeps them. */
function judge(self: Node, cache: Node, source: Node): string {
  return `router id ${self.ipv4};
roa4 table r4;
roa6 table r6;
protocol device {}
protocol rpki cache { roa4 { table r4; }; roa6 { table r6; }; remote ${cache.ipv4} port ${PORT}; retry 1; refresh 1; }
protocol bgp up {
  local ${self.ipv4} as 65000; neighbor ${source.ipv4} as ${AS}; connect delay time 1;
  ipv4 { import table; import where roa_check(r4, net, bgp_path.last) != ROA_INVALID; export none; };
}
`;
}

function announcer(self: Node, others: readonly Node[]): string {
  const peers = others.map(
    (each, i) =>
      `protocol bgp p${i} { local ${self.ipv4} as ${AS}; neighbor ${each.ipv4} as 65000; passive; ipv4 { import none; export all; }; }`,
  );
  const routes = ROUTES.map((net) => `route ${net} blackhole;`).join(' ');
  return `router id ${self.ipv4};\nprotocol device {}\nprotocol static { ipv4; ${routes} }\n${peers.join('\n')}\n`;
}

class Cache {
  readonly #lab: Lab;
  readonly #node: Node;
  readonly #path: string;
  #process: ManagedProcess | undefined;

  constructor(lab: Lab, node: Node) {
    this.#lab = lab;
    this.#node = node;
    this.#path = join(node.directory, 'vrps.json');
  }

  async says(roas: readonly Roa[]): Promise<void> {
    const metadata = { buildtime: '2020-01-01T00:00:00Z' };
    await writeFile(
      this.#path,
      JSON.stringify({ metadata, roas: roas.map((roa) => ({ ...roa, ta: 'lab' })) }),
    );
  }

  start(): void {
    const words = ['-bind', `${this.#node.ipv4}:${PORT}`, '-cache', this.#path, '-checktime=false'];
    const timers = ['-refresh', '1', '-rtr.refresh', '1', '-rtr.retry', '1', '-rtr.expire', '600'];
    const command = [STAYRTR, ...words, ...timers, '-metrics.addr', '127.0.0.1:0'];
    this.#process = this.#lab.run('stayrtr', this.#node, command);
  }

  async stop(): Promise<void> {
    await this.#process?.stop('SIGKILL');
  }
}

/** What a daemon makes of everything: verdicts, and the routes that it takes. */
async function opinion(daemon: BirdProcess): Promise<string[]> {
  const verdicts: string[] = [];
  for (const question of QUESTIONS)
    verdicts.push(`${question} ${await daemon.ask(`eval ${question}`, 'bird2')}`.trim());
  const routes = await daemon.ask('show route table master4', 'bird2');
  return [...verdicts, ...ROUTES.filter((net) => routes.includes(`${net} `))];
}

describe('beside BIRD', async () => {
  const { skip } = await labRequirement(['godwit', 'bird']);
  const without = skipWithout(
    missingBird('bird2') ?? (existsSync(STAYRTR) ? undefined : 'stayrtr (package stayrtr)'),
  );

  test.skipIf(skip || without)('says the same of every route, whatever the cache says and does', async () => {
    const lab = await createLab('rpki', ['cache', 'source', 'ours', 'theirs']);
    const [cacheNode, source, own, peer] = [lab.node(0), lab.node(1), lab.node(2), lab.node(3)];
    const cache = new Cache(lab, cacheNode);
    await cache.says(FIRST);
    cache.start();
    await (await lab.bird('bird2', source, announcer(source, [own, peer]))).ready();
    const ours = await (await lab.bird('godwit', own, judge(own, cacheNode, source))).ready();
    const theirs = await (await lab.bird('bird2', peer, judge(peer, cacheNode, source))).ready();
    const both = [ours, theirs];
    const agreeOn = (...routes: string[]): Promise<boolean> =>
      waitFor(`both take ${routes.join(', ')}`, async () => {
        const [mine = [], other = []] = await Promise.all(both.map(opinion));
        expect(mine).toEqual(other);
        expect(mine.slice(QUESTIONS.length)).toEqual(routes);
        return true;
      });
    for (const daemon of both) await daemon.established('up');
    // 203.0.113.128/25 is longer than allowed, 198.51.100.0/24 another one's.
    await agreeOn('192.0.2.0/24', '203.0.113.0/24');

    await cache.says(SECOND);
    await agreeOn('198.51.100.0/24', '203.0.113.0/24', '203.0.113.128/25');

    await cache.stop();
    for (const daemon of both) {
      await waitFor('the cache is missed', async () => {
        expect(await daemon.ask('show protocols cache', 'bird2')).toMatch(/ start +.* Transport-Error/);
        return true;
      });
    }
    // What a lost cache has said counts on.
    await agreeOn('198.51.100.0/24', '203.0.113.0/24', '203.0.113.128/25');

    // Another instance, with another session id.
    await cache.says(FIRST);
    cache.start();
    await agreeOn('192.0.2.0/24', '203.0.113.0/24');
    const shown = await Promise.all(both.map((daemon) => daemon.ask('show protocols all cache', 'bird2')));
    const channels = shown.map((text) => text.match(/^ +(Channel|Table:|Routes:|State:).*$/gm));
    expect(channels[0]).toEqual(channels[1]);
  });
});
