// BMP stations over a real socket: for a person, for a script, and as metrics.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BMP_METRICS } from '../../src/control/http/bmp-metrics.ts';
import { type ControlLab, startControlLab } from '../support/control-lab.ts';

let lab: ControlLab;
beforeEach(async () => {
  lab = await startControlLab();
});
afterEach(() => lab.stop());

describe('show bmp', () => {
  test('for a person', async () => {
    const { code, out } = await lab.godwit(['show', 'bmp']);
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
      ['STATION', 'ADDRESS', 'STATE', 'SINCE', 'ROUTES', 'PEERS', 'WAITING', 'SENT', 'WHY'],
      [
        'bmp1',
        '192.0.2.9:11019',
        'Established',
        '11:00:00',
        'pre-policy loc-rib',
        '2',
        '7',
        expect.stringMatching(/^4\.\d* GiB$/),
      ],
      ['bmp2', '[2001:db8::9]:5000', 'Idle', '11:00:00', 'none', '0', '0', '0 B', 'connect ECONNREFUSED'],
      [''],
    ]);
  });

  test('for a script: what the speaker says', async () => {
    const { out } = await lab.godwit(['show', 'bmp', '--json']);
    expect(JSON.parse(out).stations).toEqual(JSON.parse(JSON.stringify(lab.speaker.bmpStations())));
  });
});

test('metrics name the station', () => {
  const stations = lab.speaker.bmpStations();
  const samples = BMP_METRICS.flatMap((row) =>
    [...row.samples(stations)].map(({ labels, value }) => [row.name, labels, value]),
  );
  expect(samples).toEqual(
    expect.arrayContaining([
      ['bmp_station_up', { station: 'bmp1' }, 1],
      ['bmp_station_up', { station: 'bmp2' }, 0],
      ['bmp_station_waiting_prefixes', { station: 'bmp1' }, 7],
      ['bmp_station_sent_bytes_total', { station: 'bmp1' }, 5_000_000_000],
      ['bmp_station_overflows_total', { station: 'bmp1' }, 1],
    ]),
  );
});
