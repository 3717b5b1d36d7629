// The log in BIRD's form: which line goes where, and how it looks.

import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBirdLog, type LogClass } from '../../../src/cli/bird/log.ts';
import { FILE_SYSTEM, loadBird } from '../../../src/config/bird/load.ts';
import type { Config } from '../../../src/config/model.ts';

// A moment in local time, as logs are written.
const NOW = new Date(2026, 10, 21, 5, 33, 2, 437).getTime();

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'godwit-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function config(text: string): Config {
  const named = text.replaceAll('DIR', directory);
  const result = loadBird(`router id 10.0.0.1;\nprotocol device { }\n${named}`, 'bird.conf', FILE_SYSTEM, {
    hostname: 'h',
    addresses: [],
  });
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

function bench(debug = false) {
  const path = join(directory, 'stderr');
  const syslog: string[] = [];
  const log = createBirdLog('bird', debug, {
    now: () => NOW,
    syslog: (name, logClass, text) => void syslog.push(`${name} ${logClass} ${text}`),
    udp: (host, port, name, logClass, text) =>
      void syslog.push(`${host}:${port} ${name} ${logClass} ${text}`),
    stderr: openSync(path, 'a'),
  });
  /** The lines of a file as soon as there are so many: writing takes its time. */
  const read = async (name: string, count: number): Promise<string[]> => {
    const lines = () => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1);
    await expect.poll(() => lines().length).toBeGreaterThanOrEqual(count);
    return lines();
  };
  return { log, syslog, read };
}

const CLASSES: readonly LogClass[] = [
  'debug',
  'trace',
  'info',
  'remote',
  'warning',
  'error',
  'auth',
  'fatal',
  'bug',
];

