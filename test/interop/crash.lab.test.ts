// A real daemon that crashes, one that is stopped and one whose loop is stuck: what they leave behind and how they end.
// The fault comes in by Node's own --import; nothing in the daemon knows of it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEntryLine } from '../../src/speaker/api/journal.ts';

const BIN = new URL('../../bin/godwit.js', import.meta.url).pathname;
const AFTER_MS = 300;

let directory: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'godwit-crash-lab-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** Runs until it ends; `fault` is what the process does a moment after it runs. */
async function ends(fault: string, timeout: number) {
  const config = join(directory, 'godwit.yaml');
  const state = join(directory, 'state');
  writeFileSync(
    config,
    JSON.stringify({
      router: { asn: 64512, id: '10.99.0.1' },
      listen: ['127.0.0.1:0'].slice(1),
      peers: [{ name: 'tor-a', address: '127.0.0.9', asn: 64512, passive: true, password: 'hunter2hunter2' }],
      control: false,
      crash: { directory: state },
      journal: { file: join(state, 'journal.jsonl') },
      watchdog: { timeout },
    }),
  );
  // Once it runs: the journal's first entry says so.
  const code = `
    import { existsSync } from 'node:fs';
    import { isMainThread } from 'node:worker_threads';
    // Threads are started with it, too.
    const timer = isMainThread && setInterval(() => {
      if (!existsSync('${join(state, 'journal.jsonl')}')) return;
      clearInterval(timer);
      setTimeout(() => { ${fault} }, ${AFTER_MS});
    }, 50);`;
  const words = ['--import', `data:text/javascript,${encodeURIComponent(code)}`, BIN, 'run', config];
  const running = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  child = running;
  let out = '';
  running.stdout.on('data', (chunk) => {
    out += chunk;
  });
  running.stderr.on('data', (chunk) => {
    out += chunk;
  });
  const exit = await new Promise<number | null>((resolve) => running.once('close', (code) => resolve(code)));
  const names = readdirSync(state).filter((name) => name.startsWith('crash-'));
  const texts = names.map((name) => readFileSync(join(state, name), 'utf8'));
  const journal = readFileSync(join(state, 'journal.jsonl'), 'utf8');
  return {
    exit,
    out,
    reports: texts.map((text) => JSON.parse(text)),
    all: texts.join() + journal + out,
    journal,
  };
}

describe('a daemon', () => {
  it('that throws ends with 70 and a report', async () => {
    const { exit, out, reports, all, journal } = await ends('throw new Error("boom")', 0);
    expect([exit, reports.length]).toEqual([70, 1]);
    expect(reports[0]).toMatchObject({ reason: 'exception', sentence: 'Error: boom' });
    expect(reports[0].peers).toMatchObject([{ name: 'tor-a' }]);
    expect(out).toContain('crash-');
    const codes = journal
      .trimEnd()
      .split('\n')
      .map((line) => parseEntryLine(line)?.code);
    expect(codes).toContain('started');
    expect(all).not.toContain('hunter2');
  });

  it('that is stopped ends, whatever is open still', async () => {
    const { exit, reports } = await ends(
      "setInterval(() => {}, 1000); process.kill(process.pid, 'SIGTERM');",
      0,
    );
    expect([exit, reports]).toEqual([0, []]);
  });

  it('whose loop is stuck is ended by the watchdog, with a report', async () => {
    const { exit, out, reports, all } = await ends('for (;;);', 2);
    expect([exit, reports.length]).toEqual([70, 1]);
    expect(reports[0]).toMatchObject({ reason: 'watchdog', peers: [{ name: 'tor-a' }] });
    expect(reports[0].sentence).toMatch(/stuck for [2-9]\.\d s, outside of the stages/);
    expect(reports[0].events.map((entry: { code: string }) => entry.code)).toContain('started');
    expect(out).toContain('godwit: the event loop has been stuck');
    expect(all).not.toContain('hunter2');
  });
});
