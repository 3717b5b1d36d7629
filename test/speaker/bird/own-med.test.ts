// The MED of own routes towards eBGP peers, as daemons of both dialects send it. 1.6 sends it always. 2.x sends what the
// export filter sets, and else only the MED of a route that has nothing else and was given it once.

import { describe, expect, it } from 'vitest';
import { SimLab } from '../../support/sim-lab.ts';
import { birdLab, OWN, TO } from '../bird-lab.ts';

/** The block of a static route, the import filter, the export filter, and the MED that goes by 2.x and by 1.6. */
const ROUTES: readonly [
  set: string,
  imported: string,
  exported: string,
  med2: number | undefined,
  med1: number | undefined,
][] = [
  ['', '', '', undefined, undefined],
  ['bgp_med = 5;', '', '', 5, 5],
  ['bgp_med = 0;', '', '', 0, 0],
  ['bgp_med = 5; bgp_local_pref = 7;', '', '', undefined, 5],
  ['bgp_med = 5; bgp_community.add((1,2));', '', '', undefined, 5],
  ['bgp_origin = ORIGIN_EGP; bgp_med = 5;', '', '', undefined, 5],
  ['bgp_med = 5;', 'bgp_med = 66;', '', undefined, 66],
  ['bgp_med = 5;', 'bgp_community.add((1,2));', '', undefined, 5],
  ['bgp_med = 5;', 'preference = 150;', '', 5, 5],
  ['bgp_med = 5;', '', 'bgp_community.add((3,4));', 5, 5],
  ['bgp_community.add((1,2));', 'bgp_med = 67;', '', undefined, 67],
  ['', 'bgp_med = 68;', '', 68, 68],
  ['', 'bgp_med = 69;', 'bgp_med = bgp_med;', 69, 69],
  ['', 'bgp_med = 70; bgp_local_pref = 9;', '', undefined, 70],
  ['', 'bgp_med = 70; bgp_local_pref = 9;', 'bgp_med = 71;', 71, 71],
  ['', '', 'bgp_med = 72; bgp_community.add((3,4));', 72, 72],
];

const netOf = (at: number) => `203.0.113.${at}/32`;

function fileOf(dialect: '2.x' | '1.6'): string {
  const routes = ROUTES.map(([set], at) => `route ${netOf(at)} blackhole${set === '' ? '' : ` { ${set} }`};`);
  const filter = (name: string, column: 1 | 2) => {
    const bodies = ROUTES.map((row, at) =>
      row[column] === '' ? '' : `if net = ${netOf(at)} then { ${row[column]} }`,
    );
    return `filter ${name} { ${bodies.join(' ')} accept; }`;
  };
  const channel = (words: string) => (dialect === '2.x' ? `ipv4 { ${words} };` : words);
  return `router id ${OWN}; protocol device {}
${filter('taken', 1)}
${filter('sent', 2)}
protocol static { ${channel('import filter taken;')} ${routes.join(' ')} }
protocol bgp p1 {
  local ${dialect === '2.x' ? `${OWN} ` : ''}as 65001; neighbor ${TO} as 65003; ${channel('import none; export filter sent;')}
}`;
}

describe.each([
  ['2.x', 3],
  ['1.6', 4],
] as const)('own routes by a file of %s', (dialect, column) => {
  it('go with the MED that BIRD sends', async () => {
    const { to } = await birdLab(new SimLab(), fileOf(dialect), []);
    const meds = ROUTES.map((row, at) => [...row.slice(0, 3), to.attributes(netOf(at))?.med]);
    expect(meds).toEqual(ROUTES.map((row) => [...row.slice(0, 3), row[column]]));
    expect(to.table.size).toBe(ROUTES.length);
  });
});