describe('the log', () => {
  it('goes to stderr until there is a configuration, and to the system afterwards', async () => {
    const { log, syslog, read } = bench();
    log.logger.warn({}, 'early');
    log.useConfig(config(''));
    log.logger.info({}, 'late');
    expect(await read('stderr', 1)).toEqual(['bird: early']);
    expect(syslog).toEqual(['bird info late']);
  });

  it('stays on stderr with -d', async () => {
    const { log, syslog, read } = bench(true);
    log.useConfig(config(''));
    log.logger.info({}, 'late');
    expect(await read('stderr', 1)).toEqual(['bird: late']);
    expect(syslog).toEqual([]);
  });

  it('has time and class, each target its own classes', async () => {
    const { log, syslog, read } = bench();
    log.useConfig(
      config(
        'log "DIR/all" all; log stderr { warning, error }; log syslog name "x" { bug }; log udp 10.0.0.9 port 5 { fatal };',
      ),
    );
    for (const logClass of CLASSES) log.write(logClass, `a ${logClass}`);
    expect(await read('all', CLASSES.length)).toEqual(
      ['DBG', 'TRACE', 'INFO', 'RMT', 'WARN', 'ERR', 'AUTH', 'FATAL', 'BUG'].map(
        (tag, i) => `2026-11-21 05:33:02.437 <${tag}> a ${CLASSES[i]}`,
      ),
    );
    expect(await read('stderr', 2)).toEqual([
      '2026-11-21 05:33:02.437 <WARN> a warning',
      '2026-11-21 05:33:02.437 <ERR> a error',
    ]);
    expect(syslog).toEqual(['10.0.0.9:5 bird fatal a fatal', 'x bug a bug']);
  });

  it('writes whole seconds for 1.6, and times as timeformat says', async () => {
    const { log, read } = bench();
    log.useConfig(config('log "DIR/one" all; listen bgp port 1179;'));
    log.write('info', 'x');
    log.useConfig(config('log "DIR/two" all; timeformat log "%d.%m.%Y %H:%M";'));
    log.write('info', 'y');
    expect(await read('one', 1)).toEqual(['2026-11-21 05:33:02 <INFO> x']);
    expect(await read('two', 1)).toEqual(['21.11.2026 05:33 <INFO> y']);
  });

  it('says what fields say, on one line, and no secret', async () => {
    const { log, read } = bench();
    log.useConfig(config('log "DIR/all" all;'));
    log.logger.warn({ peer: 'b1', password: 'hush', reason: 'x', none: undefined }, 'down');
    log.logger.child({ part: 'filter' }).info({}, 'printed');
    log.logger.child({ peer: 'b2' }).error({ error: new Error('boom') }, 'a\nb');
    log.logger.warn({ file: 'bird.conf', line: 7, path: '' }, 'no effect');
    const [first, printed, second, third] = await read('all', 4);
    expect(printed).toMatch(/<INFO> printed$/);
    expect(first).toMatch(/<WARN> b1: down \(password <redacted>, reason x\)$/);
    expect(second).toMatch(/<BUG> b2: a b \(error Error: boom .*\)$/);
    expect(third).toMatch(/<WARN> bird.conf:7 no effect$/);
  });

  it('keeps the order of lines over changes of the configuration', async () => {
    const { log, read } = bench(true);
    const wanted = Array.from({ length: 40 }, (_, i) => `line ${i}`);
    for (const line of wanted) {
      log.write('info', line);
      log.useConfig(config(''));
    }
    expect(await read('stderr', wanted.length)).toEqual(wanted.map((line) => `bird: ${line}`));
  });

  it('names a peer once', async () => {
    const { log, read } = bench();
    log.useConfig(config('log "DIR/all" all;'));
    log.logger.info({ peer: 'b1' }, 'session with b1 is up');
    expect(await read('all', 1)).toEqual(['2026-11-21 05:33:02.437 <INFO> b1: session is up']);
  });

  it('follows steps only where something is to be debugged', async () => {
    const { log, read } = bench();
    log.useConfig(config('log "DIR/all" all;'));
    log.logger.debug({}, 'unseen');
    log.useConfig(config('log "DIR/all" all; debug protocols all;'));
    log.logger.debug({}, 'seen');
    expect(await read('all', 1)).toEqual(['2026-11-21 05:33:02.437 <TRACE> seen']);
  });

  it('goes where it can be read when a file cannot be opened, and says so', async () => {
    const text = 'log "DIR/none/f" { info };';
    const { log, read } = bench(true);
    log.useConfig(config(text));
    log.write('info', 'seen');
    log.write('error', 'of another class');
    expect(await read('stderr', 2)).toEqual([
      `bird: Unable to open log file ${directory}/none/f: no such file or directory`,
      '2026-11-21 05:33:02.437 <INFO> seen',
    ]);
    const quiet = bench();
    quiet.log.useConfig(config(text));
    quiet.log.write('info', 'seen');
    expect(quiet.syslog).toEqual(['bird info seen']);
  });

  it('writes on where a file cannot be renamed', async () => {
    const { log, read } = bench();
    log.useConfig(config('log "DIR/f" 60 "DIR/none/f.old" all;'));
    for (const text of ['one', 'two', 'three']) log.write('info', text);
    expect((await read('f', 3)).at(-1)).toMatch(/three$/);
  });

  it('begins a file of fixed size anew', async () => {
    const { log, read } = bench();
    log.useConfig(config('log fixed "DIR/f" 100 all;'));
    for (const text of ['one', 'two', 'three', 'four']) log.write('info', text);
    await expect
      .poll(() => read('f', 1))
      .toEqual([/three$/, /four$/].map((end) => expect.stringMatching(end)));
  });

  it('renames a file that would grow past its limit', async () => {
    const { log, read } = bench();
    log.useConfig(config('log "DIR/f" 100 "DIR/f.old" all;'));
    for (const text of ['one', 'two', 'three', 'four']) log.write('info', text);
    expect(await read('f.old', 2)).toEqual([/one$/, /two$/].map((end) => expect.stringMatching(end)));
    expect(await read('f', 2)).toEqual([/three$/, /four$/].map((end) => expect.stringMatching(end)));
  });
});
