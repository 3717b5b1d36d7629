// Reports of crashes: what is in them, what is never in them, and how many are kept.

import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchForCrashes } from '../../../src/speaker/crash/crash-watch.ts';
import { type CrashReport, crashDirectory, writeCrashReport } from '../../../src/speaker/crash/report.ts';
import { rig } from '../rig.ts';

const SECRET = 'correct horse battery staple';
const PEER = '10.0.0.2';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'godwit-crash-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

class FakeProcess extends EventEmitter {
  readonly env = {};
  readonly pid = 4711;
  readonly version = 'v20.0.0';
  readonly platform = 'linux';
  uptime = () => 12;
}

async function crashing(sessions: 'silent' | 'cease') {
  const { lab, speaker, peer } = await rig(
    { [PEER]: { as: 65001, config: { name: 'tor-a', description: 'rack 1' } } },
    {
      peers: [
        { name: 'tor-a', address: PEER, asn: 65001, passive: true, import: 'accept', export: 'accept' },
        { name: 'signed', address: '10.0.0.3', asn: 65002, password: SECRET },
      ],
      crash: { directory, sessions },
    },
  );
  const process = new FakeProcess();
  const unwatch = watchForCrashes({
    speaker: speaker.speaker,
    api: speaker.api,
    configFile: '/etc/godwit/godwit.yaml',
    process: process as unknown as NodeJS.Process,
  });
  const reports = (): CrashReport[] =>
    readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')));
  return { lab, speaker, peer: peer(PEER), process, reports, unwatch };
}

describe('an error that nobody caught', () => {
  it('leaves a report with what there is to know, and no secrets', async () => {
    const { speaker, process, reports, unwatch } = await crashing('silent');
    process.emit('uncaughtExceptionMonitor', new TypeError('x is not a function'), 'uncaughtException');
    const [report] = reports();
    expect(report).toMatchObject({
      format: 1,
      reason: 'exception',
      sentence: 'TypeError: x is not a function',
      process: { pid: 4711, node: 'v20.0.0', configFile: '/etc/godwit/godwit.yaml', uptime: 12 },
      status: { state: 'running', asn: 65000 },
    });
    expect(report?.stack).toContain('crash.test.ts');
    expect(report?.peers.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
      expect.stringMatching(/^signed (Active|Connect|Idle)$/),
      'tor-a Established',
    ]);
    expect(report?.events.map(({ code }) => code)).toEqual(expect.arrayContaining(['started', 'session-up']));
    expect(JSON.stringify(report)).not.toContain(SECRET);
    expect(JSON.stringify([...speaker.api.events({})])).not.toContain(SECRET);
    unwatch();
    process.emit('uncaughtExceptionMonitor', new Error('again'), 'uncaughtException');
    expect(reports()).toHaveLength(1);
  });

  it('4724: peers are told nothing, so that they keep routes', async () => {
    const { lab, peer, process } = await crashing('silent');
    process.emit('uncaughtExceptionMonitor', new Error('x'), 'uncaughtException');
    await lab.run(100);
    expect(peer.heard.filter((word) => word.includes('NOTIFICATION'))).toEqual([]);
  });

  it('or get a Cease where that is wanted', async () => {
    const { lab, speaker, process } = await crashing('cease');
    process.emit('uncaughtExceptionMonitor', 'a text', 'unhandledRejection');
    await lab.run(100);
    expect(speaker.peer('tor-a').lastError).toContain('Out of Resources');
  });

  it('is reported as the rejection that it was', async () => {
    const { process, reports } = await crashing('silent');
    process.emit('uncaughtExceptionMonitor', 'a text', 'unhandledRejection');
    expect(reports()[0]).toMatchObject({ reason: 'rejection', sentence: 'Error: a text' });
  });
});

describe('reports', () => {
  const report = (at: string): CrashReport => ({
    format: 1,
    at,
    reason: 'watchdog',
    sentence: 's',
    stack: undefined,
    process: { version: '1', node: '2', platform: '3', pid: 7, uptime: 1, configFile: undefined },
    status: undefined,
    peers: [],
    events: [],
  });

  it('are for their owner, and the newest ten are kept', () => {
    const inner = join(directory, 'made');
    for (let i = 10; i < 25; i++) writeCrashReport(inner, report(`2026-01-01T00:00:${i}.500Z`));
    const names = readdirSync(inner).sort();
    expect(names).toHaveLength(10);
    expect([names[0], names[9]]).toEqual(['crash-20260101T000015Z-7.json', 'crash-20260101T000024Z-7.json']);
    expect(statSync(join(inner, names[0]!)).mode & 0o777).toBe(0o600);
  });

  it('leave nothing behind where they cannot be written, and take the remains of others out', () => {
    const at = '2026-01-01T00:00:50.500Z';
    const inner = join(directory, 'made');
    const path = writeCrashReport(inner, report(at));
    rmSync(path);
    mkdirSync(path);
    expect(() => writeCrashReport(inner, report(at))).toThrow('EISDIR');
    expect(readdirSync(inner)).toEqual([basename(path)]);
    rmSync(path, { recursive: true });
    // A process that was killed over it.
    const remains = 'crash-20260101T000001Z-9.json.new';
    writeFileSync(join(inner, remains), '{');
    writeFileSync(join(inner, 'notes.json.new'), '');
    for (let i = 10; i < 19; i++) writeCrashReport(inner, report(`2026-01-01T00:00:${i}.500Z`));
    expect(readdirSync(inner)).toContain(remains);
    writeCrashReport(inner, report(at));
    const names = readdirSync(inner);
    expect(names).not.toContain(remains);
    expect(names).toContain('notes.json.new');
    expect(names).toHaveLength(11);
  });

  it('go where it is configured, else where the service manager says', () => {
    expect(crashDirectory('/x', { STATE_DIRECTORY: '/y' })).toBe('/x');
    expect(crashDirectory(undefined, { STATE_DIRECTORY: '/y:/z' })).toBe('/y');
    expect(crashDirectory(undefined, {})).toBe('/var/lib/godwit');
  });
});
