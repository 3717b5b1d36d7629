import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type DaemonParts, runDaemon } from '../../src/cli/daemon.ts';
import type { LoadResult } from '../../src/config/load.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/model.ts';
import { CommandError } from '../../src/control/protocol.ts';
import type { Logger } from '../../src/lib/log.ts';
import { FakeSpeaker } from '../support/fake-speaker.ts';

const YAML = `
router: { asn: 64512, id: 10.99.0.1 }
control: { socket: /run/godwit/test.sock }
http: { listen: "127.0.0.1:8179" }
`;

function load(text: string): LoadResult {
  return parseConfig(text, 'godwit.yaml', {}, () => '', { hostname: 'h', addresses: [] });
}

function config(text = YAML): Config {
  const result = load(text);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

/** A daemon of fakes that records what happens to it, in order. */
class Bench {
  readonly events: string[] = [];
  readonly signals = new EventEmitter();
  readonly speaker = new FakeSpeaker();
  readonly warned: string[] = [];
  loads: LoadResult[] = [{ ok: true, config: config(), warnings: [] }];
  claimFailure: Error | undefined;
  speakerFailure: Error | undefined;
  httpFailure: Error | undefined;
  stopGate: Promise<void> = Promise.resolve();
  stopLimitMs = 60_000;
  drainMs = 0;
  apply: ((config: Config) => void) | undefined;

  readonly #logger: Logger = {
    debug: () => {},
    info: (_fields, message) => void this.events.push(message),
    warn: (_fields, message) => void this.events.push(`warn: ${message}`),
    error: (_fields, message) => void this.events.push(`error: ${message}`),
    child: () => this.#logger,
  };

  restored = 0;
  restoreFailure: Error | undefined;

  readonly parts: DaemonParts = {
    loadConfig: () => this.loads.shift() ?? { ok: true, config: config(), warnings: [] },
    createLog: () => ({
      logger: this.#logger,
      useConfig: ({ log }) => void this.events.push(`level ${log.level}`),
      flush: () => this.events.push('flushed') > 0,
    }),
    describeIssues: (issues) =>
      issues.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'),
    startBird: async ({ socket: { socket } }) => {
      this.events.push(`bird up ${socket}`);
      return { stop: async () => void this.events.push('bird down') };
    },
    claimSocket: async (path) => {
      if (this.claimFailure !== undefined) throw this.claimFailure;
      this.events.push(`claimed ${path}`);
    },
    createSpeaker: async ({ onApplied }) => {
      if (this.speakerFailure !== undefined) throw this.speakerFailure;
      this.apply = onApplied;
      this.events.push('speaker up');
      return {
        api: this.speaker,
        drainBeforeStop: () => this.drainMs,
        stop: async () => {
          await this.stopGate;
          this.events.push('speaker down');
        },
      };
    },
    startControl: async ({ socket, mode }) => {
      this.events.push(`control up ${socket} ${mode.toString(8)}`);
      return {
        restore: async () => {
          this.restored++;
          if (this.restoreFailure !== undefined) throw this.restoreFailure;
        },
        stop: async () => void this.events.push('control down'),
      };
    },
    startTcp: async ({ config: { address, port } }) => {
      this.events.push(`tcp up ${address} ${port}`);
      return { stop: async () => void this.events.push('tcp down') };
    },
    startHttp: async ({ address, port }) => {
      if (this.httpFailure !== undefined) throw this.httpFailure;
      this.events.push(`http up ${address} ${port}`);
      return { port, stop: async () => void this.events.push('http down') };
    },
    signals: this.signals,
    exit: (code) => void this.events.push(`exit ${code}`),
  };

  run() {
    const { stopLimitMs } = this;
    return runDaemon(
      'godwit.yaml',
      { ...this.parts, stopLimitMs },
      {
        warn: (line) => void this.warned.push(line),
      },
    );
  }

  async until(event: string) {
    while (!this.events.includes(event)) await new Promise((resolve) => setImmediate(resolve));
  }
}

