// Constants from the files of iproute2, as BIRD has them: what lines count was asked of 1.6.8, 2.0.12 and 2.20 with files
// of this kind in the place of the host's.

import { describe, expect, test } from 'vitest';
import { iprouteConstants } from '../../../src/config/bird/iproute.ts';
import { filesOf, good, read } from './support.ts';

const FILES = {
  '/etc/iproute2/rt_protos': '2 kernel\n12\tbird\n255 last\n256 beyond\n-5 below\n',
  '/etc/iproute2/rt_scopes': '# reserved\n253\tlink\n256 beyond\n',
  '/etc/iproute2/rt_realms': '1000 far\n',
  '/etc/iproute2/rt_tables': `#\n255\tlocal
  77 lead
100 upstream-a.b
0x65 hexa
1000 far
-5 below
300
abc def
301 name and more
010 ten
78 lead
#1 no
306 ümlaut
`,
};

describe('names of iproute2', () => {
  test('are numbers by their file, in 2.x octets or of any size', () => {
    expect(Object.fromEntries(iprouteConstants(filesOf(FILES), '2.x'))).toEqual({
      ipp_kernel: 2,
      ipp_bird: 12,
      ipp_last: 255,
      ipr_far: 1000,
      ips_link: 253,
      ipt_local: 255,
      ipt_lead: 77,
      ipt_upstream_a_b: 100,
      ipt_hexa: 101,
      ipt_far: 1000,
      ipt_below: 4294967291,
      ipt_name: 301,
      ipt_ten: 10,
      ipt___mlaut: 306,
    });
  });

  test('are those up to 256 in 1.6', () => {
    const names = [...iprouteConstants(filesOf(FILES), '1.6').keys()];
    expect(names).toEqual([
      'ipp_kernel',
      'ipp_bird',
      'ipp_last',
      'ipp_beyond',
      'ips_link',
      'ips_beyond',
      'ipt_local',
      'ipt_lead',
      'ipt_upstream_a_b',
      'ipt_hexa',
      'ipt_ten',
    ]);
  });

  test('are none where the files are not there', () => {
    expect(iprouteConstants(filesOf({}), '2.x').size).toBe(0);
  });
});

describe('a configuration', () => {
  test.each(['2.x', '1.6'] as const)('of %s uses them in options and filters', (dialect) => {
    const open = dialect === '2.x' ? 'ipv4 { export filter f; };' : 'export filter f;';
    const text = `filter f { if krt_source = ipp_bird then reject; krt_scope = ips_link; accept; }
protocol kernel { ${open} kernel table ipt_upstream_a_b; }
define beyond = (ipt_lead + 1);`;
    const [kernel] = good(text, { dialect }, FILES).protocols;
    expect(kernel?.options).toMatchObject({ table: 100 });
  });

  test('cannot define them again', () => {
    const { errors } = read('protocol device { } define ipp_bird = 3;', { dialect: '2.x' }, FILES);
    expect(errors).toMatchObject([
      { message: 'ipp_bird is already defined', hint: 'it is a name of /etc/iproute2' },
    ]);
  });

  test('is told of one that is not there', () => {
    const { errors } = read('protocol device { } define x = ipt_upstram_a_b;', { dialect: '2.x' }, FILES);
    expect(errors).toMatchObject([
      { message: "'ipt_upstram_a_b' is not defined", hint: "did you mean 'ipt_upstream_a_b'?" },
    ]);
  });
});
