// `godwit upgrade` around the speaker: how another program is asked, what the process is started with, what it inherits,
// and how each failure is taken back.

import { chmodSync, closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handoverVariable, readWhole, takeInheritance } from '../../../src/cli/upgrade/inherited.ts';
import { invocationOf } from '../../../src/cli/upgrade/invocation.ts';
import { ExecError, type ExecLibrary, loadExecLibrary } from '../../../src/cli/upgrade/native.ts';
import { ask } from '../../../src/cli/upgrade/rehearsal.ts';
import { type Invocation, Upgrader } from '../../../src/cli/upgrade/upgrader.ts';
import { HANDOVER_VARIABLE } from '../../../src/cli/upgrade/words.ts';
import type { Logger } from '../../../src/lib/log.ts';
import type { CreateOptions, RunningSpeaker } from '../../../src/speaker/main.ts';
import { encodeStates, type SpeakerState, STATE_FORMAT } from '../../../src/speaker/main.ts';
import { LineLog } from '../../support/line-log.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gw-upgrade-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function script(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('asking a program', () => {
  const node = process.execPath;

  it('gives what it says', async () => {
    expect(await ask([node, '-e', 'console.log("1.2.3")'], process.env, 'ignore')).toBe('1.2.3');
  });

  it('shows it a file on descriptor 3', async () => {
    const fd = openSync(script('state', 'the state'), 'r');
    const read = 'console.log(require("node:fs").readFileSync("/proc/self/fd/3", "utf8"))';
    expect(await ask([node, '-e', read], process.env, fd)).toBe('the state');
    closeSync(fd);
  });

  it.skipIf(process.platform !== 'linux')('lets it go first when memory runs out', async () => {
    const read = 'console.log(require("node:fs").readFileSync("/proc/self/oom_score_adj", "utf8"))';
    expect(Number(await ask([node, '-e', read], process.env, 'ignore'))).toBeGreaterThanOrEqual(500);
  });

  it.each([
    ['complains', ['-e', 'console.error("no such format"); process.exit(1)'], 'no such format'],
    ['only ends', ['-e', 'process.exit(7)'], 'it ended with code 7'],
    ['dies', ['-e', 'process.kill(process.pid, "SIGKILL")'], 'it ended by SIGKILL'],
  ])('rejects where it %s', async (_how, words, sentence) => {
    const answer = ask([node, ...words], process.env, 'ignore');
    await expect(answer).rejects.toThrow(`the new program is not fit to go on: ${sentence}`);
  });

  it('rejects where there is none', async () => {
    await expect(ask([join(directory, 'none')], process.env, 'ignore')).rejects.toThrow('ENOENT');
  });
});

describe('an invocation', () => {
  const common = { execPath: '/usr/bin/node', execArgv: ['--x'], argv0: 'node' };

  it('repeats the words, and names the face where the name of the program does not', () => {
    const argv = ['/usr/bin/node', '/usr/sbin/bird', '-c', 'bird.conf'];
    expect(invocationOf({ ...common, argv }, [])).toEqual({
      ...common,
      script: '/usr/sbin/bird',
      words: ['-c', 'bird.conf'],
      wordsElsewhere: ['bird', '-c', 'bird.conf'],
      checks: [],
    });
  });

  it.each([
    [
      ['/usr/bin/node', '/opt/bin/godwit.js', 'run', 'g.yaml'],
      ['run', 'g.yaml'],
    ],
    [
      ['/usr/bin/node', '/opt/bin/godwit.js', 'bird6', '-f'],
      ['bird6', '-f'],
    ],
  ])('of %j is the same elsewhere', (argv, words) => {
    const { words: here, wordsElsewhere } = invocationOf({ ...common, argv }, []);
    expect([here, wordsElsewhere]).toEqual([words, words]);
  });
});

describe('an inheritance', () => {
  const state = { format: STATE_FORMAT, rib: {}, peers: [] } as never;

  function fileOf(octets: Uint8Array): number {
    writeFileSync(join(directory, 'state'), octets);
    return openSync(join(directory, 'state'), 'r');
  }

  it('is nothing for a process that was started as usual', async () => {
    const env = { [HANDOVER_VARIABLE]: 'rubbish' };
    expect(await takeInheritance(env)).toBeUndefined();
    expect(env).toEqual({});
  });

  it('gives each state once, and nobody else sees the variable', async () => {
    const fd = fileOf(encodeStates(new Map([['a.yaml', state]])));
    const env: NodeJS.ProcessEnv = { [HANDOVER_VARIABLE]: handoverVariable(fd, []) };
    const inherited = await takeInheritance(env);
    expect(env).toEqual({});
    expect(inherited?.problem).toBeUndefined();
    expect(inherited?.take('b.yaml')).toBeUndefined();
    expect(inherited?.take('a.yaml')).toEqual(state);
    expect(inherited?.take('a.yaml')).toBeUndefined();
    expect(() => readWhole(fd)).toThrow('EBADF');
  });

  it('that cannot be read closes the sockets', async () => {
    const socket = openSync('/dev/null', 'r');
    const env: NodeJS.ProcessEnv = {
      [HANDOVER_VARIABLE]: handoverVariable(fileOf(Uint8Array.of(1)), [socket]),
    };
    const inherited = await takeInheritance(env);
    expect(inherited?.problem).toContain('the state cannot be read');
    expect(inherited?.take('a.yaml')).toBeUndefined();
    expect(() => closeSync(socket)).toThrow('EBADF');
  });
});

