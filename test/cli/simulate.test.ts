// `godwit simulate` as a person meets it: the report, the exit code, and what it says of mistakes.

import { expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

const TIMEOUT_MS = 60_000;

async function godwit(...argv: string[]) {
  let out = '';
  let complaints = '';
  const terminal: Terminal = {
    write: async (text) => {
      out += text;
    },
    warn: (line) => {
      complaints += `${line}\n`;
    },
    columns: undefined,
    color: false,
    env: {},
    now: () => 0,
    interrupted: new AbortController().signal,
  };
  const code = await main(['simulate', ...argv], terminal);
  return { code, out, complaints };
}

test('a run: phases, nodes, verdict', { timeout: TIMEOUT_MS }, async () => {
  const { code, out } = await godwit(
    'reflectors',
    '--plain',
    '--nodes',
    '4',
    '--reflectors',
    '1',
    '--routes',
  );
  expect(code).toBe(0);
  expect(out).toMatch(/^start +all machines start: at rest after [\d.]+ s, all holds$/m);
  expect(out).toMatch(/^rr-1 +64512 +3\/3 +3 +3 /m);
  expect(out).toContain('10.100.2.0/24 from 10.0.0.3');
  expect(out).toContain('Everything that must hold did.');
});

test('JSON is one document', { timeout: TIMEOUT_MS }, async () => {
  const { out } = await godwit('mesh', '--plain', '--nodes', '2', '--json');
  expect(JSON.parse(out)).toMatchObject({
    broken: [],
    scenario: { seed: 1 },
    nodes: [{ name: 'node-1' }, {}],
  });
});

test('many seeds are summed up', { timeout: TIMEOUT_MS }, async () => {
  const { code, out } = await godwit('mesh', '--seed', '3', '--seeds', '2', '--nodes', '2', '--faults', '3');
  expect(out).toMatch(/^2 seeds, 0 broke something; [\d.]+ simulated days, \d+ messages\.$/m);
  expect(code).toBe(0);
});

test('mistakes are told', async () => {
  expect(await godwit('nothere')).toMatchObject({
    code: 1,
    complaints: expect.stringContaining('nothere cannot be read: no such file'),
  });
  expect(await godwit('mesh', '--kinds', 'lull')).toMatchObject({
    code: 2,
    complaints: expect.stringContaining('no faults of the kind lull: reset, '),
  });
  expect(await godwit('mesh', '--seed', 'x')).toMatchObject({ code: 2 });
});
