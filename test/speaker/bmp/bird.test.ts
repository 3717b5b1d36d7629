// BIRD's `protocol bmp`: what its station is told, and what birdc shows of it. The lines are those of BIRD 2.20.

import { describe, expect, it } from 'vitest';
import { textOf } from '../../../src/bmp/message.ts';
import { INFORMATION } from '../../../src/bmp/protocol.ts';
import { Talk } from '../../control/bird/talk.ts';
import { BmpStation, STATION_PORT } from '../../support/bmp-station.ts';
import { ip } from '../../support/raw-peer.ts';
import { SimLab } from '../../support/sim-lab.ts';
import { birdLab, FROM, OWN, TO } from '../bird-lab.ts';

const STATION = '10.0.0.9';
const NET = '192.0.2.0/24';
const OTHER = '198.51.100.0/24';

process.env['TZ'] = 'UTC';

function text(statements: string): string {
  return `router id ${OWN};
protocol device {}
protocol bgp from_it { local as 65000; neighbor ${FROM} as 65002; passive; ipv4 { import where net != ${OTHER}; export none; }; }
protocol bgp to_it { local as 65000; neighbor ${TO} as 65003; passive; ipv4 { import none; export all; }; }
protocol bmp b1 { station address ip ${STATION} port ${STATION_PORT}; ${statements} }
`;
}

async function running(statements: string, listening = true) {
  const lab = new SimLab();
  const station = new BmpStation(lab.network.host(ip(STATION)), ip(STATION));
  if (listening) station.listen();
  const { api, configure } = await birdLab(lab, text(statements), [NET, OTHER]);
  return {
    station,
    lab,
    ask: (command: string) => new Talk({ api, style: 'bird2', clock: lab.clock }).ask(command),
    configure: (next: string) => configure(text(next), 2000),
  };
}

const PRE = 'monitoring rib in pre_policy;';
const POST = 'monitoring rib in post_policy;';

describe('protocol bmp', () => {
  it('tells of sessions alone where nothing is monitored, as BIRD does', async () => {
    const { station } = await running('system name "rr"; system description "router";');
    expect(station.last.heard).toEqual(['initiation', `up ${FROM}`, `up ${TO}`]);
    const [initiation] = station.last.messages;
    expect(initiation).toMatchObject({
      information: [textOf(INFORMATION.sysDescr, 'router'), textOf(INFORMATION.sysName, 'rr')],
    });
  });

  it('tells of what is asked for, and of something else after a reload', async () => {
    const { station, configure } = await running(PRE);
    expect(station.last.routes).toEqual([NET, OTHER].map((net) => `pre ${FROM} ${net} by 65002`));
    await configure(`${PRE} ${POST}`);
    expect(station.readers[0]?.heard.at(-1)).toBe('termination');
    expect(station.last.routes).toEqual([
      `post ${FROM} ${NET} by 65002`,
      `pre ${FROM} ${NET} by 65002`,
      `pre ${FROM} ${OTHER} by 65002`,
    ]);
  });

  it('is shown while it is connected', async () => {
    const { ask, lab } = await running('tx buffer limit 512;');
    await lab.run(1000);
    const shown = await ask('show protocols all b1');
    expect(shown.slice(1, -1)).toEqual([
      expect.stringMatching(/^1002-b1 {9}BMP {8}--- {8}up {5}[\d:.]+ {2}Established$/),
      '1006-  Station address:    10.0.0.9',
      `   Station port:       ${STATION_PORT}`,
      expect.stringMatching(/^ {3}Pending TX: {15}0 {2}B \(limit 512\.0 MB\)$/),
      expect.stringMatching(/^ {3}Session TX: {13}\d{3} {2}B$/),
      expect.stringMatching(/^ {3}Total TX: {15}\d{3} {2}B$/),
      ' ',
    ]);
  });

  it('is shown while it is not', async () => {
    const { ask } = await running(PRE, false);
    const shown = await ask('show protocols all b1');
    expect(shown[1]).toMatch(/^1002-b1 {9}BMP {8}--- {8}start {2}[\d:.]+ {2}Idle {10}Error: .+$/);
    expect(shown[4]).toMatch(/^ {3}Last error: {9}\S/);
  });

  it('goes off and on by command', async () => {
    const { ask, lab, station } = await running(PRE);
    await ask('disable b1');
    await lab.run(2000);
    expect(station.last.heard.at(-1)).toBe('termination');
    expect((await ask('show protocols b1'))[1]).toMatch(/ down {3}/);
    await ask('enable b1');
    await lab.run(2000);
    expect(station.last.routes).toHaveLength(2);
    expect((await ask('show protocols b1'))[1]).toMatch(/ up {5}/);
  });
});
