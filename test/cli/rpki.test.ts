// Caches of RPKI data over a real socket: for a person, for a script, and as metrics.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RPKI_METRICS } from '../../src/control/http/rpki-metrics.ts';
import { type ControlLab, startControlLab } from '../support/control-lab.ts';

let lab: ControlLab;
beforeEach(async () => {
  lab = await startControlLab();
});
afterEach(() => lab.stop());

describe('show rpki', () => {
  test('for a person', async () => {
    const { code, out } = await lab.godwit(['show', 'rpki']);
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
      ['CACHE', 'SERVER', 'STATE', 'VERSION', 'SERIAL', 'ROAS4', 'ROAS6', 'ASPAS', 'UPDATED', 'WHY'],
      ['rpki1', '192.0.2.1:323', 'Established', '1', '4294967295', '400000', '100000', '5', '11:00:00'],
      [
        'rpki2',
        '[2001:db8::1]:8282',
        'Transport-Error',
        '2',
        '-',
        '0',
        '0',
        '0',
        '-',
        'connect ECONNREFUSED',
      ],
      [''],
    ]);
  });

  test('for a script: what the speaker says', async () => {
    const { out } = await lab.godwit(['show', 'rpki', '--json']);
    expect(JSON.parse(out).caches).toEqual(JSON.parse(JSON.stringify(lab.speaker.rpkiCaches())));
  });
});

describe('metrics', () => {
  test('name the cache, and leave out what is not known', () => {
    const caches = lab.speaker.rpkiCaches();
    const samples = RPKI_METRICS.flatMap((row) =>
      [...row.samples(caches)].map(({ labels, value }) => [row.name, labels, value]),
    );
    expect(samples).toEqual(
      expect.arrayContaining([
        ['rpki_cache_up', { cache: 'rpki1' }, 1],
        ['rpki_cache_up', { cache: 'rpki2' }, 0],
        ['rpki_cache_records', { cache: 'rpki1', type: 'roa4' }, 400_000],
        ['rpki_cache_serial', { cache: 'rpki1' }, 0xffff_ffff],
        ['rpki_cache_errors_total', { cache: 'rpki2' }, 5],
      ]),
    );
    expect(samples).not.toContainEqual(['rpki_cache_serial', { cache: 'rpki2' }, expect.anything()]);
  });
});
