// The real bird_exporter (Debian's prometheus-bird-exporter), in both styles: what it makes of the answers is what a
// dashboard shows. BIRD_EXPORTER names the program where it is elsewhere.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BirdControl, startBirdControl } from '../../../src/control/bird/server.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { type Rig, rig } from '../../speaker/rig.ts';
import { skipWithout } from '../../support/lab/requirement.ts';

const EXPORTER = process.env['BIRD_EXPORTER'] ?? '/usr/bin/prometheus-bird-exporter';
const missing = skipWithout(existsSync(EXPORTER) ? undefined : 'prometheus-bird-exporter (BIRD_EXPORTER)');

const A = '10.0.0.2';
const B = '10.0.0.3';
const STYLES = { bird1: ['-bird.ipv6=false'], bird2: ['-bird.v2'] } as const;
type Style = keyof typeof STYLES;

let directory: string;
const controls: BirdControl[] = [];
const exporters: ChildProcess[] = [];
const urls = new Map<Style, string>();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function start(style: Style, { speaker }: Rig): Promise<void> {
  const socket = join(directory, `${style}.ctl`);
  const common = { mode: 0o600, restricted: true, logger: silentLogger, shutdown: () => {} };
  controls.push(await startBirdControl({ api: speaker.api, socket, style, ...common }));
  const listen = `127.0.0.1:${await freePort()}`;
  const words = [...STYLES[style], `-bird.socket=${socket}`, `-web.listen-address=${listen}`];
  exporters.push(spawn(EXPORTER, words, { stdio: 'ignore' }));
  urls.set(style, `http://${listen}/metrics`);
}

/** The lines about BIRD, once it serves. */
async function metrics(style: Style): Promise<string[]> {
  for (;;) {
    const answer = await fetch(urls.get(style) ?? '').catch(() => undefined);
    if (answer?.ok === true) {
      const lines = (await answer.text()).split('\n');
      return lines.filter((line) => line.startsWith('bird_'));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe.skipIf(missing)('bird_exporter', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'godwit-exporter-'));
    const peers = { [A]: { as: 65002 }, [B]: { as: 65003 } };
    const set = await rig(peers, { networks: [{ prefix: '192.0.2.0/24', type: 'blackhole' }] });
    set.peer(A).announce(['203.0.113.0/24', '198.51.100.0/24']);
    set.peer(A).withdraw('198.51.100.0/24');
    set.peer(B).drop();
    await set.lab.settle();
    for (const style of ['bird1', 'bird2'] as const) await start(style, set);
  });
  afterAll(async () => {
    for (const exporter of exporters) exporter.kill();
    for (const control of controls) await control.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(['bird1', 'bird2'] as const)('reads %s', async (style) => {
    const lines = await metrics(style);
    const peer = (name: string) =>
      `export_filter="ACCEPT",import_filter="ACCEPT",ip_version="4",name="${name}",proto="BGP"`;
    const local =
      'export_filter="REJECT",import_filter="ACCEPT",ip_version="4",name="static1",proto="Static"';
    expect(lines).toEqual(
      expect.arrayContaining([
        `bird_protocol_up{${peer(A)},state="Established"} 1`,
        `bird_protocol_up{${local},state=""} 1`,
        `bird_protocol_prefix_import_count{${peer(A)}} 1`,
        `bird_protocol_prefix_export_count{${peer(A)}} 1`,
        `bird_protocol_prefix_preferred_count{${peer(A)}} 1`,
        `bird_protocol_prefix_filter_count{${peer(A)}} 0`,
        `bird_protocol_prefix_import_count{${local}} 1`,
        `bird_protocol_changes_update_import_receive_count{${peer(A)}} 2`,
        `bird_protocol_changes_update_import_accept_count{${peer(A)}} 2`,
        `bird_protocol_changes_withdraw_import_accept_count{${peer(A)}} 1`,
        `bird_protocol_changes_update_export_accept_count{${peer(A)}} 1`,
      ]),
    );
    const down = lines.find((line) => line.startsWith(`bird_protocol_up{${peer(B)}`));
    expect(down).toMatch(/state="(Passive|Active|Connect) .*"\} 0$/);
  });
});
