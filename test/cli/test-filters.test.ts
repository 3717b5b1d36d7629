// `godwit test`: what passes, what does not and why, in both languages of a configuration.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'godwit-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function godwitTest(name: string, text: string, ...more: string[]) {
  const path = join(folder, name);
  writeFileSync(path, text);
  let out = '';
  let err = '';
  const terminal: Terminal = {
    write: async (part) => {
      out += part;
    },
    warn: (line) => {
      err += `${line}\n`;
    },
    env: {},
    now: () => 0,
    color: false,
    columns: undefined,
    interrupted: new AbortController().signal,
  };
  const code = await main(['test', path, ...more], terminal);
  return { code, out: out.replaceAll(`${folder}/`, ''), err: err.replaceAll(`${folder}/`, '') };
}

const BIRD = `router id 10.0.0.1; protocol device { }
filter customers {
  if ((bgp_path.len > 2)) then reject;
  if (65001,666) ~ bgp_community then { bgp_local_pref = 50; accept; }
  bgp_local_pref = 200;
  accept;
}
`;

describe('godwit test', () => {
  it('runs tests of a BIRD file', async () => {
    const text = `${BIRD}
test "a preference" {
  route 192.0.2.0/24 { bgp_path.prepend(65001); };
  filter customers;
  expect accept where bgp_local_pref = 200;
  route 192.0.2.0/24 { bgp_path.prepend(65001); bgp_community.add((65001,666)); };
  expect accept where bgp_local_pref = 50 && net.len = 24;
}
test "long paths" {
  filter customers;
  route 192.0.2.0/24 { bgp_path.prepend(1); bgp_path.prepend(2); bgp_path.prepend(3); };
  expect reject;
}
`;
    expect(await godwitTest('bird.conf', text)).toEqual({
      code: 0,
      out: 'ok   a preference\nok   long paths\n2 tests, all good\n',
      err: '',
    });
  });

  it('says what failed, where, and what the filter did', async () => {
    const text = `${BIRD}
test "wrong" {
  route 192.0.2.0/24; filter customers;
  expect accept where bgp_local_pref = 50;
}
test "worse" { route 192.0.2.0/24; filter customers; expect reject; }
`;
    const { code, out } = await godwitTest('bird.conf', text);
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      'FAIL wrong (bird.conf:9)',
      '     bird.conf:11: this does not hold',
      '       bird.conf:3  ((bgp_path.len > 2))  -> false',
      '       bird.conf:4  (65001,666) ~ bgp_community  -> false',
      '       bird.conf:5  bgp_local_pref = 200;',
      '       bird.conf:6  accept;',
      'FAIL worse (bird.conf:13)',
      '     bird.conf:13: expected reject, the filter says accept',
      '       bird.conf:3  ((bgp_path.len > 2))  -> false',
      '       bird.conf:4  (65001,666) ~ bgp_community  -> false',
      '       bird.conf:5  bgp_local_pref = 200;',
      '       bird.conf:6  accept;',
      '2 tests, 2 failed',
      '',
    ]);
  });

  it('runs tests of a native file, as JSON too', async () => {
    const text = `router: { asn: 64512, id: 10.0.0.1 }
filters:
  short: |
    if net.len > 24 then reject;
    accept;
tests:
  length: |
    filter short;
    route 192.0.2.0/24; expect accept;
    route 192.0.2.0/25; expect reject;
    route 2001:db8::/32; expect reject;
`;
    expect((await godwitTest('godwit.yaml', text)).out).toBe('ok   length\n1 test, all good\n');
    const { code, out } = await godwitTest(
      'godwit.yaml',
      text.replace('/25; expect reject', '/25; expect accept'),
      '--json',
    );
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      tests: [
        {
          name: 'length',
          failure: { place: 'godwit.yaml:10', message: 'expected accept, the filter says reject' },
        },
      ],
      issues: [],
    });
    const bad = await godwitTest('godwit.yaml', text.replace('net.len', 'net.length'), '--json');
    // Of the filter alone: the test is not accused, too.
    expect(JSON.parse(bad.out)).toMatchObject({ tests: [], issues: [{ path: 'filters.short', line: 4 }] });
  });

  it.each([
    [
      'a test that expects nothing',
      'test "x" { route 10.0.0.0/8; filter customers; }',
      'the test expects nothing',
    ],
    [
      'an unknown filter',
      'test "x" { route 10.0.0.0/8; filter custmers; expect accept; }',
      "there is no filter 'custmers'",
    ],
    [
      'no route',
      'test "x" { filter customers; expect accept; }',
      'a route and a filter come before what is expected',
    ],
    [
      'an attribute without its verdict',
      'test "x" { route 10.0.0.0/8; filter customers; expect bgp_med = 1; }',
      "'accept' or 'reject' after expect ('expect accept where bgp_local_pref = 90;')",
    ],
    ['nonsense', 'test "x" { rout 10.0.0.0/8; }', "expected 'route', 'filter' or 'expect' in the test"],
  ])('refuses %s', async (_title, test, message) => {
    const { code, err } = await godwitTest('bird.conf', BIRD + test);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });

  it('has nothing to run where there is no test', async () => {
    expect(await godwitTest('bird.conf', BIRD)).toMatchObject({
      code: 1,
      out: expect.stringContaining('has no tests'),
    });
  });
});
