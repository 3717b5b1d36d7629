// What a BMP station is told, dissected by tshark: a speaker with peers of both versions of IP on a simulated network, from
// the first session to the stop.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PcapWriter } from '../../src/lib/pcap.ts';
import { OWN_ADDRESS, OWN_ADDRESS_V6, rigInput } from '../speaker/rig.ts';
import { BmpStation, STATION_PORT } from '../support/bmp-station.ts';
import { skipWithout } from '../support/lab/requirement.ts';
import { ip } from '../support/raw-peer.ts';
import { SimLab } from '../support/sim-lab.ts';

const tshark = (...words: string[]) => spawnSync('tshark', words, { encoding: 'utf8' });
const missing = tshark('--version').status === 0 ? undefined : 'tshark (package tshark)';
const directory = mkdtempSync(join(tmpdir(), 'godwit-bmp-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const STATION = '10.0.0.9';
const A = '10.0.0.2';
const B = '2001:db8::3';

/** Everything a station hears; returns the capture's path. */
async function captured(): Promise<string> {
  const lab = new SimLab();
  const station = new BmpStation(lab.network.host(ip(STATION)), ip(STATION));
  station.listen();
  const peers = {
    [A]: { as: 65002, config: { import: 'if net = 198.51.100.0/24 then reject; accept;' } },
    [B]: { as: 4_200_000_001, raw: { id: '10.0.0.3' } },
  };
  const routes = ['pre-policy', 'post-policy', 'loc-rib'] as const;
  const stations = [{ address: STATION, port: STATION_PORT, statistics: 30, routes: [...routes] }];
  const input = rigInput(peers, { bmp: { stations } });
  const speaker = lab.speaker('godwit', [OWN_ADDRESS, OWN_ADDRESS_V6], input);
  await lab.start();
  const a = lab.raw(A, { as: 65002, holdTime: 0 });
  const b = lab.raw(B, { as: 4_200_000_001, holdTime: 0, id: '10.0.0.3' });
  await lab.connect(speaker, a, b);
  a.announce(['192.0.2.0/24', '198.51.100.0/24']);
  b.announce(['2001:db8:1::/48']);
  await lab.run(31_000);
  a.withdraw('192.0.2.0/24');
  await lab.run(10);
  b.drop();
  await lab.run(1000);
  await speaker.stop();

  const writer = new PcapWriter();
  const conversation = {
    id: 1,
    client: { address: ip(OWN_ADDRESS), port: 40_000 },
    server: { address: ip(STATION), port: STATION_PORT },
  };
  const parts = [writer.header()];
  for (const octets of station.last.octets) parts.push(writer.message(conversation, true, octets, 0));
  const path = join(directory, 'station.pcap');
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

const FIELDS = [
  'bmp.type',
  'bmp.peer.up.port.local',
  'bmp.peer.asn',
  'bmp.peer.down.reason',
  'bmp.term.reason',
  'bmp.stats.type',
  'bmp.stats.data.routes_adj_rib_in',
  'bgp.nlri_prefix',
  'bgp.withdrawn_prefix',
  'bgp.mp_reach_nlri_ipv6_prefix',
] as const;

/** All values of a field, in their order. */
function fieldsOf(words: readonly string[]): (field: (typeof FIELDS)[number]) => string[] {
  const names = FIELDS.flatMap((field) => ['-e', field]);
  const { stdout } = tshark(...words, '-Y', 'bmp', '-T', 'fields', '-E', 'separator=|', ...names);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|'));
  return (field) =>
    rows.flatMap((row) => (row[FIELDS.indexOf(field)] ?? '').split(',')).filter((text) => text !== '');
}

describe.skipIf(skipWithout(missing))('tshark reads what a station is told', () => {
  it('message by message, without a fault', async () => {
    const path = await captured();
    const asBmp = ['-r', path, '-d', `tcp.port==${STATION_PORT},bmp`];
    // Of information in Peer Up, the name of a Loc-RIB, this dissector knows nothing.
    const unknown = 'bmp.type == 3 and bmp.peer.type == 3';
    const faults = `(_ws.malformed or _ws.expert.severity >= 6291456) and not (${unknown})`;
    expect(tshark(...asBmp, '-Y', faults).stdout).toBe('');
    const seen = fieldsOf(asBmp);
    expect(seen('bmp.type')[0]).toBe('4');
    expect(seen('bmp.type').at(-1)).toBe('5');
    expect(new Set(seen('bmp.type'))).toEqual(new Set(['0', '1', '2', '3', '4', '5']));
    expect(seen('bmp.peer.up.port.local').sort()).toEqual(['0', '179', '179']);
    expect(new Set(seen('bmp.peer.asn'))).toEqual(new Set(['4200000001', '65000', '65002']));
    expect(seen('bmp.peer.down.reason')).toEqual(['4']);
    expect(seen('bmp.term.reason')).toEqual(['0']);
    // Before policy all of it; after it, and in the Loc-RIB, without what was refused; and one goes again.
    const nlri = seen('bgp.nlri_prefix');
    expect(nlri.filter((prefix) => prefix === '192.0.2.0')).toHaveLength(3);
    expect(nlri.filter((prefix) => prefix === '198.51.100.0')).toHaveLength(1);
    expect(seen('bgp.withdrawn_prefix')).toEqual(['192.0.2.0', '192.0.2.0', '192.0.2.0']);
    expect(seen('bgp.mp_reach_nlri_ipv6_prefix')).toHaveLength(3);
    expect(new Set(seen('bmp.stats.type'))).toEqual(new Set(['0', '1', '2', '7', '8', '9', '10']));
    expect(seen('bmp.stats.data.routes_adj_rib_in').sort()).toEqual(['1', '2']);
  });
});