describe('the upgrader', () => {
  const SESSION = { image: { session: { descriptor: 102 } } };

  class FakeHandOver {
    readonly calls: string[] = [];
    refuses: string | undefined;
    #step(name: string): void {
      this.calls.push(name);
      if (this.refuses === name) throw new Error(`${name} is refused`);
    }
    check(): void {
      this.#step('check');
    }
    async prepare(): Promise<void> {
      this.#step('prepare');
    }
    async handOverPaths(): Promise<void> {
      this.#step('handOverPaths');
    }
    capture() {
      this.#step('capture');
      return { format: STATE_FORMAT, rib: {}, peers: [SESSION], listeners: new Map([['any', 101]]) };
    }
    flushNow(): void {
      this.calls.push('flushNow');
    }
    resume(why: string): void {
      this.calls.push(`resume: ${why}`);
    }
  }

  const log = new LineLog();

  const INVOCATION: Invocation = {
    execPath: process.execPath,
    execArgv: [],
    argv0: 'node',
    script: '',
    words: ['run', 'g.yaml'],
    wordsElsewhere: ['run', 'g.yaml'],
    checks: [['check', 'g.yaml']],
  };

  async function upgraderOf(
    handOver: FakeHandOver,
    path: string,
    more: Partial<Invocation> = {},
    load = loadExecLibrary,
  ): Promise<Upgrader> {
    const upgrader = new Upgrader({ ...INVOCATION, script: path, ...more }, process.env, () => {}, load);
    await takePart(upgrader, handOver);
    return upgrader;
  }

  async function takePart(upgrader: Upgrader, handOver: FakeHandOver): Promise<void> {
    const running = { handOver } as unknown as RunningSpeaker;
    const logger: Logger = log;
    const options = { configFile: 'g.yaml', logger } as CreateOptions;
    await upgrader.createSpeaker(async () => running, options, undefined);
  }

  const needsLinux = it.skipIf(loadExecLibrary() === undefined);
  const FIT = 'console.log(process.argv[2] === "check" ? "good" : "9.8.7")';

  needsLinux('takes everything back where the program does not take the configuration', async () => {
    const handOver = new FakeHandOver();
    const path = script(
      'new.js',
      'if (process.argv[2] === "check") { console.error("bad line 3"); process.exit(1) }',
    );
    const upgrader = await upgraderOf(handOver, path);
    await expect(upgrader.upgrade(undefined)).rejects.toThrow('bad line 3');
    // Nothing had stopped.
    expect(handOver.calls).toEqual(['check']);
    expect(log.lines).toContain('error the upgrade did not take place; everything goes on here');
  });

  needsLinux('takes everything back where the program does not read the state', async () => {
    const handOver = new FakeHandOver();
    const path = script(
      'new.js',
      'if (process.argv[2] === "__handover") { console.error("format 2"); process.exit(1) }',
    );
    const upgrader = await upgraderOf(handOver, path);
    await expect(upgrader.upgrade(undefined)).rejects.toThrow('format 2');
    expect(handOver.calls.slice(0, 3)).toEqual(['check', 'prepare', 'capture']);
    expect(handOver.calls.at(-1)).toContain('format 2');
    // And may be tried again.
    await expect(upgrader.upgrade(undefined)).rejects.toThrow('format 2');
  });

  needsLinux.each([
    ['says something else', 'console.log("hi")', 'it says "hi" where its version was asked for'],
    ['says nothing', '', 'it says nothing where its version was asked for'],
  ])('does not become a script that ends well and %s', async (_how, text, sentence) => {
    const handOver = new FakeHandOver();
    const upgrader = await upgraderOf(handOver, script('other.js', text));
    await expect(upgrader.upgrade(undefined)).rejects.toThrow(sentence);
    expect(handOver.calls).not.toContain('handOverPaths');
    expect(handOver.calls.at(-1)).toContain('resume');
  });

  needsLinux.each(['1.2.3-rc.1', '2.0.0+build.7'])('becomes a version %s', async (version) => {
    const upgrader = await upgraderOf(
      new FakeHandOver(),
      script('new.js', `console.log('${version}')`),
      {},
      () => new FakeExec(),
    );
    expect(await upgrader.upgrade(undefined)).toMatchObject({ to: version });
  });

  needsLinux('lets those go on that it has stopped, and no others', async () => {
    const [first, second, third] = [new FakeHandOver(), new FakeHandOver(), new FakeHandOver()];
    second.refuses = 'prepare';
    const upgrader = await upgraderOf(first, script('new.js', FIT));
    for (const handOver of [second, third]) await takePart(upgrader, handOver);
    await expect(upgrader.upgrade(undefined)).rejects.toThrow('prepare is refused');
    const resumed = 'resume: the last upgrade did not take place: prepare is refused';
    expect(first.calls).toEqual(['check', 'prepare', resumed]);
    expect(second.calls).toEqual(['check', 'prepare', resumed]);
    expect(third.calls).toEqual(['check']);
    await expect(upgrader.upgrade(script('other.js', 'process.exit(1)'))).rejects.toThrow('ended with code');
    expect(first.calls.slice(3)).toEqual(['check']);
  });

  // The configuration may be another one by then.
  needsLinux.each(['handOverPaths', 'check'])(
    'takes everything back where %s is refused at last',
    async (step) => {
      const handOver = new FakeHandOver();
      const upgrader = await upgraderOf(handOver, script('new.js', FIT));
      expect(await upgrader.upgrade(undefined)).toMatchObject({ to: '9.8.7', sessions: 1 });
      handOver.refuses = step;
      await expect(upgrader.upgrade(undefined)).rejects.toThrow('under way already');
      while (!handOver.calls.some((call) => call.startsWith('resume'))) {
        await new Promise((next) => setTimeout(next, 10));
      }
      expect(handOver.calls.at(-1)).toBe(`resume: the last upgrade did not take place: ${step} is refused`);
      expect(log.lines).toContain('error the upgrade did not take place; everything goes on here');
    },
  );

  /** What the process would have become. */
  class FakeExec implements ExecLibrary {
    readonly calls: string[] = [];
    memoryFile(): number {
      return openSync(join(directory, 'memory'), 'w+');
    }
    keepOpen(descriptor: number, on: boolean): void {
      this.calls.push(`${on ? 'keep' : 'close'} ${descriptor}`);
    }
    execute(path: string, argv: readonly string[], env: Readonly<Record<string, string | undefined>>): never {
      this.calls.push([path, ...argv, env[HANDOVER_VARIABLE] ?? 'nothing'].join(' '));
      throw new ExecError('execve', 2);
    }
  }

  it('becomes the other program with the sockets and the state, or goes on', async () => {
    const handOver = new FakeHandOver();
    const exec = new FakeExec();
    const upgrader = await upgraderOf(handOver, script('new.js', FIT), {}, () => exec);
    await upgrader.upgrade(undefined);
    while (!handOver.calls.some((call) => call.startsWith('resume'))) {
      await new Promise((next) => setTimeout(next, 10));
    }
    const [state] = exec.calls
      .filter((call) => call.includes(' node '))
      .map((call) => /(\d+):101,102$/.exec(call)?.[1]);
    expect(exec.calls).toEqual([
      ...['0', '1', '2', state, '101', '102'].map((fd) => `keep ${fd}`),
      `${process.execPath} node ${join(directory, 'new.js')} run g.yaml ${state}:101,102`,
      // The standard streams are left alone.
      ...[state, '101', '102'].map((fd) => `close ${fd}`),
    ]);
    expect(handOver.calls.slice(-5)).toEqual([
      'handOverPaths',
      'check',
      'capture',
      'flushNow',
      'resume: the last upgrade did not take place: execve: ENOENT',
    ]);
    // An attempt leaves none of the memory behind that the picture took.
    expect(() => fstatSync(Number(state))).toThrow('EBADF');
  });

  it('starts anew where the state cannot be gone on with', async () => {
    const exec = new FakeExec();
    const path = script('new.js', FIT);
    const upgrader = new Upgrader(
      { ...INVOCATION, script: path },
      {},
      () => {},
      () => exec,
    );
    const logger: Logger = log;
    const options = { configFile: 'g.yaml', logger } as CreateOptions;
    const inherited = { take: () => ({}) as SpeakerState, problem: undefined };
    const failing = async () => {
      throw new Error('a row is missing');
    };
    await expect(upgrader.createSpeaker(failing, options, inherited)).rejects.toThrow('execve');
    expect(exec.calls).toEqual([`${process.execPath} node ${path} run g.yaml nothing`]);
    // And that is all: one that was started as usual has failed.
    await expect(upgrader.createSpeaker(failing, options, undefined)).rejects.toThrow('a row is missing');
    expect(exec.calls.length).toBe(1);
  });

  needsLinux('begins nothing where there is no such program, or it is no time for it', async () => {
    const handOver = new FakeHandOver();
    const upgrader = await upgraderOf(handOver, directory);
    await expect(upgrader.upgrade(join(directory, 'none'))).rejects.toThrow('there is no program');
    await expect(upgrader.upgrade(undefined)).rejects.toThrow('is no file');
    handOver.refuses = 'check';
    await expect(upgrader.upgrade(script('new.js', FIT))).rejects.toThrow('check is refused');
    expect(handOver.calls).toEqual(['check']);
    const open = script('open.js', FIT);
    chmodSync(open, 0o666);
    await expect(upgrader.upgrade(open)).rejects.toThrow('can be changed by others');
    expect(handOver.calls).toEqual(['check']);
  });
});