const UP = [
  'claimed /run/godwit/test.sock',
  'speaker up',
  'control up /run/godwit/test.sock 660',
  'http up 127.0.0.1 8179',
];

describe('the daemon', () => {
  test.each(['SIGTERM', 'SIGINT'])('starts its parts, and stops them in reverse on %s', async (signal) => {
    const bench = new Bench();
    const running = bench.run();
    await bench.until(UP[3]!);
    bench.signals.emit(signal);
    expect(await running).toBe(0);
    expect(bench.events).toEqual([
      ...UP,
      'stopping',
      'speaker down',
      'http down',
      'control down',
      'stopped',
      'flushed',
    ]);
    expect(bench.signals.eventNames()).toEqual([]);
  });

  test('a second signal does not wait', async () => {
    const bench = new Bench();
    let open = () => {};
    bench.stopGate = new Promise((resolve) => {
      open = resolve;
    });
    const running = bench.run();
    await bench.until(UP[3]!);
    bench.signals.emit('SIGTERM');
    await bench.until('stopping');
    expect(bench.events).not.toContain('exit 1');
    bench.signals.emit('SIGINT');
    expect(bench.events.at(-1)).toBe('exit 1');
    open();
    await running;
  });

  describe('where a stop drains peers first', () => {
    const ASKED = 'peers are asked to send traffic elsewhere; another signal ends the wait';

    const drained = async (bench: Bench) => {
      const told: (number | undefined)[] = [];
      const supervisor = {
        ready: () => {},
        reloading: () => {},
        stopping: (withinMs?: number) => void told.push(withinMs),
        stop: () => {},
      };
      const running = runDaemon('godwit.yaml', { ...bench.parts, supervisor }, { warn: () => {} });
      await bench.until(UP[3]!);
      bench.signals.emit('SIGTERM');
      return { running, told };
    };

    test('waits until the next signal; the one after that does not wait', async () => {
      const bench = new Bench();
      bench.drainMs = 3_600_000;
      let open = () => {};
      bench.stopGate = new Promise((resolve) => {
        open = resolve;
      });
      const { running, told } = await drained(bench);
      await bench.until(ASKED);
      expect(told).toEqual([3_660_000]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(bench.events).not.toContain('http down');
      bench.signals.emit('SIGTERM');
      expect(bench.events).not.toContain('exit 1');
      await new Promise((resolve) => setImmediate(resolve));
      bench.signals.emit('SIGTERM');
      expect(bench.events).toContain('exit 1');
      open();
      expect(await running).toBe(0);
      expect(bench.events).toContain('speaker down');
    });

    test('waits so long, and not where nobody would hear of it', async () => {
      const bench = new Bench();
      bench.drainMs = 100;
      const before = Date.now();
      const first = await drained(bench);
      await first.running;
      expect(bench.events).toContain(ASKED);
      expect(Date.now() - before).toBeGreaterThanOrEqual(99);

      const alone = new Bench();
      const second = await drained(alone);
      await second.running;
      expect(alone.events).not.toContain(ASKED);
      expect(second.told).toEqual([undefined]);
    });
  });

  test('a part that hangs does not hold the process, and the others are told', async () => {
    const bench = new Bench();
    bench.stopGate = new Promise(() => {});
    bench.stopLimitMs = 1;
    const running = bench.run();
    await bench.until(UP[3]!);
    bench.signals.emit('SIGTERM');
    await running;
    expect(bench.events.slice(UP.length, UP.length + 6)).toEqual([
      'stopping',
      'http down',
      'control down',
      'error: godwit has not stopped within 0.001 s: it ends as it is',
      'flushed',
      'exit 1',
    ]);
  });

  test('SIGHUP reloads, even during the start, and SIGPIPE does nothing', async () => {
    const bench = new Bench();
    const running = bench.run();
    bench.signals.emit('SIGHUP');
    bench.signals.emit('SIGPIPE');
    await bench.until('reloaded');
    bench.speaker.reloadResult = new CommandError('failed', 'godwit.yaml:3: no');
    bench.signals.emit('SIGHUP');
    await bench.until('error: the reload was refused: godwit.yaml:3: no');
    bench.speaker.reloadResult = new Error('boom');
    bench.signals.emit('SIGHUP');
    await bench.until('error: the reload failed unexpectedly');
    expect(bench.speaker.calls).toEqual(['reload', 'reload', 'reload']);
    bench.signals.emit('SIGTERM');
    expect(await running).toBe(0);
  });

  test('SIGHUP makes deleted sockets again, whatever becomes of the configuration', async () => {
    const bench = new Bench();
    const running = bench.run();
    await bench.until(UP[3]!);
    bench.speaker.reloadResult = new CommandError('failed', 'godwit.yaml:3: no');
    bench.signals.emit('SIGHUP');
    await bench.until('error: the reload was refused: godwit.yaml:3: no');
    expect(bench.restored).toBe(1);
    bench.restoreFailure = new Error('not writable');
    bench.apply?.(config());
    await bench.until('error: control: the socket is not there any more: not writable');
    expect(bench.restored).toBe(2);
    bench.signals.emit('SIGTERM');
    expect(await running).toBe(0);
  });

  test('another configuration changes the level and says what has to wait', async () => {
    const bench = new Bench();
    const running = bench.run();
    await bench.until(UP[3]!);
    const changed = YAML.replace('8179', '8180').concat('log: { level: debug }\n');
    bench.apply?.(config(changed));
    expect(bench.events.slice(4)).toEqual([
      'level debug',
      'warn: the change of http takes effect at the next start',
    ]);
    bench.signals.emit('SIGTERM');
    await running;
  });

  test('a faulty configuration ends it with every issue', async () => {
    const bench = new Bench();
    bench.loads = [load('router: { asn: x }')];
    expect(await bench.run()).toBe(1);
    expect(bench.events).toEqual([]);
    expect(bench.warned.join('\n')).toContain('godwit.yaml:1:');
  });

  test('a speaker that does not start ends it', async () => {
    const bench = new Bench();
    bench.speakerFailure = new Error('no privilege for routes');
    expect(await bench.run()).toBe(1);
    expect(bench.events).toEqual([UP[0], 'error: godwit cannot run: no privilege for routes', 'flushed']);
  });

  test('another daemon on the socket ends it before anything is touched', async () => {
    const bench = new Bench();
    bench.claimFailure = new Error('Another daemon already answers.');
    expect(await bench.run()).toBe(1);
    expect(bench.events).toEqual(['error: godwit cannot run: Another daemon already answers.', 'flushed']);
  });

  test('a face that does not start takes the others down again', async () => {
    const bench = new Bench();
    bench.httpFailure = new Error('EADDRINUSE');
    expect(await bench.run()).toBe(1);
    expect(bench.events).toEqual([
      ...UP.slice(0, 3),
      'error: godwit cannot run: EADDRINUSE',
      'speaker down',
      'control down',
      'flushed',
    ]);
  });

  test('that goes on with sessions of a program before loses none over what else fails', async () => {
    const bench = new Bench();
    bench.claimFailure = new Error('not accessible');
    bench.httpFailure = new Error('EADDRINUSE');
    const running = runDaemon('godwit.yaml', { ...bench.parts, goesOn: true }, { warn: () => {} });
    await bench.until('error: the sessions go on, but: EADDRINUSE');
    expect(bench.events).toEqual([
      'error: the sessions go on, but: not accessible',
      ...UP.slice(1, 3),
      'error: the sessions go on, but: EADDRINUSE',
    ]);
    bench.signals.emit('SIGTERM');
    expect(await running).toBe(0);
  });
});
